"""Contexts of a plugin's kinds are run as those of Open edX: courses, lessons and pathways."""

from collections.abc import Iterable
from decimal import Decimal

import pytest
from pydantic import JsonValue

from testamur.application.progress import Unwatched
from testamur.application.prospects import Prospect
from testamur.domain.errors import InvalidInput, InvalidOptions
from testamur.domain.evidence import CriterionResult
from testamur.domain.identifiers import LearnerId, credential_id
from tests.support.records import achievement, course, learner, pathway
from tests.support.world import World

KINDS = {"moodle-course": "course", "moodle-programme": "pathway", "moodle-badge": "badge"}
PROGRAMME = "moodle-programme:7"
FIRST = "moodle-course:1"
SECOND = "moodle-course:2"


def world_of_a_programme() -> World:
    """Return a world in which a programme has two courses."""
    world = World(context_kinds=KINDS)
    world.source.facts_by_key[PROGRAMME] = pathway(course(FIRST), course(SECOND), key=PROGRAMME)
    return world


def outcomes(prospects: Iterable[Prospect]) -> dict[str, str]:
    return {prospect.learner_id: prospect.outcome for prospect in prospects}


def test_a_plugins_pathway_is_earned_in_every_step() -> None:
    world = world_of_a_programme()
    criteria: JsonValue = {
        "required_completion": 0.8,
        "steps": {SECOND: {"required_completion": 0.5}},
    }
    configuration = world.configure(PROGRAMME, criteria=criteria)
    for name, first, second in (
        ("ann", "0.8", "0.5"),
        ("bob", "0.8", "0.49"),
        ("cid", "0.79", "0.5"),
    ):
        world.enrol(name)
        steps = {FIRST: achievement(first), SECOND: achievement(second)}
        world.source.learners[name] = learner(name, steps=steps)
    world.enrol("dan")
    world.source.learners["dan"] = learner("dan", steps={FIRST: achievement("1")})
    assert outcomes(world.runs.dry_run(configuration, Unwatched())) == {
        "ann": "award",
        "bob": "not-eligible",
        "cid": "not-eligible",
        "dan": "not-eligible",
    }
    world.run(configuration)
    awarded = world.credentials.get(credential_id(configuration, LearnerId("ann"))).awarded
    assert awarded.context_key == PROGRAMME
    assert awarded.evidence.results[-1] == CriterionResult(
        criterion="completion",
        step=SECOND,
        required=Decimal("0.5"),
        achieved=Decimal("0.5"),
        met=True,
    )


@pytest.mark.parametrize("key", ["moodle-course:42", "moodle-badge:42"])
def test_a_context_of_any_other_kind_is_judged_by_what_is_achieved_in_it(key: str) -> None:
    world = World(context_kinds=KINDS)
    world.source.facts_by_key[key] = course(key, name="Botany")
    configuration = world.configure(key)
    world.enrol("ann", "0.9")
    world.enrol("bob", "0.89")
    world.run(configuration)
    awarded = world.credentials.get(credential_id(configuration, LearnerId("ann"))).awarded
    assert (awarded.context_key, awarded.context_name) == (key, "Botany")
    assert sum(world.tally().by_status.values()) == 1


def test_a_type_may_name_steps_that_are_courses_of_a_plugin() -> None:
    world = world_of_a_programme()
    world.define_type(criteria={"steps": {FIRST: {"required_completion": 0.1}}})
    with pytest.raises(InvalidOptions, match="'moodle-badge:1'"):
        world.define_type("other", criteria={"steps": {"moodle-badge:1": {}}})


def test_a_scheme_that_no_plugin_names_is_refused_with_those_that_they_do() -> None:
    world = World(context_kinds=KINDS)
    with pytest.raises(InvalidInput, match=r"'canvas:1' is not allowed; .*moodle-course:…"):
        world.configure("canvas:1")
