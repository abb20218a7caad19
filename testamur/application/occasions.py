"""Occasions: requests that award without a run, and what all awards of one have in common."""

from dataclasses import dataclass
from datetime import datetime

from testamur.application.awardees import Awardee
from testamur.application.configurations import Configurations, PreparedConfiguration
from testamur.application.installation import Installation
from testamur.application.ports.retrieval import ONLY_DATES, RetrievalSource
from testamur.domain.credentials import CredentialAwarded
from testamur.domain.evidence import Evidence
from testamur.domain.identifiers import ConfigurationId, VerificationId
from testamur.domain.personal_data import Person


@dataclass(frozen=True, slots=True)
class Basis:
    """What awards rest on where nobody judged what learners have reached.

    Args:
        source: What the evidence names as its source.
        note: What the evidence says, for people to read.
        imported_from: The system that issued the credentials before, if one did.
    """

    source: str
    note: str
    imported_from: str | None = None


@dataclass(frozen=True, slots=True)
class Occasion:
    """What all awards of one request have in common.

    Args:
        prepared: The configuration that they are made by.
        context_name: What the course, lesson or pathway is called on the documents.
        basis: What they rest on.
    """

    prepared: PreparedConfiguration
    context_name: str
    basis: Basis

    def award_to(
        self,
        awardee: Awardee,
        verification_id: VerificationId,
        installation: Installation,
        now: datetime,
    ) -> CredentialAwarded:
        """Return the award of one of them; when it expires, the caller adds.

        Args:
            awardee: Who, and with which award date; without one, it is today's.
            verification_id: Its public id.
            installation: Says which day it is.
            now: When it is awarded (aware).
        """
        prepared, basis = self.prepared, self.basis
        definition = prepared.type.definition
        return CredentialAwarded(
            configuration_id=prepared.id,
            learner_id=awardee.learner_id,
            person=Person(full_name=awardee.full_name, email=awardee.email, locale=awardee.locale),
            type_slug=prepared.type.slug,
            type_revision=prepared.type.revision,
            type_name=definition.name,
            issuer_name=definition.issuer.name,
            context_key=str(prepared.context),
            context_name=self.context_name,
            award_date=awardee.award_date or installation.date_of(now),
            evidence=Evidence(
                criteria={"kind": basis.source},
                results=(),
                source=basis.source,
                retrieved_at=now,
                note=basis.note,
            ),
            verification_id=verification_id,
            imported_from=basis.imported_from,
        )


def occasion_of(
    configuration: ConfigurationId,
    basis: Basis,
    configurations: Configurations,
    source: RetrievalSource,
) -> Occasion:
    """Look up what all awards of one request have in common.

    Args:
        configuration: By which configuration; it need not be enabled.
        basis: What they rest on.
        configurations: Where the configuration is.
        source: Asked what the context is called, unless the configuration says so.

    Raises:
        NotFound: There is no such configuration.
        DecisionRefused: It is retired, or its type is.
        TestamurError: It cannot be used, or the data source not say what the context is called.
    """
    prepared = configurations.prepare(configuration)
    prepared.type.require_in_use()
    prepared.configuration.require_in_use()
    name = prepared.options.context.certificate_name
    if name is None:
        name = source.facts(prepared.context, ONLY_DATES).shown_name
    return Occasion(prepared, name, basis)
