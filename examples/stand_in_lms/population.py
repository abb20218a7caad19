"""The whole truth about a generated LMS: people, courses, who is enrolled, and what they did.

Nothing in here knows about HTTP or JSON: what is served is compared with this.
"""

from collections.abc import Callable, Iterable
from random import Random

from examples.stand_in_lms.catalogue import AssignmentType, Course, Pathway, Subsection
from examples.stand_in_lms.generated_courses import DOTTED_PATHWAY, generated_courses
from examples.stand_in_lms.people import FIRST_USER_ID, People, User
from examples.stand_in_lms.rosters import Enrolment, Roster
from examples.stand_in_lms.work import GeneratedWork, Work, no_work

__all__ = [
    "FIRST_USER_ID",
    "AssignmentType",
    "Course",
    "Enrolment",
    "Pathway",
    "Population",
    "Roster",
    "Subsection",
    "User",
    "Work",
    "generate",
]

#: Of every 256 learners so many never enrolled in a course, and so many left it.
_NEVER_ENROLLED = 10
_LEFT = 14

#: Learners who are enrolled in a custom course (CCX): one in so many.
_ONE_IN_A_CCX = 10


class Population:
    """Everything that a stand-in LMS knows. It may be changed while it is served.

    Args:
        seed: The same seed gives the same population.
        people: All accounts.
        courses: All courses.
        pathways: All pathways.
    """

    def __init__(
        self,
        seed: int = 0,
        people: People | None = None,
        courses: Iterable[Course] = (),
        pathways: Iterable[Pathway] = (),
    ) -> None:
        self.seed = seed
        self.people = people or People(seed)
        self.courses: dict[str, Course] = {}
        self.rosters: dict[str, Roster] = {}
        self.pathways = {pathway.key: pathway for pathway in pathways}
        self.pathway_rosters = {key: Roster() for key in self.pathways}
        self._drawn: dict[str, Callable[[int], Work]] = {}
        self._told: dict[str, dict[int, Work]] = {}
        for course in courses:
            self.teach(course)

    @property
    def users(self) -> Iterable[User]:
        """All accounts, by user id."""
        return self.people

    def enrolment(self, course_key: str, user_id: int) -> Enrolment | None:
        """Return whether a user's enrolment in a course is active; None: there never was one."""
        return self.rosters[course_key].state(user_id)

    def work(self, course_key: str, user_id: int) -> Work:
        """Return what a user did in a course, whether enrolled or not."""
        told = self._told[course_key].get(user_id)
        if told is not None:
            return told
        if 0 <= user_id - FIRST_USER_ID < self.people.generated:
            return self._drawn[course_key](user_id)
        return no_work(self.courses[course_key], user_id)

    def teach(self, course: Course) -> None:
        """Add a course, or change the one with this key; enrolments stay.

        What was recorded in the course before is forgotten.
        """
        self._drawn[course.key] = GeneratedWork(self.seed, course, FIRST_USER_ID).of
        self._told[course.key] = {}
        self.rosters.setdefault(course.key, Roster())
        self.courses[course.key] = course

    def tell(self, user: User) -> None:
        """Add an account, or change the one with this id."""
        self.people.tell(user)

    def enrol(self, key: str, user_id: int, *, active: bool = True) -> None:
        """Begin or end an enrolment in a course or a pathway."""
        rosters = self.rosters if key in self.rosters else self.pathway_rosters
        rosters[key].enrol(user_id, active=active)

    def record(self, course_key: str, user_id: int, work: Work) -> None:
        """Say what a user did in a course; before, it was drawn, or nothing.

        Raises:
            ValueError: The work has not a value for each subsection of the course.
        """
        course = self.courses[course_key]
        graded, units = len(course.graded), len(course.subsections)
        if (len(work.earned), len(work.possible)) != (graded, graded):
            raise ValueError(f"{course_key} has {graded} graded subsections: {work}")
        if (len(work.completed), len(work.stored)) != (units, units):
            raise ValueError(f"{course_key} has {units} subsections: {work}")
        self._told[course_key][user_id] = work


def generate(
    seed: int,
    learners: int,
    *,
    courses: int = 3,
    graded: int = 8,
    varying_points: bool = False,
) -> Population:
    """Make a population: courses, a custom course (CCX), two pathways, and learners in them.

    Args:
        seed: The same seed gives the same population.
        learners: How many.
        courses: How many courses, besides the custom one.
        graded: Graded subsections of each course.
        varying_points: Whether a subsection of the first course is worth more to some learners
            than to others.
    """
    taught = generated_courses(courses, graded, varying_points)
    plain = tuple(course.key for course in taught[:courses])
    pathways = (
        Pathway("path-v1:Example+Path+2026+all", "From <charts> to stars", plain, 1),
        Pathway(DOTTED_PATHWAY, "Version 1.5", plain[:1], 2, public=False),
    )
    population = Population(seed, People(seed, learners), taught, pathways)
    dice = Random(seed)
    for place, key in enumerate((*population.courses, *population.pathways)):
        one_in = _ONE_IN_A_CCX if key.startswith("ccx-") else 1
        user_ids = list(range(FIRST_USER_ID, FIRST_USER_ID + learners, one_in))
        chances = dice.randbytes(len(user_ids))
        # Those who never enrolled, and those who left, are among the first few learners too.
        states = {
            user_id: _is_active(index, chance, place)
            for index, (user_id, chance) in enumerate(zip(user_ids, chances, strict=True))
        }
        dice.shuffle(user_ids)
        rosters = population.rosters if key in population.rosters else population.pathway_rosters
        rosters[key].fill(
            (user_id, active) for user_id in user_ids if (active := states[user_id]) is not None
        )
    _end_retired(population)
    return population


def _is_active(index: int, chance: int, place: int) -> bool | None:
    if index == 15 + place or (index > 30 and chance < _NEVER_ENROLLED):
        return None
    return not (index == 20 + place or (index > 30 and chance < _NEVER_ENROLLED + _LEFT))


def _end_retired(population: Population) -> None:
    """End every enrolment of those whose account was retired."""
    people = population.people
    for user_id in range(FIRST_USER_ID, FIRST_USER_ID + people.generated):
        if people.username(user_id).startswith("retired__user_"):
            for roster in (*population.rosters.values(), *population.pathway_rosters.values()):
                if roster.state(user_id):
                    roster.enrol(user_id, active=False)
