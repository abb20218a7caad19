"""The plugin ``files``: data files as a source that settings choose."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from testamur.adapters.files.source import FileRetrievalSource


class FilesOptions(BaseModel):
    """Where the data files are.

    Args:
        folder: Folder with the data files that say who has earned what.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: Path


class FilesSource(FileRetrievalSource):
    """A folder of CSV and JSON files."""

    options_model = FilesOptions

    def __init__(self, options: FilesOptions) -> None:
        super().__init__(options.folder)
