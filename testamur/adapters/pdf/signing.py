"""Signatures (PAdES B-B and B-T, ETSI EN 319 142-1), appended to a document's bytes by pyHanko."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from io import BytesIO
from typing import Any, Final

from asn1crypto import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP384R1,
    SECP521R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import InvisSigSettings, MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers import SignatureObject, Signer
from pyhanko.sign.signers.cms_embedder import (
    PdfCMSEmbedder,
    SigIOSetup,
    SigMDPSetup,
    SigObjSetup,
)
from pyhanko.sign.signers.constants import ESIC_EXTENSION_1
from pyhanko_certvalidator.registry import SimpleCertificateStore

from testamur.adapters.pdf.finishing_options import SignatureOptions
from testamur.adapters.signing.keys import SigningKey
from testamur.adapters.signing.timestamps import TimestampAuthority
from testamur.application.errors import RenderingError
from testamur.domain.errors import InvalidInput

FIELD_NAME: Final = "Signature"
"""The field that holds the signature."""

#: What programs that read aloud call the field.
_FIELD_LABEL: Final = "Signature of the issuer"

#: Bytes beyond a signature's size: ECDSA's differ by a few bytes.
_SPARE_BYTES: Final = 64

#: Bytes for the first time-stamp, whose size is the authority's; the next go by this one's.
_TIMESTAMP_BYTES: Final = 6144

#: An authority may answer with another certificate, and so with another size.
_ATTEMPTS: Final = 3


_HASHES: Final[Mapping[str, hashes.HashAlgorithm]] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}


class Signature:
    """Signs documents with one key. For one thread.

    The signature is invisible. Its field lies off the page and has a label: so PDF/A-2 and
    PDF/UA-1 both allow it (ISO 19005-2, 6.3; ISO 14289-1, 7.18.1).

    Args:
        options: What it says.
        key: The key.
        authority: Confirms when it was signed, or None.
        now: Tells the present moment (aware).

    Raises:
        InvalidInput: The key cannot sign.
        RenderingError: The certificate is not valid now.
    """

    def __init__(
        self,
        options: SignatureOptions,
        key: SigningKey,
        authority: TimestampAuthority | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._options = options
        self._key = key
        self._authority = authority
        self._now = now
        self._signer = _KeySigner(key)
        self._algorithm = _algorithm(key)
        key.refuse_outdated(now())
        self._room = self._size_without_timestamp(key) + _SPARE_BYTES
        if authority is not None:
            self._room += _TIMESTAMP_BYTES

    def finish(self, file: bytes) -> bytes:
        """Return the document with the signature appended.

        Raises:
            RenderingError: The certificate is not valid any more, or there is no time-stamp.
        """
        now = self._now()
        self._key.refuse_outdated(now)
        for _ in range(_ATTEMPTS):
            place = _Place(file, self._options, self._algorithm, self._room, now)
            signature = _completed(self._sign(place.digest, self._authority))
            if len(signature) <= self._room:
                return place.filled(signature)
            self._room = len(signature) + _SPARE_BYTES
        raise RenderingError("time-stamp", "time-stamps grow faster than room is made for them")

    async def _sign(self, digest: bytes, authority: TimestampAuthority | None) -> bytes:
        signed = await self._signer.async_sign(
            digest, self._algorithm, use_pades=True, timestamper=authority
        )
        content: bytes = signed.dump()
        return content

    def _size_without_timestamp(self, key: SigningKey) -> int:
        digest = hashes.Hash(_HASHES[self._algorithm]).finalize()
        try:
            return len(_completed(self._sign(digest, None)))
        except (SigningError, ValueError) as error:
            raise InvalidInput(key.setting, "its key", f"one that can sign ({error})") from error


class _KeySigner(Signer):
    """Signs with a key in memory, which is read once, or has its token sign."""

    def __init__(self, key: SigningKey) -> None:
        registry = SimpleCertificateStore()  # type: ignore[no-untyped-call]
        registry.register_multiple([_translated(each) for each in key.chain])
        super().__init__(signing_cert=_translated(key.certificate), cert_registry=registry)
        self._private_key = key.private_key

    async def async_sign_raw(
        self, data: bytes, digest_algorithm: str, dry_run: bool = False
    ) -> bytes:
        algorithm = _HASHES[digest_algorithm]
        match self._private_key:
            case RSAPrivateKey() as key:
                return key.sign(data, PKCS1v15(), algorithm)
            case EllipticCurvePrivateKey() as key:
                return key.sign(data, ECDSA(algorithm))
            case key:
                return key.sign(data, digest_algorithm)


class _Place:
    """A document with a field for the signature, and room for it."""

    def __init__(
        self, file: bytes, options: SignatureOptions, algorithm: str, room: int, now: datetime
    ) -> None:
        self._stream = BytesIO(file)
        writer = _Appending(self._stream)
        if writer.prev.encrypted:
            # It opens without a password.
            writer.encrypt("")  # type: ignore[no-untyped-call]
        field = SigFieldSpec(
            FIELD_NAME,
            invis_sig_settings=InvisSigSettings(box_out_of_bounds=True),
            readable_field_name=_FIELD_LABEL,
        )
        # The steps of `PdfCMSEmbedder.write_cms`, each of which waits for the next to be sent.
        self._steps = PdfCMSEmbedder(field).write_cms(FIELD_NAME, writer)
        next(self._steps)
        # PDF/UA-1, 7.18.3: on a page with annotations, the order of tabs is the structure's.
        page, _ = writer.find_page_for_modification(  # type: ignore[no-untyped-call]
            field.on_page
        )
        page.get_object()[pdf_name("/Tabs")] = pdf_name("/S")
        writer.register_extension(ESIC_EXTENSION_1)  # ETSI EN 319 142-1, 5.5
        entries = SignatureObject(
            timestamp=now,
            subfilter=SigSeedSubFilter.PADES,
            location=options.location,
            reason=options.reason,
            contact_info=options.contact,
            bytes_reserved=2 * room,  # it is written in hexadecimal
        )
        permissions = MDPPerm.NO_CHANGES if options.certify else None
        changes = SigMDPSetup(algorithm, certify=options.certify, docmdp_perms=permissions)
        self._steps.send(SigObjSetup(entries, changes))
        prepared, _ = self._steps.send(SigIOSetup(algorithm, in_place=True))
        self.digest: bytes = prepared.document_digest

    def filled(self, signature: bytes) -> bytes:
        """Return the document with the signature in its place."""
        self._steps.send(signature)
        return self._stream.getvalue()


class _Appending(IncrementalPdfFileWriter):
    """Leaves the document's metadata as they are: they are about the document, not this copy."""

    def _update_meta(self) -> None:
        pass


def _completed(coroutine: Coroutine[Any, Any, bytes]) -> bytes:
    """Run a coroutine to its end, wherever this is called from."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        hosts_loop = False
    else:
        hosts_loop = True
    if not hosts_loop:
        return asyncio.run(coroutine)
    # A thread cannot have two loops.
    with ThreadPoolExecutor(max_workers=1) as other_thread:
        return other_thread.submit(asyncio.run, coroutine).result()


def _algorithm(key: SigningKey) -> str:
    """Return the hash that is as strong as the key (NIST SP 800-57, part 1, 5.6.1)."""
    match key.certificate.public_key():
        case EllipticCurvePublicKey(curve=SECP384R1()):
            return "sha384"
        case EllipticCurvePublicKey(curve=SECP521R1()):
            return "sha512"
        case _:
            return "sha256"


def _translated(certificate: Any) -> x509.Certificate:
    return x509.Certificate.load(certificate.public_bytes(Encoding.DER))
