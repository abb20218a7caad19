"""Awards by hand: what is frozen in them, who gets none, and what meets a run."""

from datetime import date

import pytest

from testamur.application.awardees import Awardee, Prospective
from testamur.application.ports.register import CredentialFilter, CredentialRow
from testamur.application.ports.tasks import IssueAwarded
from testamur.domain.credentials import CredentialStatus
from testamur.domain.errors import DecisionRefused, InvalidInput
from testamur.domain.identifiers import ConfigurationId, LearnerId, RunId
from testamur.domain.personal_data import Person
from tests.support.records import COURSE
from tests.support.world import World

REASON = "passed the oral exam of 2026-05-30"


def ann(**changes: object) -> Awardee:
    return Awardee(LearnerId("l-1"), "Ann Example", **changes)  # type: ignore[arg-type]


def award(
    world: World, configuration: ConfigurationId, awardee: Awardee, reason: str = REASON
) -> Prospective:
    return world.manual_awards.award(configuration, awardee, reason, world.request())


def rows(world: World) -> list[CredentialRow]:
    return world.register.credentials(CredentialFilter(), 100)


def test_the_award_freezes_the_person_and_the_reason() -> None:
    world = World()
    id_ = world.configure()
    found = award(world, id_, ann(email="ann@example.org", locale="pl"))
    assert found.outcome == "award"
    assert found.credential_id is not None
    awarded = world.credentials.get(found.credential_id).awarded
    assert awarded.person == Person(full_name="Ann Example", email="ann@example.org", locale="pl")
    assert (awarded.context_name, awarded.award_date) == (COURSE, date(2026, 6, 1))
    evidence = awarded.evidence
    assert (evidence.source, evidence.criteria, evidence.results) == (
        "manual",
        {"kind": "manual"},
        (),
    )
    assert evidence.note == REASON


def test_it_is_recorded_in_the_name_of_who_asked() -> None:
    world = World()
    id_ = world.configure()
    found = award(world, id_, ann())
    assert found.credential_id is not None
    (first, *_) = world.events.load(found.credential_id)
    assert first.attribution.actor == "user:registrar"


def test_the_ordinary_passes_issue_it_and_tell_the_learner() -> None:
    world = World()
    id_ = world.configure()
    request = world.request()
    world.manual_awards.award(id_, ann(email="ann@example.org"), REASON, request)
    world.queue.send(IssueAwarded(RunId(request.correlation_id)))
    (row,) = rows(world)
    assert (row.status, row.notification) == (CredentialStatus.ISSUED, "sent")
    assert [each.email for each in world.notifier.sent] == ["ann@example.org"]


def test_without_an_address_the_learner_is_not_told_and_the_document_is_made() -> None:
    world = World()
    id_ = world.configure()
    award(world, id_, ann())
    world.tick()
    (row,) = rows(world)
    assert (row.status, row.notification) == (CredentialStatus.ISSUED, "skipped")


def test_who_holds_it_is_told_so_and_gets_no_second_one() -> None:
    world = World()
    id_ = world.configure()
    first = award(world, id_, ann())
    again = award(world, id_, ann())
    assert (again.outcome, again.credential_id) == ("already-held", first.credential_id)
    assert len(rows(world)) == 1


def test_who_was_revoked_is_refused_and_pointed_to_a_reissue() -> None:
    world = World()
    id_ = world.configure()
    first = award(world, id_, ann())
    assert first.credential_id is not None
    world.revoke(first.credential_id)
    again = award(world, id_, ann())
    assert again.outcome == "refused"
    assert "reissue" in str(again.detail)
    assert [row.status for row in rows(world)] == [CredentialStatus.REVOKED]


def test_who_holds_the_new_edition_of_a_revoked_one_is_no_mistake() -> None:
    world = World()
    id_ = world.configure()
    first = award(world, id_, ann())
    world.tick()
    assert first.credential_id is not None
    world.revoke(first.credential_id)
    world.reissuing.reissue(first.credential_id, "by mistake", world.request())
    assert award(world, id_, ann()).outcome == "already-held"


def test_a_name_that_cannot_be_drawn_is_refused() -> None:
    world = World()
    id_ = world.configure()
    found = award(world, id_, Awardee(LearnerId("l-1"), "Анна"))
    assert (found.outcome, found.detail) == ("refused", "the font has no glyph for a character")
    assert rows(world) == []


@pytest.mark.parametrize(
    "reason", ["", "  ", "asked for by ann@example.org", "Ann Example passed the exam"]
)
def test_a_reason_is_needed_that_names_nobody(reason: str) -> None:
    world = World()
    id_ = world.configure()
    with pytest.raises(InvalidInput, match="reason"):
        award(world, id_, ann(), reason)
    assert rows(world) == []


def test_a_day_to_come_is_refused_and_one_that_has_passed_is_not() -> None:
    world = World()
    id_ = world.configure()
    with pytest.raises(InvalidInput, match="a day until 2026-06-01"):
        award(world, id_, ann(award_date=date(2026, 6, 2)))
    found = award(world, id_, ann(award_date=date(2020, 2, 29)))
    assert found.credential_id is not None
    assert world.credentials.get(found.credential_id).awarded.award_date == date(2020, 2, 29)


def test_nobody_is_awarded_by_what_is_retired() -> None:
    world = World()
    id_ = world.configure()
    world.types.retire("completion", "replaced", world.request())
    with pytest.raises(DecisionRefused, match="retired"):
        award(world, id_, ann())


@pytest.mark.parametrize(
    ("learner_id", "name", "others"),
    [
        ("ann@example.org", "Ann", {}),
        ("l-1", " ", {}),
        ("l-1", "Ann\x00", {}),
        ("l-1", "Ann", {"email": "nowhere"}),
        ("l-1", "Ann", {"locale": "polski!"}),
    ],
)
def test_what_is_no_person_is_refused(learner_id: str, name: str, others: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        Awardee.parse(learner_id, name, **others)  # type: ignore[arg-type]


def a_list(count: int) -> list[Awardee]:
    return [Awardee(LearnerId(f"l-{number:04}"), f"Learner {number}") for number in range(count)]


def test_a_list_is_looked_at_without_writing_anything() -> None:
    world = World()
    id_ = world.configure()
    award(world, id_, Awardee(LearnerId("l-0001"), "Learner 1"))
    listed = [*a_list(3), Awardee(LearnerId("l-0003"), "Анна")]
    found = world.manual_awards.look(id_, listed, REASON)
    assert (found.awarded, found.already_held, found.refused) == (2, 1, 1)
    assert [each.awardee.learner_id for each in found.first] == ["l-0000", "l-0002"]
    assert [each.awardee.learner_id for each in found.refusals] == ["l-0003"]
    assert len(rows(world)) == 1


def test_a_list_is_awarded_and_again_awards_nobody() -> None:
    world = World()
    id_ = world.configure()
    listed = a_list(1100)
    first = world.manual_awards.award_many(id_, iter(listed), REASON, world.request())
    again = world.manual_awards.award_many(id_, iter(listed), REASON, world.request())
    assert (first.awarded, first.already_held) == (1100, 0)
    assert (again.awarded, again.already_held) == (0, 1100)


def test_a_learner_who_is_named_twice_is_awarded_once() -> None:
    world = World()
    id_ = world.configure()
    found = world.manual_awards.award_many(id_, [ann(), ann()], REASON, world.request())
    assert (found.awarded, found.refused) == (1, 1)
    assert len(rows(world)) == 1


def test_a_run_that_was_first_in_this_moment_keeps_the_learner() -> None:
    world = World()
    id_ = world.configure(serial={"per": "issuer", "format": "UNI-{number}"})
    world.enrol("l-1")
    world.locks.before_next = lambda: world.run(id_)
    found = world.manual_awards.award_many(id_, [ann(), *a_list(1)], REASON, world.request())
    assert (found.awarded, found.already_held) == (1, 1)
    by_learner = {row.learner_id: row.serial for row in rows(world)}
    assert by_learner == {"l-1": "UNI-1", "l-0000": "UNI-2"}
    holder = next(row for row in rows(world) if row.learner_id == "l-1")
    assert world.credentials.get(holder.credential_id).awarded.evidence.source == "tests"


def test_awards_by_hand_and_by_runs_are_numbered_together() -> None:
    world = World()
    id_ = world.configure(serial={"per": "issuer", "format": "UNI-{year}-{number:03}"})
    world.enrol("l-7")
    award(world, id_, ann())
    world.run(id_)
    assert [row.serial for row in rows(world)] == ["UNI-2026-001", "UNI-2026-002"]
