"""Runs: which font draws what, in which order, and what is refused."""

from collections.abc import Sequence
from itertools import groupby

import pytest

from testamur.adapters.pdf.direction import Direction
from testamur.adapters.pdf.font_files import FontFile
from testamur.adapters.pdf.fonts import Font, FontShelf, Shaping
from testamur.adapters.pdf.placeholders import Piece
from testamur.adapters.pdf.runs import Paragraph, Run
from testamur.application.errors import RenderingError
from tests.support.pdf import MemoryAssets

SHELF = FontShelf(MemoryAssets())


def chain(*references: str) -> list[Font]:
    return [SHELF.font(reference) for reference in references]


def runs(
    text: str | Sequence[Piece],
    *fonts: str,
    language: str = "en",
    direction: Direction = "auto",
    spacing: float = 0.0,
) -> tuple[Run, ...]:
    pieces = [Piece(text)] if isinstance(text, str) else text
    paragraph = Paragraph(
        pieces,
        chain(*(fonts or ("open-sans",))),
        language=language,
        direction=direction,
        spacing=spacing,
        where="name",
    )
    return paragraph.runs()


def seen(text: str | Sequence[Piece], *fonts: str, direction: Direction = "auto") -> list[str]:
    """The stretches of one direction from left to right, each as it is read."""
    shown = runs(text, *fonts, direction=direction)
    stretches = [list(group) for _, group in groupby(shown, lambda run: run.shaping.right_to_left)]
    return [
        "".join(run.text for run in (each[::-1] if each[0].shaping.right_to_left else each))
        for each in stretches
    ]


def drawn_by(text: str, *fonts: str, language: str = "en") -> list[tuple[str, str]]:
    return [(run.font.name, run.text) for run in runs(text, *fonts, language=language)]


def test_a_text_of_one_script_and_font_is_one_run() -> None:
    (run,) = runs("Zoë O’Brien-Żółć 2nd")

    assert run.text == "Zoë O’Brien-Żółć 2nd"
    assert (run.shaping.script, run.shaping.right_to_left) == ("Latn", False)
    assert run.width == pytest.approx(
        sum(glyph.advance for glyph in run.glyphs) / run.font.units_per_em
    )


def test_words_from_right_to_left_stand_in_their_order_from_the_right() -> None:
    assert seen("משה 12 כהן") == [" כהן", "12", "משה "]


def test_latin_words_among_hebrew_ones_are_read_from_left_to_right() -> None:
    assert seen("משה (Ali B) כהן") == [") כהן", "Ali B", "משה ("]


def test_a_line_that_begins_in_latin_runs_from_left_to_right() -> None:
    assert seen("Ali משה 5") == ["Ali 5", "משה "]


def test_the_direction_of_a_line_can_be_given() -> None:
    assert seen("Ali משה", direction="rtl") == [" משה", "Ali"]
    assert seen("Hello!", direction="rtl") == ["!", "Hello"]


def test_a_value_keeps_its_own_order_beside_other_words() -> None:
    assert seen("משה – 12 %") == [" %", "12", "משה – "]
    assert seen([Piece("משה", "name"), Piece(" – "), Piece("12 %", "grade")]) == [
        "12 %",
        "משה – ",
    ]


def test_the_words_of_the_template_decide_the_direction_before_those_of_the_learner() -> None:
    assert seen([Piece("לכבוד "), Piece("Ada", "name")]) == ["Ada", "לכבוד "]
    assert seen([Piece("To "), Piece("משה", "name"), Piece(", 5")]) == ["To ", "משה", ", 5"]


def test_one_font_draws_a_whole_word_if_one_has_all_of_it() -> None:
    # The first font has all its letters but one.
    assert drawn_by("Maiɗa", "noto-sans-thai", "noto-sans") == [("noto-sans", "Maiɗa")]
    assert drawn_by("Maida", "noto-sans-thai", "noto-sans") == [("noto-sans-thai", "Maida")]


def test_each_word_is_drawn_by_the_first_font_that_has_it() -> None:
    assert drawn_by("Ada ดี", "noto-sans", "noto-sans-thai") == [
        ("noto-sans", "Ada "),
        ("noto-sans-thai", "ดี"),
    ]


def test_the_order_of_the_fonts_decides_between_those_that_have_a_character() -> None:
    assert drawn_by("Ada", "noto-sans", "open-sans")[0][0] == "noto-sans"
    assert drawn_by("Ada", "open-sans", "noto-sans")[0][0] == "open-sans"


def test_a_mark_is_drawn_by_the_font_of_its_letter() -> None:
    ((_, first),) = drawn_by("e\u0323\u0302", "noto-sans-thai", "noto-sans")

    assert first == "e\u0323\u0302"


def test_letter_and_mark_apart_are_shaped_as_the_letter_with_its_mark() -> None:
    (apart,), (composed,) = runs("Ame\u0301lie"), runs("Am\u00e9lie")

    assert apart.width == composed.width


def test_a_font_with_the_composed_letter_alone_draws_it_for_the_parts() -> None:
    whole = SHELF.font("noto-sans")
    (letter,) = whole.shape("\u00e9", Shaping(False, "Latn", "en"))
    only = Font(FontFile("only", whole.part({letter.id}).content))

    assert only.drawable("e\u0301") == "\u00e9"
    assert only.drawable("a\u0301") is None


def test_joiners_stay_in_the_run_of_their_word() -> None:
    (run,) = runs("می\u200cخواهم", "noto-sans-arabic")

    assert "\u200c" in run.text


def test_marks_that_only_guide_the_order_are_not_drawn() -> None:
    assert seen("Ada\u200e \u200bLove\u00adlace") == ["Ada Lovelace"]


def test_a_compatibility_ideograph_is_not_exchanged_for_the_unified_one() -> None:
    # U+FA19 and U+795E are canonically equivalent, and two ways to write a name.
    with pytest.raises(RenderingError, match=r"U\+FA19"):
        runs("\ufa19", "noto-sans-sc")
    ((_, shown),) = drawn_by("\ufa19", "noto-sans-jp")
    assert shown == "\ufa19"


def test_a_space_of_a_width_of_its_own_needs_no_glyph_of_its_own() -> None:
    assert len(drawn_by("a\u202fb\u00a0c", "noto-sans-thai", "noto-sans")) == 1


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Ada 😀", r"U\+1F600 GRINNING FACE, character 5 of the text"),
        ("\u0e01", r"U\+0E01 THAI CHARACTER KO KAI, character 1"),
        ("x\U00013000", r"U\+13000 EGYPTIAN HIEROGLYPH A001, character 2"),
        ("\ue123", r"U\+E123 \(without a name\)"),
    ],
)
def test_a_character_that_no_font_has_is_refused_by_its_name(text: str, named: str) -> None:
    with pytest.raises(RenderingError, match=named) as caught:
        runs(text, "noto-sans", "open-sans")

    assert caught.value.reason == "missing-glyph"
    assert "tried: noto-sans, open-sans" in caught.value.detail
    assert caught.value.detail.startswith("name: ")


def test_a_mark_without_its_letter_is_refused() -> None:
    with pytest.raises(RenderingError, match=r"U\+093F .* has no letter") as caught:
        runs("\u093fराम", "noto-sans-devanagari")

    assert caught.value.reason == "broken-text"


def test_spacing_widens_a_text_between_its_letters_only() -> None:
    plain, spaced = runs("abc"), runs("abc", spacing=0.1)

    assert spaced[0].width - plain[0].width == pytest.approx(0.2, abs=0.001)


def test_spacing_does_not_part_a_letter_from_its_mark() -> None:
    (plain,), (spaced,) = runs("x\u0323y"), runs("x\u0323y", spacing=0.1)

    assert spaced.width - plain.width == pytest.approx(0.1, abs=0.001)
    assert [glyph.dx for glyph in spaced.glyphs] == [glyph.dx for glyph in plain.glyphs]


@pytest.mark.parametrize("text", ["محمد", "श्रीमती"])
def test_letters_that_touch_are_not_spaced_out(text: str) -> None:
    fonts = ("noto-sans-arabic", "noto-sans-devanagari")

    assert runs(text, *fonts, spacing=0.1) == runs(text, *fonts)


def test_spaced_letters_form_no_ligature() -> None:
    assert len(runs("ffi", "open-sans", spacing=0.1)[0].glyphs) == 3


def test_the_language_chooses_between_forms_of_a_letter() -> None:
    (russian,) = runs("б", "noto-sans", language="ru")
    (serbian,) = runs("б", "noto-sans", language="sr")

    assert russian.glyphs[0].id != serbian.glyphs[0].id
