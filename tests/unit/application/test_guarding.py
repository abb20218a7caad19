"""The guard: from how many on a run needs approval."""

from decimal import Decimal

import pytest
from pydantic import JsonValue

from testamur.application.guarding import Guard, GuardLimit, GuardOptions
from testamur.application.options import validated
from testamur.domain.errors import InvalidOptions
from testamur.domain.identifiers import ConfigurationId, LearnerId
from testamur.domain.runs import RunStarted
from tests.support.world import World


def guard(world: World, **defaults: JsonValue) -> Guard:
    return Guard(world.register, GuardOptions.model_validate(defaults))


def options(**said: JsonValue) -> GuardOptions:
    return GuardOptions.model_validate(said)


def a_world_that_awarded(*numbers: int) -> tuple[World, ConfigurationId]:
    """Return an installation whose runs awarded so many, one after the other."""
    world = World()
    configuration = world.configure()
    for run, number in enumerate(numbers):
        for learner in range(number):
            world.enrol(f"{run}-{learner}")
        world.run(configuration)
    return world, configuration


def test_a_run_may_award_any_number_unless_somebody_says_otherwise() -> None:
    world, configuration = a_world_that_awarded(1, 1, 1, 1)
    assert guard(world).limits(configuration, options(), None) == []


def test_the_most_that_a_run_may_award_is_a_limit() -> None:
    world, configuration = a_world_that_awarded()
    limits = guard(world).limits(configuration, options(max_new_per_run=500), None)
    assert limits == [GuardLimit("max-new", 500)]


def test_what_a_configuration_leaves_out_is_as_the_settings_say_and_null_takes_it_away() -> None:
    world, configuration = a_world_that_awarded()
    by_settings = guard(world, max_new_per_run=500)
    assert by_settings.limits(configuration, options(), None) == [GuardLimit("max-new", 500)]
    own = options(max_new_per_run=7)
    assert by_settings.limits(configuration, own, None) == [GuardLimit("max-new", 7)]
    assert by_settings.limits(configuration, options(max_new_per_run=None), None) == []


@pytest.mark.parametrize(
    ("awarded", "usual", "most"),
    [
        ((), None, None),
        ((40, 40), None, None),
        ((0, 0, 0, 40, 40), None, None),
        ((1, 2, 3), "2", 100),
        ((30, 1, 40), "30", 300),
        ((10, 20, 21, 40), "20.5", 205),
    ],
)
def test_a_change_of_scale_is_told_from_the_median_of_what_the_last_runs_awarded(
    awarded: tuple[int, ...], usual: str | None, most: int | None
) -> None:
    world, configuration = a_world_that_awarded(*awarded)
    limits = guard(world).limits(configuration, options(change_of_scale=10), None)
    expected = [GuardLimit("change-of-scale", most, Decimal(usual))] if most and usual else []
    assert limits == expected


def test_only_the_last_ten_runs_that_awarded_anybody_count() -> None:
    world, configuration = a_world_that_awarded(*[9] * 6, *[2] * 6)
    (limit,) = guard(world).limits(configuration, options(change_of_scale=10), None)
    assert limit.usual == 2


def test_the_tightest_limit_comes_first() -> None:
    world, configuration = a_world_that_awarded(1, 1, 1)
    both = {"change_of_scale": 2, "max_new_per_run": 150}
    found = guard(world).limits(configuration, GuardOptions.model_validate(both), None)
    assert [(limit.reason, limit.most) for limit in found] == [
        ("change-of-scale", 100),
        ("max-new", 150),
    ]


def test_a_run_for_one_learner_or_for_few_enough_is_not_looked_at() -> None:
    world, configuration = a_world_that_awarded()

    def limits_of(*, learner_id: str | None = None, limit: int | None = None) -> int:
        started = RunStarted(
            configuration_id=configuration,
            slot="manual:1",
            trigger="manual",
            learner_id=None if learner_id is None else LearnerId(learner_id),
            limit=limit,
        )
        return len(guard(world).limits(configuration, options(max_new_per_run=5), started))

    assert limits_of(learner_id="ann") == 0
    assert limits_of(limit=5) == 0
    assert limits_of(limit=6) == 1
    assert limits_of() == 1


@pytest.mark.parametrize(
    "said",
    [
        {"max_new_per_run": 0},
        {"max_new_per_run": True},
        {"max_new_per_run": 1.5},
        {"change_of_scale": 1},
        {"change_of_scale": "NaN"},
        {"change_of_scale": "Infinity"},
        {"change_of_scale": True},
        {"max_new": 5},
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(said: dict[str, JsonValue]) -> None:
    with pytest.raises(InvalidOptions):
        validated(GuardOptions, said, "guard")


def test_options_of_a_guard_are_checked_when_a_configuration_is_created() -> None:
    world = World()
    with pytest.raises(InvalidOptions) as refused:
        world.configure(guard={"max_new_per_run": -5})
    assert [problem.field for problem in refused.value.problems] == ["guard.max_new_per_run"]


def test_a_configuration_takes_a_limit_of_its_type_away() -> None:
    world = World()
    world.define_type(guard={"max_new_per_run": 1})
    configuration = world.configure(guard={"max_new_per_run": None})
    assert world.runs.limits(configuration) == []
