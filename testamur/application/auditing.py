"""Auditing: who did what, when and why, searched page by page, counted, and looked back at."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Final, get_args
from uuid import UUID

from testamur.application.audit_cursors import cursor_after, position_of
from testamur.application.audit_questions import (
    AuditQuestions,
    WrittenFilter,
    check_filter,
    is_date_alone,
)
from testamur.application.following import Following
from testamur.application.moments import CredentialMoment, Moments
from testamur.application.ports.audit import AuditEntry, AuditFilter, AuditTrail, Grouping
from testamur.application.ports.event_store import EventStore, RecordedEvent
from testamur.application.progress import Progress
from testamur.application.reasons import Reasoning, Reasons
from testamur.domain.configurations import ConfigurationCreated
from testamur.domain.errors import InvalidInput, NotFound
from testamur.domain.identifiers import ConfigurationId, CredentialId

#: Events that a question waits for, where the trail is behind: that takes a second or two.
MOST_CAUGHT_UP: Final = 20_000

#: Entries of a page at the most; it is made in memory as a whole.
LONGEST_PAGE: Final = 10_000

#: Entries that are read at once where all are gone over.
_PART: Final = 1_000

#: The last one of a day still belongs to it, the first one of the next does not.
_INSTANT: Final = timedelta(microseconds=1)

#: Up to so many times as many events as are wanted, all that lie between them are read in order:
#: that takes less than finding each by its stream.
_SPARSE: Final = 4


@dataclass(frozen=True, slots=True)
class AuditPage:
    """A page of the trail.

    Args:
        entries: In the order asked for.
        cursor: Of the page that follows; None where there is none (yet).
        behind: How many events of the log are not in the trail yet, so that this page may lack
            some of them.
    """

    entries: tuple[AuditEntry, ...]
    cursor: str | None
    behind: int


@dataclass(frozen=True, slots=True)
class Audit:
    """Answers auditors.

    Where the trail is behind the log, each question first brings it on by a bounded number of
    events; what it lacks then is told (`behind`), never hidden.
    """

    trail: AuditTrail
    following: Following
    events: EventStore
    questions: AuditQuestions
    moments: Moments
    reasoning: Reasoning

    def where(  # noqa: PLR0913 - one for each condition of a filter
        self,
        *,
        credential: str | None = None,
        learner: str | None = None,
        configuration: tuple[str, str] | None = None,
        context: str | None = None,
        actor: str | None = None,
        run: str | None = None,
        event: str | None = None,
        since: str | None = None,
        until: str | None = None,
    ) -> AuditFilter:
        """Return a filter made from what people write; what is left out is no condition.

        Args:
            credential: Events of this credential: its id, or its verification id.
            learner: About this learner.
            configuration: About the configuration of this type in this context.
            context: About this course, lesson or pathway.
            actor: By this actor, as ``kind:name``.
            run: Of this run or request.
            event: Events of this name: ``credential.awarded`` of any version,
                ``credential.awarded.1`` of that one, ``credential`` of that aggregate.
            since: Recorded then or later: a date, or a date and time (ISO 8601). Without an offset
                it is read off the clock of the installation.
            until: Recorded before then; a date alone includes all of that day.

        Raises:
            InvalidInput: A value is not allowed; there is no such event; the span is empty.
            NotFound: There is no such credential or configuration.
        """
        written = WrittenFilter(
            credential=credential,
            learner=learner,
            configuration=configuration,
            context=context,
            actor=actor,
            run=run,
            event=event,
            since=since,
            until=until,
        )
        return self.questions.filter_of(written)

    def behind(self) -> int:
        """Return how many events of the log are not in the trail yet."""
        return self.following.behind()

    def catch_up(self, progress: Progress | None = None) -> None:
        """Bring the trail up to the log, however long that takes.

        Args:
            progress: Is told how far it is.

        Raises:
            EventStoreError: The log cannot be read, or the trail not be written.
        """
        self.following.catch_up(progress=progress)

    def page(
        self,
        where: AuditFilter,
        limit: int,
        cursor: str | None = None,
        *,
        newest_first: bool = False,
    ) -> AuditPage:
        """Return entries in the order of the log, or in its reverse, page by page.

        Args:
            where: Which.
            limit: The most to return, 1 to `LONGEST_PAGE`.
            cursor: That of the page before; None: the first page.
            newest_first: Whether to go backwards.

        Raises:
            InvalidInput: The limit, the filter or the cursor is not allowed; a cursor is good for
                the same filter and order only.
            EventStoreError: The trail cannot be read or brought up.
        """
        check_filter(where, self.questions.known)
        if not 1 <= limit <= LONGEST_PAGE:
            raise InvalidInput("limit", limit, f"a number from 1 to {LONGEST_PAGE:,}")
        after = None if cursor is None else position_of(cursor, where, newest_first=newest_first)
        behind = self._brought_up()
        # One more than wanted tells whether there is another page.
        found = self.trail.page(where, limit + 1, after=after, newest_first=newest_first)
        entries = tuple(found[:limit])
        following = (
            cursor_after(entries[-1].position, where, newest_first=newest_first)
            if len(found) > limit
            else None
        )
        return AuditPage(entries, following, behind)

    def entries(self, where: AuditFilter, *, newest_first: bool = False) -> Iterator[AuditEntry]:
        """Yield all entries, reading in parts, so that memory does not grow with them.

        What is recorded while they are gone over is left out. Ask `behind` for what the trail
        lacks, or `catch_up` before.

        Raises:
            InvalidInput: The filter is not allowed.
            EventStoreError: The trail cannot be read or brought up.
        """
        check_filter(where, self.questions.known)
        self._brought_up()
        last = self.following.status().projection.position
        return self._entries(where, last, newest_first=newest_first)

    def count(self, where: AuditFilter) -> int:
        """Return how many entries there are.

        Raises:
            InvalidInput: The filter is not allowed.
            EventStoreError: The trail cannot be read or brought up.
        """
        check_filter(where, self.questions.known)
        self._brought_up()
        return self.trail.count(where)

    def grouped(self, where: AuditFilter, by: Grouping, limit: int = 1_000) -> Mapping[str, int]:
        """Return how many entries there are of each group, the largest groups first.

        Args:
            where: Which entries.
            by: ``event``, ``actor``, ``configuration``, ``context``, ``run`` or ``day`` (in UTC;
                days are in their order). Entries that have no such group are left out.
            limit: The most groups; days beyond it are the oldest.

        Raises:
            InvalidInput: The filter or the grouping is not allowed.
            EventStoreError: The trail cannot be read or brought up.
        """
        check_filter(where, self.questions.known)
        if by not in get_args(Grouping):
            raise InvalidInput("by", by, f"one of {', '.join(get_args(Grouping))}")
        if limit < 1:
            raise InvalidInput("limit", limit, "a number from 1")
        self._brought_up()
        return self.trail.grouped(where, by, limit)

    def with_events(
        self, entries: Iterable[AuditEntry]
    ) -> Iterator[tuple[AuditEntry, RecordedEvent]]:
        """Yield entries together with the events that they are about, decrypted.

        Personal fields are None where the learner was erased. Memory does not grow with the number
        of entries.

        Args:
            entries: Such as those of a page, or those that :meth:`entries` yields.

        Raises:
            EventStoreError: The log cannot be read, or an event is damaged.
            NotFound: An event is not in the log.
        """
        remaining = iter(entries)
        while part := list(islice(remaining, _PART)):
            recorded = self._recorded(part)
            for entry in part:
                if (event := recorded.get((entry.stream_id, entry.version))) is None:
                    raise NotFound("event", f"{entry.version} of {entry.stream_id}")
                yield entry, event

    def names_of_configurations(
        self, ids: Iterable[ConfigurationId]
    ) -> Mapping[ConfigurationId, tuple[str, str]]:
        """Return the type and the context of configurations; unknown ones are left out."""
        names = {}
        for stream_id, recorded in self.events.load_many(list(ids)).items():
            created = recorded[0].event
            if isinstance(created, ConfigurationCreated):
                names[ConfigurationId(stream_id)] = (created.type_slug, created.context_key)
        return names

    def as_of(
        self, credential: CredentialId | str, moment: datetime | str | None = None
    ) -> CredentialMoment:
        """Return what a credential looked like at a moment, and whether it held.

        Args:
            credential: Its id; or, as text, its id or its verification id.
            moment: Aware, not to come; or text as in :meth:`where`, in which a date alone is the
                end of that day, or now if the day is not over. None: now.

        Raises:
            NotFound: There is no such credential.
            InvalidInput: The moment is to come, or has no time zone.
            EventStoreError: The store cannot be read.
        """
        id_ = self._credential(credential)
        if isinstance(moment, str):
            moment = self._moment(moment)
        return self.moments.of(id_, moment)

    def why(self, credential: CredentialId | str) -> Reasons:
        """Return why a credential was awarded: all that led to it, and whose doing that was.

        Args:
            credential: Its id; or, as text, its id or its verification id.

        Raises:
            NotFound: There is no such credential.
            EventStoreError: The store cannot be read.
        """
        return self.reasoning.of(self._credential(credential))

    def _brought_up(self) -> int:
        """Bring the trail on, and return how many events it lacks then."""
        if self.following.behind():
            self.following.catch_up(MOST_CAUGHT_UP)
            return self.following.behind()
        return 0

    def _entries(
        self, where: AuditFilter, last: int, *, newest_first: bool
    ) -> Iterator[AuditEntry]:
        after = last + 1 if newest_first else None
        while page := self.trail.page(where, _PART, after=after, newest_first=newest_first):
            for entry in page:
                if entry.position > last:
                    return
                yield entry
            after = page[-1].position

    def _recorded(self, entries: Sequence[AuditEntry]) -> dict[tuple[UUID, int], RecordedEvent]:
        wanted = {(each.stream_id, each.version) for each in entries}
        low = min(each.position for each in entries)
        span = max(each.position for each in entries) - low + 1
        if span <= _SPARSE * len(entries):
            logged = islice(self.events.log(low - 1, batch_size=span), span)
            of_log = (each.recorded for each in logged)
            return {
                (each.stream_id, each.version): each
                for each in of_log
                if (each.stream_id, each.version) in wanted
            }
        streams = self.events.load_many(list({each.stream_id for each in entries}))
        return {
            (each.stream_id, each.version): each
            for stream in streams.values()
            for each in stream
            if (each.stream_id, each.version) in wanted
        }

    def _credential(self, reference: CredentialId | str) -> CredentialId:
        if isinstance(reference, str):
            return self.questions.credentials.find(reference.strip())
        return reference

    def _moment(self, text: str) -> datetime:
        now = self.moments.clock.now()
        if self.questions.moment(text, "at") > now:
            return self.questions.moment(text, "at")
        end = self.questions.moment(text, "at", of_date="end")
        return min(end - _INSTANT if is_date_alone(text) else end, now)
