"""What tests of hostile templates share."""

import pytest


@pytest.fixture(params=["none", "pdf/a"])
def conformance(request: pytest.FixtureRequest) -> str:
    """Each way in which a document conforms, one after the other."""
    return str(request.param)
