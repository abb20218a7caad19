"""The data source filled by a folder of CSV and JSON files, such as a registry exports."""

from testamur.adapters.files.checking import CheckReport
from testamur.adapters.files.errors import (
    DataFileError,
    DuplicateRow,
    UnknownContext,
    UnknownReference,
)
from testamur.adapters.files.source import FileRetrievalSource

__all__ = [
    "CheckReport",
    "DataFileError",
    "DuplicateRow",
    "FileRetrievalSource",
    "UnknownContext",
    "UnknownReference",
]
