"""Following the log: the audit trail is brought up to it, or made anew from its beginning."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from testamur.application.ports.audit import AuditEntry, AuditRows, ProjectionStatus
from testamur.application.ports.event_store import Attribution
from testamur.application.ports.log import Outline, StoredLog
from testamur.application.progress import Progress, Step, Unwatched
from testamur.domain.identifiers import ConfigurationId, LearnerId

#: Name of the one read model that follows the log.
AUDIT_TRAIL: Final = "audit-trail"
#: Events that are read and written at once: each batch is one transaction.
BATCH: Final = 10_000
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
        # By the number that an id is: ids themselves take several times as long to look up. Places
        # are shared and learners are no containers, so that there is little to look through for
        # garbage.
        self._places: dict[int, _Place] = {}
        self._learners: dict[int, LearnerId] = {}
        # Whether all that can be told of this batch was asked for.
        self._asked = False

    def entries(self, outlines: Sequence[Outline]) -> Iterator[AuditEntry]:
        """Yield the entries of events, with what their aggregates are about filled in.

        One by one: thousands of them at once would be looked through for garbage again and again.
        """
        places, learners = self._places, self._learners
        if len(places) > MOST_KEPT:
            places.clear()
            learners.clear()
        self._asked = False
        place = _NOWHERE
        attribution: Attribution | None = None
        for outline in outlines:
            stream_id, version = outline.stream_id, outline.version
            configuration_id, context_key = outline.configuration_id, outline.context_key
            learner_ids = outline.learner_ids
            if version == 1:
                if configuration_id is None and outline.name.startswith(_CONFIGURATION):
                    configuration_id = ConfigurationId(stream_id)
                if context_key is None and configuration_id is not None:
                    context_key = self._place(configuration_id, outlines)[1]
                if (configuration_id, context_key) != place:
                    place = (configuration_id, context_key)
                places[stream_id.int] = place
                if len(learner_ids) == 1:
                    learners[stream_id.int] = learner_ids[0]
            else:
                begun = places.get(stream_id.int) or self._place(stream_id, outlines)
                configuration_id = configuration_id or begun[0]
                context_key = context_key or begun[1]
                learner_id = learners.get(stream_id.int)
                if learner_id is not None:
                    learner_ids = (
                        tuple(dict.fromkeys((*learner_ids, learner_id)))
                        if learner_ids
                        else (learner_id,)
                    )
            # Neighbours mostly have the same one, and then it is the same object.
            if attribution is not outline.attribution:
                attribution = outline.attribution
                at, actor = attribution.at, attribution.actor
                correlation_id = attribution.correlation_id
            yield AuditEntry(
                outline.position,
                at,
                actor,
                outline.name,
                stream_id,
                version,
                correlation_id,
                configuration_id,
                context_key,
                learner_ids,
            )

    def _place(self, stream_id: UUID, outlines: Sequence[Outline]) -> "_Place":
        """Return an aggregate's place; what is not known, is asked for the whole batch."""
        if stream_id.int not in self._places and not self._asked:
            self._asked = True
            self._ask(outlines)
        return self._places.get(stream_id.int, _NOWHERE)

    def _ask(self, outlines: Sequence[Outline]) -> None:
        """Ask for what is not known of these events' aggregates, and of their configurations."""
        needed: dict[int, UUID] = {}
        for outline in outlines:
            configuration_id = outline.configuration_id
            if outline.version != 1:
                needed[outline.stream_id.int] = outline.stream_id
            elif outline.context_key is None and configuration_id is not None:
                needed[configuration_id.int] = configuration_id
        for outline in outlines:
            if outline.version == 1:
                needed.pop(outline.stream_id.int, None)
        missing = [each for number, each in needed.items() if number not in self._places]
        for stream_id, subject in self._rows.subjects(missing, rebuilding=self._rebuilding).items():
            self._places[stream_id.int] = (subject.configuration_id, subject.context_key)
            if subject.learner_id is not None:
                self._learners[stream_id.int] = subject.learner_id


_Place = tuple[ConfigurationId | None, str | None]
_NOWHERE: Final[_Place] = (None, None)
