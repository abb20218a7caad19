"""Personal data: unreadable where it is stored, and gone with the learner's key."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from testamur.adapters.event_store.sqlite import SqliteDatabase
from testamur.application.errors import EventStoreError
from testamur.application.ports.secret_keys import KEY_BYTES
from testamur.domain.credentials import CredentialAwarded, IssuanceFailed
from testamur.domain.identifiers import LearnerId
from testamur.domain.personal_data import Person
from tests.support.databases import Database
from tests.support.events import (
    a_failed_issue,
    a_failed_notification,
    an_award,
    awarding,
    by,
    id_of,
    then,
)

ADA, BOB = LearnerId("ada"), LearnerId("bob")


def name_read(database: Database, award: CredentialAwarded) -> str | None:
    event = database.events.load(id_of(award))[0].event
    assert isinstance(event, CredentialAwarded)
    return event.person.full_name if event.person else None


# Keys


def test_each_learner_has_a_key_of_their_own_that_stays(database: Database) -> None:
    keys = database.keys.obtain([ADA, BOB])
    assert keys.keys() == {ADA, BOB}
    assert {len(key) for key in keys.values()} == {KEY_BYTES}
    assert keys[ADA] != keys[BOB]
    assert database.keys.obtain([BOB, ADA, ADA]) == keys
    assert database.keys.find([ADA, LearnerId("nobody")]) == {ADA: keys[ADA]}
    assert database.keys.obtain([]) == {}


def test_a_destroyed_key_is_not_found_and_its_learner_gets_another(database: Database) -> None:
    before = database.keys.obtain([ADA, BOB])
    database.keys.destroy(ADA)
    assert database.keys.find([ADA, BOB]) == {BOB: before[BOB]}
    assert database.keys.destroyed([ADA, BOB]) == {ADA}
    after = database.keys.obtain([ADA])
    assert after[ADA] != before[ADA]
    assert database.keys.destroyed([ADA]) == {ADA}
    database.keys.destroy(ADA)
    assert database.keys.find([ADA]) == {}


def test_destroying_a_key_that_nobody_has_is_harmless(database: Database) -> None:
    database.keys.destroy(ADA)
    assert database.keys.destroyed([ADA]) == set()


# Erasure


def test_personal_data_is_gone_with_the_key_and_all_else_stays(database: Database) -> None:
    award = an_award(ADA)
    failed, refused = a_failed_issue(ADA), a_failed_notification(ADA)
    database.events.append(awarding(award), by())
    database.events.append(then(id_of(award), 1, failed, refused), by())
    assert [each.event for each in database.events.load(id_of(award))] == [award, failed, refused]
    database.keys.destroy(ADA)
    erased = [
        award.model_copy(update={"person": None}),
        failed.model_copy(update={"detail": None}),
        refused.model_copy(update={"detail": None}),
    ]
    assert [each.event for each in database.events.load(id_of(award))] == erased
    assert [each.recorded.event for each in database.events.log()] == erased


def test_erasing_one_learner_leaves_the_others(database: Database) -> None:
    ada, bob = an_award(ADA), an_award(BOB)
    database.events.append(awarding(ada, bob), by())
    database.keys.destroy(ADA)
    assert name_read(database, ada) is None
    assert name_read(database, bob) == "Ada bob"


def test_who_comes_back_after_an_erasure_has_only_the_new_data_readable(
    database: Database,
) -> None:
    first = an_award(ADA)
    database.events.append(awarding(first), by())
    database.keys.destroy(ADA)
    database.events.append(then(id_of(first), 1, a_failed_issue(ADA)), by())
    award, failure = (each.event for each in database.events.load(id_of(first)))
    assert isinstance(award, CredentialAwarded)
    assert award.person is None
    assert isinstance(failure, IssuanceFailed)
    assert failure.detail == a_failed_issue(ADA).detail


def test_an_event_without_the_personal_data_that_it_may_have_needs_no_key(
    database: Database,
) -> None:
    award = an_award(ADA, person=None)
    database.events.append(awarding(award), by())
    assert database.events.load(id_of(award))[0].event == award
    assert database.keys.find([ADA]) == {}


# What lies in the file


def bytes_of(file: Path) -> bytes:
    parts = (file, file.with_name(f"{file.name}-wal"))
    return b"".join(part.read_bytes() for part in parts if part.exists())


def test_nothing_personal_is_readable_in_the_file(on_disk: SqliteDatabase, file: Path) -> None:
    person = Person(full_name="Ada Łoś-Wąchock", email="ada.los@example.org", locale="pl")
    award = an_award(ADA, person=person)
    on_disk.events.append(awarding(award), by())
    failed = a_failed_issue(ADA).model_copy(update={"detail": "no glyph in Wąchock"})
    on_disk.events.append(then(id_of(award), 1, failed), by())
    stored = bytes_of(file)
    assert b"Mathematics" in stored
    for personal in ("Łoś", "Wąchock", "ada.los", '"locale":"pl"'):
        assert personal.encode() not in stored
        assert personal.encode("utf-16-le") not in stored


def test_a_destroyed_key_leaves_no_copy_in_the_file(on_disk: SqliteDatabase, file: Path) -> None:
    learners = [LearnerId(f"learner-{number}") for number in range(3_000)]
    keys: dict[LearnerId, bytes] = {}
    for start in range(0, len(learners), 300):
        keys |= on_disk.keys.obtain(learners[start : start + 300])
    gone = learners[7::150]
    for learner in gone:
        on_disk.keys.destroy(learner)
    stored = bytes_of(file)
    assert keys[learners[8]] in stored
    for learner in gone:
        assert keys[learner] not in stored


def tamper(file: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        changed = connection.execute(statement, values)
        assert changed.rowcount == 1


def state_of(file: Path, award: CredentialAwarded) -> bytes:
    with closing(sqlite3.connect(file)) as connection:
        query = "SELECT state FROM stored_events WHERE originator_id = ?"
        ((state,),) = connection.execute(query, (id_of(award).hex,))
    return bytes(state)


def assert_refused(database: Database, award: CredentialAwarded, because: str) -> None:
    with pytest.raises(EventStoreError, match=because) as caught:
        database.events.load(id_of(award))
    assert f"event 1 of stream {id_of(award)}" in str(caught.value)
    assert "Ada" not in str(caught.value)


SET_STATE = "UPDATE stored_events SET state = ? WHERE originator_id = ?"


def test_a_ciphertext_pasted_into_another_credential_of_the_learner_is_refused(
    on_disk: SqliteDatabase, file: Path
) -> None:
    first = an_award(ADA, person=Person(full_name="Ada Before"))
    second = an_award(ADA, edition=2)
    on_disk.events.append(awarding(first), by())
    on_disk.close()
    state = state_of(file, first)
    with SqliteDatabase.open(file) as database:
        tamper(file, "UPDATE credentials SET status = 'revoked'")
        database.events.append(awarding(second), by())
        tamper(file, SET_STATE, state, id_of(second).hex)
        assert name_read(database, first) == "Ada Before"
        assert_refused(database, second, "tampered")


@pytest.mark.parametrize(
    "change",
    [
        lambda state: state.replace(b'"personal":{"person":"', b'"personal":{"person":"AAAA'),
        lambda state: state.replace(b'"personal":{"person":"', b'"personal":{"person":"-'),
        lambda state: state.replace(b'"personal":{"person":', b'"personal":{"people":'),
        lambda state: state.replace(b'"personal":{', b'"personal":{"detail":1,'),
    ],
)
def test_a_changed_ciphertext_is_refused(
    on_disk: SqliteDatabase, file: Path, change: Callable[[bytes], bytes]
) -> None:
    award = an_award(ADA)
    on_disk.events.append(awarding(award), by())
    state = state_of(file, award)
    assert change(state) != state
    tamper(file, SET_STATE, change(state), id_of(award).hex)
    assert_refused(on_disk, award, "tampered")


@pytest.mark.parametrize("move", ["originator_version = 2", "topic = 'credential.revoked.1'"])
def test_an_event_moved_to_another_version_or_name_is_refused(
    on_disk: SqliteDatabase, file: Path, move: str
) -> None:
    award = an_award(ADA)
    on_disk.events.append(awarding(award), by())
    tamper(file, f"UPDATE stored_events SET {move}")
    with pytest.raises(EventStoreError, match="tampered"):
        on_disk.events.load(id_of(award))


def test_a_wrong_key_is_an_error_and_not_an_erasure(on_disk: SqliteDatabase, file: Path) -> None:
    award = an_award(ADA)
    on_disk.events.append(awarding(award), by())
    tamper(file, "UPDATE learner_keys SET secret = ?", b"x" * KEY_BYTES)
    assert_refused(on_disk, award, "another key")


@pytest.mark.parametrize(
    "change",
    [
        lambda _: b"",
        lambda _: b"{}",
        lambda _: b"[]",
        lambda _: b"null",
        lambda _: b"\xff",
        lambda state: state[:-1],
        lambda state: state.replace(b'"time":"2026', b'"time":"June'),
        lambda state: state.replace(b'"correlation_id":"', b'"correlation_id":"z'),
        lambda state: state.replace(b'"payload":{', b'"payload":5,"rest":{'),
        lambda state: state.replace(b'"learner_id":', b'"learner":'),
        lambda state: state.replace(b'"key":', b'"lock":'),
        lambda state: state.replace(b'"personal":{', b'"personal":7,"rest":{'),
    ],
)
def test_a_damaged_event_is_an_error_that_says_where(
    on_disk: SqliteDatabase, file: Path, change: Callable[[bytes], bytes]
) -> None:
    award = an_award(ADA)
    on_disk.events.append(awarding(award), by())
    tamper(file, SET_STATE, change(state_of(file, award)), id_of(award).hex)
    assert_refused(on_disk, award, "damaged")


def test_an_event_that_does_not_fit_its_class_is_an_error_without_its_values(
    on_disk: SqliteDatabase, file: Path
) -> None:
    award = an_award(ADA)
    on_disk.events.append(awarding(award), by())
    state = state_of(file, award).replace(b'"award_date":"2026-06-01"', b'"award_date":"Ada"')
    tamper(file, SET_STATE, state, id_of(award).hex)
    assert_refused(on_disk, award, "award_date: date_from_datetime_parsing")
