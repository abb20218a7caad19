"""Mentions: which events name a learner, and which learners none has named for long."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from testamur.application.ports.audit import AuditFilter, AuditRows, AuditTrail
from testamur.application.ports.log import Outline, StoredLog
from testamur.domain.identifiers import LearnerId

_PAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class Mention:
    """An event that names a learner.

    Args:
        stream_id: Id of the aggregate.
        version: Its place in the aggregate's stream.
    """

    stream_id: UUID
    version: int


@dataclass(frozen=True, slots=True)
class Mentions:
    """Finds learners in the log: in the audit trail, and in what that has not followed yet."""

    trail: AuditTrail
    rows: AuditRows
    log: StoredLog

    def of(self, learner_id: LearnerId) -> Iterator[Mention]:
        """Yield the events that name a learner, in the order of the log."""
        followed = self.rows.status().position
        after: int | None = None
        where = AuditFilter(learner_id=learner_id)
        while page := self.trail.page(where, _PAGE, after=after):
            for entry in page:
                if entry.position <= followed:
                    yield Mention(entry.stream_id, entry.version)
            after = page[-1].position
        for outline in self._after(followed):
            if learner_id in outline.learner_ids:
                yield Mention(outline.stream_id, outline.version)

    def is_known(self, learner_id: LearnerId) -> bool:
        """Tell whether any event names a learner."""
        return next(self.of(learner_id), None) is not None

    def quiet_since(self, moment: datetime) -> Iterator[LearnerId]:
        """Yield learners whom no event has named since a moment (aware), by id."""
        followed = self.rows.status().position
        named = {each for outline in self._after(followed) for each in outline.learner_ids}
        after: LearnerId | None = None
        while page := self.trail.quiet_since(moment, _PAGE, after):
            yield from (each for each in page if each not in named)
            after = page[-1]

    def _after(self, position: int) -> Iterator[Outline]:
        while outlines := self.log.outlines(position, _PAGE):
            yield from outlines
            position = outlines[-1].position
