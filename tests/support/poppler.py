"""Poppler's programs (Debian: poppler-utils), which judge PDFs by code of their own."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest


def poppler(program: str, *arguments: str | Path) -> str:
    """Run a program and return what it prints; where it is missing, skip the test, but not in CI.

    Args:
        program: ``pdfsig``, ``pdfinfo``….
        arguments: What follows its name.
    """
    path = shutil.which(program)
    if path is None:
        missing = f"{program} (Poppler) not found; `make system-packages` installs it"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    ran = subprocess.run(
        [path, *arguments], capture_output=True, text=True, timeout=30, check=False
    )
    return ran.stdout + ran.stderr
