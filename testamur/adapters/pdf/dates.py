"""Dates in words, by language and pattern (Unicode LDML, through Babel)."""

from datetime import date
from functools import lru_cache
from typing import Final

from babel import Locale, UnknownLocaleError
from babel.dates import format_date

from testamur.application.errors import RenderingError

STYLES: Final = ("short", "medium", "long", "full")

_SAMPLE: Final = date(2024, 2, 29)
_ENGLISH: Final = Locale("en")


def check_date_format(date_format: str) -> None:
    """Refuse what is neither a style nor a pattern of date fields.

    Raises:
        ValueError: With what is allowed.
    """
    try:
        shown = format_date(_SAMPLE, date_format, locale=_ENGLISH)
    except (ValueError, KeyError, AttributeError):
        # In this order: a field of a wrong length, an unknown field, a field of the time of day.
        shown = ""
    if not shown.strip():
        raise ValueError(
            f"allowed: {', '.join(STYLES)}, or a Unicode date pattern such as 'd MMMM y'"
        )


@lru_cache(maxsize=512)
def date_in_words(day: date, date_format: str, language: str) -> str:
    """Return a date in a language.

    Args:
        day: The date.
        date_format: One of `STYLES`, or a pattern that `check_date_format` accepts.
        language: BCP 47 tag; its more special parts are dropped where nothing is known of them.

    Raises:
        RenderingError: Nothing is known of the language at all.
    """
    return format_date(day, date_format, locale=_known_locale(language))


def _known_locale(language: str) -> Locale:
    # RFC 4647, section 3.4: look for the tag, then for the tag without its last part, and so on.
    parts = language.replace("_", "-").split("-")
    for length in range(len(parts), 0, -1):
        try:
            return Locale.parse("-".join(parts[:length]), sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    raise RenderingError(
        "unknown-language",
        f"no date can be written in the language {language!r}; allowed: a language tag (BCP 47) "
        "that Unicode's CLDR knows, such as pl, pt-BR or zh-Hant",
    )
