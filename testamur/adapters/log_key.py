"""The log's private key: Ed25519 (RFC 8032) in a PEM file (PKCS #8), or in the settings."""

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from testamur.application.errors import StorageError
from testamur.application.ports.transparency import HeadSigner
from testamur.domain.errors import DecisionRefused, InvalidInput

SETTING: Final = "log_key"

_ALLOWED: Final = (
    "an Ed25519 private key in PEM (PKCS #8, without a password), as `openssl genpkey -algorithm "
    "ed25519` makes it"
)
_PEM: Final = "-----BEGIN"


class Ed25519Key:
    """A private key of the log.

    Args:
        private: The key.
    """

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self._public_key = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    @property
    def public_key(self) -> bytes:
        """Its public key, 32 bytes."""
        return self._public_key

    def sign(self, message: bytes) -> bytes:
        """Return the signature of a message, 64 bytes."""
        return self._private.sign(message)


class _Signatures:
    """Checks signatures."""

    def is_signed(self, message: bytes, signature: bytes, public_key: bytes) -> bool:
        """Tell whether a signature is that of a message, by this key."""
        try:
            Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


class LogKeyFile(_Signatures):
    """Fills the port `HeadSigner` with a file, made with mode 0600 when it is first needed.

    It is read each time, so that a process that runs for long follows when another replaces it.

    Args:
        file: Where it is, or is to be.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._next = file.with_name(file.name + ".next")

    @property
    def file(self) -> Path:
        """Where it is, or is to be."""
        return self._file

    def is_open_to_others(self) -> bool:
        """Tell whether every user of the host may read or write it, or its group may write it.

        That its group may read it is how secrets are given to containers.

        Raises:
            InvalidInput: It cannot be looked at.
        """
        try:
            mode = self._file.stat().st_mode
        except FileNotFoundError:
            return False
        except OSError as error:
            raise InvalidInput(SETTING, str(self._file), f"a file ({error.strerror})") from None
        return bool(mode & (stat.S_IRWXO | stat.S_IWGRP))

    def key(self) -> Ed25519Key:
        """Return the key that signs now; it is made where there is none yet.

        Raises:
            InvalidInput: It cannot be read, or is no such key.
            StorageError: It cannot be made.
        """
        return self._read(self._file) or self._made(self._file)

    def public_key(self) -> bytes | None:
        """Return the public key of the key that signs now; None where none was made yet.

        Raises:
            InvalidInput: It cannot be read, or is no such key.
        """
        key = self._read(self._file)
        return key.public_key if key else None

    def prepare_next(self) -> Ed25519Key:
        """Return the key that is to follow; it lies beside the other until :meth:`use_next`."""
        return self._read(self._next) or self._made(self._next)

    def use_next(self) -> None:
        """Put the key that was prepared in the place of the other.

        Raises:
            StorageError: It cannot be put there.
        """
        try:
            self._next.replace(self._file)
            _make_durable(self._file.parent)
        except OSError as error:
            raise StorageError(
                f"the key {self._next} cannot be put in the place of {self._file}: {error.strerror}"
            ) from error

    def _read(self, file: Path) -> Ed25519Key | None:
        try:
            content = file.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise InvalidInput(SETTING, str(file), f"a readable file ({error.strerror})") from None
        return parse_log_key(content, str(file))

    def _made(self, file: Path) -> Ed25519Key:
        """Make a key, or read the one that another process made in this moment."""
        private = Ed25519PrivateKey.generate()
        content = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        fresh = file.with_name(f"{file.name}.{os.getpid()}.{os.urandom(4).hex()}")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                with os.fdopen(descriptor, "wb") as opened:
                    opened.write(content)
                    opened.flush()
                    os.fsync(opened.fileno())
                with suppress(FileExistsError):
                    os.link(fresh, file)  # as a whole, and never over another
                _make_durable(file.parent)
            finally:
                fresh.unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(f"the log's key {file} cannot be made: {error.strerror}") from error
        return self._read(file) or Ed25519Key(private)


class GivenLogKey(_Signatures):
    """Fills the port `HeadSigner` with a key that stands in the settings itself.

    Args:
        pem: The key.

    Raises:
        InvalidInput: It is no such key.
    """

    def __init__(self, pem: str) -> None:
        self._key = parse_log_key(pem.encode(), "(hidden)")

    def key(self) -> Ed25519Key:
        """Return the key."""
        return self._key

    def public_key(self) -> bytes:
        """Return the public key."""
        return self._key.public_key

    def prepare_next(self) -> Ed25519Key:
        """Refuse: where the settings come from, nothing can be put.

        Raises:
            DecisionRefused: Always.
        """
        raise DecisionRefused(
            "the log's key",
            "it stands in the setting log_key itself, which Testamur cannot change; make the next "
            "one with `openssl genpkey -algorithm ed25519`, give it with --next FILE, then put it "
            "into the setting",
        )

    def use_next(self) -> None:
        """Refuse, as :meth:`prepare_next`."""
        self.prepare_next()


def log_key_of(setting: str | None, default: Path) -> HeadSigner:
    """Return the signer that the setting describes; nothing is read or made yet.

    Args:
        setting: A key in PEM, or the path of a file with one.
        default: The file where the setting is left out.

    Raises:
        InvalidInput: The setting holds a key that is not allowed.
    """
    if setting is None:
        return LogKeyFile(default)
    if setting.lstrip().startswith(_PEM):
        return GivenLogKey(setting)
    return LogKeyFile(Path(setting))


def parse_log_key(content: bytes, shown: str) -> Ed25519Key:
    """Return the key of a PEM text.

    Args:
        content: The text.
        shown: What the error shows of it: the file's name, never the key.

    Raises:
        InvalidInput: It is none, or of another kind.
    """
    try:
        key = load_pem_private_key(content.strip() + b"\n", password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InvalidInput(SETTING, shown, f"{_ALLOWED} ({error})") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise InvalidInput(SETTING, shown, f"{_ALLOWED}; this one is of another kind")
    return Ed25519Key(key)


def _make_durable(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
