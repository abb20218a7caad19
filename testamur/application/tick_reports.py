"""Tick reports: what a tick found and did, and what it could not do."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from testamur.application.correcting import Corrected
from testamur.application.errors import AlreadyRunning, Unforeseen
from testamur.application.issuing import IssueCounts
from testamur.application.notifying import NotifyCounts
from testamur.application.withdrawing import Withdrawal
from testamur.application.work import Done
from testamur.domain.errors import TestamurError
from testamur.domain.identifiers import ConfigurationId, LearnerId, ReconciliationId, RunId


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that a tick could not do; the rest went on.

    Args:
        subject: What it was about.
        error: What went wrong.
    """

    subject: str
    error: TestamurError


@dataclass(slots=True)
class TickReport:
    """What a tick found and did.

    Args:
        started: Runs whose slot had come.
        resumed: Runs that were interrupted or had failed, tried again.
        disabled: Configurations whose schedule had ended, with the reason.
        left_to_others: Work that another process was at.
        erased: Learners whose erasure was asked for, and was finished.
        withdrawn: What became of files of credentials that had ended, which a crash or a storage
            that failed had left in their public places.
        reminders: Learners who are to be reminded that a credential of theirs expires.
        needs_approval: Runs that wait until somebody has approved or rejected them, latest first;
            no slot of their configurations is started meanwhile.
        problems: What could not be done.
        issued: What was issued, and what failed to be; a queue that works elsewhere tells nothing.
        notified: Who was told and who not; a queue that works elsewhere tells nothing.
        digests: Messages to staff about runs.
        reconciling: Reconciliations that the option ``reconcile`` made due, or that were
            interrupted; they only propose.
        corrected: What became of corrections that were accepted and not carried out until then.
        corrections: How many corrections wait until somebody has accepted or rejected them.
    """

    started: list[RunId] = field(default_factory=list)
    resumed: list[RunId] = field(default_factory=list)
    disabled: dict[ConfigurationId, str] = field(default_factory=dict)
    left_to_others: list[str] = field(default_factory=list)
    erased: list[LearnerId] = field(default_factory=list)
    withdrawn: Withdrawal = field(default_factory=Withdrawal)
    reminders: int = 0
    needs_approval: list[RunId] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    issued: IssueCounts = field(default_factory=IssueCounts)
    notified: NotifyCounts = field(default_factory=NotifyCounts)
    digests: int = 0
    reconciling: list[ReconciliationId] = field(default_factory=list)
    corrected: Corrected = field(default_factory=Corrected)
    corrections: int = 0

    def add(self, done: Iterable[Done]) -> None:
        """Add what the tick's tasks did."""
        for each in done:
            if isinstance(each, IssueCounts):
                self.issued += each
            elif isinstance(each, NotifyCounts):
                self.notified += each

    @contextmanager
    def going_on_after(self, subject: str) -> Iterator[None]:
        """Report what goes wrong in the block; what comes after the block goes on.

        Args:
            subject: What the block is about.
        """
        try:
            yield
        except AlreadyRunning as error:
            self.left_to_others.append(error.work)
        except Exception as error:  # noqa: BLE001 - reported, and the rest goes on
            told = error if isinstance(error, TestamurError) else Unforeseen(error)
            self.problems.append(Problem(subject, told))
