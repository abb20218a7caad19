"""Checkpoints: what a leaf of the log's Merkle tree is, and what is signed of the tree.

A signed head is a checkpoint (https://c2sp.org/tlog-checkpoint) in the form of a signed note
(https://c2sp.org/signed-note), so that tools of others can check it. Its text has four lines: the
log's name, the number of leaves, the root in base 64, and as an extension the time. The signature
is Ed25519 (RFC 8032); the name of the key is that of the log.
"""

import binascii
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from struct import Struct
from struct import error as StructError  # noqa: N812
from typing import Final
from uuid import UUID

from testamur.domain.errors import InvalidInput
from testamur.domain.merkle import HASH_BYTES

#: Position, stream, version and length of the name; big-endian, 30 bytes together.
_PLACE: Final = Struct(">Q16sIH")

_STREAM_ID_BYTES: Final = 16

#: The beginning of all hashes of leaves (RFC 6962, section 2.1).
_LEAF: Final = sha256(b"\x00")

#: Type of an Ed25519 key in a signed note.
_ED25519: Final = b"\x01"

_KEY_ID_BYTES: Final = 4
_SIGNATURE_BYTES: Final = 64
_TIME: Final = "time "
_ALLOWED: Final = (
    "a signed checkpoint: the log's name, the number of events, the root in base 64, the time, an "
    "empty line, and a signature"
)


def event_leaf_hash(position: int, stream_id: UUID, version: int, name: str, state: bytes) -> bytes:
    """Return the hash of an event's leaf (RFC 6962, section 2.1).

    The leaf is: position (8 bytes), stream id (16), version (4), length of the name (2), all
    big-endian; the name in UTF-8; the state to the end. Whatever is altered, dropped, inserted or
    moved, one of these is another than before.

    Args:
        position: The event's place in the log, from 1; its leaf has the index one less.
        stream_id: Id of its aggregate.
        version: Its place in the aggregate's stream.
        name: Its stable versioned name.
        state: Its envelope, as it is stored.

    Raises:
        ValueError: A number or the name does not fit, or the state is no bytes; no event that was
            recorded has such.
    """
    (hashed,) = event_leaf_hashes([(position, stream_id.bytes, version, name, state)])
    return hashed


def event_leaf_hashes(events: Iterable[tuple[int, bytes, int, str, bytes]]) -> list[bytes]:
    """Return the hashes of many events' leaves, in the order given.

    Args:
        events: Of each: position, stream id (16 bytes), version, name and state, as above.

    Raises:
        ValueError: As :func:`event_leaf_hash`.
    """
    # Written out, because every event goes through here.
    hashes = []
    begun, pack = _LEAF.copy, _PLACE.pack
    position = 0
    try:
        for position, stream_id, version, name, state in events:
            written = name.encode()
            if len(stream_id) != _STREAM_ID_BYTES:
                raise ValueError("its stream has no id")  # packing would fill or cut it
            leaf = begun()
            leaf.update(pack(position, stream_id, version, len(written)) + written + state)
            hashes.append(leaf.digest())
    except (StructError, TypeError, ValueError) as error:
        raise ValueError(f"event {position} cannot have been recorded so: {error}") from error
    return hashes


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a head says of the tree.

    Args:
        origin: Name of the log.
        size: Number of leaves.
        root: Root of the tree, 32 bytes.
        at: When it was made (aware, UTC).
    """

    origin: str
    size: int
    root: bytes
    at: datetime

    @property
    def text(self) -> str:
        """The lines that are signed, in UTF-8."""
        root = b64encode(self.root).decode()
        return f"{self.origin}\n{self.size}\n{root}\n{_TIME}{time_text(self.at)}\n"


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint as it was read from a note, with the log's signature; not verified yet.

    Args:
        checkpoint: What it says.
        text: The lines that are signed.
        key_id: Of the key that is said to have signed it.
        signature: 64 bytes.
    """

    checkpoint: Checkpoint
    text: str
    key_id: str
    signature: bytes

    @property
    def note(self) -> str:
        """The whole note."""
        return signed_note(self.text, self.checkpoint.origin, self.key_id, self.signature)


def signed_note(text: str, origin: str, key_id: str, signature: bytes) -> str:
    """Return a note: text, empty line, signature.

    Args:
        text: What is signed, with a line feed at its end.
        origin: Name of the log, and of its key.
        key_id: See :func:`key_id_of`.
        signature: Ed25519, 64 bytes.
    """
    signed = b64encode(bytes.fromhex(key_id) + signature).decode()
    return f"{text}\n\N{EM DASH} {origin} {signed}\n"


def parse_checkpoint(note: str, field: str = "checkpoint") -> SignedCheckpoint:
    """Read a checkpoint; signatures of others beside the log's (witnesses) are left out.

    Args:
        note: As :func:`signed_note` writes it.
        field: Name of the field in the error.

    Raises:
        InvalidInput: It is no checkpoint, or the log has not signed it.
    """
    text, empty, signatures = note.strip().rpartition("\n\n")
    try:
        if not empty:
            raise ValueError("there is no signature")
        text += "\n"
        origin, size, root, *extensions = text[:-1].split("\n")
        checkpoint = Checkpoint(
            origin, _size(size), b64decode(root, validate=True), _time_in(extensions)
        )
        if not origin or len(checkpoint.root) != HASH_BYTES or checkpoint.text != text:
            raise ValueError("its lines are not as they should be")
        key_id, signature = _signature_of(origin, signatures)
    except (ValueError, binascii.Error) as error:
        first = note.strip().partition("\n")[0]
        raise InvalidInput(field, first, f"{_ALLOWED} ({error})") from None
    return SignedCheckpoint(checkpoint, text, key_id, signature)


def key_id_of(origin: str, public_key: bytes) -> str:
    """Return the id of a key in notes: eight hexadecimal digits.

    Args:
        origin: Name of the log.
        public_key: Ed25519, 32 bytes.
    """
    named = origin.encode() + b"\n" + _ED25519 + public_key
    return sha256(named).digest()[:_KEY_ID_BYTES].hex()


def verifier_key(origin: str, public_key: bytes) -> str:
    """Return a public key in the form that verifiers of signed notes are given."""
    encoded = b64encode(_ED25519 + public_key).decode()
    return f"{origin}+{key_id_of(origin, public_key)}+{encoded}"


def key_statement(origin: str, public_key: bytes, since: datetime) -> bytes:
    """Return what a key signs to introduce the one that follows on it; the first, for itself.

    Its first line is in no checkpoint, so neither can stand for the other.

    Args:
        origin: Name of the log.
        public_key: The key that is introduced, Ed25519, 32 bytes.
        since: When it comes into use (aware).
    """
    key = verifier_key(origin, public_key)
    return f"testamur log key\n{key}\n{_TIME}{time_text(since)}\n".encode()


def time_text(moment: datetime) -> str:
    """Return a moment as signed texts have it: ISO 8601 in UTC, to the microsecond."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _size(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or str(int(text)) != text:
        raise ValueError("the second line is no number")
    return int(text)


def _time_in(extensions: list[str]) -> datetime:
    if len(extensions) != 1 or not extensions[0].startswith(_TIME):
        raise ValueError("there is no time, or more than that")
    return datetime.fromisoformat(extensions[0].removeprefix(_TIME))


def _signature_of(origin: str, signatures: str) -> tuple[str, bytes]:
    for line in signatures.split("\n"):
        dash, _, rest = line.partition(" ")
        name, _, encoded = rest.rpartition(" ")
        if dash == "\N{EM DASH}" and name == origin:
            signed = b64decode(encoded, validate=True)
            if len(signed) == _KEY_ID_BYTES + _SIGNATURE_BYTES:
                return signed[:_KEY_ID_BYTES].hex(), signed[_KEY_ID_BYTES:]
    raise ValueError("the log itself has not signed it")
