"""Settings that are tables, in the environment: whole as JSON, or option by option.

``TESTAMUR_SOURCE_OPTIONS='{"url": "…"}'`` gives a whole table, and
``TESTAMUR_SOURCE_OPTIONS__CLIENT_SECRET=…`` one option, as text; it goes before the table.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from pydantic_settings import EnvSettingsSource

from testamur.domain.errors import InvalidInput, InvalidOptions

#: Setting with options -> the setting that chooses the plugin that they are for.
OPTION_TABLES: Final[Mapping[str, str]] = {
    "source_options": "source",
    "storage_options": "storage",
    "notifier_options": "notifier",
}

#: All settings that are tables, those with signing keys too.
TABLES: Final = (*OPTION_TABLES, "signing_keys")

PREFIX: Final = "TESTAMUR_"

#: Shown instead of a secret.
HIDDEN: Final = "(hidden)"

_SEPARATOR: Final = "__"


class Environment(EnvSettingsSource):
    """Settings in the environment, tables too."""

    def __call__(self) -> dict[str, Any]:
        """Return them by name.

        Raises:
            InvalidOptions: A table is none; every one is named.
        """
        return super().__call__() | tables_in(variables(self.env_vars))


def variables(environment: Mapping[str, str | None]) -> dict[str, str]:
    """Return the variables of Testamur, by their name in lower case and without its prefix."""
    return {
        name.upper().removeprefix(PREFIX).lower(): value
        for name, value in environment.items()
        if name.upper().startswith(PREFIX) and value is not None
    }


def setting_of(variable: str) -> str:
    """Return the setting that a variable belongs to, which may be one that there is not.

    Args:
        variable: Its name as :func:`variables` gives it.
    """
    table, *path = variable.split(_SEPARATOR)
    return table if table in TABLES and all(path) else variable


def tables_in(found: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return the tables.

    Args:
        found: Variables as :func:`variables` gives them.

    Raises:
        InvalidOptions: A table is none, or an option is given as a value and as a table.
    """
    tables: dict[str, dict[str, Any]] = {}
    problems: list[InvalidInput] = []
    for variable in sorted(found):  # a table before its options
        table, *path = variable.split(_SEPARATOR)
        if setting_of(variable) not in TABLES:
            continue
        try:
            if path:
                tables[table] = over(_nested(path, found[variable]), tables.get(table, {}))
            else:
                tables[table] = _parsed(found[variable])
        except ValueError as error:
            problems.append(InvalidInput(PREFIX + variable.upper(), HIDDEN, str(error)))
    if problems:
        raise InvalidOptions("settings", problems)
    return tables


def over(above: Mapping[str, Any], below: Mapping[str, Any]) -> dict[str, Any]:
    """Merge two tables: what is above goes before what is below, option by option."""
    merged = dict(below)
    for name, value in above.items():
        beneath = below.get(name)
        if isinstance(value, Mapping) and isinstance(beneath, Mapping):
            merged[name] = over(value, beneath)
        else:
            merged[name] = value
    return merged


def _nested(path: list[str], value: str) -> dict[str, Any]:
    name, *inner = path
    return {name: _nested(inner, value) if inner else value}


def _parsed(text: str) -> dict[str, Any]:
    try:
        table = json.loads(text)
    except ValueError as error:
        raise ValueError(f'a JSON object such as {{"name": "value"}} ({error})') from None
    if not isinstance(table, dict):
        raise ValueError('a JSON object such as {"name": "value"}')
    return table
