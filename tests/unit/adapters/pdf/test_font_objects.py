"""Font objects: codes lead to the right glyphs, with their exact widths and their texts."""

import re
import zlib
from collections.abc import Sequence
from io import BytesIO
from typing import Any

import pikepdf
import pytest
from fontTools.cffLib import CFFFontSet
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.ttLib import TTFont
from pikepdf import Name

from testamur.adapters.pdf.font_files import FontFile
from testamur.adapters.pdf.font_objects import EmbeddedFont
from testamur.adapters.pdf.fonts import Font, Shaping
from testamur.adapters.pdf.syntax import FREE_ROW, indirect, row
from tests.support.fonts import font_of, small_font, with_postscript_outlines

TEXTS = {
    "noto-sans": ("Latn", "Zażółć fi 12"),
    "open-sans": ("Latn", "Zażółć fi 12"),
    "noto-sans-arabic": ("Arab", "فاطمة"),
    "noto-sans-jp": ("Hani", "山田太郎"),
    "names": ("Latn", "Ada Lovelace 12"),
}


def font(kind: str) -> Font:
    if kind == "names":
        return Font(FontFile("made", with_postscript_outlines(small_font())))
    return font_of(kind)


def glyphs_of(drawn: Font, kind: str) -> list[int]:
    script, text = TEXTS[kind]
    shaped = drawn.shape(text, Shaping(script == "Arab", script, "en"))
    return list(dict.fromkeys(glyph.id for glyph in shaped))


def embedded(drawn: Font, glyphs: list[tuple[int, str]]) -> tuple[EmbeddedFont, list[int]]:
    made = EmbeddedFont("F0", drawn.program)
    return made, [made.code(*glyph)[0] for glyph in glyphs]


class ReadFont:
    """An embedded font as a reader finds it in a file."""

    def __init__(self, made: EmbeddedFont) -> None:
        objects = made.objects()
        bodies = objects.bodies(4)
        assert len(bodies) == objects.count
        self._pdf = pikepdf.open(BytesIO(file_of(bodies)))
        self.dictionary = self._pdf.Root.Font
        self.descendant = self.dictionary.DescendantFonts[0]
        self.descriptor = self.descendant.FontDescriptor
        if "/FontFile2" in self.descriptor:
            self.truetype = TTFont(BytesIO(self.descriptor.FontFile2.read_bytes()))
        else:
            fonts = CFFFontSet()
            fonts.decompile(BytesIO(self.descriptor.FontFile3.read_bytes()), None)
            self._postscript = fonts[0]

    @property
    def texts(self) -> dict[int, str]:
        """Texts by code."""
        _, pairs = self.dictionary.ToUnicode.read_bytes().decode("ascii").split("endcodespacerange")
        found = re.findall(r"<([0-9A-F]{4})><([0-9a-f]+)>\n", pairs)
        return {int(code, 16): bytes.fromhex(text).decode("utf-16-be") for code, text in found}

    @property
    def widths(self) -> dict[int, int]:
        """Widths by CID."""
        array = self.descendant.W
        entries = [array[index] for index in range(len(array))]
        return {
            int(first) + offset: int(width)
            for first, widths in zip(entries[::2], entries[1::2], strict=True)
            for offset, width in enumerate(widths)
        }

    def cid(self, code: int) -> int:
        """The CID that a code leads to."""
        if self.dictionary.Encoding == Name("/Identity-H"):
            return code
        assert self.dictionary.Encoding.CMapName == Name("/Testamur")
        encoding = self.dictionary.Encoding.read_bytes().decode("ascii")
        pairs = re.findall(r"<([0-9A-F]{4})>(\d+)\n", encoding)
        return {int(each, 16): int(cid) for each, cid in pairs}[code]

    def glyph(self, cid: int) -> tuple[list[Any], float]:
        """Outline and width of the glyph that a CID leads to."""
        if "/FontFile3" in self.descriptor:
            has_numbers = hasattr(self._postscript, "ROS")
            name = f"cid{cid:05d}" if has_numbers else self._postscript.charset[cid]
            found = self._postscript.CharStrings[name]
            pen = DecomposingRecordingPen({})
            found.draw(pen)
            return pen.value, found.width * 1000 * self._postscript.FontMatrix[0]
        indexes = self.descendant.CIDToGIDMap.read_bytes()
        index = int.from_bytes(indexes[2 * cid : 2 * cid + 2], "big")
        name = self.truetype.getGlyphName(index)
        width = self.truetype["hmtx"][name][0] * 1000 / self.truetype["head"].unitsPerEm
        return outline(self.truetype, index), width


def file_of(bodies: Sequence[bytes]) -> bytes:
    """A PDF with a font in its catalogue; the font's objects begin with the fourth."""
    first = [
        b"<</Type/Catalog/Pages 2 0 R/Font 4 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>",
    ]
    file, table = b"%PDF-1.7\n", FREE_ROW
    for number, body in enumerate([*first, *bodies], start=1):
        table += row(len(file))
        file += indirect(number, body)
    size, start = len(table) // len(FREE_ROW), len(file)
    file += b"xref\n0 %d\n%btrailer\n<</Root 1 0 R/Size %d>>\n" % (size, table, size)
    return file + b"startxref\n%d\n%%%%EOF\n" % start


def outline(file: TTFont, glyph: int) -> list[Any]:
    glyphs = file.getGlyphSet()
    pen = DecomposingRecordingPen(glyphs)
    glyphs[file.getGlyphName(glyph)].draw(pen)
    return list(pen.value)


def whole_font(drawn: Font) -> TTFont:
    return TTFont(BytesIO(drawn.file.face.blob.data))


@pytest.mark.parametrize("kind", TEXTS)
def test_each_code_leads_to_its_glyph_its_width_and_its_text(kind: str) -> None:
    drawn = font(kind)
    glyphs = glyphs_of(drawn, kind)
    made, codes = embedded(drawn, [(glyph, f"«{glyph}»") for glyph in glyphs])

    found, whole = ReadFont(made), whole_font(drawn)

    assert len(set(codes)) == len(glyphs)
    for glyph, code in zip(glyphs, codes, strict=True):
        cid = found.cid(code)
        shape, width = found.glyph(cid)
        # The program keeps the outlines of the font's default instance, which the file itself has.
        assert shape == outline(whole, glyph)
        assert found.widths[cid] == made.code(glyph, f"«{glyph}»")[1]
        assert found.widths[cid] == pytest.approx(width, abs=0.5)
        assert found.texts[code] == f"«{glyph}»"


@pytest.mark.parametrize("kind", TEXTS)
def test_one_glyph_has_a_code_for_each_text_that_it_stands_for(kind: str) -> None:
    drawn = font(kind)
    glyph, other = glyphs_of(drawn, kind)[:2]
    asked = [(glyph, "a"), (glyph, "\u2011"), (other, "c"), (glyph, "a"), (glyph, "\U0001f600")]

    made, codes = embedded(drawn, asked)
    found = ReadFont(made)

    assert codes[0] == codes[3]
    assert len(set(codes)) == 4
    assert [found.texts[code] for code in codes] == [text for _, text in asked]
    first, second, _, _, third = (found.glyph(found.cid(code)) for code in codes)
    assert first == second == third


def test_a_glyph_that_stands_for_nothing_is_read_as_what_is_not_seen() -> None:
    made, (code,) = embedded(font_of("noto-sans"), [(70, "")])

    assert ReadFont(made).texts == {code: "\u200b"}


def test_glyphs_are_known_only_once_they_have_codes() -> None:
    made, codes = embedded(font_of("noto-sans"), [(70, "a"), (71, "b")])

    known = made.known([(71, "b"), (70, "a")])

    assert known is not None
    assert [code for code, _ in known] == codes[::-1]
    assert made.known([(70, "a"), (71, "x")]) is None


def test_more_glyphs_than_a_block_of_a_map_may_hold() -> None:
    made, codes = embedded(font_of("noto-sans"), [(glyph, f"{glyph}") for glyph in range(40, 290)])

    found = ReadFont(made)

    assert found.texts == dict(zip(codes, map(str, range(40, 290)), strict=True))
    blocks = re.findall(rb"(\d+) beginbfchar", found.dictionary.ToUnicode.read_bytes())
    assert blocks == [b"100", b"100", b"50"]


def test_the_same_glyphs_have_the_same_name_and_others_another() -> None:
    drawn = font_of("noto-sans")
    fonts = [
        ReadFont(embedded(drawn, glyphs)[0]) for glyphs in ([(70, "a")], [(70, "b")], [(71, "a")])
    ]
    names = [str(each.dictionary.BaseFont) for each in fonts]

    assert names[0] == names[1] != names[2]
    assert all(re.fullmatch(r"/[A-Z]{6}\+NotoSans-Regular", name) for name in names)


def test_a_weight_is_embedded_as_a_plain_font() -> None:
    bold = Font(font_of("noto-sans").file, 900)
    made, (code,) = embedded(bold, [(70, "a")])

    found = ReadFont(made)

    assert "fvar" not in found.truetype
    assert int(found.descriptor.StemV) > 200
    assert found.glyph(code)[0] != outline(whole_font(bold), 70)


def test_long_streams_are_compressed() -> None:
    made, _ = embedded(font_of("noto-sans"), [(glyph, f"{glyph}") for glyph in range(40, 290)])

    packed = [body for body in made.objects().bodies(1) if b"/FlateDecode" in body]

    assert len(packed) == 2
    for body in packed:
        assert zlib.decompress(body.split(b"stream\n", 1)[1].rsplit(b"\nendstream", 1)[0])
