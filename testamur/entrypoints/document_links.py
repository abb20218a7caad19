"""Document links: the lasting address of a document, and what it leads to at the moment.

Messages to learners name ``PUBLIC_URL/documents/VERIFICATION_ID``. The application here answers at
that address; any server or framework that speaks WSGI (PEP 3333) can mount it.
"""

import logging
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, Final

from testamur.application.errors import DocumentWithdrawn
from testamur.domain.errors import NotFound, TestamurError
from testamur.entrypoints.library import Testamur

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

#: Bytes that are passed on at a time.
PIECE_SIZE: Final = 64 * 1024

#: Whoever found a server of ours away may ask again after so many seconds.
ASK_AGAIN_SECONDS: Final = 30

_ADDRESS: Final = re.compile(r"/documents/([A-Za-z0-9_-]{1,128})")

#: A link of the moment must not be kept, nor told to whatever it leads to.
_ALWAYS: Final = (
    ("Cache-Control", "no-store"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
)

_logger: Final = logging.getLogger("testamur.links")


class DocumentLinks:
    """Answers ``/documents/VERIFICATION_ID`` as the credential is now.

    Where the storage gives links, as S3 does, the answer leads to a fresh one (302). Otherwise it
    is the document itself. A credential that was revoked, replaced or erased is gone (410), an
    unknown one is not found (404), and so is its own id, which could be worked out from a
    learner's. Where database or storage are away, it is to be tried again (503).

    Args:
        testamur: The installation; whoever opened it closes it. Several threads may use it.
    """

    def __init__(self, testamur: Testamur) -> None:
        self._testamur = testamur

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer one request, as PEP 3333 has it."""
        method = environ.get("REQUEST_METHOD", "GET")
        reply = _Reply(start_response, with_body=method != "HEAD")
        if method not in ("GET", "HEAD"):
            return reply.say("405 Method Not Allowed", "Only GET and HEAD.", ("Allow", "GET, HEAD"))
        found = _ADDRESS.fullmatch(environ.get("PATH_INFO", ""))
        if found is None:
            return reply.say("404 Not Found", _UNKNOWN)
        try:
            return self._answer(found[1], reply)
        except NotFound:
            return reply.say("404 Not Found", _UNKNOWN)
        except DocumentWithdrawn:
            return reply.say("410 Gone", _GONE)
        except TestamurError as error:
            _logger.warning("document %s: %s", found[1], error.for_the_record())
            again = ("Retry-After", str(ASK_AGAIN_SECONDS))
            return reply.say("503 Service Unavailable", _AWAY, again)

    def _answer(self, reference: str, reply: "_Reply") -> Iterable[bytes]:
        verification = self._testamur.verify(reference)
        if verification.status in ("unknown", "not-yet-issued"):
            return reply.say("404 Not Found", _UNKNOWN)
        if verification.status not in ("valid", "expired"):
            return reply.say("410 Gone", _GONE)
        id_ = self._testamur.find_credential(reference)
        credential = self._testamur.credential(id_)
        if not credential.artifacts and credential.awarded.document_link is not None:
            return reply.lead_to(credential.awarded.document_link)
        if self._testamur.gives_links:
            return reply.lead_to(self._testamur.download_url(reference))
        artifact = credential.artifacts[0]
        ending = PurePosixPath(artifact.storage_key).suffix
        opened = ExitStack()
        stream = opened.enter_context(self._testamur.open_document(id_))
        reply.begin(
            "200 OK",
            ("Content-Type", artifact.media_type),
            ("Content-Length", str(artifact.size)),
            ("Content-Disposition", f'inline; filename="certificate{ending}"'),
        )
        pieces = _Pieces(stream, opened)
        if reply.with_body:
            return pieces
        pieces.close()
        return ()


_UNKNOWN: Final = "There is no such document."
_GONE: Final = "This document is not given out any more."
_AWAY: Final = "The document cannot be had at the moment. Please try again soon."


class _Reply:
    """The reply to one request.

    Args:
        start_response: Begins it.
        with_body: Whether it has more than its head.
    """

    def __init__(self, start_response: "StartResponse", *, with_body: bool) -> None:
        self._start_response = start_response
        self.with_body = with_body

    def begin(self, status: str, *headers: tuple[str, str]) -> None:
        """Begin it."""
        self._start_response(status, [*headers, *_ALWAYS])

    def say(self, status: str, text: str, *headers: tuple[str, str]) -> Iterable[bytes]:
        """Say something to a person."""
        content = f"{text}\n".encode()
        length = ("Content-Length", str(len(content)))
        self.begin(status, ("Content-Type", "text/plain; charset=utf-8"), length, *headers)
        return (content,) if self.with_body else ()

    def lead_to(self, address: str) -> Iterable[bytes]:
        """Lead to another address, for this time only."""
        return self.say("302 Found", address, ("Location", address))


class _Pieces(Iterator[bytes]):
    """A document piece by piece; the server closes it in the end.

    Args:
        stream: The document.
        opened: Closes it.
    """

    def __init__(self, stream: BinaryIO, opened: ExitStack) -> None:
        self._read: Callable[[int], bytes] = stream.read
        self._opened = opened

    def __next__(self) -> bytes:
        piece = self._read(PIECE_SIZE)
        if not piece:
            raise StopIteration
        return piece

    def close(self) -> None:
        """Close the document."""
        self._opened.close()
