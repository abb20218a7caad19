"""The agenda in memory: goes over all rows for each question."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from testamur.adapters.event_store.memory.recorder import MemoryRecorder, Tables
from testamur.application.ports.agenda import AgendaRow, DueReconciliation, NextLook
from testamur.application.ports.register import CatalogueRow, RunRow
from testamur.domain.identifiers import ConfigurationId


class MemoryAgenda:
    """Fills the port `Agenda`.

    Args:
        recorder: Keeps the rows.
    """

    def __init__(self, recorder: MemoryRecorder) -> None:
        self._recorder = recorder

    def to_look_at(self, now: datetime, latest: datetime) -> list[AgendaRow]:
        """Return the enabled configurations that are to be looked at, by label."""
        with self._recorder.reading() as tables:
            catalogue = list(tables.catalogue.values())
            runs = list(tables.runs.values())
        last_slots: dict[ConfigurationId, datetime] = {}
        for run in runs:
            if run.scheduled_for is not None:
                known = last_slots.get(run.configuration_id, run.scheduled_for)
                last_slots[run.configuration_id] = max(known, run.scheduled_for)
        retired = {
            row.label for row in catalogue if row.kind == "credential-type" and not row.active
        }

        def is_to_be_looked_at(row: CatalogueRow) -> bool:
            has_come = row.look_at is None or row.look_at <= now or row.look_at > latest
            return has_come or row.label.partition(" ")[0] in retired

        return [
            AgendaRow(
                ConfigurationId(row.stream_id),
                row.label,
                row.look_version,
                last_slots.get(ConfigurationId(row.stream_id)),
            )
            for row in sorted(catalogue, key=lambda row: row.label)
            if row.kind == "configuration" and row.active and is_to_be_looked_at(row)
        ]

    def look_again(self, looks: Sequence[NextLook]) -> None:
        """Write down when configurations are to be looked at again."""
        with self._recorder.reading() as tables:
            for look in looks:
                row = tables.catalogue.get(look.configuration_id)
                if row is not None and row.look_version == look.version:
                    tables.catalogue[row.stream_id] = replace(row, look_at=look.at)

    def runs_to_resume(self, now: datetime) -> list[RunRow]:
        """Return runs that ended without a word, or failed and are to be tried again now."""
        with self._recorder.reading() as tables:
            rows = [
                row
                for row in tables.runs.values()
                if not row.completed
                and row.approval in ("not-needed", "approved")
                and (row.failures == 0 or (row.retry_at is not None and row.retry_at <= now))
                and (row.scheduled_for is None or _is_active(tables, row))
            ]
        return sorted(rows, key=lambda row: row.started_at)[::-1]

    def to_reconcile(self, now: datetime) -> list[DueReconciliation]:
        """Return the configurations whose option ``reconcile`` has become due."""
        with self._recorder.reading() as tables:
            due = [
                DueReconciliation(ConfigurationId(row.stream_id), row.label, row.reconcile_at)
                for row in tables.catalogue.values()
                if row.reconcile_at is not None and row.reconcile_at <= now
            ]
        return sorted(due, key=lambda each: (each.due, each.label))


def _is_active(tables: Tables, run: RunRow) -> bool:
    configuration = tables.catalogue.get(run.configuration_id)
    return configuration is not None and configuration.active
