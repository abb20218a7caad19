"""Awarding: from a page of learners' records to awards in the event store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from testamur.application.configurations import PreparedConfiguration
from testamur.application.documents import document_of
from testamur.application.errors import ConcurrencyConflict, RenderingError
from testamur.application.installation import Installation
from testamur.application.ports.event_store import Attribution, EventStore, NewEvents
from testamur.application.ports.register import Register
from testamur.application.ports.retrieval import RetrievalSource
from testamur.application.ports.system import IdSource
from testamur.domain.credentials import CredentialAwarded, decide_award
from testamur.domain.eligibility import Inquiry, Verdict, judge
from testamur.domain.identifiers import CredentialId, LearnerId, credential_id
from testamur.domain.learning import LearnerRecord
from testamur.domain.personal_data import Person
from testamur.domain.runs import LeftOut, Refusal

#: A page is tried again when another writer was first; each time there is less of it left.
MOST_CONFLICTS: Final = 20


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

    held: frozenset[LearnerId]
    left_out: tuple[LeftOut, ...]
    not_eligible: tuple[Verdict, ...]
    refused: tuple[Refusal, ...]
    awards: Mapping[CredentialId, CredentialAwarded]


@dataclass(frozen=True, slots=True)
class Awarding:
    """Judges learners and awards those who are eligible, page by page."""

    events: EventStore
    register: Register
    source: RetrievalSource
    ids: IdSource
    installation: Installation

    def judge_page(
        self,
        records: Sequence[LearnerRecord],
        prepared: PreparedConfiguration,
        inquiry: Inquiry,
    ) -> JudgedPage:
        """Sort out a page of learners without writing anything.

        Whoever holds the credential already is dropped first, so that a run over a course where
        almost everybody does costs little more than looking them up. Whoever the source cannot
        tell about is left out, not judged on what is missing.
        """
        held = self.register.holders(prepared.id, [record.learner_id for record in records])
        others = [record for record in records if record.learner_id not in held]
        left_out = [
            LeftOut(learner_id=record.learner_id, reason=record.left_out)
            for record in others
            if record.left_out is not None
        ]
        verdicts = [judge(record, inquiry) for record in others if record.left_out is None]
        eligible = [verdict for verdict in verdicts if verdict.eligible]
        learner_ids = [verdict.learner_id for verdict in eligible]
        people = self.source.people(learner_ids) if learner_ids else {}
        refused: list[Refusal] = []
        awards: dict[CredentialId, CredentialAwarded] = {}
        for verdict in eligible:
            outcome = self._award(verdict, people.get(verdict.learner_id), prepared, inquiry)
            if isinstance(outcome, Refusal):
                refused.append(outcome)
            else:
                awards[credential_id(prepared.id, verdict.learner_id)] = outcome
        return JudgedPage(
            held=frozenset(held),
            left_out=tuple(left_out),
            not_eligible=tuple(verdict for verdict in verdicts if not verdict.eligible),
            refused=tuple(refused),
            awards=awards,
        )

    def award(
        self, awards: Mapping[CredentialId, CredentialAwarded], attribution: Attribution
    ) -> int:
        """Record awards in one transaction, and return how many there were.

        Learners whom another writer awarded in the meantime are left out, not awarded twice.

        Raises:
            ConcurrencyConflict: Others kept being first.
            EventStoreError: The store cannot be written; nothing was.
        """
        waiting = dict(sorted(awards.items()))
        for _ in range(MOST_CONFLICTS):
            if not waiting:
                return 0
            batch = [NewEvents(id_, 0, decide_award(None, award)) for id_, award in waiting.items()]
            try:
                self.events.append(batch, attribution)
            except ConcurrencyConflict:
                waiting = self._still_unheld(waiting)
            else:
                return len(waiting)
        raise ConcurrencyConflict(list(waiting))

    def _award(
        self,
        verdict: Verdict,
        person: Person | None,
        prepared: PreparedConfiguration,
        inquiry: Inquiry,
    ) -> CredentialAwarded | Refusal:
        learner_id = verdict.learner_id
        if person is None:
            return Refusal(
                learner_id=learner_id,
                reason="no-person",
                detail="the data source has no record of this person",
            )
        if not person.full_name.strip():
            return Refusal(
                learner_id=learner_id,
                reason="no-name",
                detail="the learner's profile has no full name",
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
            context_name=prepared.options.context.certificate_name or inquiry.facts.shown_name,
            award_date=self.installation.date_of(inquiry.retrieved_at),
            evidence=verdict.evidence,
            verification_id=self.ids.verification_id(),
        )
        document = document_of(
            credential_id(prepared.id, learner_id), awarded, person, self.installation
        )
        try:
            prepared.renderer.check(document)
        except RenderingError as error:
            return Refusal(learner_id=learner_id, reason=error.reason, detail=error.detail)
        except Exception as error:  # noqa: BLE001 - recorded; else nobody after them is awarded
            # Its message is left out: it may quote the name, and a refusal is kept for good.
            detail = f"the renderer broke with {type(error).__name__}"
            return Refusal(learner_id=learner_id, reason="renderer", detail=detail)
        return awarded

    def _still_unheld(
        self, waiting: Mapping[CredentialId, CredentialAwarded]
    ) -> dict[CredentialId, CredentialAwarded]:
        first = next(iter(waiting.values()))
        held = self.register.holders(
            first.configuration_id, [award.learner_id for award in waiting.values()]
        )
        return {id_: award for id_, award in waiting.items() if award.learner_id not in held}
