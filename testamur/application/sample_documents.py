"""From a sample learner to the document that a certificate of theirs would be."""

from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from testamur.application.documents import document_of
from testamur.application.installation import Installation
from testamur.application.ports.rendering import Document
from testamur.application.samples import Sample
from testamur.domain.credential_types import CredentialType
from testamur.domain.credentials import CredentialAwarded
from testamur.domain.criteria import (
    TOTAL,
    CompletionCriteria,
    GradeCriteria,
    PathwayCriteria,
    category_key,
)
from testamur.domain.eligibility import AnyCriteria
from testamur.domain.evidence import CriterionResult, Evidence
from testamur.domain.expiry import ExpiryRule, expires_at_of
from testamur.domain.identifiers import ConfigurationId, CredentialId, LearnerId, VerificationId
from testamur.domain.personal_data import Person
from testamur.domain.serials import SerialRule

#: Stands where a verification id will, and is as long as one. No credential ever has it: ids are
#: made without the letters i, l and o.
SAMPLE_VERIFICATION_ID: Final = VerificationId("sample-not-a-credential-00")

#: Stands for the link where the installation has none (RFC 2606 keeps the domain for examples).
SAMPLE_VERIFY_URL: Final = f"https://credentials.example.org/verify/{SAMPLE_VERIFICATION_ID}"

#: Stand for the name of the course, lesson or pathway where it is not known.
SAMPLE_CONTEXT_NAME: Final = "Introduction to Data Science"
SAMPLE_CONTEXT_LINES: Final = "Introduction to\nData Science"

#: What sample learners have reached, unless more is required.
_REACHED: Final = Decimal("0.925")

#: RFC 9562, section 5.9: the nil UUID, which no credential and no configuration has.
_NIL: Final = UUID(int=0)


def sample_document(
    sample: Sample,
    type_: CredentialType,
    criteria: AnyCriteria,
    context_name: str | None,
    installation: Installation,
    now: datetime,
    serial: SerialRule | None = None,
    expiry: ExpiryRule | None = None,
) -> Document:
    """Return everything that the document of a sample learner shows.

    It comes about as a real one does: from an award, made now to one who just meets the criteria.

    Args:
        sample: The learner.
        type_: What they are awarded.
        criteria: What they have met.
        context_name: Of the course, lesson or pathway; None where it is not known.
        installation: Where links and dates come from.
        now: The moment (aware).
        serial: How they are numbered; the number that is shown is invented.
        expiry: How long they are valid.
    """
    stand_in = SAMPLE_CONTEXT_LINES if sample.two_lines else SAMPLE_CONTEXT_NAME
    person = Person(full_name=sample.name, locale=sample.language)
    award_date = installation.date_of(now)
    awarded = CredentialAwarded(
        configuration_id=ConfigurationId(_NIL),
        learner_id=LearnerId("sample"),
        person=person,
        type_slug=type_.slug,
        type_revision=type_.revision,
        type_name=type_.definition.name,
        issuer_name=type_.definition.issuer.name,
        context_key="sample",
        context_name=stand_in if context_name is None else context_name,
        award_date=award_date,
        evidence=Evidence(
            criteria={}, results=_results(criteria), source="sample", retrieved_at=now
        ),
        verification_id=SAMPLE_VERIFICATION_ID,
        serial=None if serial is None else serial.sample(award_date),
        expires_at=expires_at_of(expiry, award_date, installation.time_zone),
    )
    return document_of(CredentialId(_NIL), awarded, person, installation)


def _results(criteria: AnyCriteria) -> tuple[CriterionResult, ...]:
    """Return results that meet the criteria; of a pathway's steps, documents show nothing."""
    if isinstance(criteria, PathwayCriteria):
        return ()
    results = []
    if not isinstance(criteria, GradeCriteria):
        results.append(_met("completion", criteria.required_completion))
    if not isinstance(criteria, CompletionCriteria):
        results += [
            _met("total", required)
            if category_key(name) == TOTAL
            else _met("grade", required, name)
            for name, required in criteria.required_grades.items()
        ]
    return tuple(results)


def _met(criterion: str, required: Decimal, category: str | None = None) -> CriterionResult:
    return CriterionResult(
        criterion=criterion,
        category=category,
        required=required,
        achieved=max(required, _REACHED),
        met=True,
    )
