"""Whoever changes what the register says of messages is found out."""

import pytest

from testamur.domain.credentials import NotificationRequested, NotificationSent
from tests.integration.transparency.conftest import Intruder
from tests.support.events import an_award, an_issue, by, id_of, then
from tests.support.sealed import Sealed


@pytest.fixture(autouse=True)
def _told_of_much(sealed: Sealed) -> None:
    award = an_award("reminded")
    events = (
        award,
        an_issue(),
        NotificationSent(message_id="<1@uni.example>"),
        NotificationRequested(notice="expiring"),
        NotificationRequested(notice="expiring", sequence=1),
        NotificationSent(message_id="<2@uni.example>", notice="expiring"),
    )
    sealed.database.events.append(then(id_of(award), 0, *events), by())
    sealed.follow()


def found(sealed: Sealed) -> list[str]:
    return [each.detail for each in sealed.check().findings if each.area == "register"]


def test_messages_that_are_what_the_events_say_are_clean(sealed: Sealed) -> None:
    assert sealed.check().is_clean


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE messages SET status = 'pending' WHERE sequence = 0", "status of the message"),
        ("UPDATE messages SET reason = 'x' WHERE sequence = 1", "reason of the message"),
        ("DELETE FROM messages WHERE sequence = 1", "expiring 1, request 1 has no row"),
        ("UPDATE messages SET request = 9 WHERE sequence = 1", "nobody asked for it"),
        ("UPDATE credentials SET notified_at = NULL WHERE notified_at IS NOT NULL", "notified_at"),
    ],
)
def test_what_was_changed_of_a_message_is_told(
    sealed: Sealed, intruder: Intruder, statement: str, told: str
) -> None:
    intruder.run(statement)
    problems = found(sealed)
    assert problems
    assert any(told in problem for problem in problems)
