"""Reissuing many: those on which something changes, batch by batch, as often as it takes."""

from dataclasses import replace
from datetime import timedelta

import pytest

from testamur.application.choosing import Choice
from testamur.application.considering import Wish
from testamur.application.errors import StorageError
from testamur.application.issuing import storage_stem
from testamur.application.ports.register import CredentialFilter, CredentialRow
from testamur.application.progress import Unwatched
from testamur.application.reissuing_many import Reissuable, Reissues
from testamur.domain.credentials import IMPORTED, CredentialStatus
from testamur.domain.errors import InvalidInput
from testamur.domain.identifiers import ConfigurationId, LearnerId, credential_id
from testamur.domain.personal_data import Person
from tests.support.records import OTHER_COURSE, course
from tests.support.world import World

AS_IT_IS = Wish()
NAMES = Wish(names_from_lms=True)
REASON = "a typo in the template"


def world_with(*learners: str) -> tuple[World, ConfigurationId]:
    world = World()
    for learner in learners:
        world.enrol(learner)
    configuration = world.configure()
    world.run(configuration)
    world.clock.advance(timedelta(days=3))
    return world, configuration


def correct(world: World, configuration: ConfigurationId, heading: str = "Diploma") -> None:
    """Correct the template."""
    world.configurations.change_options(
        configuration, {"rendering": {"heading": heading}}, world.request()
    )


def all_of(configuration: ConfigurationId) -> Choice:
    return Choice(CredentialFilter(configuration_id=configuration))


def reissuable(world: World, configuration: ConfigurationId, wish: Wish = AS_IT_IS) -> Reissuable:
    return world.reissuing_many.reissuable(all_of(configuration), wish)


def reissue(
    world: World, configuration: ConfigurationId, expect: int, wish: Wish = AS_IT_IS
) -> Reissues:
    return world.reissuing_many.reissue_many(
        all_of(configuration), wish, REASON, world.request(), expect=expect
    )


def latest(world: World) -> dict[str, CredentialRow]:
    """Return the latest edition of each learner's credential."""
    rows = sorted(world.credentials.all(CredentialFilter()), key=lambda row: row.edition)
    return {row.learner_id: row for row in rows}


def edition_numbers(world: World) -> dict[str, int]:
    return {learner: row.edition for learner, row in latest(world).items()}


def test_what_would_be_reissued_is_told_and_nothing_is_written() -> None:
    world, configuration = world_with("ann", "bob", "eve")
    world.revoke(credential_id(configuration, LearnerId("eve")))
    correct(world, configuration)
    before = len([*world.events.log()])

    found = reissuable(world, configuration)

    assert (found.count, found.unchanged, found.ended, found.failing) == (2, 0, 1, 0)
    assert [row.learner_id for row in found.first] == ["ann", "bob"]
    assert len([*world.events.log()]) == before


def test_those_that_look_otherwise_now_are_reissued_and_asking_again_finds_nothing() -> None:
    world, configuration = world_with("ann", "bob")
    correct(world, configuration)

    done = reissue(world, configuration, 2)

    assert (done.reissued, done.to_tell, done.withdrawal.withdrawn) == (2, 2, 2)
    assert edition_numbers(world) == {"ann": 2, "bob": 2}
    for row in latest(world).values():
        assert row.status is CredentialStatus.ISSUED
        assert world.credentials.document(row.credential_id).startswith(b"Diploma")
    again = reissuable(world, configuration)
    assert (again.count, again.unchanged, again.ended) == (0, 2, 2)
    assert reissue(world, configuration, 0) == Reissues()


def test_where_nothing_changes_nothing_is_reissued() -> None:
    world, configuration = world_with("ann")
    assert reissuable(world, configuration) == Reissuable(unchanged=1)


def test_what_a_type_or_context_is_called_counts_as_a_change() -> None:
    world, configuration = world_with("ann")
    definition = world.types.get("completion").definition
    world.types.revise(
        "completion", definition.model_copy(update={"name": "Diploma"}), world.request()
    )
    assert reissuable(world, configuration).count == 1
    reissue(world, configuration, 1)
    world.configurations.change_options(
        configuration, {"context": {"certificate_name": "Mathematics"}}, world.request()
    )
    assert reissuable(world, configuration).count == 1


def test_those_whose_name_is_another_in_the_lms_are_reissued() -> None:
    world, configuration = world_with("ann", "bob", "eve")
    world.enrol("bob", name="Bob Novak")
    del world.source.known_people["eve"]
    assert reissuable(world, configuration).count == 0

    found = reissuable(world, configuration, NAMES)
    assert (found.count, found.unchanged, found.failing) == (1, 1, 1)
    assert [(each.learner_id, "learner" in each.why) for each in found.failures] == [("eve", True)]
    done = reissue(world, configuration, 1, NAMES)

    assert (done.reissued, done.failing) == (1, 1)
    assert edition_numbers(world) == {"ann": 1, "bob": 2, "eve": 1}
    assert b"Bob Novak" in world.credentials.document(latest(world)["bob"].credential_id)


def test_an_address_that_is_another_is_no_reason_to_reissue() -> None:
    world, configuration = world_with("ann")
    world.enrol("ann", email="elsewhere@example.org")
    assert reissuable(world, configuration, NAMES) == Reissuable(unchanged=1)


def test_who_waits_for_a_document_gets_a_new_edition_for_a_new_name_alone() -> None:
    world = World()
    world.enrol("ann")
    configuration = world.configure()
    world.runs.carry_out(world.runs.start(configuration, world.request()), Unwatched())
    correct(world, configuration)
    assert reissuable(world, configuration) == Reissuable(unchanged=1)
    world.enrol("ann", name="Ann Novak")

    done = reissue(world, configuration, 1, NAMES)

    assert done.reissued == 1
    assert latest(world)["ann"].status is CredentialStatus.ISSUED


def test_what_another_system_issued_gets_a_new_edition_for_a_new_name_alone() -> None:
    world, configuration = world_with("ann")
    known = world.credentials.get(credential_id(configuration, LearnerId("ann")))
    imported = replace(known, rendering=IMPORTED)
    editions = world.editions
    ready = editions.ready(configuration)

    def renamed(person: Person) -> Person:
        return person.model_copy(update={"full_name": "Ann Novak"})

    same = editions.next_of(imported, ready, lambda person: person)
    assert not editions.changes(imported, same)
    assert editions.changes(imported, editions.next_of(imported, ready, renamed))


def test_all_that_were_issued_before_a_moment_are_reissued_once() -> None:
    world, configuration = world_with("ann")
    before = world.clock.now()
    world.enrol("bob")
    world.run(configuration)
    wish = Wish(issued_before=before)
    world.clock.advance(timedelta(days=1))

    assert reissue(world, configuration, 1, wish).reissued == 1

    assert edition_numbers(world) == {"ann": 2, "bob": 1}
    assert reissuable(world, configuration, wish).count == 0


def test_a_moment_to_come_is_refused() -> None:
    world, configuration = world_with("ann")
    to_come = world.clock.now() + timedelta(seconds=1)
    for moment in (to_come, world.clock.now().replace(tzinfo=None)):
        with pytest.raises(InvalidInput, match="issued_before"):
            reissuable(world, configuration, Wish(issued_before=moment))


def test_one_that_cannot_be_drawn_keeps_no_other() -> None:
    world, configuration = world_with("ann", "bob")
    world.enrol("ann", name="Анна")
    world.enrol("bob", name="Bob Novak")

    found = reissuable(world, configuration, NAMES)
    done = reissue(world, configuration, 1, NAMES)

    assert (found.failing, done.failing, done.reissued) == (1, 1, 1)
    assert "glyph" in done.failures[0].why
    assert "Анна" not in done.failures[0].why
    assert edition_numbers(world) == {"ann": 1, "bob": 2}


def test_a_configuration_that_cannot_be_used_is_told_of_each_of_its_credentials() -> None:
    world = World()
    world.enrol("ann")
    world.source.facts_by_key[OTHER_COURSE] = course(OTHER_COURSE)
    broken = world.configure(criteria={"required_completion": 0.5})
    sound = world.configure(OTHER_COURSE)
    for each in (broken, sound):
        world.run(each)
    definition = world.types.get("completion").definition
    options = {"criteria": {"required_grades": {"Total": 0.5}}, "rendering": {"heading": "New"}}
    revised = definition.model_copy(update={"criteria": "grades", "options": options})
    world.types.revise("completion", revised, world.request())

    done = world.reissuing_many.reissue_many(
        Choice(CredentialFilter(type_slug="completion")),
        AS_IT_IS,
        REASON,
        world.request(),
        expect=1,
    )

    assert (done.reissued, done.failing) == (1, 1)
    assert done.failures[0].credential_id == credential_id(broken, LearnerId("ann"))
    assert "required_completion" in done.failures[0].why


def test_a_file_that_cannot_be_stored_keeps_no_other_and_can_be_tried_again() -> None:
    world, configuration = world_with("ann", "bob")
    correct(world, configuration)
    ann = storage_stem(credential_id(configuration, LearnerId("ann"), 2))
    refuse_keys_of(world, ann)

    done = reissue(world, configuration, 2)

    assert (done.reissued, done.failing) == (1, 1)
    assert edition_numbers(world) == {"ann": 1, "bob": 2}
    refuse_keys_of(world, None)
    assert reissue(world, configuration, 1).reissued == 1
    assert edition_numbers(world) == {"ann": 2, "bob": 2}


def test_a_storage_that_takes_nothing_ends_it() -> None:
    learners = [f"learner-{number}" for number in range(120)]
    world, configuration = world_with(*learners)
    correct(world, configuration)
    world.storage.broken = True
    with pytest.raises(StorageError):
        reissue(world, configuration, 120)
    assert set(edition_numbers(world).values()) == {1}


def test_another_number_than_was_confirmed_is_refused() -> None:
    world, configuration = world_with("ann", "bob")
    correct(world, configuration)
    with pytest.raises(InvalidInput, match="2: so many"):
        reissue(world, configuration, 1)
    assert edition_numbers(world) == {"ann": 1, "bob": 1}


def test_no_more_than_was_confirmed_is_reissued(monkeypatch: pytest.MonkeyPatch) -> None:
    world, configuration = world_with("ann", "bob")
    correct(world, configuration)
    counted = reissuable(world, configuration)
    world.enrol("eve")
    world.run(configuration)
    correct(world, configuration, "Certificate of Honour")
    monkeypatch.setattr(type(world.reissuing_many), "reissuable", lambda *_: counted)

    assert reissue(world, configuration, 2).reissued == 2

    assert sorted(edition_numbers(world).values()) == [1, 2, 2]


def test_everything_at_once_is_never_reissued() -> None:
    world, _ = world_with("ann")
    everything = Choice(CredentialFilter())
    with pytest.raises(InvalidInput, match="condition"):
        world.reissuing_many.reissuable(everything, AS_IT_IS)
    with pytest.raises(InvalidInput, match="condition"):
        world.reissuing_many.reissue_many(everything, AS_IT_IS, REASON, world.request(), expect=1)


def test_an_interrupted_one_goes_on_with_the_others_and_none_is_reissued_twice() -> None:
    learners = [f"learner-{number}" for number in range(40)]
    world, configuration = world_with(*learners)
    correct(world, configuration)
    world.storage.after_next_put = lambda: setattr(world.storage, "after_next_put", interrupt)

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reissue(world, configuration, 40)
    begun = sum(edition == 2 for edition in edition_numbers(world).values())
    assert 0 < begun < 40

    assert reissue(world, configuration, 40 - begun).reissued == 40 - begun

    assert set(edition_numbers(world).values()) == {2}
    living = [
        row.learner_id
        for row in world.credentials.all(CredentialFilter(status=CredentialStatus.ISSUED))
    ]
    assert sorted(living) == sorted(learners)


def test_one_revoked_in_this_moment_stays_revoked_and_its_document_goes() -> None:
    world, configuration = world_with("ann")
    correct(world, configuration)
    ann = credential_id(configuration, LearnerId("ann"))
    world.storage.after_next_put = lambda: world.revoke(ann)

    done = reissue(world, configuration, 1)

    assert done.reissued == 0
    assert latest(world)["ann"].status is CredentialStatus.REVOKED
    stem = storage_stem(credential_id(configuration, LearnerId("ann"), 2))
    assert [key for key in world.storage._files if key.startswith(stem)] == []


def test_one_reissued_by_another_in_this_moment_is_not_reissued_again() -> None:
    world, configuration = world_with("ann")
    correct(world, configuration)
    ann = credential_id(configuration, LearnerId("ann"))
    other = replace(world.reissuing, locks=World().locks)
    world.storage.after_next_put = lambda: other.reissue(
        ann, "a wedding", world.request(), full_name="Ann Novak"
    )

    assert reissue(world, configuration, 1).reissued == 0

    assert edition_numbers(world) == {"ann": 2}
    assert b"Ann Novak" in world.credentials.document(latest(world)["ann"].credential_id)
    assert len([key for key in world.storage._files if key.endswith(".txt")]) == 1


def test_learners_can_be_listed() -> None:
    world, configuration = world_with("ann", "bob")
    correct(world, configuration)
    choice = Choice(CredentialFilter(), (LearnerId("bob"),))
    done = world.reissuing_many.reissue_many(
        choice, AS_IT_IS, REASON, world.request(), expect=1, tell=False
    )
    assert (done.reissued, done.to_tell) == (1, 0)
    assert edition_numbers(world) == {"ann": 1, "bob": 2}


def refuse_keys_of(world: World, stem: str | None) -> None:
    """Let the storage refuse whatever lies under a stem; None: nothing."""

    class Keys(set[str]):
        def __contains__(self, key: object) -> bool:
            return stem is not None and str(key).startswith(f"{stem}.")

    world.storage.refuses = Keys()
