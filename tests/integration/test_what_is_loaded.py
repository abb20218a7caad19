"""What a fresh process loads: no more than what was asked for needs."""

import subprocess
import sys
from pathlib import Path

import pytest

from testamur.adapters.open_edx_python.platform import Place


def modules_after(code: str, folder: Path) -> set[str]:
    """Return the names of the modules that a process has loaded at its end."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_importing_the_domain_loads_no_other_layer(tmp_path: Path) -> None:
    loaded = modules_after("import testamur.domain", tmp_path)

    layers = {name.split(".")[1] for name in loaded if name.startswith("testamur.")}
    assert layers == {"domain"}


def test_importing_the_library_loads_nothing_that_draws(tmp_path: Path) -> None:
    loaded = modules_after("import testamur.entrypoints.library", tmp_path)

    assert not {"fpdf", "pikepdf", "uharfbuzz", "fontTools"} & loaded


def test_listing_plugins_loads_none_of_them(tmp_path: Path) -> None:
    code = (
        "from testamur.entrypoints.plugins import Group, Plugins\n"
        "assert all(Plugins().names(group) for group in Group)"
    )

    loaded = modules_after(code, tmp_path)

    assert not [name for name in loaded if name.startswith("testamur.adapters")]


def test_opening_an_installation_looks_at_no_entry_point_and_loads_no_client(
    tmp_path: Path,
) -> None:
    code = (
        "import importlib.metadata as metadata\n"
        "read = metadata.entry_points\n"
        "def refuse(group):\n"
        "    assert not group.startswith('testamur'), group\n"
        "    return read(group=group)\n"
        "metadata.entry_points = refuse\n"
        "from testamur import Settings, Testamur\n"
        "Testamur.open(Settings(data_folder='data', source_folder='source')).close()"
    )

    loaded = modules_after(code, tmp_path)

    assert not {"fpdf", "httpx", "minio"} & loaded


def test_the_source_inside_open_edx_is_made_without_the_platform(tmp_path: Path) -> None:
    code = (
        "from testamur.adapters.open_edx_python.source import OpenEdxPythonSource as Source\n"
        "Source(Source.options_model())"
    )

    loaded = modules_after(code, tmp_path)

    assert "testamur.adapters.open_edx_python.platform" in loaded
    platform = {place.partition(":")[0].partition(".")[0] for place in Place}
    assert not platform & loaded


@pytest.mark.parametrize("module", ["httpx", "testamur.adapters.system"])
def test_what_is_loaded_is_seen(tmp_path: Path, module: str) -> None:
    assert module in modules_after(f"import {module}", tmp_path)
