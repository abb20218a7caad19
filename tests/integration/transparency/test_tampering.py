"""Whoever changes the database behind Testamur's back is found out, and the event is named."""

import pytest

from testamur.application.transparency.findings import Finding, LogReport
from testamur.application.transparency.notes import read_kept_head
from testamur.domain.checkpoints import Checkpoint, event_leaf_hash, key_id_of
from testamur.domain.identifiers import LearnerId
from testamur.domain.merkle import CompactRange
from tests.integration.transparency.conftest import Intruder
from tests.support.events import an_award, an_issue, by, id_of, then
from tests.support.sealed import Sealed

ALTER = "UPDATE stored_events SET state = ? WHERE {position} = ?"
DROP = "DELETE FROM stored_events WHERE {position} = ?"


def kinds(report: LogReport, area: str) -> list[str]:
    return [each.kind for each in report.findings if each.area == area]


def first(report: LogReport) -> tuple[str, int | None, int | None]:
    assert report.first is not None
    return report.first.kind, report.first.position, report.first.last_position


def test_an_untouched_log_is_clean(sealed: Sealed) -> None:
    report = sealed.check()

    assert report.findings == ()
    assert report.is_clean
    assert (report.events, report.sealed, report.heads) == (704, 660, 2)
    assert report.trail_to == 704
    assert report.trusted_key == sealed.database.tree.keys()[0].key_id


def test_a_destroyed_key_breaks_nothing(sealed: Sealed) -> None:
    sealed.database.keys.destroy(LearnerId("learner-7"))

    assert sealed.check().findings == ()


@pytest.mark.parametrize("position", [1, 256, 257, 330, 331, 660])
def test_an_altered_event_is_named(sealed: Sealed, intruder: Intruder, position: int) -> None:
    state = bytearray(intruder.state(position))
    state[20] ^= 1
    intruder.run(ALTER, bytes(state), position)

    report = sealed.check()

    assert first(report) == ("altered", position, position)


def test_an_event_that_was_altered_back_is_none(sealed: Sealed, intruder: Intruder) -> None:
    state = intruder.state(99)
    intruder.run(ALTER, b"{}", 99)
    intruder.run(ALTER, state, 99)

    assert sealed.check().is_clean


def test_a_changed_time_is_an_altered_event(sealed: Sealed, intruder: Intruder) -> None:
    state = intruder.state(400)
    intruder.run(ALTER, state.replace(b'"time":"2026', b'"time":"2025'), 400)

    report = sealed.check()

    assert first(report) == ("altered", 400, 400)
    assert "credential.awarded.1" in str(report.first)


def test_a_changed_name_of_an_event_is_named(sealed: Sealed, intruder: Intruder) -> None:
    intruder.run(
        "UPDATE stored_events SET topic = ? WHERE {position} = ?", "credential.revoked.1", 320
    )

    assert first(sealed.check()) == ("altered", 320, 320)


def test_a_dropped_event_is_named(sealed: Sealed, intruder: Intruder) -> None:
    intruder.run(DROP, 400)

    report = sealed.check()

    assert first(report) == ("dropped", 400, 400)
    assert "extra" in kinds(report, "register")


def test_a_dropped_event_is_named_though_those_after_it_moved_up(
    sealed: Sealed, intruder: Intruder
) -> None:
    intruder.run(DROP, 400)
    intruder.move(401, -1)

    assert first(sealed.check()) == ("dropped", 400, 400)


def test_an_inserted_event_is_named(sealed: Sealed, intruder: Intruder) -> None:
    intruder.move(400, 1)
    stream = id_of(an_award("nobody"))
    intruder.run(
        "INSERT INTO stored_events ({position}, originator_id, originator_version, topic, state) "
        "SELECT 400, ?, 1, topic, state FROM stored_events WHERE {position} = 5",
        stream.hex if intruder.position == "rowid" else stream,
    )

    assert first(sealed.check()) == ("inserted", 400, 400)


@pytest.mark.parametrize(("one", "other"), [(400, 401), (5, 640), (256, 257)])
def test_two_events_that_changed_places_are_named(
    sealed: Sealed, intruder: Intruder, one: int, other: int
) -> None:
    statement = "UPDATE stored_events SET {position} = ? WHERE {position} = ?"
    for to, of in ((1_000_000, one), (one, other), (other, 1_000_000)):
        intruder.run(statement, to, of)

    report = sealed.check()

    assert first(report) == ("re-ordered", one, one)
    assert f"stands at {other} now" in str(report.first)


def test_an_event_that_was_moved_is_named(sealed: Sealed, intruder: Intruder) -> None:
    intruder.run("UPDATE stored_events SET {position} = 2000000 WHERE {position} = 400")
    intruder.move(401, -1)
    intruder.run("UPDATE stored_events SET {position} = 704 WHERE {position} = 1999999")

    assert first(sealed.check()) == ("re-ordered", 400, 400)


def test_a_tail_that_was_cut_off_below_a_head_is_named(sealed: Sealed, intruder: Intruder) -> None:
    intruder.run("DELETE FROM stored_events WHERE {position} > 500")

    report = sealed.check()

    assert report.first is not None
    assert (report.first.kind, report.first.position) == ("dropped", 501)


def test_a_tail_that_was_cut_off_beyond_the_last_head_is_missed_by_the_register(
    sealed: Sealed, intruder: Intruder
) -> None:
    intruder.run("DELETE FROM stored_events WHERE {position} > 690")

    report = sealed.check()

    # The awards of ten learners, 691 to 700, and the issues of three others: that and when.
    assert sorted(kinds(report, "register")) == ["different"] * 6 + ["extra"] * 10
    assert "extra" in kinds(report, "trail")


def test_an_event_that_was_dropped_before_it_was_sealed_is_named(
    sealed: Sealed, intruder: Intruder
) -> None:
    intruder.run(DROP, 680)

    assert first(sealed.check()) == ("dropped", 680, 680)


def test_an_unsealed_event_that_was_altered_is_named_if_it_cannot_be_read(
    sealed: Sealed, intruder: Intruder
) -> None:
    intruder.run(ALTER, intruder.state(680)[:-5], 680)

    assert first(sealed.check()) == ("unreadable", 680, 680)


def test_ciphertexts_of_another_event_are_found_before_it_is_sealed(
    sealed: Sealed, intruder: Intruder
) -> None:
    intruder.run(ALTER, intruder.state(681), 680)

    report = sealed.check()

    assert first(report) == ("unreadable", 680, 680)


def test_events_of_a_stream_in_the_wrong_order_are_found_before_they_are_sealed(
    sealed: Sealed, intruder: Intruder
) -> None:
    # Event 661 is the award of learner 601, and 701 its issue.
    for to, of in ((1_000_000, 661), (661, 701), (701, 1_000_000)):
        intruder.run("UPDATE stored_events SET {position} = ? WHERE {position} = ?", to, of)

    assert first(sealed.check()) == ("re-ordered", 661, 661)


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ("UPDATE credentials SET status = 'revoked' WHERE position = 5", "different", "'revoked'"),
        (
            "UPDATE credentials SET learner_id = 'nobody' WHERE position = 5",
            "different",
            "'nobody'",
        ),
        ("DELETE FROM credentials WHERE position = 5", "missing", "has no row"),
        ("UPDATE credentials SET status = 'nonsense' WHERE position = 5", "unreadable", ""),
    ],
)
def test_a_changed_row_of_the_register_is_named(
    sealed: Sealed, intruder: Intruder, change: str, kind: str, words: str
) -> None:
    intruder.run(change)

    report = sealed.check()

    (finding,) = report.findings
    assert (finding.area, finding.kind) == ("register", kind)
    assert words in finding.detail
    if kind != "unreadable":
        assert str(id_of(an_award("learner-5"))) in finding.detail


def test_a_row_of_a_run_or_of_the_catalogue_that_nothing_began_is_named(
    sealed: Sealed, intruder: Intruder
) -> None:
    stream = id_of(an_award("nobody"))
    intruder.run(
        "INSERT INTO catalogue (stream_id, kind, label, active) VALUES (?, 'asset', 'x', ?)",
        stream.hex if intruder.position == "rowid" else stream,
        True,
    )

    (finding,) = sealed.check().findings

    assert (finding.area, finding.kind) == ("register", "extra")
    assert str(stream) in finding.detail


def test_a_changed_row_of_the_audit_trail_is_named(sealed: Sealed, intruder: Intruder) -> None:
    for number in (0, 1, 2):
        table = f"audit_rows_{number}"
        exists = (
            "SELECT 1 FROM sqlite_master WHERE name = ?"
            if intruder.position == "rowid"
            else "SELECT 1 FROM information_schema.tables WHERE table_name = ?"
        )
        if intruder.run(exists, table):
            intruder.run(f"DELETE FROM {table} WHERE position = 5")

    (finding,) = sealed.check().findings

    assert (finding.area, finding.kind, finding.position) == ("trail", "missing", 5)


def test_a_head_with_a_false_signature_is_named(sealed: Sealed, intruder: Intruder) -> None:
    intruder.run("UPDATE tree_heads SET signature = ? WHERE size = 330", bytes(64))

    (finding,) = sealed.check().findings

    assert (finding.area, finding.kind, finding.position) == ("head", "false-signature", 330)


def test_a_head_that_another_key_signed_is_named(sealed: Sealed, intruder: Intruder) -> None:
    other = Sealed(sealed.database, sealed.folder / "other").signer.key()
    head = sealed.database.tree.heads(330, 1)[0]
    origin = sealed.database.tree.origin()
    text = Checkpoint(origin, head.size, head.root, head.at).text.encode()
    intruder.run(
        "UPDATE tree_heads SET key_id = ?, signature = ? WHERE size = 660",
        key_id_of(origin, other.public_key),
        other.sign(text),
    )

    (finding,) = sealed.check().findings

    assert (finding.area, finding.kind, finding.position) == ("head", "false-signature", 660)
    assert "which is no key of the log" in finding.detail


def test_a_head_that_was_removed_is_missed(sealed: Sealed, intruder: Intruder) -> None:
    intruder.run("DELETE FROM tree_heads WHERE size = 660")

    (finding,) = sealed.check().findings

    assert (finding.area, finding.kind) == ("head", "missing")


def test_kept_hashes_that_were_changed_are_told_from_events_that_were(
    sealed: Sealed, intruder: Intruder
) -> None:
    intruder.run("UPDATE tree_tiles SET hashes = ? WHERE level = 0 AND number = 1", bytes(8192))

    report = sealed.check()

    assert report.first is None
    assert report.findings[0].area == "tree"
    assert report.findings[0].position == 257


def test_an_event_that_was_altered_together_with_its_kept_hash_lies_between_two_heads(
    sealed: Sealed, intruder: Intruder
) -> None:
    _alter_with_hash(sealed, intruder, 400)

    report = sealed.check()

    assert first(report) == ("altered", 331, 660)


def test_a_whole_history_that_was_forged_with_another_key_is_found_by_the_key(
    sealed: Sealed, intruder: Intruder
) -> None:
    real = sealed.signer
    forged = _forge(sealed, intruder)

    assert kinds(forged.check(), "log") == []  # it fits together…
    report = forged.check(signer=real)  # …but not with the key that is kept elsewhere

    assert [each.area for each in report.findings] == ["key"]


def test_a_whole_history_that_was_forged_is_found_by_a_head_that_was_kept(
    sealed: Sealed, intruder: Intruder
) -> None:
    kept = read_kept_head(sealed.proving.head().note)
    forged = _forge(sealed, intruder)

    report = forged.check(kept)

    assert first(report) == ("altered", 1, 660)
    assert "the kept head of 660 events" in str(report.first)


def test_the_log_goes_on_after_it_was_verified(sealed: Sealed) -> None:
    sealed.check()
    award = an_award("learner-601")
    sealed.database.events.append(then(id_of(award), 2, an_issue()), by())
    sealed.sealing.seal()

    report = sealed.check()

    assert (report.events, report.sealed, report.findings) == (705, 705, ())


def test_findings_beyond_what_is_told_are_counted(sealed: Sealed, intruder: Intruder) -> None:
    intruder.run("DELETE FROM credentials WHERE position <= 300")

    report = sealed.check()

    assert report.findings_count == 300
    assert len(report.findings) == 100
    assert isinstance(report.findings[0], Finding)


def _alter_with_hash(sealed: Sealed, intruder: Intruder, position: int) -> None:
    state = intruder.state(position).replace(b"Mathematics", b"Astrophysix")
    intruder.run(ALTER, state, position)
    (record,) = sealed.database.log.records(position - 1, 1)
    leaf = event_leaf_hash(position, record.stream_id, record.version, record.name, record.state)
    number, place = divmod(position - 1, 256)
    ((tile,),) = intruder.run(
        "SELECT hashes FROM tree_tiles WHERE level = 0 AND number = ?", number
    )
    changed = bytearray(tile)
    changed[place * 32 : place * 32 + 32] = leaf
    intruder.run(
        "UPDATE tree_tiles SET hashes = ? WHERE level = 0 AND number = ?", bytes(changed), number
    )


def _forge(sealed: Sealed, intruder: Intruder) -> Sealed:
    """Alter an event, and seal everything anew with a key of one's own."""
    _alter_with_hash(sealed, intruder, 400)
    for table in ("tree_tiles", "tree_heads", "log_keys"):
        intruder.run(f"DELETE FROM {table}")
    forged = Sealed(sealed.database, sealed.folder / "forged")
    forged.sealing.seal()
    return forged


def test_the_forger_of_these_tests_forges_well(sealed: Sealed, intruder: Intruder) -> None:
    forged = _forge(sealed, intruder)
    head = forged.proving.head().head

    assert head.root == CompactRange.of(sealed.database.tree.leaf_hashes(0, head.size)).root
