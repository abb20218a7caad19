"""Awarding from several threads at once: each learner ends with exactly one credential."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

from testamur.adapters.event_store.sqlite import SqliteDatabase
from testamur.adapters.no_source import NoRetrievalSource
from testamur.adapters.system import MemoryLocks, RandomIds
from testamur.application.awarding import Awarding
from testamur.application.installation import Installation
from testamur.application.ports.register import CredentialFilter
from testamur.application.serials import Serials
from testamur.domain.credentials import CredentialStatus
from tests.support.events import an_award, by, id_of

THREADS = 8
LEARNERS = 200
PAGE = 50


def test_eight_threads_that_award_the_same_learners_award_each_once(tmp_path: Path) -> None:
    learners = [f"learner-{number}" for number in range(LEARNERS)]
    with SqliteDatabase.open(tmp_path / "testamur.db") as database:
        awarding = Awarding(
            database.events,
            database.register,
            NoRetrievalSource("none is needed"),
            RandomIds(),
            Installation(ZoneInfo("UTC")),
            Serials(database.register, MemoryLocks()),
        )

        def award_all(thread: int) -> int:
            # Each thread begins elsewhere, so that pages overlap without being the same.
            begin = thread * LEARNERS // THREADS
            own_order = learners[begin:] + learners[:begin]
            attribution = by(f"user:thread-{thread}", correlation_id=uuid4())
            awarded = 0
            for start in range(0, LEARNERS, PAGE):
                page = [an_award(learner) for learner in own_order[start : start + PAGE]]
                awarded += awarding.award({id_of(each): each for each in page}, attribution)
            return awarded

        with ThreadPoolExecutor(THREADS) as pool:
            awarded = list(pool.map(award_all, range(THREADS)))

        assert sum(awarded) == LEARNERS
        tally = database.register.tally(CredentialFilter())
        assert tally.by_status == {CredentialStatus.AWARDED: LEARNERS}
        assert len(list(database.events.log())) == LEARNERS
