"""What leaves the house: heads to keep elsewhere, proofs, and how they are written and read."""

import binascii
import json
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from testamur.application.ports.log import StoredRecord
from testamur.application.ports.transparency import LogKey, TreeHead
from testamur.domain.checkpoints import (
    Checkpoint,
    SignedCheckpoint,
    parse_checkpoint,
    signed_note,
    time_text,
    verifier_key,
)
from testamur.domain.errors import InvalidInput
from testamur.domain.identifiers import CredentialId

HEAD_FORMAT: Final = "testamur-head.1"
PROOF_FORMAT: Final = "testamur-proof.1"
CONSISTENCY_FORMAT: Final = "testamur-consistency.1"

_PUBLIC_KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class SignedHead:
    """A signed head with the keys of the log, complete for whoever keeps it elsewhere.

    Args:
        origin: Name of the log.
        head: The head.
        keys: All keys of the log, in the order in which they came.
    """

    origin: str
    head: TreeHead
    keys: Sequence[LogKey]

    @property
    def note(self) -> str:
        """The head as a signed checkpoint."""
        head = self.head
        text = Checkpoint(self.origin, head.size, head.root, head.at).text
        return signed_note(text, self.origin, head.key_id, head.signature)

    def document(self) -> dict[str, Any]:
        """Return the head as JSON has it."""
        return {"format": HEAD_FORMAT} | self.parts()

    def parts(self) -> dict[str, Any]:
        """Return what every document with a head says of it."""
        return {
            "origin": self.origin,
            "size": self.head.size,
            "root": _encoded(self.head.root),
            "signed_at": time_text(self.head.at),
            "checkpoint": self.note,
            "keys": [
                {
                    "key_id": key.key_id,
                    "verifier_key": verifier_key(self.origin, key.public_key),
                    "since": time_text(key.since),
                    "introduced_by": key.introduced_by,
                    "signature": _encoded(key.signature),
                }
                for key in self.keys
            ],
        }


@dataclass(frozen=True, slots=True)
class EventProof:
    """An event, and what proves that it is in the log.

    Args:
        record: As it is stored.
        path: Hashes, see `testamur.domain.merkle.includes`.
    """

    record: StoredRecord
    path: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class CredentialProof:
    """What proves that the events of a credential are in the log.

    Args:
        credential_id: The credential.
        head: Of the tree that they are in.
        events: All that happened to it until then, in order.
    """

    credential_id: CredentialId
    head: SignedHead
    events: Sequence[EventProof]

    def document(self) -> dict[str, Any]:
        """Return the proof as JSON has it; personal data is in it as ciphertexts only."""
        return {
            "format": PROOF_FORMAT,
            "credential_id": str(self.credential_id),
            "head": self.head.parts(),
            "events": [
                {
                    "position": proof.record.position,
                    "stream_id": str(proof.record.stream_id),
                    "version": proof.record.version,
                    "name": proof.record.name,
                    "state": _encoded(proof.record.state),
                    "path": [_encoded(each) for each in proof.path],
                }
                for proof in self.events
            ],
        }


@dataclass(frozen=True, slots=True)
class ConsistencyProof:
    """What proves that the log only grew between two heads.

    Args:
        earlier: The earlier head, as it was kept.
        head: The later one.
        path: Hashes, see `testamur.domain.merkle.is_consistent`.
    """

    earlier: "KeptHead"
    head: SignedHead
    path: Sequence[bytes]

    def document(self) -> dict[str, Any]:
        """Return the proof as JSON has it."""
        return {
            "format": CONSISTENCY_FORMAT,
            "from": self.earlier.signed.note,
            "head": self.head.parts(),
            "path": [_encoded(each) for each in self.path],
        }


@dataclass(frozen=True, slots=True)
class KeptHead:
    """A head that somebody kept outside the database.

    Args:
        signed: What it says, and its signature, which was not verified yet.
        public_keys: Those in the same file; 32 bytes each. A bare checkpoint has none.
    """

    signed: SignedCheckpoint
    public_keys: Sequence[bytes] = ()


def read_kept_head(text: str, field: str = "head") -> KeptHead:
    """Read a head: the JSON of `SignedHead`, or a bare checkpoint.

    Args:
        text: What was kept.
        field: Name of the field in the error.

    Raises:
        InvalidInput: It is neither.
    """
    if not text.lstrip().startswith("{"):
        return KeptHead(parse_checkpoint(text, field))
    try:
        document = json.loads(text)
        signed = parse_checkpoint(document["checkpoint"], field)
        keys = [_public_key(key["verifier_key"], signed) for key in document.get("keys", ())]
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise InvalidInput(
            field,
            text.strip().partition("\n")[0],
            f"what `testamur audit head --json` wrote, or a signed checkpoint ({error!r})",
        ) from None
    return KeptHead(signed, tuple(keys))


def _public_key(key: str, signed: SignedCheckpoint) -> bytes:
    encoded = key.removeprefix(signed.checkpoint.origin + "+").partition("+")[2]
    decoded = b64decode(encoded, validate=True)
    if len(decoded) != 1 + _PUBLIC_KEY_BYTES:
        raise ValueError("a key is not of the log")
    return decoded[1:]


def _encoded(content: bytes) -> str:
    return b64encode(content).decode()
