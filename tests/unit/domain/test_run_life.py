"""What stays true of a run whatever is decided about it, in any order."""

from functools import reduce
from itertools import pairwise

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

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
)
from tests.support.domain_strategies import (
    asked,
    divided,
    learner_ids,
    run_counts,
    run_starts,
    tries,
)
from tests.support.lives import Life

refusals_of_few_learners = st.lists(
    st.builds(
        Refusal,
        learner_id=st.sampled_from("abc") | learner_ids,
        reason=st.just("no-name"),
        detail=st.just("no full name"),
    ),
    max_size=4,
).map(tuple)
few_learners_left_out = st.lists(
    st.builds(LeftOut, learner_id=st.sampled_from("abc") | learner_ids, reason=st.just("no grade")),
    max_size=4,
).map(tuple)
any_counts = run_counts() | st.builds(
    RunCounts, evaluated=st.integers(0, 3), eligible=st.integers(0, 3)
)


class RunLife(Life[IssuanceRun, RunEvent]):
    """Makes every decision at any time, and keeps what was decided."""

    def evolve(self, state: IssuanceRun | None, event: RunEvent) -> IssuanceRun:
        return evolve(state, event)

    # Decisions; most lives begin with a start, some with anything else

    @initialize(start=run_starts, first=st.sampled_from([True, True, True, False]))
    def begin(self, start: RunStarted, first: bool) -> None:
        if first:
            self.start(start)

    @rule(start=run_starts)
    def start(self, start: RunStarted) -> None:
        self.attempt(lambda state: decide_start(state, start))

    @rule(refusals=refusals_of_few_learners)
    def refuse(self, refusals: tuple[Refusal, ...]) -> None:
        self.attempt(lambda state: decide_refuse(state, refusals))

    @rule(learners=few_learners_left_out)
    def leave_out(self, learners: tuple[LeftOut, ...]) -> None:
        self.attempt(lambda state: decide_leave_out(state, learners))

    @rule(counts=any_counts)
    def complete(self, counts: RunCounts) -> None:
        self.attempt(lambda state: decide_complete(state, counts))

    @rule(event=divided)
    def divide(self, event: RunDivided) -> None:
        self.attempt(lambda state: decide_divide(state, event))

    @rule(event=asked)
    def ask(self, event: RunNeedsApproval) -> None:
        self.attempt(lambda state: decide_need_approval(state, event))

    @rule(reason=st.sampled_from(["seen", "checked"]))
    def approve(self, reason: str) -> None:
        self.attempt(lambda state: decide_approve(state, reason))

    @rule(reason=st.sampled_from(["a slip", "not yet"]))
    def reject(self, reason: str) -> None:
        self.attempt(lambda state: decide_reject(state, reason))

    @rule(times=st.integers(1, 6))
    def fail(self, times: int) -> None:
        for _ in range(times):
            self.attempt(lambda state: decide_fail(state, "no answer", self.now))

    # What stays true

    @invariant()
    def it_is_started_first_and_only_once(self) -> None:
        started = [isinstance(event, RunStarted) for event in self.events]
        assert started == [True] * bool(started) + [False] * (len(started) - 1)

    @invariant()
    def nothing_follows_its_completion(self) -> None:
        assert not any(isinstance(event, RunCompleted) for event in self.events[:-1])

    @invariant()
    def the_counts_of_a_completed_run_add_up(self) -> None:
        for event in self.events:
            if isinstance(event, RunCompleted):
                of = event.counts
                sorted_out = of.already_held + of.not_eligible + of.eligible + of.left_out
                assert of.evaluated == sorted_out
                assert of.eligible == of.awarded + of.refused + of.over_limit

    @invariant()
    def failures_count_up_by_one_and_from_one_after_approval_was_asked_for(self) -> None:
        expected = 1
        for event in self.events:
            if isinstance(event, RunFailed):
                assert event.attempt == expected
                expected += 1
            elif isinstance(event, RunNeedsApproval):
                expected = 1

    @invariant()
    def approval_is_asked_for_once_and_answered_once(self) -> None:
        about = [
            type(event)
            for event in self.events
            if isinstance(event, RunNeedsApproval | RunApproved | RunRejected)
        ]
        assert about in (
            [],
            [RunNeedsApproval],
            [RunNeedsApproval, RunApproved],
            [RunNeedsApproval, RunRejected],
        )

    @invariant()
    def nothing_comes_between_the_question_and_the_answer_and_nothing_after_a_no(self) -> None:
        for event, following in pairwise(self.events):
            assert not isinstance(event, RunRejected)
            if isinstance(event, RunNeedsApproval):
                assert isinstance(following, RunApproved | RunRejected)

    @invariant()
    def it_has_pages_from_its_division_until_it_fails_or_asks(self) -> None:
        about = (RunDivided, RunFailed, RunNeedsApproval)
        last = next((each for each in reversed(self.events) if isinstance(each, about)), None)
        if self.state is not None:
            assert self.state.divided == (last if isinstance(last, RunDivided) else None)

    @invariant()
    def it_goes_on_unless_it_is_over_or_waits(self) -> None:
        if self.state is not None:
            stops = (RunNeedsApproval, RunRejected, RunCompleted)
            assert self.state.can_go_on != isinstance(self.events[-1], stops)

    @invariant()
    def only_a_scheduled_run_is_tried_again_and_not_for_ever(self) -> None:
        for now, event in self.history:
            if isinstance(event, RunFailed):
                [first, *_] = self.events
                assert isinstance(first, RunStarted)
                again = first.trigger == "schedule" and event.attempt < MOST_ATTEMPTS
                assert (event.retry_at is not None) == again
                assert event.retry_at is None or event.retry_at > now

    @invariant()
    def a_learner_is_refused_once(self) -> None:
        refused = [
            refusal.learner_id
            for event in self.events
            if isinstance(event, LearnersRefused)
            for refusal in event.refusals
        ]
        assert len(refused) == len(set(refused))
        assert all(event.refusals for event in self.events if isinstance(event, LearnersRefused))

    @invariant()
    def a_learner_is_left_out_once(self) -> None:
        events = [event for event in self.events if isinstance(event, LearnersLeftOut)]
        left_out = [learner.learner_id for event in events for learner in event.learners]
        assert len(left_out) == len(set(left_out))
        assert all(event.learners for event in events)

    @invariant()
    def the_state_is_what_the_events_say(self) -> None:
        replayed: IssuanceRun | None = None
        assert reduce(evolve, self.events, replayed) == self.state


RunLife.TestCase.settings = settings(tries(15), stateful_step_count=20)
TestRunLife = RunLife.TestCase
