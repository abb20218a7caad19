"""Notifying: telling learners that their credential was issued, from a ledger of its own.

It comes after the issue was recorded and never holds it up. A message may be sent again after a
crash, always with the same Message-ID.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import PurePosixPath
from typing import Final
from uuid import UUID

from testamur.application.aggregates import Loaded, fold
from testamur.application.configurations import Configurations
from testamur.application.dividing import PATIENCE_OF_A_BATCH_SECONDS, work_on_share
from testamur.application.errors import ConcurrencyConflict
from testamur.application.installation import Installation
from testamur.application.ports.event_store import (
    Attribution,
    EventStore,
    NewEvents,
    RecordedEvent,
)
from testamur.application.ports.notification import (
    Attachment,
    Delivered,
    Delivery,
    NotDelivered,
    Notification,
    Notifier,
)
from testamur.application.ports.register import CredentialFilter, CredentialRow, Register
from testamur.application.ports.storage import ArtifactStorage
from testamur.application.ports.system import Clock, WorkLocks
from testamur.application.progress import Progress, Step
from testamur.application.requests import NOTIFIER
from testamur.domain.credentials import (
    Credential,
    CredentialEvent,
    CredentialIssued,
    CredentialStatus,
    decide_fail_notification,
    decide_notification,
    decide_notified,
    decide_skip_notification,
    evolve,
)
from testamur.domain.errors import TestamurError
from testamur.domain.identifiers import ConfigurationId, CredentialId, RunId

#: Credentials looked at together; their messages go over one connection.
BATCH_SIZE: Final = 100

#: Outcomes recorded in one transaction; a crash sends at most so many messages a second time.
RECORDED_TOGETHER: Final = 20

#: A pass for one run waits its turn this long; a pass for all is left to who is at it already.
PATIENCE_SECONDS: Final = 600.0

#: A batch that loses against another writer this often in a row means that something is wrong.
MOST_CONFLICTS: Final = 20


@dataclass(frozen=True, slots=True)
class NotifyCounts:
    """What a pass of notifying did, in credentials.

    Args:
        sent: Messages that were taken for delivery.
        skipped: Learners who are not told: no address, inactive account, switched off.
        failed: Messages that were not taken; they are tried again, or given up.
        stopped_because: Why the pass stopped before its end, if the server takes nothing at all.
    """

    sent: int = 0
    skipped: int = 0
    failed: int = 0
    stopped_because: str | None = None

    def __add__(self, other: "NotifyCounts") -> "NotifyCounts":
        return NotifyCounts(
            self.sent + other.sent,
            self.skipped + other.skipped,
            self.failed + other.failed,
            other.stopped_because or self.stopped_because,
        )

    @property
    def total(self) -> int:
        """All credentials that were dealt with."""
        return self.sent + self.skipped + self.failed


@dataclass(frozen=True, slots=True)
class _Issued:
    """An issued credential whose learner waits to be told."""

    credential: Loaded[Credential]
    state: Credential
    issued_at: datetime
    run_id: UUID


@dataclass(frozen=True, slots=True)
class Notifying:
    """Tells learners of their issued credentials, and keeps the ledger of it."""

    events: EventStore
    register: Register
    configurations: Configurations
    storage: ArtifactStorage
    notifier: Notifier
    locks: WorkLocks
    clock: Clock
    installation: Installation

    def notify_awaiting(self, progress: Progress, run_id: RunId | None = None) -> NotifyCounts:
        """Tell every learner who waits to be told now.

        Where the server takes nothing at all, the pass stops; who was not tried stays waiting.

        Args:
            progress: Is told how far it is.
            run_id: Only what this run awarded.

        Raises:
            AlreadyRunning: Another process is at it, or stays at it longer than a pass for one
                run waits.
            EventStoreError: The store cannot be read or written.
        """
        with self.locks.hold("notify", wait_seconds=PATIENCE_SECONDS if run_id else 0):
            now = self.clock.now()
            if run_id is not None:
                tally = self.register.tally(CredentialFilter(run_id=run_id))
                progress.expect(Step.NOTIFY, tally.notifications.get("pending", 0))
            counts = NotifyCounts()
            conflicts = 0
            while rows := self.register.awaiting_notification(now, BATCH_SIZE, run_id):
                try:
                    done = self._notify_batch(self._load(rows))
                except ConcurrencyConflict:
                    # Somebody revoked one of them in this moment: ask again who waits.
                    conflicts += 1
                    if conflicts == MOST_CONFLICTS:
                        raise
                    continue
                conflicts = 0
                counts += done
                progress.advance(Step.NOTIFY, done.total)
                if done.stopped_because:
                    break
            return counts

    def notify_batch(
        self, share: int, ids: Sequence[CredentialId], progress: Progress
    ) -> NotifyCounts:
        """Tell those of some credentials' learners who wait to be told now.

        Several may do so at once.

        Args:
            share: The share that all the learners are in.
            ids: Which credentials.
            progress: Is told how far it is.

        Raises:
            AlreadyRunning: Another process stays at credentials of the share.
            EventStoreError: The store cannot be read or written.
        """
        with self.locks.hold(work_on_share("notify", share), PATIENCE_OF_A_BATCH_SECONDS):
            for _ in range(MOST_CONFLICTS):
                try:
                    counts = self._notify_batch(self._waiting(ids))
                except ConcurrencyConflict:
                    continue
                progress.advance(Step.NOTIFY, counts.total)
                return counts
            raise ConcurrencyConflict(list(ids))

    def _waiting(self, ids: Sequence[CredentialId]) -> list[_Issued]:
        """Return those that are issued and whose learner is to be told now."""
        now = self.clock.now()
        waiting = []
        for id_, recorded in self.events.load_many(ids).items():
            state = fold(id_, recorded, evolve).state
            if (
                state is not None
                and state.status is CredentialStatus.ISSUED
                and state.notification == "pending"
                and (state.notification_retry_at is None or state.notification_retry_at <= now)
            ):
                # The award is the first event; what it belongs to is the run.
                waiting.append(_issued(id_, recorded, recorded[0].attribution.correlation_id))
        return waiting

    def _notify_batch(self, waiting: Sequence[_Issued]) -> NotifyCounts:
        switched_on = self._switches({each.state.awarded.configuration_id for each in waiting})
        to_send: dict[CredentialId, _Issued] = {}
        ready: list[Notification] = []
        decided: list[tuple[_Issued, list[CredentialEvent]]] = []
        failed = 0
        for each in waiting:
            why_not = decide_notification(
                each.state, switched_on=switched_on[each.state.awarded.configuration_id]
            )
            if why_not is not None:
                decided.append((each, decide_skip_notification(each.state, why_not)))
                continue
            try:
                notification = self._notification(each)
            except TestamurError as error:
                decided.append((each, self._failure(each, "no-document", str(error))))
                failed += 1
                continue
            to_send[notification.credential_id] = each
            ready.append(notification)
        self._record(decided)
        counts = NotifyCounts(skipped=len(decided) - failed, failed=failed)
        return counts + self._deliver(ready, to_send)

    def _deliver(
        self, ready: Sequence[Notification], to_send: dict[CredentialId, _Issued]
    ) -> NotifyCounts:
        counts = NotifyCounts()
        trouble: NotDelivered | None = None
        for deliveries in _chunks(self.notifier.deliver(ready), RECORDED_TOGETHER):
            decided = []
            for delivery in deliveries:
                each = to_send[delivery.notification.credential_id]
                decided.append((each, self._outcome(each, delivery)))
                if isinstance(delivery, NotDelivered) and delivery.failure == "temporary":
                    trouble = delivery
            self._record_delivered(decided)
            sent = sum(isinstance(delivery, Delivered) for delivery in deliveries)
            counts += NotifyCounts(sent=sent, failed=len(deliveries) - sent)
        if ready and not counts.sent and trouble is not None:
            return replace(counts, stopped_because=f"{trouble.reason}: {trouble.detail}")
        return counts

    def _load(self, rows: Sequence[CredentialRow]) -> list[_Issued]:
        streams = self.events.load_many([row.credential_id for row in rows])
        return [
            _issued(row.credential_id, streams.get(row.credential_id, []), row.run_id)
            for row in rows
        ]

    def _switches(self, ids: Iterable[ConfigurationId]) -> dict[ConfigurationId, bool]:
        return {id_: self.configurations.notification(id_).enabled for id_ in ids}

    def _notification(self, issued: _Issued) -> Notification:
        credential_id = CredentialId(issued.credential.stream_id)
        awarded = issued.state.awarded
        person = awarded.person
        if person is None or not person.email:
            # decide_notification let it through, so this is a mistake of the program.
            raise AssertionError("a learner without an address cannot be told")
        return Notification(
            credential_id=credential_id,
            message_id=self.installation.message_id(credential_id),
            created_at=issued.issued_at,
            email=person.email,
            full_name=person.full_name,
            locale=person.locale or self.installation.default_language,
            type_name=awarded.type_name,
            context_name=" ".join(awarded.context_name.split()),
            issuer_name=awarded.issuer_name,
            award_date=awarded.award_date,
            download_url=self.installation.download_url(awarded.verification_id),
            verify_url=self.installation.verify_url(awarded.verification_id),
            attachments=self._attachments(issued.state),
        )

    def _attachments(self, state: Credential) -> tuple[Attachment, ...]:
        if not self.installation.attach_documents:
            return ()
        return tuple(
            Attachment(
                filename=f"certificate{PurePosixPath(artifact.storage_key).suffix}",
                content=self.storage.get(artifact.storage_key),
                media_type=artifact.media_type,
            )
            for artifact in state.artifacts
        )

    def _outcome(self, issued: _Issued, delivery: Delivery) -> list[CredentialEvent]:
        if isinstance(delivery, Delivered):
            return decide_notified(issued.state, delivery.notification.message_id)
        return self._failure(
            issued, delivery.reason, delivery.detail, permanent=delivery.failure == "permanent"
        )

    def _failure(
        self, issued: _Issued, reason: str, detail: str, *, permanent: bool = False
    ) -> list[CredentialEvent]:
        return decide_fail_notification(
            issued.state, reason, detail, self.clock.now(), permanent=permanent
        )

    def _record_delivered(self, decided: Sequence[tuple[_Issued, list[CredentialEvent]]]) -> None:
        """Record what became of messages, so that none goes out again because of another one."""
        try:
            self._record(decided)
        except ConcurrencyConflict:
            for each in decided:
                # One that was revoked while its message was on the way waits for nothing any more.
                with suppress(ConcurrencyConflict):
                    self._record([each])

    def _record(self, decided: Sequence[tuple[_Issued, list[CredentialEvent]]]) -> None:
        now = self.clock.now()
        by_run: dict[UUID, list[NewEvents]] = {}
        for issued, events in decided:
            by_run.setdefault(issued.run_id, []).append(issued.credential.followed_by(events))
        for run_id, batch in by_run.items():
            self.events.append(batch, Attribution(NOTIFIER, now, run_id))


def _issued(id_: UUID, recorded: Sequence[RecordedEvent], run_id: UUID) -> _Issued:
    credential = fold(id_, recorded, evolve)
    state = credential.state
    issues = [each for each in recorded if isinstance(each.event, CredentialIssued)]
    if state is None or state.status is not CredentialStatus.ISSUED or not issues:
        # The register is changed with the events, so the stream moved on after it was asked.
        raise ConcurrencyConflict([id_])
    return _Issued(credential, state, issues[-1].attribution.at, run_id)


def _chunks(deliveries: Iterator[Delivery], size: int) -> Iterator[list[Delivery]]:
    while chunk := list(islice(deliveries, size)):
        yield chunk
