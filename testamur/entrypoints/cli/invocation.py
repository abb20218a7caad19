"""One invocation of the command line: the options that go before every command."""

import getpass
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import typer

from testamur.entrypoints.cli.errors import BAD_INPUT
from testamur.entrypoints.collecting import no_collections

if TYPE_CHECKING:
    from testamur.entrypoints.library import Testamur
    from testamur.entrypoints.settings import LoadedSettings


@dataclass(slots=True)
class Invocation:
    """What the user asked for before the command's name.

    Args:
        settings_file: Read instead of the usual one.
        actor: In whose name things are done, as ``kind:name``; None: the login name's.
        debug: Whether errors come with their traceback.
    """

    settings_file: Path | None = None
    actor: str | None = None
    debug: bool = False
    _loaded: "LoadedSettings | None" = None

    def settings(self) -> "LoadedSettings":
        """Read the settings that are in force.

        Raises:
            InvalidInput, InvalidOptions: They cannot be read, or are not allowed.
        """
        from testamur.entrypoints.settings import load_settings

        if self._loaded is None:
            self._loaded = load_settings(self.settings_file)
        return self._loaded

    def open(self, *, new_key_file: Path | None = None) -> "Testamur":
        """Open the installation that the settings describe, in the actor's name.

        Args:
            new_key_file: Goes before the setting ``master_key_next``.

        Raises:
            TestamurError: The settings are not allowed, or the installation cannot be used.
        """
        with no_collections():
            from testamur.entrypoints.library import Testamur

        settings = self.settings().settings
        if new_key_file is not None:
            changed = {"master_key_next": None, "master_key_next_file": new_key_file}
            settings = settings.model_copy(update=changed)
        return Testamur.open(settings, actor=self.actor or default_actor())


def invocation_of(called: typer.Context) -> Invocation:
    """Return the invocation that a command belongs to."""
    return called.ensure_object(Invocation)


def show_help_unless_asked(called: typer.Context) -> None:
    """Show what commands there are, where none of them was asked for."""
    if called.invoked_subcommand is None:
        typer.echo(called.get_help(), err=True)
        raise typer.Exit(BAD_INPUT)


def opened(called: typer.Context) -> "Testamur":
    """Open the installation for a command.

    Raises:
        TestamurError: As `Invocation.open`.
    """
    return invocation_of(called).open()


def time_zone_of(called: typer.Context) -> ZoneInfo:
    """Return the time zone in which a command tells times.

    Raises:
        InvalidInput, InvalidOptions: As `Invocation.settings`.
    """
    return ZoneInfo(invocation_of(called).settings().settings.time_zone)


def default_actor() -> str:
    """Return the actor who stands for the person at the terminal: ``cli:`` and the login name."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError, ImportError):
        # In a container, the user may have no name; on Windows, there is no number either.
        return f"cli:uid-{os.getuid()}" if hasattr(os, "getuid") else "cli:unknown"
