"""Imports: what another system issued is taken over once, and holds like all others."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from testamur.application.awardees import Awardee
from testamur.application.errors import StorageError
from testamur.application.import_entries import ImportEntry
from testamur.application.ports.register import CredentialFilter, CredentialRow
from testamur.domain.credentials import CredentialStatus
from testamur.domain.errors import DecisionRefused, InvalidInput
from testamur.domain.identifiers import ConfigurationId, LearnerId, VerificationId
from tests.support.world import World

SYSTEM = "Old Campus"
PDF = b"%PDF-1.4 an old certificate"
DAY = date(2019, 6, 30)


def an_entry(learner_id: str = "l-1", **changes: Any) -> ImportEntry:
    """Return a credential of before with a document, with some of it changed."""
    day = changes.pop("award_date", DAY)
    awardee = Awardee(
        LearnerId(learner_id), f"Learner {learner_id}", f"{learner_id}@example.org", None, day
    )
    if "link" not in changes:
        changes.setdefault("document", lambda: PDF)
    return ImportEntry.parse(awardee, **changes)


def import_all(world: World, id_: ConfigurationId, *entries: ImportEntry) -> Any:
    return world.importing.import_all(id_, entries, SYSTEM, world.request())


def rows(world: World) -> list[CredentialRow]:
    return world.register.credentials(CredentialFilter(), 10_000)


def files(world: World) -> set[str]:
    """Return the keys of all files."""
    return set(world.storage._files)


def test_a_credential_is_issued_at_once_with_its_document_and_nobody_is_told() -> None:
    world = World()
    id_ = world.configure()
    done = import_all(world, id_, an_entry(number="OC-77", expires=date(2029, 6, 30)))
    assert (done.awarded, done.already_held, done.refused) == (1, 0, 0)
    (row,) = rows(world)
    assert (row.status, row.notification) == (CredentialStatus.ISSUED, "skipped")
    state = world.credentials.get(row.credential_id)
    awarded = state.awarded
    assert (awarded.imported_from, awarded.imported_id, awarded.serial) == (
        SYSTEM,
        "OC-77",
        "OC-77",
    )
    assert awarded.award_date == DAY
    assert awarded.expires_at == datetime(2029, 6, 30, 23, 59, 59, tzinfo=UTC)
    assert world.credentials.document(row.credential_id) == PDF
    world.tick()
    assert world.notifier.sent == []


def test_it_verifies_like_ours_and_is_revoked_like_ours() -> None:
    world = World()
    id_ = world.configure()
    import_all(world, id_, an_entry())
    (row,) = rows(world)
    assert world.verifying.verify(row.verification_id).status == "valid"
    world.revoking.revoke(row.credential_id, "by mistake", world.request())
    assert world.verifying.verify(row.verification_id).status == "revoked"


def test_it_keeps_the_public_id_that_it_had() -> None:
    world = World()
    id_ = world.configure()
    import_all(world, id_, an_entry(verification_id="old-4711-abc"))
    assert world.verifying.verify(VerificationId("old-4711-abc")).status == "valid"


def test_a_public_id_that_is_used_is_refused() -> None:
    world = World()
    id_ = world.configure()
    import_all(world, id_, an_entry(verification_id="old-4711-abc"))
    done = import_all(
        world,
        id_,
        an_entry("l-2", verification_id="old-4711-abc"),
        an_entry("l-3", verification_id="old-4712-abc"),
        an_entry("l-4", verification_id="old-4712-abc"),
    )
    assert (done.awarded, done.refused) == (1, 2)
    assert [each.awardee.learner_id for each in done.refusals] == ["l-2", "l-4"]


def test_a_document_elsewhere_is_told_and_not_kept() -> None:
    world = World()
    id_ = world.configure()
    link = "https://old.example.org/certificates/77"
    import_all(world, id_, an_entry(link=link))
    (row,) = rows(world)
    assert world.verifying.verify(row.verification_id).holds
    with pytest.raises(StorageError, match=link):
        world.credentials.document(row.credential_id)


def test_the_same_again_adds_nothing_and_does_not_read_the_documents() -> None:
    world = World()
    id_ = world.configure()
    import_all(world, id_, an_entry(), an_entry("l-2"))

    def never() -> bytes:
        raise AssertionError("it was read again")

    again = import_all(world, id_, an_entry(document=never), an_entry("l-2", document=never))
    assert (again.awarded, again.already_held) == (0, 2)
    assert len(rows(world)) == 2


def test_a_run_awards_nobody_a_second_one() -> None:
    world = World()
    id_ = world.configure()
    import_all(world, id_, an_entry("l-1"))
    world.enrol("l-1")
    world.enrol("l-2")
    world.run(id_)
    assert sorted(row.learner_id for row in rows(world)) == ["l-1", "l-2"]


def test_who_holds_one_of_a_run_gets_no_second_one_and_no_file() -> None:
    world = World()
    id_ = world.configure()
    world.enrol("l-1")
    world.run(id_)
    stored = files(world)
    done = import_all(world, id_, an_entry("l-1"))
    assert (done.awarded, done.already_held) == (0, 1)
    assert files(world) == stored


def test_a_run_that_is_first_in_this_moment_keeps_the_learner_and_its_document() -> None:
    world = World()
    id_ = world.configure()
    world.enrol("l-1")
    world.storage.after_next_put = lambda: world.run(id_)
    done = import_all(world, id_, an_entry("l-1"), an_entry("l-2"))
    assert (done.awarded, done.already_held) == (1, 1)
    by_learner = {str(row.learner_id): row for row in rows(world)}
    of_run = world.credentials.get(by_learner["l-1"].credential_id)
    assert of_run.awarded.imported_from is None
    assert b"Learner l-1" in world.credentials.document(by_learner["l-1"].credential_id)
    assert [world.storage.get(key) for key in sorted(files(world))].count(PDF) == 1


def test_what_cannot_be_stored_is_not_recorded() -> None:
    world = World()
    id_ = world.configure()
    world.storage.broken = True
    with pytest.raises(StorageError):
        import_all(world, id_, an_entry())
    assert rows(world) == []


def test_a_file_that_is_no_pdf_is_not_recorded() -> None:
    world = World()
    id_ = world.configure()
    with pytest.raises(InvalidInput, match="PDF"):
        import_all(world, id_, an_entry(document=lambda: b"<html>"))
    assert rows(world) == []


def test_looking_writes_nothing() -> None:
    world = World()
    id_ = world.configure()
    found = world.importing.look(
        id_, [an_entry(), an_entry("l-2", award_date=date(2030, 1, 1)), an_entry()], SYSTEM
    )
    assert (found.awarded, found.refused) == (1, 2)
    assert rows(world) == []
    assert files(world) == set()


def test_who_was_revoked_is_not_taken_over_again() -> None:
    world = World()
    id_ = world.configure()
    import_all(world, id_, an_entry())
    world.revoke(rows(world)[0].credential_id)
    again = import_all(world, id_, an_entry())
    assert (again.awarded, again.refused) == (0, 1)


def test_a_reissue_draws_a_document_of_ours_and_keeps_number_and_day() -> None:
    world = World()
    id_ = world.configure()
    import_all(world, id_, an_entry(number="OC-77"))
    done = world.reissuing.reissue(rows(world)[0].credential_id, "new name", world.request())
    state = world.credentials.get(done.credential_id)
    assert (state.awarded.serial, state.awarded.award_date) == ("OC-77", DAY)
    assert b"Learner l-1" in world.credentials.document(done.credential_id)


def test_an_erasure_takes_the_document_and_the_link() -> None:
    world = World()
    id_ = world.configure()
    link = "https://old.example.org/certificates/ann-example"
    import_all(world, id_, an_entry("l-1"), an_entry("l-2", link=link))
    world.following.catch_up()
    for learner in ("l-1", "l-2"):
        world.erasing.erase(LearnerId(learner), "asked for, ticket 1", world.request())
    assert files(world) == set()
    for row in rows(world):
        assert world.credentials.get(row.credential_id).awarded.document_link is None
    stored = b"".join(each.state for each in world.database.log.records(0, 100))
    assert b"ann-example" not in stored


def test_nobody_is_taken_over_into_what_is_retired() -> None:
    world = World()
    id_ = world.configure()
    world.types.retire("completion", "replaced", world.request())
    with pytest.raises(DecisionRefused, match="retired"):
        import_all(world, id_, an_entry())


@pytest.mark.parametrize(
    "changes",
    [
        {"award_date": None},
        {"expires": date(2019, 1, 1)},
        {"number": "7\n8"},
        {"verification_id": "short"},
        {"verification_id": "with space"},
        {"document": None},
        {"document": lambda: PDF, "link": "https://old.example.org/1"},
        {"link": "http://old.example.org/1"},
        {"link": "https://user:word@old.example.org/1"},
        {"link": "javascript:alert(1)"},
    ],
)
def test_what_is_no_credential_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        an_entry(**changes)


def test_a_system_without_a_name_is_refused() -> None:
    world = World()
    id_ = world.configure()
    with pytest.raises(InvalidInput, match="from"):
        world.importing.import_all(id_, [an_entry()], " ", world.request())
