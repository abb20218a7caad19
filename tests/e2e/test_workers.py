"""Workers and schedulers as processes of their own: nothing twice, nothing lost, whatever dies."""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from testamur import ConfigurationId, CredentialFilter, CredentialStatus, Settings, Testamur
from testamur.application.ports.event_store import EventStore
from testamur.application.ticking import Ticking
from testamur.domain.credentials import CredentialAwarded, CredentialIssued
from testamur.domain.runs import RunStarted
from testamur.entrypoints.container import Wiring
from testamur.entrypoints.setting_values import RedisUrl
from tests.support.installation import configure_completion, write_course
from tests.support.postgres_server import PostgresServer
from tests.support.program import in_a_process
from tests.support.smtp_server import Mailbox, smtp_server
from tests.support.valkey_server import ValkeyServer, started_valkey
from tests.support.workers import Installation, Program, installed

pytestmark = pytest.mark.e2e

LEARNERS: Final = 200
#: Seconds for each message, so that work is left when a worker ends, on a quick machine too.
SLOWLY: Final = 0.1
ACTORS: Final = "testamur.entrypoints.worker"


@dataclass
class Course:
    """An installation with a course that so many learners have completed.

    Args:
        installation: Its programs.
        testamur: Its library, in the test's own process.
        configuration: Of the one credential.
        mailbox: What learners are told.
    """

    installation: Installation
    testamur: Testamur
    configuration: ConfigurationId
    mailbox: Mailbox

    def issued(self) -> int:
        """Return how many credentials are issued by now."""
        return self.testamur.tally().by_status.get(CredentialStatus.ISSUED, 0)

    def is_all_done(self) -> bool:
        """Tell whether all learners were told."""
        return self.testamur.tally().notifications == {"sent": LEARNERS}

    def recorded(self, *kinds: type[Any]) -> Counter[tuple[str, str]]:
        """Count events by their kind and stream, from the log itself."""
        with closing(Wiring.of(self.installation.settings)) as wiring:
            logged = [each.recorded for each in wiring.resolve(EventStore).log()]
        return Counter(
            (type(each.event).__name__, str(each.stream_id))
            for each in logged
            if isinstance(each.event, kinds)
        )

    def assert_everybody_holds_one(self) -> None:
        """See that each learner was awarded once, and issued once, with a document."""
        rows = list(self.testamur.credentials(CredentialFilter()))
        assert len({row.learner_id for row in rows}) == len(rows) == LEARNERS
        events = self.recorded(CredentialAwarded, CredentialIssued)
        assert set(events.values()) == {1}
        assert Counter(kind for kind, _ in events) == {
            "CredentialAwarded": LEARNERS,
            "CredentialIssued": LEARNERS,
        }
        assert all(self.testamur.document(row.credential_id).startswith(b"%PDF") for row in rows)

    def messages(self) -> Counter[str]:
        """Count messages by their id."""
        return Counter(str(each.email["Message-ID"]) for each in self.mailbox.received)


@contextmanager
def course(folder: Path, queue: str, **settings: Any) -> Iterator[Course]:
    """Give an installation whose database is a file unless the settings say so."""
    names = [f"Ann Example {number}" for number in range(LEARNERS)]
    write_course(folder / "source", eligible=names, not_eligible=["Not Yet"])
    with smtp_server(folder, security="none") as mail:
        chosen = Settings(
            data_folder=folder / "data",
            source_folder=folder / "source",
            queue=RedisUrl(queue),
            notifier="smtp",
            smtp_host="127.0.0.1",
            smtp_port=mail.port,
            smtp_security="none",
            **settings,
        )
        with Testamur.open(chosen) as testamur, installed(folder, chosen) as installation:
            configuration = configure_completion(testamur)
            yield Course(installation, testamur, configuration, mail.mailbox)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_run_is_shared_by_workers_and_everybody_is_told_once(
    kind: str, tmp_path: Path, valkey: ValkeyServer, request: pytest.FixtureRequest
) -> None:
    settings = {}
    if kind == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        settings["database"] = server.fresh_database()
    with course(tmp_path, valkey.fresh_database(), **settings) as given:
        given.mailbox.seconds_a_message = SLOWLY / 4
        worker = given.installation.start_worker()
        given.installation.until(lambda: worker.told().count("ready for action") == 2)

        run_id = given.testamur.start_run(given.configuration)
        given.installation.until(lambda: given.testamur.run_status(run_id).settled)

        given.assert_everybody_holds_one()
        assert len(given.messages()) == LEARNERS
        assert set(given.messages().values()) == {1}
        status = given.testamur.run_status(run_id)
        assert (status.evaluated, status.awarded) == (LEARNERS + 1, LEARNERS)
        assert (status.issued, status.failed, status.left) == (LEARNERS, 0, 0)
        assert worker.stop() == 0
        # Pages are soon done, so that one process may have awarded them all.
        assert processes_that_did("award_page", worker)
        assert len(processes_that_did("issue_batch", worker)) == 2


def processes_that_did(task: str, worker: Program) -> set[str]:
    """Return the ids of a worker's processes that had a part in a task."""
    done = [line for line in worker.told().splitlines() if f"task={task} outcome=done" in line]
    return {line.split("[PID ")[1].split("]")[0] for line in done}


def test_a_reconciliation_that_is_due_is_done_by_a_worker(
    tmp_path: Path, valkey: ValkeyServer
) -> None:
    with course(tmp_path, valkey.fresh_database()) as given:
        given.testamur.run(given.configuration, limit=3)
        given.testamur.change_options(given.configuration, {"reconcile": {"every_days": 7}})
        names = [f"Ann Example {number}" for number in range(LEARNERS)]
        write_course(tmp_path / "source", eligible=(), not_eligible=names)
        given.installation.start_worker()

        with closing(Wiring.of(given.installation.settings)) as wiring:
            assert wiring.workers is not None
            (id_,) = wiring.resolve(Ticking).tick(wiring.workers).reconciling
        given.installation.until(lambda: given.testamur.reconciliation(id_).counts is not None)

        kinds = [each.proposed.kind for _, each in given.testamur.corrections()]
        assert kinds == ["no-longer-eligible"] * 3
        assert given.issued() == 3
        assert given.testamur.tick().reconciling == []


def test_two_schedulers_start_a_slot_once(tmp_path: Path, valkey: ValkeyServer) -> None:
    with course(tmp_path, valkey.fresh_database()) as given:
        given.testamur.enable(given.configuration)
        given.installation.start_worker()
        for _ in range(2):
            given.installation.start_scheduler()

        given.installation.until(given.is_all_done)

        schedulers = given.installation.programs[1:]
        scheduled = "Scheduling Actor(tick)"
        given.installation.until(lambda: all(scheduled in each.told() for each in schedulers))
        (run,) = given.testamur.runs()
        assert run.completed
        assert list(given.recorded(RunStarted).values()) == [1]
        given.assert_everybody_holds_one()
        assert set(given.messages().values()) == {1}


def test_the_plain_programs_do_as_well(tmp_path: Path, valkey: ValkeyServer) -> None:
    with course(tmp_path, valkey.fresh_database()) as given:
        given.testamur.enable(given.configuration)
        given.installation.start("dramatiq", ACTORS, "--processes", "1", "--threads", "2")
        given.installation.start("periodiq", ACTORS)

        given.installation.until(given.is_all_done)

        given.assert_everybody_holds_one()


def test_a_worker_that_is_stopped_hands_its_work_back(tmp_path: Path, valkey: ValkeyServer) -> None:
    with course(tmp_path, valkey.fresh_database()) as given:
        given.mailbox.seconds_a_message = SLOWLY
        worker = given.installation.start_worker("--processes", "1", "--threads", "1")
        run_id = given.testamur.start_run(given.configuration)
        given.installation.until(lambda: given.issued() > 0)

        assert worker.stop() == 0
        assert not given.is_all_done()
        given.mailbox.seconds_a_message = 0
        given.installation.start_worker()
        given.installation.until(lambda: given.testamur.run_status(run_id).settled)

        given.assert_everybody_holds_one()
        assert len(given.messages()) == LEARNERS
        assert set(given.messages().values()) == {1}


def test_a_worker_that_is_killed_loses_nothing(tmp_path: Path, valkey: ValkeyServer) -> None:
    with course(tmp_path, valkey.fresh_database()) as given:
        given.mailbox.seconds_a_message = SLOWLY
        worker = given.installation.start_worker()
        given.testamur.start_run(given.configuration)
        given.installation.until(lambda: given.issued() > 0)

        worker.kill()
        assert not given.is_all_done()
        given.mailbox.seconds_a_message = 0
        given.installation.start_worker()
        given.testamur.tick()
        given.installation.until(given.is_all_done)

        given.assert_everybody_holds_one()
        assert len(given.messages()) == LEARNERS


def test_the_queue_may_die_and_come_back(tmp_path: Path) -> None:
    with started_valkey() as server, course(tmp_path, server.url()) as given:
        worker = given.installation.start_worker()
        run_id = given.testamur.start_run(given.configuration)
        given.installation.until(lambda: given.issued() > 0)

        server.kill()
        server.start()
        given.testamur.tick()
        given.installation.until(lambda: given.testamur.run_status(run_id).settled)

        given.assert_everybody_holds_one()
        assert worker.stop() == 0


def test_a_run_in_the_foreground_goes_batch_by_batch_too(
    tmp_path: Path, valkey: ValkeyServer
) -> None:
    with course(tmp_path, valkey.fresh_database()) as given:
        outcome = given.testamur.run(given.configuration)

        assert outcome.counts.awarded == LEARNERS
        assert outcome.credentials.notifications == {"sent": LEARNERS}
        given.assert_everybody_holds_one()


def test_workers_need_a_queue_that_answers(tmp_path: Path) -> None:
    refused = in_a_process(tmp_path, "worker")
    assert refused.returncode == 2
    assert "queue" in refused.stderr
    assert "redis://" in refused.stderr

    (tmp_path / "testamur.toml").write_text('queue = "redis://:open-sesame@127.0.0.1:1/0"\n')
    for program in ("worker", "scheduler"):
        unreachable = in_a_process(tmp_path, program)
        assert unreachable.returncode == 1
        assert "the queue cannot be used" in unreachable.stderr
        assert "open-sesame" not in unreachable.stderr
        assert "Traceback" not in unreachable.stderr
