"""Signatures hold for verifiers that share nothing with the renderer, and show every change."""

import asyncio
import hashlib
import sys
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.validation.status import SignatureCoverageLevel

from testamur.adapters.pdf import PdfRenderer, PreparedPdf
from testamur.adapters.pdf.finishing_options import SignatureOptions
from testamur.adapters.pdf.signing import FIELD_NAME, Signature
from testamur.adapters.signing.files import SigningKeyFiles
from testamur.adapters.signing.keys import load_signing_key
from testamur.application.errors import RenderingError
from testamur.domain.errors import InvalidInput
from tests.support.pdf import a_document, picture_of, prepared, text_of
from tests.support.poppler import poppler
from tests.support.signing import (
    DAY,
    Certified,
    certificates_in,
    certified,
    ecdsa_key,
    intermediate,
    pem_files,
    pkcs12_file,
    registrar,
    rsa_key,
    verified,
)
from tests.support.vera import Vera


def signing(files: SigningKeyFiles, protection: object = False, **signature: Any) -> PreparedPdf:
    """Return a prepared renderer that signs."""
    renderer = PdfRenderer(signing_keys={"registrar": files})
    options: dict[str, Any] = {"signature": {"key": "registrar", **signature}}
    if protection:
        options |= {"conformance": "none", "protection": protection}
    return prepared(renderer=renderer, **options)


@pytest.fixture
def files(tmp_path: Path) -> SigningKeyFiles:
    return pem_files(tmp_path, registrar())


@pytest.fixture
def signed(files: SigningKeyFiles) -> bytes:
    return signing(files).render(a_document()).content


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (ecdsa_key, "sha256"),
        (lambda: ec.generate_private_key(ec.SECP384R1()), "sha384"),
        (lambda: ec.generate_private_key(ec.SECP521R1()), "sha512"),
        (rsa_key, "sha256"),
    ],
    ids=["P-256", "P-384", "P-521", "RSA"],
)
def test_a_signature_holds(tmp_path: Path, key: Any, algorithm: str) -> None:
    files = pkcs12_file(tmp_path, registrar(key()))

    verdict = verified(signing(files).render(a_document()).content)

    assert verdict.bottom_line
    assert verdict.trusted
    assert verdict.coverage is SignatureCoverageLevel.ENTIRE_FILE
    assert verdict.md_algorithm == algorithm
    assert verdict.signing_cert.subject.native["common_name"] == "Example Registrar"


def test_poppler_finds_a_signature_valid(tmp_path: Path, signed: bytes) -> None:
    file = tmp_path / "certificate.pdf"
    file.write_bytes(signed)

    said = poppler("pdfsig", "-nocert", file)

    assert "Signature Validation: Signature is Valid." in said
    assert "Signature Type: ETSI.CAdES.detached" in said
    assert "Total document signed" in said
    assert "Example Registrar" in said


@pytest.mark.parametrize("certify", [False, True])
def test_a_signed_document_keeps_to_pdf_a_and_pdf_ua(
    vera: Vera, files: SigningKeyFiles, certify: bool
) -> None:
    file = signing(files, certify=certify).render(a_document()).content

    assert vera.broken_rules(file, "2b") == []
    assert vera.broken_rules(file, "ua1") == []


def test_a_signature_says_when_it_was_made_and_what_it_is_told_to(files: SigningKeyFiles) -> None:
    before = datetime.now(UTC).replace(microsecond=0)

    file = signing(
        files, reason="Ausstellung", location="Łódź", contact="registrar@example.org"
    ).render(a_document())

    with pikepdf.open(BytesIO(file.content)) as pdf:
        (field,) = pdf.Root.AcroForm.Fields
        entries = field.V
        assert str(field.T) == FIELD_NAME
        assert entries.SubFilter == "/ETSI.CAdES.detached"
        assert str(entries.Reason) == "Ausstellung"
        assert str(entries.Location) == "Łódź"
        assert str(entries.ContactInfo) == "registrar@example.org"
        moment = datetime.strptime(str(entries.M), "D:%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
    assert before <= moment <= datetime.now(UTC)


def test_the_chain_comes_with_the_signature(signed: bytes) -> None:
    assert certificates_in(signed) == {registrar_in(signed), intermediate().asn1.dump()}


def registrar_in(file: bytes) -> bytes:
    der: bytes = verified(file).signing_cert.dump()
    return der


def test_a_signed_document_is_the_same_document_with_an_appendix(signed: bytes) -> None:
    plain = prepared().render(a_document()).content

    assert signed.startswith(plain)
    assert text_of(signed) == text_of(plain)
    assert picture_of(signed).tobytes() == picture_of(plain).tobytes()
    with pikepdf.open(BytesIO(signed)) as one, pikepdf.open(BytesIO(plain)) as other:
        assert dict(one.docinfo.items()) == dict(other.docinfo.items())
        assert one.Root.get("/Metadata") == other.Root.get("/Metadata")


def test_a_signature_takes_no_more_room_than_it_needs(signed: bytes) -> None:
    content = verified_contents(signed)

    assert len(content) - len(content.rstrip(b"\0")) <= 2 * 64


def verified_contents(file: bytes) -> bytes:
    with pikepdf.open(BytesIO(file)) as pdf:
        return bytes(pdf.Root.AcroForm.Fields[0].V.Contents)


def test_a_change_of_one_byte_breaks_the_signature(signed: bytes) -> None:
    place = signed.index(b"/MediaBox")

    verdict = verified(signed[:place] + b"/MediaBux" + signed[place + 9 :])

    assert not verdict.intact
    assert not verdict.bottom_line


def with_a_note(file: bytes) -> bytes:
    """Return a signed document to which somebody has added a note, as viewers do."""
    writer = IncrementalPdfFileWriter(BytesIO(file))
    page = writer.root["/Pages"]["/Kids"][0]
    note = generic.DictionaryObject(  # type: ignore[no-untyped-call]
        {
            generic.NameObject("/Type"): generic.NameObject("/Annot"),
            generic.NameObject("/Subtype"): generic.NameObject("/Text"),
            generic.NameObject("/Rect"): generic.ArrayObject(),
            generic.NameObject("/Contents"): generic.TextStringObject("Passed with honours"),
        }
    )
    page["/Annots"].append(writer.add_object(note))
    writer.update_container(page["/Annots"])
    written = BytesIO()
    writer.write(written)  # type: ignore[no-untyped-call]
    return written.getvalue()


def test_what_is_added_later_is_seen(files: SigningKeyFiles) -> None:
    for certify in (False, True):
        verdict = verified(
            with_a_note(signing(files, certify=certify).render(a_document()).content)
        )

        assert verdict.coverage is not SignatureCoverageLevel.ENTIRE_FILE
        assert not verdict.bottom_line


def test_a_certified_document_holds_and_forbids_every_change(files: SigningKeyFiles) -> None:
    file = signing(files, certify=True).render(a_document()).content

    assert verified(file).bottom_line
    with pikepdf.open(BytesIO(file)) as pdf:
        (reference,) = pdf.Root.Perms.DocMDP.Reference
        assert reference.TransformParams.P == 1


def test_the_same_document_signed_twice_differs_in_the_appendix_only(
    files: SigningKeyFiles,
) -> None:
    ready = signing(files)
    one, other = (ready.render(a_document()) for _ in range(2))

    assert one.sha256 != other.sha256
    plain = prepared().render(a_document()).content
    assert one.content[: len(plain)] == other.content[: len(plain)]
    assert ready.digest == signing(files).digest


def test_the_hash_is_that_of_the_signed_document(files: SigningKeyFiles) -> None:
    file = signing(files).render(a_document())

    assert file.sha256 == hashlib.sha256(file.content).hexdigest()


def test_a_document_is_protected_first_and_signed_then(files: SigningKeyFiles) -> None:
    file = signing(files, protection=True).render(a_document()).content

    verdict = verified(file)
    assert verdict.bottom_line
    assert verdict.coverage is SignatureCoverageLevel.ENTIRE_FILE
    with pikepdf.open(BytesIO(file)) as pdf:
        assert pdf.encryption.bits == 256
        assert not pdf.allow.modify_form


def test_a_draft_is_neither_protected_nor_signed(files: SigningKeyFiles) -> None:
    draft = signing(files, protection=True).draft(a_document()).content

    assert draft == prepared(conformance="none").render(a_document()).content


def test_documents_are_signed_within_an_event_loop_of_the_host(files: SigningKeyFiles) -> None:
    async def host() -> bytes:
        return signing(files).render(a_document()).content

    assert verified(asyncio.run(host())).bottom_line


@pytest.mark.parametrize(
    ("keys", "allowed"), [(("dean", "registrar"), "dean, registrar"), ((), "none yet")]
)
def test_a_key_that_is_not_there_is_refused_with_those_that_are(
    files: SigningKeyFiles, keys: tuple[str, ...], allowed: str
) -> None:
    renderer = PdfRenderer(signing_keys=dict.fromkeys(keys, files))

    with pytest.raises(InvalidInput) as refused:
        prepared(renderer=renderer, signature={"key": "rector"})

    assert (refused.value.field, refused.value.value) == ("rendering.signature.key", "rector")
    assert refused.value.allowed.startswith(allowed)


def test_time_stamps_are_refused_where_the_key_has_no_authority(files: SigningKeyFiles) -> None:
    with pytest.raises(InvalidInput, match=r"signing_keys\.registrar\.timestamp_url") as refused:
        signing(files, timestamp=True)

    assert refused.value.field == "rendering.signature.timestamp"


def test_a_key_whose_certificate_has_expired_is_refused_before_anything_is_drawn(
    tmp_path: Path,
) -> None:
    expired = pem_files(tmp_path, registrar(begins=-9 * DAY, ends=-DAY))

    with pytest.raises(RenderingError, match=r"signing_keys\.registrar: .* not now"):
        signing(expired)


def test_a_certificate_that_expires_while_documents_are_made_signs_no_more(
    files: SigningKeyFiles,
) -> None:
    moments = [datetime.now(UTC), datetime.now(UTC), datetime.now(UTC) + 31 * DAY]
    key = load_signing_key("registrar", files)
    signature = Signature(SignatureOptions(key="registrar"), key, now=lambda: moments.pop(0))
    plain = prepared().render(a_document()).content

    assert verified(signature.finish(plain)).bottom_line
    with pytest.raises(RenderingError, match="not now"):
        signature.finish(plain)


def test_a_certificate_that_nobody_trusts_signs_and_is_not_trusted(tmp_path: Path) -> None:
    files = pem_files(tmp_path, certified("Somebody", ecdsa_key(7)))

    verdict = verified(signing(files).render(a_document()).content)

    assert verdict.intact
    assert verdict.valid
    assert not verdict.trusted


def test_a_signature_by_another_key_than_the_certificates_is_no_signature(
    files: SigningKeyFiles,
) -> None:
    """Guards the verdicts above: they would see it."""
    key = load_signing_key("registrar", files)
    mixed = Certified(ecdsa_key(8), key.certificate)
    wrong = type(key)(key.setting, mixed.private_key, mixed.certificate, key.chain)

    signed = Signature(SignatureOptions(key="registrar"), wrong).finish(
        prepared().render(a_document()).content
    )

    assert not verified(signed).valid


def test_without_the_extra_it_is_told_what_to_install(
    files: SigningKeyFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "testamur.adapters.pdf.signing")
    for name in [each for each in sys.modules if each.partition(".")[0] == "pyhanko"]:
        monkeypatch.setitem(sys.modules, name, None)

    assert prepared().render(a_document()).content
    with pytest.raises(RenderingError, match=r"testamur\[signing\]") as refused:
        signing(files)
    assert refused.value.reason == "missing-extra"
