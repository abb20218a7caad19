"""Messages about a credential: which is true, which is sent, and which comes back."""

from datetime import UTC, datetime, timedelta
from functools import reduce
from uuid import UUID

import pytest

from testamur.domain.credentials import (
    FIRST_MESSAGE,
    Credential,
    CredentialEvent,
    CredentialRevoked,
    CredentialSuperseded,
    MessageKey,
    NotificationBounced,
    NotificationFailed,
    NotificationRequested,
    NotificationSent,
    NotificationSkipped,
    NotificationSuppressed,
    PersonalDataErased,
    decide_bounced,
    decide_fail_notification,
    decide_notification,
    decide_notified,
    decide_resend,
    decide_suppress,
    evolve,
    waiting_messages,
)
from testamur.domain.errors import DecisionRefused
from testamur.domain.identifiers import CredentialId
from tests.support.events import an_award, an_issue

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
TOLD = NotificationSent(message_id="<issued.1@uni.example>")
REVOKED = CredentialRevoked(reason="by mistake")
TELL_OF_REVOCATION = NotificationRequested(notice="revoked")
OF_REVOCATION = MessageKey("revoked")
REISSUED = MessageKey("reissued")
REMINDER = NotificationRequested(notice="expiring", sequence=1)
OF_REMINDER = MessageKey("expiring", 1)


def after(*events: CredentialEvent) -> Credential:
    start: Credential | None = None
    state = reduce(evolve, (an_award(), an_issue(), *events), start)
    assert state is not None
    return state


def whether(
    state: Credential, key: MessageKey, *, switched_on: bool = True, suppressed: bool = False
) -> str | None:
    return decide_notification(state, switched_on=switched_on, suppressed=suppressed, key=key)


def test_a_revocation_is_told_to_who_was_told_of_the_issue() -> None:
    assert whether(after(TOLD, REVOKED, TELL_OF_REVOCATION), OF_REVOCATION) is None


def test_a_revocation_is_not_told_to_who_was_told_of_nothing() -> None:
    assert whether(after(REVOKED, TELL_OF_REVOCATION), OF_REVOCATION) == "never-told"


def test_of_a_reissue_one_message_tells_and_not_two() -> None:
    reissued = after(NotificationRequested(notice="reissued"))
    assert whether(reissued, FIRST_MESSAGE) == "told-otherwise"
    assert whether(reissued, REISSUED) is None


@pytest.mark.parametrize(
    ("ended_by", "key"),
    [
        ((REVOKED,), OF_REMINDER),
        ((CredentialSuperseded(by=CredentialId(UUID(int=2))),), OF_REMINDER),
        ((PersonalDataErased(reason="asked for"),), OF_REMINDER),
    ],
)
def test_what_does_not_hold_any_more_is_not_told(
    ended_by: tuple[CredentialEvent, ...], key: MessageKey
) -> None:
    assert whether(after(TOLD, REMINDER, *ended_by), key) == "ended"


def test_a_revocation_that_a_reissue_followed_is_not_told() -> None:
    superseded = CredentialSuperseded(by=CredentialId(UUID(int=2)))
    state = after(TOLD, REVOKED, TELL_OF_REVOCATION, superseded)
    assert whether(state, OF_REVOCATION) == "ended"


def test_who_is_not_to_be_told_is_not() -> None:
    state = after(TOLD, REMINDER)
    assert whether(state, OF_REMINDER, suppressed=True) == "suppressed"
    assert whether(state, OF_REMINDER, switched_on=False) == "switched-off"


def test_after_a_bounce_nothing_is_sent_by_itself_but_what_somebody_asks_for() -> None:
    bounced = NotificationBounced(reason="5.1.1")
    state = after(TOLD, bounced, REMINDER)
    assert whether(state, OF_REMINDER) == "bounced"
    again = after(TOLD, bounced, *decide_resend(after(TOLD, bounced), "issued", 0, "new address"))
    assert whether(again, MessageKey("issued", 0, 2)) is None


def test_each_message_has_attempts_of_its_own() -> None:
    state = after(TOLD, REMINDER)
    for attempt in (1, 2):
        decided = decide_fail_notification(
            state, "refused", "451", NOW, permanent=False, key=OF_REMINDER
        )
        (failed,) = decided
        assert isinstance(failed, NotificationFailed)
        assert (failed.attempt, failed.notice, failed.sequence) == (attempt, "expiring", 1)
        state = evolve(state, failed)
    assert state.notification == "sent"
    assert state.messages[OF_REMINDER].failures == 2
    assert waiting_messages(state, NOW) == []
    assert waiting_messages(state, NOW + timedelta(minutes=2)) == [OF_REMINDER]


def test_a_hard_bounce_while_sending_ends_the_attempts_at_once() -> None:
    state = after(TOLD, REMINDER)
    (failed,) = decide_fail_notification(
        state, "refused", "550", NOW, permanent=True, key=OF_REMINDER
    )
    state = evolve(state, failed)
    assert state.messages[OF_REMINDER].status == "given-up"
    assert waiting_messages(state, NOW + timedelta(days=100)) == []


@pytest.mark.parametrize(
    "before",
    [
        TOLD,
        NotificationSkipped(reason="switched-off"),
        NotificationSuppressed(reason="not yet"),
        NotificationFailed(
            learner_id=an_award().learner_id,
            attempt=18,
            reason="refused",
            detail="",
            retry_at=None,
        ),
    ],
)
def test_a_message_that_is_dealt_with_can_be_sent_once_more(before: CredentialEvent) -> None:
    (asked,) = decide_resend(after(before), "issued", 0, "asked for")
    assert asked == NotificationRequested(notice="issued", request=2, reason="asked for")
    assert waiting_messages(after(before, asked), NOW) == [MessageKey("issued", 0, 2)]


def test_a_message_that_waits_is_not_asked_for_again() -> None:
    with pytest.raises(DecisionRefused, match="waits to be sent already"):
        decide_resend(after(), "issued", 0, "impatience")


def test_what_nobody_asked_for_or_is_not_true_is_not_sent_again() -> None:
    with pytest.raises(DecisionRefused, match="never to be told 'expiring'"):
        decide_resend(after(TOLD), "expiring", 0, "x")
    with pytest.raises(DecisionRefused, match="it is revoked"):
        decide_resend(after(TOLD, REVOKED), "issued", 0, "x")


def test_only_a_message_that_waits_can_be_suppressed() -> None:
    (suppressed,) = decide_suppress(after(), FIRST_MESSAGE, "not yet")
    assert waiting_messages(after(suppressed), NOW) == []
    with pytest.raises(DecisionRefused, match="does not wait"):
        decide_suppress(after(TOLD), FIRST_MESSAGE, "too late")
    with pytest.raises(DecisionRefused, match="dealt with already"):
        decide_notified(after(suppressed), "<1@uni.example>")


def test_only_what_was_sent_can_come_back_and_only_once() -> None:
    (bounced,) = decide_bounced(after(TOLD), FIRST_MESSAGE, "5.1.1")
    assert after(TOLD, bounced).notification == "bounced"
    assert decide_bounced(after(TOLD, bounced), FIRST_MESSAGE, "5.1.1") == []
    with pytest.raises(DecisionRefused, match="never sent"):
        decide_bounced(after(), FIRST_MESSAGE, "5.1.1")
