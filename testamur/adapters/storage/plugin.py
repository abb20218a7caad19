"""The plugin ``local``: a folder as storage that settings choose."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from testamur.adapters.storage.local import LocalFolderStorage


class LocalOptions(BaseModel):
    """Where files are kept.

    Args:
        folder: Where documents and assets lie; all of it must be one file system.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: Path


class LocalStorage(LocalFolderStorage):
    """A folder of a local file system."""

    options_model = LocalOptions

    def __init__(self, options: LocalOptions) -> None:
        super().__init__(options.folder)
