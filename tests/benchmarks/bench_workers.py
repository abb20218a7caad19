"""The whole stack: workers on Valkey, PostgreSQL, S3 and a mail server, against its floors' sum.

``python -m tests.benchmarks.bench_workers 500`` does it with so many learners. The servers run on
the same machine and take their share of it.
"""

import sys
from dataclasses import dataclass
from typing import Final

from tests.benchmarks.generated_courses import TYPE, course_key, define_type, write_courses
from tests.benchmarks.measuring import report
from tests.benchmarks.stack_floors import Floors, measured_floors
from tests.benchmarks.worked_stack import Servers, bench_folder, started_servers, worked_stack

LEARNERS: Final = 2_000
PROCESSES: Final = (1, 2)
THREADS: Final = 4

#: Issued before anything is measured, so that every process has read its fonts and templates.
WARMING_UP: Final = 200


@dataclass(frozen=True)
class Found:
    """What one measurement found.

    Args:
        seconds: From the tick until the last learner was told.
        first_mail: From the tick until the first learner was told, in seconds.
        mail_of_one: The same for a course with one learner.
        cpu_seconds: Of all worker processes.
        peak_mib: The most memory that one worker process held.
        follow_seconds: Sealing the log, and bringing the audit trail on, afterwards.
        database_bytes: By which the database grew, audit trail and all.
        queue_bytes: The most memory that the queue's server held.
        floors: The same work part by part.
    """

    seconds: float
    first_mail: float
    mail_of_one: float
    cpu_seconds: float
    peak_mib: float
    follow_seconds: float
    database_bytes: int
    queue_bytes: int
    floors: Floors


def main(learners: int = LEARNERS) -> None:
    """Measure and report, with one worker process and with two."""
    with started_servers() as servers:
        found = {processes: _measured(servers, processes, learners) for processes in PROCESSES}
    for processes, each in found.items():
        _report(processes, each, learners)
    one, two = (found[processes] for processes in PROCESSES)
    report("two processes", f"{one.seconds / two.seconds:.2f} times one")


def _measured(servers: Servers, processes: int, learners: int) -> Found:
    courses = {"Warming": WARMING_UP, "Large": learners, "Small": 1}
    with bench_folder() as folder:
        write_courses(folder / "source", courses)
        with worked_stack(servers, folder, processes=processes, threads=THREADS) as stack:
            define_type(stack.testamur)
            ids = {
                course: stack.testamur.create_configuration(TYPE, course_key(course))
                for course in courses
            }
            stack.tick(ids["Warming"], WARMING_UP)
            stack.follow()
            mail_of_one, _ = stack.tick(ids["Small"], 1)
            cpu, size = stack.cpu_seconds(), stack.database_bytes()
            first_mail, seconds = stack.tick(ids["Large"], learners)
            cpu_seconds = stack.cpu_seconds() - cpu
            follow_seconds = stack.follow()
            database_bytes = stack.database_bytes() - size
            peak, queue_bytes = stack.peak_mib(), stack.queue_bytes()
        floors = measured_floors(
            stack.settings,
            ids["Large"],
            servers.storage,
            servers.database.fresh_database(),
            stack.received[-learners:],
        )
    return Found(seconds, first_mail, mail_of_one, cpu_seconds, peak, follow_seconds,
                 database_bytes, queue_bytes, floors)  # fmt: skip


def _report(processes: int, found: Found, learners: int) -> None:
    floors = found.floors
    print(
        f"{processes} worker process{'es' * (processes > 1)} of {THREADS} threads, "
        f"{learners:,} learners:",
        flush=True,
    )
    for what, seconds in (
        ("drawing the same documents, one process", floors.render),
        ("PUT of the same bytes, 8 at once", floors.put),
        ("COPY of the same rows", floors.copy),
        ("sending the same messages, one connection", floors.mail),
        ("one after the other", floors.total),
    ):
        report(f"  floor: {what}", f"{learners / seconds:,.0f}/s")
    report(
        "  tick, run, award, draw, store, tell (wall clock)",
        f"{learners / found.seconds:,.0f}/s",
        ratio=f"{found.seconds / floors.total:.2f} times the floors' time",
    )
    report(
        "  the same in CPU time of the workers",
        f"{1000 * found.cpu_seconds / learners:.1f} ms each",
    )
    report(f"  from the tick to the first of {learners:,} mails", f"{found.first_mail:.2f} s")
    report("  from the tick to the mail of a single learner", f"{found.mail_of_one:.2f} s")
    report("  sealing and the audit trail, afterwards", f"{found.follow_seconds:.2f} s")
    report("  most memory of one worker process", f"{found.peak_mib:,.0f} MiB")
    report("  most memory of the queue's server", f"{found.queue_bytes / 2**20:.1f} MiB")
    report("  of a certificate: its document", f"{floors.document_bytes / 1000:,.0f} kB")
    report(
        "  of a certificate: rows and indexes", f"{found.database_bytes / learners / 1000:.1f} kB"
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
