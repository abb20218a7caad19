"""Commands that start what works in the background: `testamur worker` and `testamur scheduler`."""

import os
import sys
from typing import TYPE_CHECKING, Annotated, Final

import typer

from testamur.entrypoints.cli.invocation import invocation_of

if TYPE_CHECKING:
    from testamur.entrypoints.settings import Settings

_ACTORS: Final = "testamur.entrypoints.worker"
_PROGRAMS: Final = "testamur.entrypoints.programs"

#: Says to the programs where metrics are, over what the settings file says.
_METRICS_VARIABLE: Final = "TESTAMUR_METRICS_PORT"

#: Says to Dramatiq how many messages of a queue a process takes before it can work on them.
_PREFETCH_VARIABLE: Final = "dramatiq_queue_prefetch"


def worker(
    called: typer.Context,
    processes: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Processes to start. By default the setting worker_processes.",
            show_default=False,
        ),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Threads in each process. By default the setting worker_threads.",
            show_default=False,
        ),
    ] = None,
    queues: Annotated[
        str | None,
        typer.Option(
            metavar="NAMES",
            help="Only these queues, with commas between them: schedule, runs, issue, notify, "
            "follow.",
            show_default=False,
        ),
    ] = None,
    metrics_port: Annotated[
        int | None,
        typer.Option(
            metavar="PORT",
            min=1,
            max=65535,
            help="Port for metrics and health. By default the setting metrics_port.",
            show_default=False,
        ),
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Tell more.")] = False,
) -> None:
    """Do the work that the queue holds, until stopped.

    This becomes the program `dramatiq`, with the settings that are in force. SIGTERM or Ctrl-C
    stops it: what is being done is finished or goes back to the queue.
    """
    settings = _with_queue(called)
    chosen = threads or settings.worker_threads
    arguments = ["--processes", str(processes or settings.worker_processes),
                 "--threads", str(chosen)]  # fmt: skip
    if queues is not None:
        arguments += ["--queues", *_known_queues(queues)]
    port = metrics_port or settings.metrics_port
    if port is not None:
        _require_free(settings.metrics_host, port)
        os.environ[_METRICS_VARIABLE] = str(port)
    # By default a process takes twice as many as it has threads, and keeps them from the others.
    os.environ.setdefault(_PREFETCH_VARIABLE, str(chosen))
    _become("dramatiq", _ACTORS, *arguments, *(["--verbose"] if verbose else []))


def scheduler(
    called: typer.Context,
    verbose: Annotated[bool, typer.Option("--verbose", help="Tell more.")] = False,
) -> None:
    """Let workers look each minute for what is due.

    It goes on until stopped. This becomes the program `periodiq`, with the settings that are in
    force. Two at once are harmless.
    """
    _with_queue(called)
    _become("periodiq", *(["--verbose"] if verbose else []), _ACTORS)


def _with_queue(called: typer.Context) -> "Settings":
    """Return the settings, and let the program that this becomes read the same ones.

    Raises:
        InvalidInput: They name no queue.
        QueueError: Its server cannot be reached.
    """
    from contextlib import closing

    from testamur.adapters.dramatiq_queue import DramatiqQueue, redis_client
    from testamur.domain.errors import InvalidInput
    from testamur.entrypoints.setting_values import RedisUrl
    from testamur.entrypoints.settings import FILE_VARIABLE

    invocation = invocation_of(called)
    settings = invocation.settings().settings
    if not isinstance(settings.queue, RedisUrl):
        allowed = "redis://HOST:PORT/NUMBER where there are workers"
        raise InvalidInput("queue", settings.queue, allowed)
    with closing(
        DramatiqQueue(redis_client(settings.queue.reveal()), settings.queue_namespace)
    ) as queue:
        queue.check()
    if invocation.settings_file is not None:
        os.environ[FILE_VARIABLE] = str(invocation.settings_file.absolute())
    return settings


def _known_queues(names: str) -> list[str]:
    from testamur.adapters.dramatiq_queue.messages import QUEUES
    from testamur.domain.errors import InvalidInput

    chosen = [name.strip() for name in names.split(",") if name.strip()]
    for name in chosen:
        if name not in QUEUES:
            raise InvalidInput("--queues", name, f"one of {', '.join(QUEUES)}")
    if not chosen:
        raise InvalidInput("--queues", names, f"one or more of {', '.join(QUEUES)}")
    return chosen


def _require_free(host: str, port: int) -> None:
    """See that nobody else listens there: the workers would go on without metrics.

    Raises:
        InvalidInput: Somebody does, or there is no such address here.
    """
    import socket

    from testamur.domain.errors import InvalidInput

    try:
        socket.create_server((host, port)).close()
    except OSError as error:
        allowed = f"an address and a port that are free ({error.strerror})"
        raise InvalidInput("metrics_port", f"{host}:{port}", allowed) from None


def _become(*arguments: str) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, "-m", _PROGRAMS, *arguments])  # noqa: S606 - no shell is meant
