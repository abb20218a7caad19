"""Intake: credentials that no run awards: by hand, and from another system."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from testamur.application.awardees import Awardee, AwardReport, Prospective
from testamur.application.credentials import Credentials
from testamur.application.errors import AlreadyRunning
from testamur.application.import_entries import ImportEntry
from testamur.application.importing import Importing
from testamur.application.manual_awards import ManualAwards
from testamur.application.ports.register import CredentialFilter, CredentialRow, CredentialTally
from testamur.application.ports.tasks import IssueAwarded
from testamur.application.progress import Progress, Unwatched
from testamur.application.work import Done
from testamur.domain.identifiers import ConfigurationId, RunId
from testamur.entrypoints.library.issuing import IssuingCredentials


@dataclass(frozen=True, slots=True)
class AwardOutcome:
    """What became of one learner who was to be awarded a credential by hand.

    Args:
        award: Whether they were, and if not, why not.
        credentials: Where what was awarded stands now.
        unissued_because: Why it is left to the next tick, if it is.
    """

    award: Prospective
    credentials: CredentialTally
    unissued_because: str | None = None


@dataclass(frozen=True, slots=True)
class AwardListOutcome:
    """What became of a list of learners who were to be awarded a credential by hand.

    Args:
        report: Who was awarded it, who holds it already, and who was refused.
        credentials: Where what was awarded stands now.
        unissued_because: Why it is left to the next tick, if it is.
    """

    report: AwardReport
    credentials: CredentialTally
    unissued_because: str | None = None


class IntakeOfCredentials(IssuingCredentials):
    """Awards by hand, and takes over what another system issued."""

    def award(
        self,
        configuration: ConfigurationId,
        learner_id: str,
        full_name: str,
        reason: str,
        *,
        email: str | None = None,
        locale: str | None = None,
        award_date: date | None = None,
    ) -> AwardOutcome:
        """Award a learner by hand, issue the document, and tell them. See `ManualAwards.award`.

        Args:
            configuration: By which configuration; it need not be enabled.
            learner_id: The data source's own opaque id.
            full_name: The name that goes on the document.
            reason: Why; it is kept as the evidence, so it must not name anybody.
            email: Where they are told; None: they are not.
            locale: Language tag (BCP 47); None: the installation's language.
            award_date: The date on the document; None: today.

        Returns:
            What became of it. Whoever holds the credential already gets no other, and who was
            revoked is refused; neither is an error.

        Raises:
            InvalidInput: The id, name, address, language, date or reason is not allowed.
            TestamurError: The configuration cannot be used.
        """
        awardee = Awardee.parse(
            learner_id, full_name, email=email, locale=locale, award_date=award_date
        )
        request = self._request()
        found = self._wiring.resolve(ManualAwards).award(configuration, awardee, reason, request)
        return AwardOutcome(found, *self._issue(request.correlation_id, Unwatched()))

    def awardable(
        self, configuration: ConfigurationId, awardees: Iterable[Awardee], reason: str
    ) -> AwardReport:
        """Tell what :meth:`award_many` would do, writing nothing.

        Raises:
            TestamurError: As :meth:`award_many`.
        """
        return self._wiring.resolve(ManualAwards).look(configuration, awardees, reason)

    def award_many(
        self,
        configuration: ConfigurationId,
        awardees: Iterable[Awardee],
        reason: str,
        *,
        progress: Progress | None = None,
    ) -> AwardListOutcome:
        """Award a list of learners by hand. See `ManualAwards.award_many`.

        Args:
            configuration: By which configuration.
            awardees: Whom; see `Awardee.parse`.
            reason: As for :meth:`award`.
            progress: Is told how far it is.

        Raises:
            TestamurError: As :meth:`award`.
        """
        request, watching = self._request(), progress or Unwatched()
        report = self._wiring.resolve(ManualAwards).award_many(
            configuration, awardees, reason, request, progress=watching
        )
        return AwardListOutcome(report, *self._issue(request.correlation_id, watching))

    def importable(
        self, configuration: ConfigurationId, entries: Iterable[ImportEntry], system: str
    ) -> AwardReport:
        """Tell what :meth:`import_credentials` would do, writing nothing.

        Raises:
            TestamurError: As :meth:`import_credentials`.
        """
        return self._wiring.resolve(Importing).look(configuration, entries, system)

    def import_credentials(
        self,
        configuration: ConfigurationId,
        entries: Iterable[ImportEntry],
        system: str,
        *,
        progress: Progress | None = None,
    ) -> AwardReport:
        """Take over credentials that another system issued. See `Importing.import_all`.

        Args:
            configuration: Whose credentials they are to be; it need not be enabled.
            entries: The credentials, see `ImportEntry.parse`; each learner once.
            system: The name of the system that issued them.
            progress: Is told how far it is.

        Returns:
            How many were taken over (``awarded``), and who holds one already or is refused.

        Raises:
            TestamurError: As `Importing.import_all`.
        """
        report = self._wiring.resolve(Importing).import_all(
            configuration, entries, system, self._request(), progress=progress or Unwatched()
        )
        self._after_work(self.seal)
        self._after_work(self._follow_log)
        return report

    def credentials_by_serial(self, serial: str) -> list[CredentialRow]:
        """Return the credentials with a serial number: all editions, the latest award last.

        Two configurations that count by themselves may give the same number.
        """
        return list(self._wiring.resolve(Credentials).all(CredentialFilter(serial=serial.strip())))

    def _issue(
        self, correlation_id: UUID, progress: Progress
    ) -> tuple[CredentialTally, str | None]:
        """Issue what a request awarded, and return where it stands."""
        done: list[Done] = []
        queue = self._wiring.workers or self._wiring.queue(progress, done)
        unissued = None
        try:
            queue.send(IssueAwarded(RunId(correlation_id)))
        except AlreadyRunning as error:
            unissued = str(error)  # what was awarded is found by the next tick
        self._after_work(self.seal)
        self._after_work(self._follow_log)
        tally = self._wiring.resolve(Credentials).tally(CredentialFilter(run_id=correlation_id))
        return tally, unissued
