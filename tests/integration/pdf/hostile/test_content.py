"""Content of a page that leaves something behind, or has no end: it does not touch the name."""

from typing import Final

import pytest

from tests.integration.pdf.hostile.drawing_over import (
    NAME_AREA,
    assert_clean,
    drawn_or_refused,
    drawn_over,
    look,
    plain,
)
from tests.support.hostile import CONTENT, stream, written
from tests.support.pdf import text_of

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
