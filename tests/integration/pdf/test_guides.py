"""Samples: marked on every page, with guides where the elements are, and as pictures."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from io import BytesIO
from typing import Any

import pikepdf
import pypdfium2
import pytest
from pikepdf import Array, Dictionary, Name, Pdf
from PIL import Image

from testamur.adapters.pdf.guides import PdfSampleMarks
from testamur.application.errors import RenderingError
from testamur.application.ports.rendering import RenderedFile
from testamur.application.ports.samples import Arrangement, ArrangingRenderer, PlacedElement
from tests.support.pdf import A4_LANDSCAPE, a_document, changed, ink_of, prepared, template, text_of

pytestmark = pytest.mark.integration

MARKS = PdfSampleMarks()


def a_file(content: bytes) -> RenderedFile:
    return RenderedFile(content, "", "application/pdf", ".pdf")


def marked(content: bytes, arrangement: Arrangement | None = None) -> bytes:
    return MARKS.marked(a_file(content), arrangement).content


@contextmanager
def opened(content: bytes) -> Iterator[Pdf]:
    with Pdf.open(BytesIO(content)) as pdf:
        yield pdf


def colors_of(content: bytes, scale: float = 2.0) -> Image.Image:
    document = pypdfium2.PdfDocument(content)
    try:
        image: Image.Image = document[0].render(scale=scale).to_pil().convert("RGB")
        return image
    finally:
        document.close()


def is_colored(image: Image.Image, x: float, y: float, scale: float = 2.0) -> bool:
    """Return whether any pixel within a point of a place has a colour."""
    middle_x, middle_y = round(x * scale), round(y * scale)
    around = image.crop((middle_x - 2, middle_y - 2, middle_x + 3, middle_y + 3))
    return any(max(pixel) - min(pixel) > 60 for _, pixel in _colors(around))


def _colors(image: Image.Image) -> list[tuple[int, Any]]:
    return image.getcolors(maxcolors=1 << 24) or []


# The word


def test_every_page_says_that_it_is_a_sample() -> None:
    content = marked(template(pages=3))
    assert [text_of(content, page).strip() for page in range(3)] == ["SAMPLE"] * 3


@pytest.mark.parametrize("size", [A4_LANDSCAPE, (595.0, 842.0), (200.0, 200.0), (3000.0, 400.0)])
def test_the_word_lies_across_the_middle_of_a_page_of_any_size(size: tuple[float, float]) -> None:
    ink = ink_of(marked(template(size)), scale=1)
    assert ink is not None
    width, height = size
    assert (ink.left + ink.right) / 2 == pytest.approx(width / 2, rel=0.05)
    assert (ink.top + ink.bottom) / 2 == pytest.approx(height / 2, rel=0.08)
    assert 0 < ink.left < ink.right < width


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_the_word_reads_upwards_on_a_page_that_is_turned_and_cropped(turn: int) -> None:
    def turn_and_crop(pdf: Pdf) -> None:
        page = pdf.pages[0].obj
        page.Rotate = turn
        page.CropBox = Array([100, 50, 500, 350])

    content = marked(changed(template(), turn_and_crop))
    picture = colors_of(content, scale=1)
    width, height = picture.size
    assert sorted(picture.size) == [300, 400]
    corners = {
        "lower left": (0, height * 2 // 3, width // 3, height),
        "upper right": (width * 2 // 3, 0, width, height // 3),
        "upper left": (0, 0, width // 5, height // 5),
        "lower right": (width * 4 // 5, height * 4 // 5, width, height),
    }
    inked = {
        corner
        for corner, box in corners.items()
        if any(max(pixel) - min(pixel) > 20 for _, pixel in _colors(picture.crop(box)))
    }
    assert inked == {"lower left", "upper right"}


def test_the_page_below_shows_through_and_keeps_its_text() -> None:
    renderer = prepared()
    content = marked(renderer.draft(a_document()).content)
    assert "Ada Lovelace" in text_of(content)
    assert "SAMPLE" in text_of(content)


def test_the_same_sample_has_the_same_bytes_and_its_own_hash() -> None:
    file = prepared().draft(a_document())
    one, other = MARKS.marked(file, None), MARKS.marked(file, None)
    assert one == other
    assert one.sha256 != file.sha256
    assert (one.media_type, one.suffix) == (file.media_type, file.suffix)


# Claims


def test_a_sample_claims_nothing() -> None:
    def sign_and_attach(pdf: Pdf) -> None:
        field = pdf.make_indirect(
            Dictionary(Type=Name.Annot, Subtype=Name.Widget, FT=Name.Sig, T="Signature")
        )
        pdf.pages[0].obj.Annots = Array([field])
        pdf.Root.AcroForm = Dictionary(Fields=Array([field]), SigFlags=3)
        pdf.Root.Perms = Dictionary(DocMDP=Dictionary(Type=Name.Sig))
        pdf.attachments["credential.json"] = b"{}"
        with pdf.open_metadata() as metadata:
            metadata["pdfaid:part"] = "2"
        pdf.docinfo[Name.Title] = "Diploma – Ada"

    content = changed(template(), sign_and_attach)
    with opened(content) as pdf:
        assert list(pdf.attachments) == ["credential.json"]
    with opened(marked(content)) as pdf:
        assert {Name.AcroForm, Name.Perms, Name.Metadata}.isdisjoint(pdf.Root.keys())
        assert list(pdf.attachments) == []
        assert len(pdf.pages[0].obj.Annots) == 0
        assert str(pdf.docinfo[Name.Title]) == "SAMPLE: Diploma – Ada"


def test_links_of_the_template_stay() -> None:
    def link(pdf: Pdf) -> None:
        action = Dictionary(S=Name.URI, URI="https://example.org")
        pdf.pages[0].obj.Annots = Array(
            [Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=Array([0, 0, 9, 9]), A=action)]
        )

    with opened(marked(changed(template(), link))) as pdf:
        assert len(pdf.pages[0].obj.Annots) == 1


def test_a_protected_document_becomes_a_plain_sample() -> None:
    protection = pikepdf.Encryption(owner="secret", user="", R=6)
    content = marked(changed(template(), lambda _: None, encryption=protection))
    assert "SAMPLE" in text_of(content)
    with opened(content) as pdf:
        assert not pdf.is_encrypted


def test_a_sample_is_drawn_without_the_protection_that_documents_get() -> None:
    renderer = prepared(protection=True, conformance="none")
    with opened(renderer.render(a_document()).content) as pdf:
        assert pdf.is_encrypted
    with opened(renderer.draft(a_document()).content) as pdf:
        assert not pdf.is_encrypted


@pytest.mark.parametrize("content", [b"", b"<html></html>", b"%PDF-1.7\n%%EOF"])
def test_what_is_no_pdf_is_refused(content: bytes) -> None:
    with pytest.raises(RenderingError) as caught:
        marked(content)
    assert caught.value.reason == "bad-document"
    assert MARKS.can_mark("application/pdf")
    assert not MARKS.can_mark("text/html")


# Where elements stand


def arranged(**options: Any) -> dict[str, PlacedElement]:
    renderer = prepared(**options)
    assert isinstance(renderer, ArrangingRenderer)
    arrangement = renderer.arrangement(a_document())
    assert arrangement.page == options.get("page", 1)
    return {each.name: each for each in arrangement.elements}


def test_a_text_is_where_its_ink_is() -> None:
    only_name: dict[str, Any] = {"context": False, "date": False, "name": {"size": 40}}
    renderer = prepared(elements=only_name)
    ink = ink_of(renderer.draft(a_document()).content)
    (name,) = renderer.arrangement(a_document()).elements
    assert ink is not None
    assert name.anchor == pytest.approx((421, 267.75))
    assert (name.size, name.full_size) == (40, 40)
    assert name.baselines == pytest.approx((267.75,))
    (cover,) = name.covers
    assert cover.left == pytest.approx(ink.left, abs=3)
    assert cover.right == pytest.approx(ink.right, abs=3)
    assert cover.top <= ink.top <= ink.bottom <= cover.bottom
    assert (name.room.left, name.room.right) == pytest.approx((0, 842))


def test_a_text_that_shrinks_or_wraps_tells_its_size_and_lines() -> None:
    wrapped = {"text": "{name} of {context_name}", "width": 150, "wrap": True, "max_lines": 3}
    elements = arranged(elements={"name": {"width": 100}, "context": wrapped})
    name, context = elements["name"], elements["context"]
    assert name.size is not None
    assert 10 < name.size < 32 == name.full_size
    assert name.covers[0].right - name.covers[0].left == pytest.approx(100, abs=0.5)
    assert (name.room.left, name.room.right) == pytest.approx((371, 471))
    assert len(context.covers) == len(context.baselines) > 1
    assert context.room.bottom > context.baselines[-1]


def test_codes_tell_their_margin_and_images_their_box() -> None:
    picture = BytesIO()
    Image.new("RGB", (40, 20)).save(picture, format="PNG")
    elements = arranged(
        contents={"logo": picture.getvalue()},
        elements={
            "logo": {"image": "logo", "x": 10, "y": 20, "width": 80},
            "code": {"qr": "{verify_url}", "x": 700, "y": 400, "size": 80},
        },
    )
    assert list(elements) == ["name", "context", "date", "code", "logo"]
    code, logo = elements["code"], elements["logo"]
    assert (code.kind, code.margin, code.room.right) == ("code", 10, 780)
    assert (logo.kind, logo.margin, logo.room.bottom) == ("image", 0, 60)
    assert logo.anchor == (10, 20)


def test_a_name_of_several_lines_is_arranged_on_its_own_template() -> None:
    renderer = prepared({"tall": template((595, 842))}, multiline_template="tall")
    document = a_document(context_name="Analytical\nEngines")
    placed = {each.name: each for each in renderer.arrangement(document).elements}
    assert placed["context"].anchor[0] == pytest.approx(297.5)
    assert len(placed["context"].covers) == 2


# Guides


@pytest.mark.parametrize("turn", [0, 90])
def test_guides_are_drawn_where_the_elements_are(turn: int) -> None:
    def turn_it(pdf: Pdf) -> None:
        pdf.pages[0].obj.Rotate = turn

    renderer = prepared({"turned": changed(template(), turn_it)}, template="turned")
    document = a_document(award_date=date(2026, 3, 12))
    arrangement = renderer.arrangement(document)
    draft = renderer.draft(document).content
    with_guides = colors_of(marked(draft, arrangement))
    without = colors_of(marked(draft))
    for element in arrangement.elements:
        x, y = element.anchor[0] + 3, element.anchor[1]
        assert is_colored(with_guides, x, y)
        left, top = element.room.left + 40, element.room.top
        assert any(is_colored(with_guides, left + step, top) for step in range(6))
    assert not is_colored(without, 20, arrangement.elements[0].room.top)


def test_guides_name_the_elements_and_number_the_millimetres() -> None:
    renderer = prepared(elements={"name": {"width": 100}})
    document = a_document()
    shown = text_of(marked(renderer.draft(document).content, renderer.arrangement(document)))
    assert "name x 148.5 mm y 94.5 mm " in shown
    assert " of 32 pt" in shown
    assert "date x 148.5 mm y 146.9 mm 12 pt" in shown
    assert {"10", "100", "290"} <= set(shown.split())


def test_guides_are_drawn_on_the_page_of_the_elements_only() -> None:
    renderer = prepared({"pages": template(pages=2)}, template="pages", page=2)
    document = a_document()
    content = marked(renderer.draft(document).content, renderer.arrangement(document))
    assert "148.5 mm" not in text_of(content, 0)
    assert "148.5 mm" in text_of(content, 1)


def test_labels_stay_on_the_page() -> None:
    corner = {"text": "{name}", "x": 800, "y": 8, "size": 6}
    elements = {"name": False, "context": False, "date": False, "corner": corner}
    renderer = prepared(elements=elements)
    document = a_document(full_name="Bo")
    content = marked(renderer.draft(document).content, renderer.arrangement(document))
    read = pypdfium2.PdfDocument(content)
    try:
        page = read[0].get_textpage()
        start = page.get_text_range().replace("\r\n", "\n").index("corner x")
        end = start + len("corner x 282.2 mm y 2.8 mm 6 pt")
        boxes = [page.get_charbox(index) for index in range(start, end - 1)]
    finally:
        read.close()
    assert min(box[0] for box in boxes) > 0
    assert max(box[2] for box in boxes) < 842
    assert max(box[3] for box in boxes) < 595


# Pictures


def test_pages_become_pictures_of_the_size_that_was_asked_for() -> None:
    content = MARKS.pictures(a_file(template((144, 72), pages=2)), 144)
    assert len(content) == 2
    with Image.open(BytesIO(content[0])) as picture:
        assert (picture.format, picture.size) == ("PNG", (288, 144))
        assert picture.info["dpi"] == pytest.approx((144, 144), abs=0.1)


def test_pictures_need_what_makes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pypdfium2", None)
    with pytest.raises(RenderingError, match=r"testamur\[preview\]") as caught:
        MARKS.pictures(a_file(template()), 72)
    assert caught.value.reason == "no-pictures"


def test_what_cannot_be_read_becomes_no_picture() -> None:
    with pytest.raises(RenderingError) as caught:
        MARKS.pictures(a_file(b"%PDF-1.7\n"), 72)
    assert caught.value.reason == "bad-document"
