"""Options as a table: one row for each that is set, by the path that `--set` takes."""

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from testamur.entrypoints.cli.output import Column

if TYPE_CHECKING:
    from pydantic import JsonValue

OPTION_COLUMNS: Final = (Column("option"), Column("value"))


def option_rows(options: "Mapping[str, JsonValue]", path: str = "") -> Iterator[tuple[str, str]]:
    """Yield path and value of every option, mappings opened up."""
    for name, value in options.items():
        inner = f"{path}.{_quoted(name)}" if path else _quoted(name)
        if isinstance(value, dict) and value:
            yield from option_rows(value, inner)
        else:
            yield inner, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _quoted(name: str) -> str:
    if not set(name) & set('."=\\ '):
        return name
    return '"{}"'.format(name.replace("\\", "\\\\").replace('"', '\\"'))
