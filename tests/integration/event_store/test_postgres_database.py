"""Opening a PostgreSQL database, what is refused, and what is kept secret."""

import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from eventsourcing.persistence import OperationalError
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from testamur.adapters.event_store.postgres import PostgresDatabase, connections
from testamur.adapters.event_store.postgres.connections import Datastore
from testamur.application.errors import EventStoreError
from testamur.application.ports.event_store import NewEvents
from testamur.application.ports.register import CredentialFilter
from testamur.domain.identifiers import LearnerId, VerificationId
from tests.support.events import NOON, a_run, an_award, awarding, by, id_of
from tests.support.postgres_server import PostgresServer

PASSWORD = "h0rse-staple"
PATIENCE_SECONDS = 60.0


def refused(url: str) -> str:
    """Return the message that a database is refused with, once it is seen to hide the password."""
    with pytest.raises(EventStoreError) as caught:
        PostgresDatabase.open(url).close()
    chain: list[BaseException] = [caught.value]
    while (further := chain[-1].__cause__ or chain[-1].__context__) is not None:
        chain.append(further)
    for error in chain:
        assert PASSWORD not in f"{error} {error!r}"
    return str(caught.value)


def as_administrator(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)


# What is refused


def test_a_wrong_password_is_refused(own_server: PostgresServer) -> None:
    as_administrator(own_server.url(), "CREATE ROLE ada LOGIN PASSWORD 'right'")
    with psycopg.connect(own_server.url(), autocommit=True) as connection:
        ((rules,),) = connection.execute("SHOW hba_file").fetchall()
        Path(rules).write_text("host all ada 127.0.0.1/32 scram-sha-256\n")
        connection.execute("SELECT pg_reload_conf()")
    port = conninfo_to_dict(own_server.url())["port"]
    message = refused(f"postgresql://ada:{PASSWORD}@127.0.0.1:{port}/postgres")
    assert f"postgresql://ada@127.0.0.1:{port}/postgres failed" in message
    assert 'password authentication failed for user "ada"' in message


def test_a_server_that_is_not_there_is_refused_at_once() -> None:
    message = refused(f"postgresql://ada:{PASSWORD}@127.0.0.1:1/none")
    assert "postgresql://ada@127.0.0.1:1/none failed" in message
    assert "Connection refused" in message


def test_a_database_that_is_not_there_is_refused(postgres: PostgresServer) -> None:
    message = refused(postgres.url("nowhere").replace("postgres@", f"postgres:{PASSWORD}@"))
    assert 'database "nowhere" does not exist' in message


def test_a_server_that_is_too_old_is_refused(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "OLDEST_SERVER", 990000)
    assert "Testamur needs 99 or newer; upgrade the server" in refused(postgres.url())


def test_a_database_that_cannot_hold_every_name_is_refused(postgres: PostgresServer) -> None:
    as_administrator(
        postgres.url(), "CREATE DATABASE western ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C'"
    )
    assert "the database is in LATIN1" in refused(postgres.url("western"))


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://ada:{PASSWORD}@home@127.0.0.1/school",
        f"postgresql://ada:{PASSWORD}/1@127.0.0.1/school",
        f"postgresql://ada:1/{PASSWORD}@127.0.0.1/school",
        f"postgresql://ada:{PASSWORD}%@127.0.0.1/school",
        f"host=127.0.0.1 {PASSWORD}",
        f"postgresql://ada:{PASSWORD}@127.0.0.1:54E2/school",
        f"postgresql://ada@127.0.0.1/school?pasword={PASSWORD}",
    ],
)
def test_an_address_that_cannot_be_read_is_refused_without_showing_it(url: str) -> None:
    assert "it has the form postgresql://USER:PASSWORD@HOST:PORT/DATABASE" in refused(url)


def test_an_address_is_shown_without_secrets() -> None:
    def shown(url: str) -> str:
        return Datastore(url).shown_url

    assert shown(f"postgresql://ada:{PASSWORD}@db.example:5433/school?sslpassword={PASSWORD}") == (
        "postgresql://ada@db.example:5433/school"
    )
    assert shown(f"host=/run/db dbname=school password={PASSWORD}") == (
        "postgresql:///run/db/school"
    )
    assert shown("postgresql://[::1]:5433/school") == "postgresql://[::1]:5433/school"


def test_without_psycopg_the_error_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['psycopg'] = None\n"
        "import testamur, testamur.entrypoints.container, testamur.adapters.event_store.sqlite\n"
        "try:\n"
        "    import testamur.adapters.event_store.postgres\n"
        "except ImportError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert 'pip install "testamur[postgres]"' in done.stdout, done.stderr


# What is there when it is opened


def test_what_was_written_is_there_when_it_is_opened_again(postgres: PostgresServer) -> None:
    url, award = postgres.fresh_database(), an_award()
    with PostgresDatabase.open(url) as database:
        database.events.append(awarding(award), by())
    with PostgresDatabase.open(url) as database:
        assert [each.event for each in database.events.load(id_of(award))] == [award]


def test_schemas_of_one_database_know_nothing_of_each_other(postgres: PostgresServer) -> None:
    url, award = postgres.fresh_database(), an_award()
    with (
        PostgresDatabase.open(url, schema="one") as one,
        PostgresDatabase.open(url, schema='an "odd" one') as odd,
    ):
        one.events.append(awarding(award), by())
        odd.events.append(awarding(award), by())
        assert [each.position for each in odd.events.log()] == [1]
    with PostgresDatabase.open(url, schema="three") as three:
        assert list(three.events.log()) == []


def test_moments_are_in_utc_wherever_the_server_is(postgres: PostgresServer) -> None:
    url = postgres.fresh_database()
    name = conninfo_to_dict(url)["dbname"]
    as_administrator(url, f"ALTER DATABASE {name} SET TimeZone = 'Asia/Kathmandu'")
    with PostgresDatabase.open(url) as database:
        started = a_run(scheduled_for=NOON)
        database.events.append([NewEvents(UUID(int=1), 0, [started])], by())
        (run,) = database.register.runs()
    assert (run.scheduled_for, run.started_at) == (NOON, NOON)
    assert isinstance(run.started_at, datetime)
    assert run.started_at.tzinfo is UTC


def test_what_is_committed_is_made_durable_whatever_the_server_prefers(
    postgres: PostgresServer,
) -> None:
    url = postgres.fresh_database()
    name = conninfo_to_dict(url)["dbname"]
    as_administrator(url, f"ALTER DATABASE {name} SET synchronous_commit = 'off'")
    with closing(Datastore(url)) as datastore:
        assert datastore.select("SHOW synchronous_commit") == [("on",)]


def test_a_closed_database_is_an_error(postgres: PostgresServer) -> None:
    database = PostgresDatabase.open(postgres.fresh_database())
    database.close()
    database.close()
    ways: list[Callable[[], object]] = [
        lambda: database.events.load(UUID(int=1)),
        lambda: database.events.append(awarding(an_award()), by()),
        lambda: database.register.tally(CredentialFilter()),
        lambda: database.keys.obtain([LearnerId("learner-1")]),
    ]
    for way in ways:
        with pytest.raises(EventStoreError, match="is closed"):
            way()


def test_closing_leaves_no_connection(postgres: PostgresServer) -> None:
    url = postgres.fresh_database()
    with PostgresDatabase.open(url) as database:
        database.events.append(awarding(an_award()), by())
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        # The server refuses while anybody is connected.
        connection.execute(
            sql.SQL("DROP DATABASE {}").format(sql.Identifier(str(conninfo_to_dict(url)["dbname"])))
        )


# What goes wrong later


def test_a_failed_write_leaves_nothing_and_the_database_usable(on_server: PostgresDatabase) -> None:
    with on_server._datastore.transaction(commit=True) as cursor:
        cursor.execute("ALTER TABLE credentials RENAME TO elsewhere")
    with pytest.raises(EventStoreError, match='relation "credentials" does not exist'):
        on_server.events.append(awarding(an_award()), by())
    with on_server._datastore.transaction(commit=True) as cursor:
        cursor.execute("ALTER TABLE elsewhere RENAME TO credentials")
    on_server.events.append(awarding(an_award()), by())
    assert [each.position for each in on_server.events.log()] == [1]


def test_an_error_that_was_passed_over_is_not_taken_for_a_commit(
    on_server: PostgresDatabase,
) -> None:
    def write() -> None:
        with (
            on_server._datastore.transaction(commit=True) as cursor,
            pytest.raises(psycopg.errors.DivisionByZero),
        ):
            cursor.execute("SELECT 1 / 0")

    with pytest.raises(OperationalError, match="so it was not committed"):
        write()


def test_what_reads_cannot_write(on_server: PostgresDatabase) -> None:
    def write() -> None:
        with on_server._datastore.transaction(commit=False) as cursor:
            cursor.execute("DELETE FROM stored_events")

    with pytest.raises(Exception, match="in a read-only transaction"):
        write()


@pytest.mark.parametrize("text", ["\ud800", "a\0b"])
def test_text_that_no_database_can_hold_is_an_error(on_server: PostgresDatabase, text: str) -> None:
    with pytest.raises(EventStoreError):
        on_server.register.credential_by_verification_id(VerificationId(text))
    with pytest.raises(EventStoreError):
        on_server.keys.obtain([LearnerId(text)])


def test_nothing_personal_is_readable_in_the_tables(on_server: PostgresDatabase) -> None:
    award = an_award()
    assert award.person is not None
    on_server.events.append(awarding(award), by())
    with psycopg.connect(on_server._datastore._conninfo) as connection:
        for table in ("stored_events", "credentials", "learner_keys"):
            rows = connection.execute(f"TABLE testamur.{table}").fetchall()
            assert rows
            assert str(award.person.full_name) not in str(rows)
            assert str(award.person.email) not in str(rows)


def test_a_destroyed_key_leaves_no_copy_in_the_table(on_server: PostgresDatabase) -> None:
    learners = [LearnerId(f"learner-{number}") for number in range(500)]
    keys = on_server.keys.obtain(learners)
    for learner in (learners[0], learners[250], learners[-1]):
        assert keys[learner] in file_of_keys(on_server)
        on_server.keys.destroy(learner)
        assert keys[learner] not in file_of_keys(on_server)
    assert keys[learners[1]] in file_of_keys(on_server)
    assert on_server.keys.find(learners).keys() == set(learners[1:-1]) - {learners[250]}


def file_of_keys(database: PostgresDatabase) -> bytes:
    """Return what the server's disk holds of the table of keys."""
    datastore = database._datastore
    datastore.run("CHECKPOINT")
    ((folder, file),) = datastore.select(
        "SELECT current_setting('data_directory'), pg_relation_filepath('learner_keys')"
    )
    return Path(folder, file).read_bytes()


# Forking

FORKING = """
import os, sys
from testamur.adapters.event_store.postgres import PostgresDatabase
from tests.support.events import an_award, awarding, by

database = PostgresDatabase.open(sys.argv[1])
database.events.append(awarding(an_award("before")), by())
child = os.fork()
who = "parent" if child else "child"
for number in range(20):
    database.events.append(awarding(an_award(f"{who}-{number}")), by())
database.close()  # nothing of the other's may go with it
if child:
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
"""

FORKING_IN_A_TRANSACTION = """
import os, sys
from testamur.adapters.event_store.postgres.connections import Datastore

datastore = Datastore(sys.argv[1])
datastore.run("CREATE SCHEMA testamur")
datastore.run("CREATE TABLE written (by_whom text)")
with datastore.transaction(commit=True) as cursor:
    cursor.execute("INSERT INTO written VALUES ('parent')")
    child = os.fork()
    if not child:
        datastore.run("INSERT INTO written VALUES ('child')")  # over a connection of its own
        try:
            cursor.execute("INSERT INTO written VALUES ('over the connection of the parent')")
        except Exception:
            os._exit(0)
        os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
assert sorted(datastore.select("TABLE written")) == [("child",), ("parent",)]
datastore.close()
"""


@pytest.mark.parametrize("program", [FORKING, FORKING_IN_A_TRANSACTION])
def test_parent_and_child_of_a_fork_both_go_on(postgres: PostgresServer, program: str) -> None:
    url = postgres.fresh_database()
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, url],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    assert (done.returncode, done.stderr) == (0, "")
    if program == FORKING:
        with PostgresDatabase.open(url) as database:
            assert [each.position for each in database.events.log()] == list(range(1, 42))
