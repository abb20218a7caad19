"""Fonts, images and graphics states of a template, each looked at by itself (ISO 19005-2, 6.2).

Functions that mend change what nobody sees, and yield what they cannot change as problems.
"""

from collections.abc import Iterator
from typing import Final

from fontTools.agl import AGL2UV
from pikepdf import Array, Dictionary, Name, Object, Stream

#: ISO 32000-1, table 70.
RENDERING_INTENTS: Final = frozenset(
    {"/RelativeColorimetric", "/AbsoluteColorimetric", "/Perceptual", "/Saturation"}
)

_BLEND_MODE_NAMES: Final = (
    "Normal Compatible Multiply Screen Overlay Darken Lighten ColorDodge ColorBurn HardLight "
    "SoftLight Difference Exclusion Hue Saturation Color Luminosity"
)
#: ISO 32000-1, 11.3.5.
_BLEND_MODES: Final = frozenset(f"/{name}" for name in _BLEND_MODE_NAMES.split())


def mend_font(font: Object) -> None:
    """Mend a font's entries."""
    described = _described(font)
    descriptor = described.get(Name.FontDescriptor)
    # Both list what a subset holds, are often wrong, and are needed for nothing.
    if isinstance(descriptor, Dictionary):
        _remove(descriptor, Name.CIDSet, Name.CharSet)
    if described.get(Name.Subtype) == Name.CIDFontType2 and Name.CIDToGIDMap not in described:
        described.CIDToGIDMap = Name.Identity  # ISO 32000-1, 9.7.4.2: the default


def is_embedded(font: Object) -> bool:
    """Return whether the file holds a font's program."""
    descriptor = _described(font).get(Name.FontDescriptor)
    programs = (Name.FontFile, Name.FontFile2, Name.FontFile3)
    return isinstance(descriptor, Dictionary) and any(key in descriptor for key in programs)


def says_its_text(font: Object) -> bool:
    """Return whether a font says for which characters its codes stand (ISO 14289-1, 7.21.7)."""
    if isinstance(font.get(Name.ToUnicode), Stream):
        return True
    encoding = font.get(Name.Encoding)
    if isinstance(encoding, Name):
        return not spelled(encoding).startswith("/Identity")
    if not isinstance(encoding, Dictionary):
        return False
    names = [each for each in items(encoding.get(Name.Differences)) if isinstance(each, Name)]
    return all(spelled(each)[1:] in AGL2UV for each in names)


def mend_image(image: Object) -> Iterator[str]:
    """Mend an image's entries."""
    _remove(image, Name.Interpolate)
    if spelled(image.get(Name.Intent)) not in RENDERING_INTENTS:
        _remove(image, Name.Intent)
    filters = {spelled(each) for each in items(image.get(Name.Filter))}
    if "/JPXDecode" in filters and not _is_allowed_jpeg2000(image):
        yield "it has a JPEG 2000 image of a kind that PDF/A does not allow"


def mend_external(external: Object) -> None:
    """Mend what images and forms have in common: links to what is shown in their place."""
    _remove(external, Name.OPI, Name.Alternates, Name.Ref)


def mend_graphics_state(entries: Object) -> Iterator[str]:
    """Mend a dictionary of graphics state parameters."""
    _remove(entries, Name.HT, Name.HTP)  # halftones are the printer's business
    for key in (Name.TR, Name.TR2):
        if entries.get(key) in (Name.Identity, Name.Default):
            _remove(entries, key)
    if Name.TR in entries or Name.TR2 in entries:
        yield "it has a transfer function"
    if spelled(entries.get(Name.RI)) not in RENDERING_INTENTS:
        _remove(entries, Name.RI)
    modes = {spelled(mode) for mode in items(entries.get(Name.BM, Name.Normal))}
    for unknown in sorted(modes - _BLEND_MODES):
        yield f"the blend mode {unknown} is not one of PDF"


def spelled(each: object) -> str:
    """Return a name or operator as it is spelled in the file, where it may be of any bytes."""
    return each.unparse().decode("latin-1") if isinstance(each, Object) else str(each)


def items(array: Object | None) -> Iterator[Object]:
    """Yield the items of an array; what is none stands for an array of it alone."""
    if isinstance(array, Array):
        yield from array.as_list()
    elif array is not None:
        yield array


def _described(font: Object) -> Object:
    """Return the part of a font that has its descriptor."""
    descendants = font.get(Name.DescendantFonts)
    if isinstance(descendants, Array) and len(descendants):
        return descendants[0]
    return font


def _is_allowed_jpeg2000(image: Object) -> bool:
    # ISO 15444-1, annex I: boxes; ISO 19005-2, 6.2.8.3: what they may say.
    data = image.read_raw_bytes()
    header = data.find(b"ihdr")
    if header < 0 or b"bpcc" in data[: header + 64]:
        return False
    channels = int.from_bytes(data[header + 12 : header + 14], "big")
    color = data.find(b"colr")
    known = Name.ColorSpace in image or (color > 0 and data[color + 4] in (1, 2))
    return channels in (1, 3, 4) and known


def _remove(holder: Object, *keys: Name) -> None:
    for key in keys:
        if key in holder:
            del holder[key]
