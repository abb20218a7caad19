"""What a data source reports: a learner's record in a learning context, and the context's facts."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
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
        achieved_at: When the points were earned (aware); None where the source does not tell, or
            was not asked to.
    """

    subsection_id: str
    category: str
    earned: Decimal
    possible: Decimal
    achieved_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Achievement:
    """What a learner has achieved in one course or lesson.

    Args:
        completion: Completed fraction, 0 to 1, or None where the data source has no number,
            which counts as 0.
        subsections: The graded work of the course (of the lesson: that one subsection).
        completed_at: When the completion was reached (aware); None where the source does not tell,
            or was not asked to.
    """

    completion: Decimal | None = None
    subsections: tuple[GradedSubsection, ...] = ()
    completed_at: datetime | None = None


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


def since(record: LearnerRecord, moment: datetime) -> LearnerRecord:
    """Return a record in which only counts what was achieved after a moment (aware).

    What is older counts as not attempted, and so does what has no date: nothing tells that it is
    newer. The points that work is worth stay, so that leaving the old out raises nobody's share.
    """
    return replace(
        record,
        achievement=_achieved_since(record.achievement, moment),
        steps={key: _achieved_since(each, moment) for key, each in record.steps.items()},
    )


def _achieved_since(achievement: Achievement, moment: datetime) -> Achievement:
    is_new = _is_after(achievement.completed_at, moment)
    return replace(
        achievement,
        completion=achievement.completion if is_new else None,
        subsections=tuple(
            each if _is_after(each.achieved_at, moment) else replace(each, earned=Decimal(0))
            for each in achievement.subsections
        ),
    )


def _is_after(achieved_at: datetime | None, moment: datetime) -> bool:
    return achieved_at is not None and achieved_at > moment
