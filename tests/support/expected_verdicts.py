"""Verdicts worked out the long way, from what a stand-in LMS knows: nothing of Testamur is used.

Criteria are plain mappings, as users write them. All arithmetic is in fractions.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from examples.stand_in_lms.catalogue import Course
from examples.stand_in_lms.population import Population
from examples.stand_in_lms.rosters import Roster

Options = Mapping[str, Any]


def expected_of_course(
    population: Population, course_key: str, options: Options
) -> dict[str, bool]:
    """Return whether each active learner of a course is eligible, by learner id."""
    course = population.courses[course_key]
    return {
        str(user_id): _meets(population, course, user_id, options)
        for user_id in _active(population.rosters[course_key])
    }


def expected_of_lesson(
    population: Population, course_key: str, block_key: str, options: Options
) -> dict[str, bool]:
    """Return the same for one lesson of a course."""
    course = population.courses[course_key]
    return {
        str(user_id): _meets(population, course, user_id, options, only=block_key)
        for user_id in _active(population.rosters[course_key])
    }


def expected_of_pathway(
    population: Population, pathway_key: str, options: Options, steps: Mapping[str, Options]
) -> dict[str, bool]:
    """Return the same for a pathway, where ``steps`` replace the options for the courses named."""
    pathway = population.pathways[pathway_key]
    return {
        str(user_id): all(
            population.enrolment(key, user_id) == "active"
            and _meets(population, population.courses[key], user_id, steps.get(key, options))
            for key in pathway.steps
        )
        for user_id in _active(population.pathway_rosters[pathway_key])
    }


def _active(roster: Roster) -> list[int]:
    return [user_id for _, user_id in roster.active_after(0, len(roster))]


def _meets(
    population: Population,
    course: Course,
    user_id: int,
    options: Options,
    only: str | None = None,
) -> bool:
    met = []
    if "required_completion" in options:
        done = _completion(population, course, user_id, only)
        met.append(done >= Fraction(options["required_completion"]))
    if "required_grades" in options:
        met += _grades(population, course, user_id, options["required_grades"], only)
    return all(met)


def _completion(population: Population, course: Course, user_id: int, only: str | None) -> Fraction:
    work = population.work(course.key, user_id)
    if not work.aggregated:
        return Fraction(0)
    units = [
        (stored, each.blocks)
        for stored, each in zip(work.stored, course.subsections, strict=True)
        if only in (None, each.block_key)
    ]
    possible = sum(blocks for _, blocks in units)
    return Fraction(sum(stored for stored, _ in units), possible) if possible else Fraction(1)


def _grades(
    population: Population,
    course: Course,
    user_id: int,
    required: Mapping[str, str],
    only: str | None,
) -> list[bool]:
    work = population.work(course.key, user_id)
    points: dict[str, tuple[Fraction, Fraction]] = {}
    for each, earned, possible in zip(course.graded, work.earned, work.possible, strict=True):
        if only in (None, each.block_key) and possible > 0:
            category = str(each.category).lower()
            before = points.get(category, (Fraction(0), Fraction(0)))
            points[category] = (before[0] + Fraction(earned or 0), before[1] + Fraction(possible))
    shares = {category: earned / possible for category, (earned, possible) in points.items()}
    weights = {each.type.lower(): Fraction(each.weight) for each in course.policy if each.weight}
    if only is not None:
        weights = dict.fromkeys(shares, Fraction(1))
    total = sum(
        (share * weights.get(category, 0) for category, share in shares.items()), Fraction()
    )
    met = []
    for name, threshold in required.items():
        if name.lower() == "total":
            met.append(total >= Fraction(threshold))
        else:
            share = shares.get(name.lower())
            met.append(share is not None and share >= Fraction(threshold))
    return met
