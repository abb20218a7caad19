"""The register on SQLite: set questions, each answered by one query."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

from testamur.adapters.event_store.failures import as_event_store_errors
from testamur.adapters.event_store.reading import stream_id_of
from testamur.adapters.event_store.register_queries import TALLY, tally_of
from testamur.adapters.event_store.sqlite.connections import Datastore
from testamur.adapters.event_store.sqlite.rows import (
    CATALOGUE_COLUMNS,
    CREDENTIAL_COLUMNS,
    RUN_COLUMNS,
    catalogue_row,
    credential_row,
    run_row,
    text_of,
)
from testamur.application.ports.register import (
    CatalogueRow,
    CredentialFilter,
    CredentialRow,
    CredentialTally,
    RunRow,
)
from testamur.domain.errors import NotFound
from testamur.domain.identifiers import ConfigurationId, CredentialId, LearnerId, VerificationId

#: From so many learners on it can take less time to read all holders than to look up each one:
#: where those are not many times as many. Looking one up takes as long as reading so many.
MANY_LEARNERS: Final = 20_000
_AS_LONG_AS_A_LOOKUP: Final = 2

#: Asked for in order, so that neighbours in the index are read one after the other, and answered
#: as one text: that takes half the time of a subquery and a row for each.
_HOLDERS: Final = """
    SELECT json_group_array(wanted.value)
    FROM json_each(?) AS wanted
    CROSS JOIN credentials ON learner_id = wanted.value AND configuration_id = ?
"""
_INDEXED_TOGETHER: Final = frozenset({"learner_id", "configuration_id"})
_ALL_HOLDERS: Final = """
    SELECT json_group_array(learner_id) FROM credentials WHERE configuration_id = ?
"""
_COUNT_UP_TO: Final = """
    SELECT count(*) FROM (SELECT 1 FROM credentials WHERE configuration_id = ? LIMIT ?)
"""
_AWAITING_REMINDER: Final = f"""
    SELECT {CREDENTIAL_COLUMNS}
    FROM credentials
    WHERE status = 'issued' AND remind_at IS NOT NULL AND remind_at <= ?
    ORDER BY remind_at
    LIMIT ?
"""  # noqa: S608 - the names of columns
#: The plus keeps SQLite from going over all that expire.
_RENEWABLE: Final = """
    SELECT learner_id, credential_id
    FROM json_each(?) AS wanted
    CROSS JOIN credentials ON learner_id = wanted.value AND configuration_id = ?
    WHERE status = 'issued' AND +expires_at <= ?
"""
#: Those never tried and those whose time has come are two ranges of one index, which therefore
#: must be used: sorting by position tempts SQLite to go over the whole table in that order.
_AWAITING: Final = """
    SELECT {columns}
    FROM credentials
    WHERE position IN (
        SELECT * FROM (
            SELECT position FROM credentials INDEXED BY {index}
            WHERE {state} AND {retry_at} IS NULL
            ORDER BY position LIMIT :limit
        )
        UNION ALL
        SELECT * FROM (
            SELECT position FROM credentials INDEXED BY {index}
            WHERE {state} AND {retry_at} <= :now
            ORDER BY position LIMIT :limit
        )
    )
    ORDER BY position
    LIMIT :limit
"""


class SqliteRegister:
    """Fills the port `Register`; "oldest first" is the order of the awards in the log.

    Args:
        datastore: The database, prepared.
        database: Its name for people.
    """

    def __init__(self, datastore: Datastore, database: str) -> None:
        self._datastore = datastore
        self._database = database

    def not_holding(
        self, configuration_id: ConfigurationId, learner_ids: Sequence[LearnerId]
    ) -> set[LearnerId]:
        """Return who of these learners never had a credential of the configuration."""
        lacking = set(learner_ids)
        if len(learner_ids) >= MANY_LEARNERS:
            few = _AS_LONG_AS_A_LOOKUP * len(learner_ids)
            ((count,),) = self._select(_COUNT_UP_TO, (configuration_id.hex, few + 1))
            if count <= few:
                ((holders,),) = self._select(_ALL_HOLDERS, (configuration_id.hex,))
                lacking.difference_update(json.loads(holders))
                return lacking
        wanted = json.dumps(sorted(learner_ids))
        ((found,),) = self._select(_HOLDERS, (wanted, configuration_id.hex))
        lacking.difference_update(json.loads(found))
        return lacking

    def awaiting_issue(
        self, now: datetime, limit: int, run_id: UUID | None = None
    ) -> list[CredentialRow]:
        """Return credentials awarded and not issued whose retry time has come, oldest first."""
        return self._awaiting(
            "status = 'awarded'", "issue_retry_at", "awaiting_issue", (now, limit, run_id)
        )

    def awaiting_notification(
        self, now: datetime, limit: int, run_id: UUID | None = None
    ) -> list[CredentialRow]:
        """Return credentials issued whose learner is to be told now, oldest first."""
        return self._awaiting(
            "status = 'issued' AND notification = 'pending'",
            "notification_retry_at",
            "awaiting_notification",
            (now, limit, run_id),
        )

    def awaiting_reminder(self, now: datetime, limit: int) -> list[CredentialRow]:
        """Return issued credentials whose learner is to be reminded now, longest due first."""
        rows = self._select(_AWAITING_REMINDER, (text_of(now), limit))
        return [credential_row(row) for row in rows]

    def renewable(
        self,
        configuration_id: ConfigurationId,
        learner_ids: Sequence[LearnerId],
        until: datetime,
    ) -> dict[LearnerId, CredentialId]:
        """Return the issued credentials of these learners that expire up to a moment."""
        wanted = json.dumps(sorted(learner_ids))
        values = (wanted, configuration_id.hex, text_of(until))
        return {
            LearnerId(learner_id): CredentialId(stream_id_of(id_))
            for learner_id, id_ in self._select(_RENEWABLE, values)
        }

    def credentials(
        self, where: CredentialFilter, limit: int, after: CredentialId | None = None
    ) -> list[CredentialRow]:
        """Return credentials in the order of their awards, page by page.

        Raises:
            NotFound: The credential to go on after is not in the register.
        """
        which, values = _condition(where)
        # Of few rows the plus makes SQLite sort them, rather than walk in order.
        few = where.learner_id or where.serial or where.withdrawal_pending
        position = "+position" if few else "position"
        if after is not None:
            which += f" AND {position} > :after"
            values["after"] = self._position(after)
        return [
            credential_row(row)
            for row in self._select(
                f"SELECT {CREDENTIAL_COLUMNS} FROM credentials WHERE {which} "  # noqa: S608
                f"ORDER BY {position} LIMIT :limit",
                values | {"limit": limit},
            )
        ]

    def tally(self, where: CredentialFilter) -> CredentialTally:
        """Count credentials by where they stand."""
        which, values = _condition(where)
        return tally_of(self._select(TALLY.format(which=which), values))

    def credential_by_verification_id(
        self, verification_id: VerificationId
    ) -> CredentialRow | None:
        """Return the credential with this public id, if there is one."""
        found = self._select(
            f"SELECT {CREDENTIAL_COLUMNS} FROM credentials WHERE verification_id = ?",  # noqa: S608
            (verification_id,),
        )
        return credential_row(found[0]) if found else None

    def runs(
        self, configuration_id: ConfigurationId | None = None, *, open_only: bool = False
    ) -> list[RunRow]:
        """Return runs, latest first."""
        which = ["completed = 0 AND approval <> 'rejected'"] if open_only else []
        if configuration_id is not None:
            which.append("configuration_id = :configuration_id")
        return self._runs(which, configuration_id)

    def runs_to_approve(self, configuration_id: ConfigurationId | None = None) -> list[RunRow]:
        """Return runs that wait until somebody has approved or rejected them, latest first."""
        which = ["approval = 'needed'"]
        if configuration_id is not None:
            which.append("+configuration_id = :configuration_id")  # few wait; their index is best
        return self._runs(which, configuration_id)

    def recent_awards(self, configuration_id: ConfigurationId, limit: int) -> list[int]:
        """Return how many each of the last runs awarded that awarded anybody, latest first."""
        rows = self._select(
            "SELECT awarded FROM runs WHERE configuration_id = ? AND awarded > 0 AND narrowed = 0 "
            "ORDER BY started_at DESC, number DESC LIMIT ?",
            (configuration_id.hex, limit),
        )
        return [awarded for (awarded,) in rows]

    def last_slot(self, configuration_id: ConfigurationId) -> datetime | None:
        """Return the latest scheduled slot that a run was started for."""
        ((latest,),) = self._select(
            "SELECT max(scheduled_for) FROM runs WHERE configuration_id = ?",
            (configuration_id.hex,),
        )
        return None if latest is None else datetime.fromisoformat(latest)

    def catalogue(self, kind: str, *, active_only: bool = False) -> Iterator[CatalogueRow]:
        """Yield what there is of a kind, by label."""
        which = " AND active" if active_only else ""
        rows = self._select(
            f"SELECT {CATALOGUE_COLUMNS} FROM catalogue WHERE kind = ?{which} "  # noqa: S608
            "ORDER BY label",
            (kind,),
        )
        return map(catalogue_row, rows)

    def catalogue_row(self, stream_id: UUID) -> CatalogueRow | None:
        """Return the row of one aggregate of the catalogue, if it is there."""
        rows = self._select(
            f"SELECT {CATALOGUE_COLUMNS} FROM catalogue WHERE stream_id = ?",  # noqa: S608
            (stream_id.hex,),
        )
        return catalogue_row(rows[0]) if rows else None

    def _runs(self, which: Sequence[str], configuration_id: ConfigurationId | None) -> list[RunRow]:
        rows = self._select(
            f"SELECT {RUN_COLUMNS} FROM runs WHERE {' AND '.join(which) or 'true'} "  # noqa: S608
            "ORDER BY started_at DESC, number DESC",
            {"configuration_id": configuration_id.hex if configuration_id else None},
        )
        return [run_row(row) for row in rows]

    def _awaiting(
        self,
        state: str,
        retry_at: str,
        index: str,
        asked: tuple[datetime, int, UUID | None],
    ) -> list[CredentialRow]:
        now, limit, run_id = asked
        values: dict[str, object] = {"now": text_of(now), "limit": limit}
        if run_id is not None:
            state += " AND run_id = :run_id"
            index += "_of_run"
            values["run_id"] = run_id.hex
        query = _AWAITING.format(
            columns=CREDENTIAL_COLUMNS, state=state, retry_at=retry_at, index=index
        )
        return [credential_row(row) for row in self._select(query, values)]

    def _position(self, credential_id: CredentialId) -> int:
        found = self._select(
            "SELECT position FROM stored_events "
            "JOIN credentials ON position = stored_events.rowid "
            "WHERE originator_id = ? AND originator_version = 1",
            (credential_id.hex,),
        )
        if not found:
            raise NotFound("credential", str(credential_id))
        return cast(int, found[0][0])

    def _select(
        self, query: str, values: Sequence[object] | Mapping[str, object]
    ) -> list[tuple[Any, ...]]:
        with (
            as_event_store_errors(self._database),
            self._datastore.transaction(commit=False) as c,
        ):
            return c.sqlite_cursor.execute(query, values).fetchall()


def _condition(where: CredentialFilter) -> tuple[str, dict[str, object]]:
    """Return what to ask for and the values in it."""
    values: dict[str, object] = {}
    if where.configuration_id is not None:
        values["configuration_id"] = where.configuration_id.hex
    if where.learner_id is not None:
        values["learner_id"] = where.learner_id
    if where.context_key is not None:
        values["context_key"] = where.context_key
    if where.run_id is not None:
        values["run_id"] = where.run_id.hex
    if where.status is not None:
        values["status"] = where.status.value
    if where.type_slug is not None:
        values["type_slug"] = where.type_slug
    if where.serial is not None:
        values["serial"] = where.serial
    # A learner has few credentials, so their index is the one to use: the plus keeps SQLite from
    # using that of a whole course or run.
    unindexed = values.keys() - _INDEXED_TOGETHER if where.learner_id is not None else set()
    conditions = [f"{'+' * (column in unindexed)}{column} = :{column}" for column in values]
    if where.withdrawal_pending:
        # Not by a value: only then SQLite knows that the index of those that wait has them all.
        conditions.append("withdrawal_pending = 1")
    # Those of a learner, course or run are few; of all others, those that expire then are.
    plus = "+" if values.keys() - {"status", "type_slug"} else ""
    if where.expires_after is not None:
        conditions.append(f"{plus}expires_at > :expires_after")
        values["expires_after"] = text_of(where.expires_after)
    if where.expires_until is not None:
        conditions.append(f"{plus}expires_at <= :expires_until")
        values["expires_until"] = text_of(where.expires_until)
    return " AND ".join(conditions) or "true", values
