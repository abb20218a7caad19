"""What the files of `docs/deployment` start: commands and settings that there are."""

import re
import tomllib
from typing import Any

import pytest
import typer

from testamur.entrypoints.choices import Choices
from testamur.entrypoints.cli.app import app
from testamur.entrypoints.plugins import Plugins
from testamur.entrypoints.settings import LoadedSettings, load_settings
from tests.support.deployment import (
    DEPLOYMENT,
    PROGRAM,
    ROOT,
    Process,
    compose,
    manifests,
    processes,
    variables_in,
)

PROCESSES = tuple(processes())

#: What says where the work, and what proves it, is kept.
SHARED = (
    "database",
    "database_schema",
    "queue",
    "queue_namespace",
    "storage",
    "storage_options",
    "log_key",
    "master_key_file",
    "source",
    "source_folder",
    "source_options",
    "public_url",
    "time_zone",
)
SECRET = re.compile(r"PASSWORD|SECRET|ACCESS_KEY|_PIN|TESTAMUR_QUEUE$")
PLACEHOLDER = "change-me"

of_each = pytest.mark.parametrize("process", PROCESSES, ids=lambda process: process.name)


def loaded(process: Process, monkeypatch: pytest.MonkeyPatch) -> LoadedSettings:
    """Read the settings of a process as it will read them."""
    for name, value in process.of_testamur.items():
        monkeypatch.setenv(name, value)
    return load_settings()


def parsed(command: tuple[str, ...]) -> typer.Context:
    """Parse a command without doing it.

    Raises:
        typer.TyperException: It is none, or not so.
    """
    found: Any = typer.main.get_command(app)
    words = list(command)
    while hasattr(found, "commands"):
        found = found.commands[words.pop(0)]
    context: typer.Context = found.make_context(" ".join(command), words)
    return context


def test_workers_schedulers_and_migrations_are_started_everywhere() -> None:
    platforms = {name: [each for each in PROCESSES if each.name.startswith(name)]
                 for name in ("systemd", "compose", "kubernetes")}  # fmt: skip
    for found in platforms.values():
        assert sorted(each.command for each in found) == [
            ("database", "migrate"),
            ("scheduler",),
            ("worker",),
        ]


@of_each
def test_a_command_is_one_of_the_program(process: Process) -> None:
    parsed(process.command)


@of_each
def test_variables_are_settings_with_allowed_values(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = loaded(process, monkeypatch).settings
    chosen = Choices.of(settings, Plugins())
    assert chosen.storage.name == "s3"
    assert chosen.notifier.name == "smtp"
    assert chosen.source is not None
    assert str(settings.database).startswith("postgresql://")
    assert str(settings.queue).startswith(("redis://", "rediss://"))
    assert settings.data_folder.as_posix() == "/var/lib/testamur" or process.name.startswith(
        ("compose", "kubernetes")  # there the image says so
    )


@of_each
def test_a_key_is_a_file_that_the_process_is_given(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = loaded(process, monkeypatch).settings
    assert settings.log_key_setting in process.files
    assert str(settings.master_key_file) in process.files


@pytest.mark.parametrize("platform", ["systemd", "compose", "kubernetes"])
def test_all_processes_belong_to_one_installation(
    platform: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for process in PROCESSES:
        if process.name.startswith(platform):
            with monkeypatch.context() as patched:
                settings = loaded(process, patched).settings
            found.append({name: getattr(settings, name) for name in SHARED})
    assert len(found) == 3
    assert found[0] == found[1] == found[2]


@of_each
def test_a_worker_tells_how_it_is_and_no_one_else_listens(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = loaded(process, monkeypatch).settings
    if process.command != ("worker",):
        assert settings.metrics_host == "127.0.0.1"
    elif process.name.startswith("systemd"):
        assert (settings.metrics_port, settings.metrics_host) == (9109, "127.0.0.1")
    else:
        assert (settings.metrics_port, settings.metrics_host) == (9109, "0.0.0.0")


def test_nothing_secret_stands_where_it_is_seen() -> None:
    (configuration,) = (each for each in manifests() if each["kind"] == "ConfigMap")
    in_the_open = variables_in(DEPLOYMENT / "systemd" / "environment.example")
    for given in (configuration["data"], in_the_open):
        assert not [name for name in given if SECRET.search(name)]
    as_written = (DEPLOYMENT / "compose.yaml").read_text("utf-8")
    for name, value in re.findall(r"^ +([A-Z_]+): (.*)$", as_written, re.MULTILINE):
        if SECRET.search(name):
            assert re.search(r"\$\{[A-Z0-9_]+:\?\}", value), name


def test_examples_of_secrets_are_of_no_use_as_they_are() -> None:
    examples = [
        *variables_in(DEPLOYMENT / "systemd" / "secrets.example").values(),
        *(
            value
            for name, value in variables_in(DEPLOYMENT / "compose.env.example").items()
            if SECRET.search(name) and name != "S3_ACCESS_KEY"
        ),
        *(
            value
            for each in manifests()
            if each["kind"] == "Secret"
            for value in each["stringData"].values()
        ),
    ]
    assert len(examples) > 10
    assert all(PLACEHOLDER in value for value in examples)


def test_the_image_has_what_the_files_rely_on() -> None:
    image = (DEPLOYMENT / "Dockerfile").read_text("utf-8")
    package = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    (extras,) = re.findall(r"^ARG EXTRAS=(.*)$", image, re.MULTILINE)
    assert set(extras.split(",")) <= set(package["project"]["optional-dependencies"])
    assert "postgres" in extras.split(",")
    (folder,) = re.findall(r"^ENV PATH=([^:]*):", image, re.MULTILINE)
    assert f"{folder}/testamur" == PROGRAM
    assert re.findall(r"^ENTRYPOINT (.*)$", image, re.MULTILINE) == ['["tini", "--", "testamur"]']
    (user,) = re.findall(r"^USER (\d+):\d+$", image, re.MULTILINE)
    (data,) = re.findall(r"TESTAMUR_DATA_FOLDER=(\S+)$", image, re.MULTILINE)
    version = package["project"]["version"]
    for each in manifests():
        if each["kind"] in ("Deployment", "Job"):
            pod = each["spec"]["template"]["spec"]
            (container,) = pod["containers"]
            assert container["image"] == f"registry.example.org/testamur:{version}"
            assert pod["securityContext"]["runAsUser"] == int(user)
            assert data in {mount["mountPath"] for mount in container["volumeMounts"]}
    for service in compose()["services"].values():
        if service["image"] == "testamur":
            assert any(volume.endswith(f":{data}") for volume in service["volumes"])


def test_the_image_is_built_from_files_that_there_are() -> None:
    image = (DEPLOYMENT / "Dockerfile").read_text("utf-8")
    let_in = {
        line[1:]
        for line in (DEPLOYMENT / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
        if line.startswith("!")
    }
    copied = [
        source
        for sources in re.findall(r"^COPY (?!--from)(.*) \S+$", image, re.MULTILINE)
        for source in sources.split()
    ]
    assert "testamur" in copied
    for source in copied:
        assert (ROOT / source).exists()
        assert source.partition("/")[0] in let_in
    build = compose()["services"]["worker"]["build"]
    assert (DEPLOYMENT / build["context"]).resolve() == ROOT
    assert (ROOT / build["dockerfile"]).is_file()
