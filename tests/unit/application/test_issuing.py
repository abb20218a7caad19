"""Issuing: nothing is recorded that is not stored, and a failure is one credential's own."""

import hashlib
from datetime import timedelta

from testamur.application.issuing import IssueCounts, storage_key
from testamur.application.progress import Unwatched
from testamur.domain.credentials import CredentialStatus, IssuanceFailed
from testamur.domain.identifiers import CredentialId, LearnerId, credential_id
from tests.support.world import World


def _world_with_awards(*learner_ids: str) -> tuple[World, dict[str, CredentialId]]:
    world = World()
    configuration = world.configure()
    for each in learner_ids:
        world.enrol(each)
    run_id = world.runs.start(configuration, world.request())
    world.runs.carry_out(run_id, Unwatched())
    return world, {each: credential_id(configuration, LearnerId(each)) for each in learner_ids}


def test_storage_that_fails_for_one_document_fails_that_credential_only() -> None:
    world, ids = _world_with_awards("ann", "bob", "cid")
    world.storage.refuses.add(storage_key(ids["bob"], ".txt"))
    assert world.issuing.issue_awaiting(Unwatched()) == IssueCounts(issued=2, failed=1)
    failed = world.credentials.get(ids["bob"])
    assert failed.status is CredentialStatus.AWARDED
    assert failed.issue_failures == 1
    assert world.credentials.get(ids["ann"]).status is CredentialStatus.ISSUED


def test_a_failed_document_is_tried_again_once_its_delay_is_over() -> None:
    world, ids = _world_with_awards("ann")
    world.storage.broken = True
    world.issuing.issue_awaiting(Unwatched())
    world.storage.broken = False
    assert world.issuing.issue_awaiting(Unwatched()) == IssueCounts()
    world.clock.advance(timedelta(minutes=1))
    assert world.issuing.issue_awaiting(Unwatched()) == IssueCounts(issued=1)
    assert world.credentials.get(ids["ann"]).status is CredentialStatus.ISSUED


def test_each_further_failure_doubles_the_delay() -> None:
    world, ids = _world_with_awards("ann")
    world.storage.broken = True
    delays = []
    for _ in range(4):
        before = world.clock.now()
        world.issuing.issue_awaiting(Unwatched())
        retry_at = world.credentials.get(ids["ann"]).issue_retry_at
        assert retry_at is not None
        delays.append(retry_at - before)
        world.clock.moment = retry_at
    assert delays == [timedelta(minutes=minutes) for minutes in (1, 2, 4, 8)]


def test_a_template_that_broke_since_the_award_fails_the_issue_and_heals_once_mended() -> None:
    world, ids = _world_with_awards("ann", "bob")
    configuration = world.credentials.get(ids["ann"]).awarded.configuration_id
    world.configurations.change_options(
        configuration, {"rendering": {"fails": True}}, world.request()
    )
    assert world.issuing.issue_awaiting(Unwatched()) == IssueCounts(failed=2)
    failures = [each.event for each in world.events.load(ids["ann"])][1:]
    assert [failure.reason for failure in failures if isinstance(failure, IssuanceFailed)] == [
        "bad-template"
    ]
    world.configurations.change_options(configuration, {}, world.request())
    world.clock.advance(timedelta(minutes=1))
    assert world.issuing.issue_awaiting(Unwatched()) == IssueCounts(issued=2)


def test_a_credential_revoked_before_its_issue_is_never_issued() -> None:
    world, ids = _world_with_awards("ann")
    world.revoke(ids["ann"])
    assert world.issuing.issue_awaiting(Unwatched()) == IssueCounts()
    assert world.credentials.get(ids["ann"]).status is CredentialStatus.REVOKED


def test_the_recorded_hash_and_size_are_those_of_the_stored_document() -> None:
    world, ids = _world_with_awards("ann")
    world.issuing.issue_awaiting(Unwatched())
    (artifact,) = world.credentials.get(ids["ann"]).artifacts
    content = world.storage.get(artifact.storage_key)
    assert artifact.sha256 == hashlib.sha256(content).hexdigest()
    assert artifact.size == len(content)


def test_more_than_one_batch_is_issued_in_one_pass() -> None:
    world, ids = _world_with_awards(*(f"learner-{number}" for number in range(250)))
    assert world.issuing.issue_awaiting(Unwatched()) == IssueCounts(issued=len(ids))


def test_a_renderer_that_breaks_on_one_document_fails_that_credential_only() -> None:
    world, ids = _world_with_awards("ann", "bob", "cid")
    configuration = world.credentials.get(ids["bob"]).awarded.configuration_id
    world.configurations.change_options(
        configuration, {"rendering": {"crashes_on": "Learner bob"}}, world.request()
    )
    assert world.issuing.issue_awaiting(Unwatched()) == IssueCounts(issued=2, failed=1)
    failure = world.events.load(ids["bob"])[-1].event
    assert isinstance(failure, IssuanceFailed)
    assert (failure.reason, failure.detail) == ("renderer", "ZeroDivisionError: Learner bob")
