"""Many writers on one PostgreSQL database, and a server that goes away: nothing lost or double."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from uuid import UUID

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from testamur.adapters.event_store.postgres import PostgresDatabase
from testamur.adapters.event_store.postgres.connections import Datastore
from testamur.adapters.event_store.postgres.recorder import WRITING
from testamur.application.errors import ConcurrencyConflict, EventStoreError
from testamur.application.ports.register import CredentialFilter
from testamur.domain.credentials import CredentialAwarded
from testamur.domain.identifiers import LearnerId
from tests.integration.event_store.postgres_processes import award_each_in_threads, open_and_award
from tests.support.cutting_proxy import Cut, CuttingProxy, cutting_proxy
from tests.support.events import an_award, an_issue, awarding, by, id_of, then
from tests.support.forking import PROCESSES
from tests.support.postgres_server import PostgresServer

PATIENCE_SECONDS = 60.0
BATCH = 5


def learners_of(database: PostgresDatabase) -> list[str]:
    logged = [each.recorded.event for each in database.events.log()]
    return [event.learner_id for event in logged if isinstance(event, CredentialAwarded)]


def positions_of(database: PostgresDatabase) -> list[int]:
    return [each.position for each in database.events.log()]


# Many at once


def test_eight_writers_award_nobody_twice_and_a_follower_skips_nothing(
    postgres: PostgresServer,
) -> None:
    url = postgres.fresh_database()
    learners = [f"learner-{number}" for number in range(120)]
    seen: list[tuple[int, str]] = []
    with PostgresDatabase.open(url) as database, PROCESSES.Pool(2) as pool:
        awarding_all = pool.map_async(
            award_each_in_threads,
            [(url, learners, range(1, 5)), (url, learners, range(5, 9))],
        )
        until = time.monotonic() + PATIENCE_SECONDS
        done = False
        while not done and time.monotonic() < until:
            done = awarding_all.ready()  # before reading, so that the last time reads all
            for logged in database.events.log(seen[-1][0] if seen else 0, batch_size=7):
                assert isinstance(logged.recorded.event, CredentialAwarded)
                seen.append((logged.position, logged.recorded.event.learner_id))
        counts = awarding_all.get(PATIENCE_SECONDS)
        rows = database.register.credentials(CredentialFilter(), 1000)
    assert sum(awarded for awarded, _ in counts) == len(learners)
    assert sum(conflicts for _, conflicts in counts) == 7 * len(learners)
    assert [position for position, _ in seen] == list(range(1, len(learners) + 1))
    assert sorted(learner for _, learner in seen) == sorted(learners)
    assert [row.learner_id for row in rows] == [learner for _, learner in seen]


def test_positions_have_no_gaps_whatever_is_refused(on_server: PostgresDatabase) -> None:
    for number in range(5):
        award = an_award(f"learner-{number}")
        on_server.events.append(awarding(award), by())
        with pytest.raises(ConcurrencyConflict):
            on_server.events.append(awarding(an_award(f"new-{number}"), award), by())
    assert positions_of(on_server) == [1, 2, 3, 4, 5]


def test_processes_open_an_empty_database_at_once(postgres: PostgresServer) -> None:
    number = 4
    urls = [postgres.fresh_database() for _ in range(5)]
    with PROCESSES.Pool(number) as pool:
        for url in urls:
            pool.map(open_and_award, [(url, each) for each in range(number)], chunksize=1)
    for url in urls:
        with PostgresDatabase.open(url) as database:
            assert positions_of(database) == [1, 2, 3, 4]


def test_more_threads_than_connections_wait_for_their_turn(postgres: PostgresServer) -> None:
    with (
        PostgresDatabase.open(postgres.fresh_database(), pool_size=2) as database,
        ThreadPoolExecutor(8) as pool,
    ):
        learners = [f"learner-{number}" for number in range(40)]
        list(
            pool.map(lambda each: database.events.append(awarding(an_award(each)), by()), learners)
        )
        assert sorted(learners_of(database)) == sorted(learners)


# Waiting


def test_who_waits_for_a_writer_that_hangs_is_told(postgres: PostgresServer) -> None:
    url = postgres.fresh_database()
    with (
        PostgresDatabase.open(url, lock_timeout_seconds=0.2) as database,
        closing(Datastore(url)) as datastore,
    ):
        with datastore.transaction(commit=True) as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", (datastore.lock_key(WRITING),))
            with pytest.raises(EventStoreError, match=r"held a lock for 0\.2 s"):
                database.events.append(awarding(an_award()), by())
        database.events.append(awarding(an_award()), by())
        assert len(learners_of(database)) == 1


def test_who_waits_for_a_connection_in_vain_is_told(postgres: PostgresServer) -> None:
    datastore = Datastore(postgres.fresh_database(), pool_size=1, lock_timeout_seconds=0.1)
    with (
        closing(datastore),
        datastore.transaction(commit=False),
        pytest.raises(Exception, match=r"all 1 connections have been busy for 0\.1 s"),
    ):
        datastore.select("SELECT 1")


# The server goes away


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_a_server_that_restarts_while_all_write_loses_and_doubles_nothing(
    own_server: PostgresServer, how: str
) -> None:
    enough = threading.Event()

    def write(writer: int) -> list[str]:
        written: list[str] = []
        while not enough.is_set():
            learners = [f"{writer}-{len(written) + each}" for each in range(BATCH)]
            database.events.append(awarding(*map(an_award, learners)), by())
            written += learners
            (row,) = database.register.credentials(
                CredentialFilter(learner_id=LearnerId(learners[-1])), 2
            )
            issues = then(row.credential_id, 1, an_issue())
            database.events.append(issues, by())
        return written

    with (
        PostgresDatabase.open(own_server.url(), pool_size=4) as database,
        ThreadPoolExecutor(4) as pool,
    ):
        writing = [pool.submit(write, writer) for writer in range(4)]
        try:
            for _ in range(3):
                let_them_write(database)
                own_server.stop() if how == "stopped" else own_server.kill()
                time.sleep(0.2)
                own_server.start()
            let_them_write(database)
        finally:
            enough.set()
        written = results(writing)
        logged = list(database.events.log())
        rows = database.register.credentials(CredentialFilter(), len(written) + 1)
    awarded = [
        each.recorded.event.learner_id
        for each in logged
        if isinstance(each.recorded.event, CredentialAwarded)
    ]
    assert sorted(awarded) == sorted(written)
    assert [row.learner_id for row in rows] == awarded
    assert [each.position for each in logged] == list(range(1, len(logged) + 1))
    assert len(logged) == len(written) + len(written) // BATCH


def let_them_write(database: PostgresDatabase) -> None:
    """Wait until more is written than now."""
    before, until = database.log.last_position(), time.monotonic() + PATIENCE_SECONDS
    while database.log.last_position() < before + 4 * BATCH:
        assert time.monotonic() < until
        time.sleep(0.01)


def results(writing: list[Future[list[str]]]) -> list[str]:
    return [learner for each in writing for learner in each.result(PATIENCE_SECONDS)]


@pytest.fixture
def behind_proxy(postgres: PostgresServer) -> Iterator[tuple[PostgresDatabase, CuttingProxy]]:
    """A database that is reached by a network that fails when it is told to."""
    url = postgres.fresh_database()
    port = int(str(conninfo_to_dict(url)["port"]))
    with (
        cutting_proxy(port) as proxy,
        PostgresDatabase.open(url.replace(f":{port}/", f":{proxy.port}/")) as database,
    ):
        yield database, proxy


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_commit_whose_answer_is_lost_happens_once(
    behind_proxy: tuple[PostgresDatabase, CuttingProxy], when: Cut
) -> None:
    database, proxy = behind_proxy
    award = an_award()
    database.events.append(awarding(award), by())
    proxy.cut_at(b"COMMIT\0", when)
    database.events.append([*awarding(an_award("b")), *then(id_of(award), 1, an_issue())], by())
    assert proxy.cuts == 1
    assert learners_of(database) == ["learner-1", "b"]
    assert positions_of(database) == [1, 2, 3]
    assert len(database.register.credentials(CredentialFilter(), 10)) == 2


def test_a_conflict_behind_a_lost_connection_is_a_conflict(
    behind_proxy: tuple[PostgresDatabase, CuttingProxy],
) -> None:
    database, proxy = behind_proxy
    award = an_award()
    database.events.append(awarding(award), by(correlation_id=UUID(int=1)))
    proxy.cut_at(b"pg_advisory_xact_lock", "before")
    with pytest.raises(ConcurrencyConflict):
        database.events.append(awarding(award), by(correlation_id=UUID(int=2)))
    assert proxy.cuts == 1
    assert positions_of(database) == [1]


EVERYBODY = CredentialFilter()
Reading = Callable[[PostgresDatabase], object]


@pytest.mark.parametrize(
    ("words", "reading"),
    [
        (b"stored_events", lambda database: len(database.events.load(id_of(an_award())))),
        (b"learner_keys", lambda database: len(database.keys.find([LearnerId("learner-1")]))),
        (
            b"credentials",
            lambda database: len(database.register.credentials(CredentialFilter(), 9)),
        ),
    ],
)
def test_what_is_read_over_a_connection_that_breaks_is_read_again(
    behind_proxy: tuple[PostgresDatabase, CuttingProxy], words: bytes, reading: Reading
) -> None:
    database, proxy = behind_proxy
    database.events.append(awarding(an_award()), by())
    proxy.cut_at(words, "after")
    assert reading(database) == 1
    assert proxy.cuts == 1


def test_keys_whose_answer_is_lost_are_stored_once(
    behind_proxy: tuple[PostgresDatabase, CuttingProxy],
) -> None:
    database, proxy = behind_proxy
    proxy.cut_at(b"INSERT INTO learner_keys", "after")
    keys = database.keys.obtain([LearnerId("learner-1")])
    assert proxy.cuts == 1
    assert database.keys.find([LearnerId("learner-1")]) == keys


def test_a_server_that_does_not_come_back_is_an_error(own_server: PostgresServer) -> None:
    with PostgresDatabase.open(own_server.url(), reconnect_seconds=0.3) as database:
        own_server.stop()
        with pytest.raises(EventStoreError, match="Connection refused"):
            database.events.append(awarding(an_award()), by())
        own_server.start()
        assert learners_of(database) == []


def test_a_connection_that_was_cut_off_while_idle_is_replaced(postgres: PostgresServer) -> None:
    url = postgres.fresh_database()
    with closing(Datastore(url)) as datastore:
        ((pid,),) = datastore.select("SELECT pg_backend_pid()")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("SELECT pg_terminate_backend(%s, 10000)", (pid,))
        with datastore.transaction(commit=True) as cursor:  # which is not tried again
            ((other,),) = cursor.execute("SELECT pg_backend_pid()").fetchall()
        assert other != pid


def test_a_setting_that_the_server_reloads_disturbs_nobody(postgres: PostgresServer) -> None:
    with closing(Datastore(postgres.fresh_database())) as datastore:
        ((pid,),) = datastore.select("SELECT pg_backend_pid()")
        datastore.run("SELECT pg_reload_conf()")
        assert datastore.select("SELECT pg_backend_pid()") == [(pid,)]
