"""The options of a plugin in words, read from its pydantic model: types, defaults, meanings."""

import inspect
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, get_args

from pydantic import BaseModel, Secret, SecretBytes, SecretStr
from pydantic.errors import PydanticInvalidForJsonSchema, PydanticUserError
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaWarningKind

_SECRET_TYPES: Final = (SecretStr, SecretBytes, Secret)

_ENTRY: Final = re.compile(r"(?P<indent> +)(?P<name>\w+)(?: \([^)]*\))?: *(?P<text>.*)")

#: Formats of JSON Schema's strings that say more than "text".
_FORMATS: Final[Mapping[str, str]] = {
    "date": "date",
    "date-time": "date and time",
    "directory-path": "path of a folder",
    "duration": "duration (ISO 8601)",
    "email": "e-mail address",
    "file-path": "path of a file",
    "path": "path",
    "time": "time",
    "uri": "web address",
    "uuid": "UUID",
}

_TYPES: Final[Mapping[str, str]] = {
    "array": "list",
    "boolean": "true or false",
    "integer": "whole number",
    "null": "none",
    "number": "number",
    "object": "table",
    "string": "text",
}


@dataclass(frozen=True, slots=True)
class OptionDescription:
    """One option, for people to read.

    Args:
        name: As it is written.
        type: What is allowed.
        required: Whether it has to be given.
        default: What holds where it is not given; None where it is required, or not told.
        secret: Whether its value is never shown.
        meaning: What it is for; empty where the model does not say.
    """

    name: str
    type: str
    required: bool
    default: str | None
    secret: bool
    meaning: str


def describe_options(model: type[BaseModel]) -> list[OptionDescription]:
    """Describe the options that a model defines, in its order.

    The meaning is the field's description, or what the model's docstring says of it under
    ``Args:`` (Google style).
    """
    schema = options_schema(model) or {}
    properties = schema.get("properties", {})
    documented = _documented(model)
    showable = open_options(model)
    return [
        OptionDescription(
            name=name,
            type=_words(properties.get(name, {}), schema.get("$defs", {})),
            required=field.is_required(),
            default=_default(properties.get(name, {})) if name in showable else None,
            secret=name not in showable,
            meaning=_plain(field.description or documented.get(attribute, "")),
        )
        for attribute, name, field in _fields(model)
    ]


def options_schema(model: type[BaseModel]) -> dict[str, Any] | None:
    """Return the JSON Schema of a model; None where it has a type that JSON Schema has not."""
    try:
        return model.model_json_schema(schema_generator=_QuietSchema)
    except (PydanticInvalidForJsonSchema, PydanticUserError):
        return None


def option_names(model: type[BaseModel]) -> list[str]:
    """Return the names of the options that a model defines."""
    return [name for _, name, _ in _fields(model)]


def open_options(model: type[BaseModel]) -> set[str]:
    """Return the names of the options whose values may be shown: those that hold no secret.

    A secret is of one of pydantic's types for them, at any depth, or ``writeOnly`` in the schema.
    Of a model that has no schema, nobody can tell; none of its options may be shown.
    """
    schema = options_schema(model)
    if schema is None:
        return set()
    properties, definitions = schema.get("properties", {}), schema.get("$defs", {})
    return {
        name
        for _, name, field in _fields(model)
        if not any(map(_is_secret, _types_in(field.annotation, set())))
        and not _is_write_only(properties.get(name, {}), definitions, set())
    }


class _QuietSchema(GenerateJsonSchema):
    """Leaves out defaults that JSON has not, such as secrets, without a warning."""

    def emit_warning(self, kind: JsonSchemaWarningKind, detail: str) -> None:
        if kind != "non-serializable-default":
            super().emit_warning(kind, detail)


def _fields(model: type[BaseModel]) -> Iterator[tuple[str, str, FieldInfo]]:
    """Yield attribute, name as it is written, and field."""
    for attribute, field in model.model_fields.items():
        alias = field.validation_alias
        yield attribute, alias if isinstance(alias, str) else attribute, field


def _is_secret(each: Any) -> bool:
    origin = getattr(each, "__origin__", each)
    return isinstance(origin, type) and issubclass(origin, _SECRET_TYPES)


def _types_in(annotation: Any, seen: set[int]) -> Iterator[Any]:
    """Yield a type and all that it is made of, the fields of models too."""
    if id(annotation) in seen:
        return
    seen.add(id(annotation))
    yield annotation
    for part in get_args(annotation):
        yield from _types_in(part, seen)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for field in annotation.model_fields.values():
            yield from _types_in(field.annotation, seen)


def _is_write_only(schema: object, definitions: Mapping[str, Any], seen: set[str]) -> bool:
    """Return whether a schema, or any that it is made of, is of what is only written."""
    match schema:
        case {"writeOnly": True}:
            return True
        case {"$ref": str(reference)} if reference not in seen:
            seen.add(reference)
            inner = definitions.get(reference.rpartition("/")[2])
            return _is_write_only(inner, definitions, seen)
        case dict():
            return any(_is_write_only(each, definitions, seen) for each in schema.values())
        case list():
            return any(_is_write_only(each, definitions, seen) for each in schema)
        case _:
            return False


def _default(schema: Mapping[str, Any]) -> str | None:
    if "default" not in schema:
        return None
    match schema["default"]:
        case None:
            return "none"
        case str() as text:
            return text
        case value:
            return json.dumps(value, ensure_ascii=False)


def _words(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    """Return what a JSON Schema allows, in words."""
    match schema:
        case {"$ref": str(reference)}:
            return _words(definitions.get(reference.rpartition("/")[2], {}), definitions)
        case {"const": value}:
            return str(value)
        case {"enum": [*values]}:
            return f"one of {', '.join(map(str, values))}"
        case {"anyOf": [*variants]} | {"oneOf": [*variants]}:
            return _either([_words(each, definitions) for each in variants])
        case {"type": "array", "items": dict(items)} if items:
            return f"list, each {_words(items, definitions)}"
        case {"type": "object", "additionalProperties": dict(values)} if values:
            return f"table, each {_words(values, definitions)}"
        case {"type": "string", "format": str(form)} if form in _FORMATS:
            return _FORMATS[form]
        case {"type": str(name)} if name in _TYPES:
            return f"{_TYPES[name]}{_bounds(schema)}"
        case _:
            return "any value"


def _either(words: Sequence[str]) -> str:
    return " or ".join(dict.fromkeys(words))


def _bounds(schema: Mapping[str, Any]) -> str:
    parts = [
        f" {word} {schema[key]:g}"
        for key, word in (
            ("minimum", "from"),
            ("exclusiveMinimum", "above"),
            ("maximum", "to"),
            ("exclusiveMaximum", "below"),
        )
        if key in schema
    ]
    return "".join(parts)


def _documented(model: type[BaseModel]) -> dict[str, str]:
    """Return what the docstrings of a model and of those it is made from say of its fields."""
    found: dict[str, str] = {}
    for each in reversed(model.__mro__):
        if issubclass(each, BaseModel) and each is not BaseModel:
            found |= _arguments(inspect.cleandoc(each.__dict__.get("__doc__") or ""))
    return found


def _arguments(docstring: str) -> dict[str, str]:
    """Return the entries of a docstring's section ``Args`` or ``Attributes`` (Google style)."""
    found: dict[str, str] = {}
    within, name, indent = False, "", ""
    for line in docstring.splitlines():
        if line.strip() and not line.startswith(" "):
            within = line.strip() in {"Args:", "Attributes:"}
            indent = ""
        elif within and (entry := _ENTRY.match(line)) and entry["indent"] == (indent or entry[1]):
            name, indent = entry["name"], entry["indent"]
            found[name] = entry["text"]
        elif within and name and line.strip():
            found[name] = f"{found[name]} {line.strip()}".strip()
    return found


def _plain(text: str) -> str:
    return " ".join(text.replace("``", "`").split())
