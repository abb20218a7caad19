"""Languages: looking something up by a language tag."""

from collections.abc import Iterator, Mapping
from typing import TypeVar

Value = TypeVar("Value")


def ever_less_special(language: str) -> Iterator[str]:
    """Yield a tag, then the tag without its last part, and so on (RFC 4647, section 3.4).

    Args:
        language: BCP 47 tag; underscores are taken for hyphens.
    """
    parts = language.replace("_", "-").split("-")
    for length in range(len(parts), 0, -1):
        yield "-".join(parts[:length])


def looked_up(language: str, values: Mapping[str, Value]) -> Value | None:
    """Return the value of the most special tag that has one, or None.

    Args:
        language: BCP 47 tag.
        values: By tag in small letters.
    """
    tags = ever_less_special(language.lower())
    return next((values[tag] for tag in tags if tag in values), None)
