"""Layout: where texts stand, how they shrink and wrap, and what does not fit."""

from collections.abc import Sequence
from typing import Any

import pytest

from testamur.adapters.pdf.code_layout import CodeLayout
from testamur.adapters.pdf.fonts import FontShelf
from testamur.adapters.pdf.layout import Line, PageSize, TextLayout
from testamur.adapters.pdf.options import QrElement, TextElement
from testamur.application.errors import RenderingError
from testamur.application.ports.rendering import Document
from testamur.domain.errors import InvalidInput
from tests.support.pdf import MemoryAssets, a_document

PAGE = PageSize(400, 300)
FONT = FontShelf(MemoryAssets()).font("noto-sans")


def layout(**options: Any) -> TextLayout:
    given = {"text": "{name}", "x": 100, "y": 100, "size": 20, **options}
    return TextLayout("title", TextElement.model_validate(given), PAGE, lambda *_: [FONT])


def lines(document: Document | None = None, **options: Any) -> Sequence[Line]:
    return layout(**options).lines(document or a_document())


def width_of(line: Line) -> float:
    return (line.runs[-1].x + line.runs[-1].width) * line.size


@pytest.mark.parametrize(("align", "part"), [("left", 0.0), ("center", 0.5), ("right", 1.0)])
def test_x_is_where_the_aligned_part_of_the_text_stands(align: str, part: float) -> None:
    (line,) = lines(align=align, x=200)

    assert line.x + part * width_of(line) == pytest.approx(200)


@pytest.mark.parametrize("align", ["left", "center", "right"])
def test_a_width_does_not_move_a_text_that_fits_in_it(align: str) -> None:
    assert lines(align=align, x=200, width=150) == lines(align=align, x=200)


def test_y_is_the_baseline_of_the_first_line() -> None:
    first, second = lines(a_document(full_name="Ada"), text="{name}\n{name}", y="50%")

    assert (first.y, second.y) == (150, 150 + 1.2 * 20)


def test_lines_stand_apart_by_the_line_height_in_sizes() -> None:
    first, second = lines(text="a\nb", line_height=2)

    assert second.y - first.y == 2 * 20


def test_an_empty_line_takes_its_room() -> None:
    first, second = lines(text="a\n\nb")

    assert second.y - first.y == 2 * 1.2 * 20


def test_a_text_that_fits_keeps_its_size() -> None:
    (line,) = lines(width=300)

    assert line.size == 20


def test_a_text_shrinks_to_the_largest_size_that_fits() -> None:
    (line,) = lines(width=80)

    assert 10 <= line.size < 20
    assert 79.5 < width_of(line) <= 80


def test_a_text_shrinks_to_what_the_page_has_room_for() -> None:
    (line,) = lines(x=300)

    assert 300 + width_of(line) <= PAGE.width


def test_a_text_that_does_not_fit_at_its_smallest_size_is_refused() -> None:
    with pytest.raises(RenderingError) as caught:
        lines(width=80, min_size=19)

    assert caught.value.reason == "too-long"
    assert "19 points" in caught.value.detail
    assert "room for 80" in caught.value.detail
    assert "Lovelace" not in caught.value.detail


def test_spacing_shrinks_with_the_text() -> None:
    (line,) = lines(width=80, character_spacing=2)

    assert width_of(line) <= 80


def test_a_text_wraps_before_it_shrinks() -> None:
    wrapped = lines(width=90, wrap=True)

    assert [line.text for line in wrapped] == ["Ada", "Lovelace"]
    assert {line.size for line in wrapped} == {20}


def test_a_text_shrinks_until_it_has_no_more_lines_than_it_may() -> None:
    name = "Augusta Ada King, Countess of Lovelace"
    wrapped = lines(a_document(full_name=name), width=160, wrap=True, max_lines=2)

    assert len(wrapped) == 2
    assert wrapped[0].size < 20
    assert " ".join(line.text for line in wrapped) == name
    assert all(width_of(line) <= 160 for line in wrapped)


def test_a_word_wider_than_its_room_shrinks_though_it_may_wrap() -> None:
    (line,) = lines(a_document(full_name="Wolfeschlegelsteinhausen"), width=200, wrap=True)

    assert line.size < 20
    assert width_of(line) <= 200


def test_more_lines_than_allowed_are_refused() -> None:
    with pytest.raises(RenderingError, match="at most 1 line;") as caught:
        lines(text="a\nb", max_lines=1)

    assert caught.value.reason == "too-long"


def test_lines_below_the_page_are_refused() -> None:
    with pytest.raises(RenderingError) as caught:
        lines(text="a\nb\nc", y=280, min_size=20)

    assert caught.value.reason == "too-long"


def test_lines_shrink_together() -> None:
    sizes = {line.size for line in lines(text="a\n{name} {name}", width=150)}

    assert len(sizes) == 1
    assert sizes != {20}


@pytest.mark.parametrize(
    ("language", "expected"),
    [("en", "ISTANBUL IŞIK"), ("tr", "İSTANBUL IŞIK"), ("az-Latn", "İSTANBUL IŞIK")],
)
def test_capital_letters_follow_the_language(language: str, expected: str) -> None:
    document = a_document(full_name="istanbul ışık", locale=language)

    assert [line.text for line in lines(document, upper_case=True)] == [expected]


def test_capital_letters_of_other_scripts_are_left_as_they_are() -> None:
    assert [line.text for line in lines(a_document(full_name="straße 7"), upper_case=True)] == [
        "STRASSE 7"
    ]


def test_a_text_without_anything_to_see_draws_nothing() -> None:
    assert not lines(a_document(values={"note": " "}), text="{note}")


def test_a_text_is_laid_out_anew_when_the_document_differs() -> None:
    laid_out = layout()

    texts = [laid_out.lines(a_document(full_name=name))[0].text for name in ("Ada", "Ada", "Grace")]

    assert texts == ["Ada", "Ada", "Grace"]


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"x": 401}, "elements.title.x"),
        ({"y": 301}, "elements.title.y"),
        ({"x": 0, "align": "right"}, "elements.title.x"),
        ({"x": 400, "align": "center"}, "elements.title.x"),
        ({"x": 300, "width": 101}, "elements.title.width"),
        ({"x": 100, "width": 201, "align": "center"}, "elements.title.width"),
        ({"width": 0}, "elements.title.width"),
    ],
)
def test_a_place_off_the_page_is_refused_by_its_field(options: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        layout(**options)

    assert caught.value.field == field


def code(**options: Any) -> CodeLayout:
    given = {"qr": "{verify_url}", "x": 10, "y": 20, "size": "25%", **options}
    return CodeLayout("code", QrElement.model_validate(given), PAGE)


def test_a_code_has_its_top_left_corner_where_it_is_put() -> None:
    placed = code().code(a_document())

    assert (placed.x, placed.y, placed.side) == (10, 20, 100)
    assert placed.text == "https://learn.example.org/verify/vK3mQ9xT2wLr"


def test_a_code_without_an_address_is_refused() -> None:
    with pytest.raises(RenderingError, match="verification address"):
        code().code(a_document(verify_url=None))


def test_a_code_with_more_than_it_holds_is_refused() -> None:
    with pytest.raises(RenderingError, match="2331") as caught:
        code(qr="{note}").code(a_document(values={"note": "x" * 2332}))

    assert caught.value.reason == "too-long"


def test_a_code_with_nothing_to_say_is_refused() -> None:
    with pytest.raises(RenderingError) as caught:
        code(qr="{note}").code(a_document(values={"note": ""}))

    assert caught.value.reason == "missing-value"


@pytest.mark.parametrize(
    ("options", "field"), [({"x": 301}, "size"), ({"size": 0}, "size"), ({"y": 500}, "y")]
)
def test_a_code_off_the_page_is_refused(options: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        code(**options)

    assert caught.value.field == f"elements.code.{field}"
