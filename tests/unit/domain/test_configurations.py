"""Configurations: created disabled, changed, enabled, disabled, retired for good."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Final

import pytest

from testamur.domain.configurations import (
    ConfigurationCreated,
    ConfigurationDisabled,
    ConfigurationEnabled,
    ConfigurationEvent,
    ConfigurationRetired,
    CredentialConfiguration,
    OptionsChanged,
    ScheduleChanged,
    decide_change_options,
    decide_change_schedule,
    decide_create,
    decide_disable,
    decide_enable,
    decide_retire,
    evolve,
)
from testamur.domain.errors import DecisionRefused
from testamur.domain.identifiers import Slug
from testamur.domain.schedules import IntervalRule, Schedule

NOW: Final = datetime(2026, 6, 1, 12, tzinfo=UTC)
CONTEXT: Final = "course-v1:Uni+Maths+2026"
WEEKLY: Final = Schedule(rule=IntervalRule(every=timedelta(days=7)))
CREATED: Final = ConfigurationCreated(
    type_slug=Slug("completion"), context_key=CONTEXT, options={"a": 1}, schedule=Schedule()
)
ENABLED: Final = ConfigurationEnabled(enabled_at=NOW)
DISABLED: Final = ConfigurationDisabled(reason="the issue window closed")
RETIRED: Final = ConfigurationRetired(reason="the course is over")


def after(*events: ConfigurationEvent) -> CredentialConfiguration:
    """Return a configuration that was created and then saw these events."""
    return reduce(evolve, events, evolve(None, CREATED))


def test_a_configuration_starts_disabled() -> None:
    decided = decide_create(None, Slug("completion"), CONTEXT, {"a": 1}, Schedule())

    assert decided == [CREATED]
    assert after() == CredentialConfiguration(Slug("completion"), CONTEXT, {"a": 1}, Schedule())
    assert not after().enabled


@pytest.mark.parametrize("state", [after(), after(ENABLED), after(RETIRED)])
def test_there_is_one_configuration_of_a_type_for_a_context(
    state: CredentialConfiguration,
) -> None:
    with pytest.raises(DecisionRefused) as refused:
        decide_create(state, Slug("completion"), CONTEXT, {}, Schedule())

    assert str(refused.value) == (
        "configuration of 'completion' for course-v1:Uni+Maths+2026: "
        "it exists already; change its options or schedule instead"
    )


def test_enabling_takes_the_moment_that_an_interval_counts_from() -> None:
    assert decide_enable(after(), NOW) == [ENABLED]
    assert after(ENABLED).enabled
    assert after(ENABLED).enabled_at == NOW


def test_enabling_what_is_enabled_does_not_move_the_moment() -> None:
    assert decide_enable(after(ENABLED), NOW + timedelta(days=1)) == []


def test_enabling_again_after_disabling_takes_a_new_moment() -> None:
    later = NOW + timedelta(days=1)

    assert decide_enable(after(ENABLED, DISABLED), later) == [
        ConfigurationEnabled(enabled_at=later)
    ]


def test_disabling_keeps_the_reason() -> None:
    assert decide_disable(after(ENABLED), "the issue window closed") == [DISABLED]
    assert not after(ENABLED, DISABLED).enabled


def test_disabling_what_is_disabled_changes_nothing() -> None:
    assert decide_disable(after(), "again") == []


def test_options_are_changed_as_a_whole() -> None:
    assert decide_change_options(after(), {"b": 2}) == [OptionsChanged(options={"b": 2})]
    assert after(OptionsChanged(options={"b": 2})).options == {"b": 2}
    assert decide_change_options(after(), {"a": 1}) == []


def test_a_changed_schedule_leaves_the_configuration_enabled() -> None:
    changed = after(ENABLED, ScheduleChanged(schedule=WEEKLY))

    assert decide_change_schedule(after(ENABLED), WEEKLY) == [ScheduleChanged(schedule=WEEKLY)]
    assert changed.schedule == WEEKLY
    assert changed.enabled_at == NOW
    assert decide_change_schedule(changed, WEEKLY) == []


def test_a_retired_configuration_is_disabled_for_good() -> None:
    assert decide_retire(after(ENABLED), "the course is over") == [RETIRED]
    assert after(ENABLED, RETIRED).retired
    assert not after(ENABLED, RETIRED).enabled


DECISIONS: Final[list[Callable[[CredentialConfiguration | None], list[ConfigurationEvent]]]] = [
    lambda state: decide_change_options(state, {"b": 2}),
    lambda state: decide_change_options(state, {"a": 1}),
    lambda state: decide_change_schedule(state, WEEKLY),
    lambda state: decide_enable(state, NOW),
    lambda state: decide_disable(state, "reason"),
    lambda state: decide_retire(state, "reason"),
]


@pytest.mark.parametrize("decide", DECISIONS)
def test_nothing_is_changed_about_a_retired_configuration(
    decide: Callable[[CredentialConfiguration | None], list[ConfigurationEvent]],
) -> None:
    with pytest.raises(DecisionRefused, match=r"configuration of 'completion' .*: it is retired"):
        decide(after(RETIRED))


@pytest.mark.parametrize("decide", DECISIONS)
def test_nothing_is_changed_about_what_does_not_exist(
    decide: Callable[[CredentialConfiguration | None], list[ConfigurationEvent]],
) -> None:
    with pytest.raises(DecisionRefused, match="configuration: it does not exist"):
        decide(None)


@pytest.mark.parametrize(
    "event",
    [OptionsChanged(options={}), ScheduleChanged(schedule=WEEKLY), ENABLED, DISABLED, RETIRED],
)
def test_an_event_of_what_does_not_exist_is_refused(event: ConfigurationEvent) -> None:
    with pytest.raises(DecisionRefused, match="it does not exist"):
        evolve(None, event)
