"""Holders: who held which lock of work, and when, noted by those who held it."""

import json
import os
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final

from testamur.adapters.event_store.postgres.locks import PostgresLocks

#: Names the folder where processes are to note it.
VARIABLE: Final = "CHAOS_HOLDERS"


@dataclass(frozen=True, slots=True, order=True)
class Held:
    """A lock that was held.

    Args:
        began: When, on the clock that all processes of the machine share.
        ended: The same.
        process: Who held it, by the name of its file.
    """

    began: float
    ended: float
    process: str


def note_holders(folder: Path) -> None:
    """Let this process, and those that it forks, note each lock of work that they hold.

    It is noted around the work, once the lock is there and before it is let go: what overlaps here
    did overlap. It survives the death of the process.

    Args:
        folder: Each process has a file of its own there.
    """
    hold = PostgresLocks.hold
    numbers = count(1)
    files: dict[int, Path] = {}

    def note(number: int, work: str) -> None:
        process = os.getpid()
        # Ids of processes come again.
        name = files.setdefault(process, folder / f"{process}-{time.monotonic_ns()}")
        _append(name, json.dumps([number, work, time.monotonic()]) + "\n")

    @contextmanager
    def noted(self: PostgresLocks, work: str, wait_seconds: float = 0) -> Iterator[None]:
        with hold(self, work, wait_seconds):
            number = next(numbers)
            note(number, work)
            try:
                yield
            finally:
                note(number, work)

    PostgresLocks.hold = noted  # type: ignore[method-assign]


def _append(name: Path, line: str) -> None:
    file = os.open(name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, line.encode())
    finally:
        os.close(file)


def held_locks(folder: Path, lost: Iterable[float]) -> dict[str, list[Held]]:
    """Return by whom each lock was held, in order.

    Whoever was killed while it held one is left out: nobody knows until when it worked.

    Args:
        folder: Where it was noted.
        lost: Moments when the database's server went away, and all locks with it. Whoever had one
            is told so in the end, and what it did until then may be done by another.
    """
    moments = sorted(lost)
    found: dict[str, list[Held]] = defaultdict(list)
    for file in folder.iterdir():
        begun: dict[int, float] = {}
        for line in file.read_text().splitlines():
            number, work, at = json.loads(line)
            if number not in begun:
                begun[number] = at
                continue
            began = begun[number]
            ended = min([at, *(moment for moment in moments if moment >= began)])
            found[work].append(Held(began, ended, file.name))
    return {work: sorted(held) for work, held in found.items()}


def begun_works(folder: Path) -> set[str]:
    """Return the names of all locks that were ever held, also by whoever was killed then.

    Args:
        folder: Where it was noted.
    """
    lines = (line for file in folder.iterdir() for line in file.read_text().splitlines())
    return {work for _, work, _ in map(json.loads, lines)}


def overlapping(held: Sequence[Held]) -> list[tuple[Held, Held]]:
    """Return those of one lock who held it while another did.

    Args:
        held: By when they began.
    """
    overlaps = []
    longest: Held | None = None
    for each in held:
        if longest is not None and each.began < longest.ended:
            overlaps.append((longest, each))
        if longest is None or each.ended > longest.ended:
            longest = each
    return overlaps
