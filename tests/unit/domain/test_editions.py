"""Editions: what a new one takes over, and from which credentials none can be made."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import reduce
from uuid import uuid4

import pytest
from hypothesis import given

from testamur.domain.credentials import (
    Credential,
    CredentialAwarded,
    CredentialEvent,
    CredentialIssued,
    CredentialRevoked,
    CredentialStatus,
    CredentialSuperseded,
    NotificationRequested,
    NotificationSent,
    NotificationSuppressed,
    PersonalDataErased,
    decide_reissue,
    evolve,
    next_edition,
    next_edition_id,
)
from testamur.domain.errors import DecisionRefused
from testamur.domain.identifiers import CredentialId, VerificationId, credential_id
from testamur.domain.personal_data import Person
from tests.support.domain_strategies import EVENTS, tries
from tests.support.events import an_award, an_issue

NEW = Person(full_name="Ann Novak")
REVOKED = CredentialRevoked(reason="by mistake")
TOLD = NotificationSent(message_id="<1@example.org>")


def after(*events: CredentialEvent) -> Credential:
    return reduce(evolve, events, evolve(None, an_award()))


def edition_of(state: Credential) -> CredentialAwarded:
    return next_edition(
        state,
        person=NEW,
        type_revision=7,
        type_name="Diploma",
        issuer_name="Example College",
        context_name="Mathematics",
        verification_id=VerificationId("new"),
    )


def begun(state: Credential, *, tell: bool = True) -> list[type]:
    issue = an_issue()
    decided = decide_reissue(state, edition_of(state), issue.artifacts, issue.rendering, tell=tell)
    return [type(each) for each in decided]


@tries(60)
@given(award=EVENTS[CredentialAwarded])
def test_what_was_earned_is_taken_over_whatever_it_is(award: CredentialAwarded) -> None:
    before = evolve(None, award.model_copy(update={"person": NEW}))
    after_ = edition_of(before)
    of_the_edition = {"edition": award.edition + 1, "verification_id": "new"}
    replaced = credential_id(award.configuration_id, award.learner_id, award.edition)
    of_the_type = {"type_revision": 7, "type_name": "Diploma", "issuer_name": "Example College"}
    shown = {
        "person": NEW,
        "context_name": "Mathematics",
        "replaces": replaced,
        "document_link": None,
    }
    assert after_ == before.awarded.model_copy(update=of_the_edition | of_the_type | shown)


def test_reminders_that_were_asked_for_are_not_asked_for_again() -> None:
    moments = tuple(datetime(2027, month, 1, tzinfo=UTC) for month in (1, 2, 3))
    award = an_award().model_copy(update={"reminders": moments})
    asked = NotificationRequested(notice="expiring", sequence=1, next_reminder_at=moments[2])
    first = evolve(evolve(evolve(None, award), an_issue()), asked)
    assert edition_of(first).reminders == moments[2:]
    assert edition_of(evolve(first, REVOKED)).reminders == moments[2:]
    assert edition_of(evolve(None, award)).reminders == moments


def test_the_next_edition_has_an_id_of_its_own() -> None:
    award = an_award()
    ids = {
        next_edition_id(award),
        next_edition_id(award.model_copy(update={"edition": 2})),
        credential_id(award.configuration_id, award.learner_id),
    }
    assert len(ids) == 3
    assert next_edition_id(award) == credential_id(award.configuration_id, award.learner_id, 2)


@pytest.mark.parametrize(
    "state",
    [
        None,
        after(an_issue(), CredentialSuperseded(by=CredentialId(uuid4()))),
        after(an_issue(), PersonalDataErased(reason="asked for")),
        replace(after(), awarded=an_award().model_copy(update={"person": None})),
    ],
    ids=["never awarded", "superseded", "erased", "key lost"],
)
def test_no_edition_follows_on_what_has_none_to_follow(state: Credential | None) -> None:
    with pytest.raises(DecisionRefused):
        next_edition(
            state,
            person=NEW,
            type_revision=1,
            type_name="",
            issuer_name="",
            context_name="",
            verification_id=VerificationId("new"),
        )


def test_one_on_which_nobody_has_a_name_is_refused() -> None:
    issue = an_issue()
    award = edition_of(after()).model_copy(update={"person": Person(full_name=" ")})
    with pytest.raises(DecisionRefused, match="no name"):
        decide_reissue(after(), award, issue.artifacts, issue.rendering, tell=True)


@pytest.mark.parametrize("ended", [(), (REVOKED,)], ids=["issued", "revoked"])
def test_who_knows_of_the_credential_is_told_that_it_was_reissued(
    ended: tuple[CredentialEvent, ...],
) -> None:
    state = after(an_issue(), TOLD, *ended)
    assert begun(state) == [CredentialAwarded, CredentialIssued, NotificationRequested]
    assert begun(state, tell=False) == [CredentialAwarded, CredentialIssued, NotificationSuppressed]


@pytest.mark.parametrize("events", [(), (an_issue(),), (an_issue(), REVOKED)])
def test_who_was_never_told_of_it_is_told_of_the_issue_as_anybody_is(
    events: tuple[CredentialEvent, ...],
) -> None:
    state = after(*events)
    assert begun(state) == [CredentialAwarded, CredentialIssued]
    assert begun(state, tell=False) == [CredentialAwarded, CredentialIssued, NotificationSuppressed]


def test_who_knows_of_an_earlier_edition_is_told_that_it_was_reissued() -> None:
    again = after(an_issue(), NotificationRequested(notice="reissued"))
    assert again.notification == "pending"
    assert begun(again) == [CredentialAwarded, CredentialIssued, NotificationRequested]


def test_a_new_edition_is_issued_from_its_beginning() -> None:
    state, issue = after(an_issue()), an_issue()
    decided = decide_reissue(state, edition_of(state), issue.artifacts, issue.rendering, tell=True)
    new = reduce(evolve, decided[1:], evolve(None, decided[0]))
    assert (new.status, new.artifacts, new.rendering) == (
        CredentialStatus.ISSUED,
        issue.artifacts,
        issue.rendering,
    )
