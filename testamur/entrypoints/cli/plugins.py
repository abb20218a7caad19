"""Command that shows plugins: `testamur plugins`."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from testamur.domain.errors import InvalidInput, NotFound
from testamur.entrypoints.cli.errors import FAILED, WrongUsage
from testamur.entrypoints.cli.output import Column, Screen, many, screen, styled, write_json
from testamur.entrypoints.cli.parameters import AsJson

if TYPE_CHECKING:
    from collections.abc import Mapping

    from testamur.entrypoints.cli.output import Cell
    from testamur.entrypoints.option_descriptions import OptionDescription
    from testamur.entrypoints.plugins import LoadedPlugin, Plugin


class Purpose(StrEnum):
    """What a plugin is for, as the command line names it."""

    RETRIEVAL = "retrieval"
    RENDERING = "rendering"
    STORAGE = "storage"
    NOTIFICATION = "notification"


@dataclass(frozen=True, slots=True)
class _Examined:
    """A plugin, and whether it works.

    Args:
        plugin: Which.
        loaded: None where it is broken.
        problem: What is wrong with it, if anything is.
    """

    plugin: "Plugin"
    loaded: "LoadedPlugin | None"
    problem: str = ""


def plugins(
    called: typer.Context,
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]",
            help="Show all of this plugin; with --group, a path package.module:Name does too.",
            show_default=False,
        ),
    ] = None,
    group: Annotated[
        Purpose | None, typer.Option(help="Only plugins for this.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the plugins that there are, or show one of them.

    With where each comes from, whether it works, and its options.
    """
    examined = _examine(called, name, group)
    if as_json:
        write_json([_document(each) for each in examined])
    elif name is None:
        _list(examined)
    else:
        for place, each in enumerate(examined):
            to_show = screen()
            if place:
                to_show.say("")
            _show(each, to_show)
    if name is not None and not all(each.loaded for each in examined):
        raise typer.Exit(FAILED)


def _examine(called: typer.Context, name: str | None, purpose: Purpose | None) -> list[_Examined]:
    from testamur.entrypoints.plugins import Group, Plugins, is_path

    groups = [each for each in Group if purpose is None or each.purpose == purpose]
    if name is not None and is_path(name):
        if purpose is None:
            raise WrongUsage("--group is to say what the path leads to", called)
        return [_examined(groups[0], name)]
    there_are = [each for group in groups for each in Plugins().all(group)]
    found = [each for each in there_are if name in (None, each.name)]
    if name is not None and not found:
        raise NotFound("plugin", name, dict.fromkeys(each.name for each in there_are))
    return [_tried(each) for each in found]


def _examined(group: Any, path: str) -> _Examined:
    """Examine what a path leads to.

    Raises:
        InvalidInput: It leads nowhere.
    """
    from testamur.entrypoints.plugins import BrokenPlugin, Plugins

    try:
        loaded = Plugins().load(group, path, "NAME")
    except BrokenPlugin as broken:
        return _Examined(broken.plugin, None, broken.reason)
    return _Examined(loaded.plugin, loaded)


def _tried(plugin: "Plugin") -> _Examined:
    from testamur.entrypoints.plugins import BrokenPlugin, load

    try:
        return _Examined(plugin, load(plugin))
    except BrokenPlugin as broken:
        return _Examined(plugin, None, broken.reason)


def _list(examined: Sequence[_Examined]) -> None:
    to_show = screen()
    to_show.table(
        [
            Column("plugin"),
            Column("for", rigid=True),
            Column("from"),
            Column("state", rigid=True),
            Column("options", below=True),
        ],
        map(_row, examined),
    )
    broken = sum(not each.loaded for each in examined)
    to_show.say(
        "",
        f"{many(len(examined), 'plugin')}, {broken} of them broken."
        if broken
        else f"{many(len(examined), 'plugin')}.",
        "`testamur plugins NAME` tells all about one.",
    )


def _row(examined: _Examined) -> "list[Cell]":
    plugin = examined.plugin
    about: Cell = (
        ", ".join(each.name for each in _options(examined)) or "none"
        if examined.loaded
        else styled(examined.problem, "red")
    )
    return [plugin.name, plugin.group.purpose, plugin.origin, _state(examined), about]


def _show(examined: _Examined, to_show: Screen) -> None:
    plugin = examined.plugin
    fields: list[tuple[str, Cell]] = [
        ("plugin", plugin.name),
        ("group", plugin.group.value),
        ("from", plugin.origin),
        ("found at", plugin.location),
        ("state", _state(examined)),
    ]
    if examined.problem:
        fields.append(("problem", examined.problem))
    kinds = _context_kinds(examined)
    if kinds:
        keys = ", ".join(f"{scheme}:… (a {kind})" for scheme, kind in kinds.items())
        fields.append(("contexts", keys))
    to_show.fields(fields)
    options = _options(examined)
    if options:
        to_show.say("")
        to_show.table(
            [
                Column("option", rigid=True),
                Column("type"),
                Column("default"),
                Column("meaning", below=True),
            ],
            ((each.name, _type(each), _default(each), each.meaning) for each in options),
        )
    elif examined.loaded:
        to_show.say("", "It has no options.")


def _state(examined: _Examined) -> "Cell":
    return styled("works", "green") if examined.loaded else styled("BROKEN", "bold red")


def _options(examined: _Examined) -> "list[OptionDescription]":
    from testamur.entrypoints.option_descriptions import describe_options

    return describe_options(examined.loaded.options_model) if examined.loaded else []


def _type(option: "OptionDescription") -> str:
    return f"{option.type}, secret" if option.secret else option.type


def _default(option: "OptionDescription") -> str:
    return "required" if option.required else option.default or "-"


def _context_kinds(examined: _Examined) -> "Mapping[str, str]":
    from testamur.entrypoints.choices import context_kinds_of

    if examined.loaded is None:
        return {}
    try:
        return context_kinds_of(examined.loaded.make)
    except InvalidInput:
        return {}


def _document(examined: _Examined) -> dict[str, Any]:
    from testamur.entrypoints.option_descriptions import options_schema

    plugin, loaded = examined.plugin, examined.loaded
    return {
        "name": plugin.name,
        "group": plugin.group.value,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "location": plugin.location,
        "works": loaded is not None,
        "problem": examined.problem or None,
        "context_kinds": _context_kinds(examined),
        "options": _options(examined),
        "options_schema": options_schema(loaded.options_model) if loaded else None,
    }
