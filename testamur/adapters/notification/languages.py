"""Languages: the tags that templates are named by, and the locales that they stand for."""

from functools import lru_cache
from typing import Final

from babel import Locale, UnknownLocaleError

from testamur.domain.errors import InvalidInput

#: BCP 47 recommends to allow for this many characters (RFC 5646, section 4.4.1).
LONGEST_TAG: Final = 35


@lru_cache(maxsize=1024)
def parse_language(tag: str) -> Locale | None:
    """Return the locale of a language tag, as much of it as is known, or None.

    Args:
        tag: BCP 47, or with underscores, e.g. ``pt-BR``, ``zh_Hant_TW``.
    """
    parts = tag[:LONGEST_TAG].replace("_", "-").split("-")
    while parts:
        try:
            return Locale.parse("-".join(parts), sep="-")
        except (ValueError, UnknownLocaleError):
            parts.pop()
    return None


def from_special_to_general(locale: Locale) -> list[str]:
    """Return the tags by which templates for a locale may be named, the best first."""
    language, script, territory = (
        f"-{part}" if part else "" for part in (locale.language, locale.script, locale.territory)
    )
    tags = [language + script + territory, language + territory, language + script, language]
    return list(dict.fromkeys(tag.removeprefix("-") for tag in tags))


def locale_of(folder: str, place: str) -> Locale:
    """Return the locale that a folder of templates is named by.

    Args:
        folder: Its name.
        place: Where it is, for people.

    Raises:
        InvalidInput: It is named by no language tag, or by one that is not the usual one.
    """
    locale = parse_language(folder)
    tags = from_special_to_general(locale) if locale else []
    if locale is None or folder not in tags:
        hint = f"; here {tags[0]}" if tags else ""
        allowed = f"folders named by a language tag, such as pl or pt-BR{hint}"
        raise InvalidInput("templates", f"{place}/{folder}", allowed)
    return locale
