"""Runs the examples of the README and the documentation as tests: Python, and commands."""

import atexit
import gc
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from sybil import Example, Sybil
from sybil.parsers.myst import CodeBlockParser, PythonCodeBlockParser, SkipParser

ROOT = Path(__file__).parent
COMMAND_SECONDS = 120


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect tests without looking for garbage, then or later: what is imported stays."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def enter_a_folder_of_its_own(namespace: dict[str, Any]) -> None:
    """Let a document's examples leave their files in a temporary folder."""
    namespace["_left"] = Path.cwd()
    namespace["_folder"] = tempfile.mkdtemp(prefix="testamur-docs-")
    os.chdir(namespace["_folder"])
    Path("examples").symlink_to(ROOT / "examples")


def run_commands(example: Example) -> str | None:
    """Run a block of commands as a reader would, in the document's folder."""
    folders = (folder_with_the_program(), str(Path(sys.executable).parent), os.environ["PATH"])
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", example.parsed],
        env=os.environ | {"PATH": os.pathsep.join(folders)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )
    return f"exit {done.returncode}\n{done.stdout}{done.stderr}" if done.returncode else None


@cache
def folder_with_the_program() -> str:
    """Prepare a program that starts at once, for as long as this process lasts."""
    # Loaded by those who run commands.
    from tests.support.warm_program import warm_program  # noqa: PLC0415

    lasting = ExitStack()
    atexit.register(lasting.close)
    return str(lasting.enter_context(warm_program()))


def leave_the_folder(namespace: dict[str, Any]) -> None:
    """Go back, and remove what the examples left."""
    os.chdir(namespace["_left"])
    shutil.rmtree(namespace["_folder"])


pytest_collect_file = Sybil(
    parsers=[
        PythonCodeBlockParser(),
        CodeBlockParser(language="bash", evaluator=run_commands),
        SkipParser(),
    ],
    patterns=["*.md"],
    setup=enter_a_folder_of_its_own,
    teardown=leave_the_folder,
).pytest()
