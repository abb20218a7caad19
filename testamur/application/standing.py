"""Standing: where one learner stands in a learning context, asked now, to be shown to them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from pydantic import JsonValue

from testamur.application.configurations import Configurations
from testamur.application.credentials import Credentials
from testamur.application.installation import Installation
from testamur.application.needs import needs_of
from testamur.application.options import parse_criteria
from testamur.application.ports.register import CredentialFilter, CredentialRow
from testamur.application.ports.retrieval import Needs, RetrievalSource
from testamur.application.ports.system import Clock
from testamur.domain.configurations import CredentialConfiguration
from testamur.domain.contexts import LearningContextKey
from testamur.domain.credential_types import CredentialType
from testamur.domain.credentials import CredentialStatus
from testamur.domain.criteria import merged_options
from testamur.domain.eligibility import AnyCriteria, Inquiry, judge
from testamur.domain.errors import InvalidInput, InvalidOptions, NotFound
from testamur.domain.evidence import CriterionResult
from testamur.domain.identifiers import (
    ConfigurationId,
    CredentialId,
    LearnerId,
    Slug,
    VerificationId,
)
from testamur.domain.learning import ContextFacts, LearnerRecord

#: Why nothing is told of what a learner has reached who holds a credential and has left since.
NOT_KNOWN: Final = "the data source does not know this learner"


@dataclass(frozen=True, slots=True)
class HeldCredential:
    """A learner's credential, in its latest edition; without anything personal.

    Args:
        credential_id: The credential.
        edition: 1 for the first.
        status: Where it stands.
        award_date: The date on the document.
        verification_id: Its public id.
        verify_url: Link by which anybody verifies it, if the installation has one.
        download_url: Stable link to its document, if it is issued and the installation has one.
        expires_at: When it stops being valid (aware), if ever.
        revocation_reason: Why it was revoked, if it was.
        superseded_by: The edition that took its place, if one did.
    """

    credential_id: CredentialId
    edition: int
    status: CredentialStatus
    award_date: date
    verification_id: VerificationId
    verify_url: str | None = None
    download_url: str | None = None
    expires_at: datetime | None = None
    revocation_reason: str | None = None
    superseded_by: CredentialId | None = None


@dataclass(frozen=True, slots=True)
class StepStanding:
    """Where a learner stands in one course of a pathway.

    Args:
        context_key: The course's key.
        name: What learners know it as.
        met: Whether all of it is met.
        results: The enrolment in it, and each criterion.
    """

    context_key: str
    name: str
    met: bool
    results: tuple[CriterionResult, ...]


@dataclass(frozen=True, slots=True)
class ConfigurationStanding:
    """Where a learner stands in one configuration of the context.

    Args:
        configuration_id: The configuration.
        type_slug: Its credential type…
        type_name: …and what the credential is called.
        enabled: Whether the schedule starts runs, so that those who are eligible are awarded it.
        retired: Whether it or its type is retired: nobody is awarded it any more, nor judged.
        criteria: The criteria as configured; None where it is retired or has a problem.
        eligible: Whether the learner meets them now, whatever they hold; None where that cannot be
            told.
        results: The enrolment, and each criterion; empty where ``eligible`` is None. Of a pathway
            only the enrolment: the criteria are those of its steps.
        steps: Of a pathway: its courses, in order.
        unweighted_categories: Categories that count nothing in the total, because the grading
            policy gives them no weight.
        left_out: Why the data source cannot tell what the learner has reached, if it cannot.
        problem: Why the criteria cannot be used, if they cannot; for staff, not for learners.
        credential: What the learner holds, or held.
    """

    configuration_id: ConfigurationId
    type_slug: Slug
    type_name: str
    enabled: bool
    retired: bool = False
    criteria: Mapping[str, JsonValue] | None = None
    eligible: bool | None = None
    results: tuple[CriterionResult, ...] = ()
    steps: tuple[StepStanding, ...] = ()
    unweighted_categories: tuple[str, ...] = ()
    left_out: str | None = None
    problem: str | None = None
    credential: HeldCredential | None = None


@dataclass(frozen=True, slots=True)
class LearnerStanding:
    """Where one learner stands in a learning context.

    Args:
        context_key: The context's key…
        context_name: …and what learners know it as; None where the data source was not asked,
            because there is nothing to earn any more.
        learner_id: Who.
        source: Name of the data source.
        retrieved_at: When it read what it tells (aware); None where it was not asked.
        configurations: By type; empty where nothing is configured for the context.
    """

    context_key: str
    context_name: str | None
    learner_id: LearnerId
    source: str
    retrieved_at: datetime | None
    configurations: tuple[ConfigurationStanding, ...]


@dataclass(frozen=True, slots=True)
class Standings:
    """Tells where a learner stands, from what the data source says now; nothing is written."""

    configurations: Configurations
    credentials: Credentials
    source: RetrievalSource
    clock: Clock
    installation: Installation

    def of(self, context_key: str, learner_id: LearnerId) -> LearnerStanding:
        """Return where a learner stands in each configuration of a context, enabled or not.

        The data source is asked once for all of them. A configuration that is retired is told of
        only where the learner holds a credential of it. One whose criteria cannot be used says so,
        and the others answer all the same.

        Args:
            context_key: Key of the course, lesson or pathway.
            learner_id: Who.

        Raises:
            InvalidInput: The key is malformed.
            NotFound: The data source does not know the learner, who holds no credential here
                either.
            RetrievalError: The data source does not know the context, or cannot be asked.
        """
        context = self.configurations.context_kinds.parse(context_key)
        held = self._held(context, learner_id)
        offers = [each for each in self._offers(context) if not each.retired or each.id in held]
        answer = self._ask(context, learner_id, [each for each in offers if not each.retired])
        if answer is not None and answer.record is None and not held:
            raise NotFound(f"learner of {context}", learner_id)
        return LearnerStanding(
            context_key=str(context),
            context_name=_known_as(answer.facts) if answer else None,
            learner_id=learner_id,
            source=self.source.name,
            retrieved_at=answer.retrieved_at if answer else None,
            configurations=tuple(
                self._standing(each, answer, held.get(each.id)) for each in offers
            ),
        )

    def _held(
        self, context: LearningContextKey, learner_id: LearnerId
    ) -> dict[ConfigurationId, HeldCredential]:
        # By the learner alone, who has a few: by the context, a whole course would be gone over.
        of_learner = self.credentials.all(CredentialFilter(learner_id=learner_id))
        here = [row for row in of_learner if row.context_key == str(context)]
        latest = {row.configuration_id: row for row in sorted(here, key=lambda row: row.edition)}
        return {id_: self._credential(row) for id_, row in latest.items()}

    def _credential(self, row: CredentialRow) -> HeldCredential:
        credential = self.credentials.get(row.credential_id)
        awarded, issued = credential.awarded, credential.status is CredentialStatus.ISSUED
        verification_id = awarded.verification_id
        return HeldCredential(
            credential_id=row.credential_id,
            edition=awarded.edition,
            status=credential.status,
            award_date=awarded.award_date,
            verification_id=verification_id,
            verify_url=self.installation.verify_url(verification_id),
            download_url=self.installation.download_url(verification_id) if issued else None,
            expires_at=awarded.expires_at,
            revocation_reason=credential.revocation_reason,
            superseded_by=credential.superseded_by,
        )

    def _offers(self, context: LearningContextKey) -> "Iterator[_Offer]":
        kinds = self.configurations.context_kinds
        for id_, configuration in self.configurations.of_context(str(context)):
            type_ = self.configurations.types.get(configuration.type_slug)
            if configuration.retired or type_.retired:
                yield _Offer(id_, configuration, type_, retired=True)
                continue
            kind = type_.definition.criteria
            merged = merged_options(type_.definition.options, configuration.options)
            try:
                criteria = parse_criteria(kind, merged.get("criteria", {}), context, kinds)
            except (InvalidInput, InvalidOptions) as error:
                yield _Offer(id_, configuration, type_, problem=str(error))
            else:
                yield _Offer(id_, configuration, type_, criteria)

    def _ask(
        self, context: LearningContextKey, learner_id: LearnerId, offers: "Sequence[_Offer]"
    ) -> "_Answer | None":
        """Ask the data source once for all offers; where there is none, there is nothing to ask."""
        if not offers:
            return None
        needs = _needs_of_all(each.criteria for each in offers if each.criteria is not None)
        asked_at = self.clock.now()
        facts = self.source.facts(context, needs)
        pages = self.source.records(context, needs, learner_id)
        record = next(iter([record for page in pages for record in page]), None)
        return _Answer(facts, record, (record and record.retrieved_at) or asked_at)

    def _standing(
        self, offer: "_Offer", answer: "_Answer | None", credential: HeldCredential | None
    ) -> ConfigurationStanding:
        standing = ConfigurationStanding(
            configuration_id=offer.id,
            type_slug=offer.type.slug,
            type_name=offer.type.definition.name,
            enabled=offer.configuration.enabled,
            retired=offer.retired,
            criteria=offer.criteria.model_dump(mode="json") if offer.criteria else None,
            problem=offer.problem,
            credential=credential,
        )
        if offer.criteria is None or answer is None:
            return standing
        if answer.record is None or answer.record.left_out is not None:
            reason = answer.record.left_out if answer.record else NOT_KNOWN
            return replace(standing, left_out=reason)
        inquiry = Inquiry(offer.criteria, answer.facts, self.source.name, answer.retrieved_at)
        verdict = judge(answer.record, inquiry)
        results = verdict.evidence.results
        return replace(
            standing,
            eligible=verdict.eligible,
            results=tuple(result for result in results if result.step is None),
            steps=tuple(_step(each, results) for each in answer.facts.steps),
            unweighted_categories=verdict.evidence.unweighted_categories,
        )


@dataclass(frozen=True, slots=True)
class _Offer:
    """A configuration of the context: what it takes to earn its credential, or why nobody can."""

    id: ConfigurationId
    configuration: CredentialConfiguration
    type: CredentialType
    criteria: AnyCriteria | None = None
    problem: str | None = None
    retired: bool = False


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the data source told of the context, and of the learner if it knows them."""

    facts: ContextFacts
    record: LearnerRecord | None
    retrieved_at: datetime


def _needs_of_all(all_criteria: Iterable[AnyCriteria]) -> Needs:
    needs = [needs_of(each) for each in all_criteria]
    return Needs(
        completion=any(each.completion for each in needs),
        grades=any(each.grades for each in needs),
    )


def _step(step: ContextFacts, results: Iterable[CriterionResult]) -> StepStanding:
    of_step = tuple(result for result in results if result.step == step.key)
    return StepStanding(step.key, _known_as(step), all(each.met for each in of_step), of_step)


def _known_as(facts: ContextFacts) -> str:
    """Return what learners know a context as: the name for certificates may be another."""
    return facts.name or facts.shown_name
