"""An LMS stands in for the real one: empty, and installed while a test runs."""

from collections.abc import Iterator

import pytest

from testamur.adapters.open_edx_python.options import OpenEdxPythonOptions
from testamur.adapters.open_edx_python.source import OpenEdxPythonSource
from tests.support.edx_platform import StandInLms


@pytest.fixture
def lms() -> Iterator[StandInLms]:
    """An LMS without courses and users, installed."""
    stand_in = StandInLms()
    with stand_in.installed():
        yield stand_in


@pytest.fixture
def source() -> OpenEdxPythonSource:
    """The source, with chunks of two learners."""
    return OpenEdxPythonSource(OpenEdxPythonOptions(chunk_size=2))
