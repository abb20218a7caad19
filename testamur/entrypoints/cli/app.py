"""The program `testamur`: its commands, put together, and what every one of them goes through."""

import atexit
import sys
import traceback
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final

import typer
import typer.main
from typer.core import TyperGroup

from testamur.domain.errors import TestamurError
from testamur.entrypoints.cli import (
    assets,
    awards,
    checks,
    configurations,
    credential_types,
    credentials,
    database,
    deliveries,
    downloads,
    eligibility,
    health,
    history,
    imports,
    keys,
    learners,
    plugins,
    preview,
    projections,
    proofs,
    reconcile,
    reissues,
    revocations,
    runs,
    ticks,
    workers,
)
from testamur.entrypoints.cli.errors import FAILED, INTERRUPTED, exit_code_of, told
from testamur.entrypoints.cli.invocation import Invocation, invocation_of, show_help_unless_asked
from testamur.entrypoints.cli.output import warn
from testamur.entrypoints.collecting import spare_what_is_loaded


class InOrder(TyperGroup):
    """Lists commands as one needs them: set up, issue, look up, look after."""

    def list_commands(self, ctx: object) -> list[str]:
        """Return the names of all commands."""
        return [name for name in ORDER if name in self.commands]


ORDER: Final = (
    "type",
    "asset",
    "configuration",
    "preview",
    "run",
    "tick",
    "worker",
    "scheduler",
    "eligibility",
    "credential",
    "reconcile",
    "correction",
    "delivery",
    "history",
    "learner",
    "keys",
    "audit",
    "settings",
    "database",
    "projections",
    "plugins",
    "source",
    "doctor",
    "health",
)

app = typer.Typer(
    name="testamur",
    cls=InOrder,
    invoke_without_command=True,
    # Plain help: Rich's own takes longer to load than all the rest of the program.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(credential_types.app, name="type")
app.add_typer(assets.app, name="asset")
app.add_typer(configurations.app, name="configuration")
app.command("preview")(preview.preview)
app.add_typer(runs.app, name="run")
app.command("tick")(ticks.tick)
app.command("worker")(workers.worker)
app.command("scheduler")(workers.scheduler)
app.command("eligibility")(eligibility.eligibility)
credentials.app.command("download")(downloads.download)
credentials.app.command("award")(awards.award)
credentials.app.command("find")(awards.find)
credentials.app.command("import")(imports.import_)
credentials.app.command("revoke")(revocations.revoke)
credentials.app.command("revoke-many")(revocations.revoke_many)
credentials.app.command("reissue")(reissues.reissue)
credentials.app.command("reissue-many")(reissues.reissue_many)
runs.app.command("revoke")(revocations.revoke_run)
app.add_typer(credentials.app, name="credential")
app.command("reconcile")(reconcile.reconcile)
app.add_typer(reconcile.app, name="correction")
app.add_typer(deliveries.app, name="delivery")
app.add_typer(history.app, name="history")
learners.app.command("wallet")(downloads.wallet)
app.add_typer(learners.app, name="learner")
app.add_typer(keys.app, name="keys")
app.add_typer(proofs.app, name="audit")  # with what `cli.audit` put on it
app.command("settings")(checks.settings)
app.add_typer(database.app, name="database")
app.add_typer(projections.app, name="projections")
app.command("plugins")(plugins.plugins)
app.command("doctor")(checks.doctor)
app.command("health")(health.health)
app.add_typer(checks.source_app, name="source")


def _show_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"testamur {version('testamur')}")
        raise typer.Exit


@app.callback()
def _before_every_command(  # pyright: ignore[reportUnusedFunction]
    called: typer.Context,
    settings: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Settings file (TOML). By default the one that TESTAMUR_SETTINGS names, else "
            "testamur.toml in the working directory.",
            show_default=False,
        ),
    ] = None,
    actor: Annotated[
        str | None,
        typer.Option(
            metavar="KIND:NAME",
            help="In whose name things are done. By default cli: and your login name.",
            show_default=False,
        ),
    ] = None,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show errors with their traceback.")
    ] = False,
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Show the version and leave.", is_eager=True, callback=_show_version
        ),
    ] = False,
) -> None:
    """Issue learning credentials, and look up what was issued, to whom and why.

    Define a credential type, add the assets that it names, configure it for a course, and run it.
    """
    invocation = invocation_of(called)
    invocation.settings_file, invocation.actor, invocation.debug = settings, actor, debug
    show_help_unless_asked(called)


def program() -> int:
    """Run the program in a process that is its own, and return its exit code, as :func:`main`."""
    # At its end Python would look for garbage among all that was loaded.
    atexit.register(spare_what_is_loaded)
    return main()


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out a command in this process, and return the program's exit code.

    Args:
        arguments: Without the program's name; by default those of the process.

    Returns:
        0; 1 where the operation failed; 2 where what the user gave is not allowed; 3 where a run
        needs approval; 130 where Ctrl-C ended it.
    """
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="backslashreplace")
    invocation = Invocation()
    try:
        # Typer returns the code of typer.Exit, and 130 after Ctrl-C; else what the command returns.
        done = _command()(arguments, prog_name="testamur", standalone_mode=False, obj=invocation)
        code = done or 0
    except typer.TyperException as error:
        return _usage_error(error)
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except TestamurError as error:
        _trace(invocation)
        warn(*told(error))
        return exit_code_of(error)
    except Exception as error:  # noqa: BLE001 - the last resort: it says that this is a bug
        _trace(invocation)
        hint = "" if invocation.debug else "; --debug shows where"
        warn(f"error: this is a bug in Testamur: {type(error).__name__}: {error}{hint}")
        return FAILED
    if code == INTERRUPTED:
        warn("interrupted; work that was begun is picked up by the next `testamur tick`")
    return int(code)


@cache
def _command() -> Any:
    # Put together once: a process may call main() often.
    return typer.main.get_command(app)


def _usage_error(error: typer.TyperException) -> int:
    message = error.format_message()
    called: typer.Context | None = getattr(error, "ctx", None)
    hint = f"; see `{called.command_path} --help`" if called else ""
    warn(f"error: {message[:1].lower()}{message[1:].rstrip('.')}{hint}")
    return error.exit_code


def _trace(invocation: Invocation) -> None:
    if invocation.debug:
        traceback.print_exc()
