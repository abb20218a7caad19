"""What a data source reports: a learner's record in a learning context, and the context's facts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from testamur.domain.identifiers import LearnerId


@dataclass(frozen=True, slots=True)
class GradedSubsection:
    """One graded piece of work of a learner.

    Args:
        subsection_id: The data source's id of it; for Open edX the usage key.
        category: Assignment category of the grading policy, e.g. ``Homework``.
        earned: Points earned; 0 where it was not attempted.
        possible: Points that it is worth to this learner, attempted or not.
    """

    subsection_id: str
    category: str
    earned: Decimal
    possible: Decimal


@dataclass(frozen=True, slots=True)
class Achievement:
    """What a learner has achieved in one course or lesson.

    Args:
        completion: Completed fraction, 0 to 1, or None where the data source has no number,
            which counts as 0.
        subsections: The graded work of the course (of the lesson: that one subsection).
    """

    completion: Decimal | None = None
    subsections: tuple[GradedSubsection, ...] = ()


NOTHING_ACHIEVED = Achievement()


@dataclass(frozen=True, slots=True)
class LearnerRecord:
    """One learner of a learning context, as the data source sees them now.

    Args:
        learner_id: The data source's opaque id.
        enrolled: Whether the learner is actively enrolled in the context.
        achievement: In the course or lesson; unused for a pathway.
        steps: For a pathway: the achievement in each course that the learner is actively
            enrolled in, by the course's key.
        left_out: Why the data source cannot tell what this learner has achieved, for people to
            read and without the learner's name; such a learner is not judged. None: it can.
        retrieved_at: When the source read it (aware); None: when it was asked.
    """

    learner_id: LearnerId
    enrolled: bool = True
    achievement: Achievement = NOTHING_ACHIEVED
    steps: Mapping[str, Achievement] = field(default_factory=dict)
    left_out: str | None = None
    retrieved_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ContextFacts:
    """What is the same for all learners of a learning context.

    Args:
        key: The context's key.
        name: Display name; for a certificate, ``certificate_name`` goes before it.
        certificate_name: The name that the context's staff set for certificates, if any. A line
            break in it makes the name multi-line.
        start: When it starts (aware), or None where it is not known.
        end: When it ends (aware), or None where it is open-ended.
        weights: Weight of each assignment category as a fraction; they need not sum to 1.
        steps: For a pathway: facts of its courses, in order.
    """

    key: str
    name: str | None = None
    certificate_name: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    weights: Mapping[str, Decimal] = field(default_factory=dict)
    steps: tuple["ContextFacts", ...] = ()

    @property
    def shown_name(self) -> str:
        """Its name: the certificate name, else the display name, else the key."""
        return self.certificate_name or self.name or self.key
