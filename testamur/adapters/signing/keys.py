"""Signing keys, found and checked: do they fit, may they sign, are they valid now.

What is wrong is told by the setting's name, never with a password.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    SECP384R1,
    SECP521R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID

from testamur.adapters.signing.files import SigningKeyFiles
from testamur.application.errors import RenderingError
from testamur.domain.errors import InvalidInput

if TYPE_CHECKING:
    from testamur.adapters.signing.token_keys import TokenKey

#: Shorter RSA keys are no longer considered safe (NIST SP 800-131A).
SMALLEST_RSA_BITS: Final = 2048

ALLOWED_KEYS: Final = (
    f"an RSA key of {SMALLEST_RSA_BITS} bits or more, or an ECDSA key on P-256, P-384 or P-521"
)

#: Purposes (RFC 5280, section 4.2.1.12) none of which is to sign documents, in words.
_OTHER_PURPOSES: Final = {
    ExtendedKeyUsageOID.SERVER_AUTH: "TLS servers",
    ExtendedKeyUsageOID.CLIENT_AUTH: "TLS clients",
    ExtendedKeyUsageOID.CODE_SIGNING: "code",
    ExtendedKeyUsageOID.TIME_STAMPING: "time-stamps",
    ExtendedKeyUsageOID.OCSP_SIGNING: "OCSP answers",
}

_HIDDEN: Final = "(hidden)"

#: Signed by a token to see which key it is.
_PROBE: Final = b"Testamur: which key is this?"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key with the certificates that tell whose it is.

    Args:
        setting: Name of the setting that it comes from, e.g. ``signing_keys.registry``.
        private_key: RSA or ECDSA; in memory, or in a token that signs with it.
        certificate: Its certificate.
        chain: Certificates on the way to the root that verifiers trust.
    """

    setting: str
    private_key: "RSAPrivateKey | EllipticCurvePrivateKey | TokenKey"
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]

    def refuse_outdated(self, now: datetime) -> None:
        """Refuse to sign while the certificate is not valid: no verifier would accept it.

        Args:
            now: The present moment (aware).

        Raises:
            RenderingError: It has expired, or is not valid yet; the reason is ``signing-key``.
        """
        begin = self.certificate.not_valid_before_utc
        end = self.certificate.not_valid_after_utc
        if not begin <= now <= end:
            raise RenderingError(
                "signing-key",
                f"{self.setting}: the certificate is valid from {begin:%Y-%m-%d %H:%M} to "
                f"{end:%Y-%m-%d %H:%M} UTC, not now; set a key whose certificate is valid",
            )


def load_signing_key(name: str, files: SigningKeyFiles) -> SigningKey:
    """Read a signing key from its files, or find it in its token.

    Args:
        name: Its name in the setting ``signing_keys``.
        files: Where it lies.

    Raises:
        InvalidInput: A file cannot be read, the password is wrong, key and certificate do not
            belong together, or they are not for signing documents; the setting is named.
        RenderingError: A token does not answer as it should, or what asks it is not installed; the
            reason is ``signing-key`` or ``missing-extra``.
    """
    setting = f"signing_keys.{name}"
    if files.pkcs11_module is not None:
        return _from_token(setting, files)
    private_key, certificates = (
        _from_pkcs12(setting, files.pkcs12, files)
        if files.pkcs12 is not None
        else _from_pem(setting, files)
    )
    where = f"{setting}.{'certificate' if files.pkcs12 is None else 'pkcs12'}"
    path = files.certificate if files.pkcs12 is None else files.pkcs12
    certificate = certificates[0]
    if _public(private_key) != _public(certificate):
        raise InvalidInput(where, str(path), "the certificate of this private key, the first in it")
    _refuse_other_purposes(where, certificate)
    return SigningKey(setting, private_key, certificate, _chain(setting, files, certificates))


def _from_token(setting: str, files: SigningKeyFiles) -> SigningKey:
    try:
        # Of an extra, and it loads a library of the vendor's: only where it is asked for.
        from testamur.adapters.signing.token_keys import TokenKey  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise RenderingError(
            "missing-extra",
            f"{setting}: keys in hardware need the extra pkcs11, which is not installed "
            f'({error.name} is missing): pip install "testamur[pkcs11]"',
        ) from error
    private_key = TokenKey(setting, files)
    if files.certificate is not None:
        where, named = f"{setting}.certificate", str(files.certificate)
        certificates = _certificates(where, files.certificate)
    else:
        part = "key_label" if files.certificate_label is None else "certificate_label"
        where, named = f"{setting}.{part}", str(files.certificate_label or files.key_label)
        try:
            certificates = [x509.load_der_x509_certificate(private_key.certificate(named, part))]
        except ValueError as error:
            raise InvalidInput(where, named, f"that of a sound certificate ({error})") from None
    certificate = certificates[0]
    # What a token tells of a key differs by vendor; what it signs with it says all.
    public_key = certificate.public_key()
    _refuse_unusable(where, public_key)
    if not _belongs_to(private_key.sign(_PROBE, "sha256"), public_key):
        raise InvalidInput(
            where, named, f"the certificate of the private key {files.key_label!r} in the token"
        )
    _refuse_other_purposes(where, certificate)
    return SigningKey(setting, private_key, certificate, _chain(setting, files, certificates))


def _belongs_to(signature: bytes, public_key: object) -> bool:
    """Return whether it is a signature of the probe by the key's other half."""
    try:
        match public_key:
            case RSAPublicKey():
                public_key.verify(signature, _PROBE, PKCS1v15(), SHA256())
            case EllipticCurvePublicKey():
                public_key.verify(signature, _PROBE, ECDSA(SHA256()))
            case _:
                return False
    except InvalidSignature:
        return False
    return True


def _chain(
    setting: str, files: SigningKeyFiles, certificates: Sequence[x509.Certificate]
) -> tuple[x509.Certificate, ...]:
    """Return the certificates that follow the first, and those of further files, each once."""
    further = [each for file in files.chain for each in _certificates(f"{setting}.chain", file)]
    certificate, *chain = certificates
    return tuple(dict.fromkeys(each for each in (*chain, *further) if each != certificate))


def _from_pkcs12(
    setting: str, file: Path, files: SigningKeyFiles
) -> tuple[RSAPrivateKey | EllipticCurvePrivateKey, Sequence[x509.Certificate]]:
    field = f"{setting}.pkcs12"
    content = _read(field, file)
    try:
        found = load_pkcs12(content, _password(files))
    except UnsupportedAlgorithm as error:
        raise InvalidInput(field, str(file), f"a file encrypted by AES ({error})") from None
    except (ValueError, TypeError):
        # What the library says does not tell a wrong password from a damaged file.
        raise InvalidInput(
            field, str(file), f"a PKCS #12 file that {setting}.password opens"
        ) from None
    if found.key is None or found.cert is None:
        raise InvalidInput(field, str(file), "a PKCS #12 file with a private key and certificate")
    further = [each.certificate for each in found.additional_certs]
    return _usable(field, found.key), [found.cert.certificate, *further]


def _from_pem(
    setting: str, files: SigningKeyFiles
) -> tuple[RSAPrivateKey | EllipticCurvePrivateKey, Sequence[x509.Certificate]]:
    if files.private_key is None or files.certificate is None:
        raise AssertionError("unreachable: the model of the files asks for both")
    field = f"{setting}.private_key"
    content = _read(field, files.private_key)
    password = _password(files)
    try:
        key = load_pem_private_key(content, password)
    except TypeError:
        # There is a password and the key is not encrypted, or the other way round.
        allowed = (
            "none: the private key is not encrypted"
            if password
            else "the password of the private key, which is encrypted"
        )
        given = _HIDDEN if password else None
        raise InvalidInput(f"{setting}.password", given, allowed) from None
    except (ValueError, UnsupportedAlgorithm):
        opened = f" that {setting}.password opens" if password else ""
        raise InvalidInput(
            field, str(files.private_key), f"a private key in PEM{opened}; {ALLOWED_KEYS}"
        ) from None
    return _usable(field, key), _certificates(f"{setting}.certificate", files.certificate)


def _usable(field: str, key: PrivateKeyTypes) -> RSAPrivateKey | EllipticCurvePrivateKey:
    _refuse_unusable(field, key.public_key())
    if not isinstance(key, RSAPrivateKey | EllipticCurvePrivateKey):
        raise AssertionError("unreachable: others are refused")
    return key


def _refuse_unusable(field: str, key: PublicKeyTypes) -> None:
    match key:
        case RSAPublicKey() if key.key_size >= SMALLEST_RSA_BITS:
            return
        case EllipticCurvePublicKey() if isinstance(key.curve, SECP256R1 | SECP384R1 | SECP521R1):
            return
        case RSAPublicKey():
            kind = f"RSA, {key.key_size} bits"
        case EllipticCurvePublicKey():
            kind = f"ECDSA, {key.curve.name}"
        case _:
            kind = type(key).__name__.removesuffix("PublicKey")
    raise InvalidInput(field, kind, ALLOWED_KEYS)


def _certificates(field: str, file: Path) -> Sequence[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(_read(field, file))
    except ValueError as error:
        raise InvalidInput(field, str(file), f"certificates in PEM ({error})") from None


def _refuse_other_purposes(field: str, certificate: x509.Certificate) -> None:
    """Refuse a certificate whose own extensions say that it is not for signing documents."""
    try:
        extensions = certificate.extensions
    except ValueError as error:
        raise InvalidInput(field, _subject(certificate), f"a sound certificate ({error})") from None
    for extension in extensions:
        match extension.value:
            case x509.KeyUsage() as usage if not (
                usage.digital_signature or usage.content_commitment
            ):
                allowed = "a certificate whose key usage has digitalSignature or nonRepudiation"
                raise InvalidInput(field, _subject(certificate), allowed)
            case x509.ExtendedKeyUsage() as purposes if _OTHER_PURPOSES.keys() >= set(purposes):
                named = " and ".join(_OTHER_PURPOSES[each] for each in purposes)
                allowed = f"a certificate for signing documents; this one is for {named} alone"
                raise InvalidInput(field, _subject(certificate), allowed)


def _public(key: RSAPrivateKey | EllipticCurvePrivateKey | x509.Certificate) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _subject(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string()


def _password(files: SigningKeyFiles) -> bytes | None:
    return None if files.password is None else files.password.get_secret_value().encode()


def _read(field: str, file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InvalidInput(field, str(file), f"a readable file ({error.strerror})") from None
