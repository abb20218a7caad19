"""Databases with something of everything in them, for tests that move or migrate whole ones."""

from datetime import timedelta
from pathlib import Path
from typing import Final

from testamur.adapters.event_store.migrations import Migration
from testamur.adapters.event_store.names import EventNames
from testamur.adapters.event_store.postgres import PostgresDatabase
from testamur.adapters.event_store.postgres import connections as postgres_connections
from testamur.adapters.event_store.postgres import migrations as postgres_migrations
from testamur.adapters.event_store.sqlite import SqliteDatabase
from testamur.adapters.event_store.sqlite import connections as sqlite_connections
from testamur.adapters.event_store.sqlite import migrations as sqlite_migrations
from testamur.application.ports.log import StoredRecord
from testamur.application.ports.register import CredentialFilter, Register
from testamur.domain.credentials import CredentialRevoked, NotificationSent
from testamur.domain.identifiers import LearnerId, asset_id, credential_type_id, run_id
from testamur.domain.run_results import RunCounts
from testamur.domain.runs import RunCompleted
from tests.support.databases import Database
from tests.support.events import (
    CONFIGURATION,
    NOON,
    TYPE,
    a_configuration,
    a_failed_issue,
    a_failed_notification,
    a_run,
    a_type,
    an_asset,
    an_award,
    an_issue,
    awarding,
    by,
    id_of,
    then,
)

LEARNERS: Final = ("ann", "zoë müller", "\u5f20\u4f1f", "erased", "o'neil\t\\ \U0001f600")
"""Ids that are easily spoilt on the way."""


def fill(database: Database, learners: int = 0) -> None:
    """Write events that leave rows in every table, with every value that a column may have.

    Args:
        database: Fresh.
        learners: So many more are awarded, in one batch.
    """
    run = run_id(CONFIGURATION, "manual:1")
    events = database.events
    events.append(then(credential_type_id(TYPE), 0, a_type()), by())
    events.append(then(asset_id(an_asset().slug), 0, an_asset()), by())
    events.append(then(CONFIGURATION, 0, a_configuration()), by())
    events.append(then(run, 0, a_run()), by())
    slot = a_run("2026-06-01", scheduled_for=NOON + timedelta(microseconds=7))
    events.append(then(run_id(CONFIGURATION, slot.slot), 0, slot), by())
    awards = [an_award(learner) for learner in LEARNERS]
    more = [an_award(f"learner-{number}") for number in range(learners)]
    events.append(awarding(*awards, *more), by(correlation_id=run))
    ann, zoe, zhang, _, oneil = map(id_of, awards)
    events.append(then(ann, 1, an_issue(), NotificationSent(message_id="<1@example.org>")), by())
    events.append(then(zoe, 1, an_issue(), a_failed_notification("zoë müller")), by())
    events.append(then(zhang, 1, a_failed_issue("\u5f20\u4f1f")), by())
    events.append(then(oneil, 1, an_issue(), CredentialRevoked(reason="by mistake")), by())
    events.append(then(run, 1, RunCompleted(counts=RunCounts(evaluated=3, awarded=3))), by())
    database.keys.destroy(LearnerId("erased"))
    assert database.keys.destroyed([awards[3].learner_id])


def told(database: Database) -> tuple[list[StoredRecord], list[object]]:
    """Return all that a database answers: the log as it is stored, and the register's rows."""
    register: Register = database.register
    kinds = ("credential-type", "asset", "configuration")
    rows: list[object] = [
        *register.credentials(CredentialFilter(), limit=100_000),
        *register.runs(),
        *(row for kind in kinds for row in register.catalogue(kind)),
        sorted(database.keys.find(map(LearnerId, LEARNERS)).items()),
        sorted(database.keys.destroyed(map(LearnerId, LEARNERS))),
    ]
    return list(database.log.records(0, 100_000)), rows


def first_release_in_file(file: Path) -> SqliteDatabase:
    """Make a file with the schema of the first release, and open it as that release did."""
    sqlite_migrations.prepare(file, 5, first_of(sqlite_migrations.MIGRATIONS))
    return SqliteDatabase(sqlite_connections.Datastore(file, 5), file, EventNames())


def first_release_on_server(url: str) -> PostgresDatabase:
    """Make the schema of the first release on a server, and open it as that release did."""
    datastore = postgres_connections.Datastore(url)
    postgres_migrations.prepare(datastore, first_of(postgres_migrations.MIGRATIONS))
    return PostgresDatabase(datastore, EventNames())


def first_of(migrations: tuple[Migration, ...]) -> tuple[Migration, ...]:
    """Return the migration of the first release alone."""
    assert migrations[0].version == 1
    return migrations[:1]
