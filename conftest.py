"""Runs the Python examples of the README and the documentation as tests."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from sybil import Sybil
from sybil.parsers.myst import PythonCodeBlockParser, SkipParser


def enter_a_folder_of_its_own(namespace: dict[str, Any]) -> None:
    """Let a document's examples leave their files in a temporary folder."""
    namespace["_left"] = Path.cwd()
    namespace["_folder"] = tempfile.mkdtemp(prefix="testamur-docs-")
    os.chdir(namespace["_folder"])


def leave_the_folder(namespace: dict[str, Any]) -> None:
    """Go back, and remove what the examples left."""
    os.chdir(namespace["_left"])
    shutil.rmtree(namespace["_folder"])


pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser(), SkipParser()],
    patterns=["*.md"],
    setup=enter_a_folder_of_its_own,
    teardown=leave_the_folder,
).pytest()
