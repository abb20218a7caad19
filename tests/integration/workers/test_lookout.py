"""What database and queue tell of an installation, on the real servers."""

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from testamur import Settings, Testamur
from testamur.adapters.metrics.catalogue import (
    AUDIT_TRAIL_LAG,
    AWAITING_ISSUE,
    AWAITING_NOTIFICATION,
    LOG_EVENTS,
    OPEN_RUNS,
    QUEUE_MESSAGES,
    SEALING_LAG,
    Metric,
)
from testamur.application.errors import EventStoreError
from testamur.application.issuing import Issuing
from testamur.application.progress import Unwatched
from testamur.application.running import Runs
from testamur.entrypoints.container import Wiring
from testamur.entrypoints.lookout import Lookout
from testamur.entrypoints.setting_values import RedisUrl
from tests.support.installation import configure_completion, write_course
from tests.support.postgres_server import started_postgres
from tests.support.valkey_server import ValkeyServer

pytestmark = pytest.mark.integration

LEARNERS = 5


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(tmp_path: Path, valkey: ValkeyServer, request: pytest.FixtureRequest) -> Settings:
    chosen: dict[str, Any] = {"queue": RedisUrl(valkey.fresh_database())}
    if request.param == "postgresql":
        chosen["database"] = request.getfixturevalue("postgres").fresh_database()
    write_course(tmp_path / "source", eligible=[f"Ann {number}" for number in range(LEARNERS)])
    return Settings(data_folder=tmp_path / "data", source_folder=tmp_path / "source", **chosen)


def told(lookout: Lookout) -> dict[tuple[Metric, tuple[str, ...]], float]:
    samples = [*lookout.of_database(), *lookout.of_queue()]
    return {(sample.metric, sample.labels): sample.value for sample in samples}


def test_what_waits_is_told_until_it_is_done(settings: Settings) -> None:
    with Testamur.open(settings) as testamur, Lookout(settings) as lookout:
        configuration = configure_completion(testamur)
        run_id = testamur.start_run(configuration)
        started = told(lookout)
        assert started[OPEN_RUNS, ("new",)] == 1
        assert started[QUEUE_MESSAGES, ("runs", "waiting")] == 1

        with closing(Wiring.of(settings)) as wiring:
            wiring.resolve(Runs).carry_out(run_id, Unwatched())
        awarded = told(lookout)
        assert awarded[OPEN_RUNS, ("new",)] == 0
        assert awarded[AWAITING_ISSUE, ("new",)] == LEARNERS
        assert awarded[AWAITING_ISSUE, ("failing",)] == 0
        assert awarded[AWAITING_NOTIFICATION, ("new",)] == 0
        assert awarded[LOG_EVENTS, ()] == awarded[SEALING_LAG, ()] > LEARNERS

        with closing(Wiring.of(settings)) as wiring:
            wiring.resolve(Issuing).issue_awaiting(Unwatched())
        testamur.audit.catch_up()
        done = told(lookout)
        assert done[AWAITING_ISSUE, ("new",)] == 0
        assert done[AWAITING_NOTIFICATION, ("new",)] == LEARNERS
        assert done[AUDIT_TRAIL_LAG, ()] == 0
        assert done[LOG_EVENTS, ()] > awarded[LOG_EVENTS, ()]


def test_a_database_that_was_away_is_found_again(tmp_path: Path, valkey: ValkeyServer) -> None:
    with started_postgres() as server:
        settings = Settings(
            data_folder=tmp_path / "data",
            database=server.fresh_database(),  # type: ignore[arg-type]
            queue=RedisUrl(valkey.fresh_database()),
        )
        Testamur.open(settings).close()
        with Lookout(settings) as lookout:
            assert lookout.try_database()
            server.stop()
            with pytest.raises(EventStoreError):
                lookout.try_database()
            server.start()
            assert lookout.try_database()
