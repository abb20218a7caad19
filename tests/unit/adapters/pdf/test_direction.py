"""Direction: texts from right to left alone, without the whole algorithm."""

from fpdf.bidi import BidiParagraph, auto_detect_base_direction
from fpdf.enums import TextDirection
from hypothesis import given, settings
from hypothesis import strategies as st

from testamur.adapters.pdf.direction import Direction, embedding_levels
from testamur.adapters.pdf.placeholders import Piece

CHARACTERS = st.one_of(
    st.characters(min_codepoint=0x590, max_codepoint=0x6FF),
    st.sampled_from(" -.,:()[]«»'\"%$+/!a1"),
)


def levels_of_fpdf2(text: str, given_direction: Direction) -> list[int]:
    base = {
        "auto": auto_detect_base_direction(text),
        "ltr": TextDirection.LTR,
        "rtl": TextDirection.RTL,
    }[given_direction]
    paragraph = BidiParagraph(text, base_direction=base)
    levels = [paragraph.base_embedding_level] * len(text)
    for character in paragraph.get_characters():
        levels[character.character_index] = character.embedding_level
    return levels


@settings(max_examples=500, deadline=None)
@given(
    text=st.text(CHARACTERS, max_size=15), given_direction=st.sampled_from(["auto", "rtl", "ltr"])
)
def test_levels_are_those_of_the_whole_algorithm(text: str, given_direction: Direction) -> None:
    levels = embedding_levels([Piece(text, "name")], given_direction)

    assert levels == levels_of_fpdf2(text, given_direction)


def test_a_name_in_hebrew_with_signs_is_all_from_right_to_left() -> None:
    assert embedding_levels([Piece('משה כהן-לוי, ד"ר (!)', "name")], "auto") == [1] * 20
