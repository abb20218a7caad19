"""Templates that are damaged, absurd or made to do harm: drawn over and clean, or refused."""

import random
import zipfile
import zlib
from collections.abc import Callable
from functools import cache
from io import BytesIO
from typing import Any, Final

import pikepdf
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from pikepdf import Encryption, ObjectStreamMode
from PIL import Image

from testamur.adapters.pdf import PreparedPdf
from testamur.application.errors import RenderingError
from testamur.domain.errors import InvalidInput
from tests.support.hostile import (
    CONTENT,
    PAGE,
    active_content_of,
    in_a_process_of_its_own,
    stream,
    written,
)
from tests.support.pdf import a_document, changed, picture_of, prepared, text_of

#: What a template may cost, whatever is in it.
MOST_SECONDS: Final = 5.0
MOST_MEMORY_MIB: Final = 512.0

#: Where the name is drawn on the page of `written`, in pixels.
NAME_AREA: Final = (0, 60, 400, 120)


def over(template: bytes, conformance: str = "none") -> PreparedPdf:
    elements = {"name": {"y": 100, "size": 20}, "context": False, "date": False}
    return prepared({"made": template}, template="made", elements=elements, conformance=conformance)


def drawn_over(template: bytes, conformance: str = "none") -> bytes:
    return over(template, conformance).render(a_document()).content


def look(content: bytes) -> Image.Image:
    return picture_of(content, scale=1)


@pytest.fixture(params=["none", "pdf/a"])
def conformance(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@cache
def plain() -> Image.Image:
    """What is drawn over the template that nothing is wrong with."""
    return look(drawn_over(written()))


def assert_clean(made: bytes) -> None:
    assert active_content_of(made) == set()
    with pikepdf.open(BytesIO(made), attempt_recovery=False) as pdf:
        assert len(pdf.pages) > 0


def drawn_or_refused(template: bytes, conformance: str, *others: str) -> bytes | None:
    """The document over a template; None if the template is refused, or too small for the name."""
    try:
        return drawn_over(template, conformance)
    except RenderingError as error:
        if error.reason not in {"bad-template", *others}:
            raise
        return None
    except InvalidInput as error:
        if not error.field.startswith("elements."):
            raise
        return None


def assert_refused(template: bytes) -> None:
    with pytest.raises(RenderingError) as caught:
        over(template)

    assert caught.value.reason == "bad-template"
    prefix = "template 'made' cannot be used: "
    assert caught.value.detail.startswith(prefix)
    assert len(caught.value.detail) > len(prefix) + 5
    assert "0x" not in caught.value.detail


def page_with(old: bytes, new: bytes) -> bytes:
    assert old in PAGE
    return PAGE.replace(old, new)


def pages(entries: bytes) -> bytes:
    return b"<</Type/Pages%s>>" % entries


def box(entries: bytes) -> bytes:
    return written({3: page_with(b"/MediaBox[0 0 400 300]", entries)})


def repacked(**saving: Any) -> bytes:
    return changed(written(), lambda _: None, **saving)


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


# Odd, but as good as any other

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


# Content that leaves something behind

LEFT_BEHIND: Final = {
    "saved states": b"q " * 1000,
    "restored states": b"Q " * 1000,
    "matrix": b"0.1 0 0 0.1 50 50 cm",
    "clipping": b"0 0 1 1 re W n",
    "saved clipping": b"q 0 0 1 1 re W n",
    "colours": b"1 1 1 rg 1 1 1 RG",
    "path": b"0 0 m 100 100 l",
    "path that clips": b"0 0 1 1 re W",
    "text": b"BT 9 Tr 50 Tz 200 Ts",
    "text state": b"BT 3 Tr 9 Tc 9 Tw 50 Tz 9 Ts ET",
    "marked content": b"/P BMC /P <</MCID 0>> BDC",
    "ends without beginnings": b"ET EMC Q EX EI",
    "compatibility section": b"BX",
    "unknown operators": b"foo 1 2 bar (x) baz",
    "operands": b"1 2 3 [(x)] /Name",
    "operator cut off": b"0 0 9 9 r",
    "comment": b"% says nothing",
    "resources that are not there": b"/None Do /None gs /None sh /F9 9 Tf",
    "no characters": b"\0\0\0",
    "itself": b"/Self Do",
    "transparent": b"/None gs 0 0 0 0 k",
    "many numbers": b"1 " * 5000,
}


@pytest.mark.parametrize("content", LEFT_BEHIND.values(), ids=LEFT_BEHIND)
def test_what_content_leaves_behind_does_not_touch_the_name(content: bytes) -> None:
    made = drawn_over(written({4: stream(content)}))

    assert look(made).crop(NAME_AREA).tobytes() == plain().crop(NAME_AREA).tobytes()
    assert text_of(made) == "Ada Lovelace"
    assert_clean(made)


@pytest.mark.parametrize("content", LEFT_BEHIND.values(), ids=LEFT_BEHIND)
def test_pdf_a_refuses_what_it_forbids_and_draws_over_the_rest(content: bytes) -> None:
    made = drawn_or_refused(written({4: stream(content)}), "pdf/a")

    if made is not None:
        assert look(made).crop(NAME_AREA).tobytes() == plain().crop(NAME_AREA).tobytes()


UNFINISHED: Final = {
    "string": b"0 g (unfinished",
    "hexadecimal string": b"0 g <41",
    "array": b"0 g [1 2",
    "dictionary": b"/P <</A",
    "inline image": b"BI /W 9 /H 9 /BPC 8 /CS /G ID xx",
    "inline image without data": b"BI /W 9",
    "deep array": b"[" * 100_000,
    "deep dictionary": b"/P " + b"<</A " * 50_000,
    "any bytes": bytes(range(256)),
}


@pytest.mark.parametrize("content", UNFINISHED.values(), ids=UNFINISHED)
def test_content_that_would_swallow_the_name_is_refused_or_does_not(
    content: bytes, conformance: str
) -> None:
    made = drawn_or_refused(written({4: stream(content)}), conformance)

    if made is not None:
        assert look(made).crop(NAME_AREA).tobytes() == plain().crop(NAME_AREA).tobytes()
        assert text_of(made) == "Ada Lovelace"


LENGTHS: Final = {
    "too short": b"5",
    "nothing": b"0",
    "too long": b"99999",
    "negative": b"-7",
    "a name": b"/X",
    "elsewhere": b"99 0 R",
    "the stream itself": b"4 0 R",
    "no number": b"99999999999999999999",
}


@pytest.mark.parametrize("length", LENGTHS.values(), ids=LENGTHS)
def test_nothing_of_a_page_is_lost_by_a_wrong_length(length: bytes) -> None:
    made = drawn_or_refused(written({4: stream(CONTENT, length=length)}), "none")

    if made is not None:
        assert look(made).tobytes() == plain().tobytes()


# Damaged


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


DOUBTFUL: Final = {
    "box of three numbers": box(b"/MediaBox[0 0 400]"),
    "box of text": box(b"/MediaBox[(0)(0)(400)(300)]"),
    "box of nothing": box(b"/MediaBox[0 0 null 300]"),
    "box in a box": box(b"/MediaBox[[0 0 400 300]]"),
    "box with exponents": box(b"/MediaBox[0 0 4e2 3e2]"),
    "box of a name": box(b"/MediaBox/A4"),
    "no box": box(b""),
    "box beyond numbers": box(b"/MediaBox[0 0 " + b"9" * 400 + b" 300]"),
    "box of a million miles": box(b"/MediaBox[0 0 1000000000 1000000000]"),
    "the largest box": box(b"/MediaBox[0 0 14400 14400]"),
    "unit of a mile": box(b"/MediaBox[0 0 400 300]/UserUnit 1000000"),
    "unit of a hair": box(b"/MediaBox[0 0 400 300]/UserUnit 0.0001"),
    "turned a quarter in fractions": box(b"/MediaBox[0 0 400 300]/Rotate 90.0"),
    "turned a hundred million times": box(b"/MediaBox[0 0 400 300]/Rotate 36000000090"),
    "content is text": written({3: page_with(b"4 0 R", b"(0 g)")}),
    "content is not there": written({3: page_with(b"4 0 R", b"99 0 R")}),
    "content is the page": written({3: page_with(b"4 0 R", b"3 0 R")}),
    "content of a later generation": written({3: page_with(b"4 0 R", b"4 1 R")}),
    "content packed in an unknown way": written({4: stream(CONTENT, b"/Filter/Foo")}),
    "content packed as an image": written({4: stream(CONTENT, b"/Filter/DCTDecode")}),
    "content with damaged packing": written(
        {4: stream(b"x\x9c" + CONTENT, b"/Filter/FlateDecode")}
    ),
    "content packed with its own key": written({4: stream(CONTENT, b"/Filter/Crypt")}),
    "resources are a list": written({3: page_with(b"<<>>", b"[]")}),
    "resources are not there": written({3: page_with(b"<<>>", b"99 0 R")}),
    "resources are text": written({3: page_with(b"<<>>", b"(x)")}),
    "forms are a list": written({3: page_with(b"<<>>", b"<</XObject[1 2]>>")}),
    "fonts are a list": written({3: page_with(b"<<>>", b"<</Font[1 2]>>")}),
    "fonts are a number": written({3: page_with(b"<<>>", b"<</Font 7>>")}),
    "annotations are a name": written({3: page_with(b"/Contents", b"/Annots/X/Contents")}),
    "annotations are nothing": written(
        {3: page_with(b"/Contents", b"/Annots[null 7(x)]/Contents")}
    ),
    "object of a far number": written({3: page_with(b"<<>>", b"<</Font<</F 4294967299 0 R>>>>")}),
    "object of the largest number": written({2_147_483_646: b"null"}),
    "size too large": written().replace(b"/Size 5", b"/Size 2147483647"),
    "size too small": written().replace(b"/Size 5", b"/Size 2"),
    "PDF 9.9": written(header=b"%PDF-9.9"),
    "no version": written(header=b"%PDF-x.y"),
    "header of PostScript": written(header=b"%!PS-Adobe-3.0"),
    "no protection": written(trailer=b"/Encrypt null"),
    "deep array": written({3: page_with(b"<<>>", b"<</X %s%s>>" % (b"[" * 40, b"]" * 40))}),
    "very deep array": written(
        {3: page_with(b"<<>>", b"<</X %s%s>>" % (b"[" * 9**5, b"]" * 9**5))}
    ),
    "form that draws itself": written(
        {
            3: page_with(b"<<>>", b"<</XObject<</A 5 0 R>>>>"),
            4: stream(b"/A Do"),
            5: stream(
                b"/A Do",
                b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</A 5 0 R>>>>",
            ),
        }
    ),
    "page that is there twice": written({2: pages(b"/Kids[3 0 R 3 0 R]/Count 2")}),
    "pages among other things": written({2: pages(b"/Kids[null 3 0 R 7(x)]/Count 4")}),
    "pages of another kind": written({3: page_with(b"/Type/Page", b"/Type/Font")}),
    "bytes after the end": written() + b"x" * 900,
}


@pytest.mark.parametrize("template", DOUBTFUL.values(), ids=DOUBTFUL)
def test_a_doubtful_template_is_refused_or_drawn_over_readably(
    template: bytes, conformance: str
) -> None:
    made = drawn_or_refused(template, conformance, "too-long")

    if made is not None:
        assert text_of(made) == "Ada Lovelace"
        assert_clean(made)


# What would take all time or memory

PACKED: Final = b"/Filter/FlateDecode"


def laughs(storeys: int) -> bytes:
    """Forms that each draw the next one ten times."""
    entries = b"/Type/XObject/Subtype/Form/BBox[0 0 400 300]"
    forms = {
        number: stream(
            b"/A Do " * 10,
            entries + b"/Resources<</XObject<</A %d 0 R>>>>" % (number + 1),
        )
        for number in range(10, 10 + storeys)
    }
    last = {10 + storeys: stream(b"0 0 1 1 re f", entries)}
    page = page_with(b"<<>>", b"<</XObject<</A 10 0 R>>>>")
    return written({3: page, 4: stream(b"/A Do"), **forms, **last})


GREEDY: Final[dict[str, Callable[[], bytes]]] = {
    "100 MB of spaces": lambda: written({4: stream(zlib.compress(b" " * 10**8), PACKED)}),
    "100 MB of spaces packed twice": lambda: written(
        {
            4: stream(
                zlib.compress(zlib.compress(b" " * 10**8)), b"/Filter[/FlateDecode/FlateDecode]"
            )
        }
    ),
    "100 MB of operators": lambda: written(
        {4: stream(zlib.compress(b"q Q " * 25 * 10**6), PACKED)}
    ),
    "100 MB of runs": lambda: written(
        {4: stream(zlib.compress(b"\x81 " * 800_000), b"/Filter[/FlateDecode/RunLengthDecode]")}
    ),
    "100 MB in a form": lambda: written(
        {
            3: page_with(b"<<>>", b"<</XObject<</A 5 0 R>>>>"),
            5: stream(
                zlib.compress(b" " * 10**8),
                PACKED + b"/Type/XObject/Subtype/Form/BBox[0 0 1 1]",
            ),
        }
    ),
    "20,000 pages": lambda: written(
        {
            2: pages(
                b"/Kids[%s]/Count 20000" % b" ".join(b"%d 0 R" % n for n in range(10, 20_010))
            ),
            **dict.fromkeys(range(10, 20_010), PAGE),
        }
    ),
    "a page 100,000 times": lambda: written(
        {2: pages(b"/Kids[%s]/Count 100000" % (b"3 0 R " * 100_000))}
    ),
    "forms that draw a thousand million forms": lambda: laughs(9),
}


@pytest.mark.parametrize("template", GREEDY.values(), ids=GREEDY)
def test_a_greedy_template_is_refused_or_costs_little(template: Callable[[], bytes]) -> None:
    outcome = in_a_process_of_its_own(template())

    assert outcome.reason in {"", "bad-template"}, outcome.detail
    assert outcome.cpu_seconds < MOST_SECONDS
    assert outcome.memory_mib < MOST_MEMORY_MIB
