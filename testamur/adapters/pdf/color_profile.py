"""The colour profile of documents: sRGB, built from the numbers of IEC 61966-2-1.

It is written here, byte by byte, because programs that make such profiles write the present time
into them, and the same document must always have the same bytes.
"""

import struct
from functools import cache
from typing import Final

#: ISO 15076-1, 7.2.16: the illuminant of all profiles, D50.
_D50: Final = (0.9642, 1.0, 0.8249)

#: IEC 61966-2-1's primaries for D65, adapted to D50 with the matrix below: columns X, Y, Z.
_PRIMARIES: Final = {
    b"rXYZ": (0.43607, 0.22249, 0.01392),
    b"gXYZ": (0.38515, 0.71687, 0.09708),
    b"bXYZ": (0.14307, 0.06061, 0.71410),
}

#: ISO 15076-1, annex E: the linear Bradford adaptation from D65 to D50.
_ADAPTATION: Final = (
    *(1.04788, 0.02292, -0.05022),
    *(0.02959, 0.99048, -0.01707),
    *(-0.00925, 0.01508, 0.75168),
)

#: IEC 61966-2-1, 5.2, as parametric curve 3 of ISO 15076-1: (a x + b) ** g from d on, else c x.
_CURVE: Final = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)

_HEADER_BYTES: Final = 128


@cache
def srgb_profile() -> bytes:
    """Return the ICC profile (version 4.2) of sRGB: a display with three primaries and curves."""
    curve = b"para" + bytes(4) + struct.pack(">HH", 3, 0) + _fixed(*_CURVE)
    tags = {
        b"desc": _text("sRGB IEC61966-2.1"),
        b"cprt": _text("No copyright, use freely"),
        b"wtpt": b"XYZ " + bytes(4) + _fixed(*_D50),
        b"chad": b"sf32" + bytes(4) + _fixed(*_ADAPTATION),
        **{tag: b"XYZ " + bytes(4) + _fixed(*numbers) for tag, numbers in _PRIMARIES.items()},
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve),
    }
    places: dict[bytes, int] = {}
    table, data = struct.pack(">I", len(tags)), b""
    start = _HEADER_BYTES + 4 + 12 * len(tags)
    for tag, content in tags.items():
        if content not in places:
            places[content] = start + len(data)
            data += content + bytes(-len(content) % 4)
        table += tag + struct.pack(">II", places[content], len(content))
    return _header(start + len(data)) + table + data


def _header(length: int) -> bytes:
    made = (2026, 1, 1, 0, 0, 0)
    return struct.pack(
        ">I4xI4s4s4s6H4s28x12s48x",
        length,
        0x04200000,
        b"mntr",
        b"RGB ",
        b"XYZ ",
        *made,
        b"acsp",
        _fixed(*_D50),
    )


def _fixed(*numbers: float) -> bytes:
    """Return numbers as s15Fixed16."""
    return struct.pack(f">{len(numbers)}i", *(round(number * 65536) for number in numbers))


def _text(text: str) -> bytes:
    """Return a text as multiLocalizedUnicode, in English."""
    encoded = text.encode("utf-16-be")
    return struct.pack(">4s4xII2s2sII", b"mluc", 1, 12, b"en", b"US", len(encoded), 28) + encoded
