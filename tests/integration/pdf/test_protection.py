"""Protected documents open for everybody, let readers do what is allowed, and say so by AES-256."""

from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from testamur.adapters.pdf import PdfOptions
from testamur.application.options import validated
from testamur.domain.errors import InvalidOptions
from tests.support.pdf import a_document, picture_of, prepared, text_of
from tests.support.poppler import poppler


def protected(protection: object = True, **options: Any) -> bytes:
    ready = prepared(conformance="none", protection=protection, **options)
    return ready.render(a_document()).content


def permissions(file: bytes) -> dict[str, bool]:
    with pikepdf.open(BytesIO(file)) as pdf:
        return pdf.allow._asdict()


def test_a_protected_document_opens_without_a_password_and_looks_the_same() -> None:
    plain = prepared(conformance="none").render(a_document()).content

    file = protected()

    assert text_of(file) == text_of(plain)
    assert picture_of(file).tobytes() == picture_of(plain).tobytes()


def test_it_is_encrypted_by_aes_256_all_of_it() -> None:
    file = protected()

    with pikepdf.open(BytesIO(file)) as pdf:
        assert (pdf.encryption.R, pdf.encryption.bits) == (6, 256)
        assert pdf.encryption.stream_method.name == "aesv3"
        assert pdf.encryption.string_method.name == "aesv3"
        assert pdf.encryption.user_password == b""
    assert b"Ada Lovelace" not in file
    assert "Ada Lovelace".encode("utf-16-be") not in file


@pytest.mark.parametrize("printing", [True, False])
@pytest.mark.parametrize("copying", [True, False])
def test_it_allows_exactly_what_it_is_told_to(printing: bool, copying: bool) -> None:
    file = protected({"printing": printing, "copying": copying})

    assert permissions(file) == {
        "accessibility": True,
        "extract": copying,
        "modify_annotation": False,
        "modify_assembly": False,
        "modify_form": False,
        "modify_other": False,
        "print_lowres": printing,
        "print_highres": printing,
    }


def test_true_stands_for_printing_and_copying() -> None:
    assert permissions(protected()) == permissions(protected({"printing": True, "copying": True}))


def test_poppler_reads_the_same_permissions(tmp_path: Path) -> None:
    file = tmp_path / "certificate.pdf"
    file.write_bytes(protected({"copying": False}))

    said = poppler("pdfinfo", file)

    assert "(print:yes copy:no change:no addNotes:no algorithm:AES-256)" in said


def test_the_same_document_is_encrypted_by_another_key_each_time() -> None:
    ready = prepared(conformance="none", protection=True)

    one, other = (ready.render(a_document()).content for _ in range(2))

    assert one != other
    assert _keys(one) != _keys(other)


def test_nothing_is_encrypted_unless_it_is_asked_for() -> None:
    with pikepdf.open(BytesIO(protected(False))) as pdf:
        assert not pdf.is_encrypted


@pytest.mark.parametrize("conformance", [{}, {"conformance": "pdf/a"}])
def test_protection_is_refused_where_documents_are_to_be_pdf_a(conformance: dict[str, str]) -> None:
    options = {"template": "blank", "protection": True, **conformance}

    with pytest.raises(InvalidOptions, match='conformance = "none"') as refused:
        validated(PdfOptions, options, "rendering")

    assert [each.field for each in refused.value.problems] == ["rendering.protection"]


def _keys(file: bytes) -> tuple[bytes, bytes]:
    with pikepdf.open(BytesIO(file)) as pdf:
        encrypted = pdf.trailer.Encrypt
        return bytes(encrypted.OE), bytes(encrypted.UE)
