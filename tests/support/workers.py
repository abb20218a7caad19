"""Real processes of `testamur worker` and `testamur scheduler`, started and ended by their ids."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from testamur import Settings
from testamur.entrypoints.setting_values import PostgresUrl, RedisUrl
from tests.support.program import command

#: Longest time that anything may take that a test waits for.
PATIENCE_SECONDS: Final = 180.0
_STOP_SECONDS: Final = 60.0


@dataclass
class Program:
    """A program that goes on until it is stopped.

    Args:
        process: Its main process.
        log: File with what it tells.
    """

    process: subprocess.Popen[bytes]
    log: Path

    def stop(self) -> int:
        """Stop it as an operator does, and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(_STOP_SECONDS)

    def kill(self) -> None:
        """Let it die at once, with the processes that it started."""
        for each in [*self.children(), self.process.pid]:
            os.kill(each, signal.SIGKILL)
        self.process.wait(_STOP_SECONDS)

    def told(self) -> str:
        """Return what it told until now."""
        return self.log.read_text(errors="replace")

    def children(self) -> list[int]:
        """Return the ids of the processes that it started."""
        # Those of its first thread, which starts all of them.
        of_process = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(each) for each in of_process.read_text().split()]


@dataclass
class Installation:
    """An installation with a queue, and the programs that work for it.

    Args:
        folder: Where its data and logs lie.
        settings: Its settings.
        environment: Variables for its programs beside those of the settings.
    """

    folder: Path
    settings: Settings
    programs: list[Program] = field(default_factory=list)
    environment: Mapping[str, str] = field(default_factory=dict)

    def start_worker(self, *arguments: str) -> Program:
        """Start `testamur worker`, by default with two processes of two threads."""
        chosen = arguments or ("--processes", "2", "--threads", "2")
        return self._start(command("worker", *chosen))

    def start_scheduler(self) -> Program:
        """Start `testamur scheduler`."""
        return self._start(command("scheduler"))

    def start(self, *arguments: str) -> Program:
        """Start a program of the Python environment, such as ``dramatiq``."""
        return self._start([str(Path(sys.executable).with_name(arguments[0])), *arguments[1:]])

    def until(self, comes_true: Callable[[], bool]) -> None:
        """Wait until something comes true, while all programs go on."""
        until = time.monotonic() + PATIENCE_SECONDS
        while not comes_true():
            if time.monotonic() > until:
                raise TimeoutError(self.told()[-10_000:])
            for each in self.programs:
                if each.process.poll() not in (None, 0, -signal.SIGKILL):
                    raise RuntimeError(self.told()[-10_000:])
            time.sleep(0.02)

    def told(self) -> str:
        """Return what all programs told until now."""
        return "\n".join(each.told() for each in self.programs)

    def _start(self, command_line: list[str]) -> Program:
        log = self.folder / f"program-{len(self.programs)}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                command_line,
                cwd=self.folder,
                env={**os.environ, **variables_of(self.settings), **self.environment},
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        self.programs.append(Program(process, log))
        return self.programs[-1]


@contextmanager
def installed(folder: Path, settings: Settings) -> Iterator[Installation]:
    """Give an installation whose programs are ended with the context.

    Args:
        folder: Where logs go.
        settings: Its settings.
    """
    installation = Installation(folder, settings)
    try:
        yield installation
    finally:
        for each in installation.programs:
            if each.process.poll() is None:
                each.kill()


def variables_of(settings: Settings) -> Mapping[str, str]:
    """Return the environment that says what was set."""
    variables = {}
    for name in settings.model_fields_set:
        value, variable = getattr(settings, name), f"TESTAMUR_{name.upper()}"
        if isinstance(value, dict):
            told = {f"{variable}__{key.upper()}": str(each) for key, each in value.items()}
            variables.update(told)
            continue
        shown = value.reveal() if isinstance(value, PostgresUrl | RedisUrl) else str(value)
        variables[variable] = shown
    return variables
