"""What keeps a template from becoming PDF/A, said before anything is drawn."""

from io import BytesIO

import pytest
from pikepdf import Array, Dictionary, Name, Pdf
from PIL import Image, ImageChops, ImageCms
from pydantic import ValidationError

from testamur.adapters.pdf import PdfOptions
from testamur.adapters.pdf.attachments import read_attachments
from testamur.adapters.pdf.color_profile import srgb_profile
from testamur.application.errors import RenderingError
from tests.support.compiled import compiled, document
from tests.support.pdf import MemoryAssets, changed, difference, picture_of, template
from tests.support.template_features import (
    ALLOWED,
    FORBIDDEN,
    SIZE,
    Change,
    core_font,
    with_change,
)


@pytest.mark.parametrize("name", FORBIDDEN)
def test_a_template_that_cannot_become_pdf_a_is_refused_with_reason_and_remedy(name: str) -> None:
    content, words, _ = FORBIDDEN[name]

    with pytest.raises(RenderingError) as caught:
        compiled(content)

    assert caught.value.reason == "bad-template"
    assert caught.value.detail.startswith(
        "template 'made' cannot be used: it cannot become PDF/A: "
    )
    assert words in caught.value.detail
    assert 'conformance = "none"' in caught.value.detail


@pytest.mark.parametrize("name", FORBIDDEN)
def test_without_conformance_it_is_drawn_on_as_it_is(name: str) -> None:
    content, _, _ = FORBIDDEN[name]

    assert document(compiled(content, conformance="none"))


def test_all_reasons_are_given_at_once_and_each_once() -> None:
    def add(pdf: Pdf) -> None:
        pdf.pages[0].contents_add(b"0 1 0 0 k 0 0 9 9 re f /Vivid ri /Vivid ri")

    with pytest.raises(RenderingError) as caught:
        compiled(with_change(add))

    assert caught.value.detail.count("rendering intent /Vivid") == 1
    assert "DeviceCMYK" in caught.value.detail


def test_a_font_that_is_there_but_not_used_is_no_reason() -> None:
    def write_nothing(pdf: Pdf) -> None:
        pdf.pages[0].obj.Contents = pdf.make_stream(b"")

    assert document(compiled(changed(template(SIZE, core_font), write_nothing)))


# PDF/A forbids smoothing; it shows where an image has far fewer pixels than the paper.
@pytest.mark.parametrize("name", sorted(ALLOWED.keys() - {"smoothed image"}))
def test_bringing_a_template_into_line_does_not_change_its_look(name: str) -> None:
    content = ALLOWED[name]

    made = document(compiled(content, parts=()), contents=())

    assert difference(picture_of(made), picture_of(content)) < 0.001


def test_what_a_template_took_from_its_page_is_still_there_when_it_is_not_brought_into_line() -> (
    None
):
    content = ALLOWED["form without resources"]

    made = document(compiled(content, parts=(), conformance="none"), contents=())

    assert difference(picture_of(made), picture_of(content)) < 0.001


def circle_of_colors(pdf: Pdf) -> None:
    pdf.pages[0].obj.Resources.ColorSpace = Dictionary(A=Name.B, B=Name.A)
    pdf.pages[0].contents_add(b"/A cs")


def chain_of_forms(pdf: Pdf) -> None:
    inner = pdf.make_stream(b"")
    for _ in range(500):
        form = pdf.make_stream(b"/X Do")
        form.Type, form.Subtype = Name.XObject, Name.Form
        form.BBox = Array([0, 0, 9, 9])
        form.Resources = Dictionary(XObject=Dictionary(X=inner))
        inner = form
    pdf.pages[0].obj.Resources.XObject = Dictionary(X=inner)
    pdf.pages[0].contents_add(b"/X Do")


@pytest.mark.parametrize(
    ("change", "words"), [(circle_of_colors, "no end"), (chain_of_forms, "nested more than")]
)
def test_what_has_no_end_is_refused(change: Change, words: str) -> None:
    with pytest.raises(RenderingError, match=words):
        compiled(with_change(change))


def test_the_colour_profile_means_what_others_take_for_srgb() -> None:
    grey = Image.radial_gradient("L")
    colors = Image.merge("RGB", (grey, grey.rotate(90), Image.linear_gradient("L")))
    ours = ImageCms.ImageCmsProfile(BytesIO(srgb_profile()))
    theirs = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))

    converted = ImageCms.profileToProfile(colors, ours, theirs)

    assert converted is not None
    assert ImageChops.difference(colors, converted).getextrema() == ((0, 0), (0, 0), (0, 0))


# Options


def options(**given: object) -> PdfOptions:
    return PdfOptions.model_validate({"template": "made", **given})


@pytest.mark.parametrize(
    "attachment",
    [
        {"asset": "a", "filename": "a/b.pdf"},
        {"asset": "a", "filename": ""},
        {"asset": "a", "filename": "a.pdf", "media_type": "pdf"},
        {"asset": "a", "filename": "a.pdf", "relationship": "Cousin"},
        {"filename": "a.pdf"},
    ],
)
def test_attachments_that_make_no_sense_are_not_allowed(attachment: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        options(attachments=[attachment])


def test_two_attachments_of_one_name_are_not_allowed() -> None:
    twice = [{"asset": asset, "filename": "a.pdf"} for asset in ("one", "two")]

    with pytest.raises(ValidationError, match=r"filename 'a\.pdf'"):
        options(attachments=twice)


@pytest.mark.parametrize(
    ("given", "media_type"),
    [
        ({"filename": "a.PDF"}, "application/pdf"),
        ({"filename": "a"}, "application/octet-stream"),
        ({"filename": "a.json", "media_type": "application/ld+json"}, "application/ld+json"),
    ],
)
def test_the_media_type_follows_from_the_filename(given: dict[str, str], media_type: str) -> None:
    chosen = options(attachments=[{"asset": "file", **given}])

    (attachment,) = read_attachments(chosen, MemoryAssets({"file": b"x"}))

    assert attachment.media_type == media_type
    assert attachment.content == b"x"
