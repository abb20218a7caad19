"""A process killed anywhere on its way: what it left is finished, nothing twice, nothing lost."""

import email
import email.policy
import hashlib
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from testamur import CredentialFilter, Settings, Testamur
from testamur.application.ports.event_store import EventStore
from testamur.domain.credentials import CredentialAwarded, CredentialIssued
from testamur.entrypoints.container import Wiring
from tests.support.crashing import work_in_a_process
from tests.support.installation import configure_completion, settings_in, write_course
from tests.support.pdf import text_of

pytestmark = pytest.mark.e2e

NAMES = ("Ann Example", "Zoë Müller", "Иван Петров", "Łucja Żak", "Ångström Ö")


def _installation(folder: Path, learners: int) -> Settings:
    """Return a fresh installation in which so many learners are eligible, and two are not."""
    names = [f"{NAMES[number % len(NAMES)]} {number}" for number in range(learners)]
    write_course(folder / "source", eligible=names, not_eligible=["Too Early", "Not Yet"])
    settings = settings_in(folder)
    with Testamur.open(settings) as testamur:
        configure_completion(testamur)
    return settings


def _assert_all_is_done(settings: Settings, learners: int) -> None:
    wiring = Wiring.of(settings)
    try:
        logged = [each.recorded for each in wiring.resolve(EventStore).log()]
    finally:
        wiring.close()
    awarded = {
        each.stream_id: each.event for each in logged if isinstance(each.event, CredentialAwarded)
    }
    by_learner = Counter(event.learner_id for event in awarded.values())
    assert len(by_learner) == learners
    assert set(by_learner.values()) == {1}
    issued = [each for each in logged if isinstance(each.event, CredentialIssued)]
    assert Counter(each.stream_id for each in issued) == Counter(dict.fromkeys(awarded, 1))
    for each in issued:
        assert isinstance(each.event, CredentialIssued)
        (artifact,) = each.event.artifacts
        content = (settings.files_folder / artifact.storage_key).read_bytes()
        assert hashlib.sha256(content).hexdigest() == artifact.sha256
        person = awarded[each.stream_id].person
        assert person is not None
        assert person.full_name in text_of(content)
    documents = {path.stem for path in settings.files_folder.glob("credentials/*/*.pdf")}
    assert documents == {str(each) for each in awarded}
    messages = [
        email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        for path in settings.messages_folder.glob("*.eml")
    ]
    assert {str(each["Message-ID"]) for each in messages} == {
        f"<issued.{id_}@testamur.invalid>" for id_ in awarded
    }
    with Testamur.open(settings) as testamur:
        assert all(run.completed for run in testamur.runs())
        assert testamur.tally(CredentialFilter()).notifications == {"sent": learners}


def test_killed_at_any_point_it_is_finished_by_the_next_tick(tmp_path: Path) -> None:
    whole = work_in_a_process(_installation(tmp_path / "whole", learners=5))
    assert whole is not None
    assert len(whole) > 25

    def killed_and_resumed(kill_at: int) -> None:
        settings = _installation(tmp_path / str(kill_at), learners=5)
        assert work_in_a_process(settings, kill_at=kill_at) is None, whole[kill_at - 1]
        assert work_in_a_process(settings) is not None
        _assert_all_is_done(settings, learners=5)

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(killed_and_resumed, at) for at in range(1, len(whole) + 1)]:
            done.result()


def test_killed_again_and_again_it_is_finished_in_the_end(tmp_path: Path) -> None:
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")  # noqa: T201 - pytest shows it when the test fails
    moments = random.Random(seed)
    settings = _installation(tmp_path, learners=100)
    killed = 0
    # The first does not live long enough to do it all, on a quick machine either.
    # Each after it gets a little longer, so that even a slow machine comes to an end.
    while (
        work_in_a_process(settings, kill_after_seconds=moments.uniform(0, 0.2) + killed / 10)
        is None
    ):
        killed += 1
    assert killed > 0
    _assert_all_is_done(settings, learners=100)


def test_nothing_is_recorded_as_issued_before_its_file_is_durable(tmp_path: Path) -> None:
    points = work_in_a_process(_installation(tmp_path, learners=5))
    assert points is not None
    before = points[: points.index(("append", "CredentialIssued"))]
    folder = tmp_path / "data" / "files"
    documents = {path.name: path for path in folder.glob("credentials/*/*.pdf")}
    named = [(at, name) for at, (action, name) in enumerate(before) if action == "rename"]
    assert sorted(name for _, name in named) == sorted(documents)
    contents = [
        at
        for at, (action, path) in enumerate(before)
        if action == "fsync" and Path(path).parent == folder / ".incoming"
    ]
    assert len(contents) == len(documents)
    for at, name in named:
        # The content was durable before it got its name, and its folder's entry after that.
        assert max(contents) < at
        assert ("fsync", str(documents[name].parent)) in before[at:]
