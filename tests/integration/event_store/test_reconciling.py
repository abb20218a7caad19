"""Reconciliations on every database: when they are due, what waits, and races about it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from uuid import UUID

from testamur.application.ports.agenda import DueReconciliation
from testamur.application.progress import Unwatched
from testamur.application.revoking import Revocation
from testamur.domain.configurations import ConfigurationRetired, OptionsChanged
from testamur.domain.corrections import (
    CorrectionAccepted,
    CorrectionCarriedOut,
    CorrectionFailed,
    CorrectionProposed,
    CorrectionRejected,
    CorrectionWithdrawn,
)
from testamur.domain.credentials import CredentialRevoked, CredentialStatus
from testamur.domain.errors import DecisionRefused
from testamur.domain.events import DomainEvent
from testamur.domain.identifiers import (
    LearnerId,
    correction_id,
    credential_id,
    reconciliation_id,
)
from testamur.domain.reconciliations import (
    ReconciliationCompleted,
    ReconciliationCounts,
    ReconciliationFailed,
    ReconciliationStarted,
)
from tests.support.databases import Database
from tests.support.events import (
    CONFIGURATION,
    NOON,
    TYPE,
    a_configuration,
    a_correction,
    by,
    then,
)
from tests.support.records import COURSE
from tests.support.world import World

DAY = timedelta(days=1)
WEEKLY = OptionsChanged(options={"reconcile": {"every_days": 7}})
ID = reconciliation_id(CONFIGURATION, "schedule:1")
CORRECTION = correction_id(CONFIGURATION, LearnerId("learner-1"), "data-changed")


def happens(database: Database, after_version: int, *events: DomainEvent) -> None:
    database.events.append(then(CONFIGURATION, after_version, *events), by())


def due(database: Database, now: datetime) -> list[datetime]:
    return [each.due for each in database.agenda.to_reconcile(now)]


def kinds_waiting(database: Database) -> tuple[list[str], list[str]]:
    """Return the labels of corrections that wait for a person, and of those to be carried out."""
    open_, accepted = (
        [row.label for row in database.register.catalogue(kind, active_only=True)]
        for kind in ("correction", "accepted-correction")
    )
    return open_, accepted


# When it is due


def test_one_is_due_as_soon_as_the_option_says_so(database: Database) -> None:
    happens(database, 0, a_configuration())
    assert database.agenda.to_reconcile(NOON + DAY) == []
    happens(database, 1, WEEKLY)
    label = f"{TYPE} {COURSE}"
    assert database.agenda.to_reconcile(NOON + DAY) == [
        DueReconciliation(CONFIGURATION, label, NOON)
    ]
    assert database.agenda.to_reconcile(NOON - DAY) == []


def test_one_by_cron_is_due_at_the_next_time(database: Database) -> None:
    nightly = {"reconcile": {"cron": "0 3 * * *"}}
    happens(database, 0, a_configuration().model_copy(update={"options": nightly}))
    three = (NOON + DAY).replace(hour=3, minute=0, second=0, microsecond=0)
    assert due(database, three - timedelta(seconds=1)) == []
    assert due(database, three) == [three]


def test_it_stays_due_until_it_is_completed_or_tried_again_later(database: Database) -> None:
    happens(database, 0, a_configuration(), WEEKLY)
    started = ReconciliationStarted(
        configuration_id=CONFIGURATION, slot="schedule:1", trigger="schedule"
    )
    database.events.append(then(ID, 0, started), by())
    assert due(database, NOON) == [NOON]

    failed = ReconciliationFailed(
        configuration_id=CONFIGURATION, attempt=1, error="gone", retry_at=NOON + DAY
    )
    database.events.append(then(ID, 1, failed), by())
    assert due(database, NOON) == []
    assert due(database, NOON + DAY) == [NOON + DAY]

    completed = ReconciliationCompleted(
        configuration_id=CONFIGURATION, counts=ReconciliationCounts(), next_at=NOON + 7 * DAY
    )
    database.events.append(then(ID, 2, completed), by())
    assert due(database, NOON + 6 * DAY) == []
    assert due(database, NOON + 7 * DAY) == [NOON + 7 * DAY]


def test_one_by_hand_does_not_put_off_the_next(database: Database) -> None:
    happens(database, 0, a_configuration(), WEEKLY)
    by_hand = reconciliation_id(CONFIGURATION, "manual:1")
    started = ReconciliationStarted(
        configuration_id=CONFIGURATION, slot="manual:1", trigger="manual"
    )
    completed = ReconciliationCompleted(
        configuration_id=CONFIGURATION, counts=ReconciliationCounts()
    )
    database.events.append(then(by_hand, 0, started, completed), by())
    assert due(database, NOON) == [NOON]


def test_none_is_due_once_the_option_or_the_configuration_is_gone(database: Database) -> None:
    happens(database, 0, a_configuration(), WEEKLY)
    happens(database, 2, OptionsChanged(options={}))
    assert due(database, NOON + 99 * DAY) == []
    happens(database, 3, WEEKLY)
    assert due(database, NOON) == [NOON]
    happens(database, 4, ConfigurationRetired(reason="over"))
    assert due(database, NOON + 99 * DAY) == []


# What waits


def test_a_correction_waits_until_it_is_decided_and_then_until_it_is_done(
    database: Database,
) -> None:
    label = f"{CONFIGURATION} learner-1"
    credential = credential_id(CONFIGURATION, LearnerId("learner-1"))
    steps: list[tuple[DomainEvent, tuple[list[str], list[str]]]] = [
        (a_correction(), ([label], [])),
        (a_correction(full_name="Another"), ([label], [])),
        (CorrectionRejected(reason="no"), ([], [])),
        (a_correction(full_name="A third"), ([label], [])),
        (CorrectionWithdrawn(reason="gone"), ([], [])),
        (a_correction(), ([label], [])),
        (CorrectionAccepted(reason="yes"), ([], [label])),
        (CorrectionFailed(attempt=1, error="full", retry_at=NOON), ([], [label])),
        (CorrectionCarriedOut(credential_id=credential), ([], [])),
        (a_correction(), ([label], [])),
    ]
    for version, (event, expected) in enumerate(steps):
        database.events.append(then(CORRECTION, version, event), by())
        assert kinds_waiting(database) == expected, type(event).__name__


def test_the_name_that_was_found_goes_with_the_learners_key(database: Database) -> None:
    database.events.append(then(CORRECTION, 0, a_correction()), by())
    (before,) = database.events.load(CORRECTION)
    assert isinstance(before.event, CorrectionProposed)
    assert before.event.full_name == "Zoë Müller-Żak"
    database.keys.destroy(LearnerId("learner-1"))
    (after,) = database.events.load(CORRECTION)
    assert after.event == before.event.model_copy(update={"full_name": None})


# Races


def found_ineligible(database: Database, *learners: str) -> World:
    world = World(database=database)
    for learner in learners:
        world.enrol(learner)
    configuration = world.configure()
    world.run(configuration)
    for learner in learners:
        world.enrol(learner, "0.3")
    id_ = world.reconciling.start(configuration, world.request())
    world.reconciling.carry_out(id_, Unwatched())
    return world


def test_accepting_and_revoking_by_hand_at_once_revoke_once(database: Database) -> None:
    learners = [f"learner-{number}" for number in range(8)]
    world = found_ineligible(database, *learners)
    corrections = {each.proposed.learner_id: id_ for id_, each in world.correcting.waiting()}
    credentials = {
        each.proposed.learner_id: each.proposed.credential_id
        for _, each in world.correcting.waiting()
    }

    for learner in learners:
        together = Barrier(2)
        id_, credential = corrections[LearnerId(learner)], credentials[LearnerId(learner)]
        assert credential is not None

        def accept(id_: UUID = id_, together: Barrier = together) -> int:
            together.wait()
            return world.correcting.accept(id_, "regraded", world.request()).done  # type: ignore[arg-type]

        def revoke(
            credential: UUID = credential, together: Barrier = together
        ) -> Revocation | None:
            together.wait()
            try:
                return world.revoking.revoke(credential, "by hand", world.request())  # type: ignore[arg-type]
            except DecisionRefused:
                return None

        with ThreadPoolExecutor(2) as threads:
            accepted, by_hand = threads.submit(accept), threads.submit(revoke)
            outcome = (accepted.result(), by_hand.result() is not None)

        assert outcome in ((1, False), (0, True))
        events = [each.event for each in world.events.load(credential)]
        assert sum(isinstance(event, CredentialRevoked) for event in events) == 1
        expected = "done" if accepted.result() else "withdrawn"
        assert world.correcting.get(id_).status == expected


def test_two_who_accept_at_once_carry_it_out_once(database: Database) -> None:
    world = found_ineligible(database, "ann")
    ((id_, correction),) = world.correcting.waiting()
    credential = correction.proposed.credential_id
    assert credential is not None
    together = Barrier(2)

    def accept() -> int:
        together.wait()
        done = world.correcting.accept(id_, "regraded", world.request())
        return done.done

    with ThreadPoolExecutor(2) as threads:
        outcomes = [each.result() for each in [threads.submit(accept), threads.submit(accept)]]

    assert max(outcomes) == 1
    events = [each.event for each in world.events.load(credential)]
    assert sum(isinstance(event, CredentialRevoked) for event in events) == 1
    assert world.correcting.get(id_).status == "done"
    assert world.credentials.get(credential).status is CredentialStatus.REVOKED
