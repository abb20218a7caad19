"""Findings: what verifying the log found, and the report of it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

#: So many findings of each area are told one by one; the others are counted.
MOST_TOLD: Final = 100

Area = Literal["log", "tree", "head", "key", "register", "trail"]
"""What a finding is about: events; kept hashes; signed heads; keys; the rows beside the log."""

Kind = Literal[
    "altered",
    "dropped",
    "inserted",
    "re-ordered",
    "unreadable",
    "missing",
    "extra",
    "different",
    "false-signature",
]
"""What is wrong with it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was recorded.

    Args:
        area: What it is about.
        kind: What is wrong.
        detail: In words.
        position: The event in the log, or the first of those among which it is.
        last_position: The last of those among which it is; the same where it is one event.
    """

    area: Area
    kind: Kind
    detail: str
    position: int | None = None
    last_position: int | None = None

    def __str__(self) -> str:
        return f"{self.area}: {self.kind}: {self.detail}"


@dataclass(slots=True)
class Findings:
    """Collects findings; memory stays flat however many there are."""

    _told: dict[Area, list[tuple[bool, Finding]]] = field(default_factory=dict)
    _counts: Counter[Area] = field(default_factory=Counter)

    def add(
        self,
        area: Area,
        kind: Kind,
        detail: str,
        position: int | None = None,
        last_position: int | None = None,
        *,
        is_circumstantial: bool = False,
    ) -> None:
        """Add one; what is circumstantial comes after what else is said of the same event."""
        self._counts[area] += 1
        told = self._told.setdefault(area, [])
        if len(told) < MOST_TOLD:
            last = position if last_position is None else last_position
            told.append((is_circumstantial, Finding(area, kind, detail, position, last)))

    def told(self) -> list[Finding]:
        """Return those that are told, the log's first, and each area's by position."""
        order: Sequence[Area] = ("log", "tree", "head", "key", "register", "trail")
        return [
            finding
            for area in order
            for _, finding in sorted(
                self._told.get(area, ()), key=lambda each: (each[1].position or 0, each[0])
            )
        ]

    def count(self) -> int:
        """Return how many there are."""
        return self._counts.total()


@dataclass(frozen=True, slots=True)
class LogReport:
    """What verifying the log found.

    Args:
        events: Events that were read.
        sealed: How many of them a signed head covers.
        heads: Signed heads that were checked, the trusted one too.
        trusted_key: Id of the key that the signatures were traced to; None: there was none to
            trust beside those in the database, which were checked among themselves.
        trail_to: Position up to which the audit trail was compared.
        findings: What is wrong, the first event that is concerned first.
        findings_count: How many there are, those too that are not told.
    """

    events: int
    sealed: int
    heads: int
    trusted_key: str | None
    trail_to: int
    findings: tuple[Finding, ...]
    findings_count: int

    @property
    def is_clean(self) -> bool:
        """Whether all is as it was recorded."""
        return not self.findings_count

    @property
    def first(self) -> Finding | None:
        """The first event that was altered, dropped, inserted or re-ordered, if any was."""
        return next((each for each in self.findings if each.area == "log"), None)
