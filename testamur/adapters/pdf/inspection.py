"""Inspection: what the pages of a template draw with, and what of it PDF/A forbids.

It follows the content of pages into the forms, patterns, masks and glyphs that they use, as a
viewer does (ISO 32000-1, section 8). The rules are those of ISO 19005-2 (PDF/A-2). What can be
brought into line without changing the look is; what cannot is reported.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, Pdf, Stream

from testamur.adapters.pdf.template_resources import (
    RENDERING_INTENTS,
    is_embedded,
    items,
    mend_external,
    mend_font,
    mend_graphics_state,
    mend_image,
    says_its_text,
    spelled,
)

_HARMLESS_NAMES: Final = (
    "b B b* B* BDC BMC BT BX c cm d d0 d1 DP EMC ET EX f F f* G g h i j J l m M MP n re s S SC sc "
    "T* Tc Td TD TL Tm Ts Tw Tz v w W W* y"
)
#: ISO 32000-1, annex A: operators that PDF/A leaves alone, and those that are looked at.
_HARMLESS: Final = frozenset(_HARMLESS_NAMES.split())
_LOOKED_AT_NAMES: Final = "CS cs Do gs K k q Q RG rg ri SCN scn sh Tf Tj TJ Tr ' \""
_LOOKED_AT: Final = frozenset(_LOOKED_AT_NAMES.split())

_KINDS: Final = {"Tf": Name.Font, "gs": Name.ExtGState, "Do": Name.XObject}
_WITH_OPERANDS: Final = frozenset({"Tf", "Tr", "gs", "Do", "cs", "CS", "sh", "ri"})

#: Section 8.9.7, table 93: short names in inline images.
_FULL_NAMES: Final = {"/RGB": "/DeviceRGB", "/CMYK": "/DeviceCMYK", "/I": "/Indexed"}

#: Forms within forms, or colour spaces based on others: far more than any program makes.
_MOST_NESTED: Final = 40
_INVISIBLE: Final = 3  # ISO 32000-1, table 106
_DEEPEST: Final = 28  # ISO 19005-2, 6.1.13

#: Section 8.6: colour spaces that say by themselves what their colours are, and where the others
#: name the one that they are based on.
_INDEPENDENT: Final = ("/ICCBased", "/CalRGB", "/CalGray", "/Lab")
_BASES: Final = {"/Indexed": 1, "/Pattern": 1, "/Separation": 2, "/DeviceN": 2}


_Instruction = pikepdf.ContentStreamInstruction | pikepdf.ContentStreamInlineImage


@dataclass(slots=True)
class Findings:
    """What was found.

    Args:
        problems: What PDF/A forbids and nobody but the template's author can mend.
        unreadable_fonts: Fonts that draw text and do not say for which characters.
        uses_cmyk: Whether something is drawn in ``DeviceCMYK``.
        rgb_resources: Resources under which something is drawn in ``DeviceRGB``.
    """

    problems: dict[str, None] = field(default_factory=dict)
    unreadable_fonts: set[str] = field(default_factory=set)
    uses_cmyk: bool = False
    rgb_resources: list[Object] = field(default_factory=list)


@dataclass(slots=True)
class _GraphicsState:
    font: Object | None = None
    invisible: bool = False

    def copy(self) -> "_GraphicsState":
        return _GraphicsState(self.font, self.invisible)


def inspect(pdf: Pdf) -> Findings:
    """Inspect a cleaned template whose pages have their inherited entries."""
    inspector = _Inspector()
    for page in pdf.pages:
        if Name.Resources not in page.obj:
            page.obj.Resources = Dictionary()
        inspector.content(page.obj, page.obj.Resources, _GraphicsState())
        inspector.group(page.obj, page.obj.Resources)
    return inspector.findings


class _Inspector:
    def __init__(self) -> None:
        self.findings = Findings()
        self._seen: set[tuple[int, int]] = set()
        self._depth = 0

    def content(self, owner: Object, resources: Object, state: _GraphicsState) -> None:
        """Follow the content of a page or stream."""
        if self._depth > _MOST_NESTED:
            self._refuse(f"its forms are nested more than {_MOST_NESTED} deep")
            return
        self._depth += 1
        self._follow(pikepdf.parse_content_stream(owner), resources, state)
        self._depth -= 1

    def _follow(
        self, instructions: Iterable[_Instruction], resources: Object, state: _GraphicsState
    ) -> None:
        stack: list[_GraphicsState] = []
        for instruction in instructions:
            if isinstance(instruction, pikepdf.ContentStreamInlineImage):
                self._inline_image(instruction.iimage.obj, resources)
                continue
            operator = spelled(instruction.operator)
            if operator in _HARMLESS:
                continue
            operands = list(instruction.operands)
            if operator in _WITH_OPERANDS and not operands:
                self._refuse(f"its content has an operator {operator} without an operand")
                continue
            match operator:
                case "q":
                    stack.append(state.copy())
                    if len(stack) > _DEEPEST:
                        self._refuse(f"graphics states are nested more than {_DEEPEST} deep")
                case "Q":
                    state = stack.pop() if stack else state
                case "gs" | "Do" | "Tf":
                    found = self._resource(resources, _KINDS[operator], operands[0])
                    self._use(operator, found, resources, state)
                case "Tr":
                    state.invisible = operands[0] == _INVISIBLE
                case "Tj" | "TJ" | "'" | '"':
                    self._text(state, resources)
                case _:
                    self._color(operator, operands, resources)

    def _use(
        self, operator: str, found: Object | None, resources: Object, state: _GraphicsState
    ) -> None:
        match operator:
            case "gs":
                self._graphics_state(found, resources, state)
            case "Do":
                self._external(found, resources, state)
            case _:
                state.font = found

    def group(self, owner: Object, resources: Object) -> None:
        """Look at the transparency group of a page or form."""
        group = owner.get(Name.Group)
        if isinstance(group, Dictionary) and Name.CS in group:
            self._color_space(group.CS, resources)

    def _refuse(self, problem: str) -> None:
        self.findings.problems[problem] = None

    def _color(self, operator: str, operands: Sequence[Object], resources: Object) -> None:
        match operator:
            case "k" | "K":
                self._color_space(Name.DeviceCMYK, resources)
            case "rg" | "RG":
                self._color_space(Name.DeviceRGB, resources)
            case "cs" | "CS":
                self._color_space(operands[0], resources)
            case "scn" | "SCN" if operands and isinstance(operands[-1], Name):
                self._pattern(self._resource(resources, Name.Pattern, operands[-1]), resources)
            case "sh":
                self._shading(self._resource(resources, Name.Shading, operands[0]), resources)
            case "ri" if spelled(operands[0]) not in RENDERING_INTENTS:
                self._refuse(f"the rendering intent {spelled(operands[0])} is not one of PDF")
            case _ if operator not in _LOOKED_AT:
                self._refuse(f"its content has an operator {operator!r}, which PDF has not")

    def _resource(self, resources: Object, kind: Name, name: Object) -> Object | None:
        named = resources.get(kind)
        if not isinstance(named, Dictionary) or not isinstance(name, Name):
            return None
        return named.get(name)

    def _first_time(self, each: Object) -> bool:
        if not each.is_indirect:
            return True
        new = each.objgen not in self._seen
        self._seen.add(each.objgen)
        return new

    def _own_resources(self, owner: Object, inherited: Object) -> Object:
        # A form may leave its resources to the page that draws it, which PDF/A does not allow, and
        # which no longer works once it is drawn from another place.
        if not isinstance(owner.get(Name.Resources), Dictionary):
            owner[Name.Resources] = inherited
        return owner[Name.Resources]

    def _external(self, external: Object | None, resources: Object, state: _GraphicsState) -> None:
        if not isinstance(external, Stream) or not self._first_time(external):
            return
        mend_external(external)
        if external.get(Name.Subtype) == Name.Image:
            self._image(external, resources)
        else:
            self._form(external, resources, state)

    def _form(self, form: Object, resources: Object, state: _GraphicsState) -> None:
        own = self._own_resources(form, resources)
        self.group(form, own)
        self.content(form, own, state.copy())

    def _image(self, image: Object, resources: Object) -> None:
        for problem in mend_image(image):
            self._refuse(problem)
        if Name.ColorSpace in image:
            self._color_space(image.ColorSpace, resources)
        mask = image.get(Name.SMask)
        if isinstance(mask, Stream) and self._first_time(mask):
            self._image(mask, resources)

    def _inline_image(self, image: Object, resources: Object) -> None:
        filters = image.get(Name.Filter, image.get(Name.F))
        if {spelled(each) for each in items(filters)} & {"/LZW", "/LZWDecode"}:
            self._refuse("an image in its content is compressed with LZW")
        if image.get(Name.Interpolate, image.get(Name.I, False)) is True:
            self._refuse("an image in its content asks to be smoothed")
        space = image.get(Name.ColorSpace, image.get(Name.CS))
        if space is not None:
            self._color_space(space, resources)

    def _graphics_state(
        self, entries: Object | None, resources: Object, state: _GraphicsState
    ) -> None:
        if not isinstance(entries, Dictionary):
            return
        if isinstance(entries.get(Name.Font), Array):
            state.font = entries.Font[0]
        for problem in mend_graphics_state(entries):
            self._refuse(problem)
        mask = entries.get(Name.SMask)
        if isinstance(mask, Dictionary) and isinstance(mask.get(Name.G), Stream):
            self._external(mask.G, resources, state)

    def _pattern(self, pattern: Object | None, resources: Object) -> None:
        if isinstance(pattern, Stream):
            if self._first_time(pattern):
                own = self._own_resources(pattern, resources)
                self.content(pattern, own, _GraphicsState())
        elif isinstance(pattern, Dictionary):
            self._graphics_state(pattern.get(Name.ExtGState), resources, _GraphicsState())
            self._shading(pattern.get(Name.Shading), resources)

    def _shading(self, shading: Object | None, resources: Object) -> None:
        if isinstance(shading, Dictionary | Stream) and Name.ColorSpace in shading:
            self._color_space(shading.ColorSpace, resources)

    def _color_space(self, space: Object, resources: Object, depth: int = 0) -> None:
        if depth > _MOST_NESTED:
            self._refuse("a colour space has no end")
        elif isinstance(space, Name):
            self._named_color_space(space, resources, depth)
        elif isinstance(space, Array) and len(space):
            family = _FULL_NAMES.get(spelled(space[0]), spelled(space[0]))
            base = _BASES.get(family, 0)
            if family not in _INDEPENDENT and base < len(space):
                self._color_space(space[base], resources, depth + 1)

    def _named_color_space(self, space: Name, resources: Object, depth: int) -> None:
        spaces = resources.get(Name.ColorSpace)
        if not isinstance(spaces, Dictionary):
            spaces = Dictionary()
        named = _FULL_NAMES.get(spelled(space), spelled(space))
        if named == "/DeviceCMYK":
            self.findings.uses_cmyk |= Name.DefaultCMYK not in spaces
        elif named == "/DeviceRGB":
            if Name.DefaultRGB not in spaces:
                self.findings.rgb_resources.append(resources)
        elif space in spaces:
            self._color_space(spaces[space], resources, depth + 1)

    def _text(self, state: _GraphicsState, resources: Object) -> None:
        font = state.font
        if not isinstance(font, Dictionary):
            return
        mend_font(font)
        if state.invisible or not self._first_time(font):
            return
        name = spelled(font.get(Name.BaseFont, font.get(Name.Name, "without a name"))).lstrip("/")
        if font.get(Name.Subtype) == Name.Type3:
            self._drawn_glyphs(font, resources)
        elif not is_embedded(font):
            self._refuse(f"the font {name} is not embedded")
        if not says_its_text(font):
            self.findings.unreadable_fonts.add(name)

    def _drawn_glyphs(self, font: Object, resources: Object) -> None:
        glyphs = font.get(Name.CharProcs)
        if not isinstance(glyphs, Dictionary):
            return
        own = self._own_resources(font, resources)
        for key in set(glyphs.keys()):
            glyph = glyphs[key]
            if isinstance(glyph, Stream) and self._first_time(glyph):
                self.content(glyph, own, _GraphicsState())
