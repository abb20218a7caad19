"""Approving: runs that would award more than their guard lets pass, and what becomes of them."""

from collections.abc import Iterator

from testamur.application.approving import Approvals
from testamur.application.guarding import GuardLimit
from testamur.application.ports.register import CredentialTally, Register, RunRow
from testamur.application.ports.tasks import AwardRun
from testamur.application.progress import Progress, Unwatched
from testamur.application.running import Runs
from testamur.domain.identifiers import ConfigurationId, LearnerId, RunId
from testamur.domain.run_results import RunCounts
from testamur.entrypoints.library.issuing import IssuingCredentials, RunOutcome


class ApprovingRuns(IssuingCredentials):
    """Decides on runs that need approval."""

    def guard_limits(self, configuration: ConfigurationId) -> list[GuardLimit]:
        """Return how much a run over everybody may award by itself. See `Runs.limits`."""
        return self._wiring.resolve(Runs).limits(configuration)

    def runs_to_approve(self, configuration: ConfigurationId | None = None) -> list[RunRow]:
        """Return the runs that wait for approval, of a configuration or of all, latest first."""
        return self._wiring.resolve(Register).runs_to_approve(configuration)

    def proposed_learners(self, id_: RunId) -> Iterator[LearnerId]:
        """Yield the learners whom a run that needs approval would award. See `Approvals.proposed`.

        Raises:
            NotFound: There is no such run.
            DecisionRefused: It never needed approval.
        """
        return self._wiring.resolve(Approvals).proposed(id_)

    def approve_run(
        self, id_: RunId, reason: str, *, progress: Progress | None = None
    ) -> RunOutcome:
        """Let a run award those on its list who are eligible still, and return what was done.

        Where there are workers, it is handed over to them, and the outcome says so. One that was
        approved already goes on where it stands.

        Args:
            id_: Which run.
            reason: Why; it is kept in the history.
            progress: Is told how far it is.

        Raises:
            NotFound: There is no such run.
            InvalidInput: The reason is empty.
            DecisionRefused: It does not need approval, or was rejected.
            AlreadyRunning: Another run of the configuration goes on right now. It is approved, and
                the next tick carries it out.
            TestamurError: As :meth:`run`. It is approved; a tick tries again what the schedule
                started, and approving it once more tries again any.
        """
        self._wiring.resolve(Approvals).approve(id_, reason, self._request())
        workers = self._wiring.workers
        if workers is not None:
            workers.send(AwardRun(id_))
            return RunOutcome(id_, RunCounts(), CredentialTally(), is_left_to_workers=True)
        return self._carry_out(id_, progress or Unwatched())

    def reject_run(self, id_: RunId, reason: str) -> None:
        """End a run that needs approval; it awards nobody. See `Approvals.reject`.

        Raises:
            NotFound: There is no such run.
            InvalidInput: The reason is empty.
            DecisionRefused: It does not need approval, or was approved.
        """
        self._wiring.resolve(Approvals).reject(id_, reason, self._request())
