"""What the user writes down: files that define types, options as JSON, and changes to options."""

import json
import math
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from testamur.domain.errors import InvalidInput, InvalidOptions

if TYPE_CHECKING:
    from pydantic import JsonValue

    from testamur.domain.credential_types import TypeDefinition

DEFAULT_RENDERER: Final = "pdf"

ALLOWED_PATH: Final = (
    "names separated by dots, such as criteria.required_completion; a name with a dot or a = in "
    'it stands in double quotes: criteria.required_grades."Quiz 1.5"'
)

_NAME = re.compile(r'"((?:[^"\\]|\\.)*)"|([^".=]+)')


class UnusableFile(InvalidInput):
    """A file cannot be read, or is not what it should be.

    Args:
        file: The file.
        problem: What is wrong with it.
    """

    def __init__(self, file: Path, problem: str) -> None:
        super().__init__("file", str(file), problem)
        self.args = (f"{file}: {problem}",)


def read_type_definition(file: Path) -> "TypeDefinition":
    """Read the definition of a credential type.

    Args:
        file: TOML or JSON, told by its suffix, with the fields of `TypeDefinition`; ``renderer``
            may be left out.

    Raises:
        InvalidInput: The file cannot be read.
        InvalidOptions: Some fields are not allowed; every one of them is named.
    """
    from testamur.application.options import validated
    from testamur.domain.credential_types import TypeDefinition

    with naming(file):
        found = {"renderer": DEFAULT_RENDERER, **read_document(file)}
        return validated(TypeDefinition, found, "")


def read_document(file: Path) -> "dict[str, JsonValue]":
    """Read a TOML or JSON file that holds a table.

    Raises:
        InvalidInput: The file cannot be read, is neither, or has a value that JSON does not have.
    """
    if file.suffix not in {".toml", ".json"}:
        raise UnusableFile(file, "its name must end in .toml or .json")
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise UnusableFile(file, f"it cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise UnusableFile(file, f"it is not text in UTF-8: {error}") from None
    if file.suffix == ".json":
        try:
            return _parse_json_table(text)
        except ValueError as error:
            raise UnusableFile(file, f"it is not JSON: {error}") from None
    try:
        return _checked(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise UnusableFile(file, f"it is not TOML: {error}") from None


def read_options(text: str, option: str = "--options") -> "dict[str, JsonValue]":
    """Read options given on the command line: as JSON, or in a file.

    Args:
        text: A JSON object, or the path of a TOML or JSON file.
        option: Name of the option in errors.

    Raises:
        InvalidInput: It is neither.
    """
    if text.lstrip().startswith("{"):
        try:
            return _parse_json_table(text)
        except ValueError as error:
            raise InvalidInput(option, text, f"a file, or JSON ({error})") from None
    with naming(Path(text)):
        return read_document(Path(text))


def changed_options(
    options: "Mapping[str, JsonValue]", sets: Iterable[str], unsets: Iterable[str]
) -> "dict[str, JsonValue]":
    """Return options with some of them removed (tables that become empty too), then some set.

    Args:
        options: As they are.
        sets: Each a path, ``=``, and a value: JSON, or text where it is no JSON.
        unsets: Each a path.

    Raises:
        InvalidInput: A path is malformed, leads through a value that is no table, or (to unset)
            leads nowhere.
    """
    changed = json.loads(json.dumps(dict(options)))
    for path in unsets:
        _unset(changed, path)
    for assignment in sets:
        _set(changed, assignment)
    return changed  # type: ignore[no-any-return]


@contextmanager
def naming(file: Path) -> Iterator[None]:
    """Name the file, and the field in it, in errors while the context lasts."""
    try:
        yield
    except InvalidOptions as error:
        raise InvalidOptions(str(file), map(_in_file, error.problems)) from None
    except InvalidInput as error:
        if isinstance(error, UnusableFile):
            raise
        raise InvalidOptions(str(file), [error]) from None


def _in_file(problem: InvalidInput) -> InvalidInput:
    """Return a problem of an option with the field's name as it stands in a file."""
    from testamur.application.options import PARTS

    part, dot, _ = problem.field.partition(".")
    if dot and part in PARTS:
        return InvalidInput(f"options.{problem.field}", problem.value, problem.allowed)
    return problem


def _set(options: dict[str, Any], assignment: str) -> None:
    names, rest = _parse_path(assignment, "--set")
    if not rest.startswith("="):
        raise InvalidInput("--set", assignment, f"PATH=VALUE; PATH: {ALLOWED_PATH}")
    value = _parse_value(rest[1:])
    inner = options
    for depth, name in enumerate(names[:-1], start=1):
        inner = inner.setdefault(name, {})
        if not isinstance(inner, dict):
            raise InvalidInput(
                "--set", assignment, f"a path through tables; {'.'.join(names[:depth])} is none"
            )
    inner[names[-1]] = value


def _unset(options: dict[str, Any], path: str) -> None:
    names, rest = _parse_path(path, "--unset")
    if rest:
        raise InvalidInput("--unset", path, ALLOWED_PATH)
    if not _remove(options, names):
        raise InvalidInput(
            "--unset", path, "the path of an option that the configuration sets itself"
        )


def _remove(table: Any, names: Sequence[str]) -> bool:
    """Remove what a path leads to, and tables that become empty by it; say whether it was there."""
    name, *inner_names = names
    if not isinstance(table, dict) or name not in table:
        return False
    if inner_names:
        if not _remove(table[name], inner_names):
            return False
        if table[name]:
            return True
    del table[name]
    return True


def _parse_path(text: str, option: str) -> tuple[list[str], str]:
    """Return the names of a path, and what follows on it."""
    names: list[str] = []
    rest = text
    while found := _NAME.match(rest):
        quoted, bare = found.groups()
        name = bare.strip() if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        if not name:
            break
        names.append(name)
        rest = rest[found.end() :]
        if not rest.startswith("."):
            return names, rest
        rest = rest[1:]
    raise InvalidInput(option, text, ALLOWED_PATH)


def _parse_value(text: str) -> "JsonValue":
    try:
        return _load_json(text)
    except ValueError:
        return text


def _parse_json_table(text: str) -> "dict[str, JsonValue]":
    found = _load_json(text)
    if not isinstance(found, dict):
        raise ValueError("an object is needed: {…}")
    return found


def _load_json(text: str) -> "JsonValue":
    return json.loads(  # type: ignore[no-any-return]
        text,
        parse_constant=_finite,
        parse_float=_finite,
        object_pairs_hook=_each_name_once,
    )


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no finite number")
    return number


def _each_name_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{name!r} stands there twice")
        found[name] = value
    return found


def _checked(table: dict[str, Any]) -> "dict[str, JsonValue]":
    problems = list(_unsuitable(table, ""))
    if problems:
        raise InvalidOptions("file", problems)
    return table


def _unsuitable(value: Any, path: str) -> Iterator[InvalidInput]:
    """Find what TOML has and JSON does not: dates, times, infinities."""
    match value:
        case dict():
            for name, each in value.items():
                yield from _unsuitable(each, f"{path}.{name}".lstrip("."))
        case list():
            for at, each in enumerate(value):
                yield from _unsuitable(each, f"{path}.{at}")
        case date() | time():
            yield InvalidInput(path, str(value), "a date or time as text, in quotes")
        case float() if not math.isfinite(value):
            yield InvalidInput(path, str(value), "a finite number")
