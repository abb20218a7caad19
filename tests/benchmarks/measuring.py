"""Measuring: time, memory, and ratios printed in one form."""

import re
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_STATUS: Final = Path("/proc/self/status")


@dataclass
class Stopwatch:
    """Seconds that passed, wall clock and CPU of this process."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0


@contextmanager
def stopwatch() -> Iterator[Stopwatch]:
    """Time what is done in the context."""
    watch = Stopwatch()
    begun, begun_cpu = time.perf_counter(), time.process_time()
    yield watch
    watch.seconds = time.perf_counter() - begun
    watch.cpu_seconds = time.process_time() - begun_cpu


def peak_memory_mib() -> float:
    """Return the most memory that this process has held so far, in MiB."""
    if _STATUS.exists():
        # In a process that another one started, Linux's getrusage counts that one's memory too.
        (peak,) = re.findall(r"^VmHWM:\s+(\d+) kB$", _STATUS.read_text(), re.MULTILINE)
        return int(peak) / 1024
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return held / (1024 * 1024 if sys.platform == "darwin" else 1024)


def report(what: str, figure: str, *, ratio: str = "") -> None:
    """Print one measured figure, with its ratio to the floor or peer of the same run."""
    print(f"{what:<58} {figure:>16}  {ratio}".rstrip(), flush=True)
