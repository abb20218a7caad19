"""The systemd units: taken by systemd, confined, and given the time that a worker needs."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from dramatiq.cli import make_argument_parser

from tests.support.deployment import DEPLOYMENT, PROGRAM, UNITS, compose, manifest, sections
from tests.support.system_packages import system_program

#: Of ten; what asks for a network cannot come much lower.
MOST_EXPOSED = 2.0

of_each = pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """All units, with a program in the place of the one that is to be installed."""
    program = tmp_path / "testamur"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for unit in (DEPLOYMENT / "systemd").iterdir():
        if unit.suffix in (".service", ".target"):
            text = unit.read_text("utf-8").replace(PROGRAM, str(program))
            (tmp_path / unit.name).write_text(text, "utf-8")
    return tmp_path


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [system_program("systemd-analyze"), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_systemd_has_nothing_to_say_against_a_unit(installed: Path) -> None:
    units = sorted(map(str, installed.glob("*.*")))
    assert len(units) == 4
    found = analyze("verify", "--man=no", *units)
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


def test_systemd_would_say_so(installed: Path) -> None:
    unit = installed / "testamur-worker.service"
    unit.write_text(unit.read_text("utf-8").replace("KillMode=", "KilMode="), "utf-8")
    assert "KilMode" in analyze("verify", "--man=no", str(unit)).stderr


@of_each
def test_a_service_is_hardly_exposed(unit: Path) -> None:
    threshold = str(round(10 * MOST_EXPOSED))
    found = analyze("security", "--offline=true", f"--threshold={threshold}", str(unit))
    assert found.returncode == 0, found.stdout[-500:]


@of_each
def test_a_service_is_nobody_of_importance_and_writes_to_one_folder(unit: Path) -> None:
    service = dict(sections(unit)["Service"])
    assert service["User"] == "testamur"
    assert service["NoNewPrivileges"] == "yes"
    assert service["ProtectSystem"] == "strict"
    assert service["CapabilityBoundingSet"] == ""
    assert service["StateDirectory"] == "testamur"
    assert "ReadWritePaths" not in service


@of_each
def test_a_unit_has_sections_that_systemd_knows_and_starts_the_program(unit: Path) -> None:
    assert set(sections(unit)) <= {"Unit", "Service", "Install"}
    commands = [value for name, value in sections(unit)["Service"] if name.startswith("Exec")]
    assert len(commands) == 1
    assert commands[0].startswith(f"{PROGRAM} ")


def test_the_target_wants_what_belongs_to_it() -> None:
    target = dict(sections(DEPLOYMENT / "systemd" / "testamur.target")["Unit"])
    belonging = [
        unit.name for unit in UNITS if ("PartOf", "testamur.target") in sections(unit)["Unit"]
    ]
    assert sorted(target["Wants"].split()) == belonging
    assert belonging == ["testamur-scheduler.service", "testamur-worker.service"]


def test_migrating_stops_who_works() -> None:
    unit = dict(sections(DEPLOYMENT / "systemd" / "testamur-migrate.service")["Unit"])
    assert unit["Conflicts"] == "testamur-worker.service testamur-scheduler.service"
    # Else it would not wait until they have stopped.
    assert set(unit["Conflicts"].split()) <= set(
        dict(sections(DEPLOYMENT / "systemd" / "testamur-migrate.service")["Unit"])["After"].split()
    )


def test_a_worker_is_given_the_time_that_it_takes_at_most() -> None:
    parser: Any = make_argument_parser()  # type: ignore[no-untyped-call]
    dramatiq_seconds = parser.get_default("worker_shutdown_timeout") / 1000
    service = dict(sections(DEPLOYMENT / "systemd" / "testamur-worker.service")["Service"])
    pod = manifest("Deployment", "testamur-worker")["spec"]["template"]["spec"]
    minutes = compose()["services"]["worker"]["stop_grace_period"].removesuffix("m")
    for given in (
        int(service["TimeoutStopSec"]),
        pod["terminationGracePeriodSeconds"],
        60 * int(minutes),
    ):
        assert dramatiq_seconds < given < 2 * dramatiq_seconds


def test_a_worker_is_told_once_to_stop() -> None:
    service = dict(sections(DEPLOYMENT / "systemd" / "testamur-worker.service")["Service"])
    assert (service["KillMode"], service["KillSignal"]) == ("mixed", "SIGTERM")
    assert service["Restart"] == "always"
