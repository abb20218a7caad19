"""Fonts: all kinds of files that can be used, and those that cannot."""

from io import BytesIO
from pathlib import Path

import pytest
from fontTools.feaLib.builder import addOpenTypeFeaturesFromString
from fontTools.ttLib import TTCollection, TTFont, newTable
from fontTools.ttLib.tables._k_e_r_n import KernTable_format_0

from testamur.adapters.pdf.font_files import FontFile
from testamur.adapters.pdf.fonts import Font
from testamur.application.errors import RenderingError
from tests.support.fonts import LATIN, saved, small_font, with_postscript_outlines
from tests.support.pdf import a_document, difference, picture_of, prepared, text_of


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
    collection.fonts = [TTFont(BytesIO(each)) for each in (small_font(), small_font("noto-sans"))]
    content = saved(collection)

    first, second = certificate(content), certificate(content, "made#1")

    assert difference(picture_of(first), picture_of(certificate(small_font()))) < 0.01
    assert difference(picture_of(second), picture_of(certificate(small_font("noto-sans")))) < 0.01
    with pytest.raises(RenderingError, match="holds 2 fonts, counted from 0"):
        certificate(content, "made#2")


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


def test_a_font_that_is_drawn_in_no_units_is_refused() -> None:
    font = TTFont(BytesIO(small_font()))
    font["head"].unitsPerEm = 0

    with pytest.raises(RenderingError, match="drawn in 0 units; allowed: 16 to 16384"):
        certificate(saved(font))


def test_no_font_file_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    certificate(small_font())

    assert not list(tmp_path.iterdir())
