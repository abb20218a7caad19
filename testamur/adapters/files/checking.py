"""Checking all tables of a folder, and saying all that is wrong instead of the first thing."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from testamur.adapters.files.consistency import REFERENCES, check_reference
from testamur.adapters.files.errors import DataFileError, EnoughProblems, Problems
from testamur.adapters.files.folder import find_tables, missing
from testamur.adapters.files.index import build_checked, explained
from testamur.adapters.files.table_index import TableIndex
from testamur.adapters.files.tables import TABLES
from testamur.adapters.temporary import TemporaryFolder


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a check of a folder found.

    Args:
        counts: How many rows each table has that was read to its end; a table that the folder
            does not have is left out.
        problems: What is wrong, table by table.
        complete: Whether that is all; if not, the check stopped at as many as were wanted.
    """

    counts: Mapping[str, int]
    problems: tuple[DataFileError, ...]
    complete: bool

    @property
    def good(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def check_folder(folder: Path, limit: int) -> CheckReport:
    """Read and check all tables of a folder.

    Args:
        folder: The folder.
        limit: The most problems to collect, at least 1.

    Raises:
        RetrievalError: The temporary index cannot be written.
    """
    problems = Problems(limit)
    counts: dict[str, int] = {}
    complete = False
    with (
        TemporaryFolder() as temporary,
        explained(folder),
        suppress(EnoughProblems),
    ):
        _check(folder, temporary, problems, counts)
        complete = True
    return CheckReport(counts, tuple(problems.found), complete)


def _check(
    folder: Path, temporary: TemporaryFolder, problems: Problems, counts: dict[str, int]
) -> None:
    try:
        files = find_tables(folder, problems)
    except DataFileError as error:
        problems.add(error)
        return
    indexes: dict[str, TableIndex] = {}
    for name, table in TABLES.items():
        file = files.get(name)
        if file is None and table.required:
            problems.add(missing(folder, table))
            continue
        try:
            indexes[name] = build_checked(table, file, temporary.new_path(name), problems)
        except DataFileError as error:
            problems.add(error)
            continue
        if file is not None:
            counts[name] = indexes[name].rows
    for reference in REFERENCES:
        concerned = {reference.table.name, *(table.name for table in reference.to)}
        # Against a table that could not be read everything would seem unknown.
        if concerned <= indexes.keys():
            check_reference(reference, indexes, problems)
