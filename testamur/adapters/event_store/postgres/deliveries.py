"""The ledger of deliveries on PostgreSQL."""

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
from testamur.adapters.event_store.postgres.connections import Datastore, Values
from testamur.adapters.event_store.postgres.rows import CREDENTIAL_COLUMNS, credential_row
from testamur.application.ports.deliveries import DeliveryFilter, DeliveryRow
from testamur.application.ports.register import CredentialRow
from testamur.domain.errors import NotFound
from testamur.domain.identifiers import CredentialId

#: Those that wait are gathered first: sorting by position tempts the planner to go over the whole
#: table in that order.
_AWAITING: Final = """
    WITH due AS MATERIALIZED (
        SELECT DISTINCT position
        FROM messages
        WHERE status = 'pending' AND coalesce(retry_at, '-infinity') <= %(now)s
    )
    SELECT {columns}
    FROM credentials
    WHERE position IN (SELECT position FROM due) AND status <> 'awarded' {of_run}
    ORDER BY position
    LIMIT %(limit)s
"""
_POSITION: Final = """
    SELECT position FROM stored_events JOIN credentials USING (position)
    WHERE originator_id = %s AND originator_version = 1
"""


class PostgresDeliveries:
    """Fills the port `DeliveryLedger`.

    Args:
        datastore: The database, prepared.
    """

    def __init__(self, datastore: Datastore) -> None:
        self._datastore = datastore

    def awaiting(
        self, now: datetime, limit: int, run_id: UUID | None = None
    ) -> list[CredentialRow]:
        """Return credentials about which a message is to be sent now, the oldest first."""
        values: dict[str, object] = {"now": now, "limit": limit}
        if run_id is not None:
            values["run_id"] = run_id
        query = _AWAITING.format(
            columns=CREDENTIAL_COLUMNS,
            of_run="" if run_id is None else "AND run_id = %(run_id)s",
        )
        return [credential_row(row) for row in self._select(query, values)]

    def sent_since(self, moment: datetime) -> int:
        """Count the messages that were sent after a moment."""
        query = SENT_SINCE.format(moment="%(moment)s")
        ((count,),) = self._select(query, {"moment": moment})
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
            ("configuration_id", where.configuration_id),
            ("learner_id", where.learner_id),
            ("notice", where.notice),
            ("status", where.status),
        ):
            if value is not None:
                which.append(f"{column} = %({column})s")
                values[column] = value
        if after is not None:
            names = {"position": "p", "notice": "n", "sequence": "s", "request": "r"}
            which.append(AFTER.format(**{name: f"%({mark})s" for name, mark in names.items()}))
            values |= {"p": self._position(after.credential_id), "n": after.notice}
            values |= {"s": after.sequence, "r": after.request}
        query = PAGE.format(
            columns=COLUMNS,
            first=FIRST_MESSAGES,
            others=OTHER_MESSAGES,
            which=" AND ".join(which),
            limit="%(limit)s",
        )
        return [DeliveryRow(*row) for row in self._select(query, values)]

    def _position(self, credential_id: CredentialId) -> int:
        found = self._select(_POSITION, (credential_id,))
        if not found:
            raise NotFound("credential", str(credential_id))
        return cast(int, found[0][0])

    def _select(self, query: str, values: Values) -> list[tuple[Any, ...]]:
        with as_event_store_errors(self._datastore.shown_url):
            return self._datastore.select(query, values)
