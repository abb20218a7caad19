"""Writing the audit trail: entries become rows of small numbers, and what they hold is counted."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from threading import Lock
from typing import Any, Final, TypeVar
from uuid import UUID

from testamur.adapters.event_store.audit.access import (
    BLOCK,
    MICROSECONDS_OF_A_DAY,
    SEVERAL,
    AuditDatabase,
    AuditSet,
    AuditTables,
    Generation,
    State,
)
from testamur.adapters.event_store.audit.batches import Batch, FacetKey
from testamur.application.ports.audit import AuditEntry, ProjectionStatus, Subject
from testamur.domain.identifiers import Actor, ConfigurationId, LearnerId

NAME: Final = "audit-trail"

TABLES_OF_A_SET: Final = (
    "audit_rows",
    "audit_mentions",
    "audit_learners",
    "audit_deeds",
    "audit_facets",
    "audit_correlations",
    "audit_blocks",
    "audit_days",
)

#: Numbers kept at hand from one batch to the next: of learners, and of correlations.
MOST_KEPT: Final = 50_000

Key = TypeVar("Key", bound=LearnerId | UUID)


class WrittenAuditRows:
    """Fills the port `AuditRows`.

    Args:
        database: With the tables.
    """

    def __init__(self, database: AuditDatabase) -> None:
        self._database = database
        self._numbers = _Numbers(-1)
        self._writing = Lock()

    def status(self) -> ProjectionStatus:
        """Return how far it has come."""
        state = self._database.read(State.of)
        return ProjectionStatus(NAME, state.live.position, state.rebuilt_to)

    def subjects(
        self, stream_ids: Sequence[UUID], *, rebuilding: bool = False
    ) -> Mapping[UUID, Subject]:
        """Return what these aggregates are about, of those whose first event is in it."""

        def read(tables: AuditTables) -> Mapping[UUID, Subject]:
            generation = _wanted(State.of(tables), rebuilding=rebuilding)
            return _subjects(AuditSet(tables, generation), stream_ids) if generation else {}

        return self._database.read(read, by_index=True) if stream_ids else {}

    def write(self, entries: Iterable[AuditEntry], after: int, *, rebuilding: bool = False) -> bool:
        """Write the entries that follow a position, in one transaction with the new position."""
        # Before the transaction, in which nobody else can write.
        batch = Batch(entries)
        with self._writing:
            numbers = self._database.write(
                lambda tables: self._write(tables, batch, after, rebuilding=rebuilding)
            )
            if numbers is not None:
                # Only now: what was not committed has no numbers.
                self._numbers = numbers
            return numbers is not None

    def begin_rebuild(self) -> None:
        """Begin a second, empty set; one that was begun before is thrown away."""

        def begin(tables: AuditTables) -> None:
            tables.lock_state()
            state = State.of(tables)
            _empty(tables, 1 - state.live.number)
            tables.ask(
                "UPDATE audit_state SET next_generation = next_generation + 1, rebuilt_to = 0"
            )

        self._database.write(begin)

    def finish_rebuild(self) -> None:
        """Give readers the second set; not while it is behind the first one."""

        def swap(tables: AuditTables) -> None:
            tables.lock_state()
            tables.ask(
                "UPDATE audit_state SET live_set = 1 - live_set, "
                "live_generation = next_generation, position = rebuilt_to, rebuilt_to = NULL "
                "WHERE rebuilt_to >= position"
            )

        def throw_away(tables: AuditTables) -> None:
            tables.lock_state()
            state = State.of(tables)
            if state.next is None:
                _empty(tables, 1 - state.live.number)

        self._database.write(swap)
        # Apart, so that readers who come now need not wait for those who read the first set still.
        self._database.write(throw_away)

    def _write(
        self, tables: AuditTables, batch: Batch, after: int, *, rebuilding: bool
    ) -> "_Numbers | None":
        tables.lock_state()
        generation = _wanted(State.of(tables), rebuilding=rebuilding)
        if generation is None or generation.position != after:
            return None
        into = AuditSet(tables, generation)
        numbers = self._numbers.copy()
        if (numbers.generation, numbers.position) != (generation.generation, after):
            numbers = _Numbers.of(into, generation.generation)
        written = _Writing(into, numbers)
        written.write(batch)
        numbers.position = batch.positions[-1]
        column = "rebuilt_to" if rebuilding else "position"
        tables.ask(f"UPDATE audit_state SET {column} = ?", batch.positions[-1])  # noqa: S608
        return written.numbers


class _Numbers:
    """Numbers of what was written up to a position of one generation.

    Those of deeds and facets are complete, from 1 without gaps; of the others, some are at hand.
    """

    def __init__(self, generation: int, position: int = 0) -> None:
        self.generation = generation
        self.position = position
        self.deeds: dict[tuple[str, str], int] = {}
        self.facets: dict[FacetKey, tuple[int, int]] = {}
        self.correlations: dict[UUID, int] = {}
        self.learners: dict[LearnerId, int] = {}

    @classmethod
    def of(cls, into: AuditSet, generation: int) -> "_Numbers":
        """Read the numbers of all deeds and facets."""
        numbers = cls(generation, into.position)
        deeds = {
            number: (event, Actor(actor))
            for number, event, actor in into.ask("SELECT number, event, actor FROM audit_deeds_#")
        }
        numbers.deeds = {key: number for number, key in deeds.items()}
        for number, deed, configuration, context in into.ask(
            "SELECT number, deed, configuration, context FROM audit_facets_#"
        ):
            configuration_id = ConfigurationId(UUID(configuration)) if configuration else None
            key = (*deeds[deed], configuration_id, context or None)
            numbers.facets[key] = (number, deed)
        return numbers

    def copy(self) -> "_Numbers":
        """Return numbers that may be added to."""
        copied = _Numbers(self.generation, self.position)
        copied.deeds, copied.facets = self.deeds.copy(), self.facets.copy()
        if len(self.correlations) <= MOST_KEPT:
            copied.correlations = self.correlations.copy()
        if len(self.learners) <= MOST_KEPT:
            copied.learners = self.learners.copy()
        return copied


class _Writing:
    """One batch that is being written."""

    def __init__(self, into: AuditSet, numbers: _Numbers) -> None:
        self._into = into
        self.numbers = numbers
        self._new_deeds: list[tuple[int | str | None, ...]] = []
        self._new_facets: list[tuple[int | str | None, ...]] = []

    def write(self, batch: Batch) -> None:
        positions, moments = batch.positions, batch.moments
        facets, deeds = self._facets(batch)
        self._add_facets()
        correlations = self._correlations(batch)
        learners = self._learners(batch)
        self._into.load(
            "audit_rows_#",
            "position, at, facet, deed, correlation, learner",
            (positions, moments, facets, deeds, correlations, learners),
        )
        for table, column in (("facets", facets), ("deeds", deeds), ("correlations", correlations)):
            self._count(table, column, positions)
        self._note_blocks(positions, moments)
        days = [moment // MICROSECONDS_OF_A_DAY for moment in moments]
        counted = Counter(zip(days, deeds, strict=True))
        self._into.run(
            "INSERT INTO audit_days_# (day, deed, count) VALUES (?, ?, ?) "
            "ON CONFLICT (day, deed) DO UPDATE SET count = audit_days_#.count + excluded.count",
            [(day, deed, count) for (day, deed), count in counted.items()],
        )

    def _facets(self, batch: Batch) -> tuple[list[int], list[int]]:
        """Return the numbers of the entries' facets and deeds."""
        known = self.numbers.facets
        facets, deeds = [], []
        for key in batch.facets:
            if key not in known:
                known[key] = self._facet(*key)
            facet, deed = known[key]
            facets.append(facet)
            deeds.append(deed)
        which = batch.facet_of
        return [facets[each] for each in which], [deeds[each] for each in which]

    def _facet(
        self, event: str, actor: Actor, configuration: ConfigurationId | None, context: str | None
    ) -> tuple[int, int]:
        """Return the numbers of a facet that is not at hand, and of its deed."""
        deeds, facets = self.numbers.deeds, self.numbers.facets
        # Rows only ever follow, so the first one of this is beyond all that was written.
        first = self._into.position + 1
        deed = deeds.get((event, actor))
        if deed is None:
            deed = deeds[event, actor] = len(deeds) + 1
            self._new_deeds.append((deed, event, actor, 0, first, 0))
        stands = (configuration.hex if configuration else "", context or "")
        facet = len(facets) + 1
        self._new_facets.append((facet, deed, *stands, 0, first, 0))
        return facet, deed

    def _add_facets(self) -> None:
        counts = "count, first, last"
        self._into.load(
            "audit_deeds_#",
            f"number, event, actor, {counts}",
            list(zip(*self._new_deeds, strict=True)),
        )
        self._into.load(
            "audit_facets_#",
            f"number, deed, configuration, context, {counts}",
            list(zip(*self._new_facets, strict=True)),
        )

    def _correlations(self, batch: Batch) -> list[int]:
        ids, runs = batch.correlations, batch.runs
        begun = {run for run, is_begun in runs.items() if is_begun}
        new = self._number("correlation", {*ids, *begun}, self.numbers.correlations)
        id_value = self._into.tables.id_value
        self._into.load(
            "audit_correlations_#",
            "number, correlation_id, is_run, count, first, last",
            (
                list(new.values()),
                [id_value(each) for each in new],  # type: ignore[arg-type]
                [int(each in runs) for each in new],
                [0] * len(new),
                [self._into.position + 1] * len(new),
                [0] * len(new),
            ),
        )
        if known := begun - new.keys():
            self._into.run(
                "UPDATE audit_correlations_# SET is_run = 1 WHERE correlation_id = ?",
                [(id_value(each),) for each in known],
            )
        numbers = [self.numbers.correlations[each] for each in ids]
        return [numbers[each] for each in batch.correlation_of]

    def _learners(self, batch: Batch) -> list[int | None]:
        named = batch.learners
        new = self._number("learner", set(chain.from_iterable(named)), self.numbers.learners)
        self._into.load("audit_learners_#", "number, learner_id", (list(new.values()), list(new)))
        numbers = self.numbers.learners
        mentions = [
            (position, place, numbers[learner])
            for position, learners in zip(batch.positions, named, strict=True)
            if len(learners) > 1
            for place, learner in enumerate(learners)
        ]
        self._into.load(
            "audit_mentions_#", "position, place, learner", list(zip(*mentions, strict=True))
        )
        return [
            numbers[learners[0]] if len(learners) == 1 else SEVERAL if learners else None
            for learners in named
        ]

    def _number(self, what: str, wanted: set[Key], numbers: dict[Key, int]) -> dict[Key, int]:
        """Find the numbers of learners or correlations, and return those that are new."""
        missing = wanted - numbers.keys()
        if not missing:
            return {}
        tables = self._into.tables
        ids = {tables.id_value(e) if isinstance(e, UUID) else e: e for e in sorted(missing)}
        for number, value in self._into.ask(
            f"SELECT number, {what}_id FROM audit_{what}s_# "  # noqa: S608
            f"WHERE {tables.among(f'{what}_id')}",
            tables.many(ids),
        ):
            numbers[ids[value]] = number
        last = self._last(f"audit_{what}s_#")
        new = {
            each: number
            for number, each in enumerate(
                (each for each in ids.values() if each not in numbers), start=last + 1
            )
        }
        numbers.update(new)
        return new

    def _last(self, table: str) -> int:
        ((last,),) = self._into.ask(f"SELECT coalesce(max(number), 0) FROM {table}")  # noqa: S608
        return int(last)

    def _count(self, table: str, column: Sequence[int], positions: Sequence[int]) -> None:
        lasts = dict(zip(column, positions, strict=True))
        self._into.tables.count(
            f"audit_{table}_{self._into.number}",
            [(count, lasts[number], number) for number, count in Counter(column).items()],
        )

    def _note_blocks(self, positions: Sequence[int], moments: Sequence[int]) -> None:
        first, last = (positions[0] - 1) // BLOCK, (positions[-1] - 1) // BLOCK
        known = {
            block: (earliest, latest)
            for block, earliest, latest in self._into.ask(
                "SELECT block, earliest, latest FROM audit_blocks_# WHERE block = ?", first
            )
        }
        rows = []
        for block in range(first, last + 1):
            begin = bisect_left(positions, block * BLOCK + 1)
            part = moments[begin : bisect_left(positions, (block + 1) * BLOCK + 1)]
            if part:
                span = (*part, *known.get(block, ()))
                rows.append((block, min(span), max(span)))
        self._into.run(
            "INSERT INTO audit_blocks_# (block, earliest, latest) VALUES (?, ?, ?) "
            "ON CONFLICT (block) DO UPDATE "
            "SET earliest = excluded.earliest, latest = excluded.latest",
            rows,
        )


def _subjects(of: AuditSet, stream_ids: Sequence[UUID]) -> dict[UUID, Subject]:
    tables = of.tables
    found = of.ask(
        "SELECT e.originator_id, f.configuration, f.context, l.learner_id "  # noqa: S608
        "FROM stored_events e "
        f"JOIN audit_rows_# r ON r.position = e.{tables.log_position} "
        "JOIN audit_facets_# f ON f.number = r.facet "
        "LEFT JOIN audit_learners_# l ON l.number = r.learner "
        f"WHERE e.originator_version = 1 AND {tables.among('e.originator_id')}",
        tables.many(tables.id_value(each) for each in stream_ids),
    )
    return {tables.id_of(id_): _subject(*values) for id_, *values in found}


def _subject(configuration: str, context: str, learner: Any) -> Subject:
    return Subject(
        ConfigurationId(UUID(configuration)) if configuration else None,
        context or None,
        None if learner is None else LearnerId(learner),
    )


def _wanted(state: State, *, rebuilding: bool) -> Generation | None:
    return state.next if rebuilding else state.live


def _empty(tables: AuditTables, number: int) -> None:
    tables.empty([f"{table}_{number}" for table in TABLES_OF_A_SET])
