"""Fonts: what characters they have, and how HarfBuzz shapes text with them."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final, NamedTuple

import uharfbuzz as hb

from testamur.adapters.pdf.characters import is_ignorable
from testamur.adapters.pdf.font_files import WEIGHT_AXIS, FontFile, FontPart
from testamur.adapters.pdf.font_programs import FontProgram
from testamur.adapters.pdf.options import font_parts
from testamur.adapters.pdf.outlines import PATH_OPERATORS, has_named_outlines
from testamur.application.ports.rendering import AssetLibrary
from testamur.domain.errors import InvalidInput

DOTTED_CIRCLE: Final = "\u25cc"

_HYPHENS: Final = str.maketrans({"\u2010": "-", "\u2011": "-"})

#: Not needed once text is shaped: layout, colours and bitmaps, vertical text, and what variations
#: leave over.
_DROPPED_TABLES: Final = frozenset(
    int.from_bytes(table, "big")
    for table in (
        *(b"GSUB", b"GPOS", b"GDEF", b"BASE", b"JSTF", b"MATH", b"kern", b"kerx", b"morx", b"mort"),
        *(b"CBDT", b"CBLC", b"COLR", b"CPAL", b"SVG ", b"sbix"),
        *(b"VORG", b"vhea", b"vmtx", b"DSIG", b"STAT", b"gasp", b"hdmx", b"meta", b"trak"),
    )
)
_CLUSTER_LEVEL: Final = hb.BufferClusterLevel.MONOTONE_CHARACTERS


class Glyph(NamedTuple):
    """One glyph of shaped text, in units of its font.

    Args:
        id: Index in the font.
        cluster: Index of the character that it comes from.
        advance: From its origin to the next one's.
        dx: How far right of its origin it is drawn.
        dy: How far above.
    """

    id: int
    cluster: int
    advance: int
    dx: int
    dy: int


@dataclass(frozen=True, slots=True)
class Shaping:
    """How a run of text is shaped.

    Args:
        right_to_left: Its direction.
        script: ISO 15924, or None for text of no script, such as digits.
        language: BCP 47 tag; chooses between forms of the same letter.
        spaced: Whether characters are spaced out, so that ligatures must not join them.
    """

    right_to_left: bool
    script: str | None
    language: str
    spaced: bool = False

    @property
    def direction(self) -> str:
        """``rtl`` or ``ltr``."""
        return "rtl" if self.right_to_left else "ltr"

    @property
    def features(self) -> dict[str, bool]:
        """OpenType features that differ from HarfBuzz's own choice."""
        return dict.fromkeys(("liga", "clig", "calt"), False) if self.spaced else {}


class Font:
    """A font in one weight. Not for several threads at once.

    Args:
        file: The file that it comes from.
        weight: Weight of a variable font; None is its default.
    """

    def __init__(self, file: FontFile, weight: int | None = None) -> None:
        self.file = file
        self.units_per_em: int = file.face.upem
        self._font = hb.Font(file.face)
        self.weight = weight if WEIGHT_AXIS in file.axes else None
        if self.weight is not None:
            self._font.set_variations({WEIGHT_AXIS: self.weight})
        self._has: dict[str, bool] = {}
        self._outlines: dict[int, str] = {}
        self.dotted_circle: int | None = self._glyph(DOTTED_CIRCLE)

    @property
    def name(self) -> str:
        """What it is called in the options."""
        return self.file.reference

    def has(self, character: str) -> bool:
        """Return whether it can draw a character, by itself or from its parts."""
        found = self._has.get(character)
        if found is None:
            found = self._has[character] = (
                self._glyph(character) is not None
                or is_ignorable(character)
                or (unicodedata.category(character) == "Zs" and self._glyph(" ") is not None)
            )
        return found

    def drawable(self, cluster: str) -> str | None:
        """Return a spelling of a cluster that the font has in full, or None.

        Tried are the text as it is, then its composed and decomposed forms. A compatibility
        ideograph is never exchanged for the unified one, which people of that name spell another
        way though Unicode calls both equivalent.
        """
        if all(map(self.has, cluster)):
            return cluster
        for form in _other_spellings(cluster):
            if all(map(self.has, form)):
                return form
        return None

    def shape(self, text: str, shaping: Shaping) -> tuple[Glyph, ...]:
        """Return a run's glyphs from left to right; glyph 0 means that one is missing."""
        buffer = hb.Buffer()
        buffer.cluster_level = _CLUSTER_LEVEL
        buffer.add_str(text)
        buffer.guess_segment_properties()
        buffer.direction = shaping.direction
        if shaping.script is not None:
            buffer.script = shaping.script
        buffer.language = shaping.language
        hb.shape(self._font, buffer, shaping.features)
        return tuple(
            Glyph(info.codepoint, info.cluster, at.x_advance, at.x_offset, at.y_offset)
            for info, at in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True)
        )

    @cached_property
    def program(self) -> FontProgram:
        """What a PDF embeds of it.

        Raises:
            RenderingError: It is damaged where it matters; reason ``bad-font``.
        """
        return FontProgram(self.file, self.weight)

    @cached_property
    def has_named_outlines(self) -> bool:
        """Whether its outlines are PostScript ones whose glyphs have names."""
        return has_named_outlines(self.part({1}).content)

    def outline(self, glyph: int) -> str:
        """Return a glyph's outline as path operators of PDF, in units of the font."""
        found = self._outlines.get(glyph)
        if found is None:
            path: list[str] = []
            self._font.draw_glyph(glyph, PATH_OPERATORS, path)
            found = self._outlines[glyph] = " ".join(path)
        return found

    def part(self, glyphs: Iterable[int]) -> FontPart:
        """Return a static font with only these glyphs."""
        wanted = hb.SubsetInput()
        wanted.glyph_set.update(set(glyphs))
        # fpdf2 wants a font to map something, which shaped glyphs alone need not.
        wanted.unicode_set.update({ord(" "), self.file.some_character})
        wanted.drop_table_tag_set.update(_DROPPED_TABLES)
        wanted.flags = (
            hb.SubsetFlags.NO_HINTING
            | hb.SubsetFlags.NOTDEF_OUTLINE
            | hb.SubsetFlags.NO_LAYOUT_CLOSURE
        )
        if self.file.axes:
            wanted.pin_all_axes_to_default(self.file.face)
        if self.weight is not None:
            wanted.pin_axis_location(self.file.face, WEIGHT_AXIS, self.weight)
        plan = hb.SubsetPlan(self.file.face, wanted)
        return FontPart(bytes(plan.execute().blob.data), dict(plan.old_to_new_glyph_mapping))

    def _glyph(self, character: str) -> int | None:
        # A font may map a character to glyph 0, the box that stands for what is missing.
        return self._font.get_nominal_glyph(ord(character)) or None


class FontShelf:
    """The fonts that the options name, each read once.

    Args:
        assets: Where the files come from.
    """

    def __init__(self, assets: AssetLibrary) -> None:
        self._assets = assets
        self._files: dict[str, FontFile] = {}
        self._fonts: dict[tuple[str, int | None], Font] = {}

    def font(self, reference: str, weight: int | None = None) -> Font:
        """Return a font in a weight; one that is not variable has only its own.

        Raises:
            NotFound: There is no such asset.
            RenderingError: The font cannot be used.
        """
        file = self._file(reference)
        key = (reference, weight if WEIGHT_AXIS in file.axes else None)
        if key not in self._fonts:
            self._fonts[key] = Font(file, key[1])
        return self._fonts[key]

    def refuse_weight(self, reference: str, weight: int, field: str) -> None:
        """Refuse a weight that the font does not come in.

        Raises:
            InvalidInput: It is not variable, or not up to that weight.
        """
        axis: Any = self._file(reference).axes.get(WEIGHT_AXIS)
        if axis is None:
            raise InvalidInput(
                field, weight, f"no weight, since the font {reference!r} is not a variable one"
            )
        if not axis.min_value <= weight <= axis.max_value:
            raise InvalidInput(
                field,
                weight,
                f"{axis.min_value:g} to {axis.max_value:g}, which the font {reference!r} comes in",
            )

    def _file(self, reference: str) -> FontFile:
        if reference not in self._files:
            slug, _ = font_parts(reference)
            self._files[reference] = FontFile(reference, self._assets.content(slug))
        return self._files[reference]


@lru_cache(maxsize=4096)
def _other_spellings(cluster: str) -> tuple[str, ...]:
    spellings = [cluster.translate(_HYPHENS)]
    if not any(_is_compatibility_ideograph(character) for character in cluster):
        spellings += [unicodedata.normalize(form, cluster) for form in ("NFC", "NFD")]
    return tuple(spelling for spelling in spellings if spelling != cluster)


def _is_compatibility_ideograph(character: str) -> bool:
    return "\uf900" <= character <= "\ufaff" or "\U0002f800" <= character <= "\U0002fa1f"
