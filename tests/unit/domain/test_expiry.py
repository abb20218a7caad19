"""Expiry: periods by the calendar, the last second, reminders, and who may renew."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from testamur.domain.credentials import (
    Credential,
    NotificationRequested,
    NotificationSkipped,
    decide_recertify,
    decide_remind,
    decide_revoke,
    evolve,
    next_edition,
)
from testamur.domain.errors import DecisionRefused
from testamur.domain.expiry import ExpiryRule, Period, expires_at_of, reminders_of, renewable_until
from testamur.domain.identifiers import VerificationId
from testamur.domain.personal_data import Person
from tests.support.events import NOON, an_award, an_issue

UTC_ZONE = ZoneInfo("UTC")
WARSAW = ZoneInfo("Europe/Warsaw")

FIRST, SECOND = NOON + timedelta(days=1), NOON + timedelta(days=3)
EXPIRY = NOON + timedelta(days=4)


def rule(**options: object) -> ExpiryRule:
    return ExpiryRule.model_validate(options)


def issued(**changes: Any) -> Credential:
    fields: dict[str, Any] = {"expires_at": EXPIRY, "reminders": (FIRST, SECOND)}
    award = an_award(**(fields | changes))
    return evolve(evolve(None, award), an_issue())


@pytest.mark.parametrize(
    ("text", "from_day", "to_day"),
    [
        ("P2Y", date(2026, 6, 30), date(2028, 6, 30)),
        ("P1Y", date(2024, 2, 29), date(2025, 2, 28)),
        ("P4Y", date(2024, 2, 29), date(2028, 2, 29)),
        ("P1M", date(2026, 1, 31), date(2026, 2, 28)),
        ("P13M", date(2026, 12, 1), date(2028, 1, 1)),
        ("P90D", date(2026, 1, 1), date(2026, 4, 1)),
        ("P2W", date(2026, 1, 1), date(2026, 1, 15)),
        ("P1Y6M10D", date(2026, 1, 31), date(2027, 8, 10)),
    ],
)
def test_a_period_is_counted_by_the_calendar(text: str, from_day: date, to_day: date) -> None:
    assert Period.parse(text).after(from_day) == to_day


@pytest.mark.parametrize("text", ["", "P", "2Y", "P0D", "PT24H", "P1.5Y", "P-1Y", "P101Y", "p1y"])
def test_what_is_no_period_of_days_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="ISO 8601"):
        Period.parse(text)


@given(st.integers(0, 1200), st.integers(0, 36_600))
def test_a_period_is_read_as_it_is_written(months: int, days: int) -> None:
    period = Period(months, days)
    if 0 < months / 12 * 366 + days <= 36_600:
        assert Period.parse(str(period)) == period


@given(
    st.dates(date(1900, 1, 1), date(2200, 1, 1)),
    st.integers(0, 600),
    st.integers(0, 1000),
)
def test_a_later_day_never_leads_to_an_earlier_one(day: date, months: int, days: int) -> None:
    period, next_day = Period(months, days), day + timedelta(days=1)
    assert period.before(day) <= day <= period.after(day)
    assert period.after(day) <= period.after(next_day)
    assert period.before(day) <= period.before(next_day)


def test_a_credential_is_valid_through_the_end_of_its_last_day_where_the_installation_is() -> None:
    expires_at = expires_at_of(rule(after="P1Y"), date(2026, 6, 30), WARSAW)

    assert expires_at == datetime(2027, 6, 30, 23, 59, 59, tzinfo=WARSAW)
    assert expires_at.tzinfo is UTC


def test_a_fixed_day_holds_whatever_the_award_date() -> None:
    fixed = rule(on="2027-06-30")

    days = (date(2025, 1, 1), date(2027, 6, 30))
    assert {expires_at_of(fixed, day, UTC_ZONE) for day in days} == {
        datetime(2027, 6, 30, 23, 59, 59, tzinfo=UTC)
    }


def test_where_the_last_hour_comes_twice_the_day_ends_with_the_second() -> None:
    # Clocks in Lebanon went back from midnight to 23:00 on 28 October 2023.
    beirut = ZoneInfo("Asia/Beirut")

    assert expires_at_of(rule(on="2023-10-28"), date(2023, 1, 1), beirut) == datetime(
        2023, 10, 28, 21, 59, 59, tzinfo=UTC
    )


def test_without_a_rule_it_never_expires_and_nobody_is_reminded() -> None:
    assert expires_at_of(None, date(2026, 6, 30), WARSAW) is None
    assert reminders_of(None, date(2026, 6, 30), WARSAW, NOON) == ()


def test_reminders_are_due_in_the_morning_the_earliest_first() -> None:
    of = rule(after="P1Y", reminders=["P7D", "P1M", "P7D"])

    assert reminders_of(of, date(2026, 6, 30), WARSAW, NOON) == (
        datetime(2027, 5, 30, 8, tzinfo=WARSAW),
        datetime(2027, 6, 23, 8, tzinfo=WARSAW),
    )


def test_reminders_that_would_have_been_due_at_the_award_are_left_out() -> None:
    of = rule(on="2026-06-10", reminders=["P30D", "P3D"])
    now = datetime(2026, 6, 1, tzinfo=UTC)

    assert reminders_of(of, now.date(), UTC_ZONE, now) == (datetime(2026, 6, 7, 8, tzinfo=UTC),)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"after": "P1Y", "on": "2027-06-30"},
        {"on": "30.06.2027"},
        {"on": 20270630},
        {"on": datetime(2027, 6, 30, tzinfo=UTC)},
        {"after": 365},
        {"after": "P1Y", "reminders": "P7D"},
        {"after": "P1Y", "reminders": ["P7D"] * 11},
        {"after": "P1Y", "recertify": "yes"},
        {"after": "P1Y", "recertify": {"from": "PT1H"}},
        {"after": "P1Y", "recertify": {"until": "P1D"}},
    ],
)
def test_what_is_no_rule_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        rule(**options)


def test_the_other_kind_of_expiry_can_be_taken_back() -> None:
    assert rule(after=None, on="2027-06-30").on == date(2027, 6, 30)


def test_what_may_be_renewed_depends_on_the_rule() -> None:
    assert renewable_until(rule(after="P1Y"), NOON, UTC_ZONE) is None
    assert renewable_until(rule(after="P1Y", recertify=False), NOON, UTC_ZONE) is None
    assert renewable_until(rule(after="P1Y", recertify=True), NOON, UTC_ZONE) == NOON
    early = rule(after="P1Y", recertify={"from": "P60D"})
    until = renewable_until(early, NOON, UTC_ZONE)
    last = (NOON + timedelta(days=60)).date()
    assert until == datetime(last.year, last.month, last.day, 23, 59, 59, tzinfo=UTC)


# Reminders


def test_a_reminder_is_asked_for_when_it_is_due_and_not_before() -> None:
    assert decide_remind(issued(), FIRST - timedelta(seconds=1)) == []
    assert decide_remind(issued(), FIRST) == [
        NotificationRequested(notice="expiring", sequence=0, next_reminder_at=SECOND)
    ]


def test_each_reminder_is_asked_for_once() -> None:
    (first,) = decide_remind(issued(), FIRST)
    reminded = evolve(issued(), first)
    assert decide_remind(reminded, FIRST) == []
    (second,) = decide_remind(reminded, SECOND)
    assert second == NotificationRequested(notice="expiring", sequence=1)
    assert decide_remind(evolve(reminded, second), SECOND) == []


def test_of_reminders_that_were_missed_only_the_last_is_asked_for() -> None:
    assert decide_remind(issued(), SECOND) == [NotificationRequested(notice="expiring", sequence=1)]


def test_after_the_expiry_nobody_is_reminded_any_more_and_that_is_recorded() -> None:
    decided = decide_remind(issued(), EXPIRY)

    assert decided[1:] == [NotificationSkipped(reason="expired", notice="expiring", sequence=1)]
    state = issued()
    for event in decided:
        state = evolve(state, event)
    assert state.remind_at is None


def test_of_a_revoked_or_unissued_one_nobody_is_reminded() -> None:
    revoked = issued()
    for event in decide_revoke(revoked, "mistake"):
        revoked = evolve(revoked, event)
    assert decide_remind(revoked, SECOND) == []
    awarded = evolve(None, an_award(expires_at=EXPIRY, reminders=(FIRST,)))
    assert decide_remind(awarded, SECOND) == []


def test_asking_for_a_reminder_once_more_does_not_move_the_next_one() -> None:
    again = NotificationRequested(notice="expiring", sequence=0, request=2, reason="lost")
    (first,) = decide_remind(issued(), FIRST)

    assert evolve(evolve(issued(), first), again).remind_at == SECOND


def test_a_reissue_keeps_the_expiry_and_the_reminders_to_come() -> None:
    (first,) = decide_remind(issued(), FIRST)
    reminded = evolve(issued(), first)

    new = next_edition(
        reminded,
        person=Person(full_name="Ada"),
        type_revision=1,
        type_name="x",
        issuer_name="x",
        context_name="x",
        verification_id=VerificationId("v9"),
    )

    assert (new.expires_at, new.reminders) == (EXPIRY, (SECOND,))


# Recertification


def test_a_recertification_tells_the_learner() -> None:
    award = an_award(edition=2, expires_at=EXPIRY + timedelta(days=300))

    assert decide_recertify(issued(), award) == [
        award,
        NotificationRequested(notice="recertified"),
    ]


def test_nobody_is_recertified_who_would_gain_nothing() -> None:
    with pytest.raises(DecisionRefused, match="as long"):
        decide_recertify(issued(), an_award(edition=2, expires_at=EXPIRY))
    with pytest.raises(DecisionRefused, match="never expires"):
        decide_recertify(issued(expires_at=None, reminders=()), an_award(edition=2))


def test_a_revoked_credential_is_not_recertified() -> None:
    (revoked,) = decide_revoke(issued(), "mistake")
    with pytest.raises(DecisionRefused, match="revoked"):
        decide_recertify(evolve(issued(), revoked), an_award(edition=2))
