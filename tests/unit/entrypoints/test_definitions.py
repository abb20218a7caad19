import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testamur.application.options import parse_criteria
from testamur.domain.credential_types import Issuer, TypeDefinition
from testamur.domain.errors import InvalidInput, InvalidOptions
from testamur.entrypoints.cli.definitions import (
    changed_options,
    read_options,
    read_type_definition,
)
from testamur.entrypoints.cli.option_table import option_rows

TOML = """
name = "Certificate of Completion"
criteria = "completion"

[issuer]
name = "Example University"

[options.criteria]
required_completion = 0.8
"""


def written(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def problems_in(file: Path) -> list[str]:
    with pytest.raises((InvalidOptions, InvalidInput)) as refused:
        read_type_definition(file)
    error = refused.value
    assert str(file) in str(error)
    return [problem.field for problem in getattr(error, "problems", [error])]


def test_a_type_is_read_from_toml_or_json_and_drawn_as_pdf_unless_told(tmp_path: Path) -> None:
    expected = TypeDefinition(
        name="Certificate of Completion",
        issuer=Issuer(name="Example University"),
        criteria="completion",
        renderer="pdf",
        options={"criteria": {"required_completion": 0.8}},
    )
    as_json = json.dumps(expected.model_dump(mode="json", exclude={"renderer"}))
    assert read_type_definition(written(tmp_path, "type.toml", TOML)) == expected
    assert read_type_definition(written(tmp_path, "type.json", as_json)) == expected


def test_every_field_that_is_wrong_is_named_with_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, "type.toml", 'name = ""\nissuer = { nme = "X" }\ncolour = "red"\n')
    assert set(problems_in(file)) == {"name", "issuer.name", "issuer.nme", "criteria", "colour"}


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    assert problems_in(tmp_path / "missing.toml") == ["file"]
    assert problems_in(written(tmp_path, "type.yaml", TOML)) == ["file"]
    assert problems_in(written(tmp_path, "broken.toml", "name = ")) == ["file"]
    assert problems_in(written(tmp_path, "broken.json", "{")) == ["file"]
    assert problems_in(written(tmp_path, "list.json", "[]")) == ["file"]
    latin = tmp_path / "latin.toml"
    latin.write_bytes("name = 'Universität'".encode("latin-1"))
    assert problems_in(latin) == ["file"]


def test_what_json_does_not_have_is_refused_where_it_stands(tmp_path: Path) -> None:
    file = written(
        tmp_path, "type.toml", TOML + "[options.rendering]\nwhen = 2026-06-01\nx = [1.0, inf]\n"
    )
    assert problems_in(file) == ["options.rendering.when", "options.rendering.x.1"]


@pytest.mark.parametrize("text", ['{"a": NaN}', '{"a": 1e400}', '{"a": 1, "a": 2}', "[1]"])
def test_json_that_would_not_be_read_back_the_same_is_refused(tmp_path: Path, text: str) -> None:
    assert problems_in(written(tmp_path, "type.json", text)) == ["file"]


def test_options_are_given_as_json_or_in_a_file(tmp_path: Path) -> None:
    expected = {"criteria": {"required_completion": 0.5}}
    file = written(tmp_path, "options.toml", "[criteria]\nrequired_completion = 0.5\n")
    assert read_options(json.dumps(expected)) == expected
    assert read_options(str(file)) == expected
    with pytest.raises(InvalidInput, match="--options"):
        read_options("{broken")


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        ("criteria.required_completion=0.8", {"criteria": {"required_completion": 0.8}}),
        ("rendering.template=diploma", {"rendering": {"template": "diploma"}}),
        ("rendering.template=", {"rendering": {"template": ""}}),
        ("notification.enabled=false", {"notification": {"enabled": False}}),
        ("context.certificate_name=Maths 1", {"context": {"certificate_name": "Maths 1"}}),
        ('context.certificate_name="A\\nB"', {"context": {"certificate_name": "A\nB"}}),
        ('rendering.fonts=["a", "b"]', {"rendering": {"fonts": ["a", "b"]}}),
        ("rendering.text=a=b", {"rendering": {"text": "a=b"}}),
        ("rendering.text=NaN", {"rendering": {"text": "NaN"}}),
        ('criteria.grades."Quiz 1.5"=1', {"criteria": {"grades": {"Quiz 1.5": 1}}}),
        ('criteria."a=\\"b\\""=1', {"criteria": {'a="b"': 1}}),
        (
            "criteria.steps.course-v1:U+M+1.x=1",
            {"criteria": {"steps": {"course-v1:U+M+1": {"x": 1}}}},
        ),
    ],
)
def test_one_option_is_set_as_json_or_else_as_text(assignment: str, expected: Any) -> None:
    assert changed_options({}, [assignment], []) == expected


def test_options_beside_the_one_that_is_set_stay_and_the_given_ones_are_not_changed() -> None:
    options: dict[str, Any] = {"criteria": {"required_completion": 0.8, "kept": 1}}
    changed = changed_options(options, ["criteria.required_completion=0.9"], [])
    assert changed == {"criteria": {"required_completion": 0.9, "kept": 1}}
    assert options["criteria"]["required_completion"] == 0.8


def test_an_option_is_unset_before_others_are_set() -> None:
    options: dict[str, Any] = {"criteria": {"a": 1}, "rendering": {"b": 2}}
    assert changed_options(options, ["criteria.a=3"], ["criteria.a", "rendering"]) == {
        "criteria": {"a": 3}
    }


def test_a_table_that_has_become_empty_goes_too() -> None:
    options: dict[str, Any] = {"criteria": {"steps": {"a.b": 1}}, "rendering": {"c": 2}}
    assert changed_options(options, [], ['criteria.steps."a.b"']) == {"rendering": {"c": 2}}


@pytest.mark.parametrize("assignment", ["", "=1", "a", "a..b=1", ".a=1", "a.=1", '"a=1', 'a"b"=1'])
def test_a_malformed_assignment_is_refused(assignment: str) -> None:
    with pytest.raises(InvalidInput, match="--set"):
        changed_options({}, [assignment], [])


def test_a_path_leads_through_tables_only() -> None:
    with pytest.raises(InvalidInput, match=r"criteria\.a is none"):
        changed_options({"criteria": {"a": 1}}, ["criteria.a.b=1"], [])


@pytest.mark.parametrize("path", ["criteria.b", "criteria.a.b", "other", "criteria.a=1", ""])
def test_only_what_is_set_can_be_unset(path: str) -> None:
    with pytest.raises(InvalidInput, match="--unset"):
        changed_options({"criteria": {"a": 1}}, [], [path])


names = st.text('ab1é学."=\\ +@:-', min_size=1, max_size=5).filter(str.strip)
trees = st.recursive(
    st.integers(-9, 9) | st.booleans() | st.lists(st.integers(0, 9), max_size=2),
    lambda inner: st.dictionaries(names, inner, min_size=1, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(names, trees, max_size=3))
def test_what_the_table_of_options_shows_sets_the_same_options_again(
    options: dict[str, Any],
) -> None:
    sets = [f"{path}={value}" for path, value in option_rows(options)]
    assert changed_options({}, sets, []) == options


def test_a_decimal_survives_from_the_file_to_the_criteria() -> None:
    # Binary floats print as the shortest decimal that reads back as the same float.
    options = read_options('{"criteria": {"required_completion": 0.1}}')
    criteria = parse_criteria("completion", options["criteria"], None)
    assert getattr(criteria, "required_completion") == Decimal("0.1")  # noqa: B009
