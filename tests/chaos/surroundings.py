"""The surroundings: all servers of an installation, started and ended with a round."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from random import Random
from typing import Final

from testamur import Settings, Testamur
from testamur.entrypoints.setting_values import PostgresUrl, RedisUrl
from tests.chaos import holders
from tests.chaos.erasures import Erasures
from tests.chaos.learners import enrolled
from tests.chaos.services import Service
from tests.chaos.stage import Stage
from tests.support.faulty_proxy import faulty_proxy
from tests.support.open_edx import stand_in
from tests.support.postgres_server import started_postgres
from tests.support.s3_server import S3Server
from tests.support.smtp_server import smtp_server
from tests.support.valkey_server import started_valkey
from tests.support.workers import Program, installed

_ROOT: Final = Path(__file__).parents[2]
_THREADS: Final = 2


@contextmanager
def set_up(folder: Path, s3: S3Server, seed: int) -> Iterator[Stage]:
    """Start everything but the programs of the installation.

    Args:
        folder: Where data and logs lie.
        s3: The S3 server; it gets a bucket more.
        seed: Of the learners.
    """
    population, expected = enrolled(seed)
    bucket = s3.fresh_bucket()
    with ExitStack() as running:
        lms = running.enter_context(stand_in(population))
        mail = running.enter_context(smtp_server(folder, security="none"))
        proxy = running.enter_context(faulty_proxy(s3.port))
        valkey = running.enter_context(started_valkey())
        postgres = running.enter_context(started_postgres())
        settings = Settings(
            data_folder=folder / "data",
            database=PostgresUrl(postgres.fresh_database()),
            database_reconnect_seconds=1.0,
            queue=RedisUrl(valkey.url()),
            source="open-edx",
            source_options={
                "url": lms.url,
                "client_id": lms.client_id,
                "client_secret": lms.client_secret,
                "page_size": 200,
                "requests_per_minute": 6_000,
                "timeout_seconds": 3,
                "attempts": 3,
            },
            storage="s3",
            storage_options=s3.options(bucket, endpoint=proxy.endpoint, timeout_seconds=2),
            notifier="smtp",
            smtp_host="127.0.0.1",
            smtp_port=mail.port,
            smtp_security="none",
            smtp_timeout_seconds=3,
        )
        installation = running.enter_context(installed(folder, settings))
        installation.environment = {
            "PYTHONPATH": os.pathsep.join([str(_ROOT), os.environ.get("PYTHONPATH", "")]),
            "dramatiq_queue_prefetch": str(_THREADS),  # as `testamur worker` has it
            holders.VARIABLE: str(folder / "holders"),
        }
        (folder / "holders").mkdir()
        dice = Random(seed)
        erasures = Erasures.among(settings, mail.mailbox, expected.eligible, dice)
        yield Stage(
            folder, settings, expected, lms, mail.mailbox, proxy, s3, bucket, valkey, postgres,
            installation, [], [], dice, erasures,
        )  # fmt: skip


def start_programs(stage: Stage) -> None:
    """Start a worker of two processes, another of one, and two schedulers."""
    numbers = count(1)

    def worker(processes: int) -> Service:
        def start() -> Program:
            return stage.installation.start(
                "dramatiq", "tests.chaos.quick_worker", "--processes", str(processes),
                "--threads", str(_THREADS),
            )  # fmt: skip

        return Service(f"worker {next(numbers)}", start, start())

    stage.workers += [worker(2), worker(1)]
    start = stage.installation.start_scheduler
    stage.schedulers += [Service(f"scheduler {next(numbers)}", start, start()) for _ in range(2)]


def opened(stage: Stage) -> Testamur:
    """Open the installation in this process."""
    return Testamur.open(stage.settings, actor="user:registrar")
