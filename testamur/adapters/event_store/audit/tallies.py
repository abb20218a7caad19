"""Counting the audit trail: by what is counted already, else by going over rows."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from testamur.adapters.event_store.audit.access import MICROSECONDS_OF_A_DAY, AuditSet
from testamur.adapters.event_store.audit.scope import Scope
from testamur.adapters.event_store.audit.search import kept
from testamur.application.ports.audit import Grouping

_PART: Final = 500
_EPOCH: Final = date(1970, 1, 1)

#: What rows are counted by, for each grouping.
_COLUMNS: Final[Mapping[Grouping, str]] = {
    "event": "deed",
    "actor": "deed",
    "configuration": "facet",
    "context": "facet",
    "run": "correlation",
    "day": f"at / {MICROSECONDS_OF_A_DAY}",
}


def counted(scope: Scope, of: AuditSet) -> int:
    """Return how many entries there are in a scope."""
    if scope.listed is None and not scope.is_timed:
        terms = scope.facets if scope.facets is not None else scope.deeds
        if scope.correlation is None:
            return of.position if terms is None else sum(term.rows for term in terms)
        if terms is None:
            return scope.correlation.rows
    return sum(count for _, count in _over_rows(scope, of, "1"))


def grouped(scope: Scope, of: AuditSet, by: Grouping, limit: int) -> dict[str, int]:
    """Return how many entries of a scope there are of each group, see `AuditTrail.grouped`."""
    counts: Counter[str] = Counter()
    for name, count in _named(of, by, list(_by_number(scope, of, by))):
        counts[name] += count
    if by == "day":
        return {day: counts[day] for day in sorted(counts)[-limit:]} if limit else {}
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:limit])


def _by_number(scope: Scope, of: AuditSet, by: Grouping) -> Iterable[tuple[int, int]]:
    """Yield numbers of deeds, facets, correlations or days with how many rows have them."""
    is_counted = scope.listed is None and not scope.is_timed and scope.correlation is None
    if is_counted and by == "run" and scope.facets is None and scope.deeds is None:
        return of.ask("SELECT number, count FROM audit_correlations_# WHERE is_run = 1")
    if is_counted and by == "day" and scope.facets is None:
        return _days(scope, of)
    if is_counted and by in ("event", "actor") and scope.facets is None:
        if scope.deeds is not None:
            return [(term.number, term.rows) for term in scope.deeds]
        return of.ask("SELECT number, count FROM audit_deeds_#")
    if is_counted and by in ("event", "actor", "configuration", "context"):
        return _facets(scope, of, "deed" if by in ("event", "actor") else "number")
    return _over_rows(scope, of, _COLUMNS[by])


def _days(scope: Scope, of: AuditSet) -> list[tuple[int, int]]:
    which, values = "true", []
    if scope.deeds is not None:
        which = of.tables.among("deed")
        values = [of.tables.many(term.number for term in scope.deeds)]
    return of.ask(
        f"SELECT day, CAST(sum(count) AS bigint) FROM audit_days_# WHERE {which} GROUP BY day",  # noqa: S608
        *values,
    )


def _facets(scope: Scope, of: AuditSet, number: str) -> list[tuple[int, int]]:
    which, values = "true", []
    if scope.facets is not None:
        which = of.tables.among("number")
        values = [of.tables.many(term.number for term in scope.facets)]
    elif scope.deeds is not None:
        which = of.tables.among("deed")
        values = [of.tables.many(term.number for term in scope.deeds)]
    return of.ask(f"SELECT {number}, count FROM audit_facets_# WHERE {which}", *values)  # noqa: S608


def _over_rows(scope: Scope, of: AuditSet, column: str) -> Iterator[tuple[int, int]]:
    if scope.listed is not None:
        positions = list(kept(scope, of, scope.listed))
        for start in range(0, len(positions), _PART):
            yield from of.ask(
                f"SELECT {column}, count(*) FROM audit_rows_# "  # noqa: S608
                f"WHERE {of.tables.among('position')} GROUP BY 1",
                of.tables.many(positions[start : start + _PART]),
            )
        return
    conditions, values = scope.condition(of)
    for low, high in scope.stretches:
        yield from of.ask(
            f"SELECT {column}, count(*) FROM audit_rows_# "  # noqa: S608
            f"WHERE {' AND '.join([*conditions, 'position BETWEEN ? AND ?'])} GROUP BY 1",
            *values,
            low,
            high,
        )


def _named(
    of: AuditSet, by: Grouping, counts: Sequence[tuple[int, int]]
) -> Iterator[tuple[str, int]]:
    """Yield the names of groups with their counts; what has no such group is left out."""
    if by == "day":
        yield from (((_EPOCH + timedelta(days=day)).isoformat(), count) for day, count in counts)
        return
    names = _names(of, by, [number for number, count in counts if count])
    for number, count in counts:
        if count and (name := names.get(number)):
            yield name, count


def _names(of: AuditSet, by: Grouping, numbers: Sequence[int]) -> dict[int, str]:
    table, column, which = {
        "event": ("deeds", "event", "true"),
        "actor": ("deeds", "actor", "true"),
        "configuration": ("facets", "configuration", "configuration <> ''"),
        "context": ("facets", "context", "context <> ''"),
        "run": ("correlations", "correlation_id", "is_run = 1"),
    }[by]
    names: dict[int, str] = {}
    for start in range(0, len(numbers), 10 * _PART):
        for number, value in of.ask(
            f"SELECT number, {column} FROM audit_{table}_# "  # noqa: S608
            f"WHERE {of.tables.among('number')} AND {which}",
            of.tables.many(numbers[start : start + 10 * _PART]),
        ):
            name = value
            if by == "configuration":
                name = str(UUID(value))
            elif by == "run":
                name = str(of.tables.id_of(value))
            names[number] = name
    return names
