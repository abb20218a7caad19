"""A stand-in LMS in a process of its own, for measurements."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from examples.stand_in_lms.server import CLIENT_ID, CLIENT_SECRET, COUNTS_PATH

_CHECKOUT = Path(__file__).parents[2]
_SECONDS_TO_STOP = 10


@dataclass(frozen=True, slots=True)
class RunningProcess:
    """A stand-in that runs in another process.

    Args:
        url: Where it is.
        process_id: Of the process.
    """

    url: str
    process_id: int
    client_id: str = CLIENT_ID
    client_secret: str = CLIENT_SECRET

    def requests(self) -> Counter[str]:
        """Ask it how many requests came, by endpoint."""
        with urlopen(f"{self.url}{COUNTS_PATH}") as answer:
            return Counter(json.load(answer))


@contextmanager
def started_as_process(
    learners: int, seed: int = 1, *, faults: dict[str, object] | None = None
) -> Iterator[RunningProcess]:
    """Run a stand-in in a process of its own while the context lasts.

    ``generate(seed, learners)`` gives the same population to whoever wants to compare.

    Args:
        learners: How many learners it has.
        seed: Of its population and of its faults.
        faults: Fields of `Faults` that JSON can tell: all but outages and shifting pages.

    Raises:
        RuntimeError: It did not start.
    """
    command = [sys.executable, "-m", "examples.stand_in_lms", "--learners", str(learners)]
    command += ["--seed", str(seed), "--faults", json.dumps(faults or {})]
    with subprocess.Popen(
        command, cwd=_CHECKOUT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            label, _, url = process.stdout.readline().strip().partition(": ")
            if label != "url":
                raise RuntimeError(f"the stand-in LMS did not start: {' '.join(command)}")
            yield RunningProcess(url, process.pid)
        finally:
            process.terminate()
            process.wait(_SECONDS_TO_STOP)
