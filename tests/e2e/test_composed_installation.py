"""An installation as the compose file describes it, on real servers, without the containers."""

import os
import subprocess
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from urllib.request import urlopen

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from testamur import Testamur
from testamur.entrypoints.settings import load_settings
from tests.support.deployment import (
    DEPLOYMENT,
    Process,
    compose,
    manifest,
    processes,
    variables_in,
)
from tests.support.installation import configure_completion, write_course
from tests.support.postgres_server import PostgresServer
from tests.support.program import command, in_a_process
from tests.support.s3_server import ACCESS_KEY, SECRET_KEY, S3Server
from tests.support.smtp_server import HOST, Mailbox, free_port, smtp_server
from tests.support.valkey_server import ValkeyServer
from tests.support.workers import Program

pytestmark = pytest.mark.e2e

LEARNERS = 5
PATIENCE_SECONDS = 60.0

#: What the compose file asks to find out whether a container is well, and Kubernetes of a worker.
_CHECK, _PROGRAM, *HEALTH_CHECK = compose()["services"]["worker"]["healthcheck"]["test"]
(_CONTAINER,) = manifest("Deployment", "testamur-worker")["spec"]["template"]["spec"]["containers"]
PROBES = [_CONTAINER[name]["httpGet"] for name in ("livenessProbe", "readinessProbe")]


class Containers:
    """What the compose file starts, each as a process.

    Args:
        folder: Holds what is mounted in containers.
        mailbox: What learners are told.
        elsewhere: Variables that lead to the servers of the tests, in place of the file's.
        more: Variables that the file has no need of.
    """

    def __init__(
        self, folder: Path, mailbox: Mailbox, elsewhere: dict[str, str], more: dict[str, str]
    ) -> None:
        self.mailbox = mailbox
        self.elsewhere = elsewhere
        self.started: list[Program] = []
        self._folder = folder
        self._more = more
        self._found = {
            each.name.partition(" ")[2]: each
            for each in processes()
            if each.name.startswith("compose ")
        }

    def process(self, name: str) -> Process:
        """Return what the file says of a container."""
        return self._found[name]

    def environment(self, name: str) -> dict[str, str]:
        """Return the variables of a container, with the addresses of the tests' servers."""
        moved = {
            variable: value.replace("/run/secrets", str(self._folder / "secrets")).replace(
                "/srv/exports", str(self._folder / "exports")
            )
            for variable, value in self.process(name).environment.items()
        }
        here = {name: value for name, value in self.elsewhere.items() if name in moved}
        return {"PATH": os.defpath, **moved, **here, **self._more}

    def run(self, name: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a container's command, or another one in it, to its end."""
        chosen = words or self.process(name).command
        return in_a_process(self._folder, *chosen, environment=self.environment(name))

    def start(self, name: str) -> Program:
        """Start a container whose command goes on."""
        log = self._folder / f"{name}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                command(*self.process(name).command),
                cwd=self._folder,
                env=self.environment(name),
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        self.started.append(Program(process, log))
        return self.started[-1]

    def until(self, comes_true: Callable[[], bool]) -> None:
        """Wait until something comes true, while all that was started goes on."""
        until = time.monotonic() + PATIENCE_SECONDS
        while not comes_true():
            ended = [each for each in self.started if each.process.poll() is not None]
            if ended or time.monotonic() > until:
                raise AssertionError("\n".join(each.told()[-5_000:] for each in self.started))
            time.sleep(0.05)


@pytest.fixture
def containers(
    tmp_path: Path, postgres: PostgresServer, valkey: ValkeyServer, s3: S3Server
) -> Iterator[Containers]:
    """The containers, with all that they need; what is still going on is ended."""
    write_course(tmp_path / "exports", eligible=[f"Ann Example {n}" for n in range(LEARNERS)])
    _write_keys(tmp_path / "secrets")
    variables = variables_in(DEPLOYMENT / "compose.env.example")
    login = (variables["SMTP_USERNAME"], variables["SMTP_PASSWORD"])
    with smtp_server(tmp_path, login=login) as mail:
        found = Containers(
            tmp_path,
            mail.mailbox,
            {
                "TESTAMUR_DATABASE": postgres.fresh_database(),
                "TESTAMUR_QUEUE": valkey.fresh_database(),
                "TESTAMUR_STORAGE_OPTIONS__ENDPOINT": s3.endpoint,
                "TESTAMUR_STORAGE_OPTIONS__BUCKET": s3.fresh_bucket(),
                "TESTAMUR_STORAGE_OPTIONS__ACCESS_KEY": ACCESS_KEY,
                "TESTAMUR_STORAGE_OPTIONS__SECRET_KEY": SECRET_KEY,
                "TESTAMUR_SMTP_HOST": HOST,
                "TESTAMUR_METRICS_HOST": HOST,
                "TESTAMUR_METRICS_PORT": str(free_port()),
            },
            {
                "TESTAMUR_DATA_FOLDER": str(tmp_path / "data"),  # the image says so
                "TESTAMUR_SMTP_PORT": str(mail.port),
                "TESTAMUR_SMTP_CA_FILE": str(mail.ca_file),
            },
        )
        try:
            yield found
        finally:
            for program in found.started:
                if program.process.poll() is None:
                    program.kill()


def _write_keys(folder: Path) -> None:
    folder.mkdir()
    key = Ed25519PrivateKey.generate()
    (folder / "log-key").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    (folder / "master-key").write_bytes(b64encode(os.urandom(32)))
    for file in folder.iterdir():
        file.chmod(0o400)


def test_what_the_compose_file_starts_issues_and_tells(
    containers: Containers, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrated = containers.run("migrate")
    assert migrated.returncode == 0, migrated.stderr
    for name, value in containers.environment("worker").items():
        monkeypatch.setenv(name, value)
    with Testamur.open(load_settings().settings) as testamur:
        testamur.enable(configure_completion(testamur))
        worker = containers.start("worker")
        scheduler = containers.start("scheduler")
        testamur.tick()  # the scheduler's own first one comes with the next minute

        containers.until(lambda: testamur.tally().notifications == {"sent": LEARNERS})

        checked = containers.run("worker", *HEALTH_CHECK)
        assert checked.returncode == 0, checked.stdout + checked.stderr
        port = os.environ["TESTAMUR_METRICS_PORT"]
        for page in (probe["path"] for probe in PROBES):
            with urlopen(f"http://{HOST}:{port}{page}", timeout=10) as answer:
                assert answer.status == HTTPStatus.OK
        assert len(containers.mailbox.received) == LEARNERS
        assert all(
            testamur.document(each.credential_id).startswith(b"%PDF")
            for each in testamur.credentials()
        )
        assert worker.stop() == 0
        assert scheduler.process.poll() is None
        scheduler.stop()


def test_a_container_whose_servers_are_away_is_not_healthy(containers: Containers) -> None:
    containers.elsewhere["TESTAMUR_QUEUE"] = f"redis://{HOST}:{free_port()}/0"
    assert containers.run("worker", *HEALTH_CHECK).returncode == 1
