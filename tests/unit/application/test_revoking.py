"""Revoking: recorded first, told where that is wanted, and final."""

from datetime import timedelta

import pytest

from testamur.application.errors import DocumentWithdrawn
from testamur.application.ports.storage import StorableFile
from testamur.application.withdrawing import Withdrawal
from testamur.domain.credentials import (
    CredentialStatus,
    DocumentsWithdrawn,
    NotificationRequested,
)
from testamur.domain.errors import DecisionRefused, InvalidInput, NotFound
from testamur.domain.identifiers import LearnerId
from tests.support.world import World
from tests.unit.application.revoked import (
    UNKNOWN,
    awarded_only,
    events_of,
    id_of,
    is_public,
    key_of,
    rows,
    state,
    world_with,
)


def test_a_revoked_credential_does_not_hold_and_its_document_is_in_the_archive() -> None:
    world, _, _ = world_with("ann")
    id_ = id_of(world, "ann")
    content = world.credentials.document(id_)

    done = world.revoking.revoke(id_, " a slip of the pen ", world.request("user:dean"))

    assert (done.revoked, done.withdrawal) == (1, Withdrawal(withdrawn=1))
    assert state(world, id_).status is CredentialStatus.REVOKED
    answer = world.verifying.verify(id_)
    assert (answer.status, answer.reason) == ("revoked", "a slip of the pen")
    assert not is_public(world, id_)
    assert world.storage.archived(key_of(id_)) == content
    *_, revoked, withdrawn = world.events.load(id_)
    assert revoked.attribution.actor == "user:dean"
    assert withdrawn.event == DocumentsWithdrawn(archived=(key_of(id_),))
    assert withdrawn.attribution.actor == "system:archivist"
    assert withdrawn.attribution.correlation_id == revoked.attribution.correlation_id
    assert not rows(world)["ann"].withdrawal_pending


def test_others_keep_their_documents() -> None:
    world, _, _ = world_with("ann", "bob")
    world.revoking.revoke(id_of(world, "ann"), "a slip", world.request())
    assert is_public(world, id_of(world, "bob"))
    assert rows(world)["bob"].status is CredentialStatus.ISSUED


def test_a_reason_is_asked_for() -> None:
    world, _, _ = world_with("ann")
    id_ = id_of(world, "ann")
    with pytest.raises(InvalidInput, match="reason"):
        world.revoking.revoke(id_, "  ", world.request())
    assert state(world, id_).status is CredentialStatus.ISSUED


def test_what_is_revoked_cannot_be_revoked_again() -> None:
    world, _, _ = world_with("ann")
    id_ = id_of(world, "ann")
    world.revoking.revoke(id_, "a slip", world.request())
    with pytest.raises(DecisionRefused, match="revoked"):
        world.revoking.revoke(id_, "another slip", world.request())
    assert state(world, id_).revocation_reason == "a slip"


def test_what_does_not_exist_cannot_be_revoked() -> None:
    world = World()
    with pytest.raises(NotFound):
        world.revoking.revoke(UNKNOWN, "a slip", world.request())


def test_a_credential_revoked_before_it_is_issued_never_is() -> None:
    world = World()
    world.enrol("ann")
    configuration = world.configure()
    awarded_only(world, configuration)
    id_ = id_of(world, "ann")

    world.revoking.revoke(id_, "a slip", world.request(), tell=True)
    world.tick()
    world.run(configuration)

    assert state(world, id_).status is CredentialStatus.REVOKED
    assert events_of(world, id_) == ["CredentialAwarded", "CredentialRevoked", "DocumentsWithdrawn"]
    assert not is_public(world, id_)
    assert world.notifier.sent == []


def test_what_a_killed_pass_had_stored_of_a_credential_that_was_never_issued_goes() -> None:
    world = World()
    world.enrol("ann")
    awarded_only(world, world.configure())
    id_ = id_of(world, "ann")
    sha256 = "b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c"
    world.storage.put([StorableFile(key_of(id_), b"foo\n", sha256, "text/plain")])

    world.revoking.revoke(id_, "a slip", world.request())

    assert not is_public(world, id_)
    with pytest.raises(NotFound):
        world.storage.archived(key_of(id_))


# Telling


def test_the_learner_is_told_only_if_asked_for() -> None:
    world, _, _ = world_with("ann", "bob")
    told = world.revoking.revoke(id_of(world, "ann"), "a slip", world.request(), tell=True)
    untold = world.revoking.revoke(id_of(world, "bob"), "a slip", world.request())

    assert (told.to_tell, untold.to_tell) == (1, 0)
    ann, bob = (world.events.load(id_of(world, each)) for each in ("ann", "bob"))
    asked = [each for each in ann if isinstance(each.event, NotificationRequested)]
    assert [each.event for each in asked] == [NotificationRequested(notice="revoked")]
    # In one transaction with what it tells of.
    assert asked[0].version == ann[-1].version - 1
    assert not any(isinstance(each.event, NotificationRequested) for each in bob)


def test_the_moment_of_revoking_divides_what_is_told_of_a_credential() -> None:
    world, _, _ = world_with("ann")
    ann = id_of(world, "ann")
    world.clock.advance(timedelta(days=1))
    world.revoking.revoke(ann, "a slip", world.request())
    revoked_at = world.clock.now()
    world.clock.advance(timedelta(days=1))
    before = world.verifying.verify(ann, revoked_at - timedelta(seconds=1))
    assert (before.status, before.reason) == ("valid", None)
    for at in (revoked_at, None):
        after = world.verifying.verify(ann, at)
        assert (after.status, after.reason) == ("revoked", "a slip")


# Reading documents


def test_the_document_of_a_revoked_credential_is_refused_and_can_be_read_in_the_archive() -> None:
    world, _, _ = world_with("ann")
    ann = id_of(world, "ann")
    content = world.credentials.document(ann)
    assert world.credentials.document(ann, archived=True) == content
    world.revoke(ann)

    for location in (f"memory:{key_of(ann)}", f"archive:{key_of(ann)}"):
        for refused in (world.credentials.document, world.credentials.location):
            with pytest.raises(DocumentWithdrawn, match="issued by mistake") as raised:
                refused(ann)
            assert raised.value.location == location
        with pytest.raises(DocumentWithdrawn):
            world.credentials.link(ann)
        assert world.credentials.document(ann, archived=True) == content
        assert world.credentials.location(ann, archived=True) == location
        world.tick()


def test_a_learner_is_handed_their_revoked_documents_too() -> None:
    world, _, _ = world_with("ann")
    ann = id_of(world, "ann")
    content = world.credentials.document(ann)
    world.revoking.revoke(ann, "a slip", world.request())
    export = world.exporting.of(LearnerId("ann"))
    ((held, exported),) = world.exporting.documents(export)
    assert (held.location, exported) == (f"archive:{key_of(ann)}", content)
