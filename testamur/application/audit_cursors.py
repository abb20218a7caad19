"""Cursors of the audit trail: where a page ended, bound to the question that it answers."""

import hashlib
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime
from typing import Final

from testamur.application.ports.audit import AuditFilter
from testamur.domain.errors import InvalidInput

#: Version, position of the last entry, digest of the question, check over these three.
_LAYOUT: Final = struct.Struct(">BQ8s4s")
_VERSION: Final = 1
_CHECKED: Final = _LAYOUT.size - 4


def cursor_after(position: int, where: AuditFilter, *, newest_first: bool) -> str:
    """Return the cursor of the page after a position.

    Args:
        position: Of the last entry of the page before.
        where: Which entries are asked for.
        newest_first: In which order.
    """
    question = _question(where, newest_first=newest_first)
    checked = _LAYOUT.pack(_VERSION, position, question, b"")[:_CHECKED]
    return urlsafe_b64encode(checked + _check(checked)).decode()


def position_of(cursor: str, where: AuditFilter, *, newest_first: bool) -> int:
    """Return the position that a cursor goes on after.

    Raises:
        InvalidInput: It is none, or it is one of another question.
    """
    try:
        content = urlsafe_b64decode(cursor.strip().encode("ascii"))
        version, position, question, check = _LAYOUT.unpack(content)
    except (NotBase64, UnicodeEncodeError, struct.error):
        version, content, check = 0, b"", b"?"
    if version != _VERSION or check != _check(content[:_CHECKED]):
        raise InvalidInput("cursor", cursor, "the cursor of the page before, unchanged and whole")
    if question != _question(where, newest_first=newest_first):
        raise InvalidInput(
            "cursor",
            cursor,
            "a cursor of the same question; this one is of another filter or of the other order, "
            "so begin again without it",
        )
    return int(position)


def _check(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()[:4]


def _question(where: AuditFilter, *, newest_first: bool) -> bytes:
    said = "\x1f".join((str(newest_first), *_conditions(where)))
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).digest()[:8]


def _conditions(where: AuditFilter) -> Iterator[str]:
    for field in fields(where):
        value = getattr(where, field.name)
        if isinstance(value, datetime):
            value = value.astimezone(UTC).isoformat()
        if value is not None:
            yield f"{field.name}={value}"
