"""The audit trail against the log: every row is what its event says."""

from collections.abc import Sequence
from typing import Final

from testamur.application.errors import EventStoreError
from testamur.application.following import Subjects
from testamur.application.ports.audit import AuditEntry, AuditFilter, AuditRows, AuditTrail
from testamur.application.ports.log import Outline, StoredLog, StoredRecord
from testamur.application.transparency.findings import Findings, Kind

#: What reading an entry raises whose values are none of those that are written.
_DAMAGED: Final = (ValueError, TypeError, KeyError)


class TrailCheck:
    """Compares rows with events, as far as the trail has followed the log.

    Args:
        log: The events.
        trail: The rows.
        rows: Says how far they go, and what aggregates are about.
        findings: Gets what is wrong.
    """

    def __init__(
        self, log: StoredLog, trail: AuditTrail, rows: AuditRows, findings: Findings
    ) -> None:
        self._log = log
        self._trail = trail
        self._findings = findings
        self._subjects = Subjects(rows, rebuilding=False)
        self._unreadable: set[int] = set()
        self.compared_to = min(rows.status().position, log.last_position())

    def check(self, records: Sequence[StoredRecord]) -> None:
        """Go on with the log."""
        followed = [each for each in records if each.position <= self.compared_to]
        if followed:
            self._compare(followed[0].position, followed[-1].position)

    def finish(self) -> None:
        """Look for rows after the last event."""
        try:
            beyond = self._trail.page(AuditFilter(), 1, after=self._log.last_position())
        except _DAMAGED:
            beyond = ()
            self._findings.add("trail", "extra", "there are entries of no event at its end")
        for entry in beyond:
            if entry.position > self._log.last_position():
                self._note(entry.position, "extra", "is of no event")

    def _compare(self, first: int, last: int) -> None:
        self._unreadable.clear()
        outlines = self._outlines(first, last)
        entries = {entry.position: entry for entry in self._entries(first, last)}
        for expected in self._subjects.entries(outlines):
            entry = entries.pop(expected.position, None)
            if entry is None:
                if expected.position not in self._unreadable:
                    self._note(expected.position, "missing", "is missing")
            elif entry != expected:
                self._note_differences(entry, expected)
        for position in entries:
            self._note(position, "extra", "is of no event that can be read")

    def _outlines(self, first: int, last: int) -> Sequence[Outline]:
        found: list[Outline]
        try:
            found = list(self._log.outlines(first - 1, last - first + 1))
        except (EventStoreError, ValueError):
            found = []
            for before in range(first - 1, last):
                try:
                    after = list(self._log.outlines(before, 1))
                    found += [each for each in after if each.position == before + 1]
                except (EventStoreError, ValueError) as error:
                    self._findings.add(
                        "log",
                        "unreadable",
                        f"event {before + 1}: {error}",
                        before + 1,
                        is_circumstantial=True,
                    )
        return [each for each in found if each.position <= last]

    def _entries(self, first: int, last: int) -> Sequence[AuditEntry]:
        try:
            return self._page(first, last)
        except _DAMAGED:
            found: list[AuditEntry] = []
            for position in range(first, last + 1):
                try:
                    found += self._page(position, position)
                except _DAMAGED:
                    self._note(position, "unreadable", "cannot be read, or is of no event")
                    self._unreadable.add(position)
            return found

    def _page(self, first: int, last: int) -> Sequence[AuditEntry]:
        page = self._trail.page(AuditFilter(), last - first + 1, after=first - 1)
        return [entry for entry in page if entry.position <= last]

    def _note_differences(self, entry: AuditEntry, expected: AuditEntry) -> None:
        for field, shown, recorded in zip(AuditEntry._fields, entry, expected, strict=True):
            if shown != recorded:
                self._note(
                    expected.position,
                    "different",
                    f"has {field} {str(shown)!r}, and the event {str(recorded)!r}",
                )

    def _note(self, position: int, kind: Kind, what: str) -> None:
        self._findings.add("trail", kind, f"entry {position} {what}", position)
