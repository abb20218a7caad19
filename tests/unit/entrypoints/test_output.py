import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from rich.cells import cell_len

from testamur.entrypoints.cli.output import (
    CHUNK,
    Column,
    Screen,
    many,
    styled,
    visible,
    write_json,
    write_json_line,
)

COLUMNS = [Column("learner"), Column("outcome", rigid=True), Column("name, or why not")]


def terminal(width: int = 80) -> tuple[Screen, io.StringIO]:
    stream = io.StringIO()
    return Screen(stream, width), stream


def pipe() -> tuple[Screen, io.StringIO]:
    stream = io.StringIO()
    return Screen(stream, None), stream


@pytest.fixture(autouse=True)
def without_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")


def test_a_table_keeps_to_the_width_of_the_terminal() -> None:
    screen, stream = terminal(40)
    screen.table(COLUMNS, [("learner-1", "not eligible", "Exam 31 %, needs 50 %; " * 5)])
    lines = stream.getvalue().splitlines()
    assert all(cell_len(line) <= 40 for line in lines)
    assert "not eligible" in stream.getvalue()
    assert stream.getvalue().count("Exam") == 5


def test_a_table_that_does_not_fit_is_narrowed_between_words_before_words_are_broken() -> None:
    screen, stream = terminal(31)
    screen.table(
        [Column("context"), Column("runs")],
        [("course-v1:Uni+Maths", "every day but on Sundays")],
    )
    assert [line.rstrip() for line in stream.getvalue().splitlines()[2:]] == [
        "course-v1:Uni+Maths  every day",
        "                     but on",
        "                     Sundays",
    ]


def test_a_narrow_terminal_has_the_columns_below_on_a_second_line() -> None:
    columns = [Column("credential", rigid=True), Column("learner", below=True), Column("status")]
    rows = [("9eaef177-89b8", "learner-1", "issued"), ("ad87c047-50d0", "learner-2", "awarded")]
    screen, stream = terminal(30)
    screen.table(columns, rows)
    assert stream.getvalue().splitlines() == [
        "credential     status",
        "  learner",
        "────────────────────────",
        "9eaef177-89b8  issued",
        "  learner-1",
        "ad87c047-50d0  awarded",
        "  learner-2",
    ]
    screen, stream = terminal(60)
    screen.table(columns, rows)
    assert stream.getvalue().splitlines()[2] == "9eaef177-89b8  learner-1  issued"


def test_what_is_to_be_copied_is_never_wrapped() -> None:
    screen, stream = terminal(20)
    screen.verbatim("x" * 50)
    assert stream.getvalue() == "x" * 50 + "\n"


def test_in_a_pipe_every_row_is_one_line_with_nothing_left_out() -> None:
    screen, stream = pipe()
    long = "x" * 500
    screen.table(COLUMNS, [("learner-1", "award", long), ("learner-2", "award", "short")])
    heading, first, second = stream.getvalue().splitlines()
    assert heading == "learner    outcome  name, or why not"
    assert first == f"learner-1  award    {long}"
    assert second == "learner-2  award    short"


def test_columns_line_up_under_names_of_any_script() -> None:
    names = ["Zoë Müller", "李小龍", "स्वाति शर्मा", "กิตติศักดิ์", "👩‍🎓 Ann", "e\u0301a"]
    screen, stream = pipe()
    screen.table([Column("name"), Column("end")], [(name, "|") for name in names])
    assert len({cell_len(line) for line in stream.getvalue().splitlines()[1:]}) == 1


def test_a_right_to_left_name_is_isolated_on_a_terminal_only() -> None:
    row = [("learner-1", "award", "محمد (Ann) שרה")]
    screen, stream = terminal()
    screen.table(COLUMNS, row)
    assert "\u2068محمد (Ann) שרה\u2069" in stream.getvalue()
    screen, stream = pipe()
    screen.table(COLUMNS, row)
    assert stream.getvalue().splitlines()[1].endswith("award    محمد (Ann) שרה")


def test_a_name_cannot_steer_the_terminal() -> None:
    assert visible("\x1b[2Jgone\u202eevil\u2069") == "�[2Jgone�evil�"
    assert visible("two\nlines\tand\u2028three") == "two lines and three"
    assert visible("[bold]not markup[/bold] :smile:") == "[bold]not markup[/bold] :smile:"
    screen, stream = terminal()
    screen.say("[bold]not markup[/bold] :smile:")
    assert stream.getvalue().strip() == "[bold]not markup[/bold] :smile:"


def test_a_long_table_is_written_as_its_rows_come() -> None:
    screen, stream = pipe()

    def rows() -> Iterator[tuple[str]]:
        for number in range(5 * CHUNK):
            # Never more than two chunks are read before they are written.
            assert stream.getvalue().count("\n") >= number - 2 * CHUNK
            yield (str(number),)

    assert screen.table([Column("number")], rows()) == 5 * CHUNK
    assert stream.getvalue().splitlines()[1:] == [str(number) for number in range(5 * CHUNK)]


def test_a_table_without_rows_is_not_written() -> None:
    screen, stream = terminal()
    assert screen.table(COLUMNS, []) == 0
    assert not stream.getvalue()


def test_numbers_are_at_the_right() -> None:
    screen, stream = pipe()
    screen.table([Column("count", align="right")], [("7",), ("1,234",)])
    assert stream.getvalue().splitlines() == ["count", "    7", "1,234"]


def test_fields_line_up_and_long_values_are_wrapped_beside_their_name() -> None:
    screen, stream = terminal(30)
    screen.fields([("type", "short"), ("context", "x" * 40)])
    lines = stream.getvalue().splitlines()
    assert [line.rstrip() for line in lines] == [
        "type     short",
        f"context  {'x' * 20}",
        f"         {'x' * 20}",
    ]


def test_a_row_that_comes_slowly_has_the_widths_it_was_given() -> None:
    screen, stream = pipe()
    screen.row((6, 8), [styled("ok", "green"), "database", "all is well"])
    assert stream.getvalue() == "ok      database  all is well\n"
    screen, stream = terminal(30)
    screen.row((6, 8), ["ok", "database", "all is well here"])
    assert all(cell_len(line) <= 30 for line in stream.getvalue().splitlines())


def test_colours_are_left_out_of_a_pipe() -> None:
    screen, stream = pipe()
    screen.say(styled("failed", "bold red"))
    assert stream.getvalue() == "failed\n"


def test_json_has_times_in_iso_8601_and_decimals_as_text(
    capsys: pytest.CaptureFixture[str],
) -> None:
    document = {"at": datetime(2026, 6, 1, tzinfo=UTC), "share": Decimal("0.550"), "name": "Zoë"}
    expected = {"at": "2026-06-01T00:00:00Z", "share": "0.550", "name": "Zoë"}
    write_json(document)
    assert json.loads(capsys.readouterr().out) == expected
    write_json_line(document)
    write_json_line([])
    first, second = capsys.readouterr().out.splitlines()
    assert json.loads(first) == expected
    assert second == "[]"


def test_counts_come_with_their_noun() -> None:
    assert many(1, "credential") == "1 credential"
    assert many(1200, "entry", "entries") == "1,200 entries"
