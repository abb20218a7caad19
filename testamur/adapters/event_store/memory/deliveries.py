"""The ledger of deliveries in memory: goes over all rows for each question."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from testamur.adapters.event_store.memory.recorder import MemoryRecorder, Tables
from testamur.application.ports.deliveries import DeliveryFilter, DeliveryRow
from testamur.application.ports.register import CredentialRow, MessageRow
from testamur.domain.credentials import CredentialStatus
from testamur.domain.errors import NotFound


class MemoryDeliveries:
    """Fills the port `DeliveryLedger`.

    Args:
        recorder: Keeps the rows.
    """

    def __init__(self, recorder: MemoryRecorder) -> None:
        self._recorder = recorder

    def awaiting(
        self, now: datetime, limit: int, run_id: UUID | None = None
    ) -> list[CredentialRow]:
        """Return credentials about which a message is to be sent now, the oldest first."""
        with self._recorder.reading() as tables:
            due = {
                row.credential_id
                for row in tables.messages.values()
                if row.status == "pending" and (row.retry_at is None or row.retry_at <= now)
            }
            return [
                row
                for row in tables.credentials.values()
                if row.credential_id in due
                and row.status is not CredentialStatus.AWARDED
                and run_id in (None, row.run_id)
            ][:limit]

    def sent_since(self, moment: datetime) -> int:
        """Count the messages that were sent after a moment."""
        with self._recorder.reading() as tables:
            sent = [row.notified_at for row in tables.credentials.values()]
            sent += [row.sent_at for row in tables.messages.values()]
        return sum(at is not None and at > moment for at in sent)

    def deliveries(
        self, where: DeliveryFilter, limit: int, after: DeliveryRow | None = None
    ) -> list[DeliveryRow]:
        """Return messages by credential, in the order of the awards, page by page.

        Raises:
            NotFound: The credential to go on after is not in the register.
        """
        with self._recorder.reading() as tables:
            if after is not None and after.credential_id not in tables.credentials:
                raise NotFound("credential", str(after.credential_id))
            rows = list(_rows(tables))
            places = {id_: place for place, id_ in enumerate(tables.credentials)}

        def place(row: DeliveryRow) -> tuple[int, str, int, int]:
            return places[row.credential_id], row.notice, row.sequence, row.request

        return [
            row
            for row in sorted(rows, key=place)
            if _fits(row, where) and (after is None or place(row) > place(after))
        ][:limit]


def _rows(tables: Tables) -> Iterator[DeliveryRow]:
    for row in tables.credentials.values():
        if row.issued_at is not None:
            untold = row.status is not CredentialStatus.ISSUED and row.notification == "pending"
            yield DeliveryRow(
                row.credential_id,
                "issued",
                0,
                1,
                row.configuration_id,
                row.learner_id,
                "skipped" if untold else row.notification,
                row.notification_failures,
                "ended" if untold else row.notification_reason,
                row.issued_at,
                row.notification_retry_at,
                row.notified_at,
            )
    for message in tables.messages.values():
        yield _of_message(message, tables.credentials[message.credential_id])


def _of_message(row: MessageRow, credential: CredentialRow) -> DeliveryRow:
    return DeliveryRow(
        row.credential_id,
        row.notice,
        row.sequence,
        row.request,
        credential.configuration_id,
        credential.learner_id,
        row.status,
        row.failures,
        row.reason,
        row.requested_at,
        row.retry_at,
        row.sent_at,
    )


def _fits(row: DeliveryRow, where: DeliveryFilter) -> bool:
    return (
        where.configuration_id in (None, row.configuration_id)
        and where.learner_id in (None, row.learner_id)
        and where.notice in (None, row.notice)
        and where.status in (None, row.status)
    )
