"""Awarding: from a page of learners' records to awards in the event store."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from testamur.application.aggregates import Loaded
from testamur.application.configurations import PreparedConfiguration
from testamur.application.documents import document_of
from testamur.application.errors import ConcurrencyConflict, RenderingError
from testamur.application.expiring import expired_before, with_expiry
from testamur.application.installation import Installation
from testamur.application.ports.event_store import Attribution, EventStore, NewEvents
from testamur.application.ports.register import Register
from testamur.application.ports.retrieval import RetrievalSource
from testamur.application.ports.system import IdSource
from testamur.application.recertifying import Recertifying, Renewal
from testamur.application.serials import Serials
from testamur.domain.credentials import (
    Credential,
    CredentialAwarded,
    decide_award,
    decide_recertify,
    decide_supersede,
)
from testamur.domain.eligibility import Inquiry, Verdict, judge
from testamur.domain.identifiers import CredentialId, LearnerId, credential_id
from testamur.domain.learning import LearnerRecord
from testamur.domain.personal_data import Person
from testamur.domain.run_results import LeftOut, Refusal
from testamur.domain.serials import SerialRule

#: A page is tried again when another writer was first; each time there is less of it left.
MOST_CONFLICTS: Final = 20
#: Where they are numbered, nothing may be less: others took the numbers.
MOST_NUMBERED_CONFLICTS: Final = 500


@dataclass(frozen=True, slots=True)
class AwardBasis:
    """What the awards of one run share.

    Args:
        context_name: Name of the context, as the credentials are to show it.
        retrieved_at: When the data source was asked (aware).
    """

    context_name: str
    retrieved_at: datetime

    @classmethod
    def of(cls, prepared: PreparedConfiguration, inquiry: Inquiry) -> "AwardBasis":
        """Return that of an inquiry into a configuration's learners."""
        shown = prepared.options.context.certificate_name or inquiry.facts.shown_name
        return cls(shown, inquiry.retrieved_at)


@dataclass(frozen=True, slots=True)
class SiftedPage:
    """A page of learners, sorted out by what they have achieved.

    Args:
        held: Who holds the credential already; they were not judged.
        left_out: Who was not judged because the data source cannot tell what they have achieved.
        not_eligible: Verdicts of those who do not meet the criteria.
        earned: Verdicts of those who do.
        renewals: What those of them who hold it would renew.
    """

    held: frozenset[LearnerId]
    left_out: tuple[LeftOut, ...]
    not_eligible: tuple[Verdict, ...]
    earned: tuple[Verdict, ...]
    renewals: Mapping[LearnerId, Renewal]


@dataclass(frozen=True, slots=True)
class JudgedPage:
    """A page of learners, sorted out by what is to become of each.

    Args:
        held: Who holds the credential already; they were not judged.
        left_out: Who was not judged because the data source cannot tell what they have achieved.
        not_eligible: Verdicts of those who do not meet the criteria.
        refused: Who meets them and cannot be awarded the credential, and why.
        awards: What is to be awarded, by credential.
    """

    held: frozenset[LearnerId] = frozenset()
    left_out: tuple[LeftOut, ...] = ()
    not_eligible: tuple[Verdict, ...] = ()
    refused: tuple[Refusal, ...] = ()
    awards: Mapping[CredentialId, CredentialAwarded] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Awarding:
    """Judges learners and awards those who are eligible, page by page."""

    events: EventStore
    register: Register
    source: RetrievalSource
    ids: IdSource
    installation: Installation
    serials: Serials

    def judge_page(
        self,
        records: Sequence[LearnerRecord],
        prepared: PreparedConfiguration,
        inquiry: Inquiry,
    ) -> JudgedPage:
        """Sort out a page of learners without writing anything: `sift`, and who can be awarded."""
        sifted = self.sift(records, prepared, inquiry)
        basis = AwardBasis.of(prepared, inquiry)
        refused, awards = self._awards_of(sifted.earned, prepared, basis, sifted.renewals)
        return JudgedPage(sifted.held, sifted.left_out, sifted.not_eligible, refused, awards)

    def sift(
        self,
        records: Sequence[LearnerRecord],
        prepared: PreparedConfiguration,
        inquiry: Inquiry,
    ) -> SiftedPage:
        """Sort out a page of learners by what they have achieved, without writing anything.

        Whoever holds the credential already is dropped first, so that a run over a course where
        almost everybody does costs little more than looking them up. Whoever the source cannot
        tell about is left out, not judged on what is missing.
        """
        learner_ids = [record.learner_id for record in records]
        lacking = self.register.not_holding(prepared.id, learner_ids)
        renewals = self._recertifying.renewals(
            prepared, set(learner_ids) - lacking, inquiry.retrieved_at
        )
        others = [
            renewals[record.learner_id].counted(record) if record.learner_id in renewals else record
            for record in records
            if record.learner_id in lacking or record.learner_id in renewals
        ]
        left_out = [
            LeftOut(learner_id=record.learner_id, reason=record.left_out)
            for record in others
            if record.left_out is not None
        ]
        verdicts = [judge(record, inquiry) for record in others if record.left_out is None]
        # Who may renew a credential and has not earned that holds what they have.
        unearned = {verdict.learner_id for verdict in verdicts if not verdict.eligible}
        newly_judged = lacking | (renewals.keys() - unearned)
        return SiftedPage(
            held=frozenset(learner_ids) - newly_judged,
            left_out=tuple(left_out),
            not_eligible=tuple(
                verdict
                for verdict in verdicts
                if not verdict.eligible and verdict.learner_id in lacking
            ),
            earned=tuple(verdict for verdict in verdicts if verdict.eligible),
            renewals=renewals,
        )

    def judge_earned(
        self,
        verdicts: Sequence[Verdict],
        prepared: PreparedConfiguration,
        basis: AwardBasis,
    ) -> JudgedPage:
        """Sort out learners who had earned the credential when they were sifted, a while ago.

        Args:
            verdicts: On them.
            prepared: The configuration.
            basis: Of their awards.
        """
        learner_ids = [verdict.learner_id for verdict in verdicts]
        lacking = self.register.not_holding(prepared.id, learner_ids)
        renewals = self._recertifying.renewals(
            prepared, set(learner_ids) - lacking, basis.retrieved_at
        )
        waiting = [each for each in verdicts if each.learner_id in lacking | renewals.keys()]
        refused, awards = self._awards_of(waiting, prepared, basis, renewals)
        held = frozenset(learner_ids) - {each.learner_id for each in waiting}
        return JudgedPage(held=held, refused=refused, awards=awards)

    def award(
        self,
        awards: Mapping[CredentialId, CredentialAwarded],
        attribution: Attribution,
        serial: SerialRule | None = None,
    ) -> int:
        """Record awards in one transaction, and return how many there were.

        Learners whom another writer awarded in the meantime are left out, not awarded twice.

        Args:
            awards: By credential; they are numbered in this order.
            attribution: Who, when, and what it belongs to.
            serial: How they are numbered; None: not at all.

        Raises:
            ConcurrencyConflict: Others kept being first.
            DecisionRefused: There is no number left.
            EventStoreError: The store cannot be written; nothing was.
        """
        with self.serials.taking_turns(awards, serial):
            return self._award_all(awards, attribution, serial)

    def check(self, prepared: PreparedConfiguration, awarded: CredentialAwarded) -> Refusal | None:
        """Tell why a document cannot be drawn right, if so; it shows a sample of the serial."""
        learner_id, rule = awarded.learner_id, prepared.options.serial
        over = expired_before(awarded, self.installation)
        if over is not None:
            return Refusal(learner_id=learner_id, reason="expired", detail=over)
        person = awarded.person
        if person is None or not person.full_name.strip():
            detail = "the learner's profile has no full name"
            return Refusal(learner_id=learner_id, reason="no-name", detail=detail)
        shown = awarded
        if rule is not None and awarded.serial is None:
            shown = awarded.model_copy(update={"serial": rule.sample(awarded.award_date)})
        document = document_of(
            credential_id(prepared.id, learner_id, awarded.edition),
            shown,
            person,
            self.installation,
        )
        try:
            prepared.renderer.check(document)
        except RenderingError as error:
            return Refusal(learner_id=learner_id, reason=error.reason, detail=error.detail)
        except Exception as error:  # noqa: BLE001 - recorded; else nobody after them is awarded
            # Its message is left out: it may quote the name, and a refusal is kept for good.
            detail = f"the renderer broke with {type(error).__name__}"
            return Refusal(learner_id=learner_id, reason="renderer", detail=detail)
        return None

    def _award_all(
        self,
        awards: Mapping[CredentialId, CredentialAwarded],
        attribution: Attribution,
        serial: SerialRule | None,
    ) -> int:
        waiting = dict(awards)
        for _ in range(MOST_CONFLICTS if serial is None else MOST_NUMBERED_CONFLICTS):
            before = self._recertifying.loaded(
                award.replaces for award in waiting.values() if award.replaces is not None
            )
            # What was revoked or reissued in the meantime is not renewed.
            waiting = {
                id_: award
                for id_, award in waiting.items()
                if award.replaces is None or award.replaces in before
            }
            if not waiting:
                return 0
            numbered = self.serials.number(waiting, serial)
            batch = [
                *numbered.taken,
                *(
                    new
                    for id_, award in sorted(numbered.awards.items())
                    for new in _begun(id_, award, before)
                ),
            ]
            try:
                self.events.append(batch, attribution)
            except ConcurrencyConflict:
                waiting = self._still_unheld(waiting)
            else:
                return len(waiting)
        raise ConcurrencyConflict(list(waiting))

    def _awards_of(
        self,
        earned: Sequence[Verdict],
        prepared: PreparedConfiguration,
        basis: AwardBasis,
        renewals: Mapping[LearnerId, Renewal],
    ) -> tuple[tuple[Refusal, ...], Mapping[CredentialId, CredentialAwarded]]:
        people = self.source.people([each.learner_id for each in earned]) if earned else {}
        refused: list[Refusal] = []
        awards: dict[CredentialId, CredentialAwarded] = {}
        for verdict in earned:
            renewal = renewals.get(verdict.learner_id)
            person = people.get(verdict.learner_id)
            outcome = self._award(verdict, person, prepared, basis, renewal)
            if isinstance(outcome, Refusal):
                refused.append(outcome)
            else:
                id_ = credential_id(prepared.id, verdict.learner_id, outcome.edition)
                awards[id_] = outcome
        return tuple(refused), awards

    def _award(
        self,
        verdict: Verdict,
        person: Person | None,
        prepared: PreparedConfiguration,
        basis: AwardBasis,
        renewal: Renewal | None,
    ) -> CredentialAwarded | Refusal:
        learner_id = verdict.learner_id
        if person is None:
            return Refusal(
                learner_id=learner_id,
                reason="no-person",
                detail="the data source has no record of this person",
            )
        definition = prepared.type.definition
        awarded = CredentialAwarded(
            configuration_id=prepared.id,
            learner_id=learner_id,
            person=person,
            type_slug=prepared.type.slug,
            type_revision=prepared.type.revision,
            type_name=definition.name,
            issuer_name=definition.issuer.name,
            context_key=str(prepared.context),
            context_name=basis.context_name,
            award_date=self.installation.date_of(basis.retrieved_at),
            evidence=verdict.evidence,
            verification_id=self.ids.verification_id(),
        )
        awarded = with_expiry(awarded, prepared, self.installation, basis.retrieved_at)
        if renewal is not None:
            awarded = renewal.following(awarded)
        return self.check(prepared, awarded) or awarded

    def _still_unheld(
        self, waiting: Mapping[CredentialId, CredentialAwarded]
    ) -> dict[CredentialId, CredentialAwarded]:
        first = next(iter(waiting.values()))
        lacking = self.register.not_holding(
            first.configuration_id, [award.learner_id for award in waiting.values()]
        )
        return {
            id_: award
            for id_, award in waiting.items()
            if award.learner_id in lacking or award.replaces is not None
        }

    @property
    def _recertifying(self) -> Recertifying:
        return Recertifying(self.events, self.register, self.installation)


def _begun(
    id_: CredentialId, award: CredentialAwarded, before: Mapping[UUID, Loaded[Credential]]
) -> Iterator[NewEvents]:
    """Yield the beginning of a credential and, where it renews another, the end of that one."""
    if award.replaces is None:
        yield NewEvents(id_, 0, decide_award(None, award))
        return
    renewed = before[award.replaces]
    yield NewEvents(id_, 0, decide_recertify(renewed.state, award))
    yield renewed.followed_by(decide_supersede(renewed.state, id_))
