"""Reissuing one: the new document is stored first, then one edition takes the other's place."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from testamur.application.errors import DocumentWithdrawn, RenderingError, StorageError
from testamur.application.issuing import storage_stem
from testamur.application.ports.register import CredentialFilter, CredentialRow
from testamur.application.progress import Unwatched
from testamur.application.reissuing import Reissue
from testamur.application.withdrawing import Withdrawal
from testamur.domain.credentials import (
    Credential,
    CredentialAwarded,
    CredentialIssued,
    CredentialStatus,
    CredentialSuperseded,
    NotificationRequested,
)
from testamur.domain.errors import DecisionRefused, InvalidInput, NotFound
from testamur.domain.identifiers import ConfigurationId, CredentialId, LearnerId, credential_id
from testamur.domain.personal_data import Person
from tests.support.world import World

ANN = LearnerId("ann")
UNKNOWN = CredentialId(UUID(int=7))


def world_with(*learners: str) -> tuple[World, ConfigurationId]:
    """Return an installation in which these learners were issued the credential and told."""
    world = World()
    for learner in learners:
        world.enrol(learner)
    configuration = world.configure()
    world.run(configuration)
    world.clock.advance(timedelta(days=3))
    return world, configuration


def awarded_only(world: World) -> CredentialId:
    """Award Ann the credential, and go no further."""
    world.enrol(ANN)
    configuration = world.configure()
    world.runs.carry_out(world.runs.start(configuration, world.request()), Unwatched())
    return credential_id(configuration, ANN)


def renamed(world: World, id_: CredentialId, name: str = "Ann Novak", **wanted: bool) -> Reissue:
    return world.reissuing.reissue(id_, "a wedding", world.request(), full_name=name, **wanted)


def state(world: World, id_: CredentialId) -> Credential:
    return world.credentials.get(id_)


def editions(world: World) -> dict[int, CredentialRow]:
    return {row.edition: row for row in world.credentials.all(CredentialFilter())}


def living(world: World) -> list[int]:
    return [
        edition
        for edition, row in editions(world).items()
        if row.status in (CredentialStatus.AWARDED, CredentialStatus.ISSUED)
    ]


def files(world: World, id_: CredentialId) -> set[str]:
    """Return the keys of all files of a credential that are in their public places."""
    return {key for key in world.storage._files if key.startswith(storage_stem(id_))}


def subjects_sent(world: World) -> list[str]:
    return [each.notice for each in world.notifier.sent]


# What a new edition says


def test_a_new_edition_has_the_new_name_and_keeps_what_was_earned() -> None:
    world, configuration = world_with("ann")
    first = credential_id(configuration, ANN)
    before = state(world, first)

    done = renamed(world, first, " Ann Novak ")

    assert done.credential_id == credential_id(configuration, ANN, 2)
    assert (done.edition, done.replaced, done.to_tell) == (2, first, True)
    after = state(world, done.credential_id)
    assert after.status is CredentialStatus.ISSUED
    assert after.awarded.person is not None
    assert after.awarded.person.full_name == "Ann Novak"
    assert after.awarded.person.email == "ann@example.org"
    assert (after.awarded.award_date, after.awarded.evidence, after.awarded.replaces) == (
        before.awarded.award_date,
        before.awarded.evidence,
        first,
    )
    assert b"Ann Novak" in world.credentials.document(done.credential_id)


def test_the_present_template_and_names_are_taken() -> None:
    world, configuration = world_with("ann")
    definition = world.types.get("completion").definition
    issuer = definition.issuer.model_copy(update={"name": "Example College"})
    world.types.revise(
        "completion",
        definition.model_copy(update={"name": "Diploma", "issuer": issuer}),
        world.request(),
    )
    world.configurations.change_options(
        configuration,
        {"rendering": {"heading": "Diploma"}, "context": {"certificate_name": "Mathematics"}},
        world.request(),
    )

    done = world.reissuing.reissue(
        credential_id(configuration, ANN), "a typo in the template", world.request()
    )

    awarded = state(world, done.credential_id).awarded
    assert (awarded.type_name, awarded.issuer_name) == ("Diploma", "Example College")
    assert (awarded.type_revision, awarded.context_name) == (2, "Mathematics")
    lines = world.credentials.document(done.credential_id).decode().splitlines()
    assert lines == ["Diploma", "Learner ann", "Mathematics", "2026-06-01"]


def test_the_name_and_the_address_are_taken_from_the_lms_and_the_language_stays() -> None:
    world = World()
    world.enrol("ann")
    world.source.known_people["ann"] = Person(full_name="Ann", email="a@example.org", locale="pl")
    world.run(world.configure())
    (row,) = editions(world).values()
    world.source.known_people["ann"] = Person(
        full_name="Ann Novak", email="novak@example.org", locale="cs"
    )

    done = world.reissuing.reissue(
        row.credential_id, "a wedding", world.request(), name_from_lms=True
    )

    assert state(world, done.credential_id).awarded.person == Person(
        full_name="Ann Novak", email="novak@example.org", locale="pl"
    )


@pytest.mark.parametrize("name", ["", "  ", "Ann\nNovak", "Ann\x00", "x" * 256])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    world, configuration = world_with("ann")
    with pytest.raises(InvalidInput, match="name"):
        renamed(world, credential_id(configuration, ANN), name)
    assert living(world) == [1]


def test_a_name_that_cannot_be_drawn_is_refused_before_anything_is_written() -> None:
    world, configuration = world_with("ann")
    first = credential_id(configuration, ANN)
    version = len(world.events.load(first))

    with pytest.raises(RenderingError, match="glyph"):
        renamed(world, first, "Анна Новак")

    assert len(world.events.load(first)) == version
    assert living(world) == [1]
    assert files(world, credential_id(configuration, ANN, 2)) == set()


def test_two_names_at_once_are_refused_and_so_is_a_learner_whom_the_lms_does_not_know() -> None:
    world, configuration = world_with("ann")
    first = credential_id(configuration, ANN)
    with pytest.raises(InvalidInput, match="not both"):
        renamed(world, first, name_from_lms=True)
    del world.source.known_people["ann"]
    with pytest.raises(NotFound, match="learner"):
        world.reissuing.reissue(first, "a wedding", world.request(), name_from_lms=True)
    assert living(world) == [1]


@pytest.mark.parametrize(
    "reason", [" ", "now called Ann Novak", "was Learner ann", "see ann@example.org"]
)
def test_a_reason_is_asked_for_and_names_nobody(reason: str) -> None:
    world, configuration = world_with("ann")
    first = credential_id(configuration, ANN)
    with pytest.raises(InvalidInput, match="reason"):
        world.reissuing.reissue(first, reason, world.request(), full_name="Ann Novak")
    assert living(world) == [1]


# One transaction, and what is recorded


def test_the_new_edition_begins_as_issued_in_the_same_transaction_as_the_old_one_ends() -> None:
    world, configuration = world_with("ann")
    first = credential_id(configuration, ANN)
    request = world.request("user:dean")
    before = len([*world.events.log()])

    done = world.reissuing.reissue(first, "a wedding", request, full_name="Ann Novak")

    recorded = [each.recorded for each in world.events.log()][before:]
    assert [type(each.event) for each in recorded[:4]] == [
        CredentialAwarded,
        CredentialIssued,
        NotificationRequested,
        CredentialSuperseded,
    ]
    assert {each.attribution for each in recorded[:4]} == {request.attribution(world.clock)}
    assert recorded[3].event == CredentialSuperseded(by=done.credential_id, reason="a wedding")
    assert living(world) == [2]


def test_the_document_is_stored_before_anything_is_recorded() -> None:
    world, configuration = world_with("ann")
    first = credential_id(configuration, ANN)
    world.storage.broken = True
    with pytest.raises(StorageError, match="full"):
        renamed(world, first)
    assert living(world) == [1]
    assert [type(each.event) for each in world.events.load(first)][-1] is not CredentialSuperseded


def test_the_superseded_document_leaves_its_public_place() -> None:
    world, configuration = world_with("ann")
    first = credential_id(configuration, ANN)
    content = world.credentials.document(first)

    done = renamed(world, first)

    assert done.withdrawal == Withdrawal(withdrawn=1)
    assert files(world, first) == set()
    with pytest.raises(DocumentWithdrawn, match=str(done.credential_id)):
        world.credentials.document(first)
    assert world.credentials.document(first, archived=True) == content


def test_a_third_edition_follows_on_the_second_and_not_on_the_first() -> None:
    world, configuration = world_with("ann")
    first = credential_id(configuration, ANN)
    second = renamed(world, first).credential_id

    with pytest.raises(DecisionRefused, match=str(second)):
        renamed(world, first, "Ann Novakova")
    third = renamed(world, second, "Ann Novakova")

    assert (third.edition, third.replaced) == (3, second)
    assert living(world) == [3]


def test_a_run_awards_no_second_credential_after_a_reissue() -> None:
    world, configuration = world_with("ann")
    renamed(world, credential_id(configuration, ANN))
    world.run(configuration)
    world.tick()
    assert sorted(editions(world)) == [1, 2]


def test_what_a_retired_configuration_issued_can_be_reissued() -> None:
    world, configuration = world_with("ann")
    world.configurations.retire(configuration, "over", world.request())
    assert renamed(world, credential_id(configuration, ANN)).edition == 2


def test_what_does_not_exist_cannot_be_reissued() -> None:
    world, _ = world_with("ann")
    with pytest.raises(NotFound):
        renamed(world, UNKNOWN)


# Verification


def test_the_old_id_leads_to_the_new_one_that_is_valid() -> None:
    world, configuration = world_with("ann")
    first = credential_id(configuration, ANN)
    old = state(world, first).awarded.verification_id
    before = world.clock.now()
    world.clock.advance(timedelta(days=1))

    done = renamed(world, first)

    answer = world.verifying.verify(old)
    assert (answer.status, answer.superseded_by) == ("superseded", done.verification_id)
    assert answer.full_name == "Learner ann"
    newer = world.verifying.verify(done.verification_id)
    assert (newer.status, newer.full_name) == ("valid", "Ann Novak")
    assert newer.award_date == answer.award_date
    assert world.verifying.verify(old, before).status == "valid"
    assert world.verifying.verify(done.verification_id, before).status == "not-yet-issued"


# Revoked, not issued yet, erased


def test_a_revoked_credential_is_reinstated_by_a_reissue_and_its_reason_is_told_no_more() -> None:
    world, configuration = world_with("ann")
    first = credential_id(configuration, ANN)
    world.revoking.revoke(first, "cheated, it seemed", world.request())

    done = world.reissuing.reissue(first, "cleared", world.request())

    assert living(world) == [2]
    assert world.verifying.verify(done.verification_id).holds
    old = world.verifying.verify(first)
    assert (old.status, old.superseded_by) == ("superseded", done.verification_id)
    assert old.reason is None


def test_one_that_waits_for_its_document_is_superseded_and_only_the_new_one_is_issued() -> None:
    world = World()
    first = awarded_only(world)

    done = renamed(world, first)
    world.tick()

    assert done.withdrawal == Withdrawal(withdrawn=1)
    assert state(world, first).status is CredentialStatus.SUPERSEDED
    assert state(world, first).artifacts == ()
    assert state(world, done.credential_id).status is CredentialStatus.ISSUED
    assert world.verifying.verify(first).status == "unknown"
    assert subjects_sent(world) == ["issued"]


def test_a_name_that_could_not_be_drawn_is_put_right_by_a_reissue() -> None:
    world = World()
    first = awarded_only(world)
    configuration = state(world, first).awarded.configuration_id
    world.configurations.change_options(
        configuration, {"rendering": {"crashes_on": "Learner ann"}}, world.request()
    )
    assert world.issuing.issue_awaiting(Unwatched()).failed == 1
    done = renamed(world, first)
    assert state(world, done.credential_id).status is CredentialStatus.ISSUED


def test_an_erased_learner_gets_no_new_edition() -> None:
    world, configuration = world_with("ann")
    first = credential_id(configuration, ANN)
    world.erasing.erase(ANN, "asked for", world.request())
    with pytest.raises(DecisionRefused, match="erased"):
        renamed(world, first)
    assert sorted(editions(world)) == [1]


def test_a_learner_who_is_being_erased_gets_no_new_edition() -> None:
    world, configuration = world_with("ann")
    first = credential_id(configuration, ANN)
    world.erasing.ask(ANN, "asked for", world.request())
    with pytest.raises(DecisionRefused, match="being erased"):
        renamed(world, first)
    assert living(world) == [1]


def test_an_erasure_reaches_all_editions_and_what_a_killed_reissue_had_stored() -> None:
    world, configuration = world_with("ann")
    second = renamed(world, credential_id(configuration, ANN)).credential_id
    world.storage.after_next_put = lambda: (_ for _ in ()).throw(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        renamed(world, second, "Ann Novakova")
    third = credential_id(configuration, ANN, 3)
    assert len(files(world, third)) == 1

    world.erasing.erase(ANN, "asked for", world.request())

    assert world.storage._files == {}
    assert world.storage._archived == {}
    assert {row.status for row in editions(world).values()} == {CredentialStatus.ERASED}


# Telling


def test_the_learner_is_told_once_that_it_was_reissued() -> None:
    world, configuration = world_with("ann")
    renamed(world, credential_id(configuration, ANN))
    world.tick()
    world.tick()
    assert subjects_sent(world) == ["issued", "reissued"]
    assert world.notifier.sent[-1].full_name == "Ann Novak"


def test_the_learner_is_not_told_where_that_is_not_wanted() -> None:
    world, configuration = world_with("ann")
    done = renamed(world, credential_id(configuration, ANN), tell=False)
    world.tick()
    assert not done.to_tell
    assert subjects_sent(world) == ["issued"]
    assert state(world, done.credential_id).notification == "suppressed"


def test_who_was_not_told_yet_is_told_of_the_new_edition_alone() -> None:
    world = World()
    world.notifier.unreachable = True
    world.enrol(ANN)
    configuration = world.configure()
    world.run(configuration)
    done = renamed(world, credential_id(configuration, ANN))
    world.notifier.unreachable = False
    world.clock.advance(timedelta(days=1))

    world.tick()
    world.tick()

    (message,) = world.notifier.sent
    assert (message.notice, message.credential_id) == ("issued", done.credential_id)


# Races


def test_a_credential_issued_in_this_moment_is_reissued_all_the_same() -> None:
    world = World()
    first = awarded_only(world)
    other = replace(world.issuing, locks=World().locks)
    world.storage.after_next_put = lambda: other.issue_awaiting(Unwatched())

    done = renamed(world, first)

    assert living(world) == [2]
    assert files(world, first) == set()
    assert len(files(world, done.credential_id)) == 1
    assert state(world, first).artifacts != ()


def test_a_pass_of_issuing_that_comes_too_late_leaves_no_document() -> None:
    world = World()
    first = awarded_only(world)
    world.storage.after_next_put = lambda: renamed(world, first)

    world.issuing.issue_awaiting(Unwatched())
    world.tick()

    assert living(world) == [2]
    assert files(world, first) == set()
    assert state(world, first).status is CredentialStatus.SUPERSEDED


def test_of_two_who_reissue_at_once_the_first_wins_and_the_document_of_the_other_goes() -> None:
    world, configuration = world_with("ann")
    first = credential_id(configuration, ANN)
    # Another lock, as if this one's had been lost on the way.
    other = replace(world.reissuing, locks=World().locks)
    world.storage.after_next_put = lambda: other.reissue(
        first, "a wedding", world.request(), full_name="Ann Quick"
    )

    with pytest.raises(DecisionRefused, match="superseded"):
        renamed(world, first, "Ann Slow")

    second = credential_id(configuration, ANN, 2)
    assert living(world) == [2]
    (key,) = files(world, second)
    assert state(world, second).artifacts[0].storage_key == key
    assert b"Ann Quick" in world.credentials.document(second)


def test_one_that_is_revoked_in_this_moment_is_reinstated() -> None:
    world, configuration = world_with("ann")
    first = credential_id(configuration, ANN)
    world.storage.after_next_put = lambda: world.revoke(first)
    renamed(world, first)
    assert living(world) == [2]
    assert [type(each.event).__name__ for each in world.events.load(first)][-3:] == [
        "CredentialRevoked",
        "CredentialSuperseded",
        "DocumentsWithdrawn",
    ]


def test_one_that_is_erased_in_this_moment_leaves_nothing() -> None:
    world, configuration = world_with("ann")
    first = credential_id(configuration, ANN)
    other = replace(world.erasing, locks=World().locks)
    world.storage.after_next_put = lambda: other.erase(ANN, "asked for", world.request())

    with pytest.raises(DecisionRefused, match="erased"):
        renamed(world, first)

    assert world.storage._files == {}
    assert sorted(editions(world)) == [1]


def test_who_was_killed_between_the_document_and_its_record_can_do_it_again() -> None:
    world, configuration = world_with("ann")
    first = credential_id(configuration, ANN)
    world.storage.after_next_put = lambda: (_ for _ in ()).throw(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        renamed(world, first)
    assert living(world) == [1]
    assert world.verifying.verify(first).holds

    done = renamed(world, first)

    assert living(world) == [2]
    assert b"Ann Novak" in world.credentials.document(done.credential_id)
