"""Lists in CSV files: every line is checked before the first one is used, in flat memory."""

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Generic, TypeVar

from testamur.domain.errors import InvalidInput, TestamurError

Entry = TypeVar("Entry")

#: A cell that is longer is no name, address or date.
LONGEST_CELL: Final = 10_000

Line = tuple[int, Mapping[str, str]]
"""Number of the line, and its cells by column."""


@dataclass(frozen=True, slots=True)
class BadLine:
    """What is wrong with a line.

    Args:
        line: Its number, from 1; that of the header is 1.
        problem: What is wrong.
    """

    line: int
    problem: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.problem}"


@dataclass(frozen=True, slots=True)
class CsvList(Generic[Entry]):
    """A CSV file in UTF-8 whose first line names the columns; commas or semicolons part them.

    It can be gone over again and again; each time the file is read anew.

    Args:
        file: The file.
        option: How the user names it, for messages.
        required: Columns that it must have.
        optional: Columns that it may have.
        key: The column that no two lines say the same in.
        parse: Given the number of a line and its cells (without space at their ends, columns that
            are not there as empty), returns the entry, or raises an `InvalidInput`.
    """

    file: Path
    option: str
    required: tuple[str, ...]
    optional: tuple[str, ...]
    key: str
    parse: Callable[[int, Mapping[str, str]], Entry]

    def bad_lines(self) -> Iterator[BadLine]:
        """Go over the whole file, and yield what is wrong with it.

        Raises:
            InvalidInput: It cannot be read, or is no such list.
        """
        seen: dict[str, int] = {}
        count = 0
        for line, found in self._lines():
            count += 1
            if isinstance(found, str):
                yield BadLine(line, found)
                continue
            try:
                self.parse(line, found)
            except TestamurError as error:
                yield BadLine(line, str(error))
            key = found[self.key]
            if key and seen.setdefault(key, line) != line:
                yield BadLine(line, f"{self.key} {key!r} stands in line {seen[key]} already")
        if not count:
            raise InvalidInput(self.option, str(self.file), "a list with at least one line")

    def __iter__(self) -> Iterator[Entry]:
        """Yield the entries.

        Raises:
            InvalidInput: It cannot be read, or has a bad line.
        """
        for line, found in self._lines():
            if isinstance(found, str):
                raise InvalidInput(self.option, f"line {line}", found)
            yield self.parse(line, found)

    def _lines(self) -> "Iterator[tuple[int, Mapping[str, str] | str]]":
        try:
            with self.file.open(encoding="utf-8-sig", newline="") as opened:
                header = opened.readline()
                opened.seek(0)
                delimiter = ";" if ";" in header and "," not in header else ","
                reader = csv.reader(opened, delimiter=delimiter, strict=True)
                columns = self._columns(next(reader, []))
                for cells in reader:
                    if any(cell.strip() for cell in cells):
                        yield reader.line_num, self._cells(columns, cells)
        except OSError as error:
            allowed = f"a readable CSV file ({error.strerror})"
            raise InvalidInput(self.option, str(self.file), allowed) from None
        except UnicodeDecodeError:
            raise InvalidInput(self.option, str(self.file), "a CSV file in UTF-8") from None
        except csv.Error as error:
            raise InvalidInput(self.option, str(self.file), f"a CSV file ({error})") from None

    def _columns(self, header: list[str]) -> list[str]:
        columns = [name.strip().lower() for name in header]
        allowed = f"in its first line the columns {', '.join(self.required)}" + (
            f", and if wanted {', '.join(self.optional)}" if self.optional else ""
        )
        missing = [name for name in self.required if name not in columns]
        unknown = [name for name in columns if name not in (*self.required, *self.optional)]
        twice = len(set(columns)) < len(columns)
        if missing or unknown or twice:
            raise InvalidInput(self.option, ", ".join(columns) or str(self.file), allowed)
        return columns

    def _cells(self, columns: list[str], cells: list[str]) -> Mapping[str, str] | str:
        if len(cells) != len(columns):
            return f"it has {len(cells)} cells, and there are {len(columns)} columns"
        if any(len(cell) > LONGEST_CELL for cell in cells):
            return f"a cell is longer than {LONGEST_CELL:,} characters"
        empty = dict.fromkeys((*self.required, *self.optional), "")
        return empty | {name: cell.strip() for name, cell in zip(columns, cells, strict=True)}
