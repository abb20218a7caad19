"""fpdf2 from inside: codes lead to the glyphs that were asked for, to their texts and widths.

These tests stand guard over the pinned version: the plain way (`testamur.adapters.pdf.embedding`)
and `testamur.adapters.pdf.direction` use parts of it that are not documented.
"""

import re
from contextlib import closing
from importlib import import_module
from io import BytesIO
from pathlib import Path

import fpdf
import pikepdf
import pytest
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.ttLib import TTFont
from fpdf.fonts import TTFFont

from testamur.adapters.pdf.embedding import EmbeddedFonts
from testamur.adapters.pdf.font_files import FontFile
from testamur.adapters.pdf.fonts import Font, Glyph, Shaping
from tests.support.fonts import small_font
from tests.support.pdf import font_file

TEXTS = {
    "noto-sans": ("Latn", "Zażółć fi 12"),
    "noto-sans-arabic": ("Arab", "فاطمة"),
    "noto-sans-devanagari": ("Deva", "क्षत्रिय"),
    "noto-sans-jp": ("Hani", "山田太郎"),
}


def font(slug: str) -> Font:
    return Font(FontFile(slug, font_file(slug)))


def shaped(drawn: Font, slug: str) -> tuple[Glyph, ...]:
    script, text = TEXTS[slug]
    return drawn.shape(text, Shaping(script == "Arab", script, "en"))


def outline(file: TTFont, name: str) -> list[tuple[str, tuple[object, ...]]]:
    glyphs = file.getGlyphSet()
    pen = DecomposingRecordingPen(glyphs)
    glyphs[name].draw(pen)
    return list(pen.value)


def embedded_objects(content: bytes) -> tuple[pikepdf.Pdf, pikepdf.Object]:
    pdf = pikepdf.open(BytesIO(content))
    (found,) = pdf.pages[0].obj.Resources.Font.as_dict().values()
    return pdf, found


def text_by_code(found: pikepdf.Object) -> dict[int, str]:
    cmap = found.ToUnicode.read_bytes().decode("ascii")
    pairs = re.findall(r"<([0-9A-F]{4})> <([0-9A-F]+)>\n(?!endcodespacerange)", cmap)
    return {int(code, 16): bytes.fromhex(text).decode("utf-16-be") for code, text in pairs}


def widths_by_code(found: pikepdf.Object) -> dict[int, int]:
    """ISO 32000-2, section 9.7.4.3: `first [width…]` or `first last width`."""
    widths: dict[int, int] = {}
    array = found.DescendantFonts[0].W
    entries = iter([array[index] for index in range(len(array))])
    for first, second in zip(entries, entries, strict=False):
        if isinstance(second, pikepdf.Array):
            widths |= {int(first) + offset: int(each) for offset, each in enumerate(second)}
        else:
            widths |= dict.fromkeys(range(int(first), int(second) + 1), int(next(entries)))
    return widths


@pytest.mark.parametrize(
    "attribute",
    [
        "fpdf.bidi:BIDI_BRACKETS",
        "fpdf.bidi:BidiParagraph.get_characters",
        "fpdf.bidi:auto_detect_base_direction",
        "fpdf.enums:TextDirection.RTL",
        "fpdf.fonts:SubsetMap.get_glyph",
        "fpdf.fonts:SubsetMap.pick_glyph",
        "fpdf.fonts:TTFFont.close",
    ],
)
def test_fpdf2_still_has_what_is_used_of_it(attribute: str) -> None:
    module, _, path = attribute.partition(":")
    found: object = import_module(module)
    for name in path.split("."):
        assert hasattr(found, name), f"fpdf2 {fpdf.__version__} has no {attribute} any more"
        found = getattr(found, name)


@pytest.mark.parametrize("name", ["i", "scale", "subset", "ttfont"])
def test_fonts_of_fpdf2_still_have_what_is_used_of_them(name: str, tmp_path: Path) -> None:
    file = tmp_path / "some.ttf"
    file.write_bytes(small_font())
    pdf = fpdf.FPDF()
    pdf.add_font("some", fname=file)

    some = pdf.fonts["some"]
    assert isinstance(some, TTFFont)
    with closing(some):
        assert hasattr(some, name), f"fonts of fpdf2 {fpdf.__version__} have no {name} any more"


@pytest.mark.parametrize("slug", ["noto-sans", "noto-sans-arabic", "noto-sans-devanagari"])
def test_each_code_leads_to_its_glyph(slug: str) -> None:
    drawn = font(slug)
    glyphs = shaped(drawn, slug)
    with EmbeddedFonts({drawn: {glyph.id for glyph in glyphs}}) as fonts:
        codes = {glyph.id: fonts.code(drawn, glyph.id, f"{glyph.id}")[0] for glyph in glyphs}
        pdf, found = embedded_objects(fonts.output())

    # The part keeps the outlines of the font's default instance, which the file itself holds.
    whole = TTFont(BytesIO(font_file(slug)))
    with pdf:
        descendant = found.DescendantFonts[0]
        part = TTFont(BytesIO(descendant.FontDescriptor.FontFile2.read_bytes()))
        indexes = descendant.CIDToGIDMap.read_bytes()
    for glyph, code in codes.items():
        index = int.from_bytes(indexes[2 * code : 2 * code + 2], "big")
        assert outline(part, part.getGlyphName(index)) == outline(whole, whole.getGlyphName(glyph))


@pytest.mark.parametrize("slug", TEXTS)
def test_each_code_stands_for_its_text_and_has_its_width(slug: str) -> None:
    drawn = font(slug)
    glyphs = {glyph.id for glyph in shaped(drawn, slug)}
    with EmbeddedFonts({drawn: glyphs}) as fonts:
        asked = {glyph: fonts.code(drawn, glyph, f"«{glyph}»") for glyph in glyphs}
        resource = fonts.resource(drawn)
        pdf, found = embedded_objects(fonts.output())

    with pdf:
        assert f"/{resource}" in pdf.pages[0].obj.Resources.Font
        texts = text_by_code(found)
        assert {glyph: texts[code] for glyph, (code, _) in asked.items()} == {
            glyph: f"«{glyph}»" for glyph in glyphs
        }
        if "noto-sans-jp" not in slug:  # whose widths go by CID, which the code leads to
            widths = widths_by_code(found)
            assert {code: widths[code] for code, _ in asked.values()} == dict(asked.values())


def test_one_glyph_has_a_code_for_each_text_that_it_stands_for() -> None:
    drawn = font("noto-sans")
    (hyphen,) = drawn.shape("-", Shaping(False, "Latn", "en"))

    with EmbeddedFonts({drawn: {hyphen.id}}) as fonts:
        codes = [fonts.code(drawn, hyphen.id, text)[0] for text in ("-", "\u2011", "-")]
        pdf, found = embedded_objects(fonts.output())

    with pdf:
        texts = text_by_code(found)
    assert codes[0] == codes[2] != codes[1]
    assert [texts[code] for code in codes] == ["-", "\u2011", "-"]


def test_a_glyph_that_stands_for_nothing_has_no_text() -> None:
    drawn = font("noto-sans")
    (mark,) = drawn.shape("x", Shaping(False, "Latn", "en"))

    with EmbeddedFonts({drawn: {mark.id}}) as fonts:
        code, _ = fonts.code(drawn, mark.id, "")
        pdf, found = embedded_objects(fonts.output())

    with pdf:
        assert code not in text_by_code(found)
