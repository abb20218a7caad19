"""Templates that would take all time or memory: refused, or cheap."""

import zlib
from collections.abc import Callable
from typing import Final

import pytest

from tests.integration.pdf.hostile.drawing_over import page_with, pages
from tests.support.hostile import PAGE, in_a_process_of_its_own, stream, written

#: What a template may cost, whatever is in it.
MOST_SECONDS: Final = 5.0
MOST_MEMORY_MIB: Final = 512.0


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
