"""A run over 1,000,000 learners of whom almost all hold the credential already."""

import json
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from testamur import Testamur
from testamur.adapters.event_store.sqlite import SqliteDatabase
from testamur.application.ports.event_store import Attribution, NewEvents
from testamur.domain.identifiers import Actor, ConfigurationId, LearnerId, credential_id
from tests.benchmarks.measuring import peak_memory_mib, report, stopwatch
from tests.support.events import an_award
from tests.support.installation import configure_completion, settings_in
from tests.support.records import COURSE

SIZES = (10_000, 1_000_000)
NEW = 100
BATCH = 5_000


def main() -> None:
    """Measure and report, each size in a process of its own, for its memory."""
    peaks = []
    for size in SIZES:
        command = [sys.executable, "-m", "tests.benchmarks.bench_million", str(size)]
        answer = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
        found = json.loads(answer)
        peaks.append(found["peak_mib"])
        report(
            f"run over {size:,} learners, {NEW} of them new",
            f"{found['run_seconds']:.2f} s",
            ratio=f"{found['run_seconds'] / found['floor_seconds']:.0f} times the set difference",
        )
        report("plain Python set difference over the same ids", f"{found['floor_seconds']:.3f} s")
        report("peak memory of the run's process", f"{found['peak_mib']:,.0f} MiB")
    report(
        "growth of peak memory from 10,000 to 1,000,000 learners",
        f"{peaks[-1] - peaks[0]:,.0f} MiB",
        ratio=f"{peaks[-1] / peaks[0]:.2f} times",
    )


def measure(size: int) -> dict[str, float]:
    """Prepare so many learners, run, and return what was measured."""
    with tempfile.TemporaryDirectory(prefix="testamur-bench-") as name:
        folder = Path(name)
        _write_tables(folder / "source", size)
        settings = settings_in(folder)
        with Testamur.open(settings) as testamur:
            configuration = configure_completion(testamur)
        _award(settings.database_file, configuration, size - NEW)
        with Testamur.open(settings) as testamur:
            with stopwatch() as run:
                outcome = testamur.run(configuration)
            peak = peak_memory_mib()
        if outcome.counts.already_held != size - NEW or outcome.counts.awarded != NEW:
            raise AssertionError(f"the run did something else: {outcome.counts}")
        all_ids = {_learner_id(number) for number in range(size)}
        held = {_learner_id(number) for number in range(size - NEW)}
        with stopwatch() as floor:
            if len(all_ids - held) != NEW:
                raise AssertionError("the sets are wrong")
        return {
            "run_seconds": run.seconds,
            "floor_seconds": floor.seconds,
            "peak_mib": peak,
        }


def _learner_id(number: int) -> str:
    return f"u{number:07}"


def _write_tables(folder: Path, size: int) -> None:
    folder.mkdir()
    (folder / "courses.csv").write_text(f"course_key,name\n{COURSE},Mathematics\n")
    rows = {
        "learners": ("learner_id,full_name,email", "{0},Learner {0},{0}@example.org"),
        "enrolments": ("learner_id,context_key", f"{{0}},{COURSE}"),
        "completions": ("learner_id,context_key,completion", f"{{0}},{COURSE},1"),
    }
    for table, (header, row) in rows.items():
        with (folder / f"{table}.csv").open("w") as file:
            file.write(header + "\n")
            file.writelines(row.format(_learner_id(number)) + "\n" for number in range(size))


def _award(file: Path, configuration: ConfigurationId, count: int) -> None:
    """Award the credential to so many learners, as earlier runs did."""
    by = Attribution(Actor("user:bench"), datetime(2026, 6, 1, tzinfo=UTC), uuid4())
    with SqliteDatabase.open(file) as database:
        for start in range(0, count, BATCH):
            ids = [_learner_id(number) for number in range(start, min(start + BATCH, count))]
            awards = [an_award(id_, configuration_id=configuration) for id_ in ids]
            batch = [
                NewEvents(credential_id(configuration, LearnerId(award.learner_id)), 0, [award])
                for award in awards
            ]
            database.events.append(batch, by)


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]))))
