"""The options: defaults that a partial override keeps, and errors that name the field."""

from typing import Any

import pytest
from pydantic import ValidationError

from testamur.adapters.pdf import PdfOptions
from testamur.adapters.pdf.options import ImageElement, QrElement, TextElement, in_points


def options(**given: Any) -> PdfOptions:
    return PdfOptions.model_validate({"template": "diploma", "fonts": ["noto-sans"], **given})


def problems(**given: Any) -> dict[str, str]:
    """The messages about options that are not allowed, by the dotted name of the field."""
    with pytest.raises(ValidationError) as caught:
        options(**given)
    return {".".join(map(str, each["loc"])): each["msg"] for each in caught.value.errors()}


def text_element(**given: Any) -> TextElement:
    element = options(elements={"extra": {"text": "x", "x": 1, "y": 1, **given}}).drawn["extra"]
    assert isinstance(element, TextElement)
    return element


def test_the_standard_elements_are_there_without_being_asked_for() -> None:
    drawn = options().drawn

    assert {name: (each.text, each.size) for name, each in drawn.items()} == {  # type: ignore[union-attr]
        "name": ("{name}", 32),
        "context": ("{context_name}", 28),
        "date": ("{issue_date}", 12),
    }


def test_a_partial_override_keeps_the_other_defaults() -> None:
    name = options(elements={"name": {"color": "#aa0000"}}).drawn["name"]

    assert isinstance(name, TextElement)
    assert (name.text, name.size, name.align, name.color) == ("{name}", 32, "center", "#aa0000")


def test_an_override_of_one_element_leaves_the_others_alone() -> None:
    assert options(elements={"name": {"size": 40}}).drawn["date"] == options().drawn["date"]


def test_false_leaves_a_standard_element_out() -> None:
    assert list(options(elements={"date": False}).drawn) == ["name", "context"]


def test_false_is_refused_for_an_element_that_is_not_there() -> None:
    assert "elements" in problems(elements={"dat": False})


def test_the_kind_of_an_element_follows_from_its_options() -> None:
    drawn = options(
        elements={
            "motto": {"text": "Sapere aude", "x": "50%", "y": "10mm"},
            "seal": {"image": "seal", "x": 10, "y": 10, "width": 50},
            "code": {"qr": "{verify_url}", "x": 10, "y": 10, "size": "2cm"},
        }
    ).drawn

    assert isinstance(drawn["motto"], TextElement)
    assert isinstance(drawn["seal"], ImageElement)
    assert isinstance(drawn["code"], QrElement)


@pytest.mark.parametrize("missing", ["text", "x", "y"])
def test_a_custom_element_needs_a_text_and_a_position(missing: str) -> None:
    element = {"text": "x", "x": 1, "y": 1}
    del element[missing]

    assert problems(elements={"extra": element}) == {f"elements.extra.{missing}": "Field required"}


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"fonts": ["bundled:comic-sans"]}, "fonts.0"),
        ({"template": "Not A Slug"}, "template"),
        ({"page": 0}, "page"),
        ({"unknown": 1}, "unknown"),
        ({"reading_text": "Diploma", "reading_text_language": "?"}, "reading_text_language"),
        ({"reading_text_language": "en"}, "reading_text_language"),
        ({"font_for_language": {"ja": "Noto Sans"}}, "font_for_language.ja"),
        ({"font_for_language": {"?": "noto-sans"}}, "font_for_language.?.[key]"),
        ({"fonts": ["noto-sans", "noto#x"]}, "fonts.1"),
        ({"elements": {"name": {"colour": "#000000"}}}, "elements.name.colour"),
        ({"elements": {"name": {"color": "black"}}}, "elements.name.color"),
        ({"elements": {"name": {"y": "5 parsecs"}}}, "elements.name.y"),
        ({"elements": {"name": {"date_format": "HH:mm"}}}, "elements.name.date_format"),
        ({"elements": {"name": {"align": "middle"}}}, "elements.name.align"),
        ({"elements": {"name": {"size": 20, "min_size": 30}}}, "elements.name"),
        ({"elements": {"name": "big"}}, "elements.name"),
        ({"elements": {"seal": {"image": "seal", "x": 1, "y": 1}}}, "elements.seal"),
        ({"elements": {"Name": {"size": 20}}}, "elements.Name.[key]"),
    ],
)
def test_what_is_not_allowed_is_refused_by_the_name_of_its_field(
    given: dict[str, Any], field: str
) -> None:
    assert any(name.startswith(field) for name in problems(**given)), problems(**given)


def test_the_fonts_that_come_along_are_used_where_none_is_named_or_where_asked_for() -> None:
    unnamed = PdfOptions.model_validate({"template": "diploma"})

    assert unnamed.bundled_fonts[0] == "bundled:noto-sans"
    assert options(default_fonts=True).bundled_fonts == unnamed.bundled_fonts
    assert options().bundled_fonts == ()


@pytest.mark.parametrize(
    ("length", "points"),
    [(12, 12), (12.5, 12.5), ("12", 12), ("1in", 72), ("25.4mm", 72), ("2.54 cm", 72), ("25%", 50)],
)
def test_a_length_is_points_or_a_number_with_its_unit(length: float | str, points: float) -> None:
    assert in_points(text_element(x=length).x, 200) == pytest.approx(points)


def test_a_text_shrinks_to_half_its_size_unless_told_otherwise() -> None:
    assert text_element(size=30).smallest_size == 15
    assert text_element(size=30, min_size=30).smallest_size == 30


def test_options_stay_the_same_when_written_and_read_again() -> None:
    chosen = options(
        elements={
            "date": False,
            "name": {"width": "20cm"},
            "code": {"qr": "{verify_id}", "x": 0, "y": 0, "size": 50},
        }
    )

    assert PdfOptions.model_validate(chosen.model_dump(mode="json")) == chosen


def test_there_is_a_schema_to_make_a_form_from() -> None:
    schema = PdfOptions.model_json_schema()

    assert {"TextElement", "ImageElement", "QrElement"} <= set(schema["$defs"])
