"""The register on PostgreSQL: set questions, each answered by one query."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

from testamur.adapters.event_store.failures import as_event_store_errors
from testamur.adapters.event_store.postgres.connections import Datastore, Values
from testamur.adapters.event_store.postgres.rows import (
    CATALOGUE_COLUMNS,
    CREDENTIAL_COLUMNS,
    RUN_COLUMNS,
    catalogue_row,
    credential_row,
    run_row,
)
from testamur.adapters.event_store.register_queries import TALLY, tally_of
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
_AS_LONG_AS_A_LOOKUP: Final = 6
#: PostgreSQL's longest value is 1 GB.
_MOST_HOLDERS: Final = 5_000_000

#: One after the other, whatever the planner believes: before a table is analysed, it would rather
#: go over all that the configuration has.
_HOLDERS: Final = """
    SELECT wanted
    FROM unnest(%b::text[]) AS wanted
    CROSS JOIN LATERAL (
        SELECT FROM credentials WHERE learner_id = wanted AND configuration_id = %s LIMIT 1
    ) AS held
"""
#: As one text, which takes a third of the time of a list, and a fifth of that of a row for each.
_ALL_HOLDERS: Final = """
    SELECT count(*), CASE WHEN count(*) <= %(most)s THEN string_agg(learner_id, %(separator)s) END
    FROM (
        SELECT learner_id
        FROM credentials
        WHERE configuration_id = %(configuration_id)s
        LIMIT %(most)s + 1
    ) AS held
"""
_SEPARATOR: Final = "\x1f"
_AWAITING_REMINDER: Final = f"""
    SELECT {CREDENTIAL_COLUMNS}
    FROM credentials
    WHERE status = 'issued' AND remind_at IS NOT NULL AND remind_at <= %s
    ORDER BY remind_at
    LIMIT %s
"""  # noqa: S608 - the names of columns
_RENEWABLE: Final = """
    SELECT wanted, credential_id
    FROM unnest(%b::text[]) AS wanted
    CROSS JOIN LATERAL (
        SELECT credential_id
        FROM credentials
        WHERE learner_id = wanted AND configuration_id = %s
            AND status = 'issued' AND expires_at <= %s
        LIMIT 1
    ) AS held
"""
#: Those never tried and those whose time has come are two ranges of one index. The second is
#: gathered before it is sorted: sorting by position tempts the planner to go over the whole table
#: in that order.
_AWAITING: Final = """
    WITH due AS MATERIALIZED (
        SELECT position
        FROM credentials
        WHERE {state}
            AND coalesce({retry_at}, '-infinity') > '-infinity'
            AND coalesce({retry_at}, '-infinity') <= %(now)s
    )
    SELECT {columns}
    FROM credentials
    WHERE position IN (
        (
            SELECT position
            FROM credentials
            WHERE {state} AND coalesce({retry_at}, '-infinity') = '-infinity'
            ORDER BY position
            LIMIT %(limit)s
        )
        UNION ALL
        (SELECT position FROM due ORDER BY position LIMIT %(limit)s)
    )
    ORDER BY position
    LIMIT %(limit)s
"""


class PostgresRegister:
    """Fills the port `Register`; "oldest first" is the order of the awards in the log.

    Args:
        datastore: The database, prepared.
    """

    def __init__(self, datastore: Datastore) -> None:
        self._datastore = datastore

    def not_holding(
        self, configuration_id: ConfigurationId, learner_ids: Sequence[LearnerId]
    ) -> set[LearnerId]:
        """Return who of these learners never had a credential of the configuration."""
        lacking = set(learner_ids)
        if not lacking:
            return lacking
        if len(learner_ids) >= MANY_LEARNERS:
            most = min(_AS_LONG_AS_A_LOOKUP * len(learner_ids), _MOST_HOLDERS)
            holders = self._all_holders(configuration_id, most)
            if holders is not None:
                lacking.difference_update(holders)
                return lacking
        # In order, so that neighbours in the index are read one after the other.
        found = self._select(_HOLDERS, (sorted(learner_ids), configuration_id))
        lacking.difference_update(learner_id for (learner_id,) in found)
        return lacking

    def awaiting_issue(
        self, now: datetime, limit: int, run_id: UUID | None = None
    ) -> list[CredentialRow]:
        """Return credentials awarded and not issued whose retry time has come, oldest first."""
        return self._awaiting("status = 'awarded'", "issue_retry_at", (now, limit, run_id))

    def awaiting_notification(
        self, now: datetime, limit: int, run_id: UUID | None = None
    ) -> list[CredentialRow]:
        """Return credentials issued whose learner is to be told now, oldest first."""
        return self._awaiting(
            "status = 'issued' AND notification = 'pending'",
            "notification_retry_at",
            (now, limit, run_id),
        )

    def awaiting_reminder(self, now: datetime, limit: int) -> list[CredentialRow]:
        """Return issued credentials whose learner is to be reminded now, longest due first."""
        rows = self._select(_AWAITING_REMINDER, (now, limit))
        return [credential_row(row) for row in rows]

    def renewable(
        self,
        configuration_id: ConfigurationId,
        learner_ids: Sequence[LearnerId],
        until: datetime,
    ) -> dict[LearnerId, CredentialId]:
        """Return the issued credentials of these learners that expire up to a moment."""
        if not learner_ids:
            return {}
        found = self._select(_RENEWABLE, (sorted(learner_ids), configuration_id, until))
        return {LearnerId(learner_id): CredentialId(id_) for learner_id, id_ in found}

    def credentials(
        self, where: CredentialFilter, limit: int, after: CredentialId | None = None
    ) -> list[CredentialRow]:
        """Return credentials in the order of their awards, page by page.

        Raises:
            NotFound: The credential to go on after is not in the register.
        """
        which, values = _condition(where)
        if after is not None:
            which += " AND position > %(after)s"
            values["after"] = self._position(after)
        return [
            credential_row(row)
            for row in self._select(
                f"SELECT {CREDENTIAL_COLUMNS} FROM credentials WHERE {which} "  # noqa: S608
                "ORDER BY position LIMIT %(limit)s",
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
            f"SELECT {CREDENTIAL_COLUMNS} FROM credentials WHERE verification_id = %s",  # noqa: S608
            (verification_id,),
        )
        return credential_row(found[0]) if found else None

    def runs(
        self, configuration_id: ConfigurationId | None = None, *, open_only: bool = False
    ) -> list[RunRow]:
        """Return runs, latest first."""
        which = ["NOT completed AND approval <> 'rejected'"] if open_only else []
        return self._runs(which, configuration_id)

    def runs_to_approve(self, configuration_id: ConfigurationId | None = None) -> list[RunRow]:
        """Return runs that wait until somebody has approved or rejected them, latest first."""
        return self._runs(["approval = 'needed'"], configuration_id)

    def recent_awards(self, configuration_id: ConfigurationId, limit: int) -> list[int]:
        """Return how many each of the last runs awarded that awarded anybody, latest first."""
        rows = self._select(
            "SELECT awarded FROM runs WHERE configuration_id = %s AND awarded > 0 AND NOT narrowed "
            "ORDER BY started_at DESC, number DESC LIMIT %s",
            (configuration_id, limit),
        )
        return [awarded for (awarded,) in rows]

    def last_slot(self, configuration_id: ConfigurationId) -> datetime | None:
        """Return the latest scheduled slot that a run was started for."""
        ((latest,),) = self._select(
            "SELECT max(scheduled_for) FROM runs WHERE configuration_id = %s",
            (configuration_id,),
        )
        return cast(datetime | None, latest)

    def catalogue(self, kind: str, *, active_only: bool = False) -> Iterator[CatalogueRow]:
        """Yield what there is of a kind, by label."""
        which = " AND active" if active_only else ""
        rows = self._select(
            f"SELECT {CATALOGUE_COLUMNS} FROM catalogue WHERE kind = %s{which} "  # noqa: S608
            "ORDER BY label",
            (kind,),
        )
        return map(catalogue_row, rows)

    def catalogue_row(self, stream_id: UUID) -> CatalogueRow | None:
        """Return the row of one aggregate of the catalogue, if it is there."""
        rows = self._select(
            f"SELECT {CATALOGUE_COLUMNS} FROM catalogue WHERE stream_id = %s",  # noqa: S608
            (stream_id,),
        )
        return catalogue_row(rows[0]) if rows else None

    def _all_holders(
        self, configuration_id: ConfigurationId, most: int
    ) -> Sequence[LearnerId] | None:
        """Return all holders, or None where there are more than so many."""
        values = {"configuration_id": configuration_id, "most": most, "separator": _SEPARATOR}
        ((count, text),) = self._select(_ALL_HOLDERS, values)
        if count > most:
            return None
        holders = text.split(_SEPARATOR) if count else []
        return holders if len(holders) == count else None  # a learner's id may have a separator

    def _runs(self, which: list[str], configuration_id: ConfigurationId | None) -> list[RunRow]:
        values = []
        if configuration_id is not None:
            which = [*which, "configuration_id = %s"]
            values.append(configuration_id)
        rows = self._select(
            f"SELECT {RUN_COLUMNS} FROM runs WHERE {' AND '.join(which) or 'true'} "  # noqa: S608
            "ORDER BY started_at DESC, number DESC",
            values,
        )
        return [run_row(row) for row in rows]

    def _awaiting(
        self, state: str, retry_at: str, asked: tuple[datetime, int, UUID | None]
    ) -> list[CredentialRow]:
        now, limit, run_id = asked
        values: dict[str, object] = {"now": now, "limit": limit}
        if run_id is not None:
            state += " AND run_id = %(run_id)s"
            values["run_id"] = run_id
        query = _AWAITING.format(columns=CREDENTIAL_COLUMNS, state=state, retry_at=retry_at)
        return [credential_row(row) for row in self._select(query, values)]

    def _position(self, credential_id: CredentialId) -> int:
        found = self._select(
            "SELECT position FROM stored_events JOIN credentials USING (position) "
            "WHERE originator_id = %s AND originator_version = 1",
            (credential_id,),
        )
        if not found:
            raise NotFound("credential", str(credential_id))
        return cast(int, found[0][0])

    def _select(self, query: str, values: Values) -> list[tuple[Any, ...]]:
        with as_event_store_errors(self._datastore.shown_url):
            return self._datastore.select(query, values)


def _condition(where: CredentialFilter) -> tuple[str, dict[str, object]]:
    """Return what to ask for and the values in it."""
    asked: dict[str, object] = {
        "configuration_id": where.configuration_id,
        "learner_id": where.learner_id,
        "context_key": where.context_key,
        "run_id": where.run_id,
        "status": None if where.status is None else where.status.value,
        "type_slug": where.type_slug,
        "serial": where.serial,
    }
    values = {column: value for column, value in asked.items() if value is not None}
    conditions = [f"{column} = %({column})s" for column in values]
    if where.withdrawal_pending:
        conditions.append("withdrawal_pending")
    if where.expires_after is not None:
        conditions.append("expires_at > %(expires_after)s")
        values["expires_after"] = where.expires_after
    if where.expires_until is not None:
        conditions.append("expires_at <= %(expires_until)s")
        values["expires_until"] = where.expires_until
    return " AND ".join(conditions) or "true", values
