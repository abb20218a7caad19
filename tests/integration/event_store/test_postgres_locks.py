"""Locks that all who use one PostgreSQL database share."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing

import psycopg
import pytest

from testamur.adapters.event_store.postgres.connections import Datastore
from testamur.adapters.event_store.postgres.locks import PostgresLocks
from testamur.application.errors import AlreadyRunning, EventStoreError
from tests.integration.event_store.postgres_processes import hold_until_killed
from tests.support.forking import PROCESSES
from tests.support.postgres_server import PostgresServer

# The contract of all locks, run on the fixture below.
from tests.unit.adapters.test_system import (  # noqa: F401
    test_a_failure_inside_lets_go_and_comes_through,
    test_a_thread_is_kept_out_while_another_holds,
    test_of_many_threads_only_one_holds_at_a_time,
    test_one_can_wait_for_work_to_end,
    test_one_that_waited_in_vain_is_kept_out,
    test_other_work_can_be_held_meanwhile,
    test_work_can_be_held_again_after_its_end,
    test_work_that_is_held_cannot_be_held_again,
)

PATIENCE_SECONDS = 60.0


@pytest.fixture
def url(postgres: PostgresServer) -> str:
    return postgres.fresh_database()


@pytest.fixture
def datastore(url: str) -> Iterator[Datastore]:
    with closing(Datastore(url)) as opened:
        yield opened


@pytest.fixture
def locks(datastore: Datastore) -> PostgresLocks:
    return PostgresLocks(datastore)


def cut_off_all(url: str) -> None:
    """End all connections to a database but this one, as an administrator may."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_who_connects_from_elsewhere_is_kept_out(locks: PostgresLocks, url: str) -> None:
    with (
        closing(Datastore(url)) as elsewhere,
        locks.hold("tick"),
        pytest.raises(AlreadyRunning),
        PostgresLocks(elsewhere).hold("tick"),
    ):
        pass


def test_another_schema_has_locks_of_its_own(locks: PostgresLocks, url: str) -> None:
    with (
        closing(Datastore(url, schema="other")) as other,
        locks.hold("tick"),
        PostgresLocks(other).hold("tick"),
    ):
        pass


@pytest.mark.parametrize("work", ["", "zażółć", "x" * 5000, "\0", "half a pair: \ud800"])
def test_work_may_have_any_name(locks: PostgresLocks, work: str) -> None:
    with locks.hold(work), pytest.raises(AlreadyRunning), locks.hold(work):
        pass


def test_a_lock_goes_with_the_process_that_held_it(locks: PostgresLocks, url: str) -> None:
    held = PROCESSES.Event()
    process = PROCESSES.Process(target=hold_until_killed, args=(url, "tick", held))
    process.start()
    assert held.wait(PATIENCE_SECONDS)
    with pytest.raises(AlreadyRunning), locks.hold("tick"):
        pass
    process.kill()
    process.join(PATIENCE_SECONDS)
    with locks.hold("tick", wait_seconds=PATIENCE_SECONDS):
        pass


def test_a_lock_that_was_lost_is_told_of_at_the_end(locks: PostgresLocks, url: str) -> None:
    done = []

    def work() -> None:
        with locks.hold("tick"):
            cut_off_all(url)
            with locks.hold("tick"):
                done.append("by another")
            done.append("the work")

    with pytest.raises(EventStoreError, match="'tick' was lost while it was held"):
        work()
    assert done == ["by another", "the work"]


def test_a_lock_that_was_lost_does_not_hide_why_the_work_failed(
    locks: PostgresLocks, url: str
) -> None:
    def work() -> None:
        with locks.hold("tick"):
            cut_off_all(url)
            raise LookupError("broken")

    with pytest.raises(LookupError, match="broken") as caught:
        work()
    (note,) = caught.value.__notes__
    assert "'tick' was lost while it was held" in note


def test_a_server_that_cannot_be_reached_is_an_error() -> None:
    locks = PostgresLocks(Datastore("postgresql://ada:secret@127.0.0.1:1/none"))
    with pytest.raises(EventStoreError, match=r"ada@127\.0\.0\.1:1/none failed: connection failed"):
        locks.hold("tick").__enter__()


def test_a_child_does_not_let_go_of_its_parents_lock(locks: PostgresLocks) -> None:
    with ExitStack() as holding:
        holding.enter_context(locks.hold("tick"))
        child = os.fork()
        if not child:
            holding.close()
            os._exit(0)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        with pytest.raises(AlreadyRunning), locks.hold("tick"):
            pass


HOLDING_AND_FORKING = """
import os, sys, time
from testamur.adapters.event_store.postgres.connections import Datastore
from testamur.adapters.event_store.postgres.locks import PostgresLocks

with PostgresLocks(Datastore(sys.argv[1])).hold("tick"):
    if os.fork():
        os._exit(0)
    os.close(1)  # tells that the parent is gone, or will be in a moment
    time.sleep(600)
"""


def test_a_child_does_not_keep_its_parents_lock_alive(locks: PostgresLocks, url: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDING_AND_FORKING, url],
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as parent:
        try:
            assert parent.wait(PATIENCE_SECONDS) == 0
            with locks.hold("tick", wait_seconds=PATIENCE_SECONDS / 4):
                pass
        finally:
            os.killpg(parent.pid, signal.SIGKILL)  # the child
