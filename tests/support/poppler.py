"""Poppler's programs (Debian: poppler-utils), which judge PDFs by code of their own."""

import subprocess
from pathlib import Path

from tests.support.system_packages import system_program


def poppler(program: str, *arguments: str | Path) -> str:
    """Run a program and return what it prints; where it is missing, skip the test, but not in CI.

    Args:
        program: ``pdfsig``, ``pdfinfo``….
        arguments: What follows its name.
    """
    ran = subprocess.run(
        [system_program(program), *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return ran.stdout + ran.stderr
