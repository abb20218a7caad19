"""Certificates as a whole: what is drawn, what the file says about itself, and that it repeats."""

import hashlib
from datetime import date
from io import BytesIO
from typing import Any

import pikepdf
import pytest
import segno
from PIL import Image, ImageDraw

from testamur.adapters.pdf import PdfRenderer
from testamur.application.errors import RenderingError
from testamur.domain.errors import InvalidInput, NotFound
from tests.support.pdf import (
    A4_LANDSCAPE,
    a_document,
    changed,
    ink_of,
    picture_of,
    prepared,
    template,
    text_of,
)
from tests.support.template_features import ALLOWED

NOTHING = {"name": False, "context": False, "date": False}


def png(size: tuple[int, int], color: str = "#000000", mode: str = "RGB") -> bytes:
    file = BytesIO()
    Image.new(mode, size, color).save(file, "PNG")
    return file.getvalue()


def one(text: str = "{name}", **options: Any) -> dict[str, Any]:
    """Options for a single text element, in the middle of the page unless told otherwise."""
    element = {"text": text, "x": "50%", "y": "50%", "align": "center", "size": 40, **options}
    return {"elements": {**NOTHING, "only": element}}


def test_a_certificate_shows_name_context_and_date_by_default() -> None:
    file = prepared().render(a_document())

    assert text_of(file.content) == "Ada Lovelace\nAnalytical Engines\nMarch 12, 2026"
    assert (file.media_type, file.suffix) == ("application/pdf", ".pdf")
    assert file.sha256 == hashlib.sha256(file.content).hexdigest()


def test_the_standard_elements_stand_in_the_middle_of_the_page() -> None:
    ink = ink_of(prepared().render(a_document()).content)

    assert ink is not None
    assert (ink.left + ink.right) / 2 == pytest.approx(A4_LANDSCAPE[0] / 2, abs=2)
    assert A4_LANDSCAPE[1] * 0.4 < ink.top < ink.bottom < A4_LANDSCAPE[1] * 0.72


def test_the_same_document_gives_the_same_bytes() -> None:
    elements = {"code": {"qr": "{verify_url}", "x": 1, "y": 1, "size": 50}}
    document = a_document(full_name="محمد Żółć", locale="ar")
    fonts = ["noto-sans", "noto-sans-arabic"]
    renderer, again = (prepared(fonts=fonts, elements=elements) for _ in range(2))

    first = renderer.render(document)
    renderer.render(a_document(full_name="Somebody Else"))

    assert renderer.render(document) == first
    assert again.render(document) == first
    assert again.digest == renderer.digest


def test_the_order_in_which_elements_are_written_down_does_not_matter() -> None:
    first = {"text": "One", "x": 100, "y": 100}
    second = {"text": "Two", "x": 100, "y": 110, "color": "#ff0000"}
    renderer = prepared(elements={"a": first, "date": {"size": 9}, "b": second})
    again = prepared(elements={"b": second, "date": {"size": 9}, "a": first})

    assert renderer.render(a_document()) == again.render(a_document())
    assert renderer.digest == again.digest


def test_another_look_has_another_digest() -> None:
    digests = {
        prepared().digest,
        prepared(elements={"name": {"size": 31}}).digest,
        prepared({"blank": template((500, 500))}).digest,
        prepared(fonts=["open-sans"]).digest,
    }

    assert len(digests) == 4


def test_the_file_says_what_it_is() -> None:
    document = a_document(context_name="Algebra\nand Geometry", locale="en-GB")

    with pikepdf.open(BytesIO(prepared().render(document).content)) as pdf:
        info = {key: str(value) for key, value in pdf.docinfo.items()}
        assert str(pdf.Root.Lang) == "en-GB"
        assert bool(pdf.Root.ViewerPreferences.DisplayDocTitle)

    assert info == {
        "/Title": "Certificate of Completion – Ada Lovelace",
        "/Subject": "Algebra and Geometry",
        "/Author": "Example Academy",
        "/Producer": "Testamur",
        "/CreationDate": "D:20260312000000Z",
        "/ModDate": "D:20260312000000Z",
        "/CredentialId": "5d1f6f86-7d0b-5c5e-9d3b-2f6f0a3f5c11",
    }


@pytest.mark.parametrize("name", ["{nb}", "A }} B {{ C", "{name} {0} %s", "Zoë \\(x\\) (y)"])
def test_a_name_is_drawn_to_the_letter(name: str) -> None:
    assert text_of(prepared(**one()).render(a_document(full_name=name)).content) == name


@pytest.mark.parametrize(
    ("align", "edge"), [("left", "left"), ("right", "right")], ids=["left", "right"]
)
@pytest.mark.parametrize("name", ["Hll", "محمد", "משה"], ids=["Latin", "Arabic", "Hebrew"])
def test_alignment_goes_by_the_page_whatever_the_script(align: str, edge: str, name: str) -> None:
    fonts = ["noto-sans", "noto-sans-arabic", "open-sans"]
    options = one(x=400, align=align)

    ink = ink_of(prepared(fonts=fonts, **options).render(a_document(full_name=name)).content)

    assert getattr(ink, edge) == pytest.approx(400, abs=5)


def test_y_is_the_baseline_from_the_top() -> None:
    ink = ink_of(prepared(**one("HHH", y="100mm")).render(a_document()).content)

    assert ink is not None
    assert ink.bottom == pytest.approx(100 / 25.4 * 72, abs=0.5)


def test_a_long_name_stays_in_its_box() -> None:
    name = "Wolfeschlegelsteinhausenbergerdorff Maximilian"
    options = one(x=200, width=400, align="left", min_size=14)

    ink = ink_of(prepared(**options).render(a_document(full_name=name)).content)

    assert ink is not None
    assert 200 <= ink.left < 206
    assert 594 < ink.right <= 600


def test_wrapped_lines_stay_in_their_box_and_below_each_other() -> None:
    options = one("one two three four five", x=300, width=150, wrap=True, y=100, min_size=40)

    made = prepared(**options).render(a_document()).content
    ink = ink_of(made)

    assert text_of(made).split() == ["one", "two", "three", "four", "five"]
    assert ink is not None
    assert 225 <= ink.left < ink.right <= 375
    assert ink.bottom > 100 + 2 * 1.2 * 40 - 5


def test_spaced_letters_are_wider_and_still_one_word() -> None:
    plain, spaced = (
        prepared(**one(character_spacing=spacing)).render(a_document(full_name="Ada")).content
        for spacing in (0, 10)
    )

    ink, wider = ink_of(plain), ink_of(spaced)
    assert ink is not None
    assert wider is not None
    assert (wider.right - wider.left) - (ink.right - ink.left) == pytest.approx(20, abs=0.5)
    assert text_of(spaced) == "Ada"


def test_arabic_letters_stay_joined_where_characters_are_spaced() -> None:
    plain, spaced = (
        prepared(fonts=["noto-sans-arabic"], **one(character_spacing=spacing))
        .render(a_document(full_name="محمد"))
        .content
        for spacing in (0, 10)
    )

    assert ink_of(plain) == ink_of(spaced)


def test_a_text_has_its_color() -> None:
    made = prepared(**one("■", color="#aabbcc", size=100, font="noto-sans-jp")).render(a_document())

    assert picture_of(made.content).getextrema()[0] == pytest.approx(186, abs=2)


def test_a_heavier_weight_has_more_ink() -> None:
    inks = [
        sum(255 - value for value in picture_of(made.content).tobytes())
        for made in (
            prepared(**one(weight=weight)).render(a_document()) for weight in (100, 400, 900)
        )
    ]

    assert inks[0] < inks[1] * 0.8
    assert inks[1] * 1.2 < inks[2]


def test_a_weight_that_a_font_lacks_is_refused() -> None:
    with pytest.raises(InvalidInput, match="100 to 900") as caught:
        prepared(**one(weight=950))
    assert caught.value.field == "elements.only.weight"

    with pytest.raises(InvalidInput, match="not a variable one"):
        prepared(fonts=["noto-sans-jp"], **one(weight=700))


def test_a_date_is_written_as_its_element_says() -> None:
    made = prepared(**one("{issue_date}", date_format="d. MMMM y")).render(
        a_document(locale="pl", award_date=date(2026, 1, 2))
    )

    assert text_of(made.content) == "2. stycznia 2026"


# Images


@pytest.mark.parametrize("size", [{"width": 80}, {"height": 40}])
def test_an_image_stands_where_it_is_put(size: dict[str, int]) -> None:
    image = {"image": "seal", "x": 100, "y": 50, **size}
    made = prepared({"seal": png((40, 20))}, elements={**NOTHING, "seal": image})

    ink = ink_of(made.render(a_document()).content)

    assert ink is not None
    assert (ink.left, ink.top, ink.right, ink.bottom) == pytest.approx((100, 50, 180, 90), abs=0.5)


def test_an_image_keeps_its_proportions_in_the_middle_of_its_box() -> None:
    image = {"image": "seal", "x": 100, "y": 50, "width": 80, "height": 100}
    made = prepared({"seal": png((40, 20))}, elements={**NOTHING, "seal": image})

    ink = ink_of(made.render(a_document()).content)

    assert ink is not None
    assert (ink.left, ink.top, ink.right, ink.bottom) == pytest.approx((100, 80, 180, 120), abs=0.5)


def test_an_image_lies_under_the_texts() -> None:
    image = {"image": "ground", "x": 0, "y": 0, "width": "100%", "height": "100%"}
    elements = {"ground": image, **one("■", size=100, font="noto-sans-jp")["elements"]}
    made = prepared({"ground": png((842, 595), "#dddddd")}, elements=elements)

    assert picture_of(made.render(a_document()).content).getextrema()[0] == 0


def test_a_transparent_image_lets_the_template_through() -> None:
    image = {"image": "glass", "x": 0, "y": 0, "width": 200}
    made = prepared(
        {"glass": png((10, 10), "#00000000", "RGBA")}, elements={**NOTHING, "glass": image}
    )

    assert ink_of(made.render(a_document()).content) is None


@pytest.mark.parametrize(
    "content", [b"", b"%PDF-1.7", b"<svg/>", png((9, 9))[:40]], ids=["empty", "PDF", "SVG", "cut"]
)
def test_an_image_that_cannot_be_used_is_refused(content: bytes) -> None:
    image = {"image": "seal", "x": 1, "y": 1, "width": 80}

    with pytest.raises(RenderingError, match="image 'seal' cannot be used") as caught:
        prepared({"seal": content}, elements={"seal": image})

    assert caught.value.reason == "bad-image"


def test_an_image_with_too_many_pixels_is_refused() -> None:
    image = {"image": "seal", "x": 1, "y": 1, "width": 80}

    with pytest.raises(RenderingError, match="40,000,000"):
        prepared({"seal": png((8000, 5001), "#000000", "1")}, elements={"seal": image})


@pytest.mark.parametrize(("place", "field"), [({"x": 800}, "x"), ({"y": 580}, "y")])
def test_an_image_off_the_page_is_refused(place: dict[str, int], field: str) -> None:
    image = {"image": "seal", "x": 1, "y": 1, "width": 80, **place}

    with pytest.raises(InvalidInput) as caught:
        prepared({"seal": png((9, 9))}, elements={"seal": image})

    assert caught.value.field == f"elements.seal.{field}"


# QR codes


def test_a_code_is_the_one_that_a_scanner_reads() -> None:
    code = {"qr": "{verify_url}", "x": 100, "y": 200, "size": 132, "color": "#000000"}
    made = prepared(elements={**NOTHING, "code": code}).render(a_document())

    symbol = segno.make("https://learn.example.org/verify/vK3mQ9xT2wLr", error="m", micro=False)
    expected = Image.new("L", (842, 595), 255)
    module = 132 / len(symbol.matrix)
    assert module == int(module)
    pen = ImageDraw.Draw(expected)
    for row, modules in enumerate(symbol.matrix):
        for column, dark in enumerate(modules):
            if dark:
                x, y = 100 + column * module, 200 + row * module
                pen.rectangle((x, y, x + module - 1, y + module - 1), fill=0)
    assert picture_of(made.content, scale=1).tobytes() == expected.tobytes()


def test_a_code_is_made_of_vectors() -> None:
    code = {"qr": "{verify_url}", "x": 100, "y": 200, "size": 132}
    made = prepared(elements={**NOTHING, "code": code}).render(a_document())

    with pikepdf.open(BytesIO(made.content)) as pdf:
        assert not any(
            isinstance(each, pikepdf.Stream) and each.get("/Subtype") == "/Image"
            for each in pdf.objects
        )


# Assets


@pytest.mark.parametrize(
    "options",
    [
        {"template": "missing"},
        {"multiline_template": "missing"},
        {"fonts": ["missing"]},
        {"font_for_language": {"ja": "missing"}},
        {"elements": {"name": {"font": "missing"}}},
        {"elements": {"seal": {"image": "missing", "x": 1, "y": 1, "width": 9}}},
    ],
    ids=["template", "second template", "font", "font for a language", "own font", "image"],
)
def test_an_asset_that_is_not_there_is_refused_at_once(options: dict[str, Any]) -> None:
    with pytest.raises(NotFound, match="missing"):
        prepared(**options)


def test_the_renderer_is_found_by_its_name_and_says_what_its_options_are() -> None:
    renderer = PdfRenderer()

    assert renderer.name == "pdf"
    assert "fonts" in renderer.options_model.model_fields


@pytest.mark.parametrize("name", ["blank", "moved and turned"])
def test_a_code_fills_the_box_that_its_tag_names(name: str) -> None:
    code = {"qr": "{verify_url}", "x": 40, "y": 90, "size": 61.5}
    elements = {"name": False, "context": False, "date": False, "code": code}
    content = (
        prepared({"made": ALLOWED[name]}, template="made", elements=elements)
        .render(a_document())
        .content
    )

    def cropped(pdf: pikepdf.Pdf) -> None:
        (figure,) = pdf.Root.StructTreeRoot.K.K.as_list()
        pdf.pages[0].obj.CropBox = figure.A.BBox

    ink = ink_of(changed(content, cropped))
    assert ink is not None
    assert (ink.left, ink.top) == pytest.approx((0, 0), abs=0.3)
    assert (ink.right, ink.bottom) == pytest.approx((61.5, 61.5), abs=0.3)


def test_what_is_in_another_language_is_tagged_with_it() -> None:
    renderer = prepared(
        reading_text="Uniwersytet",
        reading_text_language="PL-pl",
        elements={
            "context": False,
            "date": {"language": "en"},
            "code": {"qr": "{verify_url}", "x": 10, "y": 10, "size": 60},
        },
    )
    content = renderer.render(a_document(locale="de")).content
    with pikepdf.open(BytesIO(content)) as pdf:
        elements = list(pdf.Root.StructTreeRoot.K.K)
        tagged = [(str(each.S), str(each.get("/Lang", ""))) for each in elements]
        assert str(pdf.Root.Lang) == "de"
    assert tagged == [("/P", "pl-pl"), ("/Figure", "en"), ("/P", ""), ("/P", "en")]
