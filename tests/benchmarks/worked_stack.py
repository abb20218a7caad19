"""A stack at work: the servers, one worker with so many processes, and what their work takes."""

import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
import redis
from dramatiq import Message

from testamur import ConfigurationId, CredentialFilter, Settings, Testamur
from testamur.adapters.dramatiq_queue import redis_broker, redis_client
from testamur.adapters.dramatiq_queue.messages import FOLLOW_QUEUE, SCHEDULE_QUEUE
from testamur.entrypoints.setting_values import PostgresUrl, RedisUrl
from tests.benchmarks.measuring import stopwatch
from tests.support.postgres_server import PostgresServer, started_postgres
from tests.support.s3_server import S3Server, started_s3
from tests.support.smtp_server import HOST, Received, smtp_server
from tests.support.valkey_server import ValkeyServer, started_valkey
from tests.support.workers import Program, installed

_LONGEST_SECONDS: Final = 1_800.0
_ASK_AGAIN_SECONDS: Final = 0.01
_TICKS_A_SECOND: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Servers:
    """The servers that all measurements share."""

    queue: ValkeyServer
    database: PostgresServer
    storage: S3Server


@contextmanager
def started_servers() -> Iterator[Servers]:
    """Run a queue, a database and a storage while the context lasts."""
    with started_valkey() as queue, started_postgres() as database, started_s3() as storage:
        yield Servers(queue, database, storage)


@dataclass(frozen=True)
class WorkedStack:
    """A worker that waits for what the scheduler sends.

    Args:
        settings: Of the installation.
        testamur: Its library, in this process.
        worker: The program.
        received: What learners were told until now.
    """

    settings: Settings
    testamur: Testamur
    worker: Program
    received: list[Received]

    def tick(self, configuration: ConfigurationId, learners: int) -> tuple[float, float]:
        """Enable, tick, and wait until all learners were told and that is recorded.

        Args:
            configuration: The only one that is due.
            learners: How many of them there are.

        Returns:
            Seconds from the tick to the first message, and until all was done.
        """
        before = len(self.received)
        all_told = {"sent": learners}
        where = CredentialFilter(configuration_id=configuration)
        self.testamur.enable(configuration)
        begun = time.monotonic()
        self._send(SCHEDULE_QUEUE, "tick")
        self._until(lambda: len(self.received) > before)
        first = time.monotonic() - begun
        self._until(lambda: len(self.received) >= before + learners)
        self._until(lambda: self.testamur.tally(where).notifications == all_told)
        seconds = time.monotonic() - begun
        self.testamur.disable(configuration, "it was measured")
        return first, seconds

    def follow(self) -> float:
        """Let the worker seal the log and bring the audit trail on, and return the seconds."""
        done = "task=follow_log outcome=done"
        before = self.worker.told().count(done)
        with stopwatch() as watch:
            self._send(FOLLOW_QUEUE, "follow_log")
            self._until(lambda: self.worker.told().count(done) > before)
        return watch.seconds

    def cpu_seconds(self) -> float:
        """Return the CPU time of all worker processes until now."""
        ticks = 0
        for process in self.worker.children():
            # After the name in brackets; utime and stime are the fields 14 and 15, see proc(5).
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / _TICKS_A_SECOND

    def peak_mib(self) -> float:
        """Return the most memory that one of the worker processes has held, in MiB."""
        statuses = [Path(f"/proc/{each}/status").read_text() for each in self.worker.children()]
        held = [re.findall(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE) for status in statuses]
        return max(int(kib) for (kib,) in held) / 1024

    def database_bytes(self) -> int:
        """Return how large the database is, with its indexes."""
        address = self.settings.database_location
        assert isinstance(address, PostgresUrl)
        with psycopg.connect(address.reveal()) as connection:
            found = connection.execute("SELECT pg_database_size(current_database())").fetchone()
        assert found is not None
        return int(found[0])

    def queue_bytes(self) -> int:
        """Return the most memory that the queue's server has held."""
        assert isinstance(self.settings.queue, RedisUrl)
        with redis.Redis.from_url(self.settings.queue.reveal()) as client:
            return int(client.info("memory")["used_memory_peak"])

    def _send(self, queue: str, actor: str) -> None:
        assert isinstance(self.settings.queue, RedisUrl)
        client = redis_client(self.settings.queue.reveal())
        broker = redis_broker(client, self.settings.queue_namespace)
        broker.enqueue(Message(queue_name=queue, actor_name=actor, args=(), kwargs={}, options={}))
        client.close()

    def _until(self, comes_true: Callable[[], bool]) -> None:
        until = time.monotonic() + _LONGEST_SECONDS
        while not comes_true():
            if time.monotonic() > until or self.worker.process.poll() is not None:
                raise TimeoutError(self.worker.told()[-5_000:])
            time.sleep(_ASK_AGAIN_SECONDS)


@contextmanager
def worked_stack(
    servers: Servers, folder: Path, *, processes: int, threads: int
) -> Iterator[WorkedStack]:
    """Start a worker for a fresh installation on the servers.

    Args:
        servers: Each gives a database or bucket of its own.
        folder: Holds ``source`` with the data files.
        processes: Of the worker.
        threads: Of each process.
    """
    with smtp_server(folder, security="none") as mail:
        storage = servers.storage.options(servers.storage.fresh_bucket())
        settings = Settings(
            data_folder=folder / "data",
            source_folder=folder / "source",
            database=PostgresUrl(servers.database.fresh_database()),
            queue=RedisUrl(servers.queue.fresh_database()),
            storage="s3",
            storage_options=storage,
            public_url="https://certificates.example.org",
            notifier="smtp",
            smtp_host=HOST,
            smtp_port=mail.port,
            smtp_security="none",
        )
        with Testamur.open(settings) as testamur, installed(folder, settings) as installation:
            worker = installation.start_worker(
                "--processes", str(processes), "--threads", str(threads)
            )
            yield WorkedStack(settings, testamur, worker, mail.mailbox.received)
            if worker.stop():
                raise AssertionError(worker.told()[-5_000:])


@contextmanager
def bench_folder() -> Iterator[Path]:
    """Give a folder that is removed with the context."""
    with tempfile.TemporaryDirectory(prefix="testamur-bench-") as name:
        yield Path(name)
