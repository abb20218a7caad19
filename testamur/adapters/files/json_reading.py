"""Reading JSON (RFC 8259): an array of objects, streamed, or an object a line."""

import codecs
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from types import NoneType
from typing import Any, BinaryIO, Final

from testamur.adapters.files.batches import (
    LONGEST_ROW_BYTES,
    UNDECODABLE,
    UTF_8,
    Batch,
    Refused,
    whole_lines,
)
from testamur.adapters.files.errors import DataFileError, Place, Problems, shown
from testamur.adapters.files.tables import Column, Table
from testamur.adapters.files.values import NotAllowed, Number, WholeNumber

_ALLOWED_ARRAY: Final = "an array of objects: [{…}, {…}]"
_ALLOWED_LINES: Final = "one object on each line"

# What an array may go on with, and after which mark what is expected.
_OPENING: Final = "the opening [ of an array"
_FIRST: Final = "an object or ]"
_OBJECT: Final = "an object"
_SEPARATOR: Final = "a comma or ]"
_NOTHING: Final = "nothing more"
_BEFORE_OBJECT: Final = (_FIRST, _OBJECT)
_AFTER: Final[Mapping[str, Mapping[str, str]]] = {
    _OPENING: {"[": _FIRST},
    _FIRST: {"]": _NOTHING},
    _OBJECT: {},
    _SEPARATOR: {",": _OBJECT, "]": _NOTHING},
    _NOTHING: {},
}

_SPACE: Final = " \t\r\n"
_SPACES: Final = re.compile(f"[{_SPACE}]*")
_COMMA: Final = re.compile(f"[{_SPACE}]*,[{_SPACE}]*")

#: How JSON's types are called; what parses to a tuple of pairs is an object.
_TYPE_NAMES: Final[Mapping[type, str]] = {
    str: "a string",
    Number: "a number with a point or an exponent",
    WholeNumber: "a number",
    bool: "true or false",
    list: "an array",
    tuple: "an object",
}


#: What a column's text is where JSON does not give text; a missing value is an empty one.
_TEXT_OF: Final[Mapping[object, str]] = {None: "", True: "true", False: "false"}


class _NoNumber(str):
    """NaN or an infinity, which are no JSON."""

    __slots__ = ()


# Pairs instead of a dict, so that a name which stands twice in an object is not lost.
_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=tuple, parse_float=Number, parse_int=WholeNumber, parse_constant=_NoNumber
)

_Pairs = tuple[tuple[str, Any], ...]


def read_json(
    table: Table, path: Path, file: BinaryIO, problems: Problems, block_bytes: int
) -> Iterator[Batch]:
    """Yield the objects of a JSON array, holding no more than a block of it at a time.

    Raises:
        DataFileError: It is not an array of objects, or broken.
    """
    rows = _Rows(table, path, problems)
    for lines, objects in _Array(path, file, block_bytes).blocks():
        if objects:
            yield rows.of(lines, objects)


def read_json_lines(
    table: Table, path: Path, file: BinaryIO, problems: Problems, block_bytes: int
) -> Iterator[Batch]:
    """Yield the objects of a file with an object a line; blank lines are passed over.

    Raises:
        DataFileError: A line is not an object, or too long.
    """
    rows = _Rows(table, path, problems)
    line = 1
    while block := file.read(block_bytes):
        block = whole_lines(block, file, path, line)
        lines: list[int] = []
        objects: list[_Pairs] = []
        encoding = UTF_8 if line == 1 else "utf-8"
        for text in block.decode(encoding, UNDECODABLE).split("\n"):
            if row := text.strip(_SPACE):
                objects.append(_one_object(row, path, line))
                lines.append(line)
            line += 1
        line -= 1
        if objects:
            yield rows.of(lines, objects)


def _one_object(text: str, path: Path, line: int) -> _Pairs:
    try:
        found, end = _DECODER.raw_decode(text)
    except json.JSONDecodeError as error:
        raise _broken(Place(path, line), error.msg, _ALLOWED_LINES) from error
    except RecursionError as error:
        raise _broken(Place(path, line), "it is nested too deep", _ALLOWED_LINES) from error
    if end != len(text):
        raise _broken(Place(path, line), "something follows the object", _ALLOWED_LINES)
    if not isinstance(found, tuple):
        raise _no_object(Place(path, line), found, _ALLOWED_LINES)
    return found


class _Array:
    """A JSON array that is read block by block.

    Args:
        path: The file, for errors.
        file: The file.
        block_bytes: How much to read at once.
    """

    def __init__(self, path: Path, file: BinaryIO, block_bytes: int) -> None:
        self._path = path
        self._file = file
        self._block_bytes = block_bytes
        self._decoder = codecs.getincrementaldecoder(UTF_8)(UNDECODABLE)
        self._text = ""
        self._line = 1
        self._expected = _OPENING
        self._ended = False

    def blocks(self) -> Iterator[tuple[list[int], list[_Pairs]]]:
        """Yield the objects that each block completes, and the lines that they begin on.

        Raises:
            DataFileError: The array is broken, or something in it is no object.
        """
        while not self._ended:
            block = self._file.read(self._block_bytes)
            self._ended = not block
            self._text += self._decoder.decode(block, final=self._ended)
            yield self._take()
        if self._expected != _NOTHING:
            raise self._broken(f"the file ends where {self._expected} is expected")

    def _take(self) -> tuple[list[int], list[_Pairs]]:
        lines: list[int] = []
        objects: list[_Pairs] = []
        text = self._text
        at = self._pass_marks(text, 0)
        while at < len(text) and (found := self._object(text, at)) is not None:
            lines.append(self._line)
            objects.append(found[0])
            end = found[1]
            if comma := _COMMA.match(text, end):  # nearly always, and quicker than mark by mark
                self._expected = _OBJECT
                end = comma.end()
                self._line += text.count("\n", at, end)
                at = end
            else:
                self._expected = _SEPARATOR
                self._line += text.count("\n", at, end)
                at = self._pass_marks(text, end)
        self._text = text[at:]
        return lines, objects

    def _pass_marks(self, text: str, at: int) -> int:
        """Return where the next object begins, or where the text ends before one."""
        while True:
            begin = _SPACES.match(text, at).end()  # type: ignore[union-attr]  # matches nothing too
            self._line += text.count("\n", at, begin)
            if begin == len(text) or (
                self._expected in _BEFORE_OBJECT and text[begin] not in _AFTER[self._expected]
            ):
                return begin
            following = _AFTER[self._expected].get(text[begin])
            if following is None:
                raise self._broken(f"{text[begin]!r} stands where {self._expected} is expected")
            self._expected = following
            at = begin + 1

    def _object(self, text: str, at: int) -> tuple[_Pairs, int] | None:
        """Return the object that begins there and where it ends; None: it is not all there yet."""
        try:
            found, end = _DECODER.raw_decode(text, at)
        except json.JSONDecodeError as error:
            if not self._ended and len(text) - at < LONGEST_ROW_BYTES:
                return None
            line = self._line + text.count("\n", at, error.pos)
            raise _broken(Place(self._path, line), error.msg, _ALLOWED_ARRAY) from error
        except RecursionError as error:
            place = Place(self._path, self._line)
            raise _broken(place, "it is nested too deep", _ALLOWED_ARRAY) from error
        if not isinstance(found, tuple):
            raise _no_object(Place(self._path, self._line), found, _ALLOWED_ARRAY)
        return found, end

    def _broken(self, problem: str) -> DataFileError:
        return _broken(Place(self._path, self._line), problem, _ALLOWED_ARRAY)


class _Rows:
    """Makes batches of objects.

    Args:
        table: The table.
        path: Its file.
        problems: Takes what is wrong with single objects.
    """

    def __init__(self, table: Table, path: Path, problems: Problems) -> None:
        self._table = table
        self._path = path
        self._problems = problems
        self._known = {column.name for column in table.columns}

    def of(self, lines: Sequence[int], objects: Sequence[_Pairs]) -> Batch:
        """Return the batch of some objects, which begin on these lines."""
        rows = [dict(pairs) for pairs in objects]
        if sum(map(len, rows)) != sum(map(len, objects)):
            self._report_repeated_names(lines, objects)
        if not self._known.issuperset(chain.from_iterable(rows)):
            self._report_unknown_names(lines, rows)
        refused: list[Refused] = []
        columns = {}
        for column in self._table.columns:
            values = [row.get(column.name) for row in rows]
            columns[column.name] = _texts(column, values, refused)
        return Batch(lines, columns, refused)

    def _report_repeated_names(self, lines: Sequence[int], objects: Sequence[_Pairs]) -> None:
        for line, pairs in zip(lines, objects, strict=True):
            for name, times in Counter(name for name, _ in pairs).items():
                if times > 1:
                    self._report(line, name, f"the object has {shown(name)} {times} times")

    def _report_unknown_names(
        self, lines: Sequence[int], rows: Sequence[Mapping[str, object]]
    ) -> None:
        for line, row in zip(lines, rows, strict=True):
            for name in row:
                if problem := self._table.unknown_column(name):
                    self._report(line, name, problem)

    def _report(self, line: int, name: str, problem: str) -> None:
        self._problems.add(
            DataFileError(
                Place(self._path, line),
                self._table.allowed_columns,
                value=name,
                problem=problem,
            )
        )


def _texts(column: Column, values: list[Any], refused: list[Refused]) -> list[str]:
    """Return a column's values as text; what is of a wrong type is refused and left empty."""
    types = set(map(type, values))
    allowed = {str, NoneType} | column.kind.json_types
    if types <= allowed - {NoneType, bool}:
        return values
    if types <= allowed:
        return [_TEXT_OF.get(value, value) for value in values]
    texts = []
    for index, value in enumerate(values):
        if type(value) in allowed:
            texts.append(_TEXT_OF.get(value, value))
        else:
            problem = f"{_type_name(value)} is not allowed"
            refused.append(Refused(index, column.name, NotAllowed(column.kind.allowed, problem)))
            texts.append("")
    return texts


def _type_name(value: object) -> str:
    return _TYPE_NAMES.get(type(value), str(value))


def _no_object(place: Place, found: object, allowed: str) -> DataFileError:
    what = "null" if found is None else _type_name(found)
    return _broken(place, f"{what} stands where an object is expected", allowed)


def _broken(place: Place, problem: str, allowed: str) -> DataFileError:
    return DataFileError(place, allowed, problem=f"broken JSON: {problem}")
