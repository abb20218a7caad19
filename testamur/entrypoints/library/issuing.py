"""Issuing: who is eligible, what it will look like, runs and ticks."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from pydantic import JsonValue

from testamur.application.credentials import Credentials
from testamur.application.errors import Unforeseen
from testamur.application.following import Following
from testamur.application.notifying import NotifyCounts
from testamur.application.ports.register import CredentialFilter, CredentialTally, Register, RunRow
from testamur.application.ports.tasks import AwardRun
from testamur.application.previewing import Look, Preview, Previews
from testamur.application.progress import Progress, Unwatched
from testamur.application.prospects import Prospect
from testamur.application.run_status import RunStatus, RunStatuses
from testamur.application.running import Runs
from testamur.application.standing import LearnerStanding, Standings
from testamur.application.tick_reports import Problem, TickReport
from testamur.application.ticking import Ticking
from testamur.application.work import Done
from testamur.domain.errors import InvalidInput, TestamurError
from testamur.domain.identifiers import ConfigurationId, LearnerId, RunId, parse_learner_id
from testamur.domain.run_results import RunCounts
from testamur.domain.runs import IssuanceRun, RunNeedsApproval
from testamur.entrypoints.library.proofs import Proofs

#: Events by which the audit trail is brought on after work: that takes some seconds. What is left
#: over is for the next time.
MOST_FOLLOWED: Final = 200_000


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """What a run did.

    Args:
        run_id: The run.
        counts: What it found and awarded, in learners.
        credentials: Where the credentials that it awarded stand now.
        untold_because: Why telling learners stopped, if the mail server took nothing at all; the
            next tick tries again.
        unsealed_because: Why the log could not be sealed, if it could not; the next tick tries
            again.
        unfollowed_because: Why the audit trail could not be brought on, if it could not; the next
            tick tries again.
        needs_approval: Why somebody has to approve it first, if so; nobody was awarded.
        is_left_to_workers: Whether workers carry it out, so that nothing is known of it yet.
    """

    run_id: RunId
    counts: RunCounts
    credentials: CredentialTally
    untold_because: str | None = None
    unsealed_because: str | None = None
    unfollowed_because: str | None = None
    needs_approval: RunNeedsApproval | None = None
    is_left_to_workers: bool = False


class IssuingCredentials(Proofs):
    """Awards, issues and tells."""

    def eligibility(self, context_key: str, learner_id: str) -> LearnerStanding:
        """Tell what a learner has reached of each credential of a context, and holds already.

        It is asked of the data source now, to be shown to the learner; nothing is written. See
        `Standings.of`.

        Raises:
            InvalidInput: The key or the learner id is not allowed.
            NotFound: Neither the data source nor any credential of the context knows the learner.
            RetrievalError: The data source does not know the context, or cannot be asked.
        """
        return self._wiring.resolve(Standings).of(context_key, parse_learner_id(learner_id))

    def preview(
        self,
        subject: ConfigurationId | str,
        *,
        name: str | None = None,
        language: str | None = None,
        context_name: str | None = None,
        options: Mapping[str, JsonValue] | None = None,
        guides: bool = False,
        dpi: int | None = None,
    ) -> Iterator[Preview]:
        """Yield what certificates will look like, marked as samples; nothing is written.

        Args:
            subject: A configuration, or the slug of a type to look at by itself.
            name: Only a learner of this name; None: invented ones, in many scripts.
            language: Language tag (BCP 47) of the learner; without a name, only samples in it.
            context_name: What the course, lesson or pathway is called; None: as the data source
                says, or an invented name where it cannot be asked.
            options: Tried in place of the configuration's own, which stay as they are.
            guides: Whether the place of each element is drawn over the page.
            dpi: Makes pictures of the pages too (PNG), with so many pixels to the inch. They need
                the extra ``preview``.

        Raises:
            TestamurError: As `Previews.of_configuration` and `Previews.of_type`.
        """
        look = Look(name, language, context_name, options, guides, dpi)
        previews = self._wiring.resolve(Previews)
        if isinstance(subject, UUID):
            return previews.of_configuration(subject, look)
        return previews.of_type(subject, look)

    def dry_run(
        self,
        configuration: ConfigurationId,
        *,
        learner_id: str | None = None,
        progress: Progress | None = None,
    ) -> Iterator[Prospect]:
        """Yield what a run would do for each learner, writing nothing. See `Runs.dry_run`."""
        learner = parse_learner_id(learner_id) if learner_id is not None else None
        return self._wiring.resolve(Runs).dry_run(
            configuration, progress or Unwatched(), learner_id=learner
        )

    def run(
        self,
        configuration: ConfigurationId,
        *,
        learner_id: str | None = None,
        limit: int | None = None,
        progress: Progress | None = None,
    ) -> RunOutcome:
        """Award, issue and tell whoever is eligible now, and return what was done.

        If the guard does not let that many pass, nobody is awarded, and the outcome says so.

        Args:
            configuration: Whose learners to go over; it need not be enabled.
            learner_id: Only this learner.
            limit: The most credentials to award, at least 1.
            progress: Is told how far it is.

        Raises:
            InvalidInput: The limit or the learner id is not allowed.
            AlreadyRunning: Another process carries out a run of this configuration.
            TestamurError: The configuration cannot be used, or the data source not be asked in
                full. What a document's making or a message's sending runs into is recorded with
                the credential, and counted in the outcome.
        """
        learner, limit = _checked(learner_id, limit)
        runs = self._wiring.resolve(Runs)
        id_ = runs.start(configuration, self._request(), learner_id=learner, limit=limit)
        return self._carry_out(id_, progress or Unwatched())

    def start_run(
        self,
        configuration: ConfigurationId,
        *,
        learner_id: str | None = None,
        limit: int | None = None,
    ) -> RunId:
        """Start a run and leave it to the workers. See :meth:`run_status` for what becomes of it.

        Args:
            configuration: Whose learners to go over; it need not be enabled.
            learner_id: Only this learner.
            limit: The most credentials to award, at least 1.

        Raises:
            InvalidInput: There are no workers, or the limit or the learner id is not allowed.
            QueueError: The queue cannot be used; a tick hands the run over later.
            TestamurError: As `Runs.start`.
        """
        workers = self._wiring.workers
        if workers is None:
            raise InvalidInput("queue", "inline", "redis://… where a run is left to workers")
        learner, checked = _checked(learner_id, limit)
        id_ = self._wiring.resolve(Runs).start(
            configuration, self._request(), learner_id=learner, limit=checked
        )
        workers.send(AwardRun(id_))
        return id_

    def tick(self, *, progress: Progress | None = None) -> TickReport:
        """Do whatever is due now: scheduled runs, and what was interrupted. See `Ticking.tick`.

        Where there are workers, it is handed over to them, and the report tells nothing of what
        they do.
        """
        done: list[Done] = []
        report = self._wiring.resolve(Ticking).tick(
            self._wiring.workers or self._wiring.queue(progress or Unwatched(), done)
        )
        report.add(done)
        if unsealed := self._after_work(self.seal):
            report.problems.append(Problem("sealing the log", unsealed))
        if unfollowed := self._after_work(self._follow_log):
            report.problems.append(Problem("bringing the audit trail on", unfollowed))
        return report

    def runs(self, configuration: ConfigurationId | None = None) -> list[RunRow]:
        """Return the runs of a configuration, or of all, latest first."""
        return self._wiring.resolve(Register).runs(configuration)

    def run_state(self, id_: RunId) -> IssuanceRun:
        """Return a run. See `Runs.get`."""
        return self._wiring.resolve(Runs).get(id_)

    def run_status(self, id_: RunId) -> RunStatus:
        """Tell how far a run is, while it goes on and afterwards. See `RunStatuses.of`.

        Raises:
            NotFound: There is no such run.
            QueueError: The queue cannot be asked how many learners were looked at.
        """
        workers = self._wiring.workers
        evaluated = None if workers is None else workers.evaluated(id_)
        return self._wiring.resolve(RunStatuses).of(id_, evaluated)

    def _carry_out(self, id_: RunId, progress: Progress) -> RunOutcome:
        """Do a run with all that follows, here and now."""
        done: list[Done] = []
        self._wiring.queue(progress, done).send(AwardRun(id_))
        stops = [each.stopped_because for each in done if isinstance(each, NotifyCounts)]
        run = self._wiring.resolve(Runs).get(id_)
        asked = run.asked if run.approval == "needed" else None
        tally = self._wiring.resolve(Credentials).tally(CredentialFilter(run_id=id_))
        unsealed = self._after_work(self.seal)
        unfollowed = self._after_work(self._follow_log)
        return RunOutcome(
            id_,
            run.counts or (asked.counts if asked else RunCounts()),
            tally,
            next(iter(stops), None),
            unsealed_because=str(unsealed) if unsealed else None,
            unfollowed_because=str(unfollowed) if unfollowed else None,
            needs_approval=asked,
        )

    def _follow_log(self) -> int:
        return self._wiring.resolve(Following).catch_up(MOST_FOLLOWED)

    def _after_work(self, also: Callable[[], object]) -> TestamurError | None:
        """Do something else as far as can be; the work is done, whatever becomes of this."""
        try:
            also()
        except TestamurError as error:
            return error
        except Exception as error:  # noqa: BLE001 - reported
            return Unforeseen(error)
        return None


def _checked(learner_id: str | None, limit: int | None) -> tuple[LearnerId | None, int | None]:
    if limit is not None and limit < 1:
        raise InvalidInput("limit", limit, "a number from 1")
    return (None if learner_id is None else parse_learner_id(learner_id)), limit
