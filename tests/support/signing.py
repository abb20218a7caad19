"""Signing in tests: certificates made on the spot, an authority for time-stamps, verdicts."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from asn1crypto import keys as asn1_keys
from asn1crypto import tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.status import PdfSignatureStatus
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

from testamur.adapters.signing.files import SigningKeyFiles
from tests.support.scripted_server import Asked, Told

PASSWORD: Final = "open sesame"

DAY: Final = timedelta(days=1)

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Certified:
    """A private key with its certificate and those on the way to the root, the root left out."""

    private_key: Any
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...] = ()

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def asn1(self) -> asn1_x509.Certificate:
        return as_asn1(self.certificate)


@cache
def rsa_key(bits: int = 2048, number: int = 0) -> rsa.RSAPrivateKey:
    """Return a key; those of other numbers are others."""
    return rsa.generate_private_key(65537, bits)


@cache
def ecdsa_key(number: int = 0) -> ec.EllipticCurvePrivateKey:
    """Return a key on P-256; those of other numbers are others."""
    return ec.generate_private_key(ec.SECP256R1())


@cache
def root() -> Certified:
    """Return the root that verifiers trust."""
    return certified("Example Root", ecdsa_key(101), authority=True)


@cache
def intermediate() -> Certified:
    """Return an authority below the root."""
    return certified("Example Intermediate", ecdsa_key(100), issuer=root(), authority=True)


def certified(
    name: str,
    key: Any,
    *,
    issuer: Certified | None = None,
    authority: bool = False,
    begins: timedelta = -DAY,
    ends: timedelta = 30 * DAY,
    digital_signature: bool = True,
    content_commitment: bool = True,
    purposes: Iterable[x509.ObjectIdentifier] = (),
) -> Certified:
    """Return a key with a certificate.

    Args:
        name: Whose it is.
        key: The private key.
        issuer: Who certifies; None: itself.
        authority: Whether it may certify others.
        begins: When it becomes valid, from now.
        ends: When it expires, from now.
        digital_signature: Whether its key usage says so.
        content_commitment: Likewise.
        purposes: Its extended key usage; none: it has none.
    """
    now = datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    usage = x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=content_commitment,
        key_encipherment=not (digital_signature or content_commitment),
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )
    signer = issuer.private_key if issuer else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + begins)
        .not_valid_after(now + ends)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    if purposes := tuple(purposes):
        only_stamps = purposes == (ExtendedKeyUsageOID.TIME_STAMPING,)
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=only_stamps)
    certificate = builder.sign(signer, hashes.SHA256())
    chain = (issuer.certificate, *issuer.chain) if issuer else ()
    return Certified(key, certificate, tuple(each for each in chain if each.issuer != each.subject))


def registrar(key: Any = None, **certificate: Any) -> Certified:
    """Return a key that is good for signing documents, certified by the intermediate."""
    chosen = ecdsa_key() if key is None else key
    return certified("Example Registrar", chosen, issuer=intermediate(), **certificate)


def pem_files(
    folder: Path, signer: Certified, password: str | None = None, **more: Any
) -> SigningKeyFiles:
    """Write a key, its certificate and its chain as PEM."""
    private_key, certificate, chain = (folder / name for name in ("key.pem", "cert.pem", "ca.pem"))
    private_key.write_bytes(
        signer.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, _encryption(password))
    )
    certificate.write_bytes(signer.pem)
    given: dict[str, Any] = {"private_key": private_key, "certificate": certificate}
    if signer.chain:
        chain.write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in signer.chain))
        given["chain"] = [chain]
    if password is not None:
        given["password"] = password
    return SigningKeyFiles.model_validate({**given, **more})


def pkcs12_file(
    folder: Path, signer: Certified, password: str | None = PASSWORD, **more: Any
) -> SigningKeyFiles:
    """Write a key, its certificate and its chain as one PKCS #12 file."""
    file = folder / "registrar.p12"
    file.write_bytes(
        pkcs12.serialize_key_and_certificates(
            b"registrar",
            signer.private_key,
            signer.certificate,
            signer.chain,
            _encryption(password),
        )
    )
    return SigningKeyFiles.model_validate({"pkcs12": file, "password": password, **more})


def time_stamping(now: datetime | None = None) -> DummyTimeStamper:
    """Return what an authority signs time-stamps with."""
    signer = certified(
        "Example Time-Stamping",
        rsa_key(number=101),
        issuer=root(),
        purposes=[ExtendedKeyUsageOID.TIME_STAMPING],
    )
    key = signer.private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    registry = SimpleCertificateStore()  # type: ignore[no-untyped-call]
    registry.register(root().asn1)
    return DummyTimeStamper(
        signer.asn1, asn1_keys.PrivateKeyInfo.load(key), registry, now or datetime.now(UTC)
    )


def stamps(asked: Asked) -> Told:
    """Answer as a time-stamping authority does (a script for `scripted_server`)."""
    assert asked.headers["content-type"] == "application/timestamp-query"
    request = tsp.TimeStampReq.load(asked.body)
    answer = time_stamping().request_tsa_response(request)
    return Told(answer.dump(), content_type="application/timestamp-reply")


def verified(file: bytes) -> PdfSignatureStatus:
    """Return pyHanko's verdict on the only signature of a document, with the root trusted."""
    reader = PdfFileReader(BytesIO(file))
    if reader.encrypted:
        reader.decrypt("")
    (signature,) = reader.embedded_signatures
    trust = ValidationContext(trust_roots=[root().asn1], allow_fetching=False)
    return validate_pdf_signature(signature, trust, trust)


def certificates_in(file: bytes) -> set[bytes]:
    """Return the certificates (DER) that come with the only signature of a document."""
    (signature,) = PdfFileReader(BytesIO(file)).embedded_signatures
    return {each.chosen.dump() for each in signature.signed_data["certificates"]}


def as_asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    return asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))


def _encryption(password: str | None) -> KeySerializationEncryption:
    return NoEncryption() if password is None else BestAvailableEncryption(password.encode())
