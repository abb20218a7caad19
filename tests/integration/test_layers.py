"""The contracts in pyproject.toml hold, and each of them can be broken."""

import os
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path

import grimp
import pytest
from packaging.requirements import Requirement

PROJECT = Path(__file__).parents[2]

HEXAGON = "the hexagon"
DOMAIN_PACKAGES = "the domain knows pydantic and no other package"
DOMAIN_PURITY = "the domain does no I/O, reads no clock and draws no random number"
APPLICATION_PORTS = "the application reaches the outside through its ports"


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    plain = {name: value for name, value in os.environ.items() if name != "FORCE_COLOR"}
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=folder,
        env={**plain, "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the package and its contracts, to be changed freely."""
    shutil.copy(PROJECT / "pyproject.toml", tmp_path)
    shutil.copytree(
        PROJECT / "testamur",
        tmp_path / "testamur",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    return tmp_path


def test_the_package_keeps_its_contracts(copy: Path) -> None:
    linted = lint_imports(copy)

    assert linted.returncode == 0, linted.stdout + linted.stderr
    assert "4 kept, 0 broken" in linted.stdout


@pytest.mark.parametrize(
    ("module", "line", "broken"),
    [
        ("domain/planted.py", "import testamur.adapters", HEXAGON),
        ("application/planted.py", "from testamur import entrypoints", HEXAGON),
        ("adapters/planted.py", "import testamur.entrypoints", HEXAGON),
        ("helpers.py", "", HEXAGON),
        ("domain/planted.py", "import httpx", DOMAIN_PACKAGES),
        ("domain/planted.py", "import random", DOMAIN_PURITY),
        ("application/planted.py", "def late() -> None:\n    import redis", APPLICATION_PORTS),
    ],
)
def test_a_planted_violation_breaks_its_contract(
    copy: Path, module: str, line: str, broken: str
) -> None:
    (copy / "testamur" / module).write_text(f"{line}\n")

    linted = lint_imports(copy)

    assert linted.returncode == 1, linted.stdout + linted.stderr
    assert f"{broken} BROKEN" in linted.stdout


def test_every_dependency_but_pydantic_is_closed_to_the_domain() -> None:
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    project = settings["project"]
    lines = chain(project["dependencies"], *project["optional-dependencies"].values())
    declared = {Requirement(line).name.lower() for line in lines}
    import_names = {
        name
        for name, distributions in packages_distributions().items()
        if declared & {distribution.lower() for distribution in distributions}
    }

    contracts = {one["name"]: one for one in settings["tool"]["importlinter"]["contracts"]}
    closed = contracts[DOMAIN_PACKAGES]["forbidden_modules"]

    assert import_names - set(closed) == {"pydantic"}


def test_the_domain_imports_only_the_standard_library_and_pydantic() -> None:
    graph = grimp.build_graph("testamur", include_external_packages=True, cache_dir=None)
    domain = {"testamur.domain", *graph.find_descendants("testamur.domain")}
    imported = {
        name.partition(".")[0]
        for module in domain
        for name in graph.find_modules_directly_imported_by(module)
    }

    assert imported <= {"testamur", "pydantic", "pydantic_core", *sys.stdlib_module_names}
