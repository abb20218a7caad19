"""What the tests of a source that asks a server of their own have in common."""

import pytest

from testamur.adapters.open_edx import rate_limit


@pytest.fixture(autouse=True)
def nobody_asked_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget how often servers of other tests were asked: their ports are used again."""
    monkeypatch.setattr(rate_limit, "_paces", {})
