"""Searching the audit trail: the positions of one page, found along the index that is best for it.

Rows of a few deeds or facets are merged: each index entry leads to its rows in order, and of each
only as many are read as the page can hold. So it does not matter how rare the wanted rows are.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Final

from testamur.adapters.event_store.audit.access import AuditSet, Walk
from testamur.adapters.event_store.audit.scope import Scope, Term

#: Rows of a run or request up to which all of them are read and sorted.
FEW_ROWS: Final = 2_000
#: Positions that are looked at at once.
_PART: Final = 500
#: Index entries that are merged at once; the first part is small, for it often suffices.
_MERGED: Final = (16, 128)


def positions_of_page(
    scope: Scope, of: AuditSet, limit: int, after: int | None, *, newest_first: bool
) -> list[int]:
    """Return the positions of the next entries, in the order of the page.

    Args:
        scope: Which entries.
        of: The set.
        limit: The most to return.
        after: Position of the last entry of the page before.
        newest_first: Whether to go backwards.
    """
    found: list[int] = []
    for low, high in _clipped(scope.stretches, after, newest_first=newest_first):
        wanted = limit - len(found)
        if wanted <= 0:
            break
        if scope.listed is not None:
            part = [each for each in scope.listed if low <= each <= high]
            part = part[::-1] if newest_first else part
            found += _first(kept(scope, of, part), wanted)
        else:
            found += _along_index(scope, of, (low, high), wanted, newest_first=newest_first)
    return found


def kept(scope: Scope, of: AuditSet, positions: Sequence[int]) -> Iterator[int]:
    """Yield those of some positions whose rows meet all conditions, in the order given."""
    conditions, values = scope.condition(of)
    if not conditions:
        yield from positions
        return
    which = " AND ".join([of.tables.among("position"), *conditions])
    for start in range(0, len(positions), _PART):
        part = positions[start : start + _PART]
        query = f"SELECT position FROM audit_rows_# WHERE {which}"  # noqa: S608
        good = {position for (position,) in of.ask(query, of.tables.many(part), *values)}
        yield from (position for position in part if position in good)


def _along_index(
    scope: Scope, of: AuditSet, between: tuple[int, int], limit: int, *, newest_first: bool
) -> list[int]:
    low, high = between
    run = scope.correlation
    if run is not None:
        low, high = max(low, run.first), min(high, run.last)
    if run is not None and run.rows <= FEW_ROWS:
        conditions, values = scope.condition(of)
        # Adding nothing to the position keeps planners from going over all rows in its order.
        order = "position + 0 DESC" if newest_first else "position + 0"
        rows = of.ask(
            "SELECT position FROM audit_rows_# "  # noqa: S608
            f"WHERE {' AND '.join([*conditions, 'position BETWEEN ? AND ?'])} "
            f"ORDER BY {order} LIMIT ?",
            *values,
            low,
            high,
            limit,
        )
        return [position for (position,) in rows]
    if scope.facets is not None and (run is None or _count(scope.facets) < run.rows):
        return _merged(scope, of, "facet", scope.facets, (low, high), limit, newest_first)
    if scope.facets is not None:
        low = max(low, min(term.first for term in scope.facets))
        high = min(high, max(term.last for term in scope.facets))
    if scope.deeds is not None or run is not None:
        deeds = scope.deeds if scope.deeds is not None else _all_deeds(of)
        return _merged(scope, of, "deed", deeds, (low, high), limit, newest_first)
    conditions, values = scope.condition(of)
    rows = of.ask(
        "SELECT position FROM audit_rows_# "  # noqa: S608
        f"WHERE {' AND '.join(['position BETWEEN ? AND ?', *conditions])} "
        f"ORDER BY position {'DESC' if newest_first else 'ASC'} LIMIT ?",
        low,
        high,
        *values,
        limit,
    )
    return [position for (position,) in rows]


def _merged(
    scope: Scope,
    of: AuditSet,
    column: str,
    terms: Sequence[Term],
    between: tuple[int, int],
    limit: int,
    newest_first: bool,
) -> list[int]:
    """Return the first positions of the rows of several deeds or facets.

    Those that begin first go first. Once the page is full, only what comes before its last row
    matters: most of the others are then known to come later.
    """
    low, high = between
    of_run = scope.correlation is not None and column == "deed"
    conditions, values = scope.condition(of, but=column)
    if of_run:
        conditions.remove("correlation = ?")
        values.remove(scope.correlation.number)  # type: ignore[union-attr]
    walk = Walk(
        column,
        newest_first,
        of.number,
        scope.correlation.number if of_run and scope.correlation else None,
        " AND ".join(conditions),
        tuple(values),
    )
    ordered = sorted(terms, key=lambda term: -term.last if newest_first else term.first)
    best: list[int] = []
    start = 0
    for size in chain(_MERGED[:1], iter(lambda: _MERGED[1], None)):
        part = [each.number for each in ordered[start : start + size] if _meets(each, low, high)]
        if start >= len(ordered):
            break
        start += size
        if part:
            found = of.tables.walk(walk, part, low, high, limit)
            best = sorted((*best, *found), reverse=newest_first)[:limit]
        if len(best) == limit:
            low, high = (best[-1], high) if newest_first else (low, best[-1])
    return best


def _meets(term: Term, low: int, high: int) -> bool:
    return term.first <= high and term.last >= low


def _all_deeds(of: AuditSet) -> list[Term]:
    rows = of.ask("SELECT number, count, first, last FROM audit_deeds_# WHERE count > 0")
    return [Term(*row) for row in rows]


def _count(terms: Sequence[Term]) -> int:
    return sum(term.rows for term in terms)


def _clipped(
    stretches: Sequence[tuple[int, int]], after: int | None, *, newest_first: bool
) -> Iterator[tuple[int, int]]:
    for low, high in reversed(stretches) if newest_first else stretches:
        if after is not None and newest_first:
            high = min(high, after - 1)  # noqa: PLW2901 - the stretch, cut
        elif after is not None:
            low = max(low, after + 1)  # noqa: PLW2901 - the stretch, cut
        if low <= high:
            yield low, high


def _first(positions: Iterator[int], limit: int) -> Iterator[int]:
    return (position for position, _ in zip(positions, range(limit), strict=False))
