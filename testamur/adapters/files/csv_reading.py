"""Reading CSV: RFC 4180 in UTF-8, with comma, semicolon or tab.

Most blocks of most files hold no quote. These are taken apart with a few operations on the block
as a whole, several times as fast as row by row; all others go through Python's reader.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Final

from testamur.adapters.files.batches import (
    LONGEST_ROW_BYTES,
    UNDECODABLE,
    UTF_8,
    Batch,
    whole_lines,
)
from testamur.adapters.files.errors import DataFileError, Place, Problems
from testamur.adapters.files.tables import Table

DELIMITERS: Final = {",": "comma", ";": "semicolon", "\t": "tab"}

_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")


def read_csv(
    table: Table, path: Path, file: BinaryIO, problems: Problems, block_bytes: int
) -> Iterator[Batch]:
    """Yield the rows of a CSV file; blank lines are passed over.

    Raises:
        DataFileError: The header is not the table's, or the file cannot be read on.
    """
    first = file.readline(LONGEST_ROW_BYTES)
    delimiter, header = _header(table, path, first, problems)
    rows = _Rows(table, path, delimiter, header, problems)
    line = 2
    while block := file.read(block_bytes):
        text = _decode(whole_lines(block, file, path, line))
        batch, line = rows.of(text, line, iter(lambda: file.readline(LONGEST_ROW_BYTES), b""))
        if batch.lines:
            yield batch


class _Rows:
    """Takes blocks of whole lines apart.

    Args:
        table: The table.
        path: Its file.
        delimiter: What separates fields.
        header: The columns of the file, in order.
        problems: Takes what is wrong with single rows.
    """

    def __init__(
        self,
        table: Table,
        path: Path,
        delimiter: str,
        header: Sequence[str],
        problems: Problems,
    ) -> None:
        self._table = table
        self._path = path
        self._delimiter = delimiter
        self._width = len(header)
        self._places = {name: place for place, name in enumerate(header)}
        self._problems = problems

    def of(self, text: str, line: int, following: Iterable[bytes]) -> tuple[Batch, int]:
        """Return the rows of a block, and the number of the line after it.

        Args:
            text: Whole lines.
            line: Number of the first.
            following: The lines after the block, for a row that reaches beyond it.
        """
        plain = text.replace("\r\n", "\n")
        if '"' not in plain and "\r" not in plain:
            lines = plain.count("\n")
            columns = self._columns_of_plain(plain, lines)
            if columns is not None:
                return self._batch(range(line, line + lines), columns), line + lines
        return self._read_by_row(text, line, following)

    def _columns_of_plain(self, text: str, lines: int) -> list[list[str]] | None:
        # Line ends become fields of their own. As no field can hold one, every row has the right
        # number of fields exactly if they stand where they would then stand.
        delimiter, step = self._delimiter, self._width + 1
        fields = text.replace("\n", f"{delimiter}\n{delimiter}").split(delimiter)
        fields.pop()
        if len(fields) != lines * step or fields[self._width :: step] != ["\n"] * lines:
            return None
        if self._width == 1 and "" in fields:
            return None
        return [fields[place::step] for place in range(self._width)]

    def _read_by_row(self, text: str, line: int, following: Iterable[bytes]) -> tuple[Batch, int]:
        source = chain(StringIO(text, newline="\n"), map(_decode, following))
        reader = csv.reader(source, delimiter=self._delimiter, strict=True, skipinitialspace=True)
        rows: list[list[str]] = []
        lines: list[int] = []
        last = text.count("\n")
        read = 0
        try:
            while read < last:
                row = next(reader)
                if len(row) == self._width:
                    rows.append(row)
                    lines.append(line + read)
                elif row:
                    self._problems.add(self._wrong_width(line + read, len(row)))
                read = reader.line_num
        except csv.Error as error:
            raise DataFileError(
                Place(self._path, line + read),
                'fields in quotes where they hold a quote (doubled: ""), a delimiter or a line '
                "break; lines that end in LF or CRLF",
                problem=f"the row that begins here is broken CSV: {error}",
            ) from error
        columns: Sequence[Sequence[str]] = list(zip(*rows, strict=True))
        return self._batch(lines, columns), line + read

    def _batch(self, lines: Sequence[int], columns: Sequence[Sequence[str]]) -> Batch:
        places = self._places if lines else {}
        return Batch(
            lines,
            {
                column.name: (
                    columns[places[column.name]] if column.name in places else [""] * len(lines)
                )
                for column in self._table.columns
            },
        )

    def _wrong_width(self, line: int, fields: int) -> DataFileError:
        return DataFileError(
            Place(self._path, line),
            f"{self._width} fields, as the header has",
            problem=f"the row has {fields} {'field' if fields == 1 else 'fields'}",
        )


def _header(table: Table, path: Path, line: bytes, problems: Problems) -> tuple[str, Sequence[str]]:
    place = Place(path, 1)
    if line.startswith(_UTF_16):
        raise DataFileError(place, "UTF-8", problem="the file is in UTF-16")
    text = line.decode(UTF_8, UNDECODABLE).rstrip("\r\n")
    used = [delimiter for delimiter in DELIMITERS if delimiter in text]
    if len(used) > 1:
        names = " and ".join(DELIMITERS[delimiter] for delimiter in used)
        raise DataFileError(
            place,
            f"one of {', '.join(DELIMITERS.values())} between the columns of the header",
            problem=f"the header has {names}",
        )
    delimiter = used[0] if used else ","
    try:
        cells = next(csv.reader([text], delimiter=delimiter, strict=True, skipinitialspace=True))
    except csv.Error as error:
        raise DataFileError(
            place, table.allowed_columns, problem=f"the header is broken CSV: {error}"
        ) from error
    header = [cell.strip() for cell in cells]
    wrong = list(_problems_of_header(table, place, header))
    for problem in wrong[:-1]:
        problems.add(problem)
    if wrong:
        raise wrong[-1]
    return delimiter, header


def _problems_of_header(
    table: Table, place: Place, header: Sequence[str]
) -> Iterator[DataFileError]:
    if not any(header):
        yield DataFileError(
            place, f"a header line with {table.allowed_columns}", problem="there is no header line"
        )
        return
    for index, name in enumerate(header):
        problem = table.unknown_column(name)
        if problem is None and name in header[:index]:
            problem = f"the column {name} is there twice"
        if problem:
            yield DataFileError(place, table.allowed_columns, value=name, problem=problem)
    for column in table.columns:
        if not column.optional and column.name not in header:
            yield DataFileError(
                Place(place.path, place.line, column.name),
                table.allowed_columns,
                problem="the column is missing",
            )


def _decode(line: bytes) -> str:
    return line.decode("utf-8", UNDECODABLE)
