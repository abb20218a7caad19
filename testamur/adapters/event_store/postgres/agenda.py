"""The agenda on PostgreSQL: what a tick looks at, found by indexes that hold nothing else."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from testamur.adapters.event_store.failures import as_event_store_errors
from testamur.adapters.event_store.postgres.connections import Datastore, Values
from testamur.adapters.event_store.postgres.rows import RUN_COLUMNS, run_row
from testamur.application.ports.agenda import AgendaRow, DueReconciliation, NextLook
from testamur.application.ports.register import RunRow
from testamur.domain.identifiers import ConfigurationId

#: A space stands between a type's slug and the key of the context, and "!" comes right after it.
_TO_LOOK_AT: Final = """
    SELECT stream_id, label, look_version, (
        SELECT max(scheduled_for) FROM runs WHERE configuration_id = stream_id
    )
    FROM (
        SELECT stream_id, label, look_version FROM catalogue
        WHERE kind = 'configuration' AND active AND look_at IS NULL
        UNION
        SELECT stream_id, label, look_version FROM catalogue
        WHERE kind = 'configuration' AND active AND look_at <= %(now)s
        UNION
        SELECT stream_id, label, look_version FROM catalogue
        WHERE kind = 'configuration' AND active AND look_at > %(latest)s
        UNION
        SELECT used.stream_id, used.label, used.look_version
        FROM catalogue AS type
        JOIN catalogue AS used
            ON used.kind = 'configuration' AND used.active
            AND used.label > type.label || ' ' AND used.label < type.label || '!'
        WHERE type.kind = 'credential-type' AND NOT type.active
    ) AS found
    ORDER BY label
"""
#: Where an event is being written about a configuration, this waits for it, and then compares with
#: the version that the event left.
_LOOK_AGAIN: Final = """
    UPDATE catalogue
    SET look_at = new.at
    FROM unnest(%t::uuid[], %t::int4[], %t::timestamptz[]) AS new (id, version, at)
    WHERE stream_id = new.id AND look_version = new.version
"""
_TO_RESUME: Final = f"""
    SELECT {RUN_COLUMNS}
    FROM runs
    WHERE NOT completed
        AND approval IN ('not-needed', 'approved')
        AND (failures = 0 OR retry_at IS NOT NULL)
        AND (failures = 0 OR retry_at <= %s)
        AND (
            scheduled_for IS NULL
            OR EXISTS (SELECT FROM catalogue WHERE stream_id = configuration_id AND active)
        )
    ORDER BY started_at DESC, number DESC
"""  # noqa: S608

_TO_RECONCILE: Final = """
    SELECT stream_id, label, reconcile_at FROM catalogue
    WHERE reconcile_at IS NOT NULL AND reconcile_at <= %s
    ORDER BY reconcile_at, label
"""


class PostgresAgenda:
    """Fills the port `Agenda`.

    Args:
        datastore: The database, prepared.
    """

    def __init__(self, datastore: Datastore) -> None:
        self._datastore = datastore

    def to_look_at(self, now: datetime, latest: datetime) -> list[AgendaRow]:
        """Return the enabled configurations that are to be looked at, by label."""
        return [
            AgendaRow(ConfigurationId(stream_id), label, version, last_slot)
            for stream_id, label, version, last_slot in self._select(
                _TO_LOOK_AT, {"now": now, "latest": latest}
            )
        ]

    def look_again(self, looks: Sequence[NextLook]) -> None:
        """Write down when configurations are to be looked at again."""
        if not looks:
            return
        values = (
            [look.configuration_id for look in looks],
            [look.version for look in looks],
            [look.at for look in looks],
        )
        with as_event_store_errors(self._datastore.shown_url):
            self._datastore.persist(lambda: self._datastore.run(_LOOK_AGAIN, values))

    def runs_to_resume(self, now: datetime) -> list[RunRow]:
        """Return runs that ended without a word, or failed and are to be tried again now."""
        return [run_row(row) for row in self._select(_TO_RESUME, (now,))]

    def to_reconcile(self, now: datetime) -> list[DueReconciliation]:
        """Return the configurations whose option ``reconcile`` has become due."""
        return [
            DueReconciliation(ConfigurationId(stream_id), label, due)
            for stream_id, label, due in self._select(_TO_RECONCILE, (now,))
        ]

    def _select(self, query: str, values: Values) -> list[tuple[Any, ...]]:
        with as_event_store_errors(self._datastore.shown_url):
            return self._datastore.select(query, values)
