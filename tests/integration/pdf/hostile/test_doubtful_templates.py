"""Templates that some would accept and others not: refused, or drawn over readably."""

from typing import Final

import pytest

from tests.integration.pdf.hostile.drawing_over import (
    assert_clean,
    box,
    drawn_or_refused,
    page_with,
    pages,
)
from tests.support.hostile import CONTENT, stream, written
from tests.support.pdf import text_of

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
