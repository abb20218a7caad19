"""The contract of the event store: streams, their versions, and the log."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from testamur.adapters.event_store.names import EVENTS, EventNames, Payload, Upcast
from testamur.adapters.event_store.sqlite import SqliteDatabase
from testamur.application.errors import ConcurrencyConflict, EventStoreError
from testamur.application.ports.event_store import NewEvents
from testamur.application.ports.register import CredentialFilter
from testamur.domain.credentials import CredentialAwarded, CredentialRevoked, CredentialSuperseded
from testamur.domain.credentials.events import NotificationRequested
from testamur.domain.credentials.messages import FIRST_MESSAGE, MessageEvent, key_of
from testamur.domain.events import DomainEvent
from testamur.domain.reconciliations import ReconciliationEvent
from tests.integration.event_store.conftest import open_database
from tests.support import domain_strategies
from tests.support.databases import Database
from tests.support.events import (
    a_configuration,
    a_failed_issue,
    a_run,
    an_award,
    an_issue,
    awarding,
    by,
    id_of,
    one_of_each,
    then,
)

NAMES = {event_class: name for name, event_class in EVENTS.items()}


def aggregate_of(event: DomainEvent | type[DomainEvent]) -> str:
    event_class = event if isinstance(event, type) else type(event)
    return NAMES[event_class].partition(".")[0]


def assert_the_same(loaded: Sequence[DomainEvent], appended: Sequence[DomainEvent]) -> None:
    assert list(loaded) == list(appended)
    # Equality is not enough: 0.9 is equal to 0.90, and True to 1.
    assert [each.model_dump_json() for each in loaded] == [
        each.model_dump_json() for each in appended
    ]


def append_and_load(database: Database, events: Sequence[DomainEvent]) -> list[DomainEvent]:
    # A reconciliation moves its configuration's next one, so there has to be one.
    configurations = {
        each.configuration_id for each in events if isinstance(each, get_args(ReconciliationEvent))
    }
    if configurations:
        begun = [NewEvents(each, 0, [a_configuration()]) for each in configurations]
        database.events.append(begun, by())
    stream_id = uuid4()
    database.events.append([NewEvents(stream_id, 0, events)], by())
    return [each.event for each in database.events.load(stream_id)]


def test_there_is_an_example_of_every_event() -> None:
    assert {type(event) for event in one_of_each()} == set(EVENTS.values())


@pytest.mark.parametrize("aggregate", sorted({aggregate_of(each) for each in EVENTS.values()}))
def test_every_event_comes_back_as_it_was(database: Database, aggregate: str) -> None:
    events = [each for each in one_of_each() if aggregate_of(each) == aggregate]
    assert_the_same(append_and_load(database, events), events)


@st.composite
def streams(draw: st.DrawFn) -> list[DomainEvent]:
    """Return events of one aggregate; the first is the one that begins it."""
    aggregate = draw(st.sampled_from(sorted({aggregate_of(each) for each in EVENTS.values()})))
    first, *others = (each for each in EVENTS.values() if aggregate_of(each) == aggregate)
    rest = st.one_of([domain_strategies.EVENTS[each] for each in others])
    following = draw(st.lists(rest, max_size=4)) if others else []
    return [
        draw(domain_strategies.EVENTS[first]),
        *(each for one in following for each in _led_up_to(one)),
    ]


def _led_up_to(event: DomainEvent) -> list[DomainEvent]:
    """Return an event after the request that it cannot be without, if it is about a message."""
    if isinstance(event, get_args(MessageEvent)) and key_of(event) != FIRST_MESSAGE:
        asked = NotificationRequested(
            notice=event.notice, sequence=event.sequence, request=event.request, reason=None
        )
        return [asked, event]
    return [event]


@settings(deadline=None, max_examples=150)
@given(events=streams())
def test_any_event_comes_back_as_it_was(events: list[DomainEvent]) -> None:
    database = open_database("memory", Path())
    assert_the_same(append_and_load(database, events), events)


@settings(deadline=None, max_examples=40)
@given(events=streams())
def test_any_event_comes_back_from_a_file_as_it_was(events: list[DomainEvent]) -> None:
    with TemporaryDirectory() as folder:
        database = open_database("sqlite", Path(folder))
        try:
            assert_the_same(append_and_load(database, events), events)
        finally:
            database.close()


def test_a_stream_that_does_not_exist_is_empty(database: Database) -> None:
    assert database.events.load(uuid4()) == []


def test_events_come_back_in_order_with_their_versions_and_names(database: Database) -> None:
    award = an_award()
    database.events.append(awarding(award), by())
    database.events.append(then(id_of(award), 1, a_failed_issue(), an_issue()), by())
    recorded = database.events.load(id_of(award))
    assert [(each.stream_id, each.version, each.name) for each in recorded] == [
        (id_of(award), 1, "credential.awarded.1"),
        (id_of(award), 2, "credential.issuance-failed.1"),
        (id_of(award), 3, "credential.issued.1"),
    ]


def test_who_did_it_and_when_is_kept_exactly(database: Database) -> None:
    moment = datetime(2026, 3, 29, 2, 30, 0, 123_456, tzinfo=timezone(timedelta(hours=2)))
    attribution = by("user:jdoe", at=moment)
    award = an_award()
    database.events.append(awarding(award), attribution)
    (recorded,) = database.events.load(id_of(award))
    assert recorded.attribution == attribution
    assert recorded.attribution.at.tzinfo is UTC


def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    award = an_award()
    with pytest.raises(EventStoreError, match="no time zone"):
        database.events.append(awarding(award), by(at=datetime(2026, 6, 1)))  # noqa: DTZ001
    assert database.events.load(id_of(award)) == []


def test_several_streams_are_loaded_at_once_and_missing_ones_left_out(database: Database) -> None:
    awards = [an_award(f"learner-{number}") for number in range(3)]
    database.events.append(awarding(*awards), by())
    database.events.append(then(id_of(awards[0]), 1, an_issue()), by())
    missing = uuid4()
    loaded = database.events.load_many([id_of(awards[0]), missing, id_of(awards[2])])
    assert {id_: [each.event for each in recorded] for id_, recorded in loaded.items()} == {
        id_of(awards[0]): [awards[0], an_issue()],
        id_of(awards[2]): [awards[2]],
    }
    assert database.events.load_many([]) == {}


def test_a_stream_that_is_asked_for_twice_is_loaded_once(database: Database) -> None:
    award = an_award()
    database.events.append(awarding(award), by())
    loaded = database.events.load_many([id_of(award), id_of(award)])
    assert [each.event for each in loaded[id_of(award)]] == [award]


# Conflicts


def stream_of(database: Database, award: CredentialAwarded) -> list[DomainEvent]:
    return [each.event for each in database.events.load(id_of(award))]


def test_a_version_that_is_taken_is_a_conflict(database: Database) -> None:
    award = an_award()
    database.events.append(awarding(award), by())
    with pytest.raises(ConcurrencyConflict) as caught:
        database.events.append(awarding(award), by())
    assert caught.value.stream_ids == (id_of(award),)
    assert stream_of(database, award) == [award]


def test_a_version_that_is_not_reached_is_a_conflict(database: Database) -> None:
    award = an_award()
    database.events.append(awarding(award), by())
    with pytest.raises(ConcurrencyConflict) as caught:
        database.events.append(then(id_of(award), 2, an_issue()), by())
    assert caught.value.stream_ids == (id_of(award),)
    assert stream_of(database, award) == [award]


@pytest.mark.parametrize("after_version", [-1, 1])
def test_going_on_with_a_stream_that_does_not_exist_is_a_conflict(
    database: Database, after_version: int
) -> None:
    run = a_run()
    stream_id = uuid4()
    with pytest.raises(ConcurrencyConflict) as caught:
        database.events.append(then(stream_id, after_version, run), by())
    assert caught.value.stream_ids == (stream_id,)
    assert database.events.load(stream_id) == []


def test_a_conflict_on_one_stream_leaves_nothing_of_the_others(database: Database) -> None:
    old, new = an_award("old"), an_award("new")
    database.events.append(awarding(old), by())
    for batch in (awarding(new, old), awarding(old, new)):
        with pytest.raises(ConcurrencyConflict) as caught:
            database.events.append(batch, by())
        assert caught.value.stream_ids == (id_of(old),)
    assert database.events.load(id_of(new)) == []
    assert [row.learner_id for row in database.register.credentials(CredentialFilter(), 10)] == [
        "old"
    ]
    assert [each.recorded.event for each in database.events.log()] == [old]


def test_every_stream_in_conflict_is_named(database: Database) -> None:
    awards = [an_award(f"learner-{number}") for number in range(4)]
    database.events.append(awarding(*awards[:2]), by())
    with pytest.raises(ConcurrencyConflict) as caught:
        database.events.append(awarding(*awards), by())
    assert set(caught.value.stream_ids) == {id_of(award) for award in awards[:2]}


def test_one_batch_may_go_on_with_a_stream_that_it_began(database: Database) -> None:
    award = an_award()
    database.events.append([*awarding(award), *then(id_of(award), 1, an_issue())], by())
    assert stream_of(database, award) == [award, an_issue()]


def test_one_batch_may_not_contradict_itself(database: Database) -> None:
    award = an_award()
    with pytest.raises(ConcurrencyConflict):
        database.events.append([*awarding(award), *then(id_of(award), 2, an_issue())], by())
    assert stream_of(database, award) == []


def test_a_second_living_credential_is_a_conflict(database: Database) -> None:
    first, second = an_award(), an_award(edition=2)
    database.events.append(awarding(first), by())
    with pytest.raises(ConcurrencyConflict) as caught:
        database.events.append(awarding(second), by())
    assert caught.value.stream_ids == (id_of(second),)
    database.events.append(then(id_of(first), 1, an_issue()), by())
    with pytest.raises(ConcurrencyConflict):
        database.events.append(awarding(second), by())
    assert stream_of(database, second) == []


def test_two_living_credentials_in_one_batch_are_a_conflict(database: Database) -> None:
    with pytest.raises(ConcurrencyConflict):
        database.events.append(awarding(an_award(), an_award(edition=2)), by())
    assert list(database.events.log()) == []


@pytest.mark.parametrize("order", [1, -1])
def test_a_credential_is_superseded_and_a_new_one_awarded_in_one_batch(
    database: Database, order: int
) -> None:
    first, second = an_award(), an_award(edition=2)
    database.events.append(awarding(first), by())
    superseding = then(id_of(first), 1, CredentialSuperseded(by=id_of(second)))
    database.events.append([*superseding, *awarding(second)][::order], by())
    assert stream_of(database, second) == [second]


def test_a_new_one_may_be_awarded_after_a_revocation(database: Database) -> None:
    first, second, third = an_award(), an_award(edition=2), an_award(edition=3)
    database.events.append(awarding(first), by())
    database.events.append(then(id_of(first), 1, CredentialRevoked(reason="mistake")), by())
    database.events.append(awarding(second), by())
    with pytest.raises(ConcurrencyConflict):
        database.events.append(awarding(third), by())


# What is refused


def test_an_empty_batch_writes_nothing(database: Database) -> None:
    database.events.append([], by())
    assert list(database.events.log()) == []


def test_a_stream_without_events_in_the_batch_is_refused(database: Database) -> None:
    stream_id = uuid4()
    with pytest.raises(EventStoreError, match=str(stream_id)):
        database.events.append([*awarding(an_award()), NewEvents(stream_id, 0, [])], by())
    assert list(database.events.log()) == []


def test_a_stream_that_does_not_begin_with_its_award_is_refused(database: Database) -> None:
    stream_id = uuid4()
    with pytest.raises(EventStoreError, match="begin with"):
        database.events.append(then(stream_id, 0, an_issue()), by())
    assert database.events.load(stream_id) == []


def test_a_second_award_in_a_stream_is_refused(database: Database) -> None:
    award = an_award()
    database.events.append(awarding(award), by())
    again = award.model_copy(update={"verification_id": "another", "learner_id": "learner-2"})
    with pytest.raises(EventStoreError):
        database.events.append(then(id_of(award), 1, again), by())
    assert stream_of(database, award) == [award]


def test_a_verification_id_is_given_out_once(database: Database) -> None:
    database.events.append(awarding(an_award("a", verification_id="same")), by())
    with pytest.raises(EventStoreError):
        database.events.append(awarding(an_award("b", verification_id="same")), by())
    assert len(list(database.events.log())) == 1


def test_an_event_without_a_name_is_refused(database: Database) -> None:
    class Unheard(DomainEvent):
        pass

    with pytest.raises(EventStoreError, match="Unheard has no name"):
        database.events.append(then(uuid4(), 0, Unheard()), by())


def test_text_that_is_not_unicode_is_refused(database: Database) -> None:
    award = an_award().model_copy(update={"context_name": "half a pair: \ud800"})
    with pytest.raises(EventStoreError, match=r"credential\.awarded\.1 cannot be written"):
        database.events.append(awarding(award), by())
    assert list(database.events.log()) == []


# The log


def test_the_log_has_all_events_in_the_order_of_appending(database: Database) -> None:
    awards = [an_award(f"learner-{number}") for number in range(5)]
    database.events.append(awarding(*awards[:3]), by())
    database.events.append(then(id_of(awards[1]), 1, an_issue()), by())
    database.events.append(awarding(*awards[3:]), by())
    log = list(database.events.log())
    assert [each.recorded.event for each in log] == [*awards[:3], an_issue(), *awards[3:]]
    assert all(earlier.position < later.position for earlier, later in pairwise(log))


@pytest.mark.parametrize("batch_size", [1, 2, 3, 7, 100])
def test_the_log_is_the_same_whatever_the_batches(database: Database, batch_size: int) -> None:
    awards = [an_award(f"learner-{number}") for number in range(7)]
    database.events.append(awarding(*awards), by())
    log = list(database.events.log(batch_size=batch_size))
    assert [each.recorded.event for each in log] == awards
    middle = log[3].position
    rest = list(database.events.log(middle, batch_size))
    assert [each.recorded.event for each in rest] == awards[4:]


def test_the_log_goes_on_with_what_is_appended_while_it_is_read(database: Database) -> None:
    first, second = an_award("first"), an_award("second")
    database.events.append(awarding(first), by())
    log = database.events.log(batch_size=1)
    assert next(log).recorded.event == first
    database.events.append(awarding(second), by())
    assert next(log).recorded.event == second
    assert list(log) == []


# Names


def louder(payload: Payload) -> Payload:
    return {"reason": str(payload["reason"]).upper()}


def later_names() -> EventNames:
    """Return names as a later release may have them: a revocation is in its second version."""
    events = dict(EVENTS)
    events["credential.revoked.2"] = events.pop("credential.revoked.1")
    return EventNames(events, {"credential.revoked.1": Upcast("credential.revoked.2", louder)})


def test_an_event_of_an_old_name_is_read_in_its_present_shape(file: Path) -> None:
    old, new = an_award("old"), an_award("new")
    revoked = CredentialRevoked(reason="mistake")
    with SqliteDatabase.open(file) as database:
        database.events.append(awarding(old, new), by())
        database.events.append(then(id_of(old), 1, revoked), by())
    with SqliteDatabase.open(file, names=later_names()) as database:
        database.events.append(then(id_of(new), 1, revoked), by())
        recorded = [database.events.load(id_of(each))[1] for each in (old, new)]
    assert [(each.name, each.event) for each in recorded] == [
        ("credential.revoked.1", CredentialRevoked(reason="MISTAKE")),
        ("credential.revoked.2", revoked),
    ]


def test_an_event_of_a_later_release_is_refused_by_name_and_place(file: Path) -> None:
    award = an_award()
    with SqliteDatabase.open(file, names=later_names()) as database:
        database.events.append(awarding(award), by())
        database.events.append(then(id_of(award), 1, CredentialRevoked(reason="x")), by())
    with (
        SqliteDatabase.open(file) as database,
        pytest.raises(EventStoreError, match="newer release") as caught,
    ):
        database.events.load(id_of(award))
    assert str(id_of(award)) in str(caught.value)
    assert "credential.revoked.2" in str(caught.value)


def test_no_python_name_reaches_the_database(on_disk: SqliteDatabase, file: Path) -> None:
    for number, event in enumerate((an_award(), a_run())):
        on_disk.events.append([NewEvents(UUID(int=number), 0, [event])], by())
    on_disk.close()
    content = file.read_bytes()
    assert b"credential.awarded.1" in content
    for name in (b"testamur", b"CredentialAwarded", b"RunStarted"):
        assert name not in content
