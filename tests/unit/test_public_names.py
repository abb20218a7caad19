"""The public names: complete, and real."""

import pytest

import testamur


def test_every_public_name_is_there() -> None:
    assert set(testamur.__all__) == {"__version__", *testamur._PUBLIC}
    for name in testamur.__all__:
        assert getattr(testamur, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'unheard_of'"):
        getattr(testamur, "unheard_of")  # noqa: B009 - a type checker refuses the plain form
