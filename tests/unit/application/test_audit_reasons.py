"""Reasons: why a credential was awarded, and whose doing everything was that led to it."""

from datetime import timedelta

import pytest

from testamur.application.aggregates import append, load
from testamur.application.auditing import Audit
from testamur.application.ports.register import CredentialFilter, CredentialRow
from testamur.application.progress import Unwatched
from testamur.domain.configurations import OptionsChanged
from testamur.domain.credentials import CredentialStatus, decide_supersede, evolve
from testamur.domain.identifiers import ConfigurationId, credential_id
from testamur.domain.schedules import IntervalRule, Schedule
from tests.support.audits import audit_of
from tests.support.events import awarding
from tests.support.records import COURSE
from tests.support.world import MONDAY, World, definition

HOUR = timedelta(hours=1)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def audit(world: World) -> Audit:
    return audit_of(world)


def set_up(world: World, schedule: Schedule | None = None) -> ConfigurationId:
    world.types.define("completion", definition(), world.request("user:rector"))
    return world.configurations.create(
        "completion", COURSE, world.request("user:dean"), schedule=schedule
    )


def award_of(world: World, learner: str = "ann") -> CredentialRow:
    rows = world.register.credentials(CredentialFilter(), 10)
    (row,) = (row for row in rows if row.learner_id == learner)
    return row


def test_everything_that_led_to_an_award_is_told(world: World, audit: Audit) -> None:
    configuration = set_up(world)
    world.clock.advance(HOUR)
    world.types.revise(
        "completion",
        definition(criteria={"required_completion": 0.5}),
        world.request("user:vice-rector"),
    )
    world.clock.advance(HOUR)
    world.configurations.enable(configuration, world.request("user:teacher"))
    world.clock.advance(HOUR)
    world.configurations.change_options(
        configuration, {"rendering": {"heading": "Hooray"}}, world.request("user:beginner")
    )
    world.configurations.change_options(
        configuration, {"rendering": {"heading": "Well done"}}, world.request("user:designer")
    )
    world.clock.advance(HOUR)
    world.enrol("ann", "0.7")
    world.run(configuration)
    row = award_of(world)
    reasons = audit.why(row.credential_id)

    assert (reasons.learner_id, reasons.context_key, reasons.edition) == ("ann", COURSE, 1)
    assert reasons.verification_id == row.verification_id
    assert (reasons.awarded.actor, reasons.awarded.at) == ("user:registrar", MONDAY + 4 * HOUR)
    assert reasons.evidence.source == "tests"
    assert reasons.evidence.retrieved_at == MONDAY + 4 * HOUR
    assert [result.criterion for result in reasons.evidence.results] == ["enrolment", "completion"]

    assert reasons.run is not None
    assert (reasons.run.run_id, reasons.run.trigger) == (row.run_id, "manual")
    assert reasons.run.started.actor == "user:registrar"
    assert (reasons.run.only_learner, reasons.run.limit) == (None, None)

    told = reasons.configuration
    assert told.configuration_id == configuration
    assert (told.created.actor, told.created.at) == ("user:dean", MONDAY)
    assert told.enabled is not None
    assert (told.enabled.actor, told.enabled.at) == ("user:teacher", MONDAY + 2 * HOUR)
    assert told.changed is not None
    assert (told.changed.actor, told.changed.at) == ("user:designer", MONDAY + 3 * HOUR)
    assert told.disabled is None
    assert told.own_options == {"rendering": {"heading": "Well done"}}
    assert told.options == {
        "criteria": {"required_completion": 0.5},
        "rendering": {"heading": "Well done"},
    }
    assert (reasons.type.slug, reasons.type.revision) == ("completion", 2)
    assert reasons.type.written.actor == "user:vice-rector"
    assert reasons.replaced is None


def test_what_was_changed_after_the_award_did_not_lead_to_it(world: World, audit: Audit) -> None:
    configuration = set_up(world)
    world.enrol("ann")
    world.run(configuration)
    # At the same moment: the order of the log tells what came first.
    later = world.request("user:late")
    world.configurations.enable(configuration, later)
    world.configurations.change_options(configuration, {"rendering": {"heading": "X"}}, later)
    world.types.revise("completion", definition(rendering={"heading": "Y"}), later)
    reasons = audit.why(award_of(world).credential_id)
    assert (reasons.configuration.enabled, reasons.configuration.changed) == (None, None)
    assert reasons.configuration.own_options == reasons.configuration.options == {}
    assert (reasons.type.revision, reasons.type.written.actor) == (1, "user:rector")


def test_a_run_of_the_schedule_tells_its_slot(world: World, audit: Audit) -> None:
    every_day = Schedule(rule=IntervalRule(every=timedelta(days=1)))
    configuration = set_up(world, every_day)
    world.configurations.enable(configuration, world.request("user:teacher"))
    world.enrol("ann")
    world.tick()
    run = audit.why(award_of(world).credential_id).run
    assert run is not None
    assert (run.trigger, run.scheduled_for) == ("schedule", MONDAY)
    assert run.started.actor == "system:scheduler"


def test_a_run_that_was_limited_says_so(world: World, audit: Audit) -> None:
    configuration = set_up(world)
    world.enrol("ann")
    world.run(configuration, limit=1)
    run = audit.why(award_of(world).credential_id).run
    assert run is not None
    assert run.limit == 1


def test_a_configuration_that_had_been_stopped_says_by_whom(world: World, audit: Audit) -> None:
    configuration = set_up(world)
    world.configurations.enable(configuration, world.request("user:teacher"))
    world.configurations.disable(configuration, "holidays", world.request("user:porter"))
    world.enrol("ann")
    world.run(configuration)
    told = audit.why(award_of(world).credential_id).configuration
    assert told.enabled is not None
    assert told.disabled is not None
    assert (told.enabled.actor, told.disabled.actor) == ("user:teacher", "user:porter")


def test_a_change_during_the_run_is_told_apart(world: World, audit: Audit) -> None:
    configuration = set_up(world)
    for learner in ("ann", "bob", "cat"):
        world.enrol(learner)
    changed = OptionsChanged(options={"rendering": {"heading": "X"}})
    run = world.runs.start(configuration, world.request(), limit=None)
    state = load(world.events, configuration, lambda _, event: event)
    append(world.events, state, [changed], world.request("user:hasty").attribution(world.clock))
    world.work.runs.carry_out(run, Unwatched())
    (during,) = audit.why(award_of(world).credential_id).configuration.changed_during_run
    assert (during.event, during.actor) == ("configuration.options-changed.1", "user:hasty")


def test_an_award_at_a_request_has_no_run_and_tells_what_it_replaced(
    world: World, audit: Audit
) -> None:
    configuration = set_up(world)
    world.enrol("ann")
    world.run(configuration)
    first = award_of(world)
    world.revoke(first.credential_id)
    known = load(world.events, first.credential_id, evolve)
    assert known.state is not None
    second_id = credential_id(configuration, first.learner_id, 2)
    second = known.state.awarded.model_copy(
        update={"edition": 2, "replaces": first.credential_id, "verification_id": "v-second"}
    )
    request = world.request("user:dean")
    world.events.append(
        [
            known.followed_by(decide_supersede(known.state, second_id)),
            *awarding(second),
        ],
        request.attribution(world.clock),
    )
    reasons = audit.why("v-second")
    assert reasons.credential_id == second_id
    assert reasons.run is None
    assert reasons.awarded.correlation_id == request.correlation_id
    assert reasons.replaced is not None
    assert (reasons.replaced.credential_id, reasons.replaced.edition) == (first.credential_id, 1)
    assert reasons.replaced.status is CredentialStatus.SUPERSEDED
    assert reasons.replaced.revocation_reason == "issued by mistake"
    assert reasons.replaced.awarded.actor == "user:registrar"


def test_the_reasons_outlive_the_learners_data(world: World, audit: Audit) -> None:
    world.enrol("ann")
    configuration = set_up(world)
    world.run(configuration)
    id_ = award_of(world).credential_id
    before = audit.why(id_)
    world.erasing.erase(before.learner_id, "asked for", world.request())
    assert audit.why(id_) == before
