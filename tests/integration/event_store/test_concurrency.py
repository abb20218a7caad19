"""Several threads and processes on one database: nothing double, nothing half, nothing lost."""

import random
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from testamur.adapters.event_store.sqlite import SqliteDatabase
from testamur.application.ports.register import CredentialFilter
from testamur.domain.credentials import CredentialAwarded
from testamur.domain.identifiers import LearnerId
from tests.integration.event_store.processes import (
    BATCH,
    award_each,
    award_each_in_a_process,
    award_until_killed,
    open_and_award,
)
from tests.support.databases import Database
from tests.support.events import an_award, an_issue, awarding, by, id_of, then
from tests.support.forking import PROCESSES

PATIENCE_SECONDS = 60.0
LEARNERS = [f"learner-{number}" for number in range(300)]


def assert_one_credential_each(database: Database, learners: list[str]) -> None:
    logged = [each.recorded.event for each in database.events.log()]
    awarded = [event.learner_id for event in logged if isinstance(event, CredentialAwarded)]
    assert sorted(awarded) == sorted(learners)
    rows = database.register.credentials(CredentialFilter(), len(learners) + 1)
    assert [row.learner_id for row in rows] == awarded
    assert all(event.person is not None for event in logged if isinstance(event, CredentialAwarded))


def test_threads_that_award_the_same_learners_award_each_once(database: Database) -> None:
    threads = 8
    with ThreadPoolExecutor(threads) as pool:
        counts = list(pool.map(lambda seed: award_each(database, LEARNERS, seed), range(threads)))
    assert sum(awarded for awarded, _ in counts) == len(LEARNERS)
    assert sum(conflicts for _, conflicts in counts) == (threads - 1) * len(LEARNERS)
    assert_one_credential_each(database, LEARNERS)


def test_processes_that_award_the_same_learners_award_each_once(file: Path) -> None:
    with PROCESSES.Pool(2) as pool:
        counts = pool.map(award_each_in_a_process, [(file, LEARNERS, 1), (file, LEARNERS, 2)])
    assert sum(awarded for awarded, _ in counts) == len(LEARNERS)
    assert sum(conflicts for _, conflicts in counts) == len(LEARNERS)
    with SqliteDatabase.open(file) as database:
        assert_one_credential_each(database, LEARNERS)


def test_threads_read_whole_batches_while_others_write(database: Database) -> None:
    def write(writer: int) -> None:
        for batch in range(20):
            awards = [an_award(f"learner-{writer}-{batch}-{each}") for each in range(5)]
            database.events.append(awarding(*awards), by())
            database.events.append(
                [new for award in awards for new in then(id_of(award), 1, an_issue())], by()
            )

    def read(_: int) -> None:
        for _ in range(40):
            assert len(list(database.events.log(batch_size=1000))) % 5 == 0
            assert sum(database.register.tally(CredentialFilter()).by_status.values()) % 5 == 0

    with ThreadPoolExecutor(8) as pool:
        for done in [*(pool.submit(write, each) for each in range(3)), pool.submit(read, 0)]:
            done.result()
    assert len(list(database.events.log())) == 3 * 20 * 5 * 2


def test_threads_that_ask_for_the_same_keys_get_the_same(database: Database) -> None:
    learners = [LearnerId(each) for each in LEARNERS]

    def obtain(seed: int) -> dict[LearnerId, bytes]:
        order = random.Random(seed).sample(learners, len(learners))
        return {id_: key for each in order for id_, key in database.keys.obtain([each]).items()}

    with ThreadPoolExecutor(8) as pool:
        first, *others = pool.map(obtain, range(8))
    assert len(set(first.values())) == len(learners)
    assert all(each == first for each in others)


def test_processes_open_a_fresh_file_at_once(tmp_path: Path) -> None:
    number = 6
    files = [tmp_path / f"{attempt}.db" for attempt in range(30)]
    with PROCESSES.Pool(number) as pool:
        for file in files:
            pool.map(open_and_award, [(file, each) for each in range(number)], chunksize=1)
    for file in files:
        with SqliteDatabase.open(file) as database:
            assert len(list(database.events.log())) == number


def test_threads_open_a_fresh_file_at_once(tmp_path: Path) -> None:
    for attempt in range(10):
        file = tmp_path / f"{attempt}.db"
        with ThreadPoolExecutor(8) as pool:
            for database in pool.map(lambda _, path=file: SqliteDatabase.open(path), range(8)):
                database.close()


def test_a_killed_process_leaves_whole_batches_and_a_register_that_agrees(file: Path) -> None:
    moments = random.Random(1)
    for attempt in range(6):
        started = PROCESSES.Event()
        process = PROCESSES.Process(
            target=award_until_killed, args=(file, 1 + attempt * 1_000_000, started)
        )
        process.start()
        assert started.wait(PATIENCE_SECONDS)
        time.sleep(moments.uniform(0, 0.15))
        process.kill()
        process.join(PATIENCE_SECONDS)
        process.close()
    with SqliteDatabase.open(file) as database:
        log = [each.recorded for each in database.events.log()]
        rows = database.register.credentials(CredentialFilter(), len(log) + 1)
        batches = Counter(each.attribution.correlation_id for each in log)
        assert set(batches.values()) == {BATCH}
        assert len(batches) >= 6
        assert [row.credential_id for row in rows] == [each.stream_id for each in log]
        assert [row.run_id for row in rows] == [each.attribution.correlation_id for each in log]


FORKING = """
import os, sys
from testamur.adapters.event_store.sqlite import SqliteDatabase
from tests.support.events import an_award, awarding, by

database = SqliteDatabase.open(sys.argv[1])
database.events.append(awarding(an_award("before")), by())
closed, close = os.pipe()
child = os.fork()
if not child:
    for number in range(20):
        database.events.append(awarding(an_award(f"child-{number}")), by())
    os.read(closed, 1)
    database.events.append(awarding(an_award("child-in-the-end")), by())
    database.close()
    os._exit(0)
for number in range(20):
    database.events.append(awarding(an_award(f"parent-{number}")), by())
database.close()  # nothing of the child's may go with it
os.write(close, b".")
_, status = os.waitpid(child, 0)
assert os.waitstatus_to_exitcode(status) == 0
"""


def run_alone(program: str, file: Path) -> None:
    """Run a program that forks: that is safe only in a process without other threads."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, file],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_parent_and_child_of_a_fork_both_go_on(file: Path) -> None:
    run_alone(FORKING, file)
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    with SqliteDatabase.open(file) as database:
        assert len(database.register.credentials(CredentialFilter(), 100)) == 42


FORKING_WHILE_WRITING = """
import os, sys, threading, time, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads, which is the point
from testamur.adapters.event_store.sqlite import SqliteDatabase
from tests.support.events import an_award, awarding, by

database = SqliteDatabase.open(sys.argv[1])

def write(thread):
    for number in range(100):
        database.events.append(awarding(an_award(f"{thread}-{number}")), by())

threads = [threading.Thread(target=write, args=(each,)) for each in range(3)]
for thread in threads:
    thread.start()
children = []
for number in range(10):
    time.sleep(0.02)
    child = os.fork()
    if not child:
        database.events.append(awarding(an_award(f"child-{number}")), by())
        os._exit(0)
    children.append(child)
for thread in threads:
    thread.join()
for child in children:
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
database.close()
"""


def test_a_fork_waits_for_transactions_and_loses_none(file: Path) -> None:
    run_alone(FORKING_WHILE_WRITING, file)
    with SqliteDatabase.open(file) as database:
        assert len(list(database.events.log())) == 310
        assert len(database.register.credentials(CredentialFilter(), 400)) == 310


FORKED_IN_A_TRANSACTION = """
import os, sys
from testamur.adapters.event_store.sqlite import SqliteDatabase
from testamur.application.errors import EventStoreError
from tests.support.events import an_award, awarding, by

database = SqliteDatabase.open(sys.argv[1], busy_timeout_seconds=0.1)
with database._datastore.transaction(commit=True):
    child = os.fork()
    if not child:
        try:
            database.events.load(__import__("uuid").uuid4())
        except EventStoreError as error:
            os._exit(42 if "in the middle of a transaction" in str(error) else 1)
        os._exit(0)
_, status = os.waitpid(child, 0)
assert os.waitstatus_to_exitcode(status) == 42
database.events.append(awarding(an_award()), by())
database.close()
"""


def test_a_child_that_was_forked_in_a_transaction_is_told(file: Path) -> None:
    run_alone(FORKED_IN_A_TRANSACTION, file)
    with SqliteDatabase.open(file) as database:
        assert len(list(database.events.log())) == 1
