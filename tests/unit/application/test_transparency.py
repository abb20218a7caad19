"""Sealing, keys and proofs, on a database in memory."""

import json
from pathlib import Path

import pytest

from examples import check_proof
from testamur.adapters.event_store.memory import MemoryDatabase
from testamur.adapters.log_key import LogKeyFile
from testamur.application.errors import TamperedLog
from testamur.application.transparency import sealing
from testamur.application.transparency.notes import read_kept_head
from testamur.domain.checkpoints import verifier_key
from testamur.domain.errors import DecisionRefused, InvalidInput, NotFound
from testamur.domain.identifiers import CredentialId
from testamur.domain.merkle import CompactRange
from tests.support.events import an_award, id_of
from tests.support.sealed import Sealed

CREDENTIAL = CredentialId(id_of(an_award("learner-1")))


@pytest.fixture
def log(tmp_path: Path) -> Sealed:
    """A log in memory, empty."""
    return Sealed(MemoryDatabase(), tmp_path)


def test_an_empty_log_gets_no_head(log: Sealed) -> None:
    assert log.sealing.seal() is None
    with pytest.raises(DecisionRefused, match="testamur audit seal"):
        log.proving.head()


def test_a_head_is_made_only_where_something_is_new(log: Sealed) -> None:
    log.award(1, 10)

    head = log.sealing.seal()

    assert head is not None
    assert head.size == 11
    assert log.sealing.seal() is None
    assert log.database.tree.heads(0, 10) == [head]


@pytest.mark.parametrize("steps", [(1, 2, 255, 256, 300), (600,), (7, 600)])
def test_the_root_is_that_of_all_leaves_however_they_were_sealed(
    log: Sealed, steps: tuple[int, ...]
) -> None:
    before = 0
    for step in steps:
        log.award(before + 1, step)
        head = log.sealing.seal()
        before = step
        assert head is not None
        assert head.root == CompactRange.of(log.database.tree.leaf_hashes(0, 10_000)).root


def test_a_long_log_is_sealed_in_parts(log: Sealed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "MOST_EVENTS", 100)
    log.award(1, 230)

    head = log.sealing.seal()

    assert head is not None
    assert [each.size for each in log.database.tree.heads(0, 10)] == [100, 200, 253]
    assert log.check().is_clean


def test_nothing_is_sealed_with_another_key_than_the_logs(log: Sealed, tmp_path: Path) -> None:
    log.award(1, 1)
    log.sealing.seal()
    log.award(2, 2)
    stranger = Sealed(log.database, tmp_path / "stranger")

    with pytest.raises(DecisionRefused, match="rotate-key --lost"):
        stranger.sealing.seal()

    assert len(log.database.tree.heads(0, 10)) == 1


def test_a_log_that_ends_before_its_head_is_not_sealed(log: Sealed, tmp_path: Path) -> None:
    log.award(1, 5)
    log.sealing.seal()
    shorter = MemoryDatabase()
    shorter.tree = log.database.tree  # type: ignore[assignment]

    with pytest.raises(TamperedLog, match="testamur audit verify"):
        Sealed(shorter, tmp_path).sealing.seal()


# Keys


def test_the_old_key_signs_for_the_new_one(log: Sealed) -> None:
    log.award(1, 1)
    log.sealing.seal()
    first = log.keys.signing().public_key

    rotated = log.keys.rotate()
    log.award(2, 2)
    head = log.sealing.seal()

    assert rotated.public_key == log.keys.signing().public_key != first
    keys = log.database.tree.keys()
    assert [key.public_key for key in keys] == [first, rotated.public_key]
    assert head is not None
    assert head.key_id == rotated.key_id
    report = log.check()
    assert report.is_clean
    assert report.trusted_key == rotated.key_id


def test_a_rotation_that_was_interrupted_is_finished(log: Sealed) -> None:
    log.award(1, 1)
    log.sealing.seal()
    following = log.signer.prepare_next()
    log.keys.rotate(following)  # as far as the log; the file is not replaced yet

    rotated = log.keys.rotate()

    assert rotated.public_key == following.public_key == log.keys.signing().public_key
    assert len(log.database.tree.keys()) == 2


def test_a_lost_key_is_replaced_and_whoever_verifies_is_told(log: Sealed, tmp_path: Path) -> None:
    log.award(1, 1)
    log.sealing.seal()
    kept = log.proving.head().note
    (tmp_path / "log-key.pem").unlink()

    log.keys.rotate(lost=True)
    log.award(2, 2)
    log.sealing.seal()

    (finding,) = log.check().findings
    assert (finding.area, finding.kind) == ("key", "false-signature")
    assert "replaces a lost key" in finding.detail
    # A head from before vouches for the first key only; one from after, for the second.
    assert not log.check(read_kept_head(kept)).is_clean
    assert log.check(read_kept_head(log.proving.head().note)).is_clean


def test_a_head_signed_by_a_key_that_was_replaced_before_is_found(
    log: Sealed, tmp_path: Path
) -> None:
    log.award(1, 1)
    log.sealing.seal()
    old = (tmp_path / "log-key.pem").read_bytes()
    log.keys.rotate()
    log.award(2, 2)
    log.sealing.seal()
    log.award(3, 3)
    (tmp_path / "log-key.pem").write_bytes(old)

    with pytest.raises(DecisionRefused, match="the log's key"):
        log.sealing.seal()


def test_where_no_key_is_at_hand_the_logs_keys_are_checked_among_themselves(
    log: Sealed, tmp_path: Path
) -> None:
    log.award(1, 1)
    log.sealing.seal()

    report = log.check(signer=LogKeyFile(tmp_path / "nowhere.pem"))

    assert report.is_clean
    assert report.trusted_key is None
    assert not (tmp_path / "nowhere.pem").exists()


# Proofs


@pytest.fixture
def proven(log: Sealed) -> Sealed:
    """A log of 331 events, all sealed."""
    log.award(1, 301)
    log.sealing.seal()
    return log


def key_of(log: Sealed) -> str:
    return verifier_key(log.database.tree.origin(), log.database.tree.keys()[0].public_key)


def test_an_outsider_can_check_a_proof(proven: Sealed) -> None:
    document = json.loads(json.dumps(proven.proving.credential(CREDENTIAL).document()))

    lines = check_proof.check(document, key_of(proven))

    assert [event["name"] for event in document["events"]] == [
        "credential.awarded.1",
        "credential.issued.1",
    ]
    assert lines[0] == f"Credential {CREDENTIAL}, in a log of 332 events:"
    assert len(lines) == 3


def test_a_proof_holds_no_name_and_no_address(proven: Sealed) -> None:
    document = proven.proving.credential(CREDENTIAL).document()
    stored = b"".join(check_proof.decoded(event["state"]) for event in document["events"])

    assert b"Ada" not in stored
    assert b"@example.org" not in stored


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("position", 2),
        ("version", 2),
        ("name", "credential.revoked.1"),
        ("stream_id", str(id_of(an_award("learner-2")))),
        ("state", "e30="),
        ("path", []),
    ],
)
def test_an_altered_proof_does_not_hold(proven: Sealed, part: str, value: object) -> None:
    document = proven.proving.credential(CREDENTIAL).document()
    document["events"][0][part] = value

    with pytest.raises(check_proof.DoesNotHold):
        check_proof.check(document, key_of(proven))


def test_a_proof_with_a_head_of_ones_own_does_not_hold(proven: Sealed, tmp_path: Path) -> None:
    forged = Sealed(MemoryDatabase(), tmp_path / "forged")
    forged.award(1, 301)
    forged.sealing.seal()
    document = forged.proving.credential(CREDENTIAL).document()

    with pytest.raises(check_proof.DoesNotHold):
        check_proof.check(document, key_of(proven))


def test_a_proof_without_a_key_says_what_is_believed(proven: Sealed) -> None:
    document = proven.proving.credential(CREDENTIAL).document()

    assert any(line.startswith("WARNING") for line in check_proof.check(document))


def test_a_proof_is_checked_by_a_head_that_was_kept_before_the_key_was_replaced(
    proven: Sealed,
) -> None:
    kept = proven.proving.head().document()
    proven.keys.rotate()
    proven.award(302, 400)
    proven.sealing.seal()

    document = proven.proving.credential(CREDENTIAL).document()
    growth = proven.proving.consistency(read_kept_head(json.dumps(kept))).document()

    assert check_proof.check(document, kept=kept)
    assert "only grew, from 332 events to 441" in check_proof.check(growth, kept=kept)[0]


def test_an_altered_proof_of_consistency_does_not_hold(proven: Sealed) -> None:
    kept = proven.proving.head().document()
    proven.award(302, 400)
    proven.sealing.seal()
    growth = proven.proving.consistency(read_kept_head(json.dumps(kept))).document()

    for change in ({"path": growth["path"][1:]}, {"path": growth["path"][::-1]}):
        with pytest.raises(check_proof.DoesNotHold):
            check_proof.check(growth | change, kept=kept)
    other = proven.proving.head().document()
    with pytest.raises(check_proof.DoesNotHold, match="not about the head that you kept"):
        check_proof.check(growth, kept=other)


def test_consistency_with_another_log_is_refused(proven: Sealed, tmp_path: Path) -> None:
    other = Sealed(MemoryDatabase(), tmp_path / "other")
    other.award(1, 1)
    other.sealing.seal()

    with pytest.raises(DecisionRefused, match="it is of the log"):
        proven.proving.consistency(read_kept_head(other.proving.head().note))


def test_what_is_not_sealed_yet_is_not_proven(proven: Sealed) -> None:
    proven.award(302, 302)

    with pytest.raises(DecisionRefused, match="testamur audit seal"):
        proven.proving.credential(CredentialId(id_of(an_award("learner-302"))))
    with pytest.raises(NotFound):
        proven.proving.credential(CredentialId(id_of(an_award("nobody"))))


def test_a_head_is_read_from_json_and_from_a_bare_note(proven: Sealed) -> None:
    head = proven.proving.head()

    from_note = read_kept_head(head.note)
    from_json = read_kept_head(json.dumps(head.document(), indent=2))

    assert from_note.signed == from_json.signed
    assert from_json.public_keys == (proven.database.tree.keys()[0].public_key,)
    assert proven.check(from_note).is_clean
    assert proven.check(from_json).is_clean


@pytest.mark.parametrize("text", ["", "hello", "{}", '{"checkpoint": 1}', "[1]"])
def test_what_is_no_head_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="head"):
        read_kept_head(text)
