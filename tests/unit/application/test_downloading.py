"""Downloading: every credential with its document, or with the reason why there is none."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest

from testamur.application.download_names import NamePattern
from testamur.application.downloading import (
    MOST_UNREADABLE_IN_A_ROW,
    READ_AHEAD,
    Absence,
    Downloaded,
    Downloading,
    Selection,
)
from testamur.application.errors import StorageError
from testamur.application.ports.register import CredentialFilter, CredentialRow, Register
from testamur.application.ports.storage import StorableFile
from testamur.application.progress import Step, Unwatched
from testamur.domain.credentials import CredentialStatus
from testamur.domain.identifiers import LearnerId
from tests.support.records import COURSE, OTHER_COURSE, course
from tests.support.world import FragileStorage, World

NAMES = NamePattern.parse("all/{name}")
ALL = Selection(CredentialFilter(), NAMES)


class UnreadableStorage(FragileStorage):
    """Storage in which some files, or all, cannot be read."""

    def __init__(self) -> None:
        super().__init__()
        self.unreadable: Callable[[str], bool] = lambda key: False
        self.before_reading: Callable[[], object] = lambda: None

    def get(self, key: str) -> bytes:
        """Read, or fail."""
        self.before_reading()
        if self.unreadable(key):
            raise StorageError("the disk makes noises")
        return super().get(key)


class CountedProgress:
    """Progress that is counted."""

    def __init__(self) -> None:
        self.told: list[tuple[Step, int]] = []

    def expect(self, step: Step, total: int) -> None:
        """Keep what is expected."""
        self.told.append((step, total))

    def advance(self, step: Step, by: int) -> None:
        """Keep what is done."""
        self.told.append((step, by))


def a_world(*learners: str) -> World:
    """Return a world in which these learners hold the credential."""
    world = World()
    world.storage = UnreadableStorage()
    world.issuing = replace(world.issuing, storage=world.storage)
    world.erasing = replace(world.erasing, storage=world.storage)
    world.work = replace(world.work, issuing=world.issuing)
    world.notifying = replace(world.notifying, storage=world.storage)
    for learner in learners:
        world.enrol(learner)
    world.run(world.configure())
    return world


def storage_of(world: World) -> UnreadableStorage:
    assert isinstance(world.storage, UnreadableStorage)
    return world.storage


def downloading(world: World) -> Downloading:
    return Downloading(world.events, world.register, world.storage, world.installation)


def download(world: World, selection: Selection = ALL) -> list[Downloaded]:
    return list(downloading(world).of(selection, Unwatched()))


def of(world: World, learner: str, selection: Selection = ALL) -> Downloaded:
    (found,) = [
        each for each in download(world, selection) if each.credential.awarded.learner_id == learner
    ]
    return found


def key_of(world: World, learner: str) -> str:
    artifact = of(world, learner).artifact
    assert artifact is not None
    return artifact.storage_key


# What comes


def test_each_document_comes_with_its_name_in_the_order_of_the_awards() -> None:
    world = a_world("ann", "bob")
    rows = world.register.credentials(CredentialFilter(), 10)
    found = download(world)
    assert [each.credential_id for each in found] == [row.credential_id for row in rows]
    assert {each.path for each in found} == {
        "all/Learner ann.txt",
        "all/Learner bob.txt",
    }
    for each in found:
        assert each.content is not None
        assert each.artifact is not None
        assert hashlib.sha256(each.content).hexdigest() == each.artifact.sha256
        assert each.issued_at == world.clock.now()
        assert each.absence is None


def test_more_than_a_page_come_all_of_them_once_and_in_order() -> None:
    learners = [f"l{number}" for number in range(450)]
    world = a_world(*learners)
    found = [each.credential.awarded.learner_id for each in download(world)]
    rows = world.register.credentials(CredentialFilter(), 1000)
    assert found == [row.learner_id for row in rows]
    assert len(found) == 450


def test_only_what_the_filter_lets_through_comes() -> None:
    world = a_world("ann", "bob")
    world.source.facts_by_key[OTHER_COURSE] = course(OTHER_COURSE)
    other = world.configurations.create("completion", OTHER_COURSE, world.request())
    world.run(other)

    def learners(**conditions: object) -> list[tuple[str, str]]:
        where = CredentialFilter(**conditions)  # type: ignore[arg-type]
        return sorted(
            (each.credential.awarded.learner_id, each.credential.awarded.context_key)
            for each in download(world, replace(ALL, where=where))
        )

    assert learners(configuration_id=other) == [("ann", OTHER_COURSE), ("bob", OTHER_COURSE)]
    assert learners(context_key=COURSE) == [("ann", COURSE), ("bob", COURSE)]
    assert learners(learner_id="ann") == [("ann", COURSE), ("ann", OTHER_COURSE)]
    assert learners(type_slug="unknown") == []


def test_namesakes_get_names_of_their_own() -> None:
    world = World()
    for learner in ("a1", "a2"):
        world.enrol(learner, name="Ann Example")
    world.run(world.configure())
    assert [each.path for each in download(world)] == [
        "all/Ann Example.txt",
        "all/Ann Example (2).txt",
    ]


def test_progress_is_told() -> None:
    world = a_world("ann", "bob")
    progress = CountedProgress()
    list(downloading(world).of(ALL, progress))
    assert progress.told == [(Step.DOWNLOAD, 2), (Step.DOWNLOAD, 1), (Step.DOWNLOAD, 1)]


def test_documents_are_read_only_a_few_ahead_of_what_is_taken() -> None:
    world = a_world(*(f"l{number}" for number in range(READ_AHEAD * 3)))
    read: list[None] = []
    storage_of(world).before_reading = lambda: read.append(None)
    found = downloading(world).of(ALL, Unwatched())
    next(found)
    next(found)
    found.close()
    assert len(read) <= READ_AHEAD + 1


# What has no document


def test_what_is_awarded_and_not_issued_has_no_document_yet() -> None:
    world = a_world()
    configuration = world.configurations.find("completion", COURSE)
    world.configurations.change_options(
        configuration, {"rendering": {"fails": True}}, world.request()
    )
    world.enrol("ann")
    world.run(configuration)
    ann = of(world, "ann")
    assert (ann.absence, ann.path, ann.content) == (Absence.NOT_ISSUED, None, None)
    assert not Absence.NOT_ISSUED.is_fault


def test_of_an_erased_learner_nothing_but_that_comes() -> None:
    world = a_world("ann", "bob")
    world.erasing.erase(LearnerId("ann"), "asked for", world.request())
    ann = of(world, "ann")
    assert (ann.absence, ann.path, ann.artifact) == (Absence.ERASED, None, None)
    assert ann.credential.awarded.person is None
    assert of(world, "bob").content is not None


def test_whoever_is_erased_while_it_is_read_is_not_told_of() -> None:
    world = a_world("ann")

    def erase() -> None:
        storage_of(world).before_reading = lambda: None
        world.erasing.erase(LearnerId("ann"), "asked for", world.request())

    storage_of(world).before_reading = erase
    ann = of(world, "ann")
    assert (ann.absence, ann.path) == (Absence.ERASED, None)
    assert ann.credential.awarded.person is None


def test_a_document_whose_learners_key_was_lost_comes_under_the_learners_id() -> None:
    world = a_world("ann")
    world.database.keys.destroy(LearnerId("ann"))
    ann = of(world, "ann")
    assert ann.path == "all/ann.txt"
    assert ann.content is not None


def test_revoked_ones_come_only_when_asked_for_from_the_archive_too() -> None:
    world = a_world("ann", "bob")
    ann = of(world, "ann")
    world.revoke(ann.credential_id)
    world.storage.archive([key_of_artifact(ann)])
    assert [each.credential.awarded.learner_id for each in download(world)] == ["bob"]
    revoked = replace(ALL, statuses=frozenset({CredentialStatus.REVOKED}))
    (found,) = download(world, revoked)
    assert found.content == ann.content
    assert found.credential.revocation_reason == "issued by mistake"


def test_what_is_revoked_while_it_is_read_is_left_out() -> None:
    world = a_world("ann", "bob")
    ann = of(world, "ann").credential_id

    class RevokedMeanwhile:
        """The register, after whose answer somebody revokes a credential."""

        def __getattr__(self, question: str) -> object:
            return getattr(world.register, question)

        def credentials(self, *question: Any) -> list[CredentialRow]:
            rows = world.register.credentials(*question)
            if rows:
                world.revoke(ann)
            return rows

    between = replace(downloading(world), register=cast(Register, RevokedMeanwhile()))
    found = [each.credential.awarded.learner_id for each in between.of(ALL, Unwatched())]
    assert found == ["bob"]


def key_of_artifact(found: Downloaded) -> str:
    assert found.artifact is not None
    return found.artifact.storage_key


# Faults


def test_a_missing_document_keeps_no_other_from_coming() -> None:
    world = a_world("ann", "bob", "eve")
    world.storage.delete([key_of(world, "bob")])
    bob = of(world, "bob")
    assert (bob.absence, bob.content, bob.path) == (
        Absence.MISSING,
        None,
        "all/Learner bob.txt",
    )
    assert [each.absence for each in download(world)] == [None, Absence.MISSING, None]


@pytest.mark.parametrize("content", [b"Certificate", b""])
def test_an_altered_document_is_told_and_not_handed_out(content: bytes) -> None:
    world = a_world("ann", "bob")
    key = key_of(world, "ann")
    issued = of(world, "ann").artifact
    assert issued is not None
    sha256 = hashlib.sha256(content).hexdigest()
    world.storage.put([StorableFile(key, content, sha256, "text/plain")])
    ann = of(world, "ann")
    assert (ann.absence, ann.content) == (Absence.ALTERED, None)
    assert issued.sha256 in ann.detail


def test_a_document_of_the_same_length_is_altered_too() -> None:
    world = a_world("ann")
    content = (of(world, "ann").content or b"").replace(b"ann", b"eve")
    sha256 = hashlib.sha256(content).hexdigest()
    world.storage.put([StorableFile(key_of(world, "ann"), content, sha256, "text/plain")])
    assert of(world, "ann").absence is Absence.ALTERED


def test_a_document_that_cannot_be_read_keeps_no_other_from_coming() -> None:
    world = a_world("ann", "bob")
    key = key_of(world, "ann")
    storage_of(world).unreadable = lambda each: each == key
    assert of(world, "ann").absence is Absence.UNREADABLE
    assert of(world, "ann").detail == "the disk makes noises"
    assert of(world, "bob").content is not None


def test_a_storage_that_cannot_be_read_at_all_is_not_asked_on_and_on() -> None:
    world = a_world(*(f"l{number}" for number in range(3 * MOST_UNREADABLE_IN_A_ROW)))
    read: list[None] = []
    storage_of(world).before_reading = lambda: read.append(None)
    storage_of(world).unreadable = lambda key: True
    with pytest.raises(StorageError, match=r"20 documents in a row cannot be read.*noises"):
        download(world)
    assert len(read) < 2 * MOST_UNREADABLE_IN_A_ROW


def test_many_unreadable_ones_among_others_are_told_one_by_one() -> None:
    world = a_world(*(f"l{number}" for number in range(3 * MOST_UNREADABLE_IN_A_ROW)))
    keys = [key_of_artifact(each) for each in download(world)]
    storage_of(world).unreadable = lambda key: keys.index(key) % 2 == 0
    absences = [each.absence for each in download(world)]
    assert absences == [Absence.UNREADABLE, None] * (3 * MOST_UNREADABLE_IN_A_ROW // 2)


def test_faults_are_told_from_what_is_in_order() -> None:
    assert {each for each in Absence if each.is_fault} == {
        Absence.MISSING,
        Absence.ALTERED,
        Absence.UNREADABLE,
    }
