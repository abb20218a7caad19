"""Checkpoints: leaves that tell every change, and notes that others can read and check."""

from base64 import b64decode
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from testamur.domain.checkpoints import (
    Checkpoint,
    event_leaf_hash,
    key_id_of,
    key_statement,
    parse_checkpoint,
    signed_note,
    verifier_key,
)
from testamur.domain.errors import InvalidInput

AT = datetime(2026, 6, 1, 12, 0, 0, 123456, tzinfo=UTC)
CHECKPOINT = Checkpoint("testamur/log/1", 5, bytes(range(32)), AT)
NOTE = signed_note(CHECKPOINT.text, CHECKPOINT.origin, "0a0b0c0d", b"s" * 64)
EVENT: dict[str, Any] = {
    "position": 7,
    "stream_id": UUID(int=3),
    "version": 2,
    "name": "run.started.1",
    "state": b"{}",
}


def test_a_leaf_is_encoded_as_documented() -> None:
    leaf = (
        bytes(7)
        + b"\x07"
        + UUID(int=3).bytes
        + b"\x00\x00\x00\x02"
        + b"\x00\x0d"
        + b"run.started.1"
        + b"{}"
    )

    assert event_leaf_hash(**EVENT) == sha256(b"\x00" + leaf).digest()


@pytest.mark.parametrize(
    "change",
    [
        {"position": 8},
        {"stream_id": UUID(int=4)},
        {"version": 3},
        {"name": "run.started.2"},
        {"state": b"{} "},
        # The end of the name cannot become the beginning of the state.
        {"name": "run.started.", "state": b"1{}"},
    ],
)
def test_whatever_is_changed_of_an_event_changes_its_leaf(change: dict[str, Any]) -> None:
    assert event_leaf_hash(**(EVENT | change)) != event_leaf_hash(**EVENT)


@pytest.mark.parametrize("change", [{"version": -1}, {"version": 2**32}, {"name": "x" * 70_000}])
def test_an_event_that_cannot_have_been_recorded_has_no_leaf(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="event 7"):
        event_leaf_hash(**(EVENT | change))


def test_what_is_signed_of_a_head_is_a_checkpoint_with_the_time() -> None:
    assert CHECKPOINT.text == (
        "testamur/log/1\n"
        "5\n"
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
        "time 2026-06-01T12:00:00.123456+00:00\n"
    )


def test_the_same_moment_in_another_zone_is_signed_alike() -> None:
    elsewhere = AT.astimezone(timezone(timedelta(hours=2)))

    assert Checkpoint("testamur/log/1", 5, bytes(range(32)), elsewhere).text == CHECKPOINT.text


def test_a_note_is_read_as_it_was_written() -> None:
    read = parse_checkpoint(NOTE)

    assert read.checkpoint == CHECKPOINT
    assert (read.key_id, read.signature) == ("0a0b0c0d", b"s" * 64)
    assert read.note == NOTE


def test_signatures_of_witnesses_beside_the_logs_own_are_left_out() -> None:
    witness = "\N{EM DASH} witness.example/w1 " + NOTE.rpartition(" ")[2]

    assert parse_checkpoint(NOTE + witness) == parse_checkpoint(NOTE)


@pytest.mark.parametrize(
    "note",
    [
        "",
        "hello",
        CHECKPOINT.text,
        NOTE.replace("\n5\n", "\n05\n"),
        NOTE.replace("\n5\n", "\n-5\n"),
        NOTE.replace("\n5\n", "\n٥\n"),
        NOTE.replace("AAEC", "AAE="),
        NOTE.replace("AAEC", "!!!!"),
        NOTE.replace("time ", "date "),
        NOTE.replace("time 2026", "time x"),
        NOTE.replace("+00:00", ""),
        NOTE.replace("\n\n", "\nmore\n\n"),
        NOTE.replace("\N{EM DASH} testamur/log/1", "\N{EM DASH} testamur/log/2"),
        NOTE.replace("c3Nz", ""),
    ],
)
def test_what_is_no_checkpoint_is_refused(note: str) -> None:
    with pytest.raises(InvalidInput, match="a signed checkpoint"):
        parse_checkpoint(note)


def test_the_example_of_the_specification_has_the_key_id_that_we_work_out() -> None:
    # The note and its key in the documentation of Go's golang.org/x/mod/sumdb/note.
    key = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    origin, key_id, encoded = key.split("+", 2)
    public_key = b64decode(encoded)[1:]

    assert key_id_of(origin, public_key) == key_id
    assert verifier_key(origin, public_key) == key
    text = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n"
    )
    signed = b64decode(
        "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXg"
        "KvqfqdngotpRZb6KE6RyyBwJnAM="
    )
    assert signed[:4].hex() == key_id
    Ed25519PublicKey.from_public_bytes(public_key).verify(signed[4:], text.encode())


def test_a_statement_on_a_key_names_log_key_and_time_and_is_no_checkpoint() -> None:
    statement = key_statement("testamur/log/1", b"k" * 32, AT).decode()

    assert verifier_key("testamur/log/1", b"k" * 32) in statement
    assert "2026-06-01T12:00:00.123456+00:00" in statement
    with pytest.raises(InvalidInput):
        parse_checkpoint(signed_note(statement, "testamur log key", "0a0b0c0d", b"s" * 64))
