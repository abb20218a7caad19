"""The files of `docs/deployment`, as those who start processes from them read them."""

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parents[2]
DEPLOYMENT: Final = ROOT / "docs" / "deployment"
UNITS: Final = tuple(sorted((DEPLOYMENT / "systemd").glob("*.service")))
MANIFESTS: Final = (
    *sorted((DEPLOYMENT / "kubernetes").glob("*.yaml")),
    DEPLOYMENT / "kubernetes" / "secret.yaml.example",
)

#: Where the program is, for systemd and in the image.
PROGRAM: Final = "/opt/testamur/bin/testamur"

#: What systemd makes of its specifiers for a service of the system, see systemd.unit(5).
_SPECIFIERS: Final = {"%S": "/var/lib", "%d": "/run/credentials/testamur"}

_VARIABLE: Final = re.compile(r"\$\{([A-Z0-9_]+)(?::([?-])([^}]*))?\}")


@dataclass(frozen=True)
class Process:
    """A process that a file starts.

    Args:
        name: Of the file or service.
        command: Words after the program's name.
        environment: What it finds.
        files: Where it finds secrets as files.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    files: frozenset[str] = field(default_factory=frozenset)

    @property
    def of_testamur(self) -> dict[str, str]:
        """The variables that are settings."""
        return {
            name: value for name, value in self.environment.items() if name.startswith("TESTAMUR_")
        }


def processes() -> Iterator[Process]:
    """Yield every process of Testamur that the files start."""
    yield from map(_of_unit, UNITS)
    for name, service in compose()["services"].items():
        if service["image"] == "testamur":
            yield _of_service(name, service)
    for manifest in manifests():
        if manifest["kind"] in ("Deployment", "Job"):
            yield _of_pod(manifest)


def sections(unit: Path) -> dict[str, list[tuple[str, str]]]:
    """Return the directives of a unit, section by section; names may come again."""
    found: dict[str, list[tuple[str, str]]] = {}
    for line in unit.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = found.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            name, _, value = line.partition("=")
            section.append((name, value))
    return found


def variables_in(file: Path) -> dict[str, str]:
    """Return what a file of variables says, one a line, as systemd and compose read it."""
    lines = file.read_text(encoding="utf-8").splitlines()
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name: "".join(shlex.split(value)) for name, _, value in pairs}


@cache
def compose() -> Any:
    """Return the compose file with the variables of its example filled in."""
    given = variables_in(DEPLOYMENT / "compose.env.example")
    return _filled(yaml.safe_load((DEPLOYMENT / "compose.yaml").read_text("utf-8")), given)


@cache
def manifests() -> tuple[Any, ...]:
    """Return the documents of all manifests."""
    return tuple(
        document for file in MANIFESTS for document in yaml.safe_load_all(file.read_text("utf-8"))
    )


def manifest(kind: str, name: str) -> Any:
    """Return the manifest of a kind and name."""
    (found,) = (
        each for each in manifests() if each["kind"] == kind and each["metadata"]["name"] == name
    )
    return found


def _filled(value: Any, given: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _filled(each, given) for name, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, given) for each in value]
    if not isinstance(value, str):
        return value

    def fill(found: re.Match[str]) -> str:
        name, how, default = found.groups()
        return given.get(name, default) if how == "-" else given[name]

    return _VARIABLE.sub(fill, value).replace("$$", "$")


def _of_unit(unit: Path) -> Process:
    environment: dict[str, str] = {}
    files = set()
    command: list[str] = []
    for name, value in sections(unit)["Service"]:
        said = value
        for specifier, meant in _SPECIFIERS.items():
            said = said.replace(specifier, meant)
        match name:
            case "Environment":
                variable, _, text = said.partition("=")
                environment[variable] = text
            case "EnvironmentFile":
                # Settings in files go before those in the unit, see systemd.exec(5).
                environment |= variables_in(DEPLOYMENT / "systemd" / f"{Path(said).name}.example")
            case "LoadCredential":
                files.add(f"{_SPECIFIERS['%d']}/{said.partition(':')[0]}")
            case "ExecStart":
                command = said.split()
    assert command[0] == PROGRAM
    return Process(f"systemd {unit.stem}", tuple(command[1:]), environment, frozenset(files))


def _of_service(name: str, service: Any) -> Process:
    return Process(
        f"compose {name}",
        tuple(service["command"]),
        service["environment"],
        frozenset(f"/run/secrets/{secret}" for secret in service["secrets"]),
    )


def _of_pod(manifest_: Any) -> Process:
    pod = manifest_["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    environment: dict[str, str] = {}
    for source in container["envFrom"]:
        (kind, reference) = next(iter(source.items()))
        if kind == "configMapRef":
            environment |= manifest("ConfigMap", reference["name"])["data"]
        else:
            environment |= manifest("Secret", reference["name"])["stringData"]
    environment |= {each["name"]: each["value"] for each in container.get("env", ())}
    mounts = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
    files = {
        f"{mounts[volume['name']]}/{key}"
        for volume in pod["volumes"]
        if "secret" in volume
        for key in manifest("Secret", volume["secret"]["secretName"])["stringData"]
    }
    return Process(
        f"kubernetes {manifest_['metadata']['name']}",
        tuple(container["args"]),
        environment,
        frozenset(files),
    )
