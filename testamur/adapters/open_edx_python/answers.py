"""What the platform is asked for, as plain values."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from testamur.domain.learning import GradedSubsection


class User(Protocol):
    """A user of the LMS, as its own functions want them."""

    @property
    def id(self) -> int:
        """The user's id; as text, it is the learner's id."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """That a user is enrolled in a course or pathway, or was."""

    user: User
    active: bool


@dataclass(frozen=True, slots=True)
class Overview:
    """What a course is called, and its dates (aware)."""

    name: str | None
    certificate_name: str | None
    start: datetime | None
    end: datetime | None


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a lesson is called, and the category that it is graded in; None: it is not graded."""

    name: str | None
    category: str | None


@dataclass(frozen=True, slots=True)
class Pathway:
    """What a pathway is called, and the keys of its courses in order."""

    name: str | None
    courses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NoGrades:
    """The platform gives no grades for a learner; the class of its error, if there was one."""

    error: str | None


Grades = tuple[GradedSubsection, ...] | NoGrades


@dataclass(frozen=True, slots=True)
class Account:
    """Who a user is."""

    user_id: int
    full_name: str
    email: str
    active: bool
    can_log_in: bool
    language: str | None
