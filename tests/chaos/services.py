"""Programs that are started again whenever they end, as systemd does it."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Final

from tests.support.workers import Program

#: A program that ended is started again after so long.
_RESTART_SECONDS: Final = 0.5

_STOP_SECONDS: Final = 10.0


@dataclass
class Service:
    """A program that is started again whenever it ends.

    Args:
        name: For people.
        start: Starts it.
        program: It, as it runs now.
        ended_at: When it was seen to have ended, on the monotonic clock.
        was_killed: Whether that is our doing.
        own_ends: Exit codes of ends that are not.
    """

    name: str
    start: Callable[[], Program]
    program: Program
    ended_at: float | None = None
    was_killed: bool = False
    own_ends: list[int] = field(default_factory=list)

    def tend(self) -> None:
        """Start it again, if need be."""
        code = self.program.process.poll()
        if code is None:
            return
        if self.ended_at is None:
            self.ended_at = time.monotonic()
            if not self.was_killed:
                self.own_ends.append(code)
        elif time.monotonic() - self.ended_at > _RESTART_SECONDS:
            self.program, self.ended_at, self.was_killed = self.start(), None, False

    def kill(self, *, dice: Random | None = None) -> None:
        """Kill it with all of its processes; or, with dice, one of these."""
        if self.program.process.poll() is not None:
            return
        self.was_killed = True
        processes = self.program.children() if dice is not None else []
        with suppress(ProcessLookupError):  # it ended by itself in this moment
            if dice is not None and processes:
                os.kill(dice.choice(processes), signal.SIGKILL)
            else:
                self.program.kill()

    def stop(self) -> None:
        """Stop it as an operator does, if it runs."""
        self.tend()
        if self.program.process.poll() is None:
            self.program.process.send_signal(signal.SIGTERM)
            self.program.process.wait(_STOP_SECONDS)
