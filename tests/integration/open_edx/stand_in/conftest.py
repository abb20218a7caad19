"""The stand-in LMS that tests only read, and a client of it."""

from collections.abc import Iterator

import httpx
import pytest

from tests.support.open_edx import (
    StandInLms,
    client_of,
    stand_in,
)


@pytest.fixture(scope="module")
def lms() -> Iterator[StandInLms]:
    """One stand-in for the tests that only read."""
    with stand_in() as running:
        yield running


@pytest.fixture(scope="module")
def client(lms: StandInLms) -> Iterator[httpx.Client]:
    with client_of(lms) as ready:
        yield ready
