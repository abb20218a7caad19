"""The register's rows are what folding the streams gives, whatever happened in which batches."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from testamur.application.aggregates import append, load
from testamur.application.errors import ConcurrencyConflict
from testamur.application.ports.event_store import NewEvents
from testamur.application.ports.register import CredentialFilter, CredentialRow, RunRow
from testamur.application.registration import is_living
from testamur.domain import runs
from testamur.domain.credentials import (
    Credential,
    CredentialEvent,
    CredentialStatus,
    decide_award,
    decide_erase,
    decide_fail_issuance,
    decide_fail_notification,
    decide_issue,
    decide_notified,
    decide_remind,
    decide_revoke,
    decide_skip_notification,
    decide_supersede,
    decide_withdraw,
    evolve,
)
from testamur.domain.errors import DecisionRefused
from testamur.domain.identifiers import CredentialId, LearnerId, RunId, credential_id
from testamur.domain.run_results import RunCounts
from tests.integration.event_store.conftest import KINDS, open_database
from tests.support.databases import Database
from tests.support.domain_strategies import asked
from tests.support.events import CONFIGURATION, NOON, a_run, an_award, an_issue, by, id_of
from tests.support.postgres_server import PostgresServer

LEARNERS = ("a", "b", "c")
EDITIONS = (1, 2, 3)
REMINDERS = tuple(NOON + timedelta(minutes=minutes) for minutes in (1, 2, 4))
EXPIRY = NOON + timedelta(minutes=5)

Decision = Callable[[Credential | None], list[CredentialEvent]]

issue = an_issue()
delays = st.integers(0, 5).map(lambda minutes: NOON + timedelta(minutes=minutes))

decisions: st.SearchStrategy[Decision] = st.one_of(
    st.just(lambda state: decide_issue(state, issue.artifacts, issue.rendering)),
    delays.map(lambda now: lambda state: decide_fail_issuance(state, "x", "y", now)),
    st.just(lambda state: decide_notified(state, "<1@x>")),
    st.just(lambda state: decide_skip_notification(state, "no-address")),
    st.tuples(delays, st.booleans()).map(
        lambda drawn: (
            lambda state: decide_fail_notification(state, "x", "y", drawn[0], permanent=drawn[1])
        )
    ),
    delays.map(lambda now: lambda state: decide_remind(state, now)),
    st.just(lambda state: decide_revoke(state, "mistake")),
    st.just(lambda state: decide_withdraw(state, ("a.pdf",), ())),
    st.just(lambda state: decide_erase(state, "asked for")),
)

credentials = st.tuples(st.sampled_from(LEARNERS), st.sampled_from(EDITIONS))
steps = st.one_of(
    st.tuples(st.just("award"), credentials, st.none()),
    st.tuples(st.just("reissue"), credentials, st.none()),
    st.tuples(st.just("decide"), credentials, decisions),
)
batches = st.lists(st.lists(steps, min_size=1, max_size=4), min_size=1, max_size=10)


@dataclass
class History:
    """What happened, as decided on the states that the batches so far have left."""

    database: Database
    states: dict[CredentialId, Credential] = field(default_factory=dict)
    versions: dict[UUID, int] = field(default_factory=dict)

    def happen(self, steps: Sequence[tuple[str, tuple[str, int], Any]]) -> None:
        """Append one batch, and take over its states unless it was a conflict."""
        states, versions = dict(self.states), dict(self.versions)
        batch: list[NewEvents] = []
        for step, (learner, edition), decision in steps:
            id_ = credential_id(CONFIGURATION, LearnerId(learner), edition)
            with suppress(DecisionRefused):
                for stream_id, events in self._decide(
                    step, id_, (learner, edition), decision, states
                ):
                    batch.append(NewEvents(stream_id, versions.get(stream_id, 0), events))
                    versions[stream_id] = versions.get(stream_id, 0) + len(events)
                    for event in events:
                        states[stream_id] = evolve(states.get(stream_id), event)
        batch = [new for new in batch if new.events]
        if _has_two_living(states):
            with pytest.raises(ConcurrencyConflict):
                self.database.events.append(batch, by())
        else:
            self.database.events.append(batch, by())
            self.states, self.versions = states, versions

    def _decide(
        self,
        step: str,
        id_: CredentialId,
        which: tuple[str, int],
        decision: Decision | None,
        states: dict[CredentialId, Credential],
    ) -> list[tuple[CredentialId, list[CredentialEvent]]]:
        learner, edition = which
        award = an_award(learner, edition=edition, expires_at=EXPIRY, reminders=REMINDERS)
        if step == "award":
            return [(id_, decide_award(states.get(id_), award))]
        if step == "reissue":
            new = an_award(learner, edition=edition + 1, replaces=id_)
            awarded = decide_award(states.get(id_of(new)), new)
            return [(id_of(new), awarded), (id_, decide_supersede(states.get(id_), id_of(new)))]
        assert decision is not None
        return [(id_, decision(states.get(id_)))]


def _has_two_living(states: dict[CredentialId, Credential]) -> bool:
    living = [state.awarded.learner_id for state in states.values() if is_living(state.status)]
    return len(living) != len(set(living))


def row_of(id_: CredentialId, state: Credential, row: CredentialRow) -> CredentialRow:
    """Return the row that a credential ought to have; the envelope's part is taken as it is."""
    return CredentialRow(
        credential_id=id_,
        configuration_id=state.awarded.configuration_id,
        learner_id=state.awarded.learner_id,
        edition=state.awarded.edition,
        context_key=state.awarded.context_key,
        type_slug=state.awarded.type_slug,
        verification_id=state.awarded.verification_id,
        run_id=row.run_id,
        awarded_at=NOON,
        status=state.status,
        issue_failures=state.issue_failures,
        issue_retry_at=state.issue_retry_at,
        notification=state.notification,
        notification_failures=state.notification_failures,
        notification_retry_at=state.notification_retry_at,
        notification_reason=row.notification_reason,
        issued_at=row.issued_at,
        notified_at=row.notified_at,
        withdrawal_pending=state.withdrawal_pending,
        serial=state.awarded.serial,
        expires_at=state.awarded.expires_at,
        remind_at=state.remind_at,
    )


def assert_register_agrees(database: Database, states: dict[CredentialId, Credential]) -> None:
    rows = {row.credential_id: row for row in database.register.credentials(CredentialFilter(), 99)}
    assert rows == {id_: row_of(id_, state, rows[id_]) for id_, state in states.items()}
    for id_, state in states.items():
        assert load(database.events, id_, evolve).state == state
    to_withdraw = CredentialFilter(withdrawal_pending=True)
    pending = {id_ for id_, state in states.items() if state.withdrawal_pending}
    found = database.register.credentials(to_withdraw, 99)
    assert {row.credential_id for row in found} == pending
    assert sum(database.register.tally(to_withdraw).by_status.values()) == len(pending)
    for now in (NOON, NOON + timedelta(days=2)):
        assert {row.credential_id for row in database.register.awaiting_issue(now, 99)} == {
            id_
            for id_, state in states.items()
            if state.status is CredentialStatus.AWARDED
            and (state.issue_retry_at is None or state.issue_retry_at <= now)
        }
        assert {row.credential_id for row in database.register.awaiting_notification(now, 99)} == {
            id_
            for id_, state in states.items()
            if state.status is CredentialStatus.ISSUED
            and state.notification == "pending"
            and (state.notification_retry_at is None or state.notification_retry_at <= now)
        }
    assert_expiry_agrees(database, states)


def assert_expiry_agrees(database: Database, states: dict[CredentialId, Credential]) -> None:
    issued = {
        id_: state for id_, state in states.items() if state.status is CredentialStatus.ISSUED
    }
    for now in (NOON, *REMINDERS, EXPIRY):
        assert {row.credential_id for row in database.register.awaiting_reminder(now, 99)} == {
            id_
            for id_, state in issued.items()
            if state.remind_at is not None and state.remind_at <= now
        }
        expired = {
            id_: state
            for id_, state in states.items()
            if state.awarded.expires_at is not None and state.awarded.expires_at <= now
        }
        until = database.register.credentials(CredentialFilter(expires_until=now), 99)
        after = database.register.credentials(CredentialFilter(expires_after=now), 99)
        assert {row.credential_id for row in until} == set(expired)
        assert {row.credential_id for row in after} == {
            id_ for id_, state in states.items() if state.awarded.expires_at
        } - set(expired)
        learners = [LearnerId(each) for each in LEARNERS]
        assert database.register.renewable(CONFIGURATION, learners, now) == {
            state.awarded.learner_id: id_ for id_, state in issued.items() if id_ in expired
        }


@settings(deadline=None, max_examples=60)
@given(happened=batches)
def test_the_register_in_memory_is_what_the_streams_say(happened: list[Any]) -> None:
    history = History(open_database("memory", Path()))
    for steps_of_batch in happened:
        history.happen(steps_of_batch)
    assert_register_agrees(history.database, history.states)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(happened=batches)
def test_the_register_on_disk_is_what_the_streams_say(happened: list[Any]) -> None:
    with TemporaryDirectory() as folder:
        history = History(open_database("sqlite", Path(folder)))
        try:
            for steps_of_batch in happened:
                history.happen(steps_of_batch)
            assert_register_agrees(history.database, history.states)
        finally:
            history.database.close()


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(happened=batches)
def test_the_register_on_a_server_is_what_the_streams_say(
    postgres: PostgresServer, happened: list[Any]
) -> None:
    with (
        postgres.lent_database() as place,
        closing(open_database("postgres", place)) as database,
    ):
        history = History(database)
        for steps_of_batch in happened:
            history.happen(steps_of_batch)
        assert_register_agrees(history.database, history.states)


run_decisions = st.one_of(
    delays.map(lambda now: lambda state: runs.decide_fail(state, "x", now)),
    st.just(lambda state: runs.decide_complete(state, RunCounts())),
    st.just(
        lambda state: runs.decide_complete(state, RunCounts(evaluated=3, eligible=3, awarded=3))
    ),
    asked.map(lambda event: lambda state: runs.decide_need_approval(state, event)),
    st.just(lambda state: runs.decide_approve(state, "seen")),
    st.just(lambda state: runs.decide_reject(state, "a slip")),
)


@settings(deadline=None, max_examples=30)
@given(
    decided=st.lists(run_decisions, max_size=6),
    scheduled=st.booleans(),
    most=st.none() | st.just(5),
)
@pytest.mark.parametrize("kind", KINDS)
def test_runs_in_the_register_are_what_the_streams_say(
    postgres: PostgresServer, kind: str, decided: list[Any], scheduled: bool, most: int | None
) -> None:
    with TemporaryDirectory() as folder, ExitStack() as lent:
        place: Path | str = Path(folder)
        if kind == "postgres":
            place = lent.enter_context(postgres.lent_database())
        database = lent.enter_context(closing(open_database(kind, place)))
        run_id = RunId(UUID(int=1))
        started = a_run("slot", scheduled_for=NOON if scheduled else None)
        started = started.model_copy(update={"limit": most})
        database.events.append([NewEvents(run_id, 0, [started])], by())
        for decide in decided:
            loaded = load(database.events, run_id, runs.evolve)
            with suppress(DecisionRefused):
                append(database.events, loaded, decide(loaded.state), by())
        state = load(database.events, run_id, runs.evolve).state
        assert state is not None
        assert database.register.runs() == [
            RunRow(
                run_id=run_id,
                configuration_id=CONFIGURATION,
                slot="slot",
                scheduled_for=state.started.scheduled_for,
                started_at=NOON,
                completed=state.completed,
                failures=state.failures,
                retry_at=state.retry_at,
                approval=state.approval,
                narrowed=most is not None,
                awarded=state.counts.awarded if state.counts else 0,
            )
        ]
        is_over = state.completed or state.approval == "rejected"
        assert bool(database.register.runs(open_only=True)) != is_over
        assert bool(database.register.runs_to_approve()) == (state.approval == "needed")
        assert database.register.recent_awards(CONFIGURATION, 9) == (
            [3] if state.counts and state.counts.awarded and most is None else []
        )
        can_be_resumed = state.can_go_on and (state.failures == 0 or state.retry_at is not None)
        later = NOON + timedelta(days=9)
        assert bool(database.agenda.runs_to_resume(later)) == (can_be_resumed and not scheduled)
