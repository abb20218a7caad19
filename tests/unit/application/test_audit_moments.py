"""Moments: what a credential looked like then, and whether it held."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from testamur.application.auditing import Audit
from testamur.application.ports.register import CredentialFilter
from testamur.domain.credentials import CredentialIssued, CredentialRevoked, CredentialStatus
from testamur.domain.errors import InvalidInput, NotFound
from testamur.domain.identifiers import CredentialId, LearnerId
from testamur.domain.validity import ValidityStatus
from tests.support.audits import audit_of
from tests.support.events import an_award, an_issue, awarding, by, id_of, then
from tests.support.world import MONDAY, World

HOUR = timedelta(hours=1)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def audit(world: World) -> Audit:
    return audit_of(world)


def issued(world: World) -> CredentialId:
    world.enrol("ann")
    world.run(world.configure())
    (row,) = world.register.credentials(CredentialFilter(), 2)
    return row.credential_id


def test_a_credential_is_told_as_it_was_at_each_moment(world: World, audit: Audit) -> None:
    id_ = issued(world)
    world.clock.advance(HOUR)
    world.revoke(id_)
    world.clock.advance(HOUR)
    before = audit.as_of(id_, MONDAY - HOUR)
    assert (before.validity.status, before.credential) == (ValidityStatus.NOT_YET_AWARDED, None)
    assert (before.last, before.history) == (None, ())
    while_it_held = audit.as_of(id_, MONDAY + HOUR / 2)
    assert while_it_held.validity.holds
    assert while_it_held.credential is not None
    assert while_it_held.credential.status is CredentialStatus.ISSUED
    assert while_it_held.credential.revocation_reason is None
    assert while_it_held.last is not None
    assert while_it_held.last.name == "credential.notification-sent.1"
    now = audit.as_of(id_)
    assert now.at == MONDAY + 2 * HOUR
    assert now.validity.status is ValidityStatus.REVOKED
    assert now.validity.reason == "issued by mistake"
    assert now.last is not None
    assert isinstance(now.last.event, CredentialRevoked)
    assert now.last.attribution.actor == "user:registrar"


def test_an_event_counts_from_its_own_moment_on(world: World, audit: Audit) -> None:
    id_ = issued(world)
    assert audit.as_of(id_, MONDAY).validity.holds
    before = audit.as_of(id_, MONDAY - timedelta(microseconds=1))
    assert before.validity.status is ValidityStatus.NOT_YET_AWARDED


def test_a_date_alone_is_the_end_of_that_day_or_now(world: World, audit: Audit) -> None:
    id_ = issued(world)
    world.clock.advance(timedelta(hours=11))
    assert audit.as_of(id_, "2026-05-31").validity.status is ValidityStatus.NOT_YET_AWARDED
    today = audit.as_of(id_, "2026-06-01")
    assert (today.at, today.validity.holds) == (world.clock.now(), True)
    world.clock.advance(timedelta(days=1))
    then_ = audit.as_of(id_, "2026-06-01")
    assert then_.at == datetime(2026, 6, 2, tzinfo=UTC) - timedelta(microseconds=1)
    assert audit.as_of(id_, "2026-06-01T11:59").credential is None


@pytest.mark.parametrize("text", ["2026-06-02", "2026-06-01T12:01", "2027-01-01"])
def test_what_is_to_come_is_not_told(world: World, audit: Audit, text: str) -> None:
    id_ = issued(world)
    with pytest.raises(InvalidInput, match="a moment until now"):
        audit.as_of(id_, text)


def test_a_moment_without_a_time_zone_is_refused(world: World, audit: Audit) -> None:
    with pytest.raises(InvalidInput, match="with an offset"):
        audit.as_of(issued(world), datetime(2026, 6, 1))  # noqa: DTZ001 - that is what is tested


def test_whose_it_was_is_gone_once_the_learner_is_erased(world: World, audit: Audit) -> None:
    id_ = issued(world)
    world.clock.advance(HOUR)
    world.erasing.erase(LearnerId("ann"), "asked for", world.request())
    while_it_held = audit.as_of(id_, MONDAY)
    assert while_it_held.validity.holds
    assert while_it_held.credential is not None
    assert while_it_held.credential.awarded.person is None
    assert audit.as_of(id_).validity.status is ValidityStatus.ERASED


def test_a_clock_that_was_set_back_does_not_put_the_issue_before_the_award(
    world: World, audit: Audit
) -> None:
    award = an_award()
    world.events.append(awarding(award), by(at=MONDAY - HOUR))
    world.events.append(then(id_of(award), 1, an_issue()), by(at=MONDAY - 2 * HOUR))
    before = audit.as_of(id_of(award), MONDAY - 1.5 * HOUR)
    assert before.validity.status is ValidityStatus.NOT_YET_AWARDED
    now = audit.as_of(id_of(award))
    assert now.last is not None
    assert isinstance(now.last.event, CredentialIssued)


def test_a_credential_is_meant_by_its_verification_id_too(world: World, audit: Audit) -> None:
    id_ = issued(world)
    verification_id = world.credentials.get(id_).awarded.verification_id
    assert audit.as_of(verification_id).credential_id == id_


def test_there_must_be_such_a_credential(audit: Audit) -> None:
    with pytest.raises(NotFound):
        audit.as_of(CredentialId(uuid4()))
    with pytest.raises(NotFound):
        audit.why(CredentialId(uuid4()))
