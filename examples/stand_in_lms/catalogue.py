"""What is taught: courses with their subsections and grading policy, and pathways of courses."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cached_property

_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class AssignmentType:
    """One line of a grading policy; what is None is missing in the policy.

    Args:
        type: Name of the assignment category.
        count: How many assignments there should be.
        dropped: How many of the worst the platform's own grade leaves out.
        weight: Fraction of the total.
        short_label: Short name, for labels.
    """

    type: str
    count: int | None
    dropped: int | None
    weight: Decimal | None
    short_label: str = ""


@dataclass(frozen=True)
class Subsection:
    """A subsection (block type ``sequential``) of a course.

    Args:
        block_key: Usage key.
        name: Display name.
        category: Assignment category; None: it is not graded.
        possible: Points that it is worth.
        blocks: How many units can be completed in it.
        hidden_from_progress: Whether its grade counts but is never shown to learners.
        attempted_by_nobody: Whether no generated learner attempted it.
        possible_by_learner: Points that it is worth to the learner with a user id, where they
            differ.
        smallest_part: The smallest part of a point that a generated learner earns in it.
    """

    block_key: str
    name: str
    category: str | None = None
    possible: Decimal = _NOTHING
    blocks: int = 1
    hidden_from_progress: bool = False
    attempted_by_nobody: bool = False
    possible_by_learner: Callable[[int], Decimal] | None = None
    smallest_part: Decimal = Decimal("0.5")

    def possible_for(self, user_id: int) -> Decimal:
        """Return the points that it is worth to a learner."""
        return self.possible_by_learner(user_id) if self.possible_by_learner else self.possible


@dataclass(frozen=True)
class Course:
    """A course run.

    Args:
        key: Course key.
        name: Display name as stored; may hold line breaks, ``<`` and ``>``.
        start: When it starts (aware).
        end: When it ends (aware), if it does.
        policy: Its grading policy.
        subsections: All of them in order, graded or not.
        hidden: Whether anonymous visitors do not see it.
        cutoffs: Fraction of the total from which each letter is given.
    """

    key: str
    name: str
    start: datetime | None
    end: datetime | None
    policy: tuple[AssignmentType, ...]
    subsections: tuple[Subsection, ...]
    hidden: bool = False
    cutoffs: Mapping[str, float] = field(default_factory=lambda: {"Pass": 0.5})

    @cached_property
    def graded(self) -> tuple[Subsection, ...]:
        """The subsections that count for grades."""
        return tuple(each for each in self.subsections if each.category is not None)

    @cached_property
    def possible(self) -> tuple[Decimal, ...]:
        """Points of each graded subsection, as most learners have them."""
        return tuple(each.possible for each in self.graded)

    @cached_property
    def blocks(self) -> int:
        """How many units can be completed in the whole course."""
        return sum(each.blocks for each in self.subsections)

    @cached_property
    def differs_by_learner(self) -> bool:
        """Whether some subsection is worth more to one learner than to another."""
        return any(each.possible_by_learner for each in self.graded)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Label of each graded subsection, such as ``HW 01``."""
        short = {each.type: each.short_label or each.type for each in self.policy}
        counted: dict[str, int] = {}
        labels = []
        for each in self.graded:
            category = str(each.category)
            counted[category] = counted.get(category, 0) + 1
            labels.append(f"{short.get(category, category)} {counted[category]:02}")
        return tuple(labels)


@dataclass(frozen=True)
class Pathway:
    """A pathway (*learning path*) of several courses.

    Args:
        key: Learning path key.
        name: Display name.
        steps: Keys of its courses, in order. They are served in another order.
        path_id: Database id.
        public: Whether everybody sees it.
    """

    key: str
    name: str
    steps: tuple[str, ...]
    path_id: int
    public: bool = True
