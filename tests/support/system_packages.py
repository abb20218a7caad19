"""What some tests need of the system. `make system-packages` installs it, for `.ci/run` too."""

import os
import shutil
from typing import NoReturn

import pytest


def system_program(name: str) -> str:
    """Return a program's path; where it is missing, skip the test, but not in CI."""
    path = shutil.which(name)
    return path if path is not None else missing(name)


def missing(what: str) -> NoReturn:
    """Skip the test because something is missing; in CI, a test that cannot run has failed.

    Args:
        what: Name for people.
    """
    reason = f"{what} not found; `make system-packages` installs it"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
