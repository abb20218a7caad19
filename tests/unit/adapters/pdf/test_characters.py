"""Characters: which are refused, and which belong together."""

import pytest

from testamur.adapters.pdf.characters import clusters, is_visible, refuse_forbidden
from testamur.application.errors import RenderingError


@pytest.mark.parametrize(
    "character",
    [
        *("\x00", "\x07", "\t", "\r", "\x7f", "\x85"),  # control characters
        *("\u2028", "\u2029"),  # separators of lines and paragraphs
        *("\u202a", "\u202b", "\u202c", "\u202d", "\u202e"),  # embeddings and overrides
        *("\u2066", "\u2067", "\u2068", "\u2069"),  # isolates
        *("\u206a", "\u206f", "\ufff9", "\ufdd0", "\uffff", "\U0001fffe", "\U000e0041"),
        *("\ufffc", "\ufffd"),  # what stands for an object, or for a character that was lost
        "\ud800",  # half a character
    ],
)
def test_a_character_that_no_document_may_hold_is_refused(character: str) -> None:
    with pytest.raises(RenderingError) as caught:
        refuse_forbidden(f"Ada{character}Lovelace", "name")

    assert caught.value.reason == "forbidden-character"
    assert f"name: character 4 of the text is U+{ord(character):04X}" in caught.value.detail
    assert "Lovelace" not in caught.value.detail


@pytest.mark.parametrize(
    "text",
    ["Ada", "Zoë-Żółć", "נאור", "कमला", "می\u200cخواهم", "a\u200fb", "葛\U000e0100", "x\u00ady"],
)
def test_names_of_all_kinds_are_allowed(text: str) -> None:
    refuse_forbidden(text, "name")


def test_a_line_break_is_allowed_only_where_a_text_may_have_lines() -> None:
    refuse_forbidden("Algebra\nand Geometry", "context")

    with pytest.raises(RenderingError, match=r"U\+000A"):
        refuse_forbidden("Ada\nLovelace", "name", line_breaks=False)


@pytest.mark.parametrize("text", ["", "  ", "\u200b\u200d", "\u00a0", "\u3164", "\u0301", "\u2800"])
def test_a_text_that_leaves_no_mark_is_not_visible(text: str) -> None:
    assert not is_visible(text)


@pytest.mark.parametrize("text", ["a", ".", " 7 ", "\u200b名"])
def test_a_text_with_one_sign_is_visible(text: str) -> None:
    assert is_visible(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("abc", ["a", "b", "c"]),
        ("e\u0301a", ["e\u0301", "a"]),
        ("क्षि", ["क्षि"]),  # conjunct and vowel sign
        ("नमः", ["न", "मः"]),
        ("น้ำใจ", ["น้ำ", "ใ", "จ"]),
        ("مُحَ", ["مُ", "حَ"]),
        ("क\u094d\u200dष", ["क\u094d\u200dष"]),
        ("葛\U000e0100飾", ["葛\U000e0100", "飾"]),
        ("a \u0301\u200b\u0301", ["a", " ", "\u0301", "\u200b", "\u0301"]),
        ("\u1112\u1161\u11ab글", ["\u1112\u1161\u11ab", "글"]),
        ("", []),
    ],
)
def test_what_one_font_has_to_draw_stays_together(text: str, expected: list[str]) -> None:
    assert [text[start:end] for start, end in clusters(text)] == expected
