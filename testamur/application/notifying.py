"""Notifying: telling learners of their credentials, from a ledger of its own.

It comes after what it tells of was recorded and never holds that up. A message may be sent again
after a crash, always with the same Message-ID.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Final
from uuid import UUID

from testamur.application.composing import Composing, WaitingMessage, first_waiting
from testamur.application.configurations import Configurations
from testamur.application.dividing import PATIENCE_OF_A_BATCH_SECONDS, work_on_share
from testamur.application.errors import ConcurrencyConflict
from testamur.application.installation import Installation
from testamur.application.mail_cap import MailCap
from testamur.application.mail_templates import MailTemplateSets
from testamur.application.options import NotificationOptions
from testamur.application.ports.deliveries import DeliveryLedger
from testamur.application.ports.event_store import Attribution, EventStore, NewEvents
from testamur.application.ports.notification import (
    Delivered,
    Delivery,
    NotDelivered,
    Notification,
    Notifier,
    TemplateSet,
)
from testamur.application.ports.register import CredentialFilter, CredentialRow, Register
from testamur.application.ports.storage import ArtifactStorage
from testamur.application.ports.system import Clock, WorkLocks
from testamur.application.progress import Progress, Step
from testamur.application.requests import NOTIFIER
from testamur.application.silences import Silences
from testamur.domain.credentials import (
    CredentialEvent,
    decide_fail_notification,
    decide_notification,
    decide_notified,
    decide_skip_notification,
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
    """What a pass of notifying did, in messages.

    Args:
        sent: Messages that were taken for delivery.
        skipped: Messages that are not sent: no address, inactive account, switched off.
        failed: Messages that were not taken; they are tried again, or given up.
        stopped_because: Why the pass stopped before its end, if the server takes nothing at all.
        capped: Whether it stopped because no more may be sent within this hour; the rest waits.
    """

    sent: int = 0
    skipped: int = 0
    failed: int = 0
    stopped_because: str | None = None
    capped: bool = False

    def __add__(self, other: "NotifyCounts") -> "NotifyCounts":
        return NotifyCounts(
            self.sent + other.sent,
            self.skipped + other.skipped,
            self.failed + other.failed,
            other.stopped_because or self.stopped_because,
            capped=self.capped or other.capped,
        )

    @property
    def total(self) -> int:
        """All messages that were dealt with."""
        return self.sent + self.skipped + self.failed


Decided = tuple[WaitingMessage, list[CredentialEvent]]


@dataclass(frozen=True, slots=True)
class Notifying:
    """Tells learners of their credentials, and keeps the ledger of it."""

    events: EventStore
    register: Register
    configurations: Configurations
    storage: ArtifactStorage
    notifier: Notifier
    locks: WorkLocks
    clock: Clock
    installation: Installation
    silences: Silences
    templates: MailTemplateSets
    ledger: DeliveryLedger

    def notify_awaiting(self, progress: Progress, run_id: RunId | None = None) -> NotifyCounts:
        """Send every message that waits to be sent now.

        Where the server takes nothing, or no more may be sent within this hour, the pass stops;
        what was not tried stays waiting.

        Args:
            progress: Is told how far it is.
            run_id: Only about what this run awarded.

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
            while rows := self._awaiting(now, run_id):
                try:
                    done = self._notify([row.credential_id for row in rows], now)
                except ConcurrencyConflict:
                    # Somebody revoked one of them in this moment: ask again who waits.
                    conflicts += 1
                    if conflicts == MOST_CONFLICTS:
                        raise
                    continue
                counts += done
                progress.advance(Step.NOTIFY, done.total)
                if done.stopped_because or done.capped:
                    break
                # Nothing to do is as strange as a conflict: the register said that there is.
                conflicts = 0 if done.total else conflicts + 1
                if conflicts == MOST_CONFLICTS:
                    raise ConcurrencyConflict([row.credential_id for row in rows])
            return counts

    def notify_batch(
        self, share: int, ids: Sequence[CredentialId], progress: Progress
    ) -> NotifyCounts:
        """Send those messages about some credentials that wait to be sent now.

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
            now = self.clock.now()
            counts = NotifyCounts()
            conflicts = 0
            while True:
                try:
                    done = self._notify(ids, now)
                except ConcurrencyConflict:
                    conflicts += 1
                    if conflicts == MOST_CONFLICTS:
                        raise
                    continue
                counts += done
                progress.advance(Step.NOTIFY, done.total)
                if not done.total or done.stopped_because or done.capped:
                    return counts

    def _awaiting(self, now: datetime, run_id: RunId | None) -> Sequence[CredentialRow]:
        """Return credentials about which something is to be told now, those just issued first."""
        return self.register.awaiting_notification(now, BATCH_SIZE, run_id) or self.ledger.awaiting(
            now, BATCH_SIZE, run_id
        )

    def _notify(self, ids: Sequence[CredentialId], now: datetime) -> NotifyCounts:
        """Deal with one message of each of these credentials, as far as one waits."""
        cap = MailCap(self.ledger, self.locks, self.clock, self.installation)
        with cap.hold():
            streams = self.events.load_many(ids)
            found = (first_waiting(id_, streams.get(id_, ()), now) for id_ in ids)
            waiting = [each for each in found if each is not None]
            ready, failed = self._prepare(waiting)
            counts = NotifyCounts(skipped=len(waiting) - len(ready) - failed, failed=failed)
            room = cap.room()
            within = ready if room is None else ready[:room]
            counts += self._deliver(within)
            return replace(counts, capped=len(within) < len(ready))

    def _prepare(
        self, waiting: Sequence[WaitingMessage]
    ) -> tuple[list[tuple[WaitingMessage, Notification]], int]:
        """Record which messages are not sent; return the others, and how many cannot be made."""
        options = self._options({each.configuration_id for each in waiting})
        silenced = self.silences.among(each.state.awarded.learner_id for each in waiting)
        composing = Composing(self.storage, self.installation)
        ready: list[tuple[WaitingMessage, Notification]] = []
        decided: list[Decided] = []
        found: dict[ConfigurationId, TemplateSet | None] = {}
        failed = 0
        for each in waiting:
            chosen = options[each.configuration_id]
            why_not = decide_notification(
                each.state,
                switched_on=chosen.tells(each.key.notice),
                suppressed=each.state.awarded.learner_id in silenced,
                key=each.key,
            )
            if why_not is not None:
                decided.append((each, decide_skip_notification(each.state, why_not, each.key)))
                continue
            try:
                templates = found.get(each.configuration_id) or self.templates.of(chosen)
            except TestamurError as error:
                decided.append((each, self._failure(each, "bad-template", str(error))))
                failed += 1
                continue
            found[each.configuration_id] = templates
            try:
                ready.append((each, composing.compose(each, templates)))
            except TestamurError as error:
                decided.append((each, self._failure(each, "no-document", str(error))))
                failed += 1
        self._record(decided)
        return ready, failed

    def _deliver(self, ready: Sequence[tuple[WaitingMessage, Notification]]) -> NotifyCounts:
        by_id = {notification.message_id: each for each, notification in ready}
        messages = [notification for _, notification in ready]
        counts = NotifyCounts()
        trouble: NotDelivered | None = None
        for deliveries in _chunks(self.notifier.deliver(messages), RECORDED_TOGETHER):
            decided = []
            for delivery in deliveries:
                each = by_id[delivery.notification.message_id]
                decided.append((each, self._outcome(each, delivery)))
                if isinstance(delivery, NotDelivered) and delivery.failure == "temporary":
                    trouble = delivery
            self._record_delivered(decided)
            sent = sum(isinstance(delivery, Delivered) for delivery in deliveries)
            counts += NotifyCounts(sent=sent, failed=len(deliveries) - sent)
        if ready and not counts.sent and trouble is not None:
            return replace(counts, stopped_because=f"{trouble.reason}: {trouble.detail}")
        return counts

    def _options(
        self, ids: Iterable[ConfigurationId]
    ) -> dict[ConfigurationId, NotificationOptions]:
        return {id_: self.configurations.notification(id_) for id_ in ids}

    def _outcome(self, each: WaitingMessage, delivery: Delivery) -> list[CredentialEvent]:
        if isinstance(delivery, Delivered):
            return decide_notified(each.state, delivery.notification.message_id, each.key)
        return self._failure(
            each, delivery.reason, delivery.detail, permanent=delivery.failure == "permanent"
        )

    def _failure(
        self, each: WaitingMessage, reason: str, detail: str, *, permanent: bool = False
    ) -> list[CredentialEvent]:
        return decide_fail_notification(
            each.state, reason, detail, self.clock.now(), permanent=permanent, key=each.key
        )

    def _record_delivered(self, decided: Sequence[Decided]) -> None:
        """Record what became of messages, so that none goes out again because of another one."""
        try:
            self._record(decided)
        except ConcurrencyConflict:
            for each in decided:
                # One that was revoked while its message was on the way waits for nothing any more.
                with suppress(ConcurrencyConflict):
                    self._record([each])

    def _record(self, decided: Sequence[Decided]) -> None:
        now = self.clock.now()
        by_run: dict[UUID, list[NewEvents]] = {}
        for each, events in decided:
            by_run.setdefault(each.run_id, []).append(each.credential.followed_by(events))
        for run_id, batch in by_run.items():
            self.events.append(batch, Attribution(NOTIFIER, now, run_id))


def _chunks(deliveries: Iterator[Delivery], size: int) -> Iterator[list[Delivery]]:
    while chunk := list(islice(deliveries, size)):
        yield chunk
