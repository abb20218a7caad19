"""The agenda on SQLite: what a tick looks at, found by indexes that hold nothing else."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from testamur.adapters.event_store.failures import as_event_store_errors
from testamur.adapters.event_store.sqlite.connections import Datastore
from testamur.adapters.event_store.sqlite.rows import RUN_COLUMNS, run_row, text_of
from testamur.application.ports.agenda import AgendaRow, DueReconciliation, NextLook
from testamur.application.ports.register import RunRow
from testamur.domain.identifiers import ConfigurationId

#: A space stands between a type's slug and the key of the context, and "!" comes right after it.
_TO_LOOK_AT: Final = """
    SELECT stream_id, label, look_version, (
        SELECT max(scheduled_for) FROM runs WHERE configuration_id = stream_id
    )
    FROM (
        SELECT stream_id, label, look_version FROM catalogue INDEXED BY next_looks
        WHERE kind = 'configuration' AND active AND look_at IS NULL
        UNION
        SELECT stream_id, label, look_version FROM catalogue INDEXED BY next_looks
        WHERE kind = 'configuration' AND active AND look_at <= :now
        UNION
        SELECT stream_id, label, look_version FROM catalogue INDEXED BY next_looks
        WHERE kind = 'configuration' AND active AND look_at > :latest
        UNION
        SELECT used.stream_id, used.label, used.look_version
        FROM catalogue AS type
        CROSS JOIN catalogue AS used INDEXED BY active_by_label
            ON used.kind = 'configuration' AND used.active
            AND used.label > type.label || ' ' AND used.label < type.label || '!'
        WHERE type.kind = 'credential-type' AND NOT type.active
    ) AS found
    ORDER BY label
"""
_LOOK_AGAIN: Final = "UPDATE catalogue SET look_at = ? WHERE stream_id = ? AND look_version = ?"
_TO_RESUME: Final = f"""
    SELECT {RUN_COLUMNS}
    FROM runs INDEXED BY runs_to_resume
    WHERE completed = 0
        AND approval IN ('not-needed', 'approved')
        AND (failures = 0 OR retry_at IS NOT NULL)
        AND (failures = 0 OR retry_at <= ?)
        AND (
            scheduled_for IS NULL
            OR EXISTS (SELECT 1 FROM catalogue WHERE stream_id = configuration_id AND active)
        )
    ORDER BY started_at DESC, number DESC
"""  # noqa: S608

_TO_RECONCILE: Final = """
    SELECT stream_id, label, reconcile_at FROM catalogue INDEXED BY to_reconcile
    WHERE reconcile_at IS NOT NULL AND reconcile_at <= ?
    ORDER BY reconcile_at, label
"""


class SqliteAgenda:
    """Fills the port `Agenda`.

    Args:
        datastore: The database, prepared.
        database: Its name for people.
    """

    def __init__(self, datastore: Datastore, database: str) -> None:
        self._datastore = datastore
        self._database = database

    def to_look_at(self, now: datetime, latest: datetime) -> list[AgendaRow]:
        """Return the enabled configurations that are to be looked at, by label."""
        moments = {"now": text_of(now), "latest": text_of(latest)}
        return [
            AgendaRow(
                ConfigurationId(UUID(stream_id)),
                label,
                version,
                None if last_slot is None else datetime.fromisoformat(last_slot),
            )
            for stream_id, label, version, last_slot in self._select(_TO_LOOK_AT, moments)
        ]

    def look_again(self, looks: Sequence[NextLook]) -> None:
        """Write down when configurations are to be looked at again."""
        if not looks:
            return
        with as_event_store_errors(self._database), self._datastore.transaction(commit=True) as c:
            c.sqlite_cursor.executemany(
                _LOOK_AGAIN,
                [(text_of(look.at), look.configuration_id.hex, look.version) for look in looks],
            )

    def runs_to_resume(self, now: datetime) -> list[RunRow]:
        """Return runs that ended without a word, or failed and are to be tried again now."""
        return [run_row(row) for row in self._select(_TO_RESUME, (text_of(now),))]

    def to_reconcile(self, now: datetime) -> list[DueReconciliation]:
        """Return the configurations whose option ``reconcile`` has become due."""
        return [
            DueReconciliation(ConfigurationId(UUID(stream_id)), label, datetime.fromisoformat(due))
            for stream_id, label, due in self._select(_TO_RECONCILE, (text_of(now),))
        ]

    def _select(
        self, query: str, values: Sequence[object] | dict[str, str]
    ) -> list[tuple[Any, ...]]:
        with as_event_store_errors(self._database):
            return self._datastore.select(query, values)
