"""The reference of the options names exactly those that there are, with their true defaults."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from testamur.adapters.pdf.finishing_options import ProtectionOptions, SignatureOptions
from testamur.adapters.pdf.options import (
    STANDARD_ELEMENTS,
    AttachedFile,
    ImageElement,
    PdfOptions,
    QrElement,
    TextElement,
)
from testamur.adapters.pdf.placeholders import STANDARD_PLACEHOLDERS

REFERENCE = (Path(__file__).parents[4] / "docs/reference/pdf-options.md").read_text("utf-8")

SECTIONS: dict[str, type[BaseModel]] = {
    "The document": PdfOptions,
    "Text": TextElement,
    "Image": ImageElement,
    "QR code": QrElement,
    "Signature": SignatureOptions,
    "Protection": ProtectionOptions,
    "Attachments": AttachedFile,
}


def section(title: str) -> str:
    found = re.search(rf"^##+ {title}\n(.*?)(?=^##|\Z)", REFERENCE, re.MULTILINE | re.DOTALL)
    assert found is not None, title
    return found[1]


def rows(title: str) -> dict[str, list[str]]:
    """The cells beside each name of a section's table."""
    lines = [line.strip("| ").split(" | ") for line in section(title).splitlines() if "|" in line]
    return {cells[0].strip("`"): cells[1:] for cells in lines[2:]}


def value_in(code: str) -> Any:
    return tomllib.loads(f"value = {code.strip('`')}")["value"]


def default_of(model: type[BaseModel], field: str) -> str:
    info = model.model_fields[field]
    if info.is_required():
        return "required"
    default = info.get_default(call_default_factory=True)
    return "none" if default is None else f"`{json.dumps(default)}`"


@pytest.mark.parametrize("title", SECTIONS)
def test_every_option_is_named_in_order_with_its_default(title: str) -> None:
    model = SECTIONS[title]

    named = {name: cells[0] for name, cells in rows(title).items()}

    assert list(named.items()) == [(name, default_of(model, name)) for name in model.model_fields]


@pytest.mark.parametrize("title", SECTIONS)
def test_every_example_is_allowed(title: str) -> None:
    examples = {name: value_in(cells[1]) for name, cells in rows(title).items()}

    if title == "The document":
        PdfOptions.model_validate(examples)
    else:
        SECTIONS[title].model_validate(examples)


def test_the_standard_elements_are_as_the_reference_says() -> None:
    columns = ("text", "x", "y", "align", "size")

    documented = {
        name: dict(zip(columns, map(value_in, cells), strict=True))
        for name, cells in rows("Elements").items()
    }

    assert documented == STANDARD_ELEMENTS


def test_the_standard_placeholders_are_as_the_reference_says() -> None:
    first_cells = [line.split(" | ")[0] for line in section("Placeholders").splitlines()]

    named = [word for cell in first_cells if "|" in cell for word in re.findall(r"\{(\w+)\}", cell)]

    assert named == list(STANDARD_PLACEHOLDERS)


def test_the_sets_of_options_in_the_reference_are_allowed() -> None:
    examples = re.findall(r"```toml\n(.*?)```", REFERENCE, re.DOTALL)

    assert len(examples) == 2
    for example in examples:
        PdfOptions.model_validate(tomllib.loads(example))
