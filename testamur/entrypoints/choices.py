"""Which plugins the settings choose, with their options checked before anything is made."""

import json
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from pydantic import BaseModel

from testamur.application.options import validated
from testamur.application.ports.notification import Notifier
from testamur.application.ports.retrieval import RetrievalSource
from testamur.application.ports.storage import ArtifactStorage
from testamur.domain.errors import InvalidInput, InvalidOptions, TestamurError
from testamur.entrypoints.option_descriptions import open_options, option_names
from testamur.entrypoints.option_tables import HIDDEN, OPTION_TABLES
from testamur.entrypoints.own_settings import OwnSetting, own_settings
from testamur.entrypoints.plugins import BrokenPlugin, Group, LoadedPlugin, Plugins
from testamur.entrypoints.settings import Settings

Port = TypeVar("Port")

#: Setting that chooses the plugin -> its group.
_GROUPS: Final[Mapping[str, Group]] = {
    "source": Group.RETRIEVAL,
    "storage": Group.STORAGE,
    "notifier": Group.NOTIFICATION,
}


@dataclass(frozen=True, slots=True)
class Choice(Generic[Port]):
    """A plugin that the settings choose, and its options, which are allowed. Nothing is made yet.

    Args:
        loaded: The plugin.
        options: Its options.
        port: What it is to fill.
    """

    loaded: LoadedPlugin
    options: BaseModel
    port: type[Port]

    @property
    def name(self) -> str:
        """The plugin's name, or its path."""
        return self.loaded.plugin.name

    def made(self, resources: ExitStack) -> Port:
        """Make what fills the port.

        Args:
            resources: Closes it in the end.

        Raises:
            BrokenPlugin: It cannot be made, or does not fill the port.
            TestamurError: What the plugin itself has to say.
        """
        try:
            made = self.loaded.make(self.options)
            if hasattr(made, "__enter__") and hasattr(made, "__exit__"):
                made = resources.enter_context(made)
            elif callable(close := getattr(made, "close", None)):
                resources.callback(close)
        except TestamurError:
            raise
        except Exception as error:
            raise BrokenPlugin(self.loaded.plugin, f"{type(error).__name__}: {error}") from error
        needed = [name for name in vars(self.port) if not name.startswith("_")]
        missing = [name for name in needed if not hasattr(made, name)]
        if missing:
            raise BrokenPlugin(
                self.loaded.plugin,
                f"what it makes is no {self.port.__name__}: it has no {', '.join(missing)}",
            )
        return made  # type: ignore[no-any-return]

    def context_kinds(self, made: object) -> Mapping[str, str]:
        """Return the schemes of context keys that the plugin, or what it made, brings along.

        Raises:
            BrokenPlugin: They are no mapping from text to text.
        """
        try:
            return context_kinds_of(self.loaded.make) or context_kinds_of(made)
        except InvalidInput as error:
            raise BrokenPlugin(self.loaded.plugin, str(error)) from error


def context_kinds_of(source: object) -> Mapping[str, str]:
    """Return the schemes of context keys that a source brings along, each with its kind.

    Raises:
        InvalidInput: They are no mapping from text to text.
    """
    kinds: object = getattr(source, "context_kinds", {})
    if isinstance(kinds, Mapping) and all(
        isinstance(text, str) and text for pair in kinds.items() for text in pair
    ):
        return dict(kinds)
    raise InvalidInput("context_kinds", kinds, 'a mapping such as {"moodle-course": "course"}')


@dataclass(frozen=True, slots=True)
class Choices:
    """The plugins of an installation.

    Args:
        source: None where none is chosen.
        storage: Where documents and assets go.
        notifier: How learners are told.
    """

    source: Choice[RetrievalSource] | None
    storage: Choice[ArtifactStorage]
    notifier: Choice[Notifier]

    @classmethod
    def of(cls, settings: Settings, plugins: Plugins, *, with_source: bool = True) -> "Choices":
        """Load the plugins that the settings choose, and check their options.

        Args:
            settings: The settings.
            plugins: Those that there are.
            with_source: False where the source is given otherwise: it is not looked at.

        Raises:
            InvalidOptions: Names or options are not allowed; every one of them is named.
            BrokenPlugin: A plugin that is chosen cannot be used.
        """
        problems: list[InvalidInput] = []
        chosen: list[Any] = []
        for choose in (source_choice if with_source else _none, storage_choice, notifier_choice):
            try:
                chosen.append(choose(settings, plugins))
            except InvalidOptions as error:
                problems.extend(error.problems)
        if problems:
            raise InvalidOptions("settings", problems)
        return cls(*chosen)


def source_choice(settings: Settings, plugins: Plugins) -> Choice[RetrievalSource] | None:
    """Return the data source that the settings choose, or None where they choose none.

    Raises:
        InvalidOptions: The name or an option is not allowed.
        BrokenPlugin: It cannot be used.
    """
    name = chosen_name(settings, "source")
    if name is None:
        if settings.source_options:
            problem = InvalidInput("source", None, "the plugin that source_options are for")
            raise InvalidOptions("settings", [problem])
        return None
    if name != "files":
        _refuse_beside(settings, "source_folder", "source", "files")
    return _choice(settings, plugins, "source", name, RetrievalSource)


def storage_choice(settings: Settings, plugins: Plugins) -> Choice[ArtifactStorage]:
    """Return the storage that the settings choose.

    Raises:
        InvalidOptions, BrokenPlugin: As :func:`source_choice`.
    """
    if settings.storage != "local":
        _refuse_beside(settings, "storage_folder", "storage", "local")
    return _choice(settings, plugins, "storage", settings.storage, ArtifactStorage)


def notifier_choice(settings: Settings, plugins: Plugins) -> Choice[Notifier]:
    """Return the notifier that the settings choose.

    Raises:
        InvalidOptions, BrokenPlugin: As :func:`source_choice`.
    """
    return _choice(settings, plugins, "notifier", settings.notifier, Notifier)


def chosen_name(settings: Settings, setting: str) -> str | None:
    """Return the name or path of the plugin that a setting chooses.

    Args:
        settings: The settings.
        setting: ``source``, ``storage`` or ``notifier``.
    """
    if setting == "source" and settings.source is None:
        return None if settings.source_folder is None else "files"
    name: str | None = getattr(settings, setting)
    return name


def shown_options(settings: Settings, table: str) -> dict[str, str]:
    """Return the options of a table for people to read; what is secret, or may be, is hidden.

    Args:
        settings: The settings.
        table: Such as ``source_options``.
    """
    given: Mapping[str, Any] = getattr(settings, table)
    setting = OPTION_TABLES[table]
    showable: set[str] = set()
    try:
        if given and (name := chosen_name(settings, setting)) is not None:
            showable = open_options(Plugins().load(_GROUPS[setting], name, setting).options_model)
    except TestamurError:
        showable = set()  # nobody can tell what is secret; the doctor says what is wrong
    return {name: _shown(value) if name in showable else HIDDEN for name, value in given.items()}


def _choice(
    settings: Settings, plugins: Plugins, setting: str, name: str, port: type[Port]
) -> Choice[Port]:
    group = _GROUPS[setting]
    try:
        loaded = plugins.load(group, name, setting)
    except InvalidInput as error:
        raise InvalidOptions("settings", [error]) from None
    table = f"{setting}_options"
    given: Mapping[str, Any] = getattr(settings, table)
    flat = own_settings(settings, group, name)
    problems = [
        InvalidInput(f"{table}.{option}", HIDDEN, f"{each.settings[0]} or this one, not both")
        for option, each in flat.items()
        if option in given and settings.model_fields_set.intersection(each.settings)
    ]
    own = {option: each.value for option, each in flat.items() if each.value is not None}
    try:
        options = validated(loaded.options_model, {**own, **given}, table)
    except InvalidOptions as error:
        problems += [
            _told(problem, table, loaded.options_model, given, flat) for problem in error.problems
        ]
    except Exception as error:
        reason = f"its options_model breaks: {type(error).__name__}: {error}"
        raise BrokenPlugin(loaded.plugin, reason) from error
    if problems:
        raise InvalidOptions("settings", problems)
    return Choice(loaded, options, port)


def _told(
    problem: InvalidInput,
    table: str,
    model: type[BaseModel],
    given: Mapping[str, Any],
    flat: Mapping[str, OwnSetting],
) -> InvalidInput:
    """Return a problem with the name that the user knows, and without secrets."""
    option = problem.field.removeprefix(table).lstrip(".").partition(".")[0]
    if option not in option_names(model):
        allowed = f"no such option; there are: {', '.join(option_names(model))}"
        return InvalidInput(problem.field, HIDDEN, allowed if option else problem.allowed)
    if option not in given:
        its_settings = flat[option].settings if option in flat else ()
        return InvalidInput(next(iter(its_settings), problem.field), None, problem.allowed)
    showable = option in open_options(model)
    return InvalidInput(problem.field, problem.value if showable else HIDDEN, problem.allowed)


def _refuse_beside(settings: Settings, folder: str, setting: str, name: str) -> None:
    value = getattr(settings, folder)
    if value is not None:
        allowed = (
            f'only with {setting} = "{name}"; options of other plugins go in {setting}_options'
        )
        raise InvalidOptions("settings", [InvalidInput(folder, str(value), allowed)])


def _none(settings: Settings, plugins: Plugins) -> None:
    """Choose no data source."""


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
