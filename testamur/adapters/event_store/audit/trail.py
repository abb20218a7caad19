"""The audit trail as it is read: pages of entries, counts, and learners about whom it is quiet."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from testamur.adapters.event_store.audit.access import (
    BLOCK,
    SEVERAL,
    AuditDatabase,
    AuditSet,
    AuditTables,
    State,
    microseconds,
    moment_of,
)
from testamur.adapters.event_store.audit.scope import scope_of
from testamur.adapters.event_store.audit.search import positions_of_page
from testamur.adapters.event_store.audit.tallies import counted, grouped
from testamur.application.ports.audit import AuditEntry, AuditFilter, Grouping
from testamur.domain.identifiers import Actor, ConfigurationId, LearnerId

Answer = TypeVar("Answer")


class SearchedAuditTrail:
    """Fills the port `AuditTrail`.

    Args:
        database: With the tables.
    """

    def __init__(self, database: AuditDatabase) -> None:
        self._database = database

    def page(
        self,
        where: AuditFilter,
        limit: int,
        *,
        after: int | None = None,
        newest_first: bool = False,
    ) -> Sequence[AuditEntry]:
        """Return entries in the order of the log, or in its reverse, page by page."""

        def read(tables: AuditTables) -> Sequence[AuditEntry]:
            of = AuditSet(tables, State.of(tables).live)
            scope = scope_of(where, of)
            if scope is None:
                return []
            positions = positions_of_page(scope, of, limit, after, newest_first=newest_first)
            return _entries(of, positions)

        return self._database.read(read, by_index=True)

    def count(self, where: AuditFilter) -> int:
        """Return how many entries there are."""

        def read(tables: AuditTables) -> int:
            of = AuditSet(tables, State.of(tables).live)
            scope = scope_of(where, of)
            return 0 if scope is None else counted(scope, of)

        return self._database.read(read)

    def grouped(self, where: AuditFilter, by: Grouping, limit: int) -> Mapping[str, int]:
        """Return how many entries there are of each group, the largest groups first."""

        def read(tables: AuditTables) -> Mapping[str, int]:
            of = AuditSet(tables, State.of(tables).live)
            scope = scope_of(where, of)
            return {} if scope is None else grouped(scope, of, by, limit)

        return self._database.read(read)

    def quiet_since(
        self, moment: datetime, limit: int, after: LearnerId | None
    ) -> Sequence[LearnerId]:
        """Return learners about whom nothing was recorded since a moment, by id, page by page."""
        since = microseconds(moment)

        def read(tables: AuditTables) -> Sequence[LearnerId]:
            of = AuditSet(tables, State.of(tables).live)
            # Events of earlier blocks were all recorded before.
            ((block,),) = of.ask("SELECT min(block) FROM audit_blocks_# WHERE latest >= ?", since)
            first = of.position + 1 if block is None else block * BLOCK + 1
            rows = of.ask(
                "SELECT learner_id FROM audit_learners_# l WHERE learner_id > ? "
                "AND (SELECT r.position FROM audit_rows_# r WHERE r.learner = l.number "
                "AND r.position >= ? AND r.at >= ? LIMIT 1) IS NULL "
                "AND (SELECT r.position FROM audit_mentions_# m "
                "JOIN audit_rows_# r ON r.position = m.position WHERE m.learner = l.number "
                "AND m.position >= ? AND r.at >= ? LIMIT 1) IS NULL "
                "ORDER BY learner_id LIMIT ?",
                *(after or "", first, since, first, since, limit),
            )
            return [LearnerId(learner_id) for (learner_id,) in rows]

        return self._database.read(read)


def _entries(of: AuditSet, positions: Sequence[int]) -> list[AuditEntry]:
    """Return the entries at some positions, in the order given."""
    if not positions:
        return []
    tables = of.tables
    wanted = tables.many(positions)
    rows = {
        row[0]: row
        for row in of.ask(
            "SELECT r.position, r.at, d.actor, d.event, e.originator_id, "  # noqa: S608
            "e.originator_version, c.correlation_id, f.configuration, f.context, r.learner, "
            "l.learner_id "
            "FROM audit_rows_# r "
            "JOIN audit_facets_# f ON f.number = r.facet "
            "JOIN audit_deeds_# d ON d.number = r.deed "
            "JOIN audit_correlations_# c ON c.number = r.correlation "
            f"JOIN stored_events e ON e.{tables.log_position} = r.position "
            "LEFT JOIN audit_learners_# l ON l.number = r.learner "
            f"WHERE {tables.among('r.position')}",
            wanted,
        )
    }
    mentioned: dict[int, list[LearnerId]] = {}
    if any(row[9] == SEVERAL for row in rows.values()):
        for position, learner_id in of.ask(
            "SELECT m.position, l.learner_id FROM audit_mentions_# m "  # noqa: S608
            "JOIN audit_learners_# l ON l.number = m.learner "
            f"WHERE {tables.among('m.position')} ORDER BY m.position, m.place",
            wanted,
        ):
            mentioned.setdefault(position, []).append(LearnerId(learner_id))
    entries = []
    for position in positions:
        _, at, actor, event, stream, version, correlation, configuration, context, _, learner = (
            rows[position]
        )
        learner_ids = mentioned.get(position, ()) if learner is None else (LearnerId(learner),)
        entries.append(
            AuditEntry(
                position=position,
                at=moment_of(at),
                actor=Actor(actor),
                name=event,
                stream_id=tables.id_of(stream),
                version=version,
                correlation_id=tables.id_of(correlation),
                configuration_id=ConfigurationId(UUID(configuration)) if configuration else None,
                context_key=context or None,
                learner_ids=tuple(learner_ids),
            )
        )
    return entries
