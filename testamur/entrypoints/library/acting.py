"""Acting: what all parts of the library facade rest on."""

from pathlib import Path

from testamur.application.ports.system import IdSource
from testamur.application.requests import Request
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
        raise InvalidInput("file", str(file), f"a readable file ({error.strerror})") from None
