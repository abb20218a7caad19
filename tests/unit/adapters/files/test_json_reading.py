"""JSON arrays and JSON lines, whatever the size of the blocks they are read in."""

from pathlib import Path

import pytest

from testamur.adapters.files.errors import DataFileError, Problems
from testamur.adapters.files.reading import read_table
from testamur.adapters.files.tables import LEARNERS

Read = list[tuple[int, str, str]]

BLOCKS = pytest.mark.parametrize("block_bytes", [1, 6, 50, 1 << 16])


def read(folder: Path, name: str, content: bytes | str, block_bytes: int = 1 << 16) -> Read:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return [
        (line, learner_id, full_name)
        for batch in read_table(LEARNERS, path, Problems(), block_bytes)
        for line, learner_id, full_name in zip(
            batch.lines, batch.columns["learner_id"], batch.columns["full_name"], strict=True
        )
    ]


@BLOCKS
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_objects_of_an_array_keep_the_line_that_they_begin_on(
    tmp_path: Path, block_bytes: int, mark: str
) -> None:
    content = f"""{mark}[
  {{"learner_id": "l1", "full_name": "Émilie"}}, {{"learner_id": "l2"}},

  {{
    "full_name": "a ] , }} [",
    "learner_id": "l3"
  }}
  , {{"learner_id": "l4", "full_name": null}}]

"""

    assert read(tmp_path, "learners.json", content, block_bytes) == [
        (2, "l1", "Émilie"),
        (2, "l2", ""),
        (4, "l3", "a ] , } ["),
        (8, "l4", ""),
    ]


@BLOCKS
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_each_line_of_json_lines_is_an_object(
    tmp_path: Path, block_bytes: int, mark: str, end: str
) -> None:
    content = mark + end.join(
        ['{"learner_id": "l1", "full_name": "Émilie"}', "", ' {"learner_id": "l2"}  ']
    )

    assert read(tmp_path, "learners.jsonl", content, block_bytes) == [
        (1, "l1", "Émilie"),
        (3, "l2", ""),
    ]


@pytest.mark.parametrize(
    ("name", "content"),
    [("learners.json", "[]"), ("learners.json", "\n[ ]\n"), ("learners.jsonl", "")],
)
def test_no_objects_are_an_empty_table(tmp_path: Path, name: str, content: str) -> None:
    assert read(tmp_path, name, content) == []


def test_a_whole_number_is_taken_as_a_learners_id_digit_by_digit(tmp_path: Path) -> None:
    content = '[{"learner_id": 12345678901234567890}]'

    assert read(tmp_path, "learners.json", content) == [(1, "12345678901234567890", "")]


@BLOCKS
@pytest.mark.parametrize(
    ("content", "line", "problem"),
    [
        ('{"learner_id": "l1"}', 1, "'{' stands where the opening [ of an array is expected"),
        ("", 1, "the file ends where the opening [ of an array is expected"),
        ('[\n{"learner_id": "l1"}\n', 3, "the file ends where a comma or ] is expected"),
        ('[\n{"learner_id": "l1"},\n', 3, "the file ends where an object is expected"),
        ('[\n{"learner_id": "l1"}\n{"learner_id": "l2"}]', 3, "'{' stands where a comma or ]"),
        ('[\n{"learner_id": "l1"},\n]', 3, "Expecting value"),
        ('[\n{"learner_id": "l1"}\n]\n\n[]', 5, "'[' stands where nothing more is expected"),
        ('[\n{"learner_id": "l1",\n"full_name" "Ada"},\n{"learner_id": "l2"}]', 3, "Expecting ':'"),
        ('[\n{"learner_id": "l1}]', 2, "Unterminated string"),
        ('[\n"l1"]', 2, "a string stands where an object is expected"),
        ("[\n\n12]", 3, "a number stands where an object is expected"),
        ("[null]", 1, "null stands where an object is expected"),
        ("[[{}]]", 1, "an array stands where an object is expected"),
    ],
)
def test_an_array_that_is_broken_is_refused_where_it_is(
    tmp_path: Path, content: str, line: int, problem: str, block_bytes: int
) -> None:
    with pytest.raises(DataFileError) as refused:
        read(tmp_path, "learners.json", content, block_bytes)

    assert refused.value.line == line
    assert problem in str(refused.value)
    assert "allowed: an array of objects" in str(refused.value)


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ('{"learner_id": "l2"', "Expecting ',' delimiter"),
        ('{"learner_id": "l2"},', "something follows the object"),
        ('{"learner_id": "l2"} {"learner_id": "l3"}', "something follows the object"),
        ('["l2"]', "an array stands where an object is expected"),
        ("true", "true or false stands where an object is expected"),
    ],
)
def test_a_line_that_is_no_object_is_refused(tmp_path: Path, row: str, problem: str) -> None:
    content = f'{{"learner_id": "l1"}}\n{row}\n'

    with pytest.raises(DataFileError) as refused:
        read(tmp_path, "learners.jsonl", content)

    assert refused.value.line == 2
    assert problem in str(refused.value)
    assert "allowed: one object on each line" in str(refused.value)


@pytest.mark.parametrize("name", ["learners.json", "learners.jsonl"])
@pytest.mark.parametrize(
    ("field", "column", "problem"),
    [
        ('"fullname": "Ada"', "fullname", "no column 'fullname' (did you mean full_name?)"),
        ('"learner_id": "l3"', "learner_id", "the object has 'learner_id' 2 times"),
    ],
)
def test_a_field_that_is_no_column_or_is_there_twice_is_refused(
    tmp_path: Path, name: str, field: str, column: str, problem: str
) -> None:
    rows = ['{"learner_id": "l1"}', f'{{"learner_id": "l2", {field}}}']
    content = "\n".join(rows) if name.endswith("l") else f"[{rows[0]},\n{rows[1]}]"

    with pytest.raises(DataFileError) as refused:
        read(tmp_path, name, content)

    assert (refused.value.line, refused.value.value) == (2, column)
    assert problem in str(refused.value)


def test_foreign_fields_may_hold_anything(tmp_path: Path) -> None:
    content = '[{"learner_id": "l1", "x_tags": ["a", {"b": NaN}]}]'

    assert read(tmp_path, "learners.json", content) == [(1, "l1", "")]


@pytest.mark.parametrize("name", ["learners.json", "learners.jsonl"])
def test_what_is_nested_too_deep_is_refused(tmp_path: Path, name: str) -> None:
    row = '{"learner_id": "l1", "x_tags": ' + "[" * 100_000 + "]" * 100_000 + "}"

    with pytest.raises(DataFileError, match="line 1: broken JSON: it is nested too deep"):
        read(tmp_path, name, row if name.endswith("l") else f"[{row}]")


def test_an_object_without_end_does_not_read_the_file_into_memory(tmp_path: Path) -> None:
    content = '[\n{"learner_id": "l1\n' + "x" * (3 << 20)

    with pytest.raises(DataFileError, match="line 2: broken JSON: "):
        read(tmp_path, "learners.json", content)
