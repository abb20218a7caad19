"""Font objects: how a PDF has a font whose text is written in codes of two bytes.

A composite font (ISO 32000-2, section 9.7): a Type 0 font whose descendant is a CIDFont with a cut
font program, the widths of its glyphs, and a text for every code. PDF/A-2 (ISO 19005-2, section
6.2.11) and PDF/UA-1 (ISO 14289-1, section 7.21) ask for all of that.
"""

import sys
import zlib
from array import array
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Final, Literal

from testamur.adapters.pdf.compiled import FontObjects
from testamur.adapters.pdf.font_files import FontPart, refusing_damaged
from testamur.adapters.pdf.font_programs import CharacterCollection, FontProgram
from testamur.adapters.pdf.fonts import Font
from testamur.adapters.pdf.syntax import reference, stream

#: Bytes from which on a stream is worth the time of its compression. Outlines of a name's letters
#: have fewer, and would get a quarter smaller.
_WORTH_COMPRESSING: Final = 4096

#: Read where a code stands for nothing: the second glyph of a letter that the first stands for.
_NOTHING: Final = "\u200b"

_HIGHEST_CODE: Final = 0xFFFF

#: ISO 32000-2, table 121: its glyphs are no standard set; they are found by code alone.
_SYMBOLIC: Final = 4

#: Entries that one block of a CMap may hold (Adobe Technical Note 5014, section 1).
_MOST_IN_A_BLOCK: Final = 100

_ENCODING_NAME: Final = "Testamur"
_UNICODE_NAME: Final = "Adobe-Identity-UCS"
_UNICODE: Final = CharacterCollection("Adobe", "UCS", 0)


class EmbeddedFont:
    """A font of a file: codes for its glyphs, and the objects that make it part of the file.

    Args:
        resource: Its name among the page's resources.
        program: The font.
    """

    def __init__(self, resource: str, program: FontProgram) -> None:
        self.resource = resource
        self._program = program
        self._codes: dict[tuple[int, str], tuple[int, int]] = {}
        self._cids: dict[int, int] = {}  # by code
        self._next = _HIGHEST_CODE

    def known(self, glyphs: Iterable[tuple[int, str]]) -> list[tuple[int, int]] | None:
        """Return code and width of glyphs that stand for texts, or None if one has no code yet."""
        codes = self._codes
        try:
            return [codes[glyph] for glyph in glyphs]
        except KeyError:
            return None

    def code(self, glyph: int, text: str) -> tuple[int, int]:
        """Return the code of a glyph that stands for a text, and its width in thousandths."""
        key = (glyph, text)
        found = self._codes.get(key)
        if found is None:
            found = self._codes[key] = self._new_code(glyph), self._program.width(glyph)
        return found

    def objects(self) -> FontObjects:
        """Return the objects for the codes given so far."""
        program = self._program
        part = program.cut({glyph for glyph, _ in self._codes})
        name = _tagged_name(program, part)
        streams = [
            _to_unicode({code: text for (_, text), (code, _) in self._codes.items()}),
            _program_stream(program, part),
        ]
        by_code = all(code == cid for code, cid in self._cids.items())
        if not program.is_postscript:
            streams.append(
                _glyph_indexes(
                    {code: part.glyphs[glyph] for (glyph, _), (code, _) in self._codes.items()}
                )
            )
        elif not by_code:
            streams.append(_encoding(self._cids, program.collection))
        widths = {self._cids[code]: width for code, width in self._codes.values()}

        def bodies(first: int) -> Sequence[bytes]:
            descendant, descriptor, to_unicode, file, last = range(first + 1, first + 6)
            encoding = b"/Identity-H" if by_code else reference(last)
            return [
                b"<</Type/Font/Subtype/Type0/BaseFont/%b/Encoding %b/DescendantFonts[%b]"
                b"/ToUnicode %b>>" % (name, encoding, reference(descendant), reference(to_unicode)),
                _descendant(
                    program, name, widths, descriptor, None if program.is_postscript else last
                ),
                _descriptor(program, name, file),
                *streams,
            ]

        return FontObjects(self.resource, 3 + len(streams), bodies)

    def _new_code(self, glyph: int) -> int:
        cid = self._program.cid(glyph)
        if cid is None:
            code = cid = len(self._cids) + 1
        elif cid not in self._cids:
            code = cid
        else:
            # The code that is this CID stands for another text already.
            code = next(free for free in range(self._next, 0, -1) if free not in self._cids)
            self._next = code - 1
        self._cids[code] = cid
        return code


def _compressed(content: bytes, entries: bytes = b"") -> bytes:
    """Return the body of a stream object, compressed where that is worth it."""
    if len(content) >= _WORTH_COMPRESSING:
        return stream(zlib.compress(content), entries + b"/Filter/FlateDecode")
    return stream(content, entries)


def _tagged_name(program: FontProgram, part: FontPart) -> bytes:
    # Section 9.9.2: six capital letters for this set of glyphs. The same set has the same tag.
    number = int.from_bytes(sha256(repr(sorted(part.glyphs)).encode()).digest()[:8], "big")
    letters = [65 + number // 26**place % 26 for place in range(6)]
    return bytes(letters) + b"+" + program.name.encode("ascii")


def _descendant(
    program: FontProgram,
    name: bytes,
    widths: Mapping[int, int],
    descriptor: int,
    glyph_indexes: int | None,
) -> bytes:
    """Return the CIDFont, given the ids of its descriptor and of its map from CIDs to glyphs."""
    collection = program.collection
    return (
        b"<</Type/Font/Subtype/CIDFontType%d/BaseFont/%b/CIDSystemInfo<</Registry(%b)/Ordering(%b)"
        b"/Supplement %d>>/FontDescriptor %b/W[%b]%b>>"
        % (
            0 if program.is_postscript else 2,
            name,
            collection.registry.encode("ascii"),
            collection.ordering.encode("ascii"),
            collection.supplement,
            reference(descriptor),
            _widths(widths),
            b"" if glyph_indexes is None else b"/CIDToGIDMap " + reference(glyph_indexes),
        )
    )


def _widths(widths: Mapping[int, int]) -> bytes:
    """Return widths by CID in runs: ``first[width…]`` (section 9.7.4.3)."""
    shown: list[str] = []
    before = -2
    for cid, width in sorted(widths.items()):
        shown.append(f" {width}" if cid == before + 1 else f"]{cid}[{width}")
        before = cid
    return f"{''.join(shown)}]"[1:].encode("ascii")


def _descriptor(program: FontProgram, name: bytes, file: int) -> bytes:
    """Return the font descriptor, given the id of the font program."""
    metrics = program.metrics
    return (
        b"<</Type/FontDescriptor/FontName/%b/Flags %d/FontBBox[%d %d %d %d]/ItalicAngle %b"
        b"/Ascent %d/Descent %d/CapHeight %d/StemV %d/FontFile%d %b>>"
        % (
            name,
            _SYMBOLIC,
            *metrics.box,
            f"{metrics.italic_angle:g}".encode("ascii"),
            metrics.ascent,
            metrics.descent,
            metrics.cap_height,
            metrics.stem,
            3 if program.is_postscript else 2,
            reference(file),
        )
    )


def _program_stream(program: FontProgram, part: FontPart) -> bytes:
    if program.is_postscript:
        return _compressed(part.content, b"/Subtype/CIDFontType0C")
    return _compressed(part.content, b"/Length1 %d" % len(part.content))


def _glyph_indexes(glyphs: Mapping[int, int]) -> bytes:
    """Return the map from CIDs, which are the codes, to glyphs (table 115, CIDToGIDMap)."""
    indexes = array("H", bytes(2 * (max(glyphs, default=0) + 1)))
    for code, glyph in glyphs.items():
        indexes[code] = glyph
    if sys.byteorder == "little":
        indexes.byteswap()
    return _compressed(indexes.tobytes())


def _to_unicode(texts: Mapping[int, str]) -> bytes:
    """Return the map from codes to texts (section 9.10.3)."""
    pairs = [
        f"<{code:04X}><{(text or _NOTHING).encode('utf-16-be').hex()}>"
        for code, text in sorted(texts.items())
    ]
    return _compressed(_cmap(_UNICODE_NAME, _UNICODE, "bfchar", pairs))


def _encoding(cids: Mapping[int, int], collection: CharacterCollection) -> bytes:
    """Return the map from codes to CIDs (section 9.7.5.4)."""
    pairs = [f"<{code:04X}>{cid}" for code, cid in sorted(cids.items())]
    system = (
        f"/Registry({collection.registry})/Ordering({collection.ordering})"
        f"/Supplement {collection.supplement}"
    )
    entries = f"/Type/CMap/CMapName/{_ENCODING_NAME}/WMode 0/CIDSystemInfo<<{system}>>"
    content = _cmap(_ENCODING_NAME, collection, "cidchar", pairs)
    return _compressed(content, entries.encode("ascii"))


def _cmap(
    name: str, collection: CharacterCollection, kind: Literal["bfchar", "cidchar"], pairs: list[str]
) -> bytes:
    blocks = "".join(
        f"{len(block)} begin{kind}\n" + "\n".join(block) + f"\nend{kind}\n"
        for block in (
            pairs[start : start + _MOST_IN_A_BLOCK]
            for start in range(0, len(pairs), _MOST_IN_A_BLOCK)
        )
    )
    return (
        "/CIDInit/ProcSet findresource begin 12 dict begin begincmap\n"
        f"/CIDSystemInfo<</Registry({collection.registry})/Ordering({collection.ordering})"
        f"/Supplement {collection.supplement}>>def\n"
        f"/CMapName/{name} def/CMapType {1 if kind == 'cidchar' else 2} def/WMode 0 def\n"
        f"1 begincodespacerange\n<0000><FFFF>\nendcodespacerange\n{blocks}"
        "endcmap CMapName currentdict/CMap defineresource pop end end"
    ).encode("ascii")


def refuse_unusable(font: Font) -> None:
    """Refuse a font that cannot be embedded, by trying.

    Raises:
        RenderingError: Reason ``bad-font``.
    """
    with refusing_damaged(font.name):
        embedded = EmbeddedFont("F", font.program)
        embedded.code(1, " ")
        embedded.objects()
