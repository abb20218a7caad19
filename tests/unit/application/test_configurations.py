"""Types and configurations: defined, changed, enabled, and refused where the rules say no."""

import pytest
from pydantic import ValidationError

from testamur.domain.credential_types import Issuer
from testamur.domain.errors import DecisionRefused, InvalidInput, InvalidOptions, NotFound
from testamur.domain.schedules import CronRule, Schedule
from tests.support.records import COURSE, OTHER_COURSE
from tests.support.world import World, definition


def test_a_type_is_defined_with_its_first_revision() -> None:
    world = World()
    world.define_type()
    assert world.types.get("completion").revision == 1


def test_a_revised_type_has_another_revision_and_applies_to_its_configurations() -> None:
    world = World()
    configuration = world.configure()
    revised = definition(rendering={"heading": "Diploma"})
    world.types.revise("completion", revised, world.request())
    prepared = world.configurations.prepare(configuration)
    assert prepared.type.revision == 2
    assert prepared.options.rendering.model_dump()["heading"] == "Diploma"


def test_revising_to_the_same_writes_nothing() -> None:
    world = World()
    world.define_type()
    world.types.revise("completion", definition(), world.request())
    assert len(list(world.events.log())) == 1


def test_a_type_with_a_wrong_option_is_refused_before_anything_is_written() -> None:
    world = World()
    with pytest.raises(InvalidOptions):
        world.define_type(criteria={"required_completion": 1.5})
    assert list(world.events.log()) == []


def test_an_issuers_address_is_a_web_address() -> None:
    with pytest.raises(ValidationError, match="url"):
        Issuer(name="Example University", url="javascript:alert(1)")


def test_a_type_has_one_configuration_for_each_context() -> None:
    world = World()
    world.configure(COURSE)
    world.configure(OTHER_COURSE)
    with pytest.raises(DecisionRefused, match="it exists already"):
        world.configure(COURSE)
    assert len(list(world.configurations.all())) == 2


def test_a_configuration_is_found_by_type_and_context() -> None:
    world = World()
    configuration = world.configure(COURSE)
    assert world.configurations.find("completion", COURSE) == configuration
    with pytest.raises(NotFound, match="there are: completion course-v1:"):
        world.configurations.find("completion", OTHER_COURSE)


def test_only_enabled_configurations_are_listed_where_those_are_asked_for() -> None:
    world = World()
    enabled = world.configure(COURSE)
    world.configure(OTHER_COURSE)
    world.configurations.enable(enabled, world.request())
    assert [id_ for id_, _ in world.configurations.all(enabled_only=True)] == [enabled]
    world.configurations.disable(enabled, "the exam was moved", world.request())
    assert list(world.configurations.all(enabled_only=True)) == []


def test_a_malformed_cron_expression_is_refused_before_anything_is_written() -> None:
    world = World()
    world.define_type()
    with pytest.raises(InvalidInput, match=r"schedule\.rule\.expression: '61 \* \* \* \*'"):
        world.configure(schedule=Schedule(rule=CronRule(expression="61 * * * *")))
    assert list(world.configurations.all()) == []


def test_a_retired_type_gets_no_new_configuration_and_enables_none() -> None:
    world = World()
    configuration = world.configure(COURSE)
    world.types.retire("completion", "replaced by another", world.request())
    with pytest.raises(DecisionRefused, match="it is retired"):
        world.configure(OTHER_COURSE)
    with pytest.raises(DecisionRefused, match="it is retired"):
        world.configurations.enable(configuration, world.request())


def test_a_retired_configuration_is_over() -> None:
    world = World()
    configuration = world.configure()
    world.configurations.enable(configuration, world.request())
    world.configurations.retire(configuration, "the course is over", world.request())
    assert not world.configurations.get(configuration).enabled
    with pytest.raises(DecisionRefused, match="it is retired"):
        world.configurations.enable(configuration, world.request())


def test_a_malformed_context_key_is_refused_with_what_is_allowed() -> None:
    world = World()
    with pytest.raises(InvalidInput, match="course-v1:ORG"):
        world.configure("maths-101")
