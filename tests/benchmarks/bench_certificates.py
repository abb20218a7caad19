"""The whole way, from data files to certificates and mails, against writing the same bytes."""

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from testamur import Settings, Testamur
from tests.benchmarks.measuring import peak_memory_mib, report, stopwatch
from tests.support.installation import configure_completion, settings_in, write_course

CERTIFICATES = 500
FLOORS = 5


def main() -> None:
    """Measure and report."""
    with tempfile.TemporaryDirectory(prefix="testamur-bench-") as name:
        folder = Path(name)
        names = [f"Zoë Żółć {number}" for number in range(CERTIFICATES)]
        write_course(folder / "source", eligible=names)
        settings = settings_in(folder)
        with Testamur.open(settings) as testamur:
            configuration = configure_completion(testamur)
            with stopwatch() as ours:
                testamur.run(configuration)
        # The quickest of several, for a disk that is still busy with what came before is no floor.
        floor = min(_write_the_same(settings, folder / f"floor-{turn}") for turn in range(FLOORS))
    report(
        "floor: the same files written, the same rows inserted", f"{CERTIFICATES / floor:,.0f}/s"
    )
    report(
        "run, award, render, store, tell (wall clock)",
        f"{CERTIFICATES / ours.seconds:,.0f}/s",
        ratio=f"{ours.seconds / floor:,.0f} times the floor's time",
    )
    report("the same in CPU time", f"{1000 * ours.cpu_seconds / CERTIFICATES:.1f} ms each")
    report("peak memory", f"{peak_memory_mib():,.0f} MiB")


def _write_the_same(settings: Settings, folder: Path) -> float:
    files = [
        (path.relative_to(settings.data_folder), path.read_bytes())
        for kind in ("files/credentials", "outbox")
        for path in (settings.data_folder / kind).rglob("*")
        if path.is_file()
    ]
    with closing(sqlite3.connect(settings.database_file)) as source:
        events = source.execute("SELECT * FROM stored_events").fetchall()
    for path, _ in files:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(folder / "floor.db")) as target:
        target.execute("PRAGMA journal_mode = WAL")
        columns = ",".join(f"c{number}" for number in range(len(events[0])))
        target.execute(f"CREATE TABLE events ({columns})")
        with stopwatch() as watch:
            for path, content in files:
                (folder / path).write_bytes(content)
            marks = ",".join("?" * len(events[0]))
            target.executemany(f"INSERT INTO events VALUES ({marks})", events)
            target.commit()
        return watch.seconds
