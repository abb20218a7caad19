"""Evidence: why a learner is eligible or not, kept with the credential for good."""

from decimal import Decimal

from pydantic import AwareDatetime, BaseModel, ConfigDict, JsonValue


class CriterionResult(BaseModel):
    """One criterion, what it required, and what the learner had.

    Args:
        criterion: ``enrolment``, ``completion``, ``total`` or ``grade``.
        category: Assignment category as the data source spells it, for ``grade``.
        step: Key of the pathway's course that it was applied to, if any.
        required: Required fraction, 0 to 1; None for enrolment.
        achieved: The learner's fraction, rounded down to ten decimals for reading; the verdict
            was made on exact numbers. None where there is none.
        earned: Points earned in the category, unrounded.
        possible: Points possible in the category, unrounded.
        met: Whether the criterion is met.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    criterion: str
    category: str | None = None
    step: str | None = None
    required: Decimal | None = None
    achieved: Decimal | None = None
    earned: Decimal | None = None
    possible: Decimal | None = None
    met: bool


class Evidence(BaseModel):
    """Everything that a verdict rests on.

    Args:
        criteria: The criteria applied, as they were configured.
        results: One entry for each criterion, met or not, pathway steps in order.
        unweighted_categories: Categories with points that the grading policy gives no weight;
            they count for their own requirement and are left out of the total.
        source: Name of the data source that was asked.
        retrieved_at: When it was asked.
        note: What a person gave as the reason, where no criteria were applied.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    criteria: dict[str, JsonValue]
    results: tuple[CriterionResult, ...]
    unweighted_categories: tuple[str, ...] = ()
    source: str
    retrieved_at: AwareDatetime
    note: str | None = None
