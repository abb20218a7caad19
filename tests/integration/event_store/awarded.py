"""Credentials in the register that a test asks for: awarded, and what happens to them."""

from datetime import datetime, timedelta
from uuid import UUID

from testamur.application.ports.register import (
    CredentialFilter,
    CredentialRow,
)
from testamur.domain.credentials import (
    CredentialAwarded,
)
from testamur.domain.events import DomainEvent
from testamur.domain.identifiers import (
    ConfigurationId,
    LearnerId,
    Slug,
)
from tests.support.databases import Database
from tests.support.events import (
    CONFIGURATION,
    NOON,
    an_award,
    awarding,
    by,
    id_of,
    then,
)

MINUTE = timedelta(minutes=1)
EVERYTHING = CredentialFilter()
OTHER_TYPE = Slug("grades")


def award_to(
    database: Database, *learners: str, at: datetime = NOON, run_id: UUID | None = None
) -> list[CredentialAwarded]:
    awards = [an_award(learner) for learner in learners]
    database.events.append(awarding(*awards), by(at=at, correlation_id=run_id))
    return awards


def happens(database: Database, award: CredentialAwarded, *events: DomainEvent) -> None:
    version = len(database.events.load(id_of(award)))
    database.events.append(then(id_of(award), version, *events), by())


def learners(rows: list[CredentialRow]) -> list[str]:
    return [row.learner_id for row in rows]


def holders(
    database: Database, *asked: str, configuration: ConfigurationId = CONFIGURATION
) -> set[LearnerId]:
    """Return those who are not among the ones that hold none."""
    learner_ids = [LearnerId(each) for each in asked]
    lacking = database.register.not_holding(configuration, learner_ids)
    assert lacking <= set(learner_ids)
    return set(learner_ids) - lacking
