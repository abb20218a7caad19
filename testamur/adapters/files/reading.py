"""Reading a table's file as a stream of batches of rows, whatever its format."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from testamur.adapters.files.batches import BLOCK_BYTES, Batch
from testamur.adapters.files.csv_reading import read_csv
from testamur.adapters.files.errors import Problems
from testamur.adapters.files.folder import unreadable
from testamur.adapters.files.json_reading import read_json, read_json_lines
from testamur.adapters.files.tables import Table

_READERS: Final = {".csv": read_csv, ".json": read_json, ".jsonl": read_json_lines}


def read_table(
    table: Table, path: Path, problems: Problems, block_bytes: int = BLOCK_BYTES
) -> Iterator[Batch]:
    """Yield the rows of a table's file.

    Args:
        table: The table.
        path: Its file; the suffix tells the format.
        problems: Takes what is wrong with single rows.
        block_bytes: How much to read at once.

    Raises:
        DataFileError: The file cannot be read, or not on.
    """
    try:
        with path.open("rb") as file:
            yield from _READERS[path.suffix](table, path, file, problems, block_bytes)
    except OSError as error:
        raise unreadable(path, error) from error
