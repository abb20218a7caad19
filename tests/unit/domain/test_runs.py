"""Runs: claiming a slot, recording refusals, completing, failing and being tried again."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from functools import reduce
from itertools import pairwise
from typing import Final
from uuid import UUID

import pytest
from hypothesis import given
from pydantic import ValidationError

from testamur.domain.errors import DecisionRefused
from testamur.domain.identifiers import ConfigurationId, LearnerId
from testamur.domain.run_results import LeftOut, Refusal, RunCounts
from testamur.domain.runs import (
    MOST_ATTEMPTS,
    IssuanceRun,
    LearnersLeftOut,
    LearnersRefused,
    RunApproved,
    RunCompleted,
    RunDivided,
    RunEvent,
    RunFailed,
    RunNeedsApproval,
    RunRejected,
    RunStarted,
    decide_approve,
    decide_complete,
    decide_divide,
    decide_fail,
    decide_leave_out,
    decide_need_approval,
    decide_refuse,
    decide_reject,
    decide_start,
    evolve,
    manual_slot,
    scheduled_slot,
)
from tests.support.domain_strategies import run_counts, tries

NOW: Final = datetime(2026, 6, 1, 12, tzinfo=UTC)
SCHEDULED: Final = RunStarted(
    configuration_id=ConfigurationId(UUID(int=1)),
    slot="schedule:2026-06-01T12:00:00+00:00",
    trigger="schedule",
    scheduled_for=NOW,
)
MANUAL: Final = RunStarted(
    configuration_id=ConfigurationId(UUID(int=1)), slot="manual:7", trigger="manual", limit=50
)
COUNTS: Final = RunCounts(
    evaluated=14,
    already_held=3,
    not_eligible=2,
    eligible=5,
    left_out=4,
    awarded=3,
    refused=1,
    over_limit=1,
)
DONE: Final = RunCompleted(counts=COUNTS)
ASKED: Final = RunNeedsApproval(
    reason="max-new",
    limit=500,
    proposed=5000,
    pages=5,
    sha256="0" * 64,
    counts=RunCounts(evaluated=5000, eligible=5000),
)
DIVIDED: Final = RunDivided(
    division=UUID(int=9),
    pages=16,
    earned=2000,
    counts=RunCounts(evaluated=5, not_eligible=5),
    context_name="Botany",
    retrieved_at=NOW,
)
APPROVED: Final = RunApproved(reason="the term has ended")
REJECTED: Final = RunRejected(reason="0.5 was a slip")


def refusal(learner_id: str, reason: str = "no-name") -> Refusal:
    return Refusal(learner_id=LearnerId(learner_id), reason=reason, detail="no full name")


def left_out(learner_id: str, reason: str = "the LMS has no grade") -> LeftOut:
    return LeftOut(learner_id=LearnerId(learner_id), reason=reason)


def after(*events: RunEvent, started: RunStarted = SCHEDULED) -> IssuanceRun:
    """Return a run that was started and then saw these events."""
    return reduce(evolve, events, evolve(None, started))


# Slots


def test_a_slot_of_the_schedule_is_the_moment_in_utc() -> None:
    in_warsaw = datetime(2026, 6, 1, 14, tzinfo=timezone(timedelta(hours=2)))

    assert scheduled_slot(NOW) == "schedule:2026-06-01T12:00:00+00:00"
    assert scheduled_slot(in_warsaw) == scheduled_slot(NOW)


def test_a_slot_that_a_person_asked_for_is_never_one_of_the_schedule() -> None:
    assert manual_slot("7") == "manual:7"
    assert manual_slot(scheduled_slot(NOW)) != scheduled_slot(NOW)


# Starting


def test_a_slot_is_claimed_by_the_first_to_start_it() -> None:
    assert decide_start(None, SCHEDULED) == [SCHEDULED]
    assert evolve(None, SCHEDULED) == IssuanceRun(SCHEDULED)


@pytest.mark.parametrize("events", [(), (DONE,)])
def test_a_claimed_slot_is_not_claimed_again(events: tuple[RunEvent, ...]) -> None:
    assert decide_start(after(*events), SCHEDULED) == []


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_is_one_credential_at_least(limit: int) -> None:
    with pytest.raises(ValidationError, match="limit"):
        RunStarted.model_validate(MANUAL.model_dump() | {"limit": limit})


# Refusing


def test_refused_learners_are_recorded_with_their_reasons() -> None:
    refused = (refusal("1"), refusal("2", "missing-glyph"))

    assert decide_refuse(after(), refused) == [LearnersRefused(refusals=refused)]


def test_a_learner_is_refused_once_in_a_run() -> None:
    before = after(LearnersRefused(refusals=(refusal("1"),)))

    assert decide_refuse(before, (refusal("1", "too-long"),)) == []
    assert decide_refuse(before, (refusal("1"), refusal("2"))) == [
        LearnersRefused(refusals=(refusal("2"),))
    ]
    assert decide_refuse(after(), (refusal("3"), refusal("3", "too-long"))) == [
        LearnersRefused(refusals=(refusal("3"),))
    ]


def test_nobody_refused_is_nothing_to_record() -> None:
    assert decide_refuse(after(), ()) == []


# Leaving out


def test_learners_who_cannot_be_judged_are_recorded_with_the_reasons() -> None:
    learners = (left_out("1"), left_out("2", "no answer about this learner"))

    assert decide_leave_out(after(), learners) == [LearnersLeftOut(learners=learners)]


def test_a_learner_is_left_out_once_in_a_run() -> None:
    before = after(LearnersLeftOut(learners=(left_out("1"),)))

    assert decide_leave_out(before, (left_out("1", "no answer"),)) == []
    assert decide_leave_out(before, (left_out("1"), left_out("2"), left_out("2", "no answer"))) == [
        LearnersLeftOut(learners=(left_out("2"),))
    ]


def test_who_was_left_out_first_and_refused_when_the_run_was_tried_again_is_recorded_as_both() -> (
    None
):
    before = after(LearnersLeftOut(learners=(left_out("1"),)))

    assert decide_refuse(before, (refusal("1"),)) == [LearnersRefused(refusals=(refusal("1"),))]


def test_nobody_left_out_is_nothing_to_record() -> None:
    assert decide_leave_out(after(), ()) == []


# Dividing


def test_a_divided_run_has_pages_to_award_and_goes_on() -> None:
    assert decide_divide(after(), DIVIDED) == [DIVIDED]
    assert after(DIVIDED).divided == DIVIDED
    assert after(DIVIDED).can_go_on


@pytest.mark.parametrize(
    "event",
    [RunFailed(attempt=1, error="no answer", retry_at=None), ASKED],
    ids=["it failed", "it needs approval"],
)
def test_its_pages_are_of_no_use_any_more_where_it_goes_over_all_learners_anew(
    event: RunEvent,
) -> None:
    assert after(DIVIDED, event).divided is None


def test_a_run_that_was_approved_is_not_divided() -> None:
    with pytest.raises(DecisionRefused, match="on its list"):
        decide_divide(after(ASKED, APPROVED), DIVIDED)


# Completing


def test_a_completed_run_keeps_its_counts() -> None:
    assert decide_complete(after(), COUNTS) == [DONE]
    assert not after().completed
    assert after(DONE).completed
    assert after(DONE).counts == COUNTS


def test_a_run_over_nobody_completes() -> None:
    assert decide_complete(after(), RunCounts()) == [RunCompleted(counts=RunCounts())]


@pytest.mark.parametrize(
    "lost",
    [
        {"evaluated": 15},
        {"left_out": 0},
        {"already_held": 2},
        {"eligible": 4, "evaluated": 13},
        {"awarded": 4},
        {"over_limit": 0},
    ],
)
def test_a_run_does_not_complete_with_learners_lost_or_counted_twice(lost: dict[str, int]) -> None:
    with pytest.raises(DecisionRefused, match="do not add up") as refused:
        decide_complete(after(), COUNTS.model_copy(update=lost))

    assert refused.value.subject == "run schedule:2026-06-01T12:00:00+00:00"
    assert "evaluated=" in refused.value.reason


def test_counts_are_never_negative() -> None:
    with pytest.raises(ValidationError, match="awarded"):
        RunCounts(awarded=-1)


def test_counts_that_were_stored_before_anybody_could_be_left_out_are_read() -> None:
    stored = '{"counts": {"evaluated": 2, "already_held": 1, "not_eligible": 1, "eligible": 0}}'

    counts = RunCompleted.model_validate_json(stored).counts

    assert counts == RunCounts(evaluated=2, already_held=1, not_eligible=1)
    assert counts.add_up


@tries(30)
@given(one=run_counts(), other=run_counts())
def test_counts_of_pages_sum_up_to_those_of_the_run(one: RunCounts, other: RunCounts) -> None:
    both = one + other

    assert both.add_up
    assert both == other + one
    assert both.evaluated == one.evaluated + other.evaluated
    assert both.awarded == one.awarded + other.awarded
    assert one + RunCounts() == one


# Failing


def failures(run: IssuanceRun, how_many: int) -> list[RunFailed]:
    """Let a run fail again and again, each time when it is tried again."""
    failed: list[RunFailed] = []
    now = NOW
    for _ in range(how_many):
        [event] = decide_fail(run, "the LMS does not answer", now)
        assert isinstance(event, RunFailed)
        failed.append(event)
        run = evolve(run, event)
        now = event.retry_at or now
    return failed


def test_a_scheduled_run_is_tried_again_for_about_a_day_with_doubling_delays() -> None:
    failed = failures(after(), MOST_ATTEMPTS)
    times = [NOW, *(event.retry_at for event in failed if event.retry_at)]
    delays = [later - earlier for earlier, later in pairwise(times)]

    assert [event.attempt for event in failed] == list(range(1, MOST_ATTEMPTS + 1))
    assert delays == [timedelta(minutes=5 * 2**number) for number in range(MOST_ATTEMPTS - 1)]
    assert failed[-1].retry_at is None
    assert timedelta(hours=20) < times[-1] - NOW < timedelta(hours=28)


def test_a_run_given_up_stays_given_up_when_it_fails_again() -> None:
    assert [event.retry_at for event in failures(after(), MOST_ATTEMPTS + 2)[-3:]] == [None] * 3


def test_a_manual_run_is_not_tried_again_by_itself() -> None:
    [failed] = failures(after(started=MANUAL), 1)

    assert (failed.attempt, failed.retry_at) == (1, None)
    assert failed.error == "the LMS does not answer"


def test_a_failed_run_can_be_completed_and_waits_no_more() -> None:
    [failed] = failures(after(), 1)

    assert after(failed).failures == 1
    assert after(failed).retry_at == NOW + timedelta(minutes=5)
    assert decide_complete(after(failed), COUNTS) == [DONE]
    assert after(failed, DONE).retry_at is None


# Approval


def test_a_run_that_needs_approval_waits() -> None:
    assert decide_need_approval(after(), ASKED) == [ASKED]
    assert after().can_go_on
    assert not after(ASKED).can_go_on
    assert after(ASKED).asked == ASKED


def test_a_run_that_was_approved_goes_on_and_keeps_what_was_asked() -> None:
    assert decide_approve(after(ASKED), "the term has ended") == [APPROVED]
    assert after(ASKED, APPROVED).can_go_on
    assert after(ASKED, APPROVED).asked == ASKED
    assert decide_complete(after(ASKED, APPROVED), COUNTS) == [DONE]


def test_a_run_that_was_rejected_is_over_without_being_completed() -> None:
    assert decide_reject(after(ASKED), "0.5 was a slip") == [REJECTED]
    assert not after(ASKED, REJECTED).can_go_on
    assert not after(ASKED, REJECTED).completed


@pytest.mark.parametrize("events", [(ASKED, APPROVED), (ASKED, APPROVED, DONE)])
def test_approving_again_changes_nothing(events: tuple[RunEvent, ...]) -> None:
    assert decide_approve(after(*events), "once more") == []


def test_rejecting_again_changes_nothing() -> None:
    assert decide_reject(after(ASKED, REJECTED), "once more") == []


def test_what_was_decided_is_not_turned_round() -> None:
    with pytest.raises(DecisionRefused, match="it was rejected already"):
        decide_approve(after(ASKED, REJECTED), "after all")
    with pytest.raises(DecisionRefused, match="it was approved already"):
        decide_reject(after(ASKED, APPROVED), "after all")


@pytest.mark.parametrize("decide", [decide_approve, decide_reject])
def test_a_run_that_needs_no_approval_is_not_decided_on(
    decide: Callable[[IssuanceRun | None, str], list[RunEvent]],
) -> None:
    with pytest.raises(DecisionRefused, match="needs no approval, or not yet"):
        decide(after(), "seen")
    with pytest.raises(DecisionRefused, match="is completed already"):
        decide(after(DONE), "seen")


def test_approval_is_asked_for_once() -> None:
    with pytest.raises(DecisionRefused, match="approved already"):
        decide_need_approval(after(ASKED, APPROVED), ASKED)


def test_failures_before_the_approval_count_no_more() -> None:
    given_up = failures(after(), MOST_ATTEMPTS)

    [failed] = failures(after(*given_up, ASKED, APPROVED), 1)

    assert failed.attempt == 1
    assert failed.retry_at == NOW + timedelta(minutes=5)


def test_a_run_that_failed_and_then_needs_approval_is_not_tried_again_by_itself() -> None:
    waiting = after(*failures(after(), 1), ASKED)

    assert (waiting.failures, waiting.retry_at) == (0, None)


# What is over, and what never began

DECISIONS: Final[list[Callable[[IssuanceRun | None], list[RunEvent]]]] = [
    lambda run: decide_refuse(run, (refusal("1"),)),
    lambda run: decide_leave_out(run, (left_out("1"),)),
    lambda run: decide_complete(run, COUNTS),
    lambda run: decide_fail(run, "error", NOW),
    lambda run: decide_need_approval(run, ASKED),
    lambda run: decide_divide(run, DIVIDED),
]


@pytest.mark.parametrize("decide", DECISIONS)
def test_a_completed_run_is_over(decide: Callable[[IssuanceRun | None], list[RunEvent]]) -> None:
    with pytest.raises(DecisionRefused, match=r"run schedule:.*: it is completed already"):
        decide(after(DONE))


@pytest.mark.parametrize(
    ("last", "standing"),
    [(ASKED, "waits until somebody has approved or rejected it"), (REJECTED, "was rejected")],
)
@pytest.mark.parametrize("decide", DECISIONS)
def test_nothing_happens_to_a_run_that_waits_for_approval_or_was_rejected(
    decide: Callable[[IssuanceRun | None], list[RunEvent]], last: RunEvent, standing: str
) -> None:
    events = (ASKED,) if last is ASKED else (ASKED, last)
    with pytest.raises(DecisionRefused, match=standing):
        decide(after(*events))


@pytest.mark.parametrize("decide", DECISIONS)
def test_nothing_happens_to_a_run_that_was_never_started(
    decide: Callable[[IssuanceRun | None], list[RunEvent]],
) -> None:
    with pytest.raises(DecisionRefused, match="run: it was never started"):
        decide(None)


@pytest.mark.parametrize(
    "event",
    [
        DONE,
        LearnersRefused(refusals=()),
        LearnersLeftOut(learners=()),
        ASKED,
        APPROVED,
        REJECTED,
        *failures(after(), 1),
    ],
)
def test_an_event_of_a_run_that_was_never_started_is_refused(event: RunEvent) -> None:
    with pytest.raises(DecisionRefused, match="it was never started"):
        evolve(None, event)
