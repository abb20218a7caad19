"""What tests of PDFs share."""

from collections.abc import Iterator

import pytest

from tests.support.softhsm import SoftHsm, softhsm_in
from tests.support.vera import Vera, running_vera


@pytest.fixture(scope="session")
def vera() -> Iterator[Vera]:
    """Return a running veraPDF, or skip the test where it cannot run."""
    with running_vera() as running:
        yield running


@pytest.fixture(scope="session")
def hsm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoftHsm]:
    """Return SoftHSM, or skip the test where there is none."""
    with softhsm_in(tmp_path_factory.mktemp("softhsm")) as running:
        yield running
