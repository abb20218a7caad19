"""What tests of PDFs share."""

from collections.abc import Iterator

import pytest

from tests.support.vera import Vera, running_vera


@pytest.fixture(scope="session")
def vera() -> Iterator[Vera]:
    """Return a running veraPDF, or skip the test where it cannot run."""
    with running_vera() as running:
        yield running
