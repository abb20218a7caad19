"""Exporting: everything about one learner, and nothing about anybody else."""

import json
from datetime import timedelta

import pytest
from pydantic_core import to_jsonable_python

from testamur.domain.errors import NotFound
from testamur.domain.identifiers import LearnerId
from tests.support.world import World

ANN, EVE = LearnerId("ann"), LearnerId("eve")


def a_world() -> World:
    world = World()
    configuration = world.configure()
    world.enrol("ann")
    world.enrol("bob")
    world.enrol("eve", name="Żółć")
    world.enrol("kim", name="ŻŻ")
    world.leave_out("sid", "the LMS has no grades of sid")
    world.run(configuration)
    return world


@pytest.mark.parametrize("followed", [True, False])
def test_it_holds_credentials_documents_deliveries_and_history(followed: bool) -> None:
    world = a_world()
    if followed:
        world.following.catch_up()
    export = world.exporting.of(ANN)
    (credential,) = export.credentials
    assert credential.awarded.person is not None
    assert credential.awarded.person.email == "ann@example.org"
    assert credential.awarded.evidence.results
    assert [each.outcome for each in credential.deliveries] == ["sent"]
    assert [each.name for each in credential.history] == [
        "credential.awarded.1",
        "credential.issued.1",
        "credential.notification-sent.1",
    ]
    ((file, content),) = world.exporting.documents(export)
    assert file.filename == f"documents/{credential.credential_id}.txt"
    assert b"Learner ann" in content
    text = json.dumps(to_jsonable_python(export))
    assert "Learner ann" in text
    assert not any(other in text for other in ("bob", '"eve"', '"sid"'))


@pytest.mark.parametrize("followed", [True, False])
def test_what_runs_recorded_of_a_learner_is_theirs_alone(followed: bool) -> None:
    world = a_world()
    if followed:
        world.following.catch_up()
    (mention,) = world.exporting.of(EVE).runs
    assert mention.reason is not None
    assert mention.reason.startswith("missing-glyph: ")
    (left_out,) = world.exporting.of(LearnerId("sid")).runs
    assert left_out.reason == "the LMS has no grades of sid"


def test_after_an_erasure_it_says_so_and_holds_no_name() -> None:
    world = a_world()
    world.erasing.erase(ANN, "asked for", world.request())
    export = world.exporting.of(ANN)
    assert [each.name for each in export.erasures] == [
        "erasure.requested.1",
        "erasure.completed.1",
    ]
    assert export.credentials[0].files == ()
    assert "Learner ann" not in json.dumps(to_jsonable_python(export))


def test_an_unknown_learner_is_not_found() -> None:
    with pytest.raises(NotFound, match="no known learner 'nobody'"):
        a_world().exporting.of(LearnerId("nobody"))


def test_the_inactive_are_those_whom_nothing_named_since_and_who_are_not_erased() -> None:
    world = a_world()
    moment = world.clock.now() + timedelta(days=1)
    world.clock.advance(timedelta(days=400))
    assert {each.learner_id: each.credentials for each in world.retention.inactive(moment)} == {
        ANN: 1,
        LearnerId("bob"): 1,
    }
    world.erasing.erase(LearnerId("bob"), "too old", world.request())
    assert [each.learner_id for each in world.retention.inactive(moment)] == [ANN]
    world.clock.advance(timedelta(days=400))
    later = world.clock.now() - timedelta(days=1)
    assert [each.learner_id for each in world.retention.inactive(later)] == [ANN]
