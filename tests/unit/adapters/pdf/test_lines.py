"""Lines: where a text may be broken, and how full its lines become."""

from itertools import pairwise

import pytest

from testamur.adapters.pdf.fonts import FontShelf
from testamur.adapters.pdf.lines import break_positions, broken
from testamur.adapters.pdf.placeholders import Piece
from testamur.adapters.pdf.runs import Paragraph
from tests.support.pdf import MemoryAssets

SHELF = FontShelf(MemoryAssets())


def parts(text: str) -> list[str]:
    cuts = [0, *break_positions(text), len(text)]
    return [text[start:end] for start, end in pairwise(cuts)]


def lines(text: str, room: float, font: str = "noto-sans") -> list[str]:
    paragraph = Paragraph([Piece(text)], [SHELF.font(font)], language="en")
    return [text[start:end] for start, end in broken(paragraph, room)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one two", ["one ", "two"]),
        ("one  two ", ["one  ", "two "]),
        ("no\u00a0break\u202fhere", ["no\u00a0break\u202fhere"]),
        ("well-known -5", ["well-", "known ", "-5"]),
        ("zero\u200bwidth", ["zero\u200b", "width"]),
        ("山田、太郎", ["山", "田、", "太", "郎"]),
        ("「山」", ["「山」"]),
        ("データ", ["デー", "タ"]),
        ("한국 대학", ["한국 ", "대학"]),
        ("สวัสดี", ["สวัสดี"]),
        ("か\u3099く-\u0301x \u0301y", ["か\u3099", "く-\u0301x ", "\u0301y"]),
        ("", [""]),
    ],
)
def test_a_line_may_begin_only_where_the_script_allows_it(text: str, expected: list[str]) -> None:
    assert parts(text) == expected


def test_lines_are_as_full_as_they_can_be() -> None:
    assert lines("aa aa aa aa aa", 3.3) == ["aa aa", "aa aa", "aa"]


def test_a_text_that_fits_is_one_line_without_the_spaces_around_it() -> None:
    assert lines("  Ada Lovelace ", 100) == ["Ada Lovelace"]


def test_a_word_wider_than_the_room_has_a_line_of_its_own() -> None:
    assert lines("a Donaudampfschifffahrt b", 3) == ["a", "Donaudampfschifffahrt", "b"]


def test_no_text_is_one_empty_line() -> None:
    assert lines(" ", 3) == [""]
