"""The folder: which file holds which table, and whether it has changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from os import stat_result
from pathlib import Path
from typing import Final

from testamur.adapters.files.errors import DataFileError, Place, Problems
from testamur.adapters.files.tables import FOREIGN, TABLES, Table, suggestion

SUFFIXES: Final = (".csv", ".json", ".jsonl")


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file of the folder, as it was when it was looked at.

    Args:
        path: Where it is.
        size: In bytes.
        modified: When it was last modified, in nanoseconds.
        inode: Tells a file from another that was moved into its place.
    """

    path: Path
    size: int
    modified: int
    inode: int


def data_file(path: Path) -> DataFile:
    """Look at a file.

    Raises:
        DataFileError: It is gone or cannot be looked at.
    """
    try:
        status: stat_result = path.stat()
    except OSError as error:
        raise unreadable(path, error) from error
    return DataFile(path, status.st_size, status.st_mtime_ns, status.st_ino)


def find_tables(folder: Path, problems: Problems) -> Mapping[str, DataFile]:
    """Return the file of each table that the folder has.

    A data file that is no table is refused: misspelled, it would silently be missing. Files of
    other kinds, hidden ones and those whose name begins with ``x_`` are left alone.

    Args:
        folder: The folder.
        problems: Takes what is wrong with it.

    Raises:
        DataFileError: There is no such folder.
    """
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        raise unreadable(folder, error) from error
    found: dict[str, DataFile] = {}
    for path in paths:
        name = path.stem
        if path.suffix.lower() not in SUFFIXES or path.name.startswith((FOREIGN, ".")):
            continue
        if name not in TABLES or path.suffix not in SUFFIXES:
            near = suggestion(name, tuple(TABLES))
            problems.add(
                DataFileError(
                    Place(path),
                    f"{', '.join(TABLES)}, each as {' or '.join(SUFFIXES)}; other data files only "
                    f"if their name begins with {FOREIGN}",
                    value=path.name,
                    problem=f"there is no such table{near}",
                )
            )
        elif name in found:
            problems.add(
                DataFileError(
                    Place(path),
                    f"one file for each table: keep {path.name} or {found[name].path.name}",
                    value=path.name,
                    problem=f"the table {name} is also in {found[name].path.name}",
                )
            )
        else:
            found[name] = data_file(path)
    return found


def missing(folder: Path, table: Table) -> DataFileError:
    """Return the problem that a folder lacks a table."""
    return DataFileError(
        Place(folder),
        " or ".join(f"{table.name}{suffix}" for suffix in SUFFIXES),
        problem=f"the table {table.name} is missing",
    )


def unreadable(path: Path, error: OSError) -> DataFileError:
    """Return the problem that the system refuses a file or folder."""
    return DataFileError(
        Place(path),
        "a data file, or a folder of them, that can be read",
        problem=f"it cannot be read: {error.strerror or error}",
    )
