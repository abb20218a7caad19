"""The guard: how much a run may award before somebody has to approve it.

It looks at the number of learners whom a run would award: whether it is beyond a fixed number, and
whether it is of another scale than what the last runs awarded.
"""

from dataclasses import dataclass
from decimal import Decimal
from statistics import median
from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from testamur.application.ports.register import Register
from testamur.domain.identifiers import ConfigurationId
from testamur.domain.runs import RunStarted

#: A change of scale is told from so many of the last runs that awarded anybody…
RUNS_LOOKED_BACK: Final = 10
#: …and not before there are so many: the first runs of a course say little.
FEWEST_RUNS: Final = 3
#: Whatever the last runs awarded, up to so many is no change of scale.
SMALLEST_SCALE: Final = 100


def _not_true_or_false(value: object) -> object:
    # To Python, and so to pydantic, True is 1.
    if isinstance(value, bool):
        raise ValueError("a number")
    return value


MostNew = Annotated[int, BeforeValidator(_not_true_or_false), Field(ge=1)]
"""A number of learners."""

ScaleFactor = Annotated[
    Decimal, BeforeValidator(_not_true_or_false), Field(gt=1, allow_inf_nan=False)
]
"""How many times the usual number is another scale."""


class GuardOptions(BaseModel):
    """When a run waits for approval; what is left out is as the installation's settings say.

    Args:
        max_new_per_run: The most that a run may award by itself; None: any number.
        change_of_scale: How many times the median of what the last runs awarded a run may award
            by itself; None: any number.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_new_per_run: MostNew | None = None
    change_of_scale: ScaleFactor | None = None

    def over(self, beneath: "GuardOptions") -> "GuardOptions":
        """Return these options, and others where these leave something out."""
        said = {name: getattr(self, name) for name in self.model_fields_set}
        return beneath.model_copy(update=said)


@dataclass(frozen=True, slots=True)
class GuardLimit:
    """The most that a run may award by itself.

    Args:
        reason: Where the limit comes from.
        most: The most.
        usual: For a change of scale: the median of what the last runs awarded.
    """

    reason: Literal["max-new", "change-of-scale"]
    most: int
    usual: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Guard:
    """Says how much runs may award by themselves."""

    register: Register
    defaults: GuardOptions

    def limits(
        self, configuration: ConfigurationId, options: GuardOptions, started: RunStarted | None
    ) -> list[GuardLimit]:
        """Return the limits of a run, the tightest first; none where it may award any number.

        Args:
            configuration: Whose run.
            options: The configuration's, with its type's beneath.
            started: The run; None for one that goes over everybody. One for a single learner, or
                with a limit of its own that is tight enough, is not looked at further.
        """
        if started is not None and started.learner_id is not None:
            return []
        in_force = options.over(self.defaults)
        found: list[GuardLimit] = []
        if in_force.max_new_per_run is not None:
            found.append(GuardLimit("max-new", in_force.max_new_per_run))
        if in_force.change_of_scale is not None:
            found += self._of_scale(configuration, in_force.change_of_scale)
        own = started.limit if started is not None else None
        tight = [limit for limit in found if own is None or own > limit.most]
        return sorted(tight, key=lambda limit: limit.most)

    def _of_scale(self, configuration: ConfigurationId, factor: Decimal) -> list[GuardLimit]:
        awarded = self.register.recent_awards(configuration, RUNS_LOOKED_BACK)
        if len(awarded) < FEWEST_RUNS:
            return []
        usual = Decimal(str(median(awarded)))
        return [GuardLimit("change-of-scale", max(SMALLEST_SCALE, int(factor * usual)), usual)]
