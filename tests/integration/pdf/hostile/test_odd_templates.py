"""Templates that are odd, but as good as any other: they are drawn over."""

from typing import Final

import pytest
from pikepdf import ObjectStreamMode

from tests.integration.pdf.hostile.drawing_over import (
    assert_clean,
    box,
    drawn_over,
    look,
    page_with,
    pages,
    plain,
    repacked,
)
from tests.support.hostile import CONTENT, PAGE, stream, written
from tests.support.pdf import text_of


def updated(template: bytes) -> bytes:
    """A file with a second part that changes nothing but the page (ISO 32000-2, 7.5.6)."""
    previous = template.rindex(b"startxref\n") + len(b"startxref\n")
    start = len(template) + len(PAGE) + len(b"3 0 obj\n\nendobj\n")
    return template + (
        b"3 0 obj\n%s\nendobj\nxref\n3 1\n%010d 00000 n \ntrailer\n<</Size 5/Root 1 0 R/Prev %d>>\n"
        b"startxref\n%d\n%%%%EOF\n"
        % (PAGE, len(template), int(template[previous:].split()[0]), start)
    )


def hybrid(template: bytes) -> bytes:
    """A file whose trailer also points to a cross-reference stream (ISO 32000-2, 7.5.8.4)."""
    end = template.rindex(b"xref\n0 1\n")
    old = template[end:]
    hidden = stream(b"\x00\x00\x00\x00", b"/Type/XRef/Size 6/W[1 2 1]/Index[5 1]/Root 1 0 R")
    body = template[:end] + b"9 0 obj\n" + hidden + b"\nendobj\n"
    table = old[: old.index(b"startxref")].replace(b"/Root", b"/XRefStm %d/Root" % end)
    return body + table + b"startxref\n%d\n%%%%EOF\n" % len(body)


SOUND: Final = {
    "nothing wrong": written(),
    "something before it": b"\n" * 50 + written(),
    "PDF 2.0": written(header=b"%PDF-2.0"),
    "PDF 1.0": written(header=b"%PDF-1.0"),
    "object streams": repacked(object_stream_mode=ObjectStreamMode.generate),
    "linearised": repacked(linearize=True),
    "updated": updated(written()),
    "updated twice": updated(updated(written())),
    "hybrid cross-references": hybrid(written()),
    "count too large": written({2: pages(b"/Kids[3 0 R]/Count 2147483647")}),
    "count negative": written({2: pages(b"/Kids[3 0 R]/Count -1")}),
    "no types": written({1: b"<</Pages 2 0 R>>", 2: b"<</Kids[3 0 R]/Count 1>>"}),
    "box turned round": box(b"/MediaBox[400 300 0 0]"),
    "box below zero": written(
        {
            3: page_with(b"0 0 400 300", b"-400 -300 0 0"),
            4: stream(b"0.5 g -380 -280 100 30 re f"),
        }
    ),
    "box elsewhere": written(
        {3: page_with(b"[0 0 400 300]", b" 5 0 R"), 5: b"[0 0 6 0 R 300.0]", 6: b"400"}
    ),
    "no turn": box(b"/MediaBox[0 0 400 300]/Rotate null"),
    "many turns": box(b"/MediaBox[0 0 400 300]/Rotate 3600"),
    "content in parts": written(
        {
            3: page_with(b"4 0 R", b"[4 0 R 5 0 R]"),
            4: stream(b"0.5 g 20 20 100"),
            5: stream(b"30 re f"),
        }
    ),
    "content in one part": written({3: page_with(b"4 0 R", b"[4 0 R]")}),
    "resources by odd names": written(
        {
            3: page_with(b"<<>>", b"<</ExtGState<</A#2F#28#3E#3E#0A#25 <</LW 3>>>>>>"),
            4: stream(CONTENT + b" /A#2F#28#3E#3E#0A#25 gs"),
        }
    ),
    "odd strings": written(
        {3: page_with(b"<<>>", rb"<</ColorSpace<</C[/Indexed/DeviceRGB 1(\)>>\(\\\r)]>>>>")}
    ),
    "a name that ours could have": written(
        {
            3: page_with(b"<<>>", b"<</XObject<</Testamur0 5 0 R/Template 5 0 R/T 5 0 R>>>>"),
            4: stream(b"/Testamur0 Do"),
            5: stream(CONTENT, b"/Type/XObject/Subtype/Form/BBox[0 0 400 300]"),
        }
    ),
    "fonts by names that ours could have": written(
        {3: page_with(b"<<>>", b"<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Courier>>>>>>")}
    ),
}


@pytest.mark.parametrize("template", SOUND.values(), ids=SOUND)
def test_an_odd_template_is_drawn_over_like_any_other(template: bytes, conformance: str) -> None:
    made = drawn_over(template, conformance)

    assert look(made).tobytes() == plain().tobytes()
    assert text_of(made) == "Ada Lovelace"
    assert_clean(made)
