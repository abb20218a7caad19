"""What stays true of types, assets and configurations whatever is decided, in any order."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import reduce
from itertools import pairwise

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from pydantic import JsonValue

from testamur.domain import assets, configurations, credential_types
from testamur.domain.assets import (
    AssetAdded,
    AssetContent,
    AssetEvent,
    AssetRemoved,
    AssetReplaced,
    CredentialAsset,
)
from testamur.domain.configurations import (
    ConfigurationCreated,
    ConfigurationDisabled,
    ConfigurationEnabled,
    ConfigurationEvent,
    ConfigurationRetired,
    CredentialConfiguration,
    OptionsChanged,
    ScheduleChanged,
)
from testamur.domain.credential_types import (
    CredentialType,
    CredentialTypeDefined,
    CredentialTypeEvent,
    CredentialTypeRetired,
    CredentialTypeRevised,
    Issuer,
    TypeDefinition,
)
from testamur.domain.errors import DecisionRefused
from testamur.domain.identifiers import Slug
from testamur.domain.schedules import IntervalRule, Schedule
from tests.support.domain_strategies import tries

LIFE = settings(tries(20), stateful_step_count=20)

# There are few of each, so that what is asked for is often what is there already.
definitions = st.sampled_from("AB").map(
    lambda name: TypeDefinition(
        name=name, issuer=Issuer(name="Uni"), criteria="completion", renderer="pdf"
    )
)
contents = st.sampled_from("01").map(
    lambda digit: AssetContent(
        sha256=digit * 64, size=1, media_type="font/ttf", filename="sans.ttf"
    )
)
options: st.SearchStrategy[dict[str, JsonValue]] = st.sampled_from([{}, {"a": 1}, {"a": 2}])
schedules = st.sampled_from([1, 7]).map(
    lambda days: Schedule(rule=IntervalRule(every=timedelta(days=days)))
)


class TypeLife(RuleBasedStateMachine):
    """Makes every decision about a type at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.state: CredentialType | None = None
        self.events: list[CredentialTypeEvent] = []

    def attempt(self, decide: Callable[[CredentialType | None], list[CredentialTypeEvent]]) -> None:
        try:
            decided = decide(self.state)
        except DecisionRefused:
            return
        for event in decided:
            self.state = credential_types.evolve(self.state, event)
            self.events.append(event)

    @rule(definition=definitions)
    def define(self, definition: TypeDefinition) -> None:
        self.attempt(lambda state: credential_types.decide_define(state, Slug("a"), definition))

    @rule(definition=definitions)
    def revise(self, definition: TypeDefinition) -> None:
        self.attempt(lambda state: credential_types.decide_revise(state, definition))

    @rule(seldom=st.sampled_from([True, False, False, False]))
    def retire(self, seldom: bool) -> None:
        if seldom:
            self.attempt(lambda state: credential_types.decide_retire(state, "replaced"))

    @invariant()
    def it_is_defined_first_and_only_once(self) -> None:
        defined = [isinstance(event, CredentialTypeDefined) for event in self.events]
        assert defined == [True] * bool(defined) + [False] * (len(defined) - 1)

    @invariant()
    def revisions_count_up_from_two_and_each_changes_something(self) -> None:
        said = [event for event in self.events if not isinstance(event, CredentialTypeRetired)]
        revisions = [event.revision for event in said if isinstance(event, CredentialTypeRevised)]
        assert revisions == list(range(2, len(revisions) + 2))
        assert all(before.definition != after.definition for before, after in pairwise(said))

    @invariant()
    def nothing_follows_its_retirement(self) -> None:
        assert not any(isinstance(event, CredentialTypeRetired) for event in self.events[:-1])

    @invariant()
    def the_state_is_what_the_events_say(self) -> None:
        replayed: CredentialType | None = None
        assert reduce(credential_types.evolve, self.events, replayed) == self.state


class AssetLife(RuleBasedStateMachine):
    """Makes every decision about an asset at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.state: CredentialAsset | None = None
        self.events: list[AssetEvent] = []

    def attempt(self, decide: Callable[[CredentialAsset | None], list[AssetEvent]]) -> None:
        try:
            decided = decide(self.state)
        except DecisionRefused:
            return
        for event in decided:
            self.state = assets.evolve(self.state, event)
            self.events.append(event)

    @rule(content=contents)
    def add(self, content: AssetContent) -> None:
        self.attempt(lambda state: assets.decide_add(state, Slug("sans"), content))

    @rule(content=contents)
    def replace(self, content: AssetContent) -> None:
        self.attempt(lambda state: assets.decide_replace(state, content))

    @rule()
    def remove(self) -> None:
        self.attempt(lambda state: assets.decide_remove(state, "old logo"))

    @invariant()
    def it_is_added_first_and_only_once(self) -> None:
        added = [isinstance(event, AssetAdded) for event in self.events]
        assert added == [True] * bool(added) + [False] * (len(added) - 1)

    @invariant()
    def each_event_changes_something(self) -> None:
        for before, event in pairwise(self.events):
            removed = isinstance(before, AssetRemoved)
            assert not (removed and isinstance(event, AssetRemoved))
            if isinstance(before, AssetAdded | AssetReplaced) and isinstance(event, AssetReplaced):
                assert before.content != event.content

    @invariant()
    def it_has_the_content_last_given(self) -> None:
        given = [event.content for event in self.events if not isinstance(event, AssetRemoved)]
        assert (self.state.content if self.state else None) == (given[-1] if given else None)

    @invariant()
    def it_is_removed_after_a_removal_and_only_then(self) -> None:
        if self.state is not None:
            assert self.state.removed == isinstance(self.events[-1], AssetRemoved)

    @invariant()
    def the_state_is_what_the_events_say(self) -> None:
        replayed: CredentialAsset | None = None
        assert reduce(assets.evolve, self.events, replayed) == self.state


class ConfigurationLife(RuleBasedStateMachine):
    """Makes every decision about a configuration at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.now = datetime(2026, 6, 1, tzinfo=UTC)
        self.state: CredentialConfiguration | None = None
        self.events: list[ConfigurationEvent] = []

    def attempt(
        self, decide: Callable[[CredentialConfiguration | None], list[ConfigurationEvent]]
    ) -> None:
        self.now += timedelta(hours=1)
        try:
            decided = decide(self.state)
        except DecisionRefused:
            return
        for event in decided:
            self.state = configurations.evolve(self.state, event)
            self.events.append(event)

    @rule(options=options, schedule=schedules)
    def create(self, options: dict[str, JsonValue], schedule: Schedule) -> None:
        self.attempt(
            lambda state: configurations.decide_create(
                state, Slug("a"), "course-v1:Uni+Maths+2026", options, schedule
            )
        )

    @rule(options=options)
    def change_options(self, options: dict[str, JsonValue]) -> None:
        self.attempt(lambda state: configurations.decide_change_options(state, options))

    @rule(schedule=schedules)
    def change_schedule(self, schedule: Schedule) -> None:
        self.attempt(lambda state: configurations.decide_change_schedule(state, schedule))

    @rule()
    def enable(self) -> None:
        self.attempt(lambda state: configurations.decide_enable(state, self.now))

    @rule()
    def disable(self) -> None:
        self.attempt(lambda state: configurations.decide_disable(state, "exams"))

    @rule(seldom=st.sampled_from([True, False, False, False]))
    def retire(self, seldom: bool) -> None:
        if seldom:
            self.attempt(lambda state: configurations.decide_retire(state, "over"))

    @invariant()
    def it_is_created_first_and_only_once(self) -> None:
        created = [isinstance(event, ConfigurationCreated) for event in self.events]
        assert created == [True] * bool(created) + [False] * (len(created) - 1)

    @invariant()
    def it_is_enabled_and_disabled_by_turns(self) -> None:
        switched = [
            isinstance(event, ConfigurationEnabled)
            for event in self.events
            if isinstance(event, ConfigurationEnabled | ConfigurationDisabled)
        ]
        assert switched == [number % 2 == 0 for number in range(len(switched))]

    @invariant()
    def it_is_enabled_since_it_was_last_enabled(self) -> None:
        if self.state is not None:
            switched: ConfigurationEvent | None = None
            for event in self.events:
                if isinstance(
                    event, ConfigurationEnabled | ConfigurationDisabled | ConfigurationRetired
                ):
                    switched = event
            since = switched.enabled_at if isinstance(switched, ConfigurationEnabled) else None
            assert self.state.enabled_at == since
            assert self.state.enabled == (since is not None)

    @invariant()
    def each_change_of_options_or_schedule_is_one(self) -> None:
        had_options = [
            event.options
            for event in self.events
            if isinstance(event, ConfigurationCreated | OptionsChanged)
        ]
        had_schedules = [
            event.schedule
            for event in self.events
            if isinstance(event, ConfigurationCreated | ScheduleChanged)
        ]
        assert all(before != after for before, after in pairwise(had_options))
        assert all(before != after for before, after in pairwise(had_schedules))

    @invariant()
    def nothing_follows_its_retirement(self) -> None:
        assert not any(isinstance(event, ConfigurationRetired) for event in self.events[:-1])

    @invariant()
    def the_state_is_what_the_events_say(self) -> None:
        replayed: CredentialConfiguration | None = None
        assert reduce(configurations.evolve, self.events, replayed) == self.state


TypeLife.TestCase.settings = LIFE
AssetLife.TestCase.settings = LIFE
ConfigurationLife.TestCase.settings = LIFE

TestTypeLife = TypeLife.TestCase
TestAssetLife = AssetLife.TestCase
TestConfigurationLife = ConfigurationLife.TestCase
