"""The audit trail in memory: goes over all entries for each question."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock
from typing import Final
from uuid import UUID

from testamur.application.ports.audit import (
    AuditEntry,
    AuditFilter,
    Grouping,
    ProjectionStatus,
    Subject,
)
from testamur.domain.identifiers import LearnerId

_NAME: Final = "audit-trail"


@dataclass(slots=True)
class _Set:
    """Entries in order, with what their aggregates are about."""

    entries: list[AuditEntry] = field(default_factory=list)
    subjects: dict[UUID, Subject] = field(default_factory=dict)

    @property
    def position(self) -> int:
        """The last event that is in it."""
        return self.entries[-1].position if self.entries else 0

    def add(self, entries: Sequence[AuditEntry]) -> None:
        """Add entries that follow."""
        self.entries += entries
        for entry in entries:
            if entry.version == 1:
                learner_id = entry.learner_ids[0] if len(entry.learner_ids) == 1 else None
                self.subjects[entry.stream_id] = Subject(
                    entry.configuration_id, entry.context_key, learner_id
                )


class MemoryAuditRows:
    """Fills the port `AuditRows`."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._live = _Set()
        self._next: _Set | None = None

    def entries(self) -> list[AuditEntry]:
        """Return all entries, in order."""
        with self._lock:
            return list(self._live.entries)

    def status(self) -> ProjectionStatus:
        """Return how far it has come."""
        with self._lock:
            rebuilt_to = self._next.position if self._next else None
            return ProjectionStatus(_NAME, self._live.position, rebuilt_to)

    def subjects(
        self, stream_ids: Sequence[UUID], *, rebuilding: bool = False
    ) -> dict[UUID, Subject]:
        """Return what these aggregates are about, of those whose first event is in it."""
        with self._lock:
            wanted = self._next if rebuilding else self._live
            known = wanted.subjects if wanted else {}
            return {each: known[each] for each in stream_ids if each in known}

    def write(self, entries: Iterable[AuditEntry], after: int, *, rebuilding: bool = False) -> bool:
        """Write the entries that follow a position."""
        entries = list(entries)
        with self._lock:
            wanted = self._next if rebuilding else self._live
            if wanted is None or wanted.position != after:
                return False
            wanted.add(entries)
            return True

    def begin_rebuild(self) -> None:
        """Begin a second, empty set; one that was begun before is thrown away."""
        with self._lock:
            self._next = _Set()

    def finish_rebuild(self) -> None:
        """Give readers the second set; not while it is behind the first one."""
        with self._lock:
            if self._next is not None and self._next.position >= self._live.position:
                self._live, self._next = self._next, None


class MemoryAuditTrail:
    """Fills the port `AuditTrail`.

    Args:
        rows: What was written.
    """

    def __init__(self, rows: MemoryAuditRows) -> None:
        self._rows = rows

    def page(
        self,
        where: AuditFilter,
        limit: int,
        *,
        after: int | None = None,
        newest_first: bool = False,
    ) -> list[AuditEntry]:
        """Return entries in the order of the log, or in its reverse, page by page."""
        entries = self._found(where)
        if newest_first:
            return [each for each in entries[::-1] if after is None or each.position < after][
                :limit
            ]
        return [each for each in entries if after is None or each.position > after][:limit]

    def count(self, where: AuditFilter) -> int:
        """Return how many entries there are."""
        return len(self._found(where))

    def grouped(self, where: AuditFilter, by: Grouping, limit: int) -> Mapping[str, int]:
        """Return how many entries there are of each group, the largest groups first."""
        runs = {each.stream_id for each in self._rows.entries() if each.name.startswith("run.")}
        groups = (_group(entry, by, runs) for entry in self._found(where))
        counts = Counter(group for group in groups if group is not None)
        if by == "day":
            return {day: counts[day] for day in sorted(counts)[-limit:]} if limit else {}
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:limit])

    def quiet_since(self, moment: datetime, limit: int, after: LearnerId | None) -> list[LearnerId]:
        """Return learners about whom nothing was recorded since a moment, by id, page by page."""
        entries = self._rows.entries()
        known = {each for entry in entries for each in entry.learner_ids}
        loud = {each for entry in entries if entry.at >= moment for each in entry.learner_ids}
        return [each for each in sorted(known - loud) if after is None or each > after][:limit]

    def _found(self, where: AuditFilter) -> list[AuditEntry]:
        return [each for each in self._rows.entries() if _fits(each, where)]


def _fits(entry: AuditEntry, where: AuditFilter) -> bool:
    return (
        where.stream_id in (None, entry.stream_id)
        and (where.learner_id is None or where.learner_id in entry.learner_ids)
        and where.configuration_id in (None, entry.configuration_id)
        and where.context_key in (None, entry.context_key)
        and where.actor in (None, entry.actor)
        and where.correlation_id in (None, entry.correlation_id)
        and (where.event is None or f"{entry.name}.".startswith(f"{where.event}."))
        and (where.since is None or entry.at >= where.since)
        and (where.until is None or entry.at < where.until)
    )


def _group(entry: AuditEntry, by: Grouping, runs: set[UUID]) -> str | None:
    match by:
        case "event":
            return entry.name
        case "actor":
            return entry.actor
        case "configuration":
            return None if entry.configuration_id is None else str(entry.configuration_id)
        case "context":
            return entry.context_key
        case "run":
            return str(entry.correlation_id) if entry.correlation_id in runs else None
        case "day":
            return entry.at.astimezone(UTC).date().isoformat()
