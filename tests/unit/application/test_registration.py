"""What events change in the register, without any database."""

from datetime import timedelta
from uuid import UUID

import pytest

from testamur.application.ports.event_store import NewEvents
from testamur.application.registration import is_living, register_changes
from testamur.domain.credentials import (
    CredentialRevoked,
    CredentialStatus,
    CredentialSuperseded,
    DocumentsWithdrawn,
    NotificationSent,
)
from testamur.domain.events import DomainEvent
from testamur.domain.runs import RunFailed
from tests.support.events import (
    NOON,
    a_configuration,
    a_failed_issue,
    a_request_to_erase,
    a_run,
    a_type,
    an_asset,
    an_award,
    an_erasure,
    an_issue,
    awarding,
    by,
    id_of,
    one_of_each,
    then,
)

STREAM = UUID(int=1)


@pytest.mark.parametrize("event", one_of_each(), ids=lambda event: type(event).__name__)
def test_every_event_says_what_it_changes(event: DomainEvent) -> None:
    changes = register_changes([NewEvents(STREAM, 0, [event])], by())
    tables = (changes.credentials, changes.runs, changes.catalogue)
    assert sum(len(table.added) + len(table.changed) for table in tables) <= 1


def test_an_event_of_no_aggregate_is_a_mistake() -> None:
    class Stray(DomainEvent):
        pass

    with pytest.raises(KeyError):
        register_changes([NewEvents(STREAM, 0, [Stray()])], by())


def test_what_follows_on_an_award_in_its_batch_is_in_the_new_row() -> None:
    award = an_award()
    batch = [*awarding(award), *then(id_of(award), 1, a_failed_issue(), an_issue())]
    changes = register_changes(batch, by())
    row = changes.credentials.added[id_of(award)]
    assert (row.status, row.issue_failures, row.issue_retry_at) == (
        CredentialStatus.ISSUED,
        1,
        None,
    )
    assert changes.credentials.changed == {}


def test_changes_of_one_row_are_gathered() -> None:
    batch = then(STREAM, 1, an_issue(), NotificationSent(message_id="<1@x>"))
    now = by()
    assert register_changes(batch, now).credentials.changed == {
        STREAM: {
            "status": CredentialStatus.ISSUED,
            "issue_retry_at": None,
            "issued_at": now.at,
            "notification": "sent",
            "notification_retry_at": None,
            "notification_reason": None,
            "notified_at": now.at,
        }
    }


@pytest.mark.parametrize(
    ("event", "status"),
    [
        (CredentialRevoked(reason="x"), CredentialStatus.REVOKED),
        (CredentialSuperseded(by=id_of(an_award())), CredentialStatus.SUPERSEDED),
    ],
)
def test_a_credential_that_ended_is_not_tried_again(
    event: DomainEvent, status: CredentialStatus
) -> None:
    changes = register_changes(then(STREAM, 2, event), by())
    assert changes.credentials.changed[STREAM] == {
        "status": status,
        "issue_retry_at": None,
        "notification_retry_at": None,
        "withdrawal_pending": True,
    }


def test_files_that_were_withdrawn_are_not_to_be_withdrawn_again() -> None:
    withdrawn = register_changes(then(STREAM, 3, DocumentsWithdrawn()), by())
    assert withdrawn.credentials.changed == {STREAM: {"withdrawal_pending": False}}


def test_an_award_belongs_to_what_it_was_recorded_for() -> None:
    award, run_id = an_award(), UUID(int=9)
    changes = register_changes(awarding(award), by(at=NOON, correlation_id=run_id))
    row = changes.credentials.added[id_of(award)]
    assert (row.run_id, row.awarded_at) == (run_id, NOON)


def test_a_run_that_failed_says_when_it_is_tried_again() -> None:
    failed = RunFailed(attempt=2, error="x", retry_at=NOON + timedelta(minutes=5))
    changes = register_changes([NewEvents(STREAM, 0, [a_run(), failed])], by(at=NOON))
    row = changes.runs.added[STREAM]
    assert (row.started_at, row.failures, row.retry_at) == (NOON, 2, failed.retry_at)


@pytest.mark.parametrize(
    ("event", "kind", "active"),
    [
        (a_type(), "credential-type", True),
        (an_asset(), "asset", True),
        (a_configuration(), "configuration", False),
        (a_request_to_erase(), "erasure", True),
    ],
)
def test_what_comes_into_being_is_listed(event: DomainEvent, kind: str, active: bool) -> None:
    row = register_changes(then(STREAM, 0, event), by()).catalogue.added[STREAM]
    assert (row.kind, row.active) == (kind, active)


def test_an_erasure_is_listed_by_its_learner_and_active_until_it_is_completed() -> None:
    requested = register_changes(then(STREAM, 0, a_request_to_erase("ada")), by()).catalogue
    assert requested.added[STREAM].label == "ada"
    completed = register_changes(then(STREAM, 1, an_erasure()), by()).catalogue
    assert completed.changed == {STREAM: {"active": False}}
    again = register_changes(then(STREAM, 2, a_request_to_erase("ada")), by()).catalogue
    assert (again.added, again.changed) == ({}, {STREAM: {"active": True}})


def test_awarded_and_issued_credentials_are_living_and_no_others() -> None:
    assert {status for status in CredentialStatus if is_living(status)} == {
        CredentialStatus.AWARDED,
        CredentialStatus.ISSUED,
    }
