"""Serial numbers: counted without gaps, in the order of the awards.

A sequence counts the credentials of an issuer or of a configuration, in one year or in all. It is
an aggregate of its own: whoever awards takes the next numbers from it in the same transaction.
"""

import unicodedata
from dataclasses import dataclass
from datetime import date
from string import Formatter
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from testamur.domain.errors import DecisionRefused
from testamur.domain.events import DomainEvent
from testamur.domain.identifiers import SerialSequenceId, serial_sequence_id

Scope = Literal["issuer", "configuration"]
"""Whose credentials are counted together."""

Restart = Literal["never", "yearly"]
"""When counting begins anew."""

LONGEST_FORMAT: Final = 100
LARGEST_NUMBER: Final = 10**15
_MOST_DIGITS: Final = 15

ALLOWED_FORMAT: Final = (
    f"text of 1 to {LONGEST_FORMAT} characters with {{number}} once, such as "
    "UNI-{year}-{number:06}; {year} may be in it too"
)


def _format(text: str) -> str:
    if not 0 < len(text) <= LONGEST_FORMAT or text != text.strip():
        raise ValueError(ALLOWED_FORMAT)
    if any(unicodedata.category(each) in ("Cc", "Cf", "Cs", "Zl", "Zp") for each in text):
        raise ValueError(ALLOWED_FORMAT)
    try:
        pieces = list(Formatter().parse(text))
    except ValueError:
        raise ValueError(ALLOWED_FORMAT) from None
    fields = [(name, spec) for _, name, spec, _ in pieces if name is not None]
    plain = all(conversion is None for *_, conversion in pieces)
    numbers = [spec for name, spec in fields if name == "number"]
    years = [spec for name, spec in fields if name == "year"]
    if not plain or len(numbers) != 1 or len(numbers) + len(years) != len(fields):
        raise ValueError(ALLOWED_FORMAT)
    if any(years) or not _is_width(numbers[0] or ""):
        raise ValueError(ALLOWED_FORMAT)
    return text


def _is_width(spec: str) -> bool:
    """Whether it is nothing, or a width with leading zeros such as ``06``."""
    digits = spec.isascii() and spec.isdigit()
    return not spec or (digits and spec[0] == "0" and 0 < int(spec) <= _MOST_DIGITS)


class SerialRule(BaseModel):
    """How credentials are numbered.

    Args:
        per: Whose credentials are counted together.
        format: How a number is written: text with ``{number}`` or, with leading zeros,
            ``{number:06}``, and with ``{year}``, that of the award date.
        first: The first number of a sequence; it says nothing of one that has begun.
        restart: Whether counting begins anew each year.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    per: Scope
    format: Annotated[str, AfterValidator(_format)]
    first: Annotated[int, Field(ge=1, lt=LARGEST_NUMBER)] = 1
    restart: Restart = "never"

    @model_validator(mode="after")
    def _tells_years_apart(self) -> Self:
        if self.restart == "yearly" and "year" not in _fields(self.format):
            raise ValueError("a format with {year} where counting begins anew each year")
        return self

    def written(self, number: int, award_date: date) -> str:
        """Return a number as it is shown."""
        return self.format.format(number=number, year=award_date.year)

    def sample(self, award_date: date) -> str:
        """Return a serial that is about as wide as the widest there will be."""
        spec = next(spec for _, name, spec, _ in Formatter().parse(self.format) if name == "number")
        digits = max(int(spec or 0), len(str(self.first)), 4)
        return self.written(int("8" * digits), award_date)

    def sequence(
        self, issuer_name: str, configuration: str, award_date: date
    ) -> "SerialSequenceName":
        """Return which sequence a credential is counted in.

        Args:
            issuer_name: Who issues it.
            configuration: The slug of its type and the key of its context.
            award_date: The date on the document.
        """
        return SerialSequenceName(
            self.per,
            issuer_name if self.per == "issuer" else configuration,
            award_date.year if self.restart == "yearly" else None,
        )


def _fields(text: str) -> set[str | None]:
    return {name for _, name, *_ in Formatter().parse(text)}


@dataclass(frozen=True, slots=True)
class SerialSequenceName:
    """What makes a sequence unique.

    Args:
        per: Whose credentials are counted.
        of: The issuer's name, or the slug of the type and the key of the context.
        year: The year that is counted; None: all.
    """

    per: Scope
    of: str
    year: int | None = None

    @property
    def id(self) -> SerialSequenceId:
        """The id of the sequence."""
        return serial_sequence_id(self.per, self.of, self.year)

    def __str__(self) -> str:
        return f"{self.per} {self.of}" + (f" {self.year}" if self.year is not None else "")


# Events


class SerialsAssigned(DomainEvent):
    """The next numbers of a sequence were given to credentials that are awarded with this.

    Args:
        per: Whose credentials are counted.
        of: The issuer's name, or the slug of the type and the key of the context.
        year: The year that is counted; None: all.
        first: The first of these numbers.
        count: How many they are; the last is first + count - 1.
    """

    per: Scope
    of: str
    year: int | None = None
    first: Annotated[int, Field(ge=1)]
    count: Annotated[int, Field(ge=1)]

    @property
    def last(self) -> int:
        """The last of these numbers."""
        return self.first + self.count - 1


SerialEvent = SerialsAssigned

# State


@dataclass(frozen=True, slots=True)
class SerialSequence:
    """A sequence as its events left it: all that matters is how far it has counted."""

    last: int


def evolve(state: SerialSequence | None, event: SerialEvent) -> SerialSequence:
    """Return the state after an event."""
    return SerialSequence(event.last)


# Decisions


def decide_assign(
    state: SerialSequence | None, name: SerialSequenceName, rule: SerialRule, count: int
) -> list[SerialEvent]:
    """Take the next numbers of a sequence; none where none are wanted.

    Raises:
        DecisionRefused: The sequence is at its end.
    """
    if count == 0:
        return []
    first = rule.first if state is None else state.last + 1
    if first + count > LARGEST_NUMBER:
        raise DecisionRefused(f"serial numbers of {name}", f"they end at {LARGEST_NUMBER - 1}")
    return [SerialsAssigned(per=name.per, of=name.of, year=name.year, first=first, count=count)]
