"""What a run found: how many learners became what, who was refused, and who was left out."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from testamur.domain.identifiers import LearnerId

Count = Annotated[int, Field(ge=0)]


class RunCounts(BaseModel):
    """What a run found and did, in learners.

    Those of a completed run add up: ``evaluated = already_held + not_eligible + eligible +
    left_out`` and ``eligible = awarded + refused + over_limit``. Those of a part of a run need not,
    nor those of a run that waits for approval: it has awarded nobody yet.

    Args:
        evaluated: Learners that the data source reported.
        already_held: Of these, those who hold a credential of this configuration or held one
            that was revoked; they are not judged again.
        not_eligible: Of the others, those who do not meet the criteria.
        eligible: Of the others, those who do.
        left_out: Of the others, those who were not judged, see `LearnersLeftOut`.
        awarded: Of the eligible, those who were awarded the credential.
        refused: Of the eligible, those who could not be awarded it, see `LearnersRefused`.
        over_limit: Of the eligible, those left for a later run: because of ``limit``, or because
            they were not on the list that was approved.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    evaluated: Count = 0
    already_held: Count = 0
    not_eligible: Count = 0
    eligible: Count = 0
    left_out: Count = 0
    awarded: Count = 0
    refused: Count = 0
    over_limit: Count = 0

    @property
    def add_up(self) -> bool:
        """Whether every learner is counted for one outcome, and one only."""
        sorted_out = self.already_held + self.not_eligible + self.eligible + self.left_out
        dealt_with = self.awarded + self.refused + self.over_limit
        return self.evaluated == sorted_out and self.eligible == dealt_with

    def __add__(self, other: "RunCounts") -> "RunCounts":
        return RunCounts(
            **{name: getattr(self, name) + getattr(other, name) for name in type(self).model_fields}
        )


class Refusal(BaseModel):
    """Why an eligible learner could not be awarded the credential yet.

    Args:
        learner_id: Who.
        reason: What kind of reason: ``no-name``, ``no-person``, ``missing-glyph``, ``too-long``….
        detail: The reason for people to read; it never holds the learner's name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    learner_id: LearnerId
    reason: str
    detail: str


class LeftOut(BaseModel):
    """Why a learner was not judged: the data source cannot tell what they have achieved.

    Args:
        learner_id: Who.
        reason: The source's reason, for people to read; it never holds the learner's name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    learner_id: LearnerId
    reason: str
