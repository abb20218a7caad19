"""What a filter comes to in one set: numbers of deeds and facets, and positions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from testamur.adapters.event_store.audit.access import BLOCK, AuditSet, microseconds
from testamur.application.ports.audit import AuditFilter

#: Stretches of the log that one time range is searched in, each by itself. There is one, unless a
#: clock was wrong; where it was wrong so often, the nearest stretches are taken together.
MOST_STRETCHES: Final = 8


class Term(NamedTuple):
    """A deed, a facet or a correlation, as it was counted.

    Args:
        number: Its number.
        rows: How many have it.
        first: No row before this position has it…
        last: …and none after this one.
    """

    number: int
    rows: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Scope:
    """What a filter comes to; None leaves a condition out.

    Args:
        deeds: Deeds of the event and by the actor.
        facets: Facets of the configuration and context, with one of those deeds.
        correlation: The run or request.
        listed: Positions of the stream's events, or the learner's; in order.
        since: In microseconds.
        until: In microseconds.
        stretches: Positions, first and last, between which the time falls; in order.
    """

    deeds: Sequence[Term] | None
    facets: Sequence[Term] | None
    correlation: Term | None
    listed: Sequence[int] | None
    since: int | None
    until: int | None
    stretches: Sequence[tuple[int, int]]

    @property
    def is_timed(self) -> bool:
        """Whether there is a condition on the time."""
        return self.since is not None or self.until is not None

    def condition(self, of: AuditSet, *, but: str = "") -> tuple[list[str], list[object]]:
        """Return the conditions that a row must meet, and the values in them.

        Args:
            of: The set.
            but: Column whose condition is met already: ``deed``, ``facet`` or ``correlation``.
        """
        conditions: list[str] = []
        values: list[object] = []
        tables = of.tables
        if self.facets is not None:
            if but != "facet":
                conditions.append(tables.among("facet"))
                values.append(tables.many(term.number for term in self.facets))
        elif self.deeds is not None and but != "deed":
            conditions.append(tables.among("deed"))
            values.append(tables.many(term.number for term in self.deeds))
        if self.correlation is not None and but != "correlation":
            conditions.append("correlation = ?")
            values.append(self.correlation.number)
        if self.since is not None:
            conditions.append("at >= ?")
            values.append(self.since)
        if self.until is not None:
            conditions.append("at < ?")
            values.append(self.until)
        return conditions, values


def scope_of(where: AuditFilter, of: AuditSet) -> Scope | None:
    """Return what a filter comes to; None where nothing can be found."""
    deeds = _deeds(where, of)
    facets = _facets(where, of, deeds)
    correlation = None
    if where.correlation_id is not None:
        found = of.ask(
            "SELECT number, count, first, last FROM audit_correlations_# "
            "WHERE correlation_id = ? AND count > 0",
            of.tables.id_value(where.correlation_id),
        )
        if not found:
            return None
        correlation = Term(*found[0])
    listed = _listed(where, of)
    since = None if where.since is None else microseconds(where.since)
    until = None if where.until is None else microseconds(where.until)
    stretches = _stretches(of, since, until)
    if any(each is not None and not each for each in (deeds, facets, listed, stretches)):
        return None
    return Scope(deeds, facets, correlation, listed, since, until, stretches)


def _deeds(where: AuditFilter, of: AuditSet) -> list[Term] | None:
    conditions, values = [], []
    if where.event is not None:
        # Whatever begins with it and a dot; a slash is what comes after a dot.
        conditions.append("(event = ? OR (event >= ? AND event < ?))")
        values += [where.event, f"{where.event}.", f"{where.event}/"]
    if where.actor is not None:
        conditions.append("actor = ?")
        values.append(where.actor)
    if not conditions:
        return None
    return _terms(of, "deeds", conditions, values)


def _facets(where: AuditFilter, of: AuditSet, deeds: Sequence[Term] | None) -> list[Term] | None:
    conditions: list[str] = []
    values: list[object] = []
    if where.configuration_id is not None:
        conditions.append("configuration = ?")
        values.append(where.configuration_id.hex)
    if where.context_key is not None:
        conditions.append("context = ?")
        values.append(where.context_key)
    if not conditions or deeds == []:
        return None
    if deeds is not None:
        conditions.append(of.tables.among("deed"))
        values.append(of.tables.many(deed.number for deed in deeds))
    return _terms(of, "facets", conditions, values)


def _terms(
    of: AuditSet, table: str, conditions: Sequence[str], values: Sequence[object]
) -> list[Term]:
    rows = of.ask(
        f"SELECT number, count, first, last FROM audit_{table}_# "  # noqa: S608
        f"WHERE count > 0 AND {' AND '.join(conditions)}",
        *values,
    )
    return [Term(*row) for row in rows]


def _listed(where: AuditFilter, of: AuditSet) -> list[int] | None:
    found: list[set[int]] = []
    if where.stream_id is not None:
        column = of.tables.log_position
        rows = of.ask(
            f"SELECT {column} FROM stored_events WHERE originator_id = ?",  # noqa: S608
            of.tables.id_value(where.stream_id),
        )
        found.append({position for (position,) in rows if position <= of.position})
    if where.learner_id is not None:
        numbers = of.ask(
            "SELECT number FROM audit_learners_# WHERE learner_id = ?", where.learner_id
        )
        rows = []
        for (number,) in numbers:
            rows += of.ask("SELECT position FROM audit_rows_# WHERE learner = ?", number)
            rows += of.ask("SELECT position FROM audit_mentions_# WHERE learner = ?", number)
        found.append({position for (position,) in rows})
    return sorted(set.intersection(*found)) if found else None


def _stretches(of: AuditSet, since: int | None, until: int | None) -> list[tuple[int, int]]:
    """Return the stretches of the log in which there may be events of a time range."""
    if since is None and until is None:
        return [(1, of.position)]
    conditions, values = ["true"], []
    if since is not None:
        conditions.append("latest >= ?")
        values.append(since)
    if until is not None:
        conditions.append("earliest < ?")
        values.append(until)
    blocks = of.ask(
        f"SELECT block FROM audit_blocks_# WHERE {' AND '.join(conditions)} "  # noqa: S608
        "ORDER BY block",
        *values,
    )
    return _together(
        (block * BLOCK + 1, min((block + 1) * BLOCK, of.position)) for (block,) in blocks
    )


def _together(stretches: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for low, high in stretches:
        if joined and joined[-1][1] + 1 == low:
            joined[-1] = (joined[-1][0], high)
        else:
            joined.append((low, high))
    while len(joined) > MOST_STRETCHES:
        at = min(range(len(joined) - 1), key=lambda i: joined[i + 1][0] - joined[i][1])
        joined[at : at + 2] = [(joined[at][0], joined[at + 1][1])]
    return joined
