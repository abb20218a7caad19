"""Revoking many: those that fit, a list, a run; never more than was confirmed."""

import pytest

from testamur.application.choosing import Choice
from testamur.application.ports.register import CredentialFilter
from testamur.domain.credentials import (
    CredentialStatus,
)
from testamur.domain.errors import InvalidInput, NotFound
from testamur.domain.identifiers import LearnerId, RunId
from tests.support.records import OTHER_COURSE, course
from tests.support.world import World
from tests.unit.application.revoked import EVERYBODY, awarded_only, id_of, rows, world_with


def two_courses() -> World:
    world = World()
    world.source.facts_by_key[OTHER_COURSE] = course(OTHER_COURSE)
    for learner in ("ann", "bob"):
        world.enrol(learner)
    world.run(world.configure())
    world.run(world.configure(OTHER_COURSE))
    return world


def test_what_would_be_revoked_is_told_and_nothing_is_written() -> None:
    world, configuration, _ = world_with("ann", "bob")
    world.revoking.revoke(id_of(world, "ann"), "a slip", world.request())
    world.enrol("eve")
    awarded_only(world, configuration)
    before = world.tally()

    found = world.revoking.revocable(Choice(CredentialFilter(configuration_id=configuration)))

    assert (found.count, found.issued, found.awarded, found.ended) == (2, 1, 1, 1)
    assert [row.learner_id for row in found.first] == ["bob", "eve"]
    assert world.tally() == before


def test_those_that_fit_are_revoked_and_no_others() -> None:
    world = two_courses()
    choice = Choice(CredentialFilter(context_key=OTHER_COURSE))
    done = world.revoking.revoke_many(choice, "wrong exam", world.request(), expect=2)
    assert (done.revoked, done.withdrawal.withdrawn) == (2, 2)
    by_context = {
        (row.context_key == OTHER_COURSE, row.status) for row in world.credentials.all(EVERYBODY)
    }
    assert by_context == {(True, CredentialStatus.REVOKED), (False, CredentialStatus.ISSUED)}


def test_listed_learners_are_revoked_and_the_others_are_named() -> None:
    world, _, _ = world_with("ann", "bob", "eve")
    listed = tuple(map(LearnerId, ("eve", "nobody", "ann", "eve")))
    choice = Choice(EVERYBODY, listed)
    found = world.revoking.revocable(choice)
    assert (found.count, found.without, found.first_without) == (2, 1, ("nobody",))

    world.revoking.revoke_many(choice, "cheated", world.request(), expect=2)

    statuses = {learner: row.status for learner, row in rows(world).items()}
    assert statuses == {
        "ann": CredentialStatus.REVOKED,
        "bob": CredentialStatus.ISSUED,
        "eve": CredentialStatus.REVOKED,
    }


def test_another_number_than_was_confirmed_is_refused() -> None:
    world, configuration, _ = world_with("ann", "bob")
    choice = Choice(CredentialFilter(configuration_id=configuration))
    with pytest.raises(InvalidInput, match="2: so many"):
        world.revoking.revoke_many(choice, "a slip", world.request(), expect=1)
    assert world.tally().by_status == {CredentialStatus.ISSUED: 2}


def test_everything_at_once_is_never_revoked() -> None:
    world, _, _ = world_with("ann")
    with pytest.raises(InvalidInput, match="condition"):
        world.revoking.revoke_many(Choice(EVERYBODY), "a slip", world.request(), expect=1)
    with pytest.raises(InvalidInput, match="condition"):
        world.revoking.revocable(Choice(EVERYBODY))


def test_what_was_interrupted_goes_on_with_the_rest() -> None:
    world, configuration, _ = world_with("ann", "bob", "eve")
    world.revoking.revoke(id_of(world, "ann"), "a slip", world.request())
    choice = Choice(CredentialFilter(configuration_id=configuration))
    assert world.revoking.revocable(choice).count == 2
    done = world.revoking.revoke_many(choice, "a slip", world.request(), expect=2)
    assert done.revoked == 2
    assert world.tally().by_status == {CredentialStatus.REVOKED: 3}


def test_a_run_that_went_wrong_is_revoked_and_earlier_ones_stay() -> None:
    world, configuration, _ = world_with("ann")
    world.enrol("bob")
    second = world.run(configuration)
    assert world.revoking.revocable_of_run(second).count == 1

    world.revoking.revoke_run(second, "the wrong template", world.request(), expect=1)

    assert rows(world)["ann"].status is CredentialStatus.ISSUED
    assert rows(world)["bob"].status is CredentialStatus.REVOKED


def test_who_was_revoked_is_not_awarded_again_by_a_run() -> None:
    world, configuration, run = world_with("ann")
    world.revoking.revoke_run(run, "the wrong template", world.request(), expect=1)
    world.run(configuration)
    assert world.tally().by_status == {CredentialStatus.REVOKED: 1}


def test_a_run_that_never_was_is_not_found() -> None:
    world, _, _ = world_with("ann")
    unknown = RunId(id_of(world, "ann"))  # an id, and of no run
    with pytest.raises(NotFound, match="run"):
        world.revoking.revocable_of_run(unknown)


def test_no_more_than_was_confirmed_is_revoked(monkeypatch: pytest.MonkeyPatch) -> None:
    world, configuration, _ = world_with("ann", "bob")
    choice = Choice(CredentialFilter(configuration_id=configuration))
    counted = world.revoking.revocable(choice)
    world.enrol("eve")
    world.run(configuration)
    # Eve was awarded between the count and the revocation.
    monkeypatch.setattr(type(world.revoking), "revocable", lambda *_: counted)

    done = world.revoking.revoke_many(choice, "a slip", world.request(), expect=2)

    assert done.revoked == 2
    assert rows(world)["eve"].status is CredentialStatus.ISSUED
