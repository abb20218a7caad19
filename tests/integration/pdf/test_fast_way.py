"""The quick way to make documents and the plain one: same look, same text, whatever is drawn."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import cache
from io import BytesIO
from typing import Any

import pytest
from fontTools.ttLib import TTCollection, TTFont
from fpdf import FPDF
from pikepdf import Array, Pdf
from PIL import Image

from testamur.adapters.pdf import PdfOptions, PreparedPdf
from testamur.adapters.pdf.plain import PlainPdf
from testamur.adapters.pdf.renderer import MOST_EDITIONS
from testamur.application.ports.rendering import Document
from tests.integration.pdf.test_scripts import SAMPLES, VOWELLED, Sample
from tests.support.fonts import saved, small_font, with_postscript_outlines
from tests.support.pdf import (
    FONTS,
    MemoryAssets,
    a_document,
    changed,
    difference,
    picture_of,
    prepared,
    template,
    text_of,
)
from tests.support.vera import Vera

#: Part of the ink that rounding to a thousandth of a point may change.
ALIKE = 0.002


def both_ways(
    document: Document, contents: Mapping[str, bytes] | None = None, **options: Any
) -> tuple[bytes, bytes]:
    """Return a document made quickly, and made plainly."""
    chosen = {"template": "blank", "fonts": ["noto-sans"], **options}
    assets = MemoryAssets({"blank": template(), **(contents or {})})
    plain = PlainPdf(PdfOptions.model_validate(chosen), assets)
    return made_quickly(prepared(contents, **options), document), plain.document(document)


def made_quickly(renderer: PreparedPdf, document: Document) -> bytes:
    # Not as the first document: what is left of those before must not show.
    renderer.render(replace(document, full_name="Somebody Else"))
    return renderer.render(document).content


@cache
def with_all_fonts() -> tuple[PreparedPdf, PlainPdf]:
    fonts: dict[str, Any] = {
        "fonts": FONTS,
        "font_for_language": {"ja": "noto-sans-jp", "ko": "noto-sans-kr", "zh": "noto-sans-sc"},
    }
    options = PdfOptions.model_validate({"template": "blank", **fonts})
    return prepared(**fonts), PlainPdf(options, MemoryAssets({"blank": template()}))


def assert_alike(quick: bytes, plain: bytes, page: int = 0) -> None:
    assert text_of(quick, page) == text_of(plain, page)
    assert difference(picture_of(quick, page), picture_of(plain, page)) < ALIKE


def one(text: str = "{name}", **options: Any) -> dict[str, Any]:
    element = {"text": text, "x": "50%", "y": "50%", "align": "center", "size": 40, **options}
    nothing = {"name": False, "context": False, "date": False}
    return {"elements": {**nothing, "only": element}}


@pytest.mark.parametrize("sample", (SAMPLES | VOWELLED).values(), ids=SAMPLES | VOWELLED)
def test_names_of_every_script(sample: Sample) -> None:
    document = a_document(full_name=sample.name, context_name=sample.name, locale=sample.language)

    quick, plain = with_all_fonts()
    assert_alike(made_quickly(quick, document), plain.document(document))


@pytest.mark.parametrize(
    "name",
    [
        "Office affluent fjord",
        "Anne\u2011Marie d\u2019\u200bArcy",
        "Ada\u00a0Lovelace – “AT&T”",
        "Z\u0323\u0301a \u1e9e Ǻ ɓ",
        "AVATAR To Ty Wa",
        "Ali محمد 12",
        "محمد (Ali) 12",
        "山田 Taro ﾔﾏﾀﾞ",
        "김민준 Kim, PhD",
        "कमल Kamal",
    ],
)
def test_names_of_several_kinds_of_letters(name: str) -> None:
    document = a_document(full_name=name, context_name=f"{name} and {name}")

    quick, plain = with_all_fonts()
    assert_alike(made_quickly(quick, document), plain.document(document))


@pytest.mark.parametrize(
    "options",
    [
        {"character_spacing": 4},
        {"character_spacing": -1.5},
        {"upper_case": True},
        {"weight": 800},
        {"weight": 300, "font": "open-sans"},
        {"color": "#1f3a5f"},
        {"direction": "rtl"},
        {"align": "right", "x": 800},
        {"size": 90, "min_size": 10, "width": 300},
        {"wrap": True, "width": 200, "size": 30},
        {"wrap": True, "width": 150, "size": 30, "max_lines": 2, "min_size": 10},
        {"text": "To {name}, for {context_name}: {result} at {verify_url}", "size": 14},
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ["Ailín Office O’Brien", "محمد Ali 12"], ids=["Latin", "mixed"])
def test_options_of_texts(options: dict[str, Any], name: str) -> None:
    document = a_document(full_name=name, values={"result": "97 %"})
    fonts = ["noto-sans", "noto-sans-arabic"]

    assert_alike(*both_ways(document, fonts=fonts, **one(**options)))


def test_turkish_dutch_and_romanian_letters() -> None:
    for language, name in (
        ("tr", "Fikri Işıl fi"),
        ("nl", "IJsbrand fijn"),
        ("ro", "Ştefan Ţepeş"),
    ):
        document = a_document(full_name=name, locale=language)

        assert_alike(*both_ways(document, **one(upper_case=language == "tr")))


@pytest.mark.parametrize("kind", ["names", "collection", "static", "numbers"])
def test_kinds_of_font_files(kind: str) -> None:
    collection = TTCollection()
    collection.fonts = [TTFont(BytesIO(small_font(each))) for each in ("open-sans", "noto-sans")]
    content, reference = {
        "names": (with_postscript_outlines(small_font()), "made"),
        "collection": (saved(collection), "made#1"),
        "static": (small_font(), "made"),
        "numbers": (b"", "noto-sans-jp"),
    }[kind]
    document = a_document(full_name="Ada-Maria Lovelace-Byron")
    elements = {"id": {"text": "({verify_id})", "x": 50, "y": 500}}

    quick, plain = both_ways(document, {"made": content}, fonts=[reference], elements=elements)

    assert text_of(quick) == text_of(plain)
    # PostScript outlines of glyphs with names are other curves the plain way.
    alike = 0.01 if kind == "names" else ALIKE
    assert difference(picture_of(quick), picture_of(plain)) < alike


def test_one_glyph_that_stands_for_several_characters() -> None:
    # In this font the hyphens, and the spaces, are one glyph each.
    name = "A-B\u2010C\u2011D E\u00a0F"

    quick, plain = both_ways(a_document(full_name=name), **one(font="noto-sans-jp"))

    assert_alike(quick, plain)


def turned(content: bytes) -> bytes:
    def turn(pdf: Pdf) -> None:
        page = pdf.pages[0].obj
        page.Rotate = 90
        page.CropBox = Array([50, 20, 700, 500])
        page.UserUnit = 1.5

    return changed(content, turn)


def lines(pdf: FPDF) -> None:
    pdf.set_draw_color(200, 30, 90)
    pdf.line(10, 10, 400, 300)


def seal() -> bytes:
    file = BytesIO()
    Image.linear_gradient("L").resize((60, 40)).save(file, "PNG")
    return file.getvalue()


def test_templates_turned_and_cropped_with_images_and_codes() -> None:
    elements = {
        "seal": {"image": "seal", "x": 30, "y": 30, "width": 120},
        "code": {"qr": "{verify_url}", "x": 300, "y": 300, "size": 90, "color": "#1f3a5f"},
        "fixed": {"qr": "HTTPS://EXAMPLE.ORG", "x": 30, "y": 300, "size": 50},
        "link": {"text": "{verify_url}", "x": 30, "y": 400, "size": 8},
    }
    contents = {"seal": seal(), "blank": turned(template(draw=lines))}

    assert_alike(*both_ways(a_document(), contents, elements=elements))


def test_a_template_of_several_pages_for_names_of_several_lines() -> None:
    contents = {"blank": template(pages=2), "tall": template((400, 700), lines, pages=2)}
    document = a_document(context_name="Analytical\nEngines")

    quick, plain = both_ways(document, contents, multiline_template="tall", page=2)

    for page in (0, 1):
        assert_alike(quick, plain, page)
    assert text_of(quick, 1) == "Ada Lovelace\nAnalytical\nEngines\nMarch 12, 2026"


def test_a_document_does_not_depend_on_those_before() -> None:
    elements = {"code": {"qr": "{verify_url}", "x": 1, "y": 1, "size": 90}}
    fonts = ["noto-sans", "noto-sans-arabic", "noto-sans-jp"]
    names = ["Ada Lovelace", "Ελένη", "محمد", "骨直", "Fjord ffi"]
    documents = [
        a_document(full_name=name, verify_url=f"https://example.org/v/{number:08}x")
        for number, name in enumerate(names * 20)
    ]
    renderer, again = (prepared(fonts=fonts, elements=elements) for _ in range(2))

    made = [renderer.render(each).content for each in documents]

    assert made[::-1] == [again.render(each).content for each in reversed(documents)]


def test_a_document_that_changed_since_its_check_is_drawn_as_it_is_now() -> None:
    renderer = prepared()

    renderer.check(a_document(full_name="Ada Byron"))

    assert text_of(renderer.render(a_document()).content).startswith("Ada Lovelace\n")


def test_many_contexts_days_and_languages_take_turns() -> None:
    renderer = prepared()
    documents = [
        a_document(
            context_name=f"Course {number}",
            award_date=date(2026, 1 + number % 12, 1 + number % 28),
            locale=("en", "de")[number % 2],
        )
        for number in range(MOST_EDITIONS + 3)
    ]

    for document in [*documents, *documents]:
        content = renderer.render(document).content
        assert text_of(content).split("\n")[1] == document.context_name
        assert str(document.award_date.day) in text_of(content).split("\n")[2]


@pytest.mark.parametrize("kind", ["names", "static", "numbers"])
def test_documents_with_all_kinds_of_fonts_keep_to_both_standards(kind: str, vera: Vera) -> None:
    content, reference = {
        "names": (with_postscript_outlines(small_font()), "made"),
        "static": (small_font(), "made"),
        "numbers": (b"", "noto-sans-jp"),
    }[kind]
    elements = {"code": {"qr": "{verify_url}", "x": 1, "y": 1, "size": 90}}
    made = prepared({"made": content}, fonts=[reference], elements=elements)

    file = made.render(a_document(full_name="Ada Byron-King")).content

    assert vera.broken_rules(file, "2b") == []
    assert vera.broken_rules(file, "ua1") == []


@pytest.mark.parametrize(
    "name",
    [
        "Anne\u2010Marie d\u2019\u200bArcy",
        "Z\u0323\u0301a\u00a0ffi",
        "Ali محمد 12",
        "हिन्दी",
        "骨\u00a0直",
    ],
    ids=ascii,
)
def test_documents_with_all_kinds_of_letters_keep_to_both_standards(name: str, vera: Vera) -> None:
    quick, _ = with_all_fonts()

    file = quick.render(a_document(full_name=name, context_name=name)).content

    assert vera.broken_rules(file, "2b") == []
    assert vera.broken_rules(file, "ua1") == []
