"""Grades of a course whose gradebook is off: learner by learner, from their progress."""

from testamur.adapters.open_edx.concurrency import each
from testamur.adapters.open_edx.connection import Connection
from testamur.adapters.open_edx.errors import FeatureMissing, LmsUnavailable
from testamur.adapters.open_edx.gradebook import FLAG
from testamur.adapters.open_edx.grades import Progress, ProgressOf, stored_result, subsections
from testamur.adapters.open_edx.points import BETWEEN, GAP, Module, unseen
from testamur.adapters.open_edx.snapshot import Learner, Snapshot


class GradesOff(FeatureMissing):
    """The LMS tells the grades of a course in no way."""

    def __init__(self, course: str) -> None:
        super().__init__(
            f"the LMS does not tell the grades of {course}: its gradebook is off, and so is the "
            "progress page. Completion can be checked; grades cannot, be it alone, with completion,"
            " of its lessons, or as a step of a pathway",
            f"switch the course waffle flag {FLAG} on in the LMS",
        )


def fetch_grades_by_learner(
    connection: Connection,
    progress: Progress,
    snapshot: Snapshot,
    off: FeatureMissing,
    no_grades: str,
) -> None:
    """Fetch the grades of enrolled learners that a snapshot lacks, one request or more for each.

    Args:
        connection: The LMS.
        progress: Asks for the progress of learners.
        snapshot: Holds the learners; takes their grades.
        off: What the gradebook said.
        no_grades: Why a learner is left out about whom there is no answer.

    Raises:
        GradesOff: Progress is off too.
        LmsUnavailable: The LMS answers about nobody.
    """
    graded = graded_modules(connection, snapshot.course)
    layout = snapshot.points.layout((module.module_id, module.category) for module in graded)
    asking = ProgressOf(progress, snapshot.course)
    unavailable: LmsUnavailable | None = None

    def ask(learner: Learner) -> str | LmsUnavailable | None:
        try:
            return work_of(connection, asking, graded, learner[0])
        except LmsUnavailable as error:
            return error

    learners = snapshot.enrolled_without_grades()
    asked = 0
    for (user_id, _), work in each(connection, ask, learners, connection.concurrency):
        asked += 1
        if asking.is_off:
            raise GradesOff(snapshot.course) from off
        if isinstance(work, str):
            snapshot.add_grades([(user_id, layout, work)])
            for module, result in zip(graded, work.split(BETWEEN), strict=True) if work else ():
                if result != GAP:
                    snapshot.points.known.add(module.module_id, result.partition("/")[2])
        else:
            unavailable = work or unavailable
            snapshot.leave_out(user_id, no_grades)
    if asked and not asking.answered and snapshot.count_grades() == asked:
        raise unavailable or GradesOff(snapshot.course) from off
    for module_id in unseen(snapshot.points.layouts, snapshot.points.known) if asked else ():
        snapshot.points.known.leave_uncounted(module_id)


def graded_modules(connection: Connection, course: str) -> tuple[Module, ...]:
    """Return the graded subsections of a course, in order."""
    return tuple(
        Module(each.module_id, each.category)
        for each in subsections(connection, course)
        if each.category is not None
    )


def work_of(
    connection: Connection, asking: ProgressOf, graded: tuple[Module, ...], user_id: int
) -> str | None:
    """Return a learner's work in the graded subsections of a course, with exact points.

    Progress leaves out subsections that are graded and whose grades learners never see; what the
    LMS has stored of these is asked for. A gap stays where it has stored nothing.

    Returns:
        None: there is no answer about this learner.
    """
    told = asking.of(user_id)
    if told is None:
        return None
    return BETWEEN.join(
        told.get(module.module_id) or stored_result(connection, module.module_id, user_id) or GAP
        for module in graded
    )
