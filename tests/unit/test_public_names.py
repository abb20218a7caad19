"""The public names: complete, real, and loaded only when used."""

import subprocess
import sys

import pytest

import testamur


def test_every_public_name_is_there() -> None:
    assert set(testamur.__all__) == {"__version__", *testamur._PUBLIC}
    for name in testamur.__all__:
        assert getattr(testamur, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'unheard_of'"):
        getattr(testamur, "unheard_of")  # noqa: B009 - a type checker refuses the plain form


def test_importing_the_domain_loads_no_other_layer() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, testamur.domain; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()

    layers = {name.split(".")[1] for name in loaded if name.startswith("testamur.")}
    assert layers == {"domain"}
