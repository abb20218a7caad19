"""The ledger of deliveries on SQLite."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

from testamur.adapters.event_store.delivery_queries import (
    AFTER,
    COLUMNS,
    FIRST_MESSAGES,
    OTHER_MESSAGES,
    PAGE,
    SENT_SINCE,
)
from testamur.adapters.event_store.failures import as_event_store_errors
from testamur.adapters.event_store.sqlite.connections import Datastore
from testamur.adapters.event_store.sqlite.rows import CREDENTIAL_COLUMNS, credential_row, text_of
from testamur.application.ports.deliveries import DeliveryFilter, DeliveryRow
from testamur.application.ports.register import CredentialRow
from testamur.domain.errors import NotFound
from testamur.domain.identifiers import ConfigurationId, CredentialId, LearnerId

_AWAITING: Final = """
    SELECT {columns}
    FROM credentials
    WHERE position IN (
        SELECT position FROM messages INDEXED BY awaiting_message
        WHERE status = 'pending' AND retry_at IS NULL
        UNION
        SELECT position FROM messages INDEXED BY awaiting_message
        WHERE status = 'pending' AND retry_at <= :now
    )
    AND status <> 'awarded' {of_run}
    ORDER BY position
    LIMIT :limit
"""
_POSITION: Final = """
    SELECT position FROM stored_events
    JOIN credentials ON position = stored_events.rowid
    WHERE originator_id = :credential_id AND originator_version = 1
"""


class SqliteDeliveries:
    """Fills the port `DeliveryLedger`.

    Args:
        datastore: The database, prepared.
        database: Its name for people.
    """

    def __init__(self, datastore: Datastore, database: str) -> None:
        self._datastore = datastore
        self._database = database

    def awaiting(
        self, now: datetime, limit: int, run_id: UUID | None = None
    ) -> list[CredentialRow]:
        """Return credentials about which a message is to be sent now, the oldest first."""
        values: dict[str, object] = {"now": text_of(now), "limit": limit}
        if run_id is not None:
            values["run_id"] = run_id.hex
        query = _AWAITING.format(
            columns=CREDENTIAL_COLUMNS,
            of_run="" if run_id is None else "AND +run_id = :run_id",
        )
        return [credential_row(row) for row in self._select(query, values)]

    def sent_since(self, moment: datetime) -> int:
        """Count the messages that were sent after a moment."""
        query = SENT_SINCE.format(moment=":moment")
        ((count,),) = self._select(query, {"moment": text_of(moment)})
        return cast(int, count)

    def deliveries(
        self, where: DeliveryFilter, limit: int, after: DeliveryRow | None = None
    ) -> list[DeliveryRow]:
        """Return messages by credential, in the order of the awards, page by page.

        Raises:
            NotFound: The credential to go on after is not in the register.
        """
        values: dict[str, object] = {"limit": limit}
        which = ["true"]
        for column, value in (
            ("configuration_id", where.configuration_id.hex if where.configuration_id else None),
            ("learner_id", where.learner_id),
            ("notice", where.notice),
            ("status", where.status),
        ):
            if value is not None:
                which.append(f"{column} = :{column}")
                values[column] = value
        if after is not None:
            marks = {"position": ":p", "notice": ":n", "sequence": ":s", "request": ":r"}
            which.append(AFTER.format(**marks))
            values |= {"p": self._position(after.credential_id), "n": after.notice}
            values |= {"s": after.sequence, "r": after.request}
        query = PAGE.format(
            columns=COLUMNS,
            first=FIRST_MESSAGES,
            others=OTHER_MESSAGES,
            which=" AND ".join(which),
            limit=":limit",
        )
        return [_delivery(row) for row in self._select(query, values)]

    def _position(self, credential_id: CredentialId) -> int:
        found = self._select(_POSITION, {"credential_id": credential_id.hex})
        if not found:
            raise NotFound("credential", str(credential_id))
        return cast(int, found[0][0])

    def _select(self, query: str, values: Mapping[str, object]) -> list[tuple[Any, ...]]:
        with (
            as_event_store_errors(self._database),
            self._datastore.transaction(commit=False) as c,
        ):
            return c.sqlite_cursor.execute(query, values).fetchall()


def _delivery(values: tuple[Any, ...]) -> DeliveryRow:
    credential_id, notice, sequence, request, configuration_id, learner_id, *rest = values
    status, failures, reason, requested_at, retry_at, sent_at = rest
    return DeliveryRow(
        CredentialId(UUID(credential_id)),
        notice,
        sequence,
        request,
        ConfigurationId(UUID(configuration_id)),
        LearnerId(learner_id),
        status,
        failures,
        reason,
        datetime.fromisoformat(requested_at),
        None if retry_at is None else datetime.fromisoformat(retry_at),
        None if sent_at is None else datetime.fromisoformat(sent_at),
    )
