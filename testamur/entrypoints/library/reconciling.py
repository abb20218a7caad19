"""Reconciling: credentials compared with today's verdicts, and the corrections that come of it."""

from collections.abc import Iterator
from dataclasses import dataclass

from testamur.application.comparing import Compared
from testamur.application.correcting import Corrected, Correcting, CorrectionFilter
from testamur.application.errors import AlreadyRunning
from testamur.application.ports.tasks import IssueAwarded
from testamur.application.progress import Progress, Unwatched
from testamur.application.reconciling import Reconciling
from testamur.application.work import Done
from testamur.domain.corrections import Correction
from testamur.domain.identifiers import ConfigurationId, CorrectionId, ReconciliationId, RunId
from testamur.domain.reconciliations import Reconciliation, ReconciliationCounts
from testamur.entrypoints.library.issuing import IssuingCredentials


@dataclass(frozen=True, slots=True)
class ReconciliationOutcome:
    """What a reconciliation came to.

    Args:
        reconciliation_id: The reconciliation.
        counts: What it found and proposed.
    """

    reconciliation_id: ReconciliationId
    counts: ReconciliationCounts


class ReconcilingCredentials(IssuingCredentials):
    """Compares credentials with today's verdicts; people decide on what is found."""

    def reconcile(
        self, configuration: ConfigurationId, *, progress: Progress | None = None
    ) -> ReconciliationOutcome:
        """Compare the credentials of a configuration, and propose corrections.

        No credential changes: see :meth:`accept_correction`. See `Reconciling.carry_out`.

        Args:
            configuration: Whose credentials; it may be disabled or retired.
            progress: Is told how far it is.

        Raises:
            NotFound, InvalidInput, InvalidOptions, RenderingError: The configuration cannot be
                used as it is; nothing was written.
            AlreadyRunning: Another process is at it.
            RetrievalError: The data source cannot tell; what was found until then is proposed.
        """
        reconciling = self._wiring.resolve(Reconciling)
        id_ = reconciling.start(configuration, self._request())
        return ReconciliationOutcome(id_, reconciling.carry_out(id_, progress or Unwatched()))

    def reconcile_dry_run(
        self, configuration: ConfigurationId, *, progress: Progress | None = None
    ) -> Iterator[Compared]:
        """Yield what :meth:`reconcile` would find, writing nothing. See `Reconciling.dry_run`."""
        return self._wiring.resolve(Reconciling).dry_run(configuration, progress or Unwatched())

    def reconciliation(self, id_: ReconciliationId) -> Reconciliation:
        """Return a reconciliation.

        Raises:
            NotFound: There is no such reconciliation.
        """
        return self._wiring.resolve(Reconciling).get(id_)

    def corrections(
        self, where: CorrectionFilter | None = None
    ) -> Iterator[tuple[CorrectionId, Correction]]:
        """Yield the corrections that wait for a decision, with their ids."""
        return self._wiring.resolve(Correcting).waiting(where)

    def correction(self, id_: CorrectionId) -> Correction:
        """Return a correction, whatever became of it.

        Raises:
            NotFound: There is no such correction.
        """
        return self._wiring.resolve(Correcting).get(id_)

    def accept_correction(self, id_: CorrectionId, reason: str, *, tell: bool = False) -> Corrected:
        """Accept a correction, and carry it out: revoke, reissue, or award and issue.

        See `Correcting.accept`.

        Args:
            id_: Which.
            reason: Why; it stays in the history, so it must not name anybody.
            tell: Whether the learner is to be told of a revocation or a new edition.

        Returns:
            Whether it was carried out, is tried again by ticks, or cannot be done any more.

        Raises:
            NotFound: There is no such correction.
            InvalidInput: The reason is not allowed.
            DecisionRefused: It was rejected, or does not apply any more.
        """
        request = self._request()
        done = self._wiring.resolve(Correcting).accept(id_, reason, request, tell=tell)
        self._issue_awarded(RunId(request.correlation_id), done, Unwatched())
        return done

    def accept_corrections(
        self,
        where: CorrectionFilter,
        reason: str,
        *,
        expect: int,
        tell: bool = False,
        progress: Progress | None = None,
    ) -> Corrected:
        """Accept the corrections that a filter lets through. See `Correcting.accept_many`.

        Args:
            where: Which.
            reason: As for :meth:`accept_correction`.
            expect: How many it is to be.
            tell: As for :meth:`accept_correction`.
            progress: Is told how far it is.

        Raises:
            InvalidInput: The reason is not allowed, or by now it is another number; nothing was
                written.
        """
        request, watching = self._request(), progress or Unwatched()
        done = self._wiring.resolve(Correcting).accept_many(
            where, reason, request, expect=expect, tell=tell, progress=watching
        )
        self._issue_awarded(RunId(request.correlation_id), done, watching)
        return done

    def reject_correction(self, id_: CorrectionId, reason: str) -> None:
        """Reject a correction; it is not proposed again until something about it changes.

        Raises:
            NotFound: There is no such correction.
            InvalidInput: The reason is not allowed.
            DecisionRefused: It was accepted, or does not apply any more.
        """
        self._wiring.resolve(Correcting).reject(id_, reason, self._request())

    def reject_corrections(self, where: CorrectionFilter, reason: str, *, expect: int) -> int:
        """Reject the corrections that a filter lets through, and return how many there were.

        Raises:
            InvalidInput: As :meth:`accept_corrections`.
        """
        return self._wiring.resolve(Correcting).reject_many(
            where, reason, self._request(), expect=expect
        )

    def _issue_awarded(self, request: RunId, done: Corrected, progress: Progress) -> None:
        """Issue what was awarded by a correction; of all others there is nothing to issue."""
        if not done.done:
            return
        told: list[Done] = []
        try:
            self._wiring.queue(progress, told).send(IssueAwarded(request))
        except AlreadyRunning:
            return  # another process issues just now, and the next tick does what it leaves
