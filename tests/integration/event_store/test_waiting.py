"""The contract of the register: what waits to be issued, and who waits to be told."""

from datetime import timedelta
from uuid import uuid4

from testamur.domain.credentials import (
    CredentialRevoked,
    NotificationSent,
    NotificationSkipped,
)
from tests.integration.event_store.awarded import EVERYTHING, MINUTE, award_to, happens, learners
from tests.support.databases import Database
from tests.support.events import (
    NOON,
    a_failed_issue,
    a_failed_notification,
    an_issue,
)


def test_what_waits_to_be_issued_is_what_is_awarded_oldest_first(database: Database) -> None:
    a, b, c = award_to(database, "c", "a", "b")
    assert learners(database.register.awaiting_issue(NOON, 10)) == ["c", "a", "b"]
    assert learners(database.register.awaiting_issue(NOON, 2)) == ["c", "a"]
    happens(database, a, an_issue())
    happens(database, b, CredentialRevoked(reason="mistake"))
    assert learners(database.register.awaiting_issue(NOON, 10)) == [c.learner_id]


def test_a_failed_issue_waits_until_its_retry_time(database: Database) -> None:
    first, *_ = award_to(database, "a", "b", "c")
    happens(database, first, a_failed_issue("a", retry_at=NOON + MINUTE))
    early, due = NOON + MINUTE - timedelta(microseconds=1), NOON + MINUTE
    assert learners(database.register.awaiting_issue(early, 10)) == ["b", "c"]
    assert learners(database.register.awaiting_issue(due, 10)) == ["a", "b", "c"]
    assert learners(database.register.awaiting_issue(due, 1)) == ["a"]


def test_retries_and_fresh_ones_share_the_limit_in_the_order_of_awards(
    database: Database,
) -> None:
    awards = award_to(database, *"abcdef")
    for number in (1, 3, 4):
        retry_at = NOON - number * MINUTE
        happens(database, awards[number], a_failed_issue(retry_at=retry_at))
    assert learners(database.register.awaiting_issue(NOON, 4)) == ["a", "b", "c", "d"]


def test_what_waits_is_filtered_by_run(database: Database) -> None:
    run_id = uuid4()
    award_to(database, "a")
    b, _ = award_to(database, "b", "c", run_id=run_id)
    award_to(database, "d")
    happens(database, b, a_failed_issue("b", retry_at=NOON))
    assert learners(database.register.awaiting_issue(NOON, 10, run_id)) == ["b", "c"]
    assert database.register.awaiting_issue(NOON, 10, uuid4()) == []
    happens(database, b, an_issue())
    assert learners(database.register.awaiting_notification(NOON, 10, run_id)) == ["b"]
    assert database.register.awaiting_notification(NOON, 10, uuid4()) == []


def test_who_waits_to_be_told_is_who_was_issued_one(database: Database) -> None:
    a, b, c, d, e = award_to(database, *"abcde")
    for each in (a, b, c, d):
        happens(database, each, an_issue())
    assert learners(database.register.awaiting_notification(NOON, 10)) == ["a", "b", "c", "d"]
    happens(database, a, NotificationSent(message_id="<1@x>"))
    happens(database, b, NotificationSkipped(reason="no-address"))
    happens(database, c, a_failed_notification(retry_at=None))
    happens(database, d, CredentialRevoked(reason="mistake"))
    happens(database, e, an_issue())
    assert learners(database.register.awaiting_notification(NOON, 10)) == ["e"]


def test_a_failed_notification_waits_until_its_retry_time(database: Database) -> None:
    awards = award_to(database, "a", "b")
    for each in awards:
        happens(database, each, an_issue())
    happens(database, awards[0], a_failed_notification(retry_at=NOON + MINUTE))
    assert learners(database.register.awaiting_notification(NOON, 10)) == ["b"]
    assert learners(database.register.awaiting_notification(NOON + MINUTE, 10)) == ["a", "b"]


def test_rows_tell_failures_and_retry_times(database: Database) -> None:
    (award,) = award_to(database, "a")
    happens(database, award, a_failed_issue("a", attempt=3, retry_at=NOON + MINUTE))
    (row,) = database.register.credentials(EVERYTHING, 1)
    assert (row.issue_failures, row.issue_retry_at) == (3, NOON + MINUTE)
    happens(
        database, award, an_issue(), a_failed_notification(attempt=2, retry_at=NOON + 2 * MINUTE)
    )
    (row,) = database.register.credentials(EVERYTHING, 1)
    assert (row.issue_failures, row.issue_retry_at) == (3, None)
    assert (row.notification, row.notification_failures) == ("pending", 2)
    assert row.notification_retry_at == NOON + 2 * MINUTE
