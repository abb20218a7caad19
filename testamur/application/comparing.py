"""Comparing: a page of learners, and how their credentials differ from what is so today."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from testamur.application.aggregates import fold, load
from testamur.application.awarding import Awarding
from testamur.application.configurations import PreparedConfiguration
from testamur.application.editions import Editions
from testamur.application.ports.event_store import EventStore
from testamur.application.ports.retrieval import RetrievalSource
from testamur.application.registration import is_living
from testamur.application.reissuing import being_erased, named_as
from testamur.domain import corrections
from testamur.domain.corrections import CorrectionProposed, Differing
from testamur.domain.credentials import Credential, CredentialAwarded, CredentialStatus, evolve
from testamur.domain.eligibility import Inquiry, Verdict, judge
from testamur.domain.errors import DecisionRefused, InvalidInput
from testamur.domain.evidence import CriterionResult
from testamur.domain.identifiers import (
    CredentialId,
    LearnerId,
    ReconciliationId,
    correction_id,
    credential_id,
)
from testamur.domain.learning import LearnerRecord
from testamur.domain.personal_data import Person
from testamur.domain.reconciliations import ReconciliationCounts

Apart = Literal["left-out", "unknown"]
"""Why nothing can be told of a learner's credential."""

NO_PERSON: Final = "the data source has no record of this person"


@dataclass(frozen=True, slots=True)
class Compared:
    """What was found about one learner.

    Args:
        learner_id: Who.
        findings: What is to be proposed, of which only the first that was not rejected is.
        apart: Why nothing can be told, if so; then nothing that was proposed is withdrawn…
        detail: …for people to read.
    """

    learner_id: LearnerId
    findings: tuple[CorrectionProposed, ...] = ()
    apart: Apart | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class ComparedPage:
    """What was found about a page of learners.

    Args:
        learners: Each of them.
        counts: How many of them came to what.
        living: Whose credentials hold.
    """

    learners: tuple[Compared, ...]
    counts: ReconciliationCounts
    living: frozenset[LearnerId]


@dataclass(frozen=True, slots=True)
class Occasion:
    """What all learners of one reconciliation have in common.

    Args:
        id: The reconciliation.
        prepared: The configuration.
        inquiry: What they are judged by.
        now: The present moment (aware).
        may_award: Whether anybody can be awarded: neither the configuration nor its type is
            retired.
        awards_by_itself: Whether the schedule starts runs, so that whoever was never refused is
            left to them.
        refused: Whom runs have refused.
    """

    id: ReconciliationId
    prepared: PreparedConfiguration
    inquiry: Inquiry
    now: datetime
    may_award: bool
    awards_by_itself: bool
    refused: frozenset[LearnerId] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class Comparing:
    """Compares credentials with today's verdicts and data; nothing is written."""

    events: EventStore
    source: RetrievalSource
    awarding: Awarding
    editions: Editions

    def page(self, records: Sequence[LearnerRecord], occasion: Occasion) -> ComparedPage:
        """Compare the credentials of a page of learners.

        Raises:
            RetrievalError: The data source cannot be asked who they are.
            EventStoreError: The store cannot be read.
        """
        ids = [record.learner_id for record in records]
        erased = being_erased(self.events, ids)
        held = latest_editions(self.events, occasion.prepared, ids)
        living = {
            learner_id
            for learner_id, (_, state) in held.items()
            if is_living(state.status) and learner_id not in erased
        }
        valid = {each for each in living if not _is_expired(held[each][1], occasion.now)}
        people = self.source.people([each for each in ids if each in valid]) if valid else {}
        lacking = [record for record in records if record.learner_id not in held]
        awards = self._awards(lacking, occasion)
        found: list[Compared] = []
        counts = ReconciliationCounts()
        for record in records:
            learner_id = record.learner_id
            id_, state = held.get(learner_id, (None, None))
            if id_ is None or state is None:
                compared = _awardable(awards.get(learner_id), learner_id, occasion)
            elif learner_id in valid:
                compared = self._of_living(id_, state, record, people.get(learner_id), occasion)
                by_hand = not state.awarded.evidence.results
                counts += ReconciliationCounts(compared=1, not_judged=int(by_hand))
            elif state.status is CredentialStatus.REVOKED and learner_id not in erased:
                compared = self._of_revoked(id_, state, record, occasion)
            else:
                compared = Compared(learner_id)
            counts += _counts_of(compared)
            found.append(compared)
        return ComparedPage(tuple(found), counts, frozenset(living))

    def _awards(
        self, lacking: Sequence[LearnerRecord], occasion: Occasion
    ) -> Mapping[LearnerId, CredentialAwarded]:
        """Return the awards of those who never had one, as far as a run would make them."""
        if not occasion.may_award:
            return {}
        wanted = [
            record
            for record in lacking
            if record.learner_id in occasion.refused or not occasion.awards_by_itself
        ]
        if not wanted:
            return {}
        page = self.awarding.judge_page(wanted, occasion.prepared, occasion.inquiry)
        return {award.learner_id: award for award in page.awards.values()}

    def _of_living(
        self,
        id_: CredentialId,
        state: Credential,
        record: LearnerRecord,
        person: Person | None,
        occasion: Occasion,
    ) -> Compared:
        learner_id = record.learner_id
        if record.left_out is not None:
            return Compared(learner_id, (), "left-out", record.left_out)
        findings: list[CorrectionProposed] = []
        # Where somebody awarded it by hand, the criteria are not what it rests on.
        if state.awarded.evidence.results:
            verdict = judge(record, occasion.inquiry)
            if not verdict.eligible:
                findings.append(_ineligible(id_, state, verdict, occasion))
        if person is None:
            return Compared(learner_id, tuple(findings), "left-out", NO_PERSON)
        try:
            changed = self._data_changed(id_, state, person, occasion)
        except (InvalidInput, DecisionRefused) as error:
            return Compared(learner_id, tuple(findings), "left-out", error.for_the_record())
        findings += [changed] if changed else []
        return Compared(learner_id, tuple(findings))

    def _of_revoked(
        self,
        id_: CredentialId,
        state: Credential,
        record: LearnerRecord,
        occasion: Occasion,
    ) -> Compared:
        """Look at a revoked credential, whose learner may meet the criteria again.

        Where nothing of what they reached has changed since the award, it was revoked for another
        reason, and that sticks; unless it was revoked by a correction.
        """
        learner_id, then = record.learner_id, state.awarded.evidence.results
        # What was awarded by hand does not come back for the criteria's sake.
        if not then or not occasion.may_award or state.awarded.person is None:
            return Compared(learner_id)
        if record.left_out is not None:
            return Compared(learner_id, (), "left-out", record.left_out)
        verdict = judge(record, occasion.inquiry)
        if not verdict.eligible:
            return Compared(learner_id)
        if verdict.evidence.results == then:
            stream = correction_id(occasion.prepared.id, learner_id, "no-longer-eligible")
            revoked_by = load(self.events, stream, corrections.evolve).state
            if revoked_by is None or revoked_by.result != id_:
                return Compared(learner_id)
        found = _about_criteria("now-eligible", id_, then, verdict, occasion)
        return Compared(learner_id, (found,))

    def _data_changed(
        self, id_: CredentialId, state: Credential, person: Person, occasion: Occasion
    ) -> CorrectionProposed | None:
        """Return what a new edition would say otherwise.

        Raises:
            InvalidInput: The data source has no name of the person, or one that is not allowed.
            DecisionRefused: No edition can follow on it.
        """
        before = state.awarded
        after = self.editions.next_of(state, occasion.prepared, named_as(person)).award
        if before.person is None or after.person is None:
            return None
        name = after.person.full_name
        differs: list[Differing] = ["full_name"] if before.person.full_name != name else []
        differs += ["context_name"] if before.context_name != after.context_name else []
        differs += ["type_name"] if before.type_name != after.type_name else []
        differs += ["issuer_name"] if before.issuer_name != after.issuer_name else []
        if not differs:
            return None
        return CorrectionProposed(
            reconciliation_id=occasion.id,
            configuration_id=occasion.prepared.id,
            learner_id=before.learner_id,
            credential_id=id_,
            kind="data-changed",
            differs=tuple(differs),
            full_name=name if "full_name" in differs else None,
            context_name=after.context_name if "context_name" in differs else None,
            type_name=after.type_name if "type_name" in differs else None,
            issuer_name=after.issuer_name if "issuer_name" in differs else None,
        )


def latest_editions(
    events: EventStore, prepared: PreparedConfiguration, learner_ids: Sequence[LearnerId]
) -> dict[LearnerId, tuple[CredentialId, Credential]]:
    """Return the latest edition of each learner's credential; who never had one is left out."""
    found: dict[LearnerId, tuple[CredentialId, Credential]] = {}
    waiting = {credential_id(prepared.id, learner_id): learner_id for learner_id in learner_ids}
    while waiting:
        following: dict[CredentialId, LearnerId] = {}
        for stream_id, recorded in events.load_many(list(waiting)).items():
            id_ = CredentialId(stream_id)
            state = fold(id_, recorded, evolve).state
            if state is not None:
                found[waiting[id_]] = (id_, state)
                if state.superseded_by is not None:
                    following[state.superseded_by] = waiting[id_]
        waiting = following
    return found


def _is_expired(state: Credential, now: datetime) -> bool:
    return state.awarded.expires_at is not None and state.awarded.expires_at <= now


def _ineligible(
    id_: CredentialId, state: Credential, verdict: Verdict, occasion: Occasion
) -> CorrectionProposed:
    return _about_criteria(
        "no-longer-eligible", id_, state.awarded.evidence.results, verdict, occasion
    )


def _awardable(
    award: CredentialAwarded | None, learner_id: LearnerId, occasion: Occasion
) -> Compared:
    if award is None:
        return Compared(learner_id)
    verdict = Verdict(learner_id, eligible=True, evidence=award.evidence)
    return Compared(learner_id, (_about_criteria("now-eligible", None, (), verdict, occasion),))


def _about_criteria(
    kind: Literal["no-longer-eligible", "now-eligible"],
    id_: CredentialId | None,
    then: tuple[CriterionResult, ...],
    verdict: Verdict,
    occasion: Occasion,
) -> CorrectionProposed:
    return CorrectionProposed(
        reconciliation_id=occasion.id,
        configuration_id=occasion.prepared.id,
        learner_id=verdict.learner_id,
        credential_id=id_,
        kind=kind,
        results_then=then,
        results_now=verdict.evidence.results,
    )


def _counts_of(compared: Compared) -> ReconciliationCounts:
    kinds = [finding.kind for finding in compared.findings]
    return ReconciliationCounts(
        no_longer_eligible=kinds.count("no-longer-eligible"),
        data_changed=kinds.count("data-changed"),
        now_eligible=kinds.count("now-eligible"),
        left_out=int(compared.apart == "left-out"),
        unknown=int(compared.apart == "unknown"),
    )
