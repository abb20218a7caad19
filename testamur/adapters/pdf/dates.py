"""Dates in words, by language and pattern (Unicode LDML, through Babel)."""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Final

from babel import Locale, UnknownLocaleError
from babel.dates import DateTimeFormat, parse_pattern

from testamur.adapters.pdf.languages import ever_less_special
from testamur.application.errors import RenderingError

STYLES: Final = ("short", "medium", "long", "full")

#: The zero of each numbering system (CLDR); the other nine digits follow it in Unicode.
ZEROS: Final[Mapping[str, str]] = {
    "latn": "0",
    "adlm": "\U0001e950",
    "arab": "٠",
    "arabext": "۰",
    "beng": "০",
    "cakm": "\U00011136",
    "deva": "०",
    "gujr": "૦",
    "guru": "੦",
    "hmnp": "\U0001e140",
    "java": "꧐",
    "khmr": "០",
    "knda": "೦",
    "laoo": "໐",
    "lepc": "᱀",
    "mlym": "൦",
    "mong": "᠐",
    "mtei": "꯰",
    "mymr": "၀",
    "nkoo": "߀",
    "olck": "᱐",
    "orya": "୦",
    "rohg": "\U00010d30",
    "tamldec": "௦",
    "telu": "౦",
    "thai": "๐",
    "tibt": "༠",
    "vaii": "꘠",
}

#: Calendars that dates can be written in; `CLDR` has many more.
CALENDARS: Final = ("gregory", "buddhist")

_BUDDHIST_YEARS: Final = 543
_BUDDHIST_ERAS: Final = {"th": "พ.ศ."}
_OTHER_BUDDHIST_ERA: Final = "BE"

_SAMPLE: Final = date(2024, 2, 29)


def check_date_format(date_format: str) -> None:
    """Refuse what is neither a style nor a pattern of date fields.

    Raises:
        ValueError: With what is allowed.
    """
    try:
        shown = date_in_words(_SAMPLE, date_format, "en")
    except (ValueError, KeyError, AttributeError):
        # In this order: a field of a wrong length, an unknown field, a field of the time of day.
        shown = ""
    if not shown.strip():
        raise ValueError(
            f"allowed: {', '.join(STYLES)}, or a Unicode date pattern such as 'd MMMM y'"
        )


@lru_cache(maxsize=512)
def date_in_words(day: date, date_format: str, language: str) -> str:
    """Return a date in a language, in the digits that are usual there.

    Args:
        day: The date.
        date_format: One of `STYLES`, or a pattern that `check_date_format` accepts.
        language: BCP 47 tag; its more special parts are dropped where nothing is known of them.
            Its extension may choose other digits (``-u-nu-arab``; ``-u-nu-native`` are those of
            the language's script) and Buddhist years (``-u-ca-buddhist``); Unicode Technical
            Standard 35, section 3.2.1.

    Raises:
        RenderingError: Nothing is known of the language at all, or of the digits or calendar that
            its extension asks for; reason ``unknown-language``.
    """
    tag, chosen = _without_extension(language)
    locale = _known_locale(tag, language)
    calendar = chosen.get("ca", "gregory")
    if calendar not in CALENDARS:
        raise _unknown(language, f"the calendar {calendar!r}", f"{' and '.join(CALENDARS)}")
    pattern = locale.date_formats[date_format] if date_format in STYLES else date_format
    fields = _BuddhistFormat if calendar == "buddhist" else DateTimeFormat
    text: str = parse_pattern(pattern) % fields(day, locale)
    return text.translate(_digits(locale, chosen.get("nu"), language))


class _BuddhistFormat(DateTimeFormat):
    """The fields of a date, with years since the death of the Buddha, as Thailand counts them."""

    value: date

    def format_year(self, char: str, num: int) -> str:
        year = str(self.value.year + _BUDDHIST_YEARS)
        return year[-2:] if num == 2 else year.zfill(num)

    def format_era(self, char: str, num: int) -> str:
        return _BUDDHIST_ERAS.get(self.locale.language, _OTHER_BUDDHIST_ERA)


def _digits(locale: Locale, chosen: str | None, language: str) -> dict[int, str]:
    system = chosen or str(locale.default_numbering_system)
    if system == "native":
        system = dict(locale.other_numbering_systems).get("native", "latn")
    if system not in ZEROS:
        raise _unknown(language, f"the digits {system!r}", f"native, {', '.join(ZEROS)}")
    zero = ord(ZEROS[system])
    return {ord("0") + digit: chr(zero + digit) for digit in range(10)}


def _without_extension(language: str) -> tuple[str, Mapping[str, str]]:
    """Return a tag up to its Unicode extension, and the extension's values by their keys."""
    tag, _, extension = language.lower().replace("_", "-").partition("-u-")
    values: dict[str, str] = {}
    key = ""
    for part in extension.split("-"):
        if len(part) == 1:  # another extension begins
            break
        if len(part) == 2:
            key = part
        elif key:
            values[key] = f"{values[key]}-{part}" if key in values else part
    return tag, values


def _known_locale(tag: str, language: str) -> Locale:
    for candidate in ever_less_special(tag):
        try:
            return Locale.parse(candidate, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    raise RenderingError(
        "unknown-language",
        f"no date can be written in the language {language!r}; allowed: a language tag (BCP 47) "
        "that Unicode's CLDR knows, such as pl, pt-BR or zh-Hant",
    )


def _unknown(language: str, what: str, allowed: str) -> RenderingError:
    return RenderingError(
        "unknown-language",
        f"no date can be written in the language {language!r}: it asks for {what}; "
        f"allowed: {allowed}",
    )
