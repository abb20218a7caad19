"""Port: the audit trail, rows about events that are searched by what they are about.

Its rows are written by a follower (`testamur.application.following`), batch by batch, and can be
made anew from the log at any time.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple, Protocol
from uuid import UUID

from testamur.domain.identifiers import Actor, ConfigurationId, LearnerId


class AuditEntry(NamedTuple):
    """One event in the trail; nothing in it is personal but the opaque learner ids.

    A named tuple, because a rebuild makes one of every event, and it takes a fifth of the time.

    Args:
        position: Its place in the log.
        at: When it was recorded (aware, UTC).
        actor: Who did it.
        name: Stable versioned name, e.g. ``credential.awarded.1``.
        stream_id: Id of the aggregate.
        version: Its place in the aggregate's stream.
        correlation_id: The run or request that it belongs to.
        configuration_id: The configuration that it is about, by itself or through its aggregate.
        context_key: The learning context that it is about.
        learner_ids: The learners whom it is about.
    """

    position: int
    at: datetime
    actor: Actor
    name: str
    stream_id: UUID
    version: int
    correlation_id: UUID
    configuration_id: ConfigurationId | None
    context_key: str | None
    learner_ids: tuple[LearnerId, ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """What an aggregate is about, told by its first event.

    Args:
        configuration_id: The configuration, if it belongs to one or is one.
        context_key: The learning context, if any.
        learner_id: The learner, if it is a learner's.
    """

    configuration_id: ConfigurationId | None
    context_key: str | None
    learner_id: LearnerId | None


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries; None leaves a condition out, and all others must hold.

    Args:
        stream_id: Of one aggregate: a credential, configuration, type, asset or run.
        learner_id: About this learner.
        configuration_id: About this configuration.
        context_key: About this learning context.
        actor: By this actor.
        correlation_id: Of this run or request.
        event: Events of this name, all versions of it (``credential.awarded``) or one
            (``credential.awarded.1``), or all of an aggregate (``credential``).
        since: Recorded at this moment or later (aware).
        until: Recorded before this moment (aware).
    """

    stream_id: UUID | None = None
    learner_id: LearnerId | None = None
    configuration_id: ConfigurationId | None = None
    context_key: str | None = None
    actor: Actor | None = None
    correlation_id: UUID | None = None
    event: str | None = None
    since: datetime | None = None
    until: datetime | None = None


Grouping = Literal["event", "actor", "configuration", "context", "run", "day"]
"""What entries are counted by; ``day`` is a day in UTC."""


class AuditTrail(Protocol):
    """Answers questions about what happened, from the rows that the follower has written."""

    def page(
        self,
        where: AuditFilter,
        limit: int,
        *,
        after: int | None = None,
        newest_first: bool = False,
    ) -> Sequence[AuditEntry]:
        """Return entries in the order of the log, or in its reverse, page by page.

        Args:
            where: Which.
            limit: The most to return.
            after: Position of the last entry of the page before.
            newest_first: Whether to go backwards.

        Raises:
            EventStoreError: The trail cannot be read.
        """
        ...

    def count(self, where: AuditFilter) -> int:
        """Return how many entries there are."""
        ...

    def grouped(self, where: AuditFilter, by: Grouping, limit: int) -> Mapping[str, int]:
        """Return how many entries there are of each group, the largest groups first.

        Days are in the order of the calendar. Entries that have no such group are left out.

        Args:
            where: Which entries.
            by: What they are counted by.
            limit: The most groups to return; days beyond it are the oldest.
        """
        ...

    def quiet_since(
        self, moment: datetime, limit: int, after: LearnerId | None
    ) -> Sequence[LearnerId]:
        """Return learners about whom nothing was recorded since a moment, by id, page by page.

        Args:
            moment: Aware.
            limit: The most to return.
            after: The last learner of the page before.
        """
        ...


@dataclass(frozen=True, slots=True)
class ProjectionStatus:
    """How far a read model has followed the log.

    Args:
        name: Of the read model.
        position: The last event that is in it.
        rebuilt_to: How far it is being made anew, while it is; else None.
    """

    name: str
    position: int
    rebuilt_to: int | None = None


class AuditRows(Protocol):
    """The audit trail as its follower writes it.

    While it is made anew, rows go into a second set, and readers are given the first until
    :meth:`finish_rebuild`.
    """

    def status(self) -> ProjectionStatus:
        """Return how far it has come."""
        ...

    def subjects(
        self, stream_ids: Sequence[UUID], *, rebuilding: bool = False
    ) -> Mapping[UUID, Subject]:
        """Return what these aggregates are about, of those whose first event is in it.

        Args:
            stream_ids: The aggregates.
            rebuilding: Whether to ask the set that is being made anew.
        """
        ...

    def write(self, entries: Iterable[AuditEntry], after: int, *, rebuilding: bool = False) -> bool:
        """Write the entries that follow a position, in one transaction with the new position.

        Args:
            entries: In order, at least one; gone over once, before the transaction begins.
            after: The position that they follow.
            rebuilding: Whether they go to the set that is being made anew.

        Returns:
            Whether they were written: not where another follower has written beyond ``after``
            in the meantime, or began to make it anew.
        """
        ...

    def begin_rebuild(self) -> None:
        """Begin a second, empty set; one that was begun before is thrown away."""
        ...

    def finish_rebuild(self) -> None:
        """Give readers the second set, and throw the first one away.

        Nothing happens while it is behind the first one, or where none was begun.
        """
        ...
