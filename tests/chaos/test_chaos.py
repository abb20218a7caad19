"""Proof by force: workers are killed, servers die and misbehave; nothing is lost or done twice."""

import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from testamur import Testamur
from testamur.domain.credentials import CredentialStatus
from testamur.domain.schedules import IntervalRule, Schedule
from tests.chaos.ending import dead_letters, left_in_queue, looked_at
from tests.chaos.forgotten import look_for_traces
from tests.chaos.locks import look_at_locks
from tests.chaos.plan import planned
from tests.chaos.stage import Stage
from tests.chaos.surroundings import opened, set_up, start_programs
from tests.support.installation import configure_completion
from tests.support.open_edx import COURSE_KEY
from tests.support.s3_server import S3Server

pytestmark = [pytest.mark.e2e, pytest.mark.integration]

#: `make chaos` sets these.
ROUNDS: Final = int(os.environ.get("CHAOS_ROUNDS") or 1)
FIRST_SEED: Final = int(os.environ.get("CHAOS_SEED") or 1)

#: How long all may take to come to rest once nothing fails any more.
_REST_SECONDS: Final = 120.0
_QUEUE_SECONDS: Final = 60.0


@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + ROUNDS))
def test_nothing_is_lost_or_done_twice_whatever_fails(
    seed: int, tmp_path: Path, s3: S3Server
) -> None:
    plan = planned(seed)
    told = [f"seed {seed}; again with: make chaos ROUNDS=1 SEED={seed}", *map(str, plan)]
    print("\n".join(told))
    with set_up(tmp_path, s3, seed) as stage, opened(stage) as testamur:
        try:
            _work_while_all_fails(stage, testamur, seed)
        except BaseException as error:
            for line in told:
                error.add_note(line)
            error.add_note(stage.installation.told()[-20_000:])
            raise


def _work_while_all_fails(stage: Stage, testamur: Testamur, seed: int) -> None:
    began = time.monotonic()
    configuration = configure_completion(testamur, COURSE_KEY)
    testamur.change_schedule(configuration, Schedule(rule=IntervalRule(every=timedelta(minutes=1))))
    testamur.enable(configuration)
    start_programs(stage)

    stage.carry_out(planned(seed))
    healed = time.monotonic()

    def is_at_rest() -> bool:
        tally = testamur.tally()
        erased = len(stage.erasures.erased)
        expected = {
            CredentialStatus.ISSUED: len(stage.expected.eligible) - erased,
            CredentialStatus.ERASED: erased,
        }
        return (
            stage.erasures.are_done()
            and {status: count for status, count in tally.by_status.items() if count} == expected
            and not tally.notifications.get("pending")
            and all(run.completed for run in testamur.runs())
        )

    came_to_rest = stage.tend_until(is_at_rest, _REST_SECONDS)
    assert came_to_rest, (
        f"no rest: {testamur.tally()}, {testamur.runs()}, {left_in_queue(stage)}, "
        f"erasures tried again: {stage.erasures.again}"
    )
    rested = time.monotonic()

    testamur.disable(configuration, "the round is over")
    stage.stop_ticks()
    for _ in range(2):  # what the last tick found, and whether another finds anything
        emptied = stage.tend_until(lambda: not left_in_queue(stage), _QUEUE_SECONDS)
        assert emptied, f"left in the queue: {left_in_queue(stage)}"
        testamur.tick()
    emptied_at = time.monotonic()

    ending = looked_at(stage)
    look_at_locks(ending, stage)
    look_for_traces(ending, stage, testamur)
    for worker in stage.workers:
        ending.require_same(f"ends of {worker.name} that nobody asked for", worker.own_ends, [])
        ending.require_same(f"exit code of {worker.name}", worker.program.stop(), 0)
    for scheduler in stage.stopped:
        # One that finds the queue's server away ends; it is started again.
        ending.counts["ends of a scheduler by itself"] += len(scheduler.own_ends)
    counts = ending.counts | stage.met
    lines = [f"{count:6} {name}" for name, count in sorted(counts.items())]
    lines += [f"{count:6} dead letters in {name}" for name, count in dead_letters(stage).items()]
    print("\n".join(lines))
    print(
        f"faults: {healed - began:.1f} s, coming to rest: {rested - healed:.1f} s, emptying the "
        f"queue: {emptied_at - rested:.1f} s, looking: {time.monotonic() - emptied_at:.1f} s"
    )
    for server in ("S3", "SMTP", "the LMS"):
        assert any(count and f"met: {server}" in name for name, count in counts.items()), server
    assert not ending.problems, "\n".join(ending.problems)
