"""Keys in tokens (PKCS #11): they sign in there and never leave it. Needs the extra ``pkcs11``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pkcs11
from asn1crypto.algos import SignedDigestAlgorithm
from pkcs11 import Attribute, KeyType, ObjectClass, PKCS11Error
from pyhanko.sign.pkcs11 import RSA_MECH_MAP, select_pkcs11_signing_params

from testamur.adapters.signing.files import SigningKeyFiles
from testamur.adapters.signing.tokens import SESSIONS, WRONG_PIN, Token, told
from testamur.application.errors import RenderingError
from testamur.domain.errors import InvalidInput

#: Of keys that sign documents (PKCS #11), in the words of CMS.
_KINDS: Final = {KeyType.RSA: "rsa", KeyType.EC: "ecdsa"}


class TokenKey:
    """A private key in a token. Any thread and any child of the process may use it.

    Args:
        setting: Name of the setting that it comes from, e.g. ``signing_keys.registry``.
        files: Where it lies.

    Raises:
        InvalidInput: There is no such library, token or key, or the PIN is wrong.
        RenderingError: The token does not answer as it should; the reason is ``signing-key``.
    """

    def __init__(self, setting: str, files: SigningKeyFiles) -> None:
        if files.pkcs11_module is None or files.token_label is None or files.key_label is None:
            raise AssertionError("unreachable: the model of the files asks for all three")
        module = str(files.pkcs11_module.absolute())
        pin_setting = "pkcs11_pin" if files.pkcs11_pin_file is None else "pkcs11_pin_file"
        self._token = Token(setting, module, files.token_label, _pin(setting, files), pin_setting)
        self._label = files.key_label
        self._found: _Found | None = None
        with SESSIONS.alone():
            try:
                self._key()
            except PKCS11Error as error:
                raise self._failure(error) from error

    def certificate(self, label: str, setting: str) -> bytes:
        """Return the certificate (DER) that the token holds beside the key.

        Args:
            label: Its label there.
            setting: Name of the part of the setting that says so, for messages.

        Raises:
            InvalidInput: There is none, or several.
            RenderingError: The token does not answer as it should.
        """
        with SESSIONS.alone():
            try:
                session = SESSIONS.session(self._token)
                query = {Attribute.CLASS: ObjectClass.CERTIFICATE}
                found = list(session.get_objects({**query, Attribute.LABEL: label}))
                if len(found) == 1:
                    content: bytes = found[0][Attribute.VALUE]
                    return content
                there = _labels(session, query)
            except PKCS11Error as error:
                raise self._failure(error) from error
        raise self._token.refusal(
            setting,
            label,
            f"the label of one certificate in the token ({there}), or the setting certificate "
            "with its file",
        )

    def sign(self, data: bytes, digest_algorithm: str) -> bytes:
        """Sign in the token; a session that is lost is opened anew, once.

        Args:
            data: What is signed.
            digest_algorithm: ``sha256``, ``sha384`` or ``sha512``.

        Returns:
            The signature, as CMS has it: PKCS #1 v1.5 or ECDSA (DER).

        Raises:
            RenderingError: The token does not sign; the reason is ``signing-key``.
        """
        with SESSIONS.alone():
            try:
                try:
                    return self._signature(data, digest_algorithm)
                except PKCS11Error:
                    SESSIONS.give_up(self._token)
                    return self._signature(data, digest_algorithm)
            except PKCS11Error as error:
                SESSIONS.give_up(self._token)
                raise self._failure(error) from error
            except InvalidInput as error:
                # What was right when the key was made ready is so no more.
                raise RenderingError("signing-key", str(error)) from error

    def _signature(self, data: bytes, digest_algorithm: str) -> bytes:
        key = self._key()
        operation = select_pkcs11_signing_params(
            SignedDigestAlgorithm({"algorithm": f"{digest_algorithm}_{_KINDS[key.kind]}"}),
            digest_algorithm,
            use_raw_mechanism=key.takes_hashes,
            sign_kwargs={"pin": self._token.pin} if key.wants_pin else {},
        )
        if operation.pre_sign_transform is not None:
            data = operation.pre_sign_transform(data)
        try:
            signature: bytes = key.handle.sign(data, **operation.sign_kwargs)
        except WRONG_PIN:
            raise SESSIONS.refuse(self._token) from None
        if operation.post_sign_transform is not None:
            signature = operation.post_sign_transform(signature)
        return signature

    def _key(self) -> "_Found":
        session = SESSIONS.session(self._token)
        if self._found is None or self._found.session is not session:
            self._found = self._looked_up(session)
        return self._found

    def _looked_up(self, session: pkcs11.Session) -> "_Found":
        query = {Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.SIGN: True}
        found = list(session.get_objects({**query, Attribute.LABEL: self._label}))
        if len(found) != 1:
            allowed = "the label of one private key for signing in the token"
            raise self._refusal(f"{allowed} ({_labels(session, query)})")
        (handle,) = found
        kind: KeyType = handle[Attribute.KEY_TYPE]
        if kind not in _KINDS:
            raise self._refusal(f"that of an RSA or ECDSA key; this one is {kind.name}")
        wants_pin = self._token.pin is not None and _wants_pin(handle)
        return _Found(session, handle, kind, _takes_hashes(session, kind), wants_pin)

    def _refusal(self, allowed: str) -> InvalidInput:
        return self._token.refusal("key_label", self._label, allowed)

    def _failure(self, error: PKCS11Error) -> RenderingError:
        return RenderingError(
            "signing-key",
            f"{self._token.setting}: the token {self._token.label!r} does not answer as it should "
            f"({told(error)}); it is tried again later",
        )


@dataclass(frozen=True, slots=True)
class _Found:
    """A key as one session knows it."""

    session: pkcs11.Session
    handle: Any
    kind: KeyType
    takes_hashes: bool
    wants_pin: bool


def _takes_hashes(session: pkcs11.Session, kind: KeyType) -> bool:
    """Return whether the token is given the hash of what it signs, instead of that itself."""
    # Few tokens hash for ECDSA. For RSA most do, and some take nothing else.
    mechanisms = session.token.slot.get_mechanisms()
    return kind is KeyType.EC or not set(RSA_MECH_MAP.values()) & set(mechanisms)


def _wants_pin(handle: Any) -> bool:
    """Return whether a key wants the PIN for each signature (CKA_ALWAYS_AUTHENTICATE)."""
    try:
        return bool(handle[Attribute.ALWAYS_AUTHENTICATE])
    except pkcs11.AttributeTypeInvalid:
        # The token is older than the attribute (PKCS #11 2.20).
        return False


def _labels(session: pkcs11.Session, query: dict[Attribute, Any]) -> str:
    labels = [str(each[Attribute.LABEL]) for each in session.get_objects(query)]
    return f"there are: {', '.join(sorted(labels))}" if labels else "there is none"


def _pin(setting: str, files: SigningKeyFiles) -> str | None:
    if files.pkcs11_pin is not None:
        return files.pkcs11_pin.get_secret_value()
    if files.pkcs11_pin_file is None:
        return None
    return _first_line(f"{setting}.pkcs11_pin_file", files.pkcs11_pin_file)


def _first_line(field: str, file: Path) -> str:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not in UTF-8"
        raise InvalidInput(field, str(file), f"a readable file ({reason})") from None
    if len(lines) != 1 or not lines[0]:
        raise InvalidInput(field, str(file), "a file whose only line is the PIN")
    return lines[0]
