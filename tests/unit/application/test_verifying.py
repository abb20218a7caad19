"""Verifying: what the public is told of a credential, now and on a day, and never more."""

from datetime import timedelta
from uuid import uuid4

import pytest

from testamur.application.aggregates import append, load
from testamur.application.verifying import Verification
from testamur.domain.credentials import CredentialSuperseded, evolve
from testamur.domain.errors import InvalidInput
from testamur.domain.identifiers import CredentialId, LearnerId, VerificationId, credential_id
from tests.support.world import MONDAY, World

DAY = timedelta(days=1)


def a_world(*, issued: bool = True) -> tuple[World, CredentialId, VerificationId]:
    """Return a world on the day after Ann and Bob got the credential, and what Ann's is called."""
    world = World(time_zone="Europe/Warsaw")
    configuration = world.configure()
    for each in ("ann", "bob"):
        world.enrol(each)
    world.storage.broken = not issued
    world.run(configuration)
    world.clock.advance(DAY)
    id_ = credential_id(configuration, LearnerId("ann"))
    return world, id_, world.credentials.get(id_).awarded.verification_id


def erase(world: World) -> None:
    world.erasing.erase(LearnerId("ann"), "asked for", world.request())


def test_a_valid_credential_is_told_with_all_that_is_on_it() -> None:
    world, _, reference = a_world()
    assert world.verifying.verify(reference) == Verification(
        status="valid",
        sentence="This credential is valid.",
        at=MONDAY + DAY,
        verification_id=reference,
        type_name="Certificate of Completion",
        context_name="course-v1:Uni+Maths+2026",
        issuer_name="Example University",
        award_date=MONDAY.date(),
        full_name="Learner ann",
    )


def test_the_id_of_a_credential_does_as_well_but_not_as_text() -> None:
    world, id_, _ = a_world()
    assert world.verifying.verify(id_).status == "valid"
    assert world.verifying.verify(VerificationId(str(id_))).status == "unknown"


def test_a_revoked_credential_is_told_with_the_reason() -> None:
    world, id_, reference = a_world()
    world.revoke(id_)
    answer = world.verifying.verify(reference)
    assert (answer.status, answer.reason) == ("revoked", "issued by mistake")
    assert answer.sentence == "This credential is not valid: it has been revoked."
    assert not answer.holds


def test_whether_it_was_valid_on_a_day_is_told_from_what_was_recorded_until_then() -> None:
    world, id_, reference = a_world()
    world.revoke(id_)
    before, after = MONDAY + DAY / 2, MONDAY + DAY
    assert world.verifying.verify(reference, MONDAY - DAY).status == "not-yet-issued"
    was = world.verifying.verify(reference, before)
    assert was.holds
    assert was.sentence == "This credential was valid on 2026-06-02 02:00 CEST."
    assert was.reason is None
    assert world.verifying.verify(reference, after).status == "revoked"


@pytest.mark.parametrize("moment", [MONDAY + 2 * DAY, (MONDAY).replace(tzinfo=None)])
def test_what_is_to_come_is_not_told(moment: object) -> None:
    world, _, reference = a_world()
    with pytest.raises(InvalidInput, match="a moment until now"):
        world.verifying.verify(reference, moment)  # type: ignore[arg-type]


def test_a_superseded_credential_leads_to_the_newer_one() -> None:
    world, id_, reference = a_world()
    bobs = credential_id(world.credentials.get(id_).awarded.configuration_id, LearnerId("bob"))
    append(
        world.events,
        load(world.events, id_, evolve),
        [CredentialSuperseded(by=bobs)],
        world.request().attribution(world.clock),
    )
    answer = world.verifying.verify(reference)
    assert answer.status == "superseded"
    assert answer.superseded_by == world.credentials.get(bobs).awarded.verification_id


def test_an_erased_credential_is_answered_without_a_name() -> None:
    world, _, reference = a_world()
    erase(world)
    answer = world.verifying.verify(reference)
    assert (answer.status, answer.full_name, answer.holds) == ("erased", None, False)
    assert answer.type_name == "Certificate of Completion"
    assert "erased at the learner's request" in answer.sentence
    assert "revoked" not in answer.sentence


def test_what_was_valid_before_an_erasure_stays_told_without_the_name() -> None:
    world, _, reference = a_world()
    erase(world)
    was = world.verifying.verify(reference, MONDAY + DAY / 2)
    assert (was.status, was.full_name) == ("valid", None)
    assert was.sentence.endswith("personal data was erased since, at the learner's request.")


def test_an_erasure_does_not_make_a_revocation_forgotten() -> None:
    world, id_, reference = a_world()
    world.revoke(id_)
    erase(world)
    answer = world.verifying.verify(reference)
    assert (answer.status, answer.reason) == ("erased", None)
    assert answer.sentence.endswith("It had been revoked before that.")


@pytest.mark.parametrize("ended", ["failing", "revoked", "erased"])
def test_what_was_never_issued_is_unknown_just_as_what_does_not_exist(ended: str) -> None:
    world, id_, reference = a_world(issued=False)
    if ended == "revoked":
        world.revoke(id_)
    elif ended == "erased":
        erase(world)
    unknown = world.verifying.verify(VerificationId("nothing"))
    assert world.verifying.verify(reference) == unknown
    assert world.verifying.verify(CredentialId(uuid4())) == unknown
    assert (unknown.status, unknown.holds) == ("unknown", False)
