"""Validity: what holds of a credential, from its state and a moment alone."""

from datetime import datetime, timedelta
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testamur.domain.credentials import (
    Credential,
    CredentialEvent,
    CredentialRevoked,
    CredentialSuperseded,
    PersonalDataErased,
    evolve,
)
from testamur.domain.identifiers import CredentialId
from testamur.domain.validity import Validity, ValidityStatus, validity_at
from tests.support.domain_strategies import EVENTS, moments, tries
from tests.support.events import NOON, a_failed_issue, an_award, an_issue, id_of

OTHER = CredentialId(id_of(an_award("other")))
LATER = NOON + timedelta(days=30)
REVOKED = CredentialRevoked(reason="by mistake")
ERASED = PersonalDataErased(reason="asked for")


def after(*events: CredentialEvent) -> Credential:
    return reduce(evolve, events, evolve(None, an_award(expires_at=LATER)))


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (None, ValidityStatus.NOT_YET_AWARDED),
        (after(), ValidityStatus.AWARDED_NOT_ISSUED),
        (after(a_failed_issue()), ValidityStatus.AWARDED_NOT_ISSUED),
        (after(an_issue()), ValidityStatus.VALID),
        (after(an_issue(), REVOKED), ValidityStatus.REVOKED),
        (after(an_issue(), CredentialSuperseded(by=OTHER)), ValidityStatus.SUPERSEDED),
        (after(an_issue(), ERASED), ValidityStatus.ERASED),
    ],
)
def test_what_holds_is_told_by_the_state(state: Credential | None, status: ValidityStatus) -> None:
    validity = validity_at(state, NOON)
    assert validity.status is status
    assert validity.holds is (status is ValidityStatus.VALID)


def test_it_expires_at_its_moment_and_not_before() -> None:
    issued = after(an_issue())
    assert validity_at(issued, LATER - timedelta(microseconds=1)).holds
    assert validity_at(issued, LATER) == Validity(ValidityStatus.EXPIRED, expires_at=LATER)


def test_a_revocation_comes_with_its_reason_and_outlasts_expiry_and_erasure() -> None:
    assert validity_at(after(an_issue(), REVOKED), LATER).reason == "by mistake"
    assert validity_at(after(an_issue(), REVOKED), LATER).status is ValidityStatus.REVOKED
    erased = validity_at(after(an_issue(), REVOKED, ERASED), NOON)
    assert (erased.status, erased.reason) == (ValidityStatus.ERASED, "by mistake")


def test_what_was_superseded_says_by_what() -> None:
    superseded = after(an_issue(), CredentialSuperseded(by=OTHER))
    assert validity_at(superseded, NOON).superseded_by == OTHER


@tries(60)
@given(
    events=st.lists(
        st.sampled_from([an_issue(), REVOKED, CredentialSuperseded(by=OTHER), ERASED]), max_size=4
    ),
    award=EVENTS[type(an_award())],
    moment=moments,
)
def test_it_holds_only_where_it_is_issued_and_not_expired(
    events: list[CredentialEvent], award: CredentialEvent, moment: datetime
) -> None:
    state = reduce(evolve, events, evolve(None, award))
    expires_at = state.awarded.expires_at
    assert validity_at(state, moment).holds == (
        state.status == "issued" and (expires_at is None or moment < expires_at)
    )
