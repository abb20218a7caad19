"""Following the log: the audit trail is brought up to it, or made anew from its beginning."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from testamur.application.ports.audit import AuditEntry, AuditRows, ProjectionStatus
from testamur.application.ports.log import Outline, StoredLog
from testamur.application.progress import Progress, Step, Unwatched
from testamur.domain.identifiers import ConfigurationId, LearnerId

#: Name of the one read model that follows the log.
AUDIT_TRAIL: Final = "audit-trail"
#: Events that are read and written at once: each batch is one transaction.
BATCH: Final = 5_000
#: Aggregates of which is kept what they are about, from one batch to the next.
MOST_KEPT: Final = 50_000

_CONFIGURATION: Final = "configuration."


@dataclass(frozen=True, slots=True)
class FollowingStatus:
    """How far a read model has followed the log.

    Args:
        projection: The read model, and how far it is.
        last_position: Of the last event in the log.
    """

    projection: ProjectionStatus
    last_position: int

    @property
    def behind(self) -> int:
        """How many events are not in it yet."""
        return max(0, self.last_position - self.projection.position)


@dataclass(frozen=True, slots=True)
class Following:
    """Brings the audit trail up to the log. Several may do so at once: each batch is written once.

    What it writes can be made anew at any time, so it is never in the transaction of the events.
    """

    log: StoredLog
    rows: AuditRows

    def status(self) -> FollowingStatus:
        """Return how far the trail is.

        Raises:
            EventStoreError: The log or the trail cannot be read.
        """
        # The trail first: read after the log, it could be ahead of it.
        projection = self.rows.status()
        return FollowingStatus(projection, self.log.last_position())

    def behind(self) -> int:
        """Return how many events are not in the trail yet."""
        return self.status().behind

    def catch_up(self, most: int | None = None, progress: Progress | None = None) -> int:
        """Bring the trail up to the log, and return how many events were written to it.

        Args:
            most: After so many events it stops; None: at the end of the log.
            progress: Is told how far it is.

        Raises:
            EventStoreError: The log cannot be read, or the trail not be written; whatever was
                written before stays.
        """
        position = self.rows.status().position
        return self._follow(
            position,
            None if most is None else position + most,
            progress or Unwatched(),
            rebuilding=False,
        )

    def rebuild(self, progress: Progress | None = None) -> int:
        """Make the trail anew from the beginning of the log, and return how many events it has.

        Readers are given the old trail until the new one is complete, and it is brought up to the
        log as ever. After a crash in the middle it can be begun anew.

        Args:
            progress: Is told how far it is.

        Raises:
            EventStoreError: The log cannot be read, or the trail not be written; the old one stays.
        """
        progress = progress or Unwatched()
        progress.expect(Step.FOLLOW, self.log.last_position())
        self.rows.begin_rebuild()
        while (rebuilt_to := self.rows.status().rebuilt_to) is not None:
            self._follow(rebuilt_to, None, progress, rebuilding=True)
            # Not done while it is behind the old one, which others may have brought further.
            self.rows.finish_rebuild()
        self.catch_up()
        return self.rows.status().position

    def _follow(
        self, position: int, until: int | None, progress: Progress, *, rebuilding: bool
    ) -> int:
        written = 0
        about = Subjects(self.rows, rebuilding=rebuilding)
        while until is None or position < until:
            limit = BATCH if until is None else min(BATCH, until - position)
            outlines = self.log.outlines(position, limit)
            if not outlines:
                break
            if self.rows.write(about.entries(outlines), position, rebuilding=rebuilding):
                position = outlines[-1].position
                written += len(outlines)
                progress.advance(Step.FOLLOW, len(outlines))
                continue
            # Another follower was first, or it is made anew: go on from where it is now.
            status = self.rows.status()
            moved_to = status.rebuilt_to if rebuilding else status.position
            if moved_to is None:
                break
            position = moved_to
            about = Subjects(self.rows, rebuilding=rebuilding)
        return written


class Subjects:
    """What aggregates are about, as the trail tells of their first events.

    Args:
        rows: The trail.
        rebuilding: Whether the one that is being made anew is asked.
    """

    def __init__(self, rows: AuditRows, *, rebuilding: bool) -> None:
        self._rows = rows
        self._rebuilding = rebuilding
        # By the number that an id is: ids themselves take several times as long to look up.
        self._known: dict[int, _About] = {}

    def entries(self, outlines: Sequence[Outline]) -> list[AuditEntry]:
        """Return the entries of events, with what their aggregates are about filled in."""
        self._learn(outlines)
        known = self._known
        entries = []
        for outline in outlines:
            stream_id, version = outline.stream_id, outline.version
            if version == 1:
                about = known[stream_id.int] = self._begun(outline)
                learner_ids = outline.learner_ids
            else:
                about = known.get(stream_id.int, _NOTHING)
                learner_ids = outline.learner_ids
                if about[2] and about[2] != learner_ids:
                    learner_ids = tuple(dict.fromkeys((*learner_ids, *about[2])))
            attribution = outline.attribution
            entries.append(
                AuditEntry(
                    outline.position,
                    attribution.at,
                    attribution.actor,
                    outline.name,
                    stream_id,
                    version,
                    attribution.correlation_id,
                    outline.configuration_id or about[0],
                    outline.context_key or about[1],
                    learner_ids,
                )
            )
        return entries

    def _begun(self, outline: Outline) -> "_About":
        """Return what an aggregate is about whose first event this is."""
        configuration_id, context_key = outline.configuration_id, outline.context_key
        if configuration_id is None and outline.name.startswith(_CONFIGURATION):
            configuration_id = ConfigurationId(outline.stream_id)
        if context_key is None and configuration_id is not None:
            context_key = self._known.get(configuration_id.int, _NOTHING)[1]
        learner_ids = outline.learner_ids
        return configuration_id, context_key, learner_ids if len(learner_ids) == 1 else ()

    def _learn(self, outlines: Sequence[Outline]) -> None:
        """Ask for what is not known of these events' aggregates, and of their configurations."""
        known = self._known
        if len(known) > MOST_KEPT:
            known.clear()
        needed = {each.stream_id for each in outlines if each.stream_id.int not in known}
        for outline in outlines:
            if outline.version == 1:
                needed.discard(outline.stream_id)
                configuration_id = outline.configuration_id
                if outline.context_key is None and configuration_id is not None:
                    needed.add(configuration_id)
        missing = [each for each in needed if each.int not in known]
        for stream_id, subject in self._rows.subjects(missing, rebuilding=self._rebuilding).items():
            known[stream_id.int] = (
                subject.configuration_id,
                subject.context_key,
                (subject.learner_id,) if subject.learner_id is not None else (),
            )


_About = tuple[ConfigurationId | None, str | None, tuple[LearnerId, ...]]
_NOTHING: Final[_About] = (None, None, ())
