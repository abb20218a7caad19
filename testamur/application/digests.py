"""Digests: the staff of a course are told what a run came to, once all of it is settled.

A digest names learners by their opaque ids only: a message that was sent can never be erased.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from testamur.application.aggregates import Loaded, append, fold, load
from testamur.application.configurations import Configurations
from testamur.application.errors import ConcurrencyConflict
from testamur.application.installation import Installation
from testamur.application.ports.event_store import Attribution, EventStore, RecordedEvent
from testamur.application.ports.notification import (
    Notifier,
    StaffDelivery,
    StaffMessage,
    StaffNotifier,
)
from testamur.application.ports.register import CredentialFilter, CredentialTally, Register
from testamur.application.ports.system import Clock, WorkLocks
from testamur.application.requests import NOTIFIER
from testamur.domain import digests, runs
from testamur.domain.credentials import CredentialStatus, IssuanceFailed
from testamur.domain.digests import Digest, DigestEvent
from testamur.domain.identifiers import ConfigurationId, CredentialId, LearnerId, RunId, digest_id
from testamur.domain.runs import IssuanceRun, LearnersLeftOut, LearnersRefused

#: So many learners are named of each kind; the rest is counted.
MOST_NAMED: Final = 50

_PAGE: Final = 500


def request_digest(
    events: EventStore, run_id: RunId, configuration_id: ConfigurationId, by: Attribution
) -> None:
    """Have the staff told of a run once it is settled; nothing happens where that is asked for.

    It is asked for before the run's end is recorded, so that no crash loses it.

    Args:
        events: Where it is recorded.
        run_id: Which run.
        configuration_id: The run's configuration.
        by: Who asks.
    """
    known = load(events, digest_id(run_id), digests.evolve)
    decided = digests.decide_request_digest(known.state, run_id, configuration_id)
    append(events, known, decided, by)


@dataclass(frozen=True, slots=True)
class _Failing:
    """A credential whose document could not be made yet."""

    learner_id: LearnerId
    reason: str


@dataclass(frozen=True, slots=True)
class Digests:
    """Tells staff of runs, and keeps the ledger of it."""

    events: EventStore
    register: Register
    configurations: Configurations
    notifier: Notifier
    locks: WorkLocks
    clock: Clock
    installation: Installation

    def send_due(self) -> int:
        """Send the digests that are due, and return how many were sent.

        One is due once its run is over and each of its documents was issued, or failed to be.

        Raises:
            AlreadyRunning: Another process is at it.
            EventStoreError: The store cannot be read or written.
        """
        rows = list(self.register.catalogue("digest", active_only=True))
        if not rows:
            return 0
        with self.locks.hold("digests"):
            return sum(self._deal_with(row.stream_id) for row in rows)

    def _deal_with(self, id_: UUID) -> bool:
        recorded = self.events.load(id_)
        known = fold(id_, recorded, digests.evolve)
        digest = known.state
        now = self.clock.now()
        if digest is None or digest.done or (digest.retry_at and digest.retry_at > now):
            return False
        run_id = digest.requested.run_id
        history = self.events.load(run_id)
        run = fold(run_id, history, runs.evolve).state
        tally = self.register.tally(CredentialFilter(run_id=run_id))
        if run is None or not _settled(run, tally):
            return False
        staff = self.configurations.notification(digest.requested.configuration_id).digest_to
        if not staff or not isinstance(self.notifier, StaffNotifier):
            self._record(known, digests.decide_skip_digest(digest, "nobody-to-tell"), run_id)
            return False
        if not (tally.by_status or run.refused or run.left_out or not run.completed):
            self._record(known, digests.decide_skip_digest(digest, "nothing-to-tell"), run_id)
            return False
        subject, text = self._words(digest, run, history, tally)
        messages = [
            StaffMessage(
                self.installation.digest_message_id(run_id),
                recorded[0].attribution.at,
                address,
                subject,
                text,
            )
            for address in staff
        ]
        outcomes = list(self.notifier.deliver_to_staff(messages))
        return self._record(known, self._outcome(digest, outcomes), run_id)

    def _outcome(self, digest: Digest, outcomes: Sequence[StaffDelivery]) -> list[DigestEvent]:
        """Decide what became of a digest.

        Whoever got it gets it no second time because of others, unless nobody did.
        """
        sent = sum(each.reason is None for each in outcomes)
        if sent:
            message_id = outcomes[0].message.message_id
            return digests.decide_digest_sent(digest, message_id, sent, len(outcomes) - sent)
        permanent = all(each.failure == "permanent" for each in outcomes)
        reasons = Counter(each.reason for each in outcomes)
        reason = next((reason for reason, _ in reasons.most_common() if reason), "unknown")
        return digests.decide_fail_digest(digest, reason, self.clock.now(), permanent=permanent)

    def _record(self, known: Loaded[Digest], decided: Sequence[DigestEvent], run_id: RunId) -> bool:
        try:
            append(self.events, known, decided, Attribution(NOTIFIER, self.clock.now(), run_id))
        except ConcurrencyConflict:
            return False  # another process dealt with it in this moment
        return any(isinstance(event, digests.DigestSent) for event in decided)

    # What it says

    def _words(
        self,
        digest: Digest,
        run: IssuanceRun,
        history: Sequence[RecordedEvent],
        tally: CredentialTally,
    ) -> tuple[str, str]:
        configuration = self.configurations.get(digest.requested.configuration_id)
        type_ = self.configurations.types.get(configuration.type_slug)
        failing = list(self._failing(digest.requested.run_id))
        issued = tally.by_status.get(CredentialStatus.ISSUED, 0)
        refusals = [
            each
            for recorded in history
            if isinstance(recorded.event, LearnersRefused)
            for each in recorded.event.refusals
        ]
        left_out = [
            each
            for recorded in history
            if isinstance(recorded.event, LearnersLeftOut)
            for each in recorded.event.learners
        ]
        name = type_.definition.name
        subject = f"{name}, {configuration.context_key}: {issued:,} issued"
        troubled = len(failing) + len(refusals) + len(left_out)
        if troubled:
            subject += f", {troubled:,} not"
        started = history[0].attribution.at.astimezone(self.installation.time_zone)
        lines = [
            f"{name} ({configuration.type_slug})",
            configuration.context_key,
            f"Run {digest.requested.run_id}, started {started:%Y-%m-%d %H:%M} ({started.tzname()})",
            "",
        ]
        counts = run.counts.model_dump() if run.counts else {}
        lines += [f"{count:,} {what.replace('_', ' ')}" for what, count in counts.items() if count]
        lines += [f"{count:,} {status}" for status, count in sorted(tally.by_status.items())]
        lines += [
            f"{count:,} messages {status}" for status, count in sorted(tally.notifications.items())
        ]
        lines += _named(
            "Eligible, and could not be awarded; the next run tries them again:",
            [(each.learner_id, each.reason) for each in refusals],
        )
        lines += _named(
            "Could not be judged; the next run tries them again:",
            [(each.learner_id, each.reason) for each in left_out],
        )
        lines += _named(
            "Awarded, and the document could not be made yet; it is tried again:",
            [(each.learner_id, each.reason) for each in failing],
        )
        lines += ["", "This message was sent automatically."]
        return subject, "\n".join(lines) + "\n"

    def _failing(self, run_id: RunId) -> Iterator[_Failing]:
        """Yield the credentials of a run whose documents could not be made, and why."""
        where = CredentialFilter(run_id=run_id, status=CredentialStatus.AWARDED)
        after: CredentialId | None = None
        while page := self.register.credentials(where, _PAGE, after):
            streams = self.events.load_many([row.credential_id for row in page])
            for row in page:
                failures = [
                    each.event
                    for each in streams.get(row.credential_id, ())
                    if isinstance(each.event, IssuanceFailed)
                ]
                if failures:
                    yield _Failing(row.learner_id, failures[-1].reason)
            after = page[-1].credential_id


def _settled(run: IssuanceRun, tally: CredentialTally) -> bool:
    return run.completed and tally.by_status.get(CredentialStatus.AWARDED, 0) == tally.failing


def _named(title: str, learners: Sequence[tuple[LearnerId, str]]) -> list[str]:
    if not learners:
        return []
    lines = ["", title]
    lines += [f"  {learner_id}: {reason}" for learner_id, reason in learners[:MOST_NAMED]]
    if len(learners) > MOST_NAMED:
        lines.append(f"  and {len(learners) - MOST_NAMED:,} more")
    return lines
