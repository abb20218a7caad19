"""Placeholders: what is put in, what stays, and braces that belong to somebody's name."""

import pytest

from testamur.adapters.pdf.placeholders import STANDARD_PLACEHOLDERS, TextPattern
from testamur.application.errors import RenderingError
from testamur.application.ports.rendering import Document
from tests.support.pdf import a_document


def filled(text: str, document: Document | None = None) -> str:
    return "".join(piece.text for piece in TextPattern(text).fill(document or a_document()))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{name}", "Ada Lovelace"),
        ("{context_name}", "Analytical Engines"),
        ("{type_name} of {issuer_name}", "Certificate of Completion of Example Academy"),
        ("{issue_date}", "March 12, 2026"),
        ("{award_date}", "March 12, 2026"),
        ("{expiry_date}", "March 12, 2028"),
        ("{verify_url}", "https://learn.example.org/verify/vK3mQ9xT2wLr"),
        ("{verify_id}", "vK3mQ9xT2wLr"),
        ("{credential_id}", "5d1f6f86-7d0b-5c5e-9d3b-2f6f0a3f5c11"),
        ("No placeholder", "No placeholder"),
        ("{unknown} stays", "{unknown} stays"),
        ("{} { } {na me}", "{} { } {na me}"),
        ("{{name}}", "{name}"),
        ("{{{name}}}", "{Ada Lovelace}"),
        ("}} {{", "} {"),
        ("{name", "{name"),
    ],
)
def test_a_text_is_filled(text: str, expected: str) -> None:
    assert filled(text) == expected


@pytest.mark.parametrize("name", ["A }} B", "{{x}}", "{nb}", "{name}", "{context_name}", "{"])
def test_braces_in_a_name_stay_as_they_are(name: str) -> None:
    assert filled("{{{name}}}", a_document(full_name=name)) == f"{{{name}}}"


def test_values_of_the_document_are_placeholders_too() -> None:
    document = a_document(values={"grade": "91 %", "tutor": "Charles"})

    assert filled("{grade}, {tutor}", document) == "91 %, Charles"


def test_a_value_does_not_take_the_place_of_a_standard_placeholder() -> None:
    assert filled("{name}", a_document(values={"name": "Somebody else"})) == "Ada Lovelace"


@pytest.mark.parametrize("placeholder", ["grade", "completion", "verify_url", "serial"])
def test_a_standard_placeholder_without_a_value_is_refused(placeholder: str) -> None:
    with pytest.raises(
        RenderingError, match=f"{{{placeholder}}}: .*leave the element out"
    ) as caught:
        filled(f"{{{placeholder}}}", a_document(verify_url=None))

    assert caught.value.reason == "missing-value"


def test_every_standard_placeholder_can_be_filled() -> None:
    document = a_document(values={"grade": "1", "completion": "1"}, serial="UNI-7")

    for placeholder in STANDARD_PLACEHOLDERS:
        assert filled(f"{{{placeholder}}}", document) != f"{{{placeholder}}}"
