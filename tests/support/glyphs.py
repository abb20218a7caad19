"""Glyphs that a page draws, read from the file alone: codes through the embedded fonts to outlines.

Follows content streams and the forms that they draw, CMaps, CIDs and the font files (ISO 32000-2,
sections 9.4.3, 9.7 and 9.10). Shares nothing with the renderer.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, Final

import pikepdf
from fontTools.cffLib import CFFFontSet
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.ttLib import TTFont
from pikepdf import Dictionary, Name, Stream

#: Text rendering mode in which nothing is seen.
_INVISIBLE: Final = 3
_DEEPEST: Final = 20


@dataclass(frozen=True, slots=True)
class DrawnGlyph:
    """A glyph of the page's text.

    Args:
        font: Name of the embedded font.
        id: Its index in the font file; 0 is the box for what is missing.
        text: What it stands for (`ToUnicode`); empty where it says nothing.
        is_inked: Whether it has an outline.
        is_visible: Whether it is drawn to be seen.
    """

    font: str
    id: int
    text: str
    is_inked: bool
    is_visible: bool


def glyphs_of(content: bytes, page: int = 0) -> list[DrawnGlyph]:
    """Return the glyphs of a page's text in the order in which they are drawn."""
    with pikepdf.open(BytesIO(content)) as pdf:
        drawn = pdf.pages[page]
        return list(_Drawing().glyphs(drawn, drawn.obj.get(Name.Resources, Dictionary())))


@dataclass(slots=True)
class _State:
    font: "_EmbeddedFont | None" = None
    mode: int = 0


@dataclass(slots=True)
class _Drawing:
    fonts: dict[tuple[int, int], "_EmbeddedFont"] = field(default_factory=dict)

    def glyphs(
        self, stream: Any, resources: Any, inherited: _State | None = None, depth: int = 0
    ) -> Iterator[DrawnGlyph]:
        assert depth < _DEEPEST, "forms draw each other in a circle"
        state, saved = inherited or _State(), list[_State]()
        for instruction in pikepdf.parse_content_stream(stream):
            operands = list(instruction.operands)
            match str(instruction.operator):
                case "q":
                    saved.append(_State(state.font, state.mode))
                case "Q":
                    state = saved.pop() if saved else state
                case "Tf":
                    state.font = self._font(resources.Font[operands[0]])
                case "Tr":
                    state.mode = int(operands[0])
                case "Tj" | "'":
                    yield from _shown(operands[0], state)
                case '"':
                    yield from _shown(operands[2], state)
                case "TJ":
                    for each in operands[0]:
                        if isinstance(each, pikepdf.String):
                            yield from _shown(each, state)
                case "Do":
                    form = resources.XObject[operands[0]]
                    if form.get(Name.Subtype) == Name.Form:
                        own = form.get(Name.Resources, resources)
                        inner = _State(state.font, state.mode)
                        yield from self.glyphs(form, own, inner, depth + 1)

    def _font(self, font: Any) -> "_EmbeddedFont":
        key = font.objgen
        if key == (0, 0):
            return _EmbeddedFont(font)
        if key not in self.fonts:
            self.fonts[key] = _EmbeddedFont(font)
        return self.fonts[key]


def _shown(string: Any, state: _State) -> Iterator[DrawnGlyph]:
    assert state.font is not None, "text is shown before a font is chosen"
    for code in state.font.codes(bytes(string)):
        yield state.font.glyph(code, is_visible=state.mode != _INVISIBLE)


class _EmbeddedFont:
    """A font of a PDF: composite (two bytes a code), or a simple TrueType one (one byte)."""

    def __init__(self, font: Any) -> None:
        self._name = str(font.BaseFont)[1:]
        self._texts = _to_unicode(font)
        self._is_composite = font.Subtype == Name.Type0
        descendant = font.DescendantFonts[0] if self._is_composite else font
        self._read_file(descendant)
        self._cids = _encoding(font) if self._is_composite else None
        self._indexes: bytes | None = None
        if isinstance(descendant.get(Name.CIDToGIDMap), Stream):
            self._indexes = descendant.CIDToGIDMap.read_bytes()

    def codes(self, string: bytes) -> list[int]:
        if not self._is_composite:
            return list(string)
        assert len(string) % 2 == 0, f"{self._name}: codes have two bytes: {string.hex()}"
        return [
            int.from_bytes(string[index : index + 2], "big") for index in range(0, len(string), 2)
        ]

    def glyph(self, code: int, *, is_visible: bool) -> DrawnGlyph:
        index = self._index(code)
        assert 0 <= index < len(self._order), f"{self._name} has no glyph {index} of code {code}"
        pen = DecomposingRecordingPen(self._outlines)
        self._outlines[self._order[index]].draw(pen)
        return DrawnGlyph(self._name, index, self._texts.get(code, ""), bool(pen.value), is_visible)

    def _index(self, code: int) -> int:
        if self._is_composite:
            cid = code if self._cids is None else self._cids[code]
            if self._indexes is not None:
                return int.from_bytes(self._indexes[2 * cid : 2 * cid + 2], "big")
            return cid if self._by_cid is None else self._by_cid[cid]
        # Section 9.6.5.4, a symbolic TrueType font: (3, 0) with 0xF000 added, or (1, 0).
        for platform, encoding, added in ((3, 0, 0xF000), (3, 0, 0), (1, 0, 0)):
            table = self._file["cmap"].getcmap(platform, encoding)
            if table is not None and code + added in table.cmap:
                return int(self._file.getGlyphID(table.cmap[code + added]))
        return 0

    def _read_file(self, descendant: Any) -> None:
        descriptor = descendant.FontDescriptor
        self._by_cid: Mapping[int, int] | None = None
        if Name.FontFile2 in descriptor:
            self._file = TTFont(BytesIO(descriptor.FontFile2.read_bytes()), lazy=True)
            self._order = self._file.getGlyphOrder()
            self._outlines = self._file.getGlyphSet()
            return
        program = descriptor.FontFile3
        content = program.read_bytes()
        if program.Subtype == Name.OpenType:
            cff = TTFont(BytesIO(content), lazy=True)["CFF "].cff
        else:
            cff = CFFFontSet()
            cff.decompile(BytesIO(content), None)
        top = cff.topDictIndex[0]
        self._outlines = top.CharStrings
        self._order = top.charset
        if hasattr(top, "ROS"):
            self._by_cid = {
                0 if name == ".notdef" else int(name.removeprefix("cid")): index
                for index, name in enumerate(self._order)
            }


def _encoding(font: Any) -> Mapping[int, int] | None:
    encoding = font.Encoding
    if not isinstance(encoding, Stream):
        assert encoding == Name("/Identity-H"), f"unknown encoding {encoding}"
        return None
    read = _sections(encoding.read_bytes())
    found = {code: int(cid) for kind, code, cid in read if kind == "cidchar"}
    for kind, first, last_and_cid in read:
        if kind == "cidrange":
            last, cid = last_and_cid.split()
            found |= {
                code: int(cid) + code - first
                for code in range(first, int(last.strip("<>"), 16) + 1)
            }
    return found


def _to_unicode(font: Any) -> Mapping[int, str]:
    if Name.ToUnicode not in font:
        return {}
    found: dict[int, str] = {}
    for kind, code, value in _sections(font.ToUnicode.read_bytes()):
        if kind == "bfchar":
            found[code] = _text(value)
        elif kind == "bfrange":
            last, _, texts = value.partition(" ")
            codes = range(code, int(last.strip("<>"), 16) + 1)
            if texts.startswith("["):
                listed = re.findall(r"<[0-9A-Fa-f]*>", texts)
                found |= {each: _text(text) for each, text in zip(codes, listed, strict=True)}
            else:
                start = _text(texts)
                found |= {each: start[:-1] + chr(ord(start[-1]) + each - code) for each in codes}
    return found


def _sections(cmap: bytes) -> list[tuple[str, int, str]]:
    """Return the entries of a CMap: kind of its section, first code, and the rest of the entry."""
    text = cmap.decode("latin-1")
    entry = re.compile(
        r"<([0-9A-Fa-f]+)>\s*((?:<[0-9A-Fa-f]*>\s*)?(?:<[0-9A-Fa-f]*>|\[[^\]]*\]|\d+))"
    )
    single = re.compile(r"<([0-9A-Fa-f]+)>\s*(<[0-9A-Fa-f]*>|\d+)")
    found = []
    for kind, body in re.findall(
        r"begin(bfchar|bfrange|cidchar|cidrange)(.*?)end\1", text, re.DOTALL
    ):
        form = entry if kind.endswith("range") else single
        found += [
            (kind, int(code, 16), " ".join(value.split())) for code, value in form.findall(body)
        ]
    return found


def _text(hexadecimal: str) -> str:
    return bytes.fromhex(hexadecimal.strip("<>")).decode("utf-16-be")
