"""The raw truth as an oracle reads it: straight from the population, never through JSON."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from examples.stand_in_lms.catalogue import Course
from examples.stand_in_lms.people import User
from examples.stand_in_lms.population import Population

_NOTHING = Decimal(0)
_ALL = Decimal(1)


@dataclass(frozen=True, slots=True)
class LearnerTruth:
    """What is true of one learner in one course.

    Args:
        user_id: Database id.
        enrolled: Whether the enrolment is active; it was once, in any case.
        subsections: For each graded subsection, by usage key: points earned (0 where it was not
            attempted), points that it is worth to this learner, and its category. Points are the
            shortest decimals that stand for what the LMS stores as floats.
        completion: Completed fraction of the course, 0 to 1.
        sequentials: Completed fraction of every subsection that has units, by usage key.
    """

    user_id: int
    enrolled: bool
    subsections: Mapping[str, tuple[Decimal, Decimal, str]]
    completion: Decimal
    sequentials: Mapping[str, Decimal]


def course_truth(
    population: Population, course_key: str, *, live: bool = False
) -> Iterator[LearnerTruth]:
    """Iterate over everybody who is or was enrolled in a course, by user id.

    Args:
        population: What is served.
        course_key: Of the course.
        live: Completion as it is now, which is what the LMS says when asked for one learner;
            otherwise as it was last stored, which is what its list says.
    """
    for user_id, _ in population.rosters[course_key].everyone():
        yield learner_truth(population, course_key, user_id, live=live)


def learner_truth(
    population: Population, course_key: str, user_id: int, *, live: bool = False
) -> LearnerTruth:
    """Return what is true of one learner; the arguments are those of `course_truth`."""
    course = population.courses[course_key]
    work = population.work(course_key, user_id)
    units = work.completed if live else work.stored
    return LearnerTruth(
        user_id=user_id,
        enrolled=population.enrolment(course_key, user_id) == "active",
        subsections={
            each.block_key: (earned or _NOTHING, possible, str(each.category))
            for each, earned, possible in zip(
                course.graded, work.earned, work.possible, strict=True
            )
        },
        completion=_fraction(sum(units), course.blocks) if work.aggregated else _NOTHING,
        sequentials=_sequentials(course, units) if work.aggregated else _none(course),
    )


def pathway_truth(population: Population, pathway_key: str) -> Iterator[tuple[int, bool]]:
    """Iterate over everybody who is or was enrolled in a pathway, and whether they still are."""
    return population.pathway_rosters[pathway_key].everyone()


def people_truth(population: Population) -> Mapping[int, User]:
    """Return every account by user id: name, address, languages, and whether it is active."""
    return {user.user_id: user for user in population.users}


def _sequentials(course: Course, units: tuple[int, ...]) -> dict[str, Decimal]:
    # What has no units is complete where the LMS has a row of it, and else counts as 0: that
    # much is up to the LMS, so it is left out here.
    return {
        each.block_key: _fraction(done, each.blocks)
        for each, done in zip(course.subsections, units, strict=True)
        if each.blocks
    }


def _none(course: Course) -> dict[str, Decimal]:
    return {each.block_key: _NOTHING for each in course.subsections if each.blocks}


def _fraction(done: int, units: int) -> Decimal:
    return Decimal(done) / Decimal(units) if units else _ALL
