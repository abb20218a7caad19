"""The contract of the register: runs, and the catalogue of what there is."""

from datetime import datetime
from itertools import count
from uuid import UUID, uuid4

import pytest

from testamur.application.ports.event_store import NewEvents
from testamur.application.ports.register import (
    CatalogueRow,
    RunRow,
)
from testamur.domain.assets import AssetRemoved, AssetReplaced
from testamur.domain.configurations import (
    ConfigurationDisabled,
    ConfigurationEnabled,
    ConfigurationRetired,
)
from testamur.domain.credential_types import CredentialTypeRetired
from testamur.domain.events import DomainEvent
from testamur.domain.identifiers import (
    ConfigurationId,
    RunId,
)
from testamur.domain.run_results import RunCounts
from testamur.domain.runs import (
    RunApproved,
    RunCompleted,
    RunFailed,
    RunNeedsApproval,
    RunRejected,
)
from tests.integration.event_store.awarded import MINUTE
from tests.support.databases import Database
from tests.support.events import (
    CONFIGURATION,
    COURSE,
    NOON,
    OTHER_CONFIGURATION,
    TYPE,
    a_configuration,
    a_content,
    a_run,
    a_type,
    an_asset,
    by,
    then,
)

# Runs


def start(
    database: Database,
    slot: str,
    *,
    at: datetime = NOON,
    configuration: ConfigurationId = CONFIGURATION,
    scheduled_for: datetime | None = None,
) -> RunId:
    run_id = RunId(uuid4())
    started = a_run(slot, configuration, scheduled_for)
    database.events.append(then(run_id, 0, started), by(at=at))
    return run_id


def test_runs_are_listed_latest_first(database: Database) -> None:
    minutes = count()
    for slot in ("one", "two", "three"):
        start(database, slot, at=NOON + next(minutes) * MINUTE)
    start(database, "at the same time", at=NOON + 2 * MINUTE)
    start(database, "elsewhere", configuration=OTHER_CONFIGURATION)
    assert [row.slot for row in database.register.runs(CONFIGURATION)] == [
        "at the same time",
        "three",
        "two",
        "one",
    ]
    assert len(database.register.runs()) == 5


def test_a_run_is_open_until_it_is_completed(database: Database) -> None:
    done, failed, fresh = (start(database, slot) for slot in ("done", "failed", "fresh"))
    database.events.append(
        [
            *then(done, 1, RunFailed(attempt=1, error="x", retry_at=NOON)),
            *then(done, 2, RunCompleted(counts=RunCounts())),
            *then(failed, 1, RunFailed(attempt=2, error="x", retry_at=NOON + MINUTE)),
        ],
        by(),
    )
    open_runs = database.register.runs(CONFIGURATION, open_only=True)
    assert {row.run_id for row in open_runs} == {failed, fresh}
    rows = {row.run_id: row for row in database.register.runs()}
    assert rows[failed] == RunRow(
        failed, CONFIGURATION, "failed", None, NOON, failures=2, retry_at=NOON + MINUTE
    )
    assert rows[done] == RunRow(
        done, CONFIGURATION, "done", None, NOON, completed=True, failures=1, retry_at=None
    )


def an_approval_asked_for() -> RunNeedsApproval:
    return RunNeedsApproval(
        reason="max-new", limit=1, proposed=2, pages=1, sha256="0" * 64, counts=RunCounts()
    )


def test_a_run_that_needs_approval_is_open_and_waits_until_somebody_has_decided(
    database: Database,
) -> None:
    ids = waiting, approved, rejected = [start(database, slot) for slot in ("a", "b", "c")]
    elsewhere = start(database, "d", configuration=OTHER_CONFIGURATION)
    for run_id in (*ids, elsewhere):
        database.events.append(then(run_id, 1, an_approval_asked_for()), by())
    database.events.append(
        [
            *then(approved, 2, RunApproved(reason="seen")),
            *then(rejected, 2, RunRejected(reason="a slip")),
        ],
        by(),
    )
    register = database.register
    assert [row.run_id for row in register.runs_to_approve(CONFIGURATION)] == [waiting]
    assert {row.run_id for row in register.runs_to_approve()} == {waiting, elsewhere}
    open_runs = register.runs(CONFIGURATION, open_only=True)
    assert {row.run_id for row in open_runs} == {waiting, approved}
    assert {row.approval for row in register.runs(CONFIGURATION)} == {
        "needed",
        "approved",
        "rejected",
    }


def test_a_run_that_needs_approval_has_not_failed(database: Database) -> None:
    run_id = start(database, "one")
    database.events.append(
        [
            *then(run_id, 1, RunFailed(attempt=8, error="x", retry_at=NOON)),
            *then(run_id, 2, an_approval_asked_for()),
        ],
        by(),
    )
    (row,) = database.register.runs()
    assert (row.failures, row.retry_at) == (0, None)


def test_what_the_last_runs_awarded_is_told_of_those_that_went_over_everybody(
    database: Database,
) -> None:
    def completed(slot: str, awarded: int, **narrowed: object) -> None:
        run_id = RunId(uuid4())
        started = a_run(slot).model_copy(update=narrowed)
        database.events.append(then(run_id, 0, started), by(at=NOON + awarded * MINUTE))
        counts = RunCounts(evaluated=awarded, eligible=awarded, awarded=awarded)
        database.events.append(then(run_id, 1, RunCompleted(counts=counts)), by())

    for awarded in (7, 0, 3, 5):
        completed(f"whole {awarded}", awarded)
    completed("a few", 9, limit=9)
    completed("one", 1, learner_id="learner-1")
    start(database, "not completed", at=NOON + 10 * MINUTE)
    start(database, "elsewhere", configuration=OTHER_CONFIGURATION)
    assert database.register.recent_awards(CONFIGURATION, 9) == [7, 5, 3]
    assert database.register.recent_awards(CONFIGURATION, 2) == [7, 5]
    assert database.register.recent_awards(OTHER_CONFIGURATION, 2) == []


def test_the_last_slot_is_the_latest_one_scheduled(database: Database) -> None:
    assert database.register.last_slot(CONFIGURATION) is None
    start(database, "by hand")
    assert database.register.last_slot(CONFIGURATION) is None
    start(database, "late", scheduled_for=NOON + MINUTE)
    start(database, "early", scheduled_for=NOON)
    start(database, "other", scheduled_for=NOON + 5 * MINUTE, configuration=OTHER_CONFIGURATION)
    assert database.register.last_slot(CONFIGURATION) == NOON + MINUTE


# The catalogue


def add(database: Database, *events: DomainEvent) -> UUID:
    stream_id = uuid4()
    database.events.append([NewEvents(stream_id, 0, events)], by())
    return stream_id


def test_the_catalogue_is_listed_by_kind_and_label(database: Database) -> None:
    types = [add(database, a_type(slug)) for slug in ("b", "a")]
    asset = add(database, an_asset("logo"))
    configuration = add(database, a_configuration())
    listed = {
        kind: list(database.register.catalogue(kind))
        for kind in ("credential-type", "asset", "configuration", "unheard-of")
    }
    assert listed == {
        "credential-type": [
            CatalogueRow(types[1], "credential-type", "a", active=True),
            CatalogueRow(types[0], "credential-type", "b", active=True),
        ],
        "asset": [CatalogueRow(asset, "asset", "logo", active=True)],
        "configuration": [
            CatalogueRow(configuration, "configuration", f"{TYPE} {COURSE}", active=False)
        ],
        "unheard-of": [],
    }


ENABLED = ConfigurationEnabled(enabled_at=NOON)
REPLACED = AssetReplaced(content=a_content())


@pytest.mark.parametrize(
    ("events", "active"),
    [
        ((a_type(), CredentialTypeRetired(reason="x")), False),
        ((an_asset(), AssetRemoved(reason="x")), False),
        ((an_asset(), AssetRemoved(reason="x"), REPLACED), True),
        ((a_configuration(), ENABLED), True),
        ((a_configuration(), ENABLED, ConfigurationDisabled(reason="x")), False),
        ((a_configuration(), ENABLED, ConfigurationRetired(reason="x")), False),
    ],
)
def test_what_is_not_in_use_any_more_is_not_active(
    database: Database, events: tuple[DomainEvent, ...], active: bool
) -> None:
    kinds = {type(a_type()): "credential-type", type(an_asset()): "asset"}
    kind = kinds.get(type(events[0]), "configuration")
    stream_id = add(database, events[0])
    if events[1:]:
        database.events.append(then(stream_id, 1, *events[1:]), by())
    (row,) = database.register.catalogue(kind)
    assert row.active is active
    assert len(list(database.register.catalogue(kind, active_only=True))) == active
