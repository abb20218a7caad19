"""Pages: what of them is visible, and where a point of it lies."""

from decimal import Decimal
from typing import Any

import pytest
from pikepdf import Array, Dictionary, Name

from testamur.adapters.pdf.layout import PageSize
from testamur.adapters.pdf.pages import UnusablePage, make_explicit, visible_page


def page(**entries: Any) -> Dictionary:
    return Dictionary(Type=Name.Page, **entries)


def on_page(dictionary: Dictionary, x: float, y: float) -> tuple[float, float]:
    """Where a point counted from the visible bottom left corner lies on the page."""
    a, b, c, d, e, f = visible_page(dictionary).to_page
    return a * x + c * y + e, b * x + d * y + f


def test_a_page_is_as_large_as_its_media_box() -> None:
    assert visible_page(page(MediaBox=Array([0, 0, 400, 300]))).size == PageSize(400, 300)


def test_the_crop_box_counts_as_far_as_it_lies_in_the_media_box() -> None:
    cropped = page(MediaBox=Array([0, 0, 400, 300]), CropBox=Array([-50, 100, 200, 900]))

    assert visible_page(cropped).size == PageSize(200, 200)
    assert on_page(cropped, 0, 0) == (0, 100)


def test_boxes_may_name_any_two_corners() -> None:
    assert visible_page(page(MediaBox=Array([400, 300, 0, 0]))).size == PageSize(400, 300)


@pytest.mark.parametrize(
    ("turn", "size", "bottom_left"),
    [
        (0, PageSize(400, 300), (10, 20)),
        (90, PageSize(300, 400), (410, 20)),
        (180, PageSize(400, 300), (410, 320)),
        (270, PageSize(300, 400), (10, 320)),
        (-90, PageSize(300, 400), (10, 320)),
    ],
)
def test_a_page_is_turned_clockwise(
    turn: int, size: PageSize, bottom_left: tuple[float, float]
) -> None:
    turned = page(MediaBox=Array([10, 20, 410, 320]), Rotate=turn)

    assert visible_page(turned).size == size
    assert on_page(turned, 0, 0) == bottom_left


def test_a_unit_of_the_page_may_be_more_than_a_point() -> None:
    scaled = page(MediaBox=Array([0, 0, 400, 300]), UserUnit=Decimal("2.0"))

    assert visible_page(scaled).size == PageSize(800, 600)
    assert on_page(scaled, 100, 50) == (50, 25)


def test_a_page_takes_from_the_nodes_above_it_what_it_lacks() -> None:
    root = Dictionary(MediaBox=Array([0, 0, 400, 300]), Rotate=90)
    leaf = page(Parent=Dictionary(Parent=root, Rotate=180))

    make_explicit(leaf)

    assert visible_page(leaf).size == PageSize(400, 300)
    assert int(leaf.Rotate) == 180


@pytest.mark.parametrize(
    "entries",
    [
        {"MediaBox": Array([0, 0, 400])},
        {"MediaBox": Array([0, 0, 0, 300])},
        {"MediaBox": Name.None_},
        {"MediaBox": Array([0, 0, Name.X, 300])},
        {"MediaBox": Array([0, 0, 10, 10]), "CropBox": Array([20, 20, 30, 30])},
        {"MediaBox": Array([0, 0, 10, 10]), "Rotate": 45},
        {"MediaBox": Array([0, 0, 10, 10]), "UserUnit": 0},
    ],
)
def test_a_page_without_a_visible_part_is_not_used(entries: dict[str, Any]) -> None:
    with pytest.raises(UnusablePage):
        visible_page(page(**entries))
