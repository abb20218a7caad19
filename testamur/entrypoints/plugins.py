"""Plugins: found by name or by path, and loaded when they are used.

Those that come with Testamur stand in a table here; others are declared by the entry points of
their packages. Listing names imports none of them, and one that is broken is in nobody's way.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from importlib import import_module
from importlib.metadata import entry_points, version
from typing import Any, Final

from pydantic import BaseModel

from testamur.domain.errors import InvalidInput, TestamurError

OWN: Final = "testamur"
"""The distribution of the plugins that come with Testamur."""

ALLOWED_PATH: Final = "a path such as package.module:Name"


class Group(StrEnum):
    """What a plugin is for. The value is the group of its entry point."""

    RETRIEVAL = "testamur.retrieval"
    RENDERING = "testamur.rendering"
    STORAGE = "testamur.storage"
    NOTIFICATION = "testamur.notification"

    @property
    def purpose(self) -> str:
        """The last part of the group's name, e.g. ``retrieval``."""
        return self.value.rpartition(".")[2]


#: Group and name -> where the plugin is, as ``module:attribute``.
BUILT_IN: Final[Mapping[Group, Mapping[str, str]]] = {
    Group.RETRIEVAL: {
        "files": "testamur.adapters.files.plugin:FilesSource",
        "open-edx": "testamur.adapters.open_edx.source:OpenEdxSource",
        "open-edx-python": "testamur.adapters.open_edx_python.source:OpenEdxPythonSource",
    },
    Group.RENDERING: {"pdf": "testamur.adapters.pdf.renderer:PdfRenderer"},
    Group.STORAGE: {
        "local": "testamur.adapters.storage.plugin:LocalStorage",
        "s3": "testamur.adapters.storage.s3.storage:S3Storage",
    },
    Group.NOTIFICATION: {
        "outbox": "testamur.adapters.notification.plugins:Outbox",
        "smtp": "testamur.adapters.notification.plugins:Smtp",
    },
}


@dataclass(frozen=True, slots=True)
class Plugin:
    """A plugin as it is declared; nothing of it is imported.

    Args:
        group: What it is for.
        name: By which it is chosen; the path, where it was given by one.
        location: Where it is, as ``module:attribute``.
        distribution: Whose entry point it is; None where it was given by its path.
        conflict: Why it cannot be used, whatever it is like; empty: nothing stands against it.
    """

    group: Group
    name: str
    location: str
    distribution: str | None
    conflict: str = ""

    @property
    def version(self) -> str | None:
        """The version of its distribution."""
        return None if self.distribution is None else version(self.distribution)

    @property
    def origin(self) -> str:
        """Where it comes from, for people to read: distribution and version."""
        if self.distribution is None:
            return "given by its path"
        return f"{self.distribution} {self.version}"


@dataclass(frozen=True, slots=True)
class LoadedPlugin:
    """A plugin that was imported and is what it should be, as far as can be seen.

    Args:
        plugin: Which.
        make: The class, or whatever else its location names.
        options_model: Model of its options.
    """

    plugin: Plugin
    make: Callable[..., Any]
    options_model: type[BaseModel]


class BrokenPlugin(TestamurError):
    """A plugin is there and cannot be used; mend or uninstall its package, or choose another.

    Args:
        plugin: Which.
        reason: What is wrong with it.
    """

    def __init__(self, plugin: Plugin, reason: str) -> None:
        self.plugin = plugin
        self.reason = reason
        super().__init__(
            f"the plugin {plugin.name} ({plugin.group}, {plugin.origin}) cannot be used: {reason}"
        )


class Plugins:
    """The plugins that there are. What is installed is looked up once, when it is first needed."""

    def all(self, group: Group) -> Sequence[Plugin]:
        """Return the plugins of a group: Testamur's own, then others by name."""
        own = [Plugin(group, name, location, OWN) for name, location in BUILT_IN[group].items()]
        return [*own, *(each for each in self._installed if each.group is group)]

    def names(self, group: Group) -> list[str]:
        """Return the names that can be chosen in a group, those of broken plugins too."""
        return list(dict.fromkeys(each.name for each in self.all(group)))

    def has(self, group: Group, name: str) -> bool:
        """Return whether there is a plugin of a name; of a path, whether it looks like one."""
        return is_path(name) or name in BUILT_IN[group] or name in self.names(group)

    def load(self, group: Group, name: str, field: str) -> LoadedPlugin:
        """Load the plugin of a name or path.

        Args:
            group: What it is for.
            name: Its name, or a path ``package.module:Name``.
            field: What was to name it, for errors.

        Raises:
            InvalidInput: There is none.
            BrokenPlugin: It cannot be used.
        """
        if is_path(name):
            try:
                return load(Plugin(group, name, name, None))
            except _NotThere as missing:
                raise InvalidInput(field, name, f"{ALLOWED_PATH}; {missing.reason}") from missing
        if name in BUILT_IN[group]:
            return load(Plugin(group, name, BUILT_IN[group][name], OWN))
        for plugin in self.all(group):
            if plugin.name == name:
                return load(plugin)
        allowed = ", ".join(self.names(group))
        raise InvalidInput(field, name, f"{allowed}, or {ALLOWED_PATH}")

    @cached_property
    def _installed(self) -> Sequence[Plugin]:
        found = [
            Plugin(group, entry.name, entry.value, entry.dist.name)
            for group in Group
            for entry in entry_points(group=group.value)
            if entry.dist is not None
        ]
        found.sort(key=lambda each: (each.group, each.name, str(each.distribution)))
        declared = Counter((each.group, each.name) for each in found)
        return [
            replace(each, conflict=_conflict(each, found))
            if each.name in BUILT_IN[each.group] or declared[each.group, each.name] > 1
            else each
            for each in found
        ]


def is_path(name: str) -> bool:
    """Return whether a plugin is named by its path."""
    return ":" in name


def load(plugin: Plugin) -> LoadedPlugin:
    """Import a plugin, and see that it is one.

    Raises:
        BrokenPlugin: It cannot be used.
    """
    if plugin.conflict:
        raise BrokenPlugin(plugin, plugin.conflict)
    found = _imported(plugin)
    model = getattr(found, "options_model", None)
    if model is None:
        raise BrokenPlugin(plugin, f"{plugin.location} has no attribute options_model")
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        raise BrokenPlugin(plugin, f"its options_model is no pydantic model, but {model!r:.80}")
    if not callable(found):
        raise BrokenPlugin(plugin, f"{plugin.location} is no class, and cannot be called")
    if plugin.group is Group.RENDERING and not callable(getattr(found, "prepare", None)):
        raise BrokenPlugin(plugin, f"{plugin.location} has no method prepare")
    return LoadedPlugin(plugin, found, model)


class _NotThere(BrokenPlugin):
    """Nothing is where the plugin is said to be."""


def _imported(plugin: Plugin) -> Any:
    module, _, attribute = plugin.location.partition("[")[0].strip().partition(":")
    try:
        found: Any = import_module(module)
    except ModuleNotFoundError as error:
        if error.name and f"{module}.".startswith(f"{error.name}."):
            raise _NotThere(plugin, f"there is no module {error.name}") from error
        raise BrokenPlugin(
            plugin, f"{module} needs a module {error.name} to be imported"
        ) from error
    except (Exception, SystemExit) as error:  # whatever it runs into is an error of the plugin
        raise BrokenPlugin(
            plugin, f"{module} cannot be imported: {type(error).__name__}: {error}"
        ) from error
    if not attribute:
        raise BrokenPlugin(plugin, f"{plugin.location!r} names a module and no class in it")
    for name in attribute.split("."):
        try:
            found = getattr(found, name)
        except AttributeError as error:
            raise _NotThere(plugin, f"{module} has no {attribute}") from error
    return found


def _conflict(plugin: Plugin, installed: Sequence[Plugin]) -> str:
    if plugin.name in BUILT_IN[plugin.group]:
        return f"Testamur itself has a plugin of the name {plugin.name}, which goes before it"
    others = sorted(
        {
            each.origin
            for each in installed
            if (each.group, each.name) == (plugin.group, plugin.name)
            and each.distribution != plugin.distribution
        }
    )
    if not others:
        return "its distribution declares it twice"
    return f"{' and '.join(others)} has a plugin of that name too; uninstall one of them"
