"""What a learner did in a course, and how it is drawn from a seed for a hundred thousand learners.

A learner's work in a course is one hash. Its first byte is the sort of learner they are, each byte
after it is looked up in a table of the subsection, so that no random number generator is needed.
"""

from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b
from operator import getitem
from typing import Final, NamedTuple

from examples.stand_in_lms.catalogue import Course

Points = Decimal | None
"""Points earned; None: not attempted."""


class Work(NamedTuple):
    """A learner's work in one course.

    Args:
        earned: For each graded subsection of the course the points earned, None where it was not
            attempted.
        possible: For each graded subsection what it is worth to this learner.
        completed: For each subsection of the course how many units are completed.
        stored: The same as the LMS last stored it, which is what its lists say; may lag behind.
        aggregated: Whether the LMS stored anything at all.
        overridden: Places among the graded subsections whose grade a teacher set by hand.
    """

    earned: tuple[Points, ...]
    possible: tuple[Decimal, ...]
    completed: tuple[int, ...]
    stored: tuple[int, ...]
    aggregated: bool = True
    overridden: frozenset[int] = frozenset()


#: The sorts of learners. Everybody among the first ones of a course is of another sort; after
#: them most are strong or weak.
SORTS: Final = (
    "strong",
    "absent",
    "perfect",
    "at the threshold",
    "below the threshold",
    "weak",
    "looking",
    "failing",
    "overridden",
    "lagging",
)
_SORT_OF_BYTE: Final = tuple(
    sort
    for sort, share in zip(SORTS, (84, 20, 20, 16, 12, 70, 12, 6, 6, 10), strict=True)
    for _ in range(share)
)

#: What "at the threshold" is: of the points of each subsection, and of all units.
POINTS_THRESHOLD: Final = Decimal("0.55")
UNITS_THRESHOLD: Final = Decimal("0.9")

#: How the points of the other sorts spread over the values of a byte: below which it means that
#: nothing was attempted, what is added to it, and of how much it is then a part.
_SPREADS: Final = {
    "strong": (5, 100, 340),
    "weak": (80, -80, 250),
    "overridden": (0, 100, 340),
    "lagging": (0, 0, 255),
}

_NOTHING: Final = Decimal(0)
_ALL: Final = Decimal(1)
_HUNDREDTH: Final = Decimal("0.01")
_BYTES = range(256)
_THE_FIRST = frozenset({0})
_NO_ONE: Final[frozenset[int]] = frozenset()
_DIGEST_SIZE = 64


class GeneratedWork:
    """Draws the work of every learner of a course.

    Args:
        seed: The same seed gives the same work.
        course: The course.
        first_user_id: The learner with this id, and those next to them, are of each sort in turn.
    """

    def __init__(self, seed: int, course: Course, first_user_id: int) -> None:
        self._course = course
        self._first = first_user_id
        self._key = blake2b(f"{seed} {course.key}".encode(), digest_size=32).digest()
        width = max(len(course.subsections), len(course.graded), 1)
        self._copies = -(-width // (_DIGEST_SIZE - 1))
        self._points = {
            sort: [
                _points_of(
                    sort, each.possible, each.smallest_part, attempted=not each.attempted_by_nobody
                )
                for each in course.graded
            ]
            for sort in SORTS
        }
        self._units = {
            sort: [_units_of(sort, each.blocks) for each in course.subsections] for sort in SORTS
        }
        self._at = _units_in_order(course, UNITS_THRESHOLD)
        self._below = _units_in_order(course, UNITS_THRESHOLD, short_by=1)

    def of(self, user_id: int) -> Work:
        """Return the work of a learner."""
        digest = blake2b(b"%d" % user_id, digest_size=_DIGEST_SIZE, key=self._key).digest()
        place = user_id - self._first
        sort = SORTS[place] if place < len(SORTS) else _SORT_OF_BYTE[digest[0]]
        chances = digest[1:] * self._copies
        earned = tuple(map(getitem, self._points[sort], chances))
        if sort == "at the threshold":
            completed = self._at
        elif sort == "below the threshold":
            completed = self._below
        else:
            completed = tuple(map(getitem, self._units[sort], reversed(chances)))
        course = self._course
        possible = course.possible
        if course.differs_by_learner:
            possible = tuple(each.possible_for(user_id) for each in course.graded)
            earned = tuple(map(_scaled, earned, course.possible, possible))
        return Work(
            earned,
            possible,
            completed,
            tuple(units // 2 for units in completed) if sort == "lagging" else completed,
            sort != "absent",
            _THE_FIRST if sort == "overridden" else _NO_ONE,
        )


def no_work(course: Course, user_id: int) -> Work:
    """Return the work of a learner who never started."""
    possible = course.possible
    if course.differs_by_learner:
        possible = tuple(each.possible_for(user_id) for each in course.graded)
    nothing = (0,) * len(course.subsections)
    return Work((None,) * len(course.graded), possible, nothing, nothing, aggregated=False)


@lru_cache(maxsize=1024)
def _points_of(
    sort: str, possible: Decimal, smallest_part: Decimal, *, attempted: bool
) -> tuple[Points, ...]:
    """Return the points of a sort of learner in a subsection, for each value of a byte."""
    alike: dict[str, Points] = {
        "absent": None,
        "looking": None,
        "perfect": possible,
        "failing": _NOTHING,
        "at the threshold": possible * POINTS_THRESHOLD,
        "below the threshold": max(_NOTHING, possible * POINTS_THRESHOLD - _HUNDREDTH),
    }
    if not attempted:
        return (None,) * 256
    if sort in alike:
        return (_as_served(alike[sort]),) * 256
    skipped, offset, whole = _SPREADS.get(sort, _SPREADS["strong"])
    return tuple(
        None if byte < skipped else _part(byte + offset, whole, possible, smallest_part)
        for byte in _BYTES
    )


def _part(part: int, whole: int, possible: Decimal, smallest_part: Decimal) -> Points:
    """Return a part of the points, in steps of what the subsection gives points in."""
    steps = (min(_ALL, Decimal(part) / whole) * possible / smallest_part).to_integral_value()
    return _as_served(min(possible, steps * smallest_part))


def _as_served(points: Points) -> Points:
    """Return the decimal that a float of the LMS stands for: its shortest form."""
    return None if points is None else Decimal(repr(float(points)))


def _scaled(earned: Points, usual: Decimal, possible: Decimal) -> Points:
    if earned is None or usual == possible or not usual:
        return earned
    return _as_served(earned / usual * possible)


@lru_cache(maxsize=1024)
def _units_of(sort: str, most: int) -> tuple[int, ...]:
    """Return the completed units of a sort of learner, for each value of a byte."""
    if sort == "absent":
        return (0,) * 256
    if sort == "perfect":
        return (most,) * 256
    low, high = (0, 300) if sort in {"weak", "looking", "failing"} else (190, 490)
    return tuple(min(most, most * (low + byte) // high + (byte > 230)) for byte in _BYTES)


def _units_in_order(course: Course, share: Decimal, short_by: int = 0) -> tuple[int, ...]:
    """Complete the units from the first on, up to a share of all, rounded up to whole units."""
    left = -int(-share * course.blocks // 1) - short_by
    completed = []
    for each in course.subsections:
        completed.append(max(0, min(left, each.blocks)))
        left -= each.blocks
    return tuple(completed)
