"""Growth: courses of 1,000 to 100,000 learners. The time for each must not grow, memory stay flat.

In one process with the embedded default, every learner is awarded, and then as many documents are
made, stored and told of at every size, out of all that wait: all of 100,000 would take a quarter of
an hour. Through workers it is the whole way for everybody, and does take that long.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from statistics import median
from typing import Final
from uuid import UUID

from testamur import ConfigurationId, RunCounts, Settings, Step, Testamur
from testamur.application.issuing import Issuing
from testamur.application.notifying import Notifying
from testamur.application.progress import Progress, Unwatched
from testamur.application.requests import Request
from testamur.application.running import Runs
from testamur.domain.identifiers import Actor, RunId
from testamur.entrypoints.collecting import spare_what_is_loaded
from testamur.entrypoints.container import Wiring
from tests.benchmarks.generated_courses import TYPE, course_key, define_type, write_courses
from tests.benchmarks.measuring import Stopwatch, peak_memory_mib, report, stopwatch
from tests.benchmarks.worked_stack import Servers, bench_folder, started_servers, worked_stack

SIZES: Final = (1_000, 10_000, 100_000)
#: How often each is measured: a small course takes a third of a second, and one such says little.
ROUNDS: Final = {1_000: 5, 10_000: 3, 100_000: 1}
SIZES_OF_WORKERS: Final = (1_000, 10_000, 100_000)

#: Documents that are issued at every size.
ISSUED: Final = 1_000

#: Learners of a course that goes before, so that fonts and templates have been read.
WARMING_UP: Final = 100
PROCESSES: Final = 2
THREADS: Final = 4

_COURSE: Final = "Growing"


class Enough(Exception):
    """So many were done; the pass may end."""


class UntilEnough:
    """Progress of a pass that ends after so many.

    Args:
        limit: When.
    """

    def __init__(self, limit: int) -> None:
        self._left = limit

    def expect(self, step: Step, total: int) -> None:
        """Do nothing."""

    def advance(self, step: Step, by: int) -> None:
        """Go on, or not.

        Raises:
            Enough: So many were done.
        """
        self._left -= by
        if self._left <= 0:
            raise Enough


def main(largest: int = SIZES[-1]) -> None:
    """Measure and report, each size in a process of its own, for its memory."""
    sizes = [size for size in SIZES if size <= largest]
    found = {size: _medians([_in_a_process(size) for _ in range(ROUNDS[size])]) for size in sizes}
    print("one process, embedded default:")
    for size, each in found.items():
        _report(size, each, found[sizes[0]])
    print(f"{PROCESSES} worker processes, everybody issued and told:")
    with started_servers() as servers:
        rates = {size: _worked(servers, size) for size in SIZES_OF_WORKERS if size <= largest}
    for size, (seconds, peak) in rates.items():
        first, first_peak = next(iter(rates.values()))
        report(
            f"  {size:,} learners",
            f"{size / seconds:,.0f}/s",
            ratio=f"{1e6 * seconds / size:,.0f} µs each, "
            f"{seconds / size * next(iter(rates)) / first:.2f} times the first",
        )
        report("    most memory of one worker process", f"{peak:,.0f} MiB",
               ratio=f"{peak / first_peak:.2f} times the first")  # fmt: skip


def _report(size: int, found: dict[str, float], first: dict[str, float]) -> None:
    print(f"  {size:,} learners:")
    for what, name in (
        ("read, judge and award", "award"),
        (f"draw and store, {ISSUED:,} of them", "issue"),
        (f"tell, {ISSUED:,} of them", "notify"),
        ("a second run, all hold it", "again"),
    ):
        report(
            f"    {what}",
            f"{found[name]:,.0f} µs each",
            ratio=f"{found[name] / first[name]:.2f} times the first",
        )
    report(
        "    most memory of the process",
        f"{found['peak_mib']:,.0f} MiB",
        ratio=f"{found['peak_mib'] / first['peak_mib']:.2f} times the first",
    )


def _medians(rounds: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: median(each[name] for each in rounds) for name in rounds[0]}


def _in_a_process(size: int) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.benchmarks.bench_growth", str(size)]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    found: dict[str, float] = json.loads(answer)
    return found


def measure(size: int) -> dict[str, float]:
    """Award so many learners, issue some, and return microseconds each, and the peak in MiB."""
    with bench_folder() as folder:
        with Testamur.open(_settings(folder / "warming", WARMING_UP)) as testamur:
            testamur.run(_configured(testamur))
        settings = _settings(folder / "measured", size)
        with Testamur.open(settings) as testamur:
            configuration = _configured(testamur)
        with closing(Wiring.of(settings)) as wiring:
            runs = wiring.resolve(Runs)
            spare_what_is_loaded()  # as the program does
            run_id, award, counts = _carried_out(runs, configuration, 1)
            if counts.awarded != size:
                raise AssertionError(f"the run did something else: {counts}")
            issuing, notifying = wiring.resolve(Issuing), wiring.resolve(Notifying)
            issue = _until_enough(lambda progress: issuing.issue_awaiting(progress, run_id))
            notify = _until_enough(lambda progress: notifying.notify_awaiting(progress, run_id))
            _, again, counts = _carried_out(runs, configuration, 2)
            if counts.already_held != size:
                raise AssertionError(f"the second run did something else: {counts}")
    return {
        "award": 1e6 * award.seconds / size,
        "issue": 1e6 * issue.seconds / ISSUED,
        "notify": 1e6 * notify.seconds / ISSUED,
        "again": 1e6 * again.seconds / size,
        "peak_mib": peak_memory_mib(),
    }


def _settings(folder: Path, size: int) -> Settings:
    source = write_courses(folder / "source", {_COURSE: size})
    return Settings(data_folder=folder / "data", source_folder=source)


def _configured(testamur: Testamur) -> ConfigurationId:
    define_type(testamur)
    return testamur.create_configuration(TYPE, course_key(_COURSE))


def _carried_out(
    runs: Runs, configuration: ConfigurationId, number: int
) -> tuple[RunId, Stopwatch, RunCounts]:
    id_ = runs.start(configuration, Request(Actor("user:bench"), UUID(int=number)))
    with stopwatch() as watch:
        counts = runs.carry_out(id_, Unwatched())
    return id_, watch, counts


def _until_enough(work: Callable[[Progress], object]) -> Stopwatch:
    with stopwatch() as watch, suppress(Enough):
        work(UntilEnough(ISSUED))
    return watch


def _worked(servers: Servers, size: int) -> tuple[float, float]:
    courses = {"Warming": WARMING_UP, _COURSE: size}
    with bench_folder() as folder:
        write_courses(folder / "source", courses)
        with worked_stack(servers, folder, processes=PROCESSES, threads=THREADS) as stack:
            define_type(stack.testamur)
            ids = {
                course: stack.testamur.create_configuration(TYPE, course_key(course))
                for course in courses
            }
            stack.tick(ids["Warming"], WARMING_UP)
            _, seconds = stack.tick(ids[_COURSE], size)
            return seconds, stack.peak_mib()


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]))))
