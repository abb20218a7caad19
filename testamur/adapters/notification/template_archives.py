"""Archives of templates: a ZIP file with a folder for each language, as an asset holds it."""

import io
import zipfile
from pathlib import PurePosixPath
from typing import Final

from testamur.application.ports.notification import TemplateSet
from testamur.domain.errors import InvalidInput

#: Templates are short texts; more is a mistake, or meant to fill the memory.
MOST_FILES: Final = 500
MOST_BYTES: Final = 2 * 1024 * 1024

_FIELD: Final = "notification.templates"


def templates_in(archive: TemplateSet) -> dict[str, str]:
    """Return the templates in an archive by their paths, such as ``pl/issued.txt``.

    Folders are left out, and so is what programs add to archives for themselves (names that begin
    with a dot, ``__MACOSX``).

    Raises:
        InvalidInput: It is no ZIP archive, too large, encrypted, or holds what is no text in UTF-8.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(archive.content)) as opened:
            entries = [each for each in opened.infolist() if _is_template(each)]
            size = sum(each.file_size for each in entries)
            if len(entries) > MOST_FILES or size > MOST_BYTES:
                raise _refused(
                    archive, f"at most {MOST_FILES} files, of {MOST_BYTES:,} bytes together"
                )
            return {each.filename: _text(opened, each, archive) for each in entries}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        # RuntimeError is what the standard library raises for an encrypted file.
        raise _refused(archive, f"a ZIP archive that can be read ({error})") from error


def _is_template(entry: zipfile.ZipInfo) -> bool:
    parts = PurePosixPath(entry.filename).parts
    own = any(part.startswith(".") or part == "__MACOSX" for part in parts)
    return not entry.is_dir() and not own


def _text(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, archive: TemplateSet) -> str:
    with opened.open(entry) as file:
        # What the archive says of the size need not be true.
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise _refused(archive, f"at most {MOST_BYTES:,} bytes together")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refused(archive, f"templates in UTF-8; {entry.filename} is not") from error


def _refused(archive: TemplateSet, allowed: str) -> InvalidInput:
    return InvalidInput(_FIELD, archive.name, allowed)
