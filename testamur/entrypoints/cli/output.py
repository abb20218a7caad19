"""What the commands show: sentences, fields and tables for people, JSON for programs.

On a terminal, tables keep to its width. Elsewhere every row is one line, however long, for
`grep` and its like. A table is written in chunks, so that memory does not grow with its rows.
"""

import json
import os
import re
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TextIO, TypeAlias

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    Cell: TypeAlias = str | Text

#: Rows that are looked at together: the first of them decide how wide the columns are.
CHUNK: Final = 200

#: No column is made narrower than this to fit the terminal.
NARROWEST: Final = 8

_GAP: Final = 2
_MARGIN: Final = 1

_SPACE: Final = re.compile(r"[\t\n\r\x0b\x0c\x85\u2028\u2029]")
# Controls, embeddings, overrides and isolates would steer the terminal; surrogates break it.
_STEERING: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_TO_THE_LEFT: Final = frozenset({"R", "AL", "AN"})
_FIRST_STRONG_ISOLATE: Final = "\u2068"
_POP_ISOLATE: Final = "\u2069"

ERASED: Final = "(erased)"
"""Stands for what was personal, once the learner's data is erased."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Args:
        heading: What stands over it.
        align: ``right`` for numbers.
        rigid: Never narrowed: for numbers, times and words that read badly when broken.
        below: On a second line of its row, where the terminal is too narrow for one.
    """

    heading: str
    align: Literal["left", "right"] = "left"
    rigid: bool = False
    below: bool = False


class Screen:
    """Where people read results.

    Args:
        stream: Is written to.
        width: Of the terminal, in columns; None where it is none.
    """

    def __init__(self, stream: TextIO, width: int | None) -> None:
        self._stream = stream
        self._width = width

    @cached_property
    def _console(self) -> "Console":
        from rich.console import Console

        return Console(
            file=self._stream,
            width=self._width,
            height=25,  # Rich asks nobody for the size where it has both
            force_terminal=True,
            highlight=False,
            markup=False,
            emoji=False,
        )

    def say(self, *lines: "Cell") -> None:
        """Write lines; on a terminal, long ones are wrapped between words."""
        for line in lines:
            if self._width is None:
                self._write(_plain(line))
            else:
                self._console.print(_text(line))

    def verbatim(self, *lines: str) -> None:
        """Write lines that are to be copied from the screen: they are never wrapped."""
        for line in lines:
            self._write(visible(line))

    def fields(self, fields: Iterable[tuple[str, "Cell"]]) -> None:
        """Write names and values, one pair a line."""
        pairs = [(styled(name, "bold"), value) for name, value in fields]
        longest = max((len(name) for name, _ in pairs), default=0)
        for pair in pairs:
            self.row([longest], pair)

    def row(self, widths: Sequence[int], cells: Sequence["Cell"]) -> None:
        """Write one row of a table whose rows come slowly.

        Args:
            widths: Of all cells but the last, which has the rest of the line.
            cells: The row.
        """
        taken = sum(widths) + _GAP * len(widths) + _MARGIN
        last = 0 if self._width is None else max(NARROWEST, self._width - taken)
        self._lines([Column("")] * len(cells), [*widths, last], cells)

    def table(self, columns: Sequence[Column], rows: Iterable[Sequence["Cell"]]) -> int:
        """Write a table as its rows come, and return how many there were; none: nothing."""
        remaining = iter(rows)
        first = list(islice(remaining, CHUNK))
        if not first:
            return 0
        layout = self._layout(columns, first)
        headings = [styled(column.heading, "bold") for column in columns]
        for indent, columns_of_line, widths, places in layout:
            self._lines(columns_of_line, widths, [headings[at] for at in places], indent)
        if self._width is not None:
            self._rule(layout)
        written = 0
        for row in chain(first, remaining):
            for indent, columns_of_line, widths, places in layout:
                self._lines(columns_of_line, widths, [row[at] for at in places], indent)
            written += 1
        return written

    def _layout(
        self, columns: Sequence[Column], rows: Sequence[Sequence["Cell"]]
    ) -> "list[_LineOfRow]":
        """Return the lines that each row is written on: one, or two on a narrow terminal."""
        texts = [
            [column.heading, *(_plain(row[at]) for row in rows)]
            for at, column in enumerate(columns)
        ]
        widths = [max(map(_cells, of_column)) for of_column in texts]
        everywhere = range(len(columns))
        if self._width is None:
            return [_LineOfRow("", columns, widths, everywhere)]
        room = self._width - _MARGIN
        above = [at for at in everywhere if not columns[at].below]
        if len(above) == len(columns) or sum(widths) + _GAP * (len(columns) - 1) <= room:
            above = list(everywhere)
        lines = [("", above), ("  ", [at for at in everywhere if at not in above])]
        return [
            _LineOfRow(
                indent,
                [columns[at] for at in places],
                _fitted(
                    [columns[at] for at in places],
                    [texts[at] for at in places],
                    room - len(indent),
                ),
                places,
            )
            for indent, places in lines
            if places
        ]

    def _rule(self, layout: "list[_LineOfRow]") -> None:
        if len(layout) == 1:
            widths = layout[0].widths
            self._lines(layout[0].columns, widths, [styled("─" * each, "dim") for each in widths])
        else:
            longest = max(sum(each.widths) + _GAP * len(each.widths) for each in layout)
            self._lines([Column("")], [longest], [styled("─" * longest, "dim")])

    def _lines(
        self,
        columns: Sequence[Column],
        widths: Sequence[int],
        cells: Sequence["Cell"],
        indent: str = "",
    ) -> None:
        """Write a row: one line, or several where a cell is wider than its column."""
        if self._width is None:
            parts = map(_padded_plain, columns, widths, map(_plain, cells))
            self._write((" " * _GAP).join(parts))
            return
        from rich.text import Text

        wrapped = [
            [text]
            if text.cell_len <= width
            else list(text.wrap(self._console, width, overflow="fold"))
            for text, width in zip(map(_text, cells), widths, strict=True)
        ]
        for height in range(max(map(len, wrapped))):
            line = Text(indent)
            for column, width, texts in zip(columns, widths, wrapped, strict=True):
                text = texts[height] if height < len(texts) else Text()
                padding = " " * (width - text.cell_len)
                line.append(padding if column.align == "right" else "")
                line.append_text(text)
                line.append((padding if column.align == "left" else "") + " " * _GAP)
            line.rstrip()
            self._console.print(line, soft_wrap=True)

    def _write(self, text: str) -> None:
        self._stream.write(text.rstrip() + "\n")


class _LineOfRow(NamedTuple):
    """One of the lines that the rows of a table are written on.

    Args:
        indent: Goes before it.
        columns: The columns on it…
        widths: …how wide they are…
        places: …and where in the row their cells are.
    """

    indent: str
    columns: Sequence[Column]
    widths: Sequence[int]
    places: Sequence[int]


def screen() -> Screen:
    """Return the screen that results are shown on: stdout."""
    return Screen(sys.stdout, terminal_width(sys.stdout))


def terminal_width(stream: TextIO) -> int | None:
    """Return the width of the terminal behind a stream, or None where there is none."""
    if not stream.isatty():
        return None
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except OSError:
        return 80


def warn(*lines: str) -> None:
    """Write lines for people to stderr."""
    for line in lines:
        sys.stderr.write(visible(line) + "\n")


def write_json(document: object) -> None:
    """Write one JSON document to stdout: times in ISO 8601, decimals as text."""
    sys.stdout.write(json.dumps(_jsonable(document), ensure_ascii=False, indent=2) + "\n")


def write_json_line(document: object) -> None:
    """Write one document of a stream to stdout: JSON on a line of its own."""
    sys.stdout.write(json.dumps(_jsonable(document), ensure_ascii=False) + "\n")


def styled(text: str, style: str) -> "Cell":
    """Return text in a style of Rich that shows on a terminal only."""
    from rich.text import Text

    return Text(visible(text), style=style)


def visible(text: str) -> str:
    """Return text on one line, without the characters that steer a terminal."""
    return _STEERING.sub("\N{REPLACEMENT CHARACTER}", _SPACE.sub(" ", text))


def many(count: int, singular: str, plural: str | None = None) -> str:
    """Return a count with its noun: ``1 run``, ``1,200 runs``."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def _jsonable(document: object) -> Any:
    from pydantic_core import to_jsonable_python

    return to_jsonable_python(document)


def _fitted(columns: Sequence[Column], texts: Sequence[Sequence[str]], room: int) -> Sequence[int]:
    """Return how wide columns are: as their texts, or less where there is no room.

    They are narrowed between their words first, and only then within them: the widest column again
    and again, until all fit or none can give any more.
    """
    widths = [max(map(_cells, of_column)) for of_column in texts]
    room -= _GAP * (len(columns) - 1)
    longest_words = [
        max((_cells(word) for text in of_column for word in text.split()), default=0)
        for of_column in texts
    ]
    for narrowest in (longest_words, [NARROWEST] * len(columns)):
        while sum(widths) > room:
            giving = [
                at
                for at, column in enumerate(columns)
                if not column.rigid and widths[at] > narrowest[at]
            ]
            if not giving:
                break
            widths[max(giving, key=widths.__getitem__)] -= 1
    return widths


def _cells(text: str) -> int:
    from rich.cells import cell_len

    return cell_len(text)


def _padded_plain(column: Column, width: int, text: str) -> str:
    padding = " " * (width - _cells(text))
    return padding + text if column.align == "right" else text + padding


def _text(cell: "Cell") -> "Text":
    from rich.text import Text

    return Text(_isolated(visible(cell))) if isinstance(cell, str) else cell


def _plain(cell: "Cell") -> str:
    return visible(cell) if isinstance(cell, str) else cell.plain


def _isolated(text: str) -> str:
    """Isolate what runs right to left (UAX 9), so that it leaves the columns beside it in order."""
    places = [at for at, each in enumerate(text) if unicodedata.bidirectional(each) in _TO_THE_LEFT]
    if not places:
        return text
    first, after = places[0], places[-1] + 1
    isolated = f"{_FIRST_STRONG_ISOLATE}{text[first:after]}{_POP_ISOLATE}"
    return text[:first] + isolated + text[after:]
