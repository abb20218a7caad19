"""Documents keep to PDF/A and PDF/UA, as veraPDF sees it."""

from functools import cache
from io import BytesIO

import pytest
from PIL import Image

from testamur.adapters.pdf import PreparedPdf
from testamur.adapters.pdf.attachments import Attachment
from tests.integration.pdf.test_scripts import SAMPLES, VOWELLED
from tests.support.compiled import compiled, document
from tests.support.pdf import FONTS, a_document, prepared
from tests.support.template_features import ALLOWED, EXAMPLES, FORBIDDEN, UNREADABLE
from tests.support.vera import Vera


@pytest.mark.parametrize("name", ALLOWED)
def test_documents_over_any_allowed_template_keep_to_both_standards(name: str, vera: Vera) -> None:
    made = document(compiled(ALLOWED[name], reading_text="Example University (awards)"))

    assert vera.broken_rules(made, "2b") == []
    assert vera.broken_rules(made, "ua1") == []


def test_documents_with_attached_files_keep_to_both_standards(vera: Vera) -> None:
    attached = [
        Attachment("syllabus (1).pdf", b"%PDF-1.7", "application/pdf", "Überblick"),
        Attachment("data.json", b"{}", "application/ld+json", relationship="Data"),
    ]
    made = document(compiled(ALLOWED["designed"], attachments=attached))

    assert vera.broken_rules(made, "3b") == []
    assert vera.broken_rules(made, "ua1") == []


@pytest.mark.parametrize("name", FORBIDDEN)
def test_what_a_template_is_refused_for_does_break_a_rule(name: str, vera: Vera) -> None:
    content, _, rule = FORBIDDEN[name]

    broken = vera.broken_rules(document(compiled(content, conformance="none")), "2b")

    assert rule in [each.split(" ")[0] for each in broken]


def test_text_without_characters_keeps_documents_from_claiming_pdf_ua(vera: Vera) -> None:
    made = document(compiled(UNREADABLE))

    assert vera.broken_rules(made, "2b") == []
    broken = [each.split(" ")[0] for each in vera.broken_rules(made, "ua1")]
    assert broken == ["5-1", "7.21.7-1"]


def seal() -> bytes:
    """A picture that lets through what is behind it."""
    file = BytesIO()
    Image.radial_gradient("L").convert("LA").convert("RGBA").save(file, "PNG")
    return file.getvalue()


@cache
def designed() -> PreparedPdf:
    return prepared(
        {"diploma": ALLOWED["designed"], "seal": seal(), "syllabus": b"What was learned"},
        template="diploma",
        fonts=FONTS,
        elements={
            "seal": {"image": "seal", "x": "10%", "y": "80%", "width": 60},
            "code": {"qr": "{verify_url}", "x": "80%", "y": "80%", "size": 60},
            "verification": {"text": "Id {verify_id}", "x": "10%", "y": "95%", "size": 8},
        },
        reading_text="Example University",
        reading_text_language="en-GB",
        attachments=[{"asset": "syllabus", "filename": "syllabus.txt"}],
    )


@pytest.mark.parametrize("script", SAMPLES | VOWELLED)
def test_certificates_in_every_script_keep_to_both_standards(script: str, vera: Vera) -> None:
    sample = (SAMPLES | VOWELLED)[script]
    made = designed().render(a_document(full_name=sample.name, locale=sample.language)).content

    assert vera.broken_rules(made, "3b") == []
    assert vera.broken_rules(made, "ua1") == []


@pytest.mark.parametrize("name", ["completion", "achievement", "mastery"])
def test_certificates_over_the_demonstration_s_templates_do(name: str, vera: Vera) -> None:
    template = (EXAMPLES / f"{name}.pdf").read_bytes()
    made = prepared({"made": template}, template="made").render(a_document()).content

    assert vera.broken_rules(made, "2b") == []
    assert vera.broken_rules(made, "ua1") == []


def test_without_conformance_a_certificate_claims_nothing(vera: Vera) -> None:
    content, _, _ = FORBIDDEN["a font that is not embedded"]
    renderer = prepared({"made": content}, template="made", conformance="none", fonts=FONTS)

    broken = vera.broken_rules(renderer.render(a_document()).content, "2b")

    assert [each.split(" ")[0] for each in broken] == [
        "6.2.11.4.1-1",
        "6.2.4.3-2",
        "6.2.4.3-4",
        "6.6.4-1",
    ]
