"""Criteria: what a learner must reach. Parsed and checked when a type or configuration is saved."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue

DEFAULT_REQUIRED_COMPLETION: Final = Decimal("0.9")

#: Decimals of a required share. What is achieved is shown with as many, rounded down, so that the
#: numbers shown compare as the exact ones do.
MOST_DECIMALS: Final = 10

TOTAL: Final = "total"
"""Key of the weighted total among required grades, compared case-insensitively."""


def _not_boolean(value: object) -> object:
    # bool is an int: without this, `true` would be read as the fraction 1.
    if isinstance(value, bool):
        raise ValueError("a fraction from 0 to 1 is needed, such as 0.55 for 55 %")
    return value


def _within_zero_and_one(value: Decimal) -> Decimal:
    if not 0 <= value <= 1:
        raise ValueError("a fraction from 0 to 1 is needed, such as 0.55 for 55 %")
    return value


RequiredFraction = Annotated[
    Decimal,
    BeforeValidator(_not_boolean),
    Field(allow_inf_nan=False, decimal_places=MOST_DECIMALS),
    AfterValidator(_within_zero_and_one),
]
"""A required share of what is possible, 0 to 1, exact: 0.55 means exactly 55 %."""


def _one_spelling_each(grades: dict[str, Decimal]) -> dict[str, Decimal]:
    seen: dict[str, str] = {}
    for name in grades:
        folded = category_key(name)
        if not folded:
            raise ValueError("a category needs a name")
        if folded in seen:
            raise ValueError(
                f"{seen[folded]!r} and {name!r} name the same category: names are compared "
                "without case"
            )
        seen[folded] = name
    return grades


def category_key(name: str) -> str:
    """Return the form of a category's name in which names are compared."""
    return " ".join(name.split()).casefold()


RequiredGrades = Annotated[
    dict[str, RequiredFraction], Field(min_length=1), AfterValidator(_one_spelling_each)
]
"""Required share per assignment category; the key ``Total`` stands for the weighted total."""


class Criteria(BaseModel):
    """What all kinds of criteria have in common."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class CompletionCriteria(Criteria):
    """``required_completion`` of the course or lesson must be completed."""

    kind: Literal["completion"] = "completion"
    required_completion: RequiredFraction = DEFAULT_REQUIRED_COMPLETION


class GradeCriteria(Criteria):
    """Each category must reach its required share, and ``Total`` the weighted total."""

    kind: Literal["grades"] = "grades"
    required_grades: RequiredGrades


class CompletionAndGradeCriteria(Criteria):
    """Both must be reached, completion and grades."""

    kind: Literal["completion-and-grades"] = "completion-and-grades"
    required_completion: RequiredFraction = DEFAULT_REQUIRED_COMPLETION
    required_grades: RequiredGrades


AnyCourseCriteria = CompletionCriteria | GradeCriteria | CompletionAndGradeCriteria
CourseCriteria = Annotated[AnyCourseCriteria, Field(discriminator="kind")]


class PathwayCriteria(Criteria):
    """The criteria must hold in every step of the pathway.

    Args:
        every_step: The criteria of a step that ``steps`` does not name.
        steps: For the courses named by key: criteria that replace ``every_step`` (they are not
            merged with it).
    """

    kind: Literal["pathway"] = "pathway"
    every_step: CourseCriteria
    steps: dict[str, CourseCriteria] = Field(default_factory=dict)

    def of_step(self, course_key: str) -> AnyCourseCriteria:
        """Return the criteria that apply to the step with this course key."""
        return self.steps.get(course_key, self.every_step)


def merged_options(
    base: Mapping[str, JsonValue], over: Mapping[str, JsonValue]
) -> dict[str, JsonValue]:
    """Return ``base`` with ``over`` merged over it.

    Mappings merge key by key at every depth; lists and scalars replace what was there.
    """
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            merged[key] = merged_options(below, value)
        else:
            merged[key] = value
    return merged
