"""The reference of events lists exactly what is registered."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel

from testamur.adapters.event_store.names import EventNames

REFERENCE = Path(__file__).parents[4] / "docs" / "reference" / "events.md"
ROW = re.compile(r"^\| `([^`]+)` \| [^|]+ \| (.+) \|$", re.MULTILINE)
FIELD = re.compile(r"`(\w+)`( \(personal\))?(?:, |$)")


def listed() -> dict[str, dict[str, bool]]:
    """Return fields by the name of the event or value, each with whether it is personal."""
    return {
        name: {field: bool(personal) for field, personal in FIELD.findall(fields)}
        for name, fields in ROW.findall(REFERENCE.read_text())
    }


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from models_in(field.annotation)
    for argument in get_args(annotation):
        yield from models_in(argument)


def test_every_event_is_listed_with_its_fields_and_nothing_else_is() -> None:
    events = {name: fields for name, fields in listed().items() if "." in name}
    assert events == {
        kind.name: {field: field in kind.personal_fields for field in kind.event_class.model_fields}
        for kind in EventNames()
    }


def test_every_value_with_parts_is_listed_with_its_parts() -> None:
    values = {name: set(parts) for name, parts in listed().items() if name[0].isupper()}
    assert values == {
        model.__name__: set(model.model_fields)
        for kind in EventNames()
        for field in kind.event_class.model_fields.values()
        for model in models_in(field.annotation)
    }
