"""The audit trail answers any question as a plain filter over all entries does."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from testamur.adapters.event_store.audit import access, scope, search, trail, writing
from testamur.adapters.event_store.memory import MemoryDatabase
from testamur.adapters.event_store.postgres import PostgresDatabase
from testamur.adapters.event_store.sqlite import SqliteDatabase
from testamur.application import following
from testamur.application.following import Following
from testamur.application.ports.audit import AuditFilter, AuditTrail, Grouping
from testamur.domain.identifiers import LearnerId
from tests.support.databases import Database
from tests.support.events import NOON
from tests.support.postgres_server import PostgresServer
from tests.support.trails_at_random import (
    ACTORS,
    CONTEXTS,
    DAYS,
    LEARNERS,
    a_log,
    configuration_of,
    put_into,
)

LENGTH = 250
GROUPINGS: tuple[Grouping, ...] = ("event", "actor", "configuration", "context", "run", "day")

EVENTS = (
    "credential",
    "credential.awarded",
    "credential.issued.1",
    "credential.revoked",
    "run",
    "run.learners-refused",
    "run.completed.1",
    "configuration",
    "configuration.disabled",
    "credential-type",
    "asset.removed",
    "run.",
)
MOMENTS = st.integers(-24 * 60, (DAYS + 1) * 24 * 60).map(lambda m: NOON + timedelta(minutes=m))


def perhaps(of: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), st.none(), of)


FILTERS = st.builds(
    AuditFilter,
    stream_id=st.one_of(
        *(st.none(),) * 6,
        st.sampled_from([configuration_of(each) for each in CONTEXTS]),
        st.integers(2000, 2000 + LENGTH).map(lambda number: UUID(int=number)),
    ),
    learner_id=st.one_of(*(st.none(),) * 4, st.sampled_from((*LEARNERS, LearnerId("x")))),
    configuration_id=perhaps(st.sampled_from([configuration_of(each) for each in CONTEXTS])),
    context_key=perhaps(st.sampled_from((*CONTEXTS, "course"))),
    actor=perhaps(st.sampled_from(ACTORS)),
    correlation_id=perhaps(
        st.one_of(st.integers(1, 6), st.integers(2000, 2060)).map(lambda number: UUID(int=number))
    ),
    event=perhaps(st.sampled_from(EVENTS)),
    since=perhaps(MOMENTS),
    until=perhaps(MOMENTS),
)


@pytest.fixture(scope="module")
def small_parts() -> Iterator[None]:
    """Let what is meant for millions of events show in hundreds."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (access, scope, trail, writing):
            patch.setattr(module, "BLOCK", 8)
        patch.setattr(scope, "MOST_STRETCHES", 3)
        patch.setattr(search, "FEW_ROWS", 4)
        patch.setattr(search, "_MERGED", (2, 3))
        patch.setattr(search, "_PART", 5)
        patch.setattr(following, "BATCH", 7)
        patch.setattr(writing, "MOST_KEPT", 10)
        patch.setattr(following, "MOST_KEPT", 5)
        yield


@pytest.fixture(scope="module", params=[1, 2, 3])
def trails(
    request: pytest.FixtureRequest,
    small_parts: None,
    postgres: PostgresServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[list[AuditTrail]]:
    """The trail of one log on every kind of database, the plain one first."""
    batches = a_log(request.param, LENGTH)
    file = tmp_path_factory.mktemp("audit") / "testamur.db"
    databases: list[Database] = [
        MemoryDatabase(),
        SqliteDatabase.open(file),
        PostgresDatabase.open(postgres.fresh_database()),
    ]
    with ExitStack() as opened:
        for database in databases:
            opened.callback(database.close)
        for database in databases:
            put_into(database.events, batches)
            followed = Following(database.log, database.audit_rows)
            if request.param == 2:
                followed.rebuild()
            while followed.catch_up(13):
                pass
            assert database.audit_rows.status().position == LENGTH
        yield [database.trail for database in databases]


QUESTIONS = settings(
    deadline=None,
    max_examples=200,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@QUESTIONS
@given(
    where=FILTERS,
    limit=st.integers(1, 20),
    after=st.one_of(st.none(), st.integers(0, LENGTH + 1)),
    newest_first=st.booleans(),
)
def test_pages_are_what_a_plain_filter_finds(
    trails: list[AuditTrail],
    where: AuditFilter,
    limit: int,
    after: int | None,
    newest_first: bool,
) -> None:
    plain, *others = (
        list(each.page(where, limit, after=after, newest_first=newest_first)) for each in trails
    )
    for other in others:
        assert other == plain


@QUESTIONS
@given(where=FILTERS, by=st.sampled_from(GROUPINGS), limit=st.integers(0, 12))
def test_counts_are_what_a_plain_filter_counts(
    trails: list[AuditTrail], where: AuditFilter, by: Grouping, limit: int
) -> None:
    plain, *others = trails
    count = plain.count(where)
    groups = list(plain.grouped(where, by, limit).items())
    for other in others:
        assert other.count(where) == count
        assert list(other.grouped(where, by, limit).items()) == groups


@QUESTIONS
@given(moment=MOMENTS, limit=st.integers(1, 9), after=perhaps(st.sampled_from(LEARNERS)))
def test_quiet_learners_are_those_whom_a_plain_filter_finds(
    trails: list[AuditTrail], moment: datetime, limit: int, after: LearnerId | None
) -> None:
    plain, *others = (list(each.quiet_since(moment, limit, after)) for each in trails)
    for other in others:
        assert other == plain
