"""Workers that award the pages of one run at the same time, some of them twice."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from testamur.application import division
from testamur.application.progress import Unwatched
from testamur.domain.credentials import CredentialStatus
from testamur.domain.run_results import RunCounts
from testamur.domain.runs import LearnersRefused, RunCompleted
from tests.support.databases import Database
from tests.support.world import World


@pytest.mark.parametrize("seed", range(3))
def test_everybody_is_awarded_once_and_the_run_is_completed_once(
    database: Database, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(division, "PAGE_SIZE", 4)
    monkeypatch.setattr(division, "FEW", 2)
    world = World(database=database)
    for number in range(60):
        world.enrol(f"learner-{number}")
    for number in range(20):
        world.enrol(f"unwritable-{number}", name="Łucja")
    world.enrol("begun", completion="0.5")
    run_id = world.runs.start(world.configure(), world.request())
    left = list(world.divided_runs.divide(run_id, Unwatched()).left)
    places = left * 2
    random.Random(seed).shuffle(places)

    with ThreadPoolExecutor(8) as workers:
        for done in [
            workers.submit(world.divided_runs.award_page, run_id, place, Unwatched())
            for place in places
        ]:
            done.result()
    # Where two pages were the last at the same moment, each may have left it to the other.
    world.divided_runs.divide(run_id, Unwatched())

    assert world.runs.get(run_id).counts == RunCounts(
        evaluated=81, not_eligible=1, eligible=80, awarded=60, refused=20
    )
    assert world.tally().by_status == {CredentialStatus.AWARDED: 60}
    events = [each.event for each in world.events.load(run_id)]
    assert sum(isinstance(event, RunCompleted) for event in events) == 1
    refused = [
        refusal.learner_id
        for event in events
        if isinstance(event, LearnersRefused)
        for refusal in event.refusals
    ]
    assert sorted(refused) == sorted(f"unwritable-{number}" for number in range(20))
