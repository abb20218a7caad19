"""The register in memory: goes over all rows for each question."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from testamur.adapters.event_store.memory.recorder import MemoryRecorder
from testamur.application.ports.register import (
    CatalogueRow,
    CredentialFilter,
    CredentialRow,
    CredentialTally,
    RunRow,
)
from testamur.domain.credentials import CredentialStatus
from testamur.domain.errors import NotFound
from testamur.domain.identifiers import ConfigurationId, CredentialId, LearnerId, VerificationId


class MemoryRegister:
    """Fills the port `Register`.

    Args:
        recorder: Keeps the rows.
    """

    def __init__(self, recorder: MemoryRecorder) -> None:
        self._recorder = recorder

    def not_holding(
        self, configuration_id: ConfigurationId, learner_ids: Sequence[LearnerId]
    ) -> set[LearnerId]:
        """Return who of these learners never had a credential of the configuration."""
        rows = self._credentials(CredentialFilter(configuration_id=configuration_id))
        return set(learner_ids).difference(row.learner_id for row in rows)

    def awaiting_issue(
        self, now: datetime, limit: int, run_id: UUID | None = None
    ) -> list[CredentialRow]:
        """Return credentials awarded and not issued whose retry time has come, oldest first."""
        rows = self._credentials(CredentialFilter(run_id=run_id, status=CredentialStatus.AWARDED))
        return [row for row in rows if _has_come(row.issue_retry_at, now)][:limit]

    def awaiting_notification(
        self, now: datetime, limit: int, run_id: UUID | None = None
    ) -> list[CredentialRow]:
        """Return credentials issued whose learner is to be told now, oldest first."""
        rows = self._credentials(CredentialFilter(run_id=run_id, status=CredentialStatus.ISSUED))
        return [
            row
            for row in rows
            if row.notification == "pending" and _has_come(row.notification_retry_at, now)
        ][:limit]

    def awaiting_reminder(self, now: datetime, limit: int) -> list[CredentialRow]:
        """Return issued credentials whose learner is to be reminded now, longest due first."""
        rows = self._credentials(CredentialFilter(status=CredentialStatus.ISSUED))
        due = [(row.remind_at, row) for row in rows if row.remind_at and row.remind_at <= now]
        return [row for _, row in sorted(due, key=lambda each: each[0])][:limit]

    def renewable(
        self,
        configuration_id: ConfigurationId,
        learner_ids: Sequence[LearnerId],
        until: datetime,
    ) -> dict[LearnerId, CredentialId]:
        """Return the issued credentials of these learners that expire up to a moment."""
        where = CredentialFilter(
            configuration_id=configuration_id,
            status=CredentialStatus.ISSUED,
            expires_until=until,
        )
        wanted = set(learner_ids)
        rows = self._credentials(where)
        return {row.learner_id: row.credential_id for row in rows if row.learner_id in wanted}

    def credentials(
        self, where: CredentialFilter, limit: int, after: CredentialId | None = None
    ) -> list[CredentialRow]:
        """Return credentials in the order of their awards, page by page.

        Raises:
            NotFound: The credential to go on after is not in the register.
        """
        rows = self._credentials(CredentialFilter())
        if after is not None:
            ids = [row.credential_id for row in rows]
            if after not in ids:
                raise NotFound("credential", str(after))
            rows = rows[ids.index(after) + 1 :]
        return [row for row in rows if _fits(row, where)][:limit]

    def tally(self, where: CredentialFilter) -> CredentialTally:
        """Count credentials by where they stand."""
        rows = self._credentials(where)
        return CredentialTally(
            by_status=dict(Counter(row.status for row in rows)),
            failing=sum(
                row.status is CredentialStatus.AWARDED and row.issue_failures > 0 for row in rows
            ),
            notifications=dict(
                Counter(row.notification for row in rows if row.status is CredentialStatus.ISSUED)
            ),
        )

    def credential_by_verification_id(
        self, verification_id: VerificationId
    ) -> CredentialRow | None:
        """Return the credential with this public id, if there is one."""
        rows = self._credentials(CredentialFilter())
        return next((row for row in rows if row.verification_id == verification_id), None)

    def runs(
        self, configuration_id: ConfigurationId | None = None, *, open_only: bool = False
    ) -> list[RunRow]:
        """Return runs, latest first."""
        with self._recorder.reading() as tables:
            rows = [
                row
                for row in tables.runs.values()
                if configuration_id in (None, row.configuration_id)
                and not (open_only and (row.completed or row.approval == "rejected"))
            ]
        return sorted(rows, key=lambda row: row.started_at)[::-1]

    def recent_awards(self, configuration_id: ConfigurationId, limit: int) -> list[int]:
        """Return how many each of the last runs awarded that awarded anybody, latest first."""
        rows = self.runs(configuration_id)
        return [row.awarded for row in rows if row.awarded and not row.narrowed][:limit]

    def runs_to_approve(self, configuration_id: ConfigurationId | None = None) -> list[RunRow]:
        """Return runs that wait until somebody has approved or rejected them, latest first."""
        return [row for row in self.runs(configuration_id) if row.approval == "needed"]

    def last_slot(self, configuration_id: ConfigurationId) -> datetime | None:
        """Return the latest scheduled slot that a run was started for."""
        slots = (row.scheduled_for for row in self.runs(configuration_id))
        return max((slot for slot in slots if slot is not None), default=None)

    def catalogue(self, kind: str, *, active_only: bool = False) -> Iterator[CatalogueRow]:
        """Yield what there is of a kind, by label."""
        with self._recorder.reading() as tables:
            rows = [
                row
                for row in tables.catalogue.values()
                if row.kind == kind and (row.active or not active_only)
            ]
        return iter(sorted(rows, key=lambda row: row.label))

    def catalogue_row(self, stream_id: UUID) -> CatalogueRow | None:
        """Return the row of one aggregate of the catalogue, if it is there."""
        with self._recorder.reading() as tables:
            return tables.catalogue.get(stream_id)

    def _credentials(self, where: CredentialFilter) -> list[CredentialRow]:
        with self._recorder.reading() as tables:
            return [row for row in tables.credentials.values() if _fits(row, where)]


def _has_come(retry_at: datetime | None, now: datetime) -> bool:
    return retry_at is None or retry_at <= now


def _fits(row: CredentialRow, where: CredentialFilter) -> bool:
    return (
        where.configuration_id in (None, row.configuration_id)
        and where.learner_id in (None, row.learner_id)
        and where.context_key in (None, row.context_key)
        and where.run_id in (None, row.run_id)
        and where.status in (None, row.status)
        and where.type_slug in (None, row.type_slug)
        and where.serial in (None, row.serial)
        and (row.withdrawal_pending or not where.withdrawal_pending)
        and _expires_within(row.expires_at, where)
    )


def _expires_within(expires_at: datetime | None, where: CredentialFilter) -> bool:
    if expires_at is None:
        return where.expires_after is None and where.expires_until is None
    after, until = where.expires_after, where.expires_until
    return (after is None or expires_at > after) and (until is None or expires_at <= until)
