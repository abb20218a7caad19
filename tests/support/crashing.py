"""A process that issues, revokes or reissues and is killed on the way, at a chosen point."""

import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from testamur.adapters.event_store.sqlite import SqliteDatabase
from testamur.application.ports.event_store import Attribution, NewEvents
from testamur.application.ports.register import CredentialFilter
from testamur.entrypoints.library import Testamur
from testamur.entrypoints.settings import Settings
from tests.support.forking import PROCESSES

#: Longest time that one process may take; it is killed then, and the test fails.
PROCESS_SECONDS: Final = 120.0


@dataclass
class Trace:
    """What a process did that the outside can see, in order, and where it is to be killed.

    Args:
        kill_at: Number of the point at which the process kills itself; None: never.
    """

    kill_at: int | None = None
    points: list[tuple[str, str]] = field(default_factory=list)

    def point(self, action: str, subject: str) -> None:
        """Note an action, and die at it if it is the one."""
        self.points.append((action, subject))
        if len(self.points) == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)


def watch(trace: Trace) -> None:
    """Note every step by which files become durable, once it is done.

    What happens between two steps is lost with the process, so dying after each is dying anywhere.
    """

    def watched(function: Callable[..., Any], name: str) -> Callable[..., Any]:
        def noting(*arguments: Any, **options: Any) -> Any:
            result = function(*arguments, **options)
            trace.point(name, _path_of(arguments[-1]))
            return result

        return noting

    for name in ("fsync", "replace", "rename", "link"):
        setattr(os, name, watched(getattr(os, name), name))


def watch_appends(trace: Trace, events: Any) -> None:
    """Note every append to an event store, once it is committed."""
    append = events.append

    def noting(batch: Sequence[NewEvents], attribution: Attribution) -> None:
        names = ",".join(sorted({type(each).__name__ for new in batch for each in new.events}))
        append(batch, attribution)
        trace.point("append", names)

    type(events).append = lambda self, batch, attribution: noting(batch, attribution)


def issue(testamur: Testamur) -> None:
    """Start the run that was asked for, or pick up what is left of it."""
    ((configuration, _),) = testamur.configurations()
    if testamur.runs(configuration):
        testamur.tick()
    else:
        testamur.run(configuration)


def revoke(testamur: Testamur) -> None:
    """Revoke whatever the first run awarded and still holds, and finish what was interrupted."""
    run = testamur.runs()[-1].run_id
    count = testamur.revocable_of_run(run).count
    if count:
        testamur.revoke_run(run, "the wrong template", expect=count)
    testamur.tick()


def reissue(testamur: Testamur) -> None:
    """Reissue whatever looks otherwise now than when it was issued, and do what else is due."""
    everything = CredentialFilter(type_slug="completion")
    count = testamur.reissuable(everything).count
    if count:
        testamur.reissue_many(everything, "a typo in the template", expect=count)
    testamur.tick()


def work(
    settings: Settings,
    kill_at: int | None,
    report: Connection,
    do: Callable[[Testamur], None] = issue,
) -> None:
    """Do something in this process."""
    trace = Trace(kill_at)
    original = SqliteDatabase.open

    def opened(*arguments: Any, **options: Any) -> SqliteDatabase:
        database = original(*arguments, **options)
        watch_appends(trace, database.events)
        return database

    SqliteDatabase.open = opened  # type: ignore[method-assign]
    watch(trace)
    with Testamur.open(settings, actor="user:registrar") as testamur:
        do(testamur)
    report.send(trace.points)


def work_in_a_process(
    settings: Settings,
    *,
    kill_at: int | None = None,
    kill_after_seconds: float | None = None,
    do: Callable[[Testamur], None] = issue,
) -> list[tuple[str, str]] | None:
    """Work in a process of its own; return what it did, or None if it was killed.

    Args:
        settings: Of the installation.
        kill_at: Number of the point at which it kills itself.
        kill_after_seconds: After how long it is killed from outside.
        do: What it does: :func:`issue` or :func:`revoke`.
    """
    receiver, sender = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=work, args=(settings, kill_at, sender, do))
    process.start()
    sender.close()
    try:
        patience = PROCESS_SECONDS if kill_after_seconds is None else kill_after_seconds
        if not receiver.poll(patience):
            process.kill()
            if kill_after_seconds is None:
                raise TimeoutError(f"the process was not done after {PROCESS_SECONDS} s")
            return None
        points: list[tuple[str, str]] = receiver.recv()
        return points
    except EOFError:  # it ended without a word
        process.join(PROCESS_SECONDS)
        if process.exitcode != -signal.SIGKILL:
            raise RuntimeError(f"the process ended with {process.exitcode}") from None
        return None
    finally:
        process.join(PROCESS_SECONDS)
        receiver.close()
        process.close()


def _path_of(subject: object) -> str:
    if isinstance(subject, int):
        return str(Path(f"/proc/self/fd/{subject}").readlink())
    return str(subject)
