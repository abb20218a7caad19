"""Batches of rows: what the readers of all formats hand on.

Readers take files of any size: they hold one block of the file and its rows at a time. They know
the form of a file; what a value may be is the schema's affair.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from testamur.adapters.files.errors import DataFileError, Place
from testamur.adapters.files.values import NotAllowed

#: Read at once. Rows of larger blocks no longer fit into a processor's cache, which is slower.
BLOCK_BYTES: Final = 1 << 16

#: A longer line or JSON object is refused, so that a missing quote does not fill the memory.
LONGEST_ROW_BYTES: Final = 1 << 20

#: The beginning of a file may have a byte order mark.
UTF_8: Final = "utf-8-sig"

#: Bytes that are not UTF-8 are kept as half surrogates (PEP 383) until their column is known.
UNDECODABLE: Final = "surrogateescape"


@dataclass(frozen=True, slots=True)
class Refused:
    """A value that the reader refuses, before the schema sees it.

    Args:
        index: Place of its row in the batch, 0 for the first.
        column: Its column.
        reason: Why.
    """

    index: int
    column: str
    reason: NotAllowed


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of a table, in the order of the file.

    Args:
        lines: The line that each row begins on.
        columns: Values by column, empty ones as empty text, for every column of the table.
        refused: Values that are refused already.
    """

    lines: Sequence[int]
    columns: Mapping[str, Sequence[str]]
    refused: Sequence[Refused] = ()


def whole_lines(block: bytes, file: BinaryIO, path: Path, line: int) -> bytes:
    """Return a block of a file together with the rest of its last line.

    Args:
        block: What was read.
        file: The file, which is read on.
        path: Where it is.
        line: Number of the block's first line.

    Raises:
        DataFileError: The line is too long.
    """
    if block.endswith(b"\n"):
        return block
    rest = file.readline(LONGEST_ROW_BYTES)
    if rest.endswith(b"\n"):
        return block + rest
    if len(rest) < LONGEST_ROW_BYTES:
        return block + rest + b"\n"
    raise DataFileError(
        Place(path, line + block.count(b"\n")),
        f"lines of at most {LONGEST_ROW_BYTES} bytes",
        problem="the line is too long",
    )
