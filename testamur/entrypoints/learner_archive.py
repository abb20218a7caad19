"""The archive of everything that is held about one learner: a ZIP file to hand to them."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zipfile import ZIP_DEFLATED, ZipFile

from pydantic_core import to_jsonable_python

from testamur.domain.errors import InvalidInput

if TYPE_CHECKING:
    from testamur.application.exporting import HeldFile, LearnerExport

#: Holds all but the documents.
DATA_FILE: Final = "learner.json"

#: It is about one person, so it is for whoever made it alone.
_FILE_MODE: Final = 0o600


def write_archive(
    file: Path, export: "LearnerExport", documents: "Iterable[tuple[HeldFile, bytes]]"
) -> None:
    """Write the archive; a file that is there already is left alone.

    Args:
        file: Where to.
        export: What is held.
        documents: The documents, each with its content.

    Raises:
        InvalidInput: The file is there already, or cannot be written.
        TestamurError: A document cannot be read; nothing is left of the archive then.
    """
    text = json.dumps(to_jsonable_python(export), ensure_ascii=False, indent=2) + "\n"
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE)
    except OSError as error:
        allowed = f"a file that does not exist yet and can be written ({error.strerror})"
        raise InvalidInput("to", str(file), allowed) from None
    try:
        with os.fdopen(descriptor, "wb") as opened, ZipFile(opened, "w", ZIP_DEFLATED) as archive:
            archive.writestr(DATA_FILE, text)
            for document, content in documents:
                archive.writestr(document.filename, content)
    except BaseException:
        file.unlink(missing_ok=True)
        raise
