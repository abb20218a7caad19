"""Fonts: all kinds of files that can be used, and those that cannot."""

import gc
from io import BytesIO
from pathlib import Path

import pytest
from fontTools.feaLib.builder import addOpenTypeFeaturesFromString
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.ttLib import TTCollection, TTFont, newTable
from fontTools.ttLib.tables._k_e_r_n import KernTable_format_0

from testamur.adapters.pdf.fonts import Font, FontFile, Shaping
from testamur.application.errors import RenderingError
from tests.support.pdf import (
    a_document,
    difference,
    font_file,
    picture_of,
    prepared,
    text_of,
)

LATIN = Shaping(right_to_left=False, script="Latn", language="en")


def small_font() -> bytes:
    """A static part of Open Sans: the Latin alphabet, digits and a few signs."""
    font = Font(FontFile("open-sans", font_file("open-sans")))
    characters = "".join(map(chr, range(0x20, 0x7F)))
    return font.part({glyph.id for glyph in font.shape(characters, LATIN)}).content


def saved(font: TTFont | TTCollection) -> bytes:
    file = BytesIO()
    font.save(file)
    return file.getvalue()


def with_postscript_outlines(content: bytes) -> bytes:
    """The same font as .otf files usually are: PostScript outlines, glyphs with names."""
    source = TTFont(BytesIO(content))
    names = source.getGlyphOrder()
    metrics = {name: source["hmtx"][name] for name in names}
    shapes = {}
    for name in names:
        pen = T2CharStringPen(metrics[name][0], source.getGlyphSet())
        source.getGlyphSet()[name].draw(pen)
        shapes[name] = pen.getCharString()
    built = FontBuilder(source["head"].unitsPerEm, isTTF=False)
    built.setupGlyphOrder(names)
    built.setupCharacterMap(source.getBestCmap())
    built.setupCFF("Small-Regular", {"FullName": "Small Regular"}, shapes, {})
    built.setupHorizontalMetrics(metrics)
    built.setupHorizontalHeader(ascent=2189, descent=-600)
    built.setupNameTable({"familyName": "Small", "styleName": "Regular"})
    built.setupOS2()
    built.setupPost()
    return saved(built.font)


def without(content: bytes, *tables: str) -> bytes:
    font = TTFont(BytesIO(content))
    for table in tables:
        del font[table]
    return saved(font)


def certificate(font: bytes, reference: str = "made") -> bytes:
    return prepared({"made": font}, fonts=[reference]).render(a_document()).content


def test_an_opentype_font_with_postscript_outlines_looks_the_same() -> None:
    truetype = small_font()

    postscript = certificate(with_postscript_outlines(truetype))

    assert difference(picture_of(postscript), picture_of(certificate(truetype))) < 0.01
    assert text_of(postscript).startswith("Ada Lovelace")


def test_a_font_of_a_collection_is_chosen_by_its_number() -> None:
    collection = TTCollection()
    collection.fonts = [TTFont(BytesIO(each)) for each in (small_font(), other_font())]
    content = saved(collection)

    first, second = certificate(content), certificate(content, "made#1")

    assert difference(picture_of(first), picture_of(certificate(small_font()))) < 0.01
    assert difference(picture_of(second), picture_of(certificate(other_font()))) < 0.01
    with pytest.raises(RenderingError, match="holds 2 fonts, counted from 0"):
        certificate(content, "made#2")


def other_font() -> bytes:
    font = Font(FontFile("noto-sans", font_file("noto-sans")))
    characters = "".join(map(chr, range(0x20, 0x7F)))
    return font.part({glyph.id for glyph in font.shape(characters, LATIN)}).content


def test_kerning_of_old_fonts_is_used() -> None:
    font = TTFont(BytesIO(small_font()))
    names = font.getBestCmap()
    table = KernTable_format_0()
    table.coverage, table.apple = 1, False
    table.kernTable = {(names[ord("A")], names[ord("d")]): -700}
    font["kern"] = newTable("kern")
    font["kern"].version, font["kern"].kernTables = 0, [table]

    with_kerning, plain = FontFile("kerned", saved(font)), FontFile("plain", small_font())

    widths = [
        sum(glyph.advance for glyph in Font(each).shape("Ad", LATIN))
        for each in (with_kerning, plain)
    ]
    assert widths[1] - widths[0] == 700
    assert text_of(certificate(saved(font))).startswith("Ada Lovelace")


def test_a_font_that_maps_a_character_to_the_missing_glyph_does_not_have_it() -> None:
    font = TTFont(BytesIO(small_font()))
    for table in font["cmap"].tables:
        table.cmap[ord("v")] = ".notdef"

    with pytest.raises(RenderingError, match=r"U\+0076 LATIN SMALL LETTER V") as caught:
        prepared({"made": saved(font)}, fonts=["made"]).check(a_document())

    assert caught.value.reason == "missing-glyph"


def test_a_font_whose_ligatures_lead_to_the_missing_glyph_does_not_have_them() -> None:
    font = TTFont(BytesIO(small_font()))
    names = font.getBestCmap()
    pair = f"{names[ord('v')]} {names[ord('e')]}"
    addOpenTypeFeaturesFromString(font, f"feature liga {{ sub {pair} by .notdef; }} liga;")

    with pytest.raises(RenderingError, match=r"U\+0076 LATIN SMALL LETTER V") as caught:
        prepared({"made": saved(font)}, fonts=["made"]).check(a_document())

    assert caught.value.reason == "missing-glyph"


def test_a_font_whose_licence_forbids_embedding_is_refused() -> None:
    font = TTFont(BytesIO(small_font()))
    font["OS/2"].fsType = 2

    with pytest.raises(RenderingError, match="forbids embedding"):
        certificate(saved(font))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"%PDF-1.7 is no font",
        small_font()[:2000],
        without(small_font(), "glyf", "loca"),
        without(small_font(), "cmap"),
        without(small_font(), "name"),
        without(small_font(), "OS/2"),
        b"wOF2" + small_font()[4:],
    ],
    ids=["empty", "PDF", "cut", "no outlines", "no cmap", "no name", "no OS/2", "WOFF"],
)
def test_a_font_that_cannot_be_used_is_refused(content: bytes) -> None:
    with pytest.raises(RenderingError, match="font 'made' cannot be") as caught:
        certificate(content)

    assert caught.value.reason == "bad-font"


def test_a_font_without_a_name_is_refused() -> None:
    font = TTFont(BytesIO(small_font()))
    font["name"].names = []

    with pytest.raises(RenderingError, match="does not say its own name"):
        certificate(saved(font))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_font_that_fpdf2_cannot_embed_is_refused_before_anything_is_drawn() -> None:
    font = TTFont(BytesIO(small_font()))
    font["head"].unitsPerEm = 0

    with pytest.raises(RenderingError, match="cannot embed"):
        certificate(saved(font))

    gc.collect()  # fpdf2 left the file open, which is the warning that is ignored above


def test_no_font_file_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    certificate(small_font())

    assert not list(tmp_path.iterdir())
