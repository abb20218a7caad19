"""The index of a folder: of each table that was asked for, until its file changes."""

import sqlite3
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from threading import Lock

from testamur.adapters.files.batches import BLOCK_BYTES
from testamur.adapters.files.consistency import (
    REFERENCES,
    Reference,
    check_grades_count_once,
    check_reference,
)
from testamur.adapters.files.errors import Problems
from testamur.adapters.files.folder import DataFile, find_tables, missing
from testamur.adapters.files.table_index import TableIndex, build
from testamur.adapters.files.tables import GRADES, TABLES, Table
from testamur.adapters.temporary import TemporaryFolder
from testamur.application.errors import RetrievalError

Connections = Mapping[str, sqlite3.Connection]
"""A connection to the index of each table, by the table's name."""


class FolderIndex:
    """Indexes tables when they are first needed, and again when their files have changed.

    The indexes are in a temporary folder that only this user can read. Several threads may use
    it; one of them at a time reads files.

    Args:
        folder: The folder of data files.
        block_bytes: How much of a file to read at once.
    """

    def __init__(self, folder: Path, block_bytes: int = BLOCK_BYTES) -> None:
        self._folder = folder
        self._block_bytes = block_bytes
        self._lock = Lock()
        self._closed = False
        self._temporary = TemporaryFolder()
        self._indexes: dict[str, TableIndex] = {}
        self._agreed: dict[Reference, tuple[Path, ...]] = {}

    @contextmanager
    def opened(
        self, tables: Collection[Table], needed: Collection[Table] = ()
    ) -> Iterator[Connections]:
        """Give connections to tables that are up to date, checked, and agree with each other.

        What was opened stays as it is while it is used, even if a file changes meanwhile. A table
        that the folder does not have is one without rows.

        Args:
            tables: The tables.
            needed: Those of them that the answer cannot do without.

        Raises:
            DataFileError: A file is not as it must be, or one that is needed is not there.
            RetrievalError: The index cannot be written or read, or is closed.
        """
        with ExitStack() as resources, explained(self._folder):
            with self._lock:
                self._bring_up_to_date(tables, needed)
                connections = {
                    table.name: resources.enter_context(
                        closing(self._indexes[table.name].connect())
                    )
                    for table in tables
                }
            yield connections

    def close(self) -> None:
        """Delete the indexes. What is opened can be used up; nothing more can be opened."""
        with self._lock:
            self._closed = True
            self._indexes.clear()
            self._temporary.remove()

    def _bring_up_to_date(self, tables: Collection[Table], needed: Collection[Table]) -> None:
        if self._closed:
            raise RetrievalError(f"{self._folder}: the data source is closed")
        if self._temporary.is_of_another_process():
            self._temporary = TemporaryFolder()
            self._indexes.clear()
        files = find_tables(self._folder, Problems())
        for table in TABLES.values():
            if table.name not in files and (table.required or table in needed):
                raise missing(self._folder, table)
        concerned = with_referenced(tables)
        for table in concerned:
            self._index(table, files.get(table.name))
        for reference in REFERENCES:
            if reference.table in concerned:
                self._agree(reference)

    def _index(self, table: Table, file: DataFile | None) -> None:
        before = self._indexes.get(table.name)
        if before is not None and before.file == file:
            return
        index = build_checked(
            table, file, self._temporary.new_path(table.name), Problems(), self._block_bytes
        )
        self._indexes[table.name] = index
        if before is not None:
            before.database.unlink()

    def _agree(self, reference: Reference) -> None:
        concerned = tuple(
            self._indexes[table.name].database for table in (reference.table, *reference.to)
        )
        if self._agreed.get(reference) != concerned:
            check_reference(reference, self._indexes, Problems())
            self._agreed[reference] = concerned


def build_checked(
    table: Table,
    file: DataFile | None,
    database: Path,
    problems: Problems,
    block_bytes: int = BLOCK_BYTES,
) -> TableIndex:
    """Build the index of a table, and check what can be checked without the other tables.

    Raises:
        DataFileError: The table is not as it must be; nothing is left of its index.
    """
    try:
        index = build(table, file, database, problems, block_bytes)
        if table is GRADES:
            check_grades_count_once(index, problems)
    except BaseException:
        database.unlink(missing_ok=True)
        raise
    return index


def with_referenced(tables: Collection[Table]) -> list[Table]:
    """Return tables and all that they refer to, referenced ones first."""
    concerned = set(tables)
    while (
        referenced := {
            target
            for reference in REFERENCES
            if reference.table in concerned
            for target in reference.to
        }
        - concerned
    ):
        concerned |= referenced
    referring = {reference.table for reference in REFERENCES}
    return sorted(concerned, key=lambda table: (table in referring, [*TABLES].index(table.name)))


@contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Raise what the index fails with as an error of the data source."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise RetrievalError(
            f"{folder}: its temporary index in {tempfile.gettempdir()} cannot be used: {error}"
        ) from error
