"""The compose file: as its specification says, with servers that lose nothing."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.support.deployment import DEPLOYMENT, compose, variables_in


def check(file: Path) -> subprocess.CompletedProcess[str]:
    """Check a file against the schema of the Compose Specification."""
    return subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec",
         str(file)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_the_file_is_as_the_specification_says() -> None:
    checked = check(DEPLOYMENT / "compose.yaml")
    assert checked.returncode == 0, checked.stdout


def test_it_still_is_when_its_variables_are_filled_in(tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text(yaml.safe_dump(compose()), "utf-8")
    checked = check(file)
    assert checked.returncode == 0, checked.stdout


def test_the_specification_would_refuse_a_slip(tmp_path: Path) -> None:
    document = yaml.safe_load((DEPLOYMENT / "compose.yaml").read_text("utf-8"))
    document["services"]["worker"]["healthcheck"]["intervall"] = "5s"
    file = tmp_path / "compose.yaml"
    file.write_text(yaml.safe_dump(document), "utf-8")
    checked = check(file)
    assert checked.returncode == 1
    assert "intervall" in checked.stdout


def test_the_example_of_variables_has_all_that_are_needed_and_no_other() -> None:
    text = (DEPLOYMENT / "compose.yaml").read_text("utf-8")
    given = variables_in(DEPLOYMENT / "compose.env.example")
    assert {name for name in given if f"${{{name}:" in text} == set(given)
    compose()  # raises where one is missing


def test_what_is_mounted_is_declared() -> None:
    document = compose()
    named = {
        volume.partition(":")[0]
        for service in document["services"].values()
        for volume in service.get("volumes", ())
        if not volume.startswith((".", "/"))
    }
    assert named == set(document["volumes"])


@pytest.mark.parametrize("name", ["migrate", "worker", "scheduler"])
def test_a_process_waits_for_servers_that_tell_when_they_are_ready(name: str) -> None:
    services = compose()["services"]
    waits_for = services[name]["depends_on"]
    for other, how in waits_for.items():
        if how["condition"] == "service_healthy":
            assert services[other]["healthcheck"]["test"]
        else:
            assert (other, how["condition"]) == ("migrate", "service_completed_successfully")
    assert "postgres" in waits_for or "migrate" in waits_for


def test_the_queue_keeps_what_it_is_given() -> None:
    words = compose()["services"]["valkey"]["command"]
    options = dict(zip(words[1::2], words[2::2], strict=True))
    assert (options["--appendonly"], options["--appendfsync"]) == ("yes", "always")
    assert options["--requirepass"]


def test_no_port_is_open_to_the_outside() -> None:
    assert not [name for name, each in compose()["services"].items() if "ports" in each]


@pytest.mark.parametrize("name", ["migrate", "worker", "scheduler"])
def test_a_process_can_write_nothing_but_its_cache(name: str) -> None:
    service = compose()["services"][name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["volumes"] == ["cache:/var/lib/testamur", "./exports:/srv/exports:ro"]
