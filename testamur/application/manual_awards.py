"""Awards by hand: a person decides that learners get a credential, and says why.

They go the way of all awards: the same checks, the same transaction, and then the passes that issue
and tell. Nobody gets a second credential, and who was revoked does not get one this way.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from testamur.application.awardees import (
    Awardee,
    AwardReport,
    Prospective,
    Tally,
    batches,
    latest_of,
    of_holder,
)
from testamur.application.awarding import Awarding
from testamur.application.configurations import Configurations
from testamur.application.expiring import with_expiry
from testamur.application.installation import Installation
from testamur.application.occasions import Basis, Occasion, occasion_of
from testamur.application.ports.register import Register
from testamur.application.ports.retrieval import RetrievalSource
from testamur.application.ports.system import Clock, IdSource
from testamur.application.progress import Progress, Step, Unwatched
from testamur.application.requests import Request
from testamur.domain.credentials import CredentialAwarded
from testamur.domain.erasures import parse_reason
from testamur.domain.errors import InvalidInput
from testamur.domain.identifiers import ConfigurationId, credential_id

SOURCE: Final = "manual"
"""What the evidence says where a person decided."""


@dataclass(frozen=True, slots=True)
class ManualAwards:
    """Awards learners by hand."""

    register: Register
    configurations: Configurations
    source: RetrievalSource
    awarding: Awarding
    ids: IdSource
    clock: Clock
    installation: Installation

    def award(
        self, configuration: ConfigurationId, awardee: Awardee, reason: str, request: Request
    ) -> Prospective:
        """Award one learner, unless they hold the credential or cannot be awarded it.

        It is recorded; issuing it is the next pass's.

        Args:
            configuration: By which configuration; it need not be enabled.
            awardee: Whom.
            reason: Why; it is kept as the evidence, so it must not name anybody.
            request: Who asks.

        Raises:
            NotFound: There is no such configuration.
            InvalidInput: The reason is empty, holds an e-mail address or the learner's name; or
                the award date is to come.
            DecisionRefused: The configuration is retired, or its type is.
            TestamurError: The configuration cannot be used, or the data source not say what the
                context is called.
        """
        parse_reason(reason, names=(awardee.full_name,))
        occasion = self._occasion(configuration, reason)
        self._check_dates([awardee])
        (outcome,) = self._award([awardee], occasion, request)
        return outcome

    def look(
        self, configuration: ConfigurationId, awardees: Iterable[Awardee], reason: str
    ) -> AwardReport:
        """Tell what :meth:`award_many` would do, writing nothing.

        Raises:
            TestamurError: As :meth:`award_many`.
        """
        occasion = self._occasion(configuration, reason)
        tally = Tally()
        for batch in batches(awardees):
            self._check_dates(batch)
            tally.add(self._judge(batch, occasion)[0])
        return tally.report()

    def award_many(
        self,
        configuration: ConfigurationId,
        awardees: Iterable[Awardee],
        reason: str,
        request: Request,
        *,
        progress: Progress | None = None,
    ) -> AwardReport:
        """Award a list of learners, batch by batch, each in one transaction.

        Where it is interrupted, those who were awarded hold the credential, and calling it again
        awards the others. Nobody is awarded twice, also not by a run that goes on meanwhile.

        Args:
            configuration: By which configuration.
            awardees: Whom; each learner once.
            reason: As for :meth:`award`; that it names none of them is not checked.
            request: Who asks.
            progress: Is told how far it is.

        Raises:
            NotFound, InvalidInput, DecisionRefused, TestamurError: As :meth:`award`; nothing of the
                batch was written.
        """
        occasion = self._occasion(configuration, reason)
        watching = progress or Unwatched()
        tally = Tally()
        for batch in batches(awardees):
            self._check_dates(batch)
            found = self._award(batch, occasion, request)
            tally.add(found)
            watching.advance(Step.AWARD, sum(each.outcome == "award" for each in found))
        return tally.report()

    def _occasion(self, configuration: ConfigurationId, reason: str) -> Occasion:
        basis = Basis(SOURCE, note=parse_reason(reason))
        return occasion_of(configuration, basis, self.configurations, self.source)

    def _check_dates(self, awardees: Iterable[Awardee]) -> None:
        today = self.installation.date_of(self.clock.now())
        for each in awardees:
            if each.award_date is not None and each.award_date > today:
                where = f"{each.place}: award_date" if each.place else "award_date"
                raise InvalidInput(where, each.award_date.isoformat(), f"a day until {today}")

    def _award(
        self, batch: Sequence[Awardee], occasion: Occasion, request: Request
    ) -> list[Prospective]:
        found, awards = self._judge(batch, occasion)
        if not awards:
            return found
        by_credential = {
            credential_id(award.configuration_id, award.learner_id): award for award in awards
        }
        serial = occasion.prepared.options.serial
        written = self.awarding.award(by_credential, request.attribution(self.clock), serial)
        if written == len(awards):
            return found
        # Another was first with some of them; whose award is of another request is theirs.
        return [self._as_it_came(each, occasion, request) for each in found]

    def _as_it_came(self, found: Prospective, occasion: Occasion, request: Request) -> Prospective:
        if found.outcome != "award":
            return found
        row = latest_of(self.register, occasion.prepared.id, found.awardee.learner_id)
        if row is None or row.run_id == request.correlation_id:
            return found
        return of_holder(found.awardee, row)

    def _judge(
        self, batch: Sequence[Awardee], occasion: Occasion
    ) -> tuple[list[Prospective], list[CredentialAwarded]]:
        """Sort out some learners without writing anything."""
        ids = [each.learner_id for each in batch]
        lacking = self.register.not_holding(occasion.prepared.id, ids)
        found: list[Prospective] = []
        awards: list[CredentialAwarded] = []
        for awardee in batch:
            if awardee.learner_id not in lacking:
                row = latest_of(self.register, occasion.prepared.id, awardee.learner_id)
                twice = "the learner is named twice"
                found.append(
                    of_holder(awardee, row) if row else Prospective(awardee, "refused", twice)
                )
                continue
            award = self._award_of(awardee, occasion)
            refusal = self.awarding.check(occasion.prepared, award)
            if refusal is not None:
                found.append(Prospective(awardee, "refused", refusal.detail))
                continue
            lacking.discard(awardee.learner_id)
            awards.append(award)
            id_ = credential_id(award.configuration_id, award.learner_id)
            found.append(Prospective(awardee, "award", credential_id=id_))
        return found, awards

    def _award_of(self, awardee: Awardee, occasion: Occasion) -> CredentialAwarded:
        now, verification_id = self.clock.now(), self.ids.verification_id()
        award = occasion.award_to(awardee, verification_id, self.installation, now)
        return with_expiry(award, occasion.prepared, self.installation, now)
