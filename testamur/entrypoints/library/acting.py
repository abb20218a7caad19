"""Acting: what all parts of the library facade rest on."""

from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO

from testamur.application.ports.system import IdSource
from testamur.application.requests import Request
from testamur.application.streams import Opened
from testamur.domain.errors import InvalidInput
from testamur.domain.identifiers import Actor
from testamur.entrypoints.container import Wiring


class Acting:
    """An installation, in the name of one actor.

    Args:
        wiring: The installation.
        actor: In whose name things are done.
    """

    def __init__(self, wiring: Wiring, actor: Actor) -> None:
        self._wiring = wiring
        self._actor = actor

    def _request(self) -> Request:
        return Request(self._actor, self._wiring.resolve(IdSource).request_id())


def content_of(file: Path | bytes, filename: str) -> tuple[bytes, str]:
    """Return the content and the name of a file, or of content as it was given.

    Raises:
        InvalidInput: It cannot be read.
    """
    if isinstance(file, bytes):
        return file, filename
    try:
        return file.read_bytes(), file.name
    except OSError as error:
        raise _unreadable(file, error) from None


def asset_content(file: Path | bytes, filename: str) -> tuple[bytes | Opened, str]:
    """Return the content of an asset, or what opens it, and the name of its file.

    Raises:
        InvalidInput: It cannot be read.
    """
    # What is no file on a disk, such as a pipe, can be read but once.
    if isinstance(file, bytes) or not _is_on_disk(file):
        return content_of(file, filename)
    return partial(_opened, file), file.name


def _is_on_disk(file: Path) -> bool:
    with suppress(OSError):
        return file.is_file()
    return False


def _opened(file: Path) -> BinaryIO:
    try:
        return file.open("rb")
    except OSError as error:
        raise _unreadable(file, error) from None


def _unreadable(file: Path, error: OSError) -> InvalidInput:
    return InvalidInput("file", str(file), f"a readable file ({error.strerror})")
