"""Key wrapping: learners' keys in the database are of no use without the master key."""

import os
import sqlite3
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from testamur.adapters.event_store.key_wrapping import (
    WRAPPED_BYTES,
    KeyWrapping,
    MasterKey,
)
from testamur.adapters.event_store.memory import MemoryDatabase
from testamur.adapters.event_store.postgres import PostgresDatabase
from testamur.adapters.event_store.sqlite import SqliteDatabase
from testamur.application.errors import EventStoreError
from testamur.application.key_rotation import KeyRotation
from testamur.application.ports.secret_keys import KEY_BYTES
from testamur.domain.identifiers import LearnerId
from tests.support.postgres_server import PostgresServer

ADA, BOB, EVE = LearnerId("ada"), LearnerId("bób"), LearnerId("eve")
OLD, NEW = MasterKey(b"o" * KEY_BYTES), MasterKey(b"n" * KEY_BYTES)

Open = Callable[[KeyWrapping | None], SqliteDatabase | PostgresDatabase]


@pytest.fixture(params=["sqlite", "postgres"])
def open_it(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Return how to open one and the same database with a master key or another."""
    opened: list[SqliteDatabase | PostgresDatabase] = []
    url = ""
    if request.param == "postgres":
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.fresh_database()

    def open_one(wrapping: KeyWrapping | None) -> SqliteDatabase | PostgresDatabase:
        opened.append(
            PostgresDatabase.open(url, wrapping=wrapping)
            if url
            else SqliteDatabase.open(tmp_path / "testamur.db", wrapping=wrapping)
        )
        return opened[-1]

    yield open_one
    for each in opened:
        each.close()


def bytes_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("testamur.db*"))


def test_a_wrapped_key_is_for_its_learner_and_master_key_only() -> None:
    secret = os.urandom(KEY_BYTES)
    stored = OLD.wrap(ADA, secret)
    assert len(stored) == WRAPPED_BYTES == 69
    assert stored[1:9].hex() == OLD.key_id
    assert secret not in stored
    assert KeyWrapping(OLD).unwrap(ADA, stored) == secret
    assert KeyWrapping(NEW, OLD).unwrap(ADA, stored) == secret
    with pytest.raises(EventStoreError, match="tampered with, or is another learner's"):
        KeyWrapping(OLD).unwrap(BOB, stored)
    with pytest.raises(EventStoreError, match="tampered"):
        KeyWrapping(OLD).unwrap(ADA, stored[:-1] + bytes([stored[-1] ^ 1]))
    with pytest.raises(EventStoreError, match="damaged"):
        KeyWrapping(OLD).unwrap(ADA, stored[:-1])


@pytest.mark.parametrize("text", ["", "short", "!" * 44, b64encode(b"x" * 31).decode()])
def test_a_master_key_of_another_form_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(ValueError, match="32 random bytes in base 64") as refused:
        MasterKey.parse(text)
    assert not text or text not in str(refused.value)


def test_a_master_key_is_read_with_the_line_end_of_its_file() -> None:
    assert MasterKey.parse(b64encode(b"o" * 32).decode() + "\r\n").key_id == OLD.key_id


def test_keys_are_the_same_whether_they_are_wrapped_or_not(open_it: Open) -> None:
    plain = open_it(None).keys.obtain([ADA])
    database = open_it(KeyWrapping(OLD))
    both = database.keys.obtain([ADA, BOB])
    assert both[ADA] == plain[ADA]
    assert database.keys.obtain([ADA, BOB]) == database.keys.find([ADA, BOB, EVE]) == both
    counts = database.keys.counts()
    assert (counts.under, counts.unwrapped, counts.to_wrap) == ({OLD.key_id: 1}, 1, 1)


@pytest.mark.parametrize("wrapping", [None, KeyWrapping(NEW)])
def test_without_the_right_master_key_the_database_is_not_opened(
    open_it: Open, wrapping: KeyWrapping | None
) -> None:
    open_it(KeyWrapping(OLD)).keys.obtain([ADA])
    with pytest.raises(EventStoreError, match="set master_key") as refused:
        open_it(wrapping)
    assert f"wrapped under master key {OLD.key_id}" in str(refused.value)
    assert open_it(KeyWrapping(OLD)).keys.counts().under == {OLD.key_id: 1}


def test_rotation_brings_all_keys_under_the_new_master_key(open_it: Open) -> None:
    learners = [LearnerId(f"learner-{number}") for number in range(25)]
    plain = open_it(None).keys.obtain(learners[:10])
    wrapped = open_it(KeyWrapping(OLD)).keys.obtain(learners[10:])
    open_it(KeyWrapping(OLD)).keys.destroy(learners[3])
    database = open_it(KeyWrapping(OLD, NEW))
    assert database.keys.rewrap(0, 7)[0] == 7  # it was interrupted after this
    assert KeyRotation(database.keys).rotate() == 24 - 7
    assert KeyRotation(database.keys).rotate() == 0
    counts = database.keys.counts()
    assert (counts.under, counts.unwrapped, counts.destroyed) == ({NEW.key_id: 24}, 0, 1)
    only_new = open_it(KeyWrapping(NEW))
    expected = {each: key for each, key in (plain | wrapped).items() if each != learners[3]}
    assert only_new.keys.find(learners) == expected
    assert only_new.keys.destroyed(learners) == {learners[3]}


def test_both_master_keys_are_read_while_keys_are_rotated(open_it: Open) -> None:
    keys = open_it(KeyWrapping(OLD)).keys.obtain([ADA, BOB])
    database = open_it(KeyWrapping(OLD, NEW))
    assert database.keys.rewrap(0, 1)[0] == 1
    assert set(database.keys.counts().under.values()) == {1}
    assert database.keys.find([ADA, BOB]) == keys
    assert database.keys.obtain([EVE]).keys() == {EVE}
    assert database.keys.counts().under[NEW.key_id] == 2


def test_a_rotation_without_a_master_key_is_refused(open_it: Open) -> None:
    database = open_it(None)
    database.keys.obtain([ADA])
    with pytest.raises(EventStoreError, match="set master_key or master_key_file"):
        KeyRotation(database.keys).rotate()
    assert database.keys.counts().unwrapped == 1


def test_a_destroyed_key_that_was_wrapped_is_gone(open_it: Open) -> None:
    database = open_it(KeyWrapping(OLD))
    before = database.keys.obtain([ADA, BOB])
    database.keys.destroy(ADA)
    assert database.keys.find([ADA, BOB]) == {BOB: before[BOB]}
    assert database.keys.obtain([ADA])[ADA] != before[ADA]


def test_in_memory_keys_are_wrapped_and_rotated_too() -> None:
    database = MemoryDatabase(wrapping=KeyWrapping(OLD, NEW))
    keys = database.keys.obtain([ADA, BOB])
    assert database.keys.find([ADA, BOB]) == keys
    assert KeyRotation(database.keys).rotate() == 0
    assert database.keys.counts().under == {NEW.key_id: 2}
    assert MemoryDatabase(wrapping=KeyWrapping(OLD)).keys.counts().to_wrap == 0


# What lies in the file


def stored_secrets(folder: Path) -> list[bytes]:
    with closing(sqlite3.connect(folder / "testamur.db")) as connection:
        return [secret for (secret,) in connection.execute("SELECT secret FROM learner_keys")]


def secret_of(folder: Path, learner: LearnerId) -> bytes:
    with closing(sqlite3.connect(folder / "testamur.db")) as connection:
        query = "SELECT secret FROM learner_keys WHERE learner_id = ?"
        ((secret,),) = connection.execute(query, (learner,))
    return bytes(secret)


def test_after_wrapping_no_key_is_in_the_file_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "testamur.db"
    learners = [LearnerId(f"learner-{number}") for number in range(2_000)]
    with SqliteDatabase.open(file) as database:
        keys = database.keys.obtain(learners)
    assert keys[learners[7]] in bytes_of(tmp_path)
    with SqliteDatabase.open(file, wrapping=KeyWrapping(OLD)) as database:
        assert KeyRotation(database.keys).rotate() == len(learners)
        before = stored_secrets(tmp_path)
        content = bytes_of(tmp_path)
        assert not [each for each in keys.values() if each in content]
    with SqliteDatabase.open(file, wrapping=KeyWrapping(OLD, NEW)) as database:
        assert KeyRotation(database.keys).rotate() == len(learners)
        content = bytes_of(tmp_path)
        assert not [each for each in before if each in content]
        stored = secret_of(tmp_path, learners[42])
        assert stored in content
        database.keys.destroy(learners[42])
        assert secret_of(tmp_path, learners[42]) == bytes(WRAPPED_BYTES)
        assert stored not in bytes_of(tmp_path)
