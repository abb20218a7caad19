"""The audit trail as a file: whole or not at all, and harmless in a spreadsheet."""

import csv
import json
import stat
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testamur.application.ports.audit import AuditEntry
from testamur.application.ports.event_store import Attribution, RecordedEvent
from testamur.domain.errors import InvalidInput
from testamur.domain.identifiers import Actor, ConfigurationId, LearnerId
from testamur.entrypoints.audit_files import (
    COLUMNS,
    write_csv,
    write_json_lines,
    written_whole,
)
from tests.support.events import NOON, an_award

ENTRY = AuditEntry(
    position=7,
    at=NOON,
    actor=Actor("user:registrar"),
    name="credential.awarded.1",
    stream_id=UUID(int=1),
    version=2,
    correlation_id=UUID(int=3),
    configuration_id=ConfigurationId(UUID(int=4)),
    context_key="course-v1:Uni+Maths+2026",
    learner_ids=(LearnerId("ann"),),
)


def csv_of(*entries: AuditEntry) -> str:
    stream = StringIO(newline="")
    assert write_csv(stream, entries) == len(entries)
    return stream.getvalue()


def rows_of(*entries: AuditEntry) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(csv_of(*entries), newline=""), strict=True))


# CSV


def test_a_table_has_a_header_and_a_row_for_each_entry() -> None:
    header, row, end = csv_of(ENTRY).split("\r\n")
    assert header == ",".join(COLUMNS)
    assert row == (
        f"7,{NOON.isoformat()},user:registrar,credential.awarded.1,"
        "00000000-0000-0000-0000-000000000001,2,00000000-0000-0000-0000-000000000003,"
        "00000000-0000-0000-0000-000000000004,course-v1:Uni+Maths+2026,ann"
    )
    assert end == ""


def test_what_an_entry_does_not_have_is_empty() -> None:
    bare = ENTRY._replace(configuration_id=None, context_key=None, learner_ids=())
    (row,) = rows_of(bare)
    assert [row[name] for name in COLUMNS[-3:]] == ["", "", ""]


def test_several_learners_share_a_cell() -> None:
    (row,) = rows_of(ENTRY._replace(learner_ids=(LearnerId("ann"), LearnerId("bob, jr"))))
    assert row["learner_ids"] == "ann;bob, jr"


@pytest.mark.parametrize(
    ("learner", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+48", "'+48"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("＝1+1", "'＝1+1"),
        ('=HYPERLINK("http://x","y")', '\'=HYPERLINK("http://x","y")'),
        ("a;=1+1", "a;'=1+1"),
        ("a, =1+1", "a,' =1+1"),
        ("a|@x", "a|'@x"),
        ("a-b=c@d", "a-b=c@d"),
        ("学生", "学生"),
    ],
)
def test_no_cell_is_a_formula(learner: str, cell: str) -> None:
    (row,) = rows_of(ENTRY._replace(learner_ids=(LearnerId(learner),)))
    assert row["learner_ids"] == cell


@given(
    st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x00")), min_size=1),
    st.text(st.characters(codec="utf-8", exclude_characters="\x00")),
)
def test_whatever_is_in_a_cell_a_spreadsheet_finds_no_formula(
    learners: list[str], context: str
) -> None:
    entry = ENTRY._replace(learner_ids=tuple(map(LearnerId, learners)), context_key=context)
    (row,) = rows_of(entry)
    assert len(row) == len(COLUMNS)
    for cell in row.values():
        for separator in ";,|\t":
            for part in cell.split(separator):
                assert not part.lstrip().startswith(tuple("=+-@＝＋－＠"))


# JSON Lines


def recorded(**changes: object) -> RecordedEvent:
    event = an_award("ann").model_copy(update=changes)
    by = Attribution(ENTRY.actor, ENTRY.at, ENTRY.correlation_id)
    return RecordedEvent(ENTRY.stream_id, ENTRY.version, ENTRY.name, event, by)


def documents_of(event: RecordedEvent | None) -> str:
    stream = StringIO()
    assert write_json_lines(stream, [(ENTRY, event)]) == 1
    return stream.getvalue()


def test_a_line_has_what_the_table_has() -> None:
    document = json.loads(documents_of(None))
    assert tuple(document) == COLUMNS
    assert document["learner_ids"] == ["ann"]
    assert document["position"] == 7


def test_data_is_what_the_event_says() -> None:
    event = recorded()
    document = json.loads(documents_of(event))
    assert document["data"] == event.event.model_dump(mode="json")
    assert document["data"]["person"]["full_name"]


def test_data_of_an_erased_learner_has_nothing_personal() -> None:
    document = json.loads(documents_of(recorded(person=None)))
    assert document["data"]["person"] is None
    assert document["data"]["learner_id"] == "ann"


# Whole or not at all


def test_a_file_appears_when_it_is_complete(tmp_path: Path) -> None:
    file = tmp_path / "trail.csv"
    with written_whole(file) as stream:
        write_csv(stream, [ENTRY])
        assert not file.exists()
    assert file.read_bytes().decode() == csv_of(ENTRY)
    assert list(tmp_path.iterdir()) == [file]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_what_goes_wrong_leaves_the_file_before_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "trail.csv"
    file.write_text("last month's")

    def breaks_off() -> Iterator[AuditEntry]:
        yield ENTRY
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), written_whole(file) as stream:
        write_csv(stream, breaks_off())
    assert file.read_text() == "last month's"
    assert list(tmp_path.iterdir()) == [file]


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    for file in (tmp_path / "missing" / "trail.csv", tmp_path):
        with pytest.raises(InvalidInput, match="--to"), written_whole(file) as stream:
            write_csv(stream, [ENTRY])
    assert list(tmp_path.iterdir()) == []
