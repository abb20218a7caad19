"""Encryption of what is personal in an event, under the key of the learner whom it is about.

AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce. What is authenticated with the ciphertext
says where it belongs, so that it cannot be moved to another event, field or stream.
"""

import os
from base64 import b64decode, b64encode
from hashlib import sha256
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES: Final = 12


class LearnerCipher:
    """Encrypts and decrypts one learner's personal data.

    Args:
        key: The learner's data key, 32 bytes.
    """

    __slots__ = ("_aead", "_key")

    def __init__(self, key: bytes) -> None:
        self._aead = AESGCM(key)
        self._key = key

    @property
    def key_id(self) -> str:
        """Tells one key from another and nothing else; stored beside what it encrypted."""
        return sha256(b"testamur key id" + self._key).hexdigest()[:16]

    def encrypt(self, plaintext: bytes, place: bytes) -> bytes:
        """Return nonce and ciphertext in base 64.

        Args:
            plaintext: What is personal.
            place: Where it is stored, see :func:`place`.
        """
        nonce = os.urandom(_NONCE_BYTES)
        return b64encode(nonce + self._aead.encrypt(nonce, plaintext, place))

    def decrypt(self, text: str, place: bytes) -> bytes:
        """Return what was encrypted for this place.

        Raises:
            cryptography.exceptions.InvalidTag: It was encrypted for another place or under
                another key, or changed since.
            ValueError: It is not base 64, or too short.
        """
        sealed = b64decode(text, validate=True)
        return self._aead.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], place)


def place(stream_id: UUID, version: int, name: str, field: str) -> bytes:
    """Return the place of a personal field, which its ciphertext is bound to.

    Args:
        stream_id: Stream of the event.
        version: The event's version in the stream.
        name: Name that the event is stored under.
        field: Name of the field.
    """
    return f"{stream_id.hex}:{version}:{name}:{field}".encode()
