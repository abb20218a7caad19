"""Asking for many learners at once: another way to the same answer."""

import random

import pytest

from testamur.adapters.event_store.postgres import register as postgres_register
from testamur.adapters.event_store.sqlite import register as sqlite_register
from testamur.domain.identifiers import LearnerId
from tests.support.databases import Database
from tests.support.events import CONFIGURATION, OTHER_CONFIGURATION, an_award, awarding, by

MANY = 10


@pytest.fixture(autouse=True)
def ten_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ten learners be many already."""
    for register in (sqlite_register, postgres_register):
        monkeypatch.setattr(register, "MANY_LEARNERS", MANY)


@pytest.mark.parametrize("others", [0, 200])
def test_many_learners_are_answered_as_few_are(database: Database, others: int) -> None:
    asked = [LearnerId(f"learner-{number}, “Łódź” \\ \t 学") for number in range(MANY + 5)]
    random.Random(1).shuffle(asked)
    holders = asked[::2]
    awards = [an_award(each) for each in holders]
    awards += [an_award(f"other-{number}") for number in range(others)]
    elsewhere = [an_award(each, configuration_id=OTHER_CONFIGURATION) for each in asked[:4]]
    database.events.append(awarding(*awards, *elsewhere), by())
    assert database.register.not_holding(CONFIGURATION, asked) == set(asked[1::2])
    assert database.register.not_holding(OTHER_CONFIGURATION, asked) == set(asked[4:])
    assert database.register.not_holding(CONFIGURATION, asked[: MANY - 1]) == (
        set(asked[: MANY - 1]) - set(holders)
    )


def test_any_character_may_be_in_an_id(database: Database) -> None:
    asked = [LearnerId(f"learner{chr(1 + number)}-{number}") for number in range(40)]
    database.events.append(awarding(*map(an_award, asked[::2])), by())
    assert database.register.not_holding(CONFIGURATION, asked) == set(asked[1::2])


def test_many_learners_of_whom_nobody_holds_one(database: Database) -> None:
    asked = [LearnerId(f"learner-{number}") for number in range(MANY)]
    assert database.register.not_holding(CONFIGURATION, asked) == set(asked)
