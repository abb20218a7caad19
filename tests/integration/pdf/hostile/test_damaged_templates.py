"""Templates that are damaged, encrypted, or none at all: refused with the reason."""

import random
import zipfile
from io import BytesIO
from typing import Any, Final

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from pikepdf import Encryption, ObjectStreamMode

from testamur.application.errors import RenderingError
from tests.integration.pdf.hostile.drawing_over import (
    assert_clean,
    box,
    drawn_or_refused,
    over,
    page_with,
    pages,
    repacked,
)
from tests.support.hostile import PAGE, stream, written
from tests.support.pdf import text_of


def assert_refused(template: bytes) -> None:
    with pytest.raises(RenderingError) as caught:
        over(template)

    assert caught.value.reason == "bad-template"
    prefix = "template 'made' cannot be used: "
    assert caught.value.detail.startswith(prefix)
    assert len(caught.value.detail) > len(prefix) + 5
    assert "0x" not in caught.value.detail


@pytest.mark.parametrize(
    "template",
    [written(), repacked(object_stream_mode=ObjectStreamMode.generate), repacked(linearize=True)],
    ids=["plain", "object streams", "linearised"],
)
def test_a_template_that_is_cut_off_is_refused_wherever_it_ends(template: bytes) -> None:
    for end in {*range(0, len(template) - 10, 17), len(template) - 10}:
        assert_refused(template[:end])


@settings(max_examples=200, deadline=None)
@given(
    changes=st.lists(
        st.tuples(
            st.integers(0, len(written()) - 1),
            st.one_of(
                st.sampled_from(b" \n\0()<>[]{}/%0189-.RqQ"),
                st.integers(0, 255),
            ),
        ),
        min_size=1,
        max_size=4,
    ),
    conformance=st.sampled_from(["none", "pdf/a"]),
)
def test_a_template_with_wrong_bytes_is_refused_or_leaves_the_name_readable(
    changes: list[tuple[int, int]], conformance: str
) -> None:
    damaged = bytearray(written())
    for offset, value in changes:
        damaged[offset] = value

    # A page that became very small or narrow has no room for the name.
    made = drawn_or_refused(bytes(damaged), conformance, "too-long")

    event("refused" if made is None else "drawn")
    if made is not None:
        assert text_of(made) == "Ada Lovelace"
        assert_clean(made)


def a_zip_file() -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("template.pdf", written())
    return file.getvalue()


NO_TEMPLATES: Final = {
    "empty": b"",
    "zeros": bytes(5000),
    "noise": random.Random(7).randbytes(5000),
    "noise with a header": b"%PDF-1.7\n" + random.Random(7).randbytes(5000) + b"\n%%EOF\n",
    "header alone": b"%PDF-1.7\n",
    "end alone": b"startxref\n0\n%%EOF\n",
    "text": b"Certificate\n" * 300,
    "page of the web": b"<!doctype html><title>404</title>" + b" " * 2000,
    "ZIP archive": a_zip_file(),
    "PostScript": b"%!PS-Adobe-3.0\n" + b"showpage\n" * 300,
    "form of another kind": b"%FDF-1.2\n1 0 obj <</FDF <<>>>> endobj trailer <</Root 1 0 R>>\n",
    "a thousand zeros after the end": written() + bytes(2000),
}

BROKEN: Final = {
    "no catalogue": written().replace(b"/Root 1", b"/Toor 1"),
    "the catalogue is a stream": written({1: stream(b"x")}),
    "the catalogue is a page": written({1: PAGE}),
    "no page tree": written({1: b"<</Type/Catalog>>"}),
    "no pages": written({2: pages(b"/Kids[]/Count 0")}),
    "no list of pages": written({2: pages(b"/Count 1")}),
    "pages are no list": written({2: pages(b"/Kids 3 0 R/Count 1")}),
    "pages are no pages": written({2: pages(b"/Kids[null 7(x)]/Count 3")}),
    "pages in a circle": written({2: pages(b"/Kids[3 0 R 2 0 R]/Count 2")}),
    "pages that are their own pages": written({2: pages(b"/Kids[2 0 R]/Count 1")}),
    "nodes above in a circle": written(
        {
            2: pages(b"/Parent 5 0 R/Kids[3 0 R]/Count 1"),
            3: page_with(b"/MediaBox[0 0 400 300]", b""),
            5: pages(b"/Parent 2 0 R/Kids[2 0 R]/Count 1"),
        }
    ),
    "page tree of ten thousand storeys": written(
        {
            2: pages(b"/Kids[10 0 R]/Count 1"),
            **{
                number: pages(b"/Kids[%d 0 R]/Count 1" % (number + 1))
                for number in range(10, 10_010)
            },
            10_010: PAGE,
        }
    ),
    "box too small": box(b"/MediaBox[0 0 0.1 0.1]"),
    "boxes that do not meet": box(b"/MediaBox[0 0 400 300]/CropBox[500 500 600 600]"),
    "turned by half a corner": box(b"/MediaBox[0 0 400 300]/Rotate 45"),
    "turned by a name": box(b"/MediaBox[0 0 400 300]/Rotate/North"),
    "turned by text": box(b"/MediaBox[0 0 400 300]/Rotate(90)"),
    "unit of nothing": box(b"/MediaBox[0 0 400 300]/UserUnit 0"),
    "unit below nothing": box(b"/MediaBox[0 0 400 300]/UserUnit -1"),
    "unit of a name": box(b"/MediaBox[0 0 400 300]/UserUnit/Inch"),
    "parts of content that are none": written({3: page_with(b"4 0 R", b"[null 4 0 R]")}),
    "cross-references off by one": written().replace(b"00015 00000 n", b"00016 00000 n"),
    "cross-references to nowhere": written(trailer=b"/Prev 99999999999"),
    "cross-references to the wrong place": written(trailer=b"/Prev 15"),
    "cross-reference stream that is none": written(trailer=b"/XRefStm 17"),
    "cross-references in a circle": written(
        trailer=b"/Prev %d" % written(trailer=b"/Prev 000").rindex(b"xref\n0 1")
    ),
    "unknown protection": written(trailer=b"/Encrypt<</Filter/Foo/V 1>>/ID[<00><00>]"),
    "protection without entries": written(trailer=b"/Encrypt<<>>"),
}

PROTECTIONS: Final[dict[str, dict[str, Any]]] = {
    "RC4 40 bits": {"R": 2, "aes": False, "metadata": False},
    "RC4 128 bits": {"R": 3, "aes": False, "metadata": False},
    "AES 128 bits": {"R": 4},
    "AES 256 bits": {"R": 6},
}
PASSWORDS: Final = {"to open it": "secret", "to change it": ""}
ENCRYPTED: Final = {
    f"{kind}, password {purpose}": repacked(encryption=Encryption(owner="o", user=user, **options))
    for kind, options in PROTECTIONS.items()
    for purpose, user in PASSWORDS.items()
}


@pytest.mark.parametrize(
    "template",
    (NO_TEMPLATES | BROKEN | ENCRYPTED).values(),
    ids=NO_TEMPLATES | BROKEN | ENCRYPTED,
)
def test_what_is_no_sound_template_is_refused_with_the_reason(template: bytes) -> None:
    assert_refused(template)


@pytest.mark.parametrize("template", ENCRYPTED.values(), ids=ENCRYPTED)
def test_an_encrypted_template_is_refused_as_such(template: bytes) -> None:
    with pytest.raises(RenderingError, match="it is encrypted; save it without password"):
        over(template)
