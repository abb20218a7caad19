"""Checks a proof that Testamur wrote, without Testamur: for whoever was given one.

It needs Python 3.11 and the package `cryptography`, and nothing else. Give it the proof, and what
you trust: the log's key, or a head that you kept::

    python check_proof.py proof.json --key 'testamur/log/5f…+0a1b2c3d+AZ…'
    python check_proof.py proof.json --head head.json

The exit code is 0 where the proof holds, and 1 where it does not.
"""

import argparse
import base64
import hashlib
import json
import struct
import sys
import uuid
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class DoesNotHold(Exception):
    """The proof does not prove what it says."""


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node of the tree (RFC 6962, section 2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def leaf_hash(event: dict[str, Any]) -> bytes:
    """Return the hash of an event's leaf: where it stands, what it is called, what it says."""
    name = event["name"].encode()
    place = struct.pack(
        ">Q16sIH",
        event["position"],
        uuid.UUID(event["stream_id"]).bytes,
        event["version"],
        len(name),
    )
    return hashlib.sha256(b"\x00" + place + name + decoded(event["state"])).digest()


def root_of(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """Return the root that a path leads to from a leaf (RFC 9162, section 2.1.3.2)."""
    if not 0 <= index < size:
        raise DoesNotHold(f"there is no leaf {index} in a tree of {size}")
    place, last, reached = index, size - 1, leaf
    for step in path:
        if last == 0:
            raise DoesNotHold("a path is too long")
        if place % 2 or place == last:
            reached = node_hash(step, reached)
            while place and not place % 2:
                place, last = place // 2, last // 2
        else:
            reached = node_hash(reached, step)
        place, last = place // 2, last // 2
    if last:
        raise DoesNotHold("a path is too short")
    return reached


def roots_of(size: int, root: bytes, larger_size: int, path: list[bytes]) -> tuple[bytes, bytes]:
    """Return both roots that a path of consistency leads to (RFC 9162, section 2.1.4.2)."""
    if not 0 < size <= larger_size:
        raise DoesNotHold(f"a tree of {larger_size} cannot go on from one of {size}")
    if size == larger_size:
        if path:
            raise DoesNotHold("a path is too long")
        return root, root
    steps = [root, *path] if size & (size - 1) == 0 else list(path)
    if not steps:
        raise DoesNotHold("a path is too short")
    place, last = size - 1, larger_size - 1
    while place % 2:
        place, last = place // 2, last // 2
    earlier = later = steps[0]
    for step in steps[1:]:
        if last == 0:
            raise DoesNotHold("a path is too long")
        if place % 2 or place == last:
            earlier, later = node_hash(step, earlier), node_hash(step, later)
            while place and not place % 2:
                place, last = place // 2, last // 2
        else:
            later = node_hash(later, step)
        place, last = place // 2, last // 2
    if last:
        raise DoesNotHold("a path is too short")
    return earlier, later


def decoded(text: str) -> bytes:
    """Return the bytes of a text in base 64."""
    return base64.b64decode(text, validate=True)


def is_signed(message: bytes, signature: bytes, public_key: bytes) -> bool:
    """Tell whether a signature is that of a message (Ed25519, RFC 8032)."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def key_of(verifier_key: str, origin: str) -> bytes:
    """Return the public key of a verifier key: the log's name, the key's id, the key."""
    name, _, rest = verifier_key.partition("+")
    key_id, _, encoded = rest.partition("+")
    key = decoded(encoded)
    hashed = hashlib.sha256(name.encode() + b"\n" + key).digest()
    if name != origin or key[:1] != b"\x01" or key_id != hashed[:4].hex():
        raise DoesNotHold(f"{verifier_key} is no key of the log {origin}")
    return key[1:]


def trusted_keys(origin: str, keys: list[dict[str, Any]], trusted: list[str]) -> list[bytes]:
    """Return the keys that can be trusted: those given, and those that they introduce in turn."""
    believed = {key_of(each, origin).hex() for each in trusted}
    before: bytes | None = None
    for key in keys:
        public_key = key_of(key["verifier_key"], origin)
        statement = f"testamur log key\n{key['verifier_key']}\ntime {key['since']}\n".encode()
        introduced = before is not None and is_signed(statement, decoded(key["signature"]), before)
        if before is not None and before.hex() in believed and introduced:
            believed.add(public_key.hex())
        before = public_key
    return [bytes.fromhex(each) for each in believed]


def read_checkpoint(note: str) -> tuple[str, str, int, bytes]:
    """Return text, origin, size and root of a checkpoint (c2sp.org/tlog-checkpoint)."""
    text = note.strip().rpartition("\n\n")[0] + "\n"
    origin, size, root, *_ = text.split("\n")
    return text, origin, int(size), decoded(root)


def check_signature(note: str, keys: list[bytes]) -> None:
    """See that one of the keys has signed a checkpoint (c2sp.org/signed-note)."""
    text, origin, _, _ = read_checkpoint(note)
    for line in note.strip().rpartition("\n\n")[2].split("\n"):
        if line.startswith(f"\N{EM DASH} {origin} "):
            signature = decoded(line.rpartition(" ")[2])[4:]
            if any(is_signed(text.encode(), signature, key) for key in keys):
                return
    raise DoesNotHold("no key that is trusted has signed the head")


def check(
    proof: dict[str, Any], key: str | None = None, kept: dict[str, Any] | None = None
) -> list[str]:
    """Check a proof, and return what it proves, in lines for people.

    Args:
        proof: A proof of a credential, or of consistency.
        key: A verifier key of the log that is trusted.
        kept: A head that was kept, and is trusted, with its keys.

    Raises:
        DoesNotHold: The proof does not hold.
    """
    head = proof["head"]
    _, origin, size, root = read_checkpoint(head["checkpoint"])
    trusted = [key] if key else []
    if kept is not None:
        trusted += [each["verifier_key"] for each in kept["keys"]]
    warning = []
    if not trusted:
        named = [each["verifier_key"] for each in head["keys"]]
        trusted = named
        warning = [
            "WARNING: no key was given, so the proof's own is believed. Ask whom you trust",
            f"whether this is the log's key: {named[-1]}",
        ]
    check_signature(head["checkpoint"], trusted_keys(origin, head["keys"], trusted))
    if proof["format"] == "testamur-proof.1":
        return check_events(proof, size, root) + warning
    if proof["format"] == "testamur-consistency.1":
        _, kept_origin, kept_size, kept_root = read_checkpoint(proof["from"])
        if kept is not None and read_checkpoint(kept["checkpoint"])[1:] != (
            kept_origin,
            kept_size,
            kept_root,
        ):
            raise DoesNotHold("the proof is not about the head that you kept")
        path = [decoded(each) for each in proof["path"]]
        if kept_origin != origin or roots_of(kept_size, kept_root, size, path) != (kept_root, root):
            raise DoesNotHold("the log did not only grow between the two heads")
        return [f"The log {origin} only grew, from {kept_size} events to {size}.", *warning]
    raise DoesNotHold(f"{proof['format']!r} is no format that is known here")


def check_events(proof: dict[str, Any], size: int, root: bytes) -> list[str]:
    """See that all events of a credential, from the first on, are in the tree."""
    lines = [f"Credential {proof['credential_id']}, in a log of {size} events:"]
    if not proof["events"]:
        raise DoesNotHold("there are no events in it")
    for version, event in enumerate(proof["events"], start=1):
        if event["stream_id"] != proof["credential_id"] or event["version"] != version:
            raise DoesNotHold(f"event {event['position']} is not number {version} of it")
        path = [decoded(each) for each in event["path"]]
        if root_of(leaf_hash(event), event["position"] - 1, size, path) != root:
            raise DoesNotHold(f"event {event['position']} is not in the log")
        envelope = json.loads(decoded(event["state"]))
        lines.append(
            f"  {event['position']}: {event['name']} at {envelope['time']} by {envelope['actor']}"
        )
    return lines


def main() -> int:
    """Check the proof that the command line names, and return the exit code."""
    parser = argparse.ArgumentParser(description="Check a proof that Testamur wrote.")
    parser.add_argument("proof", type=Path, help="what `testamur audit proof` wrote")
    parser.add_argument("--key", help="verifier key of the log that you trust")
    parser.add_argument(
        "--head", type=Path, help="what `testamur audit head --json` wrote, as you kept it"
    )
    arguments = parser.parse_args()
    try:
        kept = json.loads(arguments.head.read_text()) if arguments.head else None
        lines = check(json.loads(arguments.proof.read_text()), arguments.key, kept)
    except DoesNotHold as error:
        sys.stderr.write(f"DOES NOT HOLD: {error}\n")
        return 1
    except (OSError, ValueError, KeyError, TypeError, struct.error) as error:
        sys.stderr.write(f"DOES NOT HOLD: it cannot be read: {error!r}\n")
        return 1
    print(*lines, "The proof holds.", sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
