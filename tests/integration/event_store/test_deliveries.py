"""The contract of the ledger of deliveries: messages and where they stand, on every database."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from testamur.application.ports.deliveries import DeliveryFilter, DeliveryRow
from testamur.domain.credentials import (
    CredentialAwarded,
    CredentialRevoked,
    NotificationBounced,
    NotificationFailed,
    NotificationRequested,
    NotificationSent,
)
from testamur.domain.errors import NotFound
from testamur.domain.events import DomainEvent
from testamur.domain.identifiers import CredentialId, LearnerId
from tests.support.databases import Database
from tests.support.events import (
    NOON,
    OTHER_CONFIGURATION,
    a_failed_notification,
    an_award,
    an_issue,
    awarding,
    by,
    id_of,
    then,
)

pytestmark = pytest.mark.integration

MINUTE = timedelta(minutes=1)
TOLD = NotificationSent(message_id="<1@uni.example>")
REMINDER = NotificationRequested(notice="expiring", sequence=1)


def award(database: Database, learner: str, *events: DomainEvent, **changes: object) -> UUID:
    awarded: CredentialAwarded = an_award(learner, **changes)
    database.events.append(awarding(awarded), by())
    happens(database, id_of(awarded), *events)
    return id_of(awarded)


def happens(database: Database, id_: UUID, *events: DomainEvent) -> None:
    for event in events:
        version = database.events.load(id_)[-1].version
        database.events.append(then(id_, version, event), by())


def listed(database: Database, **where: object) -> list[tuple[str, str, str]]:
    rows = database.deliveries.deliveries(DeliveryFilter(**where), 100)  # type: ignore[arg-type]
    return [(row.learner_id, row.notice, row.status) for row in rows]


def reminder_failed(retry_at: datetime | None = None) -> NotificationFailed:
    failed = a_failed_notification(retry_at=retry_at)
    return failed.model_copy(update={"notice": "expiring", "sequence": 1})


def test_the_message_about_the_issue_is_listed_once_there_is_a_document(
    database: Database,
) -> None:
    award(database, "a")
    b = award(database, "b", an_issue())
    (row,) = database.deliveries.deliveries(DeliveryFilter(), 100)
    assert row == DeliveryRow(
        credential_id=CredentialId(b),
        notice="issued",
        sequence=0,
        request=1,
        configuration_id=an_award().configuration_id,
        learner_id=LearnerId("b"),
        status="pending",
        failures=0,
        reason=None,
        requested_at=by().at,
        retry_at=None,
        sent_at=None,
    )


def test_attempts_outcome_and_next_try_are_listed(database: Database) -> None:
    a = award(database, "a", an_issue(), a_failed_notification(retry_at=NOON + MINUTE))
    (row,) = database.deliveries.deliveries(DeliveryFilter(), 100)
    assert (row.status, row.attempts, row.reason, row.retry_at) == (
        "pending",
        1,
        "refused",
        NOON + MINUTE,
    )
    happens(database, a, TOLD)
    (row,) = database.deliveries.deliveries(DeliveryFilter(), 100)
    assert (row.status, row.attempts, row.reason, row.retry_at) == ("sent", 2, None, None)
    assert row.sent_at == by().at


def test_messages_stand_by_credential_in_the_order_of_the_awards_page_by_page(
    database: Database,
) -> None:
    ids = [award(database, each, an_issue(), TOLD) for each in ("c", "a", "b")]
    for id_ in reversed(ids):
        happens(database, id_, REMINDER, NotificationRequested(notice="issued", request=2))
    rows: list[DeliveryRow] = []
    after: DeliveryRow | None = None
    while page := database.deliveries.deliveries(DeliveryFilter(), 2, after):
        rows += page
        after = page[-1]
    keys = [(row.learner_id, row.notice, row.request) for row in rows]
    assert keys == [
        (learner, notice, request)
        for learner in ("c", "a", "b")
        for notice, request in (("expiring", 1), ("issued", 1), ("issued", 2))
    ]


def test_to_go_on_after_what_is_not_there_is_refused(database: Database) -> None:
    award(database, "a", an_issue())
    (row,) = database.deliveries.deliveries(DeliveryFilter(), 1)
    unknown = DeliveryRow(
        CredentialId(uuid4()), *[getattr(row, name) for name in row.__slots__[1:]]
    )
    with pytest.raises(NotFound):
        database.deliveries.deliveries(DeliveryFilter(), 1, unknown)


def test_messages_are_found_by_what_is_asked_for(database: Database) -> None:
    award(database, "a", an_issue(), TOLD, REMINDER)
    award(database, "b", an_issue(), a_failed_notification(retry_at=None))
    award(database, "c", an_issue(), configuration_id=OTHER_CONFIGURATION)
    assert listed(database, learner_id="a") == [
        ("a", "expiring", "pending"),
        ("a", "issued", "sent"),
    ]
    assert listed(database, status="given-up") == [("b", "issued", "given-up")]
    assert listed(database, notice="expiring") == [("a", "expiring", "pending")]
    assert listed(database, configuration_id=OTHER_CONFIGURATION) == [("c", "issued", "pending")]
    assert listed(database, notice="expiring", status="sent") == []


def test_what_bounced_is_listed_as_such(database: Database) -> None:
    award(database, "a", an_issue(), TOLD, NotificationBounced(reason="5.1.1"))
    (row,) = database.deliveries.deliveries(DeliveryFilter(status="bounced"), 100)
    assert (row.reason, row.sent_at) == ("5.1.1", by().at)


def test_a_first_message_that_came_too_late_is_listed_as_skipped(database: Database) -> None:
    award(database, "a", an_issue(), CredentialRevoked(reason="by mistake"))
    (row,) = database.deliveries.deliveries(DeliveryFilter(), 100)
    assert (row.status, row.reason) == ("skipped", "ended")


def test_other_messages_wait_until_the_document_is_there_and_their_time_has_come(
    database: Database,
) -> None:
    a = award(database, "a", NotificationRequested(notice="recertified"))
    b = award(database, "b", an_issue(), TOLD, REMINDER)

    def waiting(now: datetime = NOON) -> list[str]:
        rows = database.deliveries.awaiting(now, 10)
        return [row.learner_id for row in rows]

    assert waiting() == ["b"]
    happens(database, a, an_issue())
    assert waiting() == ["a", "b"]
    happens(database, b, reminder_failed(NOON + MINUTE))
    assert waiting() == ["a"]
    assert waiting(NOON + MINUTE) == ["a", "b"]
    happens(database, b, reminder_failed())
    assert waiting(NOON + 99 * MINUTE) == ["a"]


def test_a_revocation_waits_to_be_told_of_though_the_credential_has_ended(
    database: Database,
) -> None:
    revoked = CredentialRevoked(reason="by mistake")
    award(database, "a", an_issue(), TOLD, revoked, NotificationRequested(notice="revoked"))
    assert [row.learner_id for row in database.deliveries.awaiting(NOON, 10)] == ["a"]


def test_what_waits_of_one_run_is_told_apart(database: Database) -> None:
    award(database, "a", an_issue(), TOLD, REMINDER)
    (row,) = database.deliveries.awaiting(NOON, 10)
    assert database.deliveries.awaiting(NOON, 10, row.run_id) == [row]
    assert database.deliveries.awaiting(NOON, 10, uuid4()) == []


def test_an_award_and_what_is_told_of_it_are_written_together(database: Database) -> None:
    awarded = an_award("a")
    batch = then(id_of(awarded), 0, awarded, an_issue(), NotificationRequested(notice="reissued"))
    database.events.append(batch, by())
    assert listed(database) == [("a", "issued", "pending"), ("a", "reissued", "pending")]


def test_messages_of_many_credentials_are_written_together(database: Database) -> None:
    ids = [award(database, f"learner-{number:02}", an_issue(), TOLD) for number in range(15)]
    batch = [each for id_ in ids for each in then(id_, 3, REMINDER)]
    database.events.append(batch, by())
    assert len(database.deliveries.awaiting(NOON, 100)) == 15


def test_what_was_sent_is_counted_whatever_it_told(database: Database) -> None:
    award(database, "a", an_issue(), TOLD)
    award(database, "b", an_issue(), TOLD, REMINDER)
    sent = NotificationSent(message_id="<2@uni.example>", notice="expiring", sequence=1)
    (b,) = [row.credential_id for row in database.deliveries.awaiting(NOON, 10)]
    happens(database, b, sent)
    at = by().at
    assert database.deliveries.sent_since(at - MINUTE) == 3
    assert database.deliveries.sent_since(at) == 0
