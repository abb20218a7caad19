"""CSV in the dialects that registries export, whatever the size of the blocks it is read in."""

from pathlib import Path

import pytest

from testamur.adapters.files.errors import DataFileError, Problems
from testamur.adapters.files.reading import read_table
from testamur.adapters.files.tables import LEARNERS

Read = list[tuple[int, str, str]]

PLAIN = "learner_id,full_name\nl1,Ada\nl2,Grace\nl3,Émilie\n"
PLAIN_ROWS = [(2, "l1", "Ada"), (3, "l2", "Grace"), (4, "l3", "Émilie")]


def read(folder: Path, content: bytes | str, block_bytes: int = 1 << 16) -> Read:
    path = folder / "learners.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return [
        (line, learner_id.strip(), full_name.strip())
        for batch in read_table(LEARNERS, path, Problems(), block_bytes)
        for line, learner_id, full_name in zip(
            batch.lines, batch.columns["learner_id"], batch.columns["full_name"], strict=True
        )
    ]


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        "\ufeff" + PLAIN,
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace(",", ";"),
        PLAIN.replace(",", "\t"),
        PLAIN.removesuffix("\n"),
        PLAIN.replace(",", " , "),
        PLAIN.replace("Grace", '"Grace"'),
        PLAIN.replace("learner_id", '"learner_id"').replace("Grace", ' "Grace" '.rstrip()),
        PLAIN + "\n\r\n",
    ],
    ids=[
        "plain",
        "byte order mark",
        "CRLF",
        "semicolon",
        "tab",
        "no line end at the end",
        "spaces around fields",
        "quoted field",
        "quoted header, and a quote after a space",
        "blank lines at the end",
    ],
)
@pytest.mark.parametrize("block_bytes", [1, 7, 1 << 16])
def test_dialects_of_csv_read_the_same(tmp_path: Path, content: str, block_bytes: int) -> None:
    assert read(tmp_path, content, block_bytes) == PLAIN_ROWS


@pytest.mark.parametrize("block_bytes", [1, 5, 30, 1 << 16])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_row_keeps_the_line_that_it_begins_on(tmp_path: Path, block_bytes: int, end: str) -> None:
    content = end.join(
        [
            "learner_id,full_name",
            'l1,"Ada',
            '"',
            "l2,Grace",
            "",
            'l3,"She said ""yes"", twice',
            '"',
            "l4,Lise",
            "",
        ]
    )

    assert read(tmp_path, content, block_bytes) == [
        (2, "l1", "Ada"),
        (4, "l2", "Grace"),
        (6, "l3", 'She said "yes", twice'),
        (8, "l4", "Lise"),
    ]


def test_a_delimiter_of_another_dialect_is_text(tmp_path: Path) -> None:
    assert read(tmp_path, "learner_id;full_name\nl1;Curie, Marie\n") == [(2, "l1", "Curie, Marie")]


def test_columns_may_come_in_any_order_and_foreign_ones_are_passed_over(tmp_path: Path) -> None:
    content = "full_name,x_faculty,learner_id\nAda,Maths,l1\n"

    assert read(tmp_path, content) == [(2, "l1", "Ada")]


def test_an_optional_column_that_is_not_there_reads_as_empty(tmp_path: Path) -> None:
    assert read(tmp_path, "learner_id\nl1\n\nl2\n") == [(2, "l1", ""), (4, "l2", "")]


def test_a_header_without_rows_is_an_empty_table(tmp_path: Path) -> None:
    assert read(tmp_path, "learner_id,full_name\n") == []


@pytest.mark.parametrize("block_bytes", [1, 64, 1 << 16])
@pytest.mark.parametrize(
    ("content", "line", "problem"),
    [
        ("learner_id,full_name\nl1,Ada\nl2\nl3,Lise\n", 3, "the row has 1 field"),
        # Two rows that are wrong in ways which make up for each other in number.
        ("learner_id,full_name\nl1,Ada,x\nl2\n", 2, "the row has 3 fields"),
        ('learner_id,full_name\nl1,"a\nb"\nl2,x,y\n', 4, "the row has 3 fields"),
        ('learner_id,full_name\nl1,Ada\nl2,"Grace\nl3,Lise\n', 3, "unexpected end of data"),
        ('learner_id,full_name\nl1,"Ada"a\n', 2, "broken CSV"),
        ("learner_id,full_name\nl1,Ada\rl2,Grace\r", 2, "broken CSV"),
    ],
    ids=[
        "too few fields",
        "too many and too few",
        "too many fields after a line break in quotes",
        "a quote that is not closed",
        "text after a quote",
        "line ends of CR alone",
    ],
)
def test_a_row_that_is_not_csv_of_the_header_is_refused(
    tmp_path: Path, content: str, line: int, problem: str, block_bytes: int
) -> None:
    with pytest.raises(DataFileError) as refused:
        read(tmp_path, content, block_bytes)

    assert refused.value.line == line
    assert problem in str(refused.value)


def test_a_quote_that_is_never_closed_does_not_read_the_file_into_memory(tmp_path: Path) -> None:
    content = 'learner_id,full_name\nl1,"Ada\n' + "l2,Grace\n" * 100_000

    with pytest.raises(DataFileError, match=r"line 2: .* field larger than field limit"):
        read(tmp_path, content)


def test_a_line_that_is_too_long_is_refused(tmp_path: Path) -> None:
    content = "learner_id,full_name\nl1,Ada\nl2," + "a" * (1 << 21)

    with pytest.raises(DataFileError, match="line 3: the line is too long"):
        read(tmp_path, content)


@pytest.mark.parametrize(
    ("header", "column", "problem"),
    [
        ("learner_id,fullname", None, "no column 'fullname' (did you mean full_name?)"),
        ("Learner_ID", None, "no column 'Learner_ID' (did you mean learner_id?)"),
        ("learner_id,phone", None, "no column 'phone'; allowed: learner_id, full_name"),
        ("learner_id,email,email", None, "the column email is there twice"),
        ("full_name,email", "learner_id", "the column is missing"),
        ("learner_id,full_name;email", None, "the header has comma and semicolon"),
        ('learner_id,"full_name', None, "the header is broken CSV"),
        ("", None, "there is no header line"),
        ("learner_id,", None, "there is no column ''"),
    ],
)
def test_a_header_that_is_not_the_tables_is_refused(
    tmp_path: Path, header: str, column: str | None, problem: str
) -> None:
    with pytest.raises(DataFileError) as refused:
        read(tmp_path, f"{header}\n")

    assert (refused.value.line, refused.value.column) == (1, column)
    assert problem in str(refused.value)


def test_an_empty_file_has_no_header(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="line 1: there is no header line"):
        read(tmp_path, "")


def test_utf_16_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="line 1: the file is in UTF-16; allowed: UTF-8"):
        read(tmp_path, PLAIN.encode("utf-16"))
