"""Small fonts in tests, built from the open ones."""

from io import BytesIO

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.ttLib import TTCollection, TTFont

from testamur.adapters.pdf.font_files import FontFile
from testamur.adapters.pdf.fonts import Font, Shaping
from tests.support.pdf import font_file

LATIN = Shaping(right_to_left=False, script="Latn", language="en")


def font_of(slug: str) -> Font:
    """Return one of the open fonts."""
    return Font(FontFile(slug, font_file(slug)))


def small_font(slug: str = "open-sans") -> bytes:
    """Return a static part of an open font: the Latin alphabet, digits and a few signs."""
    font = font_of(slug)
    characters = "".join(map(chr, range(0x20, 0x7F)))
    return font.part({glyph.id for glyph in font.shape(characters, LATIN)}).content


def saved(font: TTFont | TTCollection) -> bytes:
    """Return a font as a file."""
    file = BytesIO()
    font.save(file)
    return file.getvalue()


def with_postscript_outlines(content: bytes) -> bytes:
    """Return the same font as .otf files usually are: PostScript outlines, glyphs with names."""
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
