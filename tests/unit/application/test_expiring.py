"""Expiry: what awards freeze of it, what the public is told, and who is reminded when."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from testamur.application.aggregates import load
from testamur.application.awardees import Awardee
from testamur.application.ports.event_store import (
    Attribution,
    EventStore,
    LoggedEvent,
    NewEvents,
    RecordedEvent,
)
from testamur.application.ports.register import CredentialFilter, CredentialRow
from testamur.application.reminding import Reminding
from testamur.application.requests import SCHEDULER
from testamur.domain.credentials import evolve
from testamur.domain.errors import InvalidInput, InvalidOptions
from testamur.domain.identifiers import ConfigurationId, LearnerId
from tests.support.world import World


class OvertakenStore:
    """An event store; after the first loading somebody else does what the test states."""

    def __init__(self, store: EventStore, meanwhile: Callable[[], object]) -> None:
        self._store = store
        self._meanwhile = meanwhile
        self.overtaken: list[object] = []

    def load(self, stream_id: UUID) -> list[RecordedEvent]:
        """Load one stream."""
        return self._store.load(stream_id)

    def load_many(self, stream_ids: Sequence[UUID]) -> dict[UUID, list[RecordedEvent]]:
        """Load streams, and let the other one overtake."""
        found = self._store.load_many(stream_ids)
        if not self.overtaken:
            self.overtaken.append(self._meanwhile())
        return found

    def append(self, batch: Sequence[NewEvents], attribution: Attribution) -> None:
        """Append."""
        self._store.append(batch, attribution)

    def log(self, after_position: int = 0, batch_size: int = 1000) -> Iterator[LoggedEvent]:
        """Yield the log."""
        return self._store.log(after_position, batch_size)


LAST_DAY = datetime(2026, 8, 30, 23, 59, 59, tzinfo=UTC)
"""Of what is awarded on 1 June for ninety days."""


def rows(world: World) -> list[CredentialRow]:
    return world.register.credentials(CredentialFilter(), 99)


def issued(world: World, **expiry: Any) -> ConfigurationId:
    """Let one learner be issued a credential, and be told of it."""
    world.enrol("ann")
    configuration = world.configure(
        expiry=expiry or {"after": "P90D", "reminders": ["P30D", "P7D"]}
    )
    world.run(configuration)
    world.notifier.sent.clear()
    return configuration


def at(world: World, month: int, day: int, hour: int = 9) -> None:
    """Set the clock."""
    world.clock.moment = datetime(2026, month, day, hour, tzinfo=UTC)


def test_a_credential_is_valid_through_its_last_day_and_then_expired() -> None:
    world = World()
    issued(world)
    (row,) = rows(world)
    assert row.expires_at == LAST_DAY

    at(world, 8, 30, 23)
    assert world.verifying.verify(row.verification_id).status == "valid"
    at(world, 8, 31, 0)
    answer = world.verifying.verify(row.verification_id)
    assert (answer.status, answer.expires_at) == ("expired", LAST_DAY)


def test_the_last_day_ends_where_the_installation_is() -> None:
    world = World(time_zone="America/New_York")
    issued(world)

    (row,) = rows(world)
    assert row.expires_at == LAST_DAY + timedelta(hours=4)


def test_without_the_option_nothing_expires() -> None:
    world = World()
    world.enrol("ann")
    world.run(world.configure())

    (row,) = rows(world)
    assert (row.expires_at, row.remind_at) == (None, None)


def test_a_configuration_can_take_the_expiry_of_its_type_back() -> None:
    world = World()
    world.define_type(expiry={"after": "P90D"})
    world.enrol("ann")
    world.run(world.configure(expiry=None))

    assert rows(world)[0].expires_at is None


def test_a_run_after_the_fixed_day_fails_before_anybody_is_awarded() -> None:
    world = World()
    world.enrol("ann")
    configuration = world.configure(expiry={"on": "2026-05-31"})

    with pytest.raises(InvalidInput, match="2026-05-31"):
        world.run(configuration)
    assert rows(world) == []


def test_on_the_fixed_day_itself_credentials_are_awarded() -> None:
    world = World()
    issued(world, on="2026-06-01")

    (row,) = rows(world)
    assert row.expires_at == datetime(2026, 6, 1, 23, 59, 59, tzinfo=UTC)


def test_options_that_say_when_twice_are_refused_with_what_to_do() -> None:
    world = World()
    world.define_type(expiry={"after": "P1Y"})

    with pytest.raises(InvalidOptions, match="set that to null"):
        world.configure(expiry={"on": "2027-06-30"})


def by_hand(world: World, configuration: ConfigurationId, day: date) -> str:
    """Award a learner by hand for a day, and return what became of it."""
    awardee = Awardee.parse("eve", "Eve", award_date=day)
    return world.manual_awards.award(configuration, awardee, "an appeal", world.request()).outcome


def test_an_award_by_hand_is_valid_from_its_own_date() -> None:
    world = World()
    configuration = world.configure(expiry={"after": "P1Y"})

    assert by_hand(world, configuration, date(2026, 3, 31)) == "award"

    assert rows(world)[0].expires_at == datetime(2027, 3, 31, 23, 59, 59, tzinfo=UTC)


def test_an_award_by_hand_for_a_day_after_the_fixed_one_is_refused() -> None:
    world = World()
    configuration = world.configure(expiry={"on": "2026-03-31"})

    assert by_hand(world, configuration, date(2026, 4, 1)) == "refused"
    assert by_hand(world, configuration, date(2026, 3, 31)) == "award"


def test_what_has_expired_is_counted() -> None:
    world = World()
    issued(world)

    at(world, 8, 30)
    assert world.credentials.tally(CredentialFilter(), world.clock.now()).expired == 0
    at(world, 8, 31)
    assert world.credentials.tally(CredentialFilter(), world.clock.now()).expired == 1
    assert world.credentials.tally(CredentialFilter()).expired == 0


# Reminders


def test_learners_are_reminded_when_it_is_time_each_time_once() -> None:
    world = World()
    issued(world)

    told = []
    for month, day in ((7, 30), (7, 31), (8, 1), (8, 22), (8, 23), (8, 24)):
        at(world, month, day)
        world.tick()
        world.tick()
        told.append(len(world.notifier.sent))

    assert told == [0, 1, 1, 1, 2, 2]
    assert {each.notice for each in world.notifier.sent} == {"expiring"}
    assert {each.expiry_date for each in world.notifier.sent} == {LAST_DAY.date()}
    assert len({each.message_id for each in world.notifier.sent}) == 2


def test_a_tick_says_how_many_are_reminded() -> None:
    world = World()
    issued(world)

    at(world, 7, 31)
    assert [world.tick().reminders, world.tick().reminders] == [1, 0]


def test_reminders_that_were_missed_come_as_one() -> None:
    world = World()
    issued(world)

    at(world, 8, 29)
    world.tick()

    assert len(world.notifier.sent) == 1


def test_after_the_expiry_nobody_is_reminded() -> None:
    world = World()
    issued(world)

    at(world, 9, 1)
    world.tick()

    assert world.notifier.sent == []
    assert rows(world)[0].remind_at is None


def revoked(world: World) -> None:
    """Revoke the credential."""
    world.revoke(rows(world)[0].credential_id)


def erased(world: World) -> None:
    """Erase the learner."""
    world.erasing.erase(LearnerId("ann"), "asked for", world.request())


@pytest.mark.parametrize("ended", [revoked, erased])
def test_revoked_and_erased_credentials_are_not_reminded_of(
    ended: Callable[[World], None],
) -> None:
    world = World()
    issued(world)
    ended(world)

    at(world, 7, 31)
    assert world.tick().reminders == 0
    assert world.notifier.sent == []


def test_a_reminder_belongs_to_the_run_of_the_award() -> None:
    world = World()
    issued(world)
    (row,) = rows(world)

    at(world, 7, 31)
    world.reminding.remind()

    last = world.events.load(row.credential_id)[-1]
    assert (last.attribution.actor, last.attribution.correlation_id) == (SCHEDULER, row.run_id)


def test_two_ticks_at_once_remind_only_once() -> None:
    world = World()
    issued(world)
    at(world, 7, 31)
    other = Reminding(world.events, world.register, world.clock)
    events = OvertakenStore(world.events, other.remind)

    assert Reminding(events, world.register, world.clock).remind() == 0

    assert events.overtaken == [1]
    (row,) = rows(world)
    state = load(world.events, row.credential_id, evolve).state
    assert state is not None
    assert len(state.messages) == 1


def test_a_revocation_in_the_same_moment_is_not_reminded_of() -> None:
    world = World()
    issued(world)
    (row,) = rows(world)
    at(world, 7, 31)
    events = OvertakenStore(world.events, lambda: world.revoke(row.credential_id))

    assert Reminding(events, world.register, world.clock).remind() == 0

    state = load(world.events, row.credential_id, evolve).state
    assert state is not None
    assert (state.status, state.messages) == ("revoked", {})
