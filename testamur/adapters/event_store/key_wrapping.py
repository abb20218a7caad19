"""Key wrapping: the learners' data keys encrypted under a master key that is in no database.

A wrapped key is 69 bytes: one byte 0x01 for this layout; 8 bytes that tell which master key it is
under; a random nonce of 12 bytes; ciphertext and tag of AES-256-GCM (NIST SP 800-38D), 32 and 16
bytes. The first nine bytes and the learner's id are authenticated with it, so that nobody can give
a learner the key of another. A key of 32 bytes is not wrapped: it was stored without a master key.
"""

import os
from base64 import b64decode
from binascii import Error as NotBase64
from collections import Counter
from collections.abc import Iterable
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from testamur.application.errors import EventStoreError
from testamur.application.ports.secret_keys import KEY_BYTES, KeyCounts
from testamur.domain.identifiers import LearnerId

#: Goes before the id of the master key; the next layout has the next number.
LAYOUT: Final = b"\x01"
ID_BYTES: Final = 8
#: Bytes that tell which master key a stored key is under.
HEAD_BYTES: Final = len(LAYOUT) + ID_BYTES

_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
WRAPPED_BYTES: Final = HEAD_BYTES + _NONCE_BYTES + KEY_BYTES + _TAG_BYTES

ALLOWED: Final = "32 random bytes in base 64, as `openssl rand -base64 32` writes them"


class MasterKey:
    """A key that learners' keys are wrapped under.

    Args:
        key: 32 bytes.

    Attributes:
        key_id: Tells one master key from another and nothing else, 16 hexadecimal digits.
    """

    __slots__ = ("_aead", "_head", "key_id")

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(ALLOWED)
        self._aead = AESGCM(key)
        identity = sha256(b"testamur master key id" + key).digest()[:ID_BYTES]
        self._head = LAYOUT + identity
        self.key_id = identity.hex()

    @classmethod
    def parse(cls, text: str) -> "MasterKey":
        """Return the key that a setting or a file holds.

        Raises:
            ValueError: It is not 32 bytes in base 64; the message says what is allowed.
        """
        try:
            return cls(b64decode("".join(text.split()), validate=True))
        except (NotBase64, ValueError):
            raise ValueError(ALLOWED) from None

    @property
    def head(self) -> bytes:
        """What every key that is wrapped under this one begins with."""
        return self._head

    def wrap(self, learner_id: LearnerId, secret: bytes) -> bytes:
        """Return a learner's key as it is stored."""
        nonce = os.urandom(_NONCE_BYTES)
        return self._head + nonce + self._aead.encrypt(nonce, secret, self._place(learner_id))

    def unwrap(self, learner_id: LearnerId, stored: bytes) -> bytes:
        """Return a learner's key.

        Raises:
            cryptography.exceptions.InvalidTag: It was stored for another learner, or changed since.
        """
        nonce, sealed = stored[HEAD_BYTES:][:_NONCE_BYTES], stored[HEAD_BYTES + _NONCE_BYTES :]
        return self._aead.decrypt(nonce, sealed, self._place(learner_id))

    def _place(self, learner_id: LearnerId) -> bytes:
        return self._head + learner_id.encode()


class KeyWrapping:
    """Wraps and unwraps learners' keys, as far as there are master keys.

    While the master key is changed, there are two. What is written is under the new one, and both
    are read.

    Args:
        current: The setting ``master_key``, if it is set.
        upcoming: The setting ``master_key_next``, if it is set.
    """

    def __init__(self, current: MasterKey | None = None, upcoming: MasterKey | None = None) -> None:
        self._current = current
        self._upcoming = upcoming
        self._by_head = {each.head: each for each in (current, upcoming) if each is not None}

    @property
    def target(self) -> MasterKey | None:
        """The master key that learners' keys are to be under; None: they are not wrapped."""
        return self._upcoming or self._current

    @property
    def head(self) -> bytes:
        """What stored keys begin with that are under the target.

        Raises:
            EventStoreError: There is no master key.
        """
        if self.target is None:
            raise EventStoreError(
                "there is no master key to wrap the learners' keys under; set master_key or "
                f"master_key_file ({ALLOWED})"
            )
        return self.target.head

    def wrap(self, learner_id: LearnerId, secret: bytes) -> bytes:
        """Return a learner's key as it is stored: wrapped where there is a master key."""
        return secret if self.target is None else self.target.wrap(learner_id, secret)

    def unwrap(self, learner_id: LearnerId, stored: bytes) -> bytes:
        """Return a learner's key, whether it was stored wrapped or not.

        Raises:
            EventStoreError: It is under a master key that is not here, or was tampered with.
        """
        if len(stored) == KEY_BYTES:
            return stored
        self.check([stored])
        try:
            return self._by_head[stored[:HEAD_BYTES]].unwrap(learner_id, stored)
        except InvalidTag:
            raise EventStoreError(
                f"the data key of learner {learner_id!r} is damaged, was tampered with, or is "
                "another learner's"
            ) from None

    def unwrap_all(self, stored: Iterable[tuple[str, bytes]]) -> dict[LearnerId, bytes]:
        """Return the keys of several learners, given with their ids.

        Raises:
            EventStoreError: As :meth:`unwrap`.
        """
        return {
            LearnerId(learner_id): self.unwrap(LearnerId(learner_id), each)
            for learner_id, each in stored
        }

    def check(self, stored: Iterable[bytes]) -> None:
        """Make sure that the master keys of some stored keys are here, without unwrapping any.

        Raises:
            EventStoreError: A master key is missing, or another one is set.
        """
        for each in stored:
            if len(each) == KEY_BYTES or each[:HEAD_BYTES] in self._by_head:
                continue
            if len(each) != WRAPPED_BYTES or each[:1] != LAYOUT:
                raise EventStoreError(
                    "a learner's data key is damaged, or was written by a newer release of Testamur"
                )
            found = each[1:HEAD_BYTES].hex()
            here = ", ".join(master.key_id for master in self._by_head.values())
            told = f"the one that is set is {here}" if here else "none is set"
            raise EventStoreError(
                f"the learners' data keys are wrapped under master key {found}, and {told}; set "
                "master_key (or master_key_file) to the one that they were wrapped under, or "
                "master_key_next too while it is being changed"
            )

    def counts(self, wrapped: Iterable[tuple[bytes, int]], destroyed: int) -> KeyCounts:
        """Return how many keys are under which master key.

        Args:
            wrapped: Beginnings of stored keys (of `HEAD_BYTES`; empty for those not wrapped), and
                how many have it.
            destroyed: How many were destroyed.
        """
        under: Counter[str] = Counter()
        for head, count in wrapped:
            under[head[1:].hex()] += count
        unwrapped = under.pop("", 0)
        return KeyCounts(
            under=dict(sorted(under.items())),
            unwrapped=unwrapped,
            destroyed=destroyed,
            current=None if self._current is None else self._current.key_id,
            upcoming=None if self._upcoming is None else self._upcoming.key_id,
        )
