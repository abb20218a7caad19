"""SoftHSM in tests (Debian: softhsm2): tokens as hardware has them, behind a vendor's library."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Final

import pkcs11
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pkcs11 import Attribute
from pkcs11.util import ec, rsa, x509

from testamur.adapters.signing.files import SigningKeyFiles
from tests.support.signing import Certified, PrivateKey
from tests.support.system_packages import missing

PIN: Final = "493817"

_OFFICERS_PIN: Final = "so-493817"

_LIBRARIES: Final = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/local/lib/softhsm/libsofthsm2.so")

_NUMBERS: Final = count(1)


class TokenInHand:
    """A token with one key and, if it is to, its certificate."""

    def __init__(self, module: Path, label: str) -> None:
        self.module = module
        self.label = label

    def put(
        self,
        signer: Certified,
        label: str = "registrar",
        *,
        key: bool = True,
        certificate: bool = True,
        **more: Any,
    ) -> None:
        """Put a private key and its certificate into the token.

        Args:
            signer: The key and its certificate.
            label: Of both.
            key: Whether the key is put there.
            certificate: Whether the certificate is.
            more: Further attributes of the key.
        """
        stored = {Attribute.TOKEN: True, Attribute.LABEL: label}
        attributes = {Attribute[name.upper()]: value for name, value in more.items()}
        with self._found().open(rw=True, user_pin=PIN) as session:
            if key:
                session.create_object({**_decoded(signer.private_key), **stored, **attributes})
            if certificate:
                content = signer.certificate.public_bytes(Encoding.DER)
                session.create_object({**x509.decode_x509_certificate(content), **stored})

    def empty(self) -> None:
        """Destroy what is in the token."""
        with self._found().open(rw=True, user_pin=PIN) as session:
            for each in list(session.get_objects()):
                each.destroy()

    def files(self, **more: Any) -> SigningKeyFiles:
        """Return settings of the key."""
        given = {"pkcs11_module": self.module, "token_label": self.label, "key_label": "registrar"}
        return SigningKeyFiles.model_validate({**given, "pkcs11_pin": PIN, **more})

    def has_seen_a_wrong_pin(self) -> bool:
        """Return whether one was tried after the last right one."""
        return bool(self._found().flags & pkcs11.TokenFlag.USER_PIN_COUNT_LOW)

    def log_in_and_out(self) -> None:
        """Log in with the right PIN, as its owner does, and out again."""
        self._found().open(user_pin=PIN).close()

    def lose_sessions(self) -> None:
        """Close all of this process's sessions, as a token does that is unplugged for a moment."""
        library = ctypes.CDLL(str(self.module))
        assert library.C_CloseAllSessions(ctypes.c_ulong(self._found().slot.slot_id)) == 0

    def _found(self) -> pkcs11.Token:
        return pkcs11.lib(str(self.module)).get_token(token_label=self.label)


class SoftHsm:
    """SoftHSM with a folder of its own for tokens."""

    def __init__(self, module: Path) -> None:
        self._module = module

    def token(self, label: str | None = None) -> TokenInHand:
        """Return a new token, which is empty."""
        label = label or f"token-{next(_NUMBERS)}"
        library = pkcs11.lib(str(self._module))
        (free,) = (
            each.slot
            for each in library.get_tokens()
            if not each.flags & pkcs11.TokenFlag.TOKEN_INITIALIZED
        )
        # Neither pkcs11 nor SoftHSM's own program can: it does not tell a library that has started.
        pin, padded = _OFFICERS_PIN.encode(), label.ljust(32).encode()
        slot, length = ctypes.c_ulong(free.slot_id), ctypes.c_ulong(len(pin))
        assert ctypes.CDLL(str(self._module)).C_InitToken(slot, pin, length, padded) == 0
        with free.get_token().open(rw=True, so_pin=_OFFICERS_PIN) as session:
            session.init_pin(PIN)
        return TokenInHand(self._module, label)


def _decoded(key: PrivateKey) -> dict[Attribute, Any]:
    # SEC 1 for elliptic curves, PKCS #1 for RSA.
    der = key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    if isinstance(key, RSAPrivateKey):
        return rsa.decode_rsa_private_key(der)
    return ec.decode_ec_private_key(der)


@contextmanager
def softhsm_in(folder: Path) -> Iterator[SoftHsm]:
    """Use SoftHSM in this process; where it is missing, skip the test, but not in CI.

    Args:
        folder: Where it keeps its tokens. It is read once in a process, when the library starts.
    """
    module = next(filter(Path.is_file, map(Path, _LIBRARIES)), None)
    if module is None:
        missing("SoftHSM")
    (folder / "tokens").mkdir()
    settings = folder / "softhsm2.conf"
    settings.write_text(
        f"directories.tokendir = {folder / 'tokens'}\n"
        "log.level = ERROR\n"
        "library.reset_on_fork = true\n"  # a child cannot use what its parent has opened
    )
    before = os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = str(settings)
    try:
        yield SoftHsm(module)
    finally:
        if before is None:
            del os.environ["SOFTHSM2_CONF"]
        else:
            os.environ["SOFTHSM2_CONF"] = before
