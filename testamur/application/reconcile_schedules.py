"""When credentials are compared by themselves: the option ``reconcile`` of a configuration."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    model_validator,
)

from testamur.application.cron import check_cron, next_cron_time
from testamur.domain.errors import InvalidInput
from testamur.domain.schedules import CronRule, TimeZoneName


def _not_true_or_false(value: object) -> object:
    # To Python, and so to pydantic, True is 1.
    if isinstance(value, bool):
        raise ValueError("a whole number of days")
    return value


class ReconcileOptions(BaseModel):
    """When a configuration's credentials are compared with today's verdicts by themselves.

    Args:
        cron: At the times of a cron expression of five fields…
        time_zone: …in this time zone (IANA name).
        every_days: Or: as soon as the option is set or changed, then every so many days.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    cron: str | None = None
    time_zone: TimeZoneName = "UTC"
    every_days: Annotated[int, BeforeValidator(_not_true_or_false), Field(ge=1, le=3650)] | None = (
        None
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.cron is None) == (self.every_days is None):
            raise ValueError('either cron, such as "0 3 * * MON", or every_days, such as 7')
        if self.cron is not None:
            try:
                check_cron(self.cron, "reconcile.cron")
            except InvalidInput as error:
                raise ValueError(error.allowed) from None
        return self

    def first(self, moment: datetime) -> datetime | None:
        """Return when it is due for the first time, if the option is set at a moment (aware)."""
        return moment if self.cron is None else self.following(moment)

    def following(self, moment: datetime) -> datetime | None:
        """Return when it is due after it was done at a moment (aware); None: never."""
        if self.cron is not None:
            return next_cron_time(CronRule(expression=self.cron, time_zone=self.time_zone), moment)
        return moment + timedelta(days=self.every_days or 1)


def reconcile_options(own: Mapping[str, JsonValue]) -> ReconcileOptions | None:
    """Return what a configuration's own options say; None: it is never done by itself.

    They were checked when they were saved. What was allowed then and is not any more counts as
    not said, as the register has to be written all the same.
    """
    said = own.get("reconcile")
    if not said:
        return None
    try:
        return ReconcileOptions.model_validate(said)
    except ValidationError:
        return None
