"""Erasures: asked for, completed, and asked for again by who came back."""

from functools import reduce

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from testamur.domain.erasures import (
    ErasureCompleted,
    ErasureEvent,
    ErasureRequested,
    LearnerErasure,
    decide_complete,
    decide_request,
    evolve,
    parse_reason,
)
from testamur.domain.errors import DecisionRefused, InvalidInput
from testamur.domain.identifiers import LearnerId, erasure_id
from tests.support.domain_strategies import tries
from tests.support.lives import Life

ADA = LearnerId("ada")
REQUESTED = ErasureRequested(learner_id=ADA, reason="asked for by letter")
COMPLETED = ErasureCompleted(credentials=2, files=3, messages=1)


def after(*events: ErasureEvent) -> LearnerErasure:
    return reduce(evolve, events, evolve(None, REQUESTED))


def complete(state: LearnerErasure | None) -> list[ErasureEvent]:
    return decide_complete(state, credentials=2, files=3, messages=1)


def test_an_erasure_is_asked_for_and_completed() -> None:
    assert decide_request(None, ADA, " asked for by letter\n") == [REQUESTED]
    assert complete(after()) == [COMPLETED]
    assert after(COMPLETED) == LearnerErasure(REQUESTED, COMPLETED)


def test_asking_while_it_is_under_way_changes_nothing() -> None:
    assert decide_request(after(), ADA, "asked for twice") == []


def test_who_comes_back_can_be_erased_again() -> None:
    (again,) = decide_request(after(COMPLETED), ADA, "left again")
    assert after(COMPLETED, again) == LearnerErasure(
        ErasureRequested(learner_id=ADA, reason="left again")
    )


def test_completing_again_changes_nothing() -> None:
    assert complete(after(COMPLETED)) == []


def test_what_nobody_asked_for_is_not_completed() -> None:
    with pytest.raises(DecisionRefused, match="erasure: nobody asked for it"):
        complete(None)
    with pytest.raises(DecisionRefused, match="nobody asked for it"):
        evolve(None, COMPLETED)


@pytest.mark.parametrize(
    "reason",
    [
        "asked for by ada@example.org",
        "Ada <ada.lovelace+erase@mail.example.org> wrote",
        "ada@localhost wrote",
        "ada @ example.org",
        "żółć@przykład.pl",
        "ada＠example.org",
    ],
)
def test_a_reason_with_an_address_is_refused_without_repeating_it(reason: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        decide_request(None, ADA, reason)
    told = str(refused.value)
    assert "an e-mail address is personal" in told
    assert "stays in the history for good" in told
    assert not any(part in told for part in ("ada", "example.org", "przykład"))


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_a_reason_is_needed(reason: str) -> None:
    with pytest.raises(InvalidInput, match="reason"):
        decide_request(None, ADA, reason)


@pytest.mark.parametrize(
    ("reason", "name"),
    [
        ("Ada Lovelace asked for it", "Ada Lovelace"),
        ("letter from ADA   LOVELACE, 4 May", "Ada Lovelace"),
        ("(Łucja Żak)", "łucja żak"),
        ("Иван Петров просит", "Иван Петров"),
    ],
)
def test_a_reason_that_names_the_learner_is_refused_without_repeating_it(
    reason: str, name: str
) -> None:
    with pytest.raises(InvalidInput, match="this one names the learner") as refused:
        parse_reason(reason, names=("Somebody Else", name))
    assert name.casefold() not in str(refused.value).casefold()


@pytest.mark.parametrize("name", ["Ada Lovelace", "Al", "", "  ", "Ask"])
def test_a_reason_may_have_letters_in_common_with_a_name(name: str) -> None:
    reason = "asked for, also by phone: ticket 4711 @ 10:30"
    assert parse_reason(reason.replace(" @", " at"), names=(name,)) == reason.replace(" @", " at")


def test_each_learner_has_one_erasure() -> None:
    assert erasure_id(ADA) == erasure_id(LearnerId("ada")) != erasure_id(LearnerId("bob"))


@tries(100)
@given(text=st.text(min_size=1, max_size=40))
def test_a_reason_that_is_taken_holds_no_address(text: str) -> None:
    try:
        taken = parse_reason(text)
    except InvalidInput:
        return
    assert taken == taken.strip() != ""
    assert f"x{text}@y" != taken


class ErasureLife(Life[LearnerErasure, ErasureEvent]):
    """Asks for erasures and completes them at any time."""

    def evolve(self, state: LearnerErasure | None, event: ErasureEvent) -> LearnerErasure:
        return evolve(state, event)

    @rule(reason=st.sampled_from(["asked for", "too old", "ada@example.org"]))
    def request(self, reason: str) -> None:
        try:
            self.attempt(lambda state: decide_request(state, ADA, reason))
        except InvalidInput:
            assert "@" in reason

    @rule(count=st.integers(0, 3))
    def complete(self, count: int) -> None:
        self.attempt(
            lambda state: decide_complete(state, credentials=count, files=count, messages=0)
        )

    @invariant()
    def what_is_asked_for_is_completed_once_before_it_is_asked_for_again(self) -> None:
        kinds = [type(event) for event in self.events]
        expected = [ErasureRequested, ErasureCompleted] * len(kinds)
        assert kinds == expected[: len(kinds)]

    @invariant()
    def no_reason_holds_an_address(self) -> None:
        assert not any("@" in event.reason for event in self.events if hasattr(event, "reason"))

    @invariant()
    def the_state_is_what_the_events_say(self) -> None:
        replayed: LearnerErasure | None = None
        assert reduce(evolve, self.events, replayed) == self.state


ErasureLife.TestCase.settings = settings(tries(20), stateful_step_count=20)
TestErasureLife = ErasureLife.TestCase
