import subprocess
import sys

import pytest

from testamur.application.options import Renderers
from testamur.domain.errors import InvalidInput
from testamur.entrypoints.renderers import RENDERERS, InstalledRenderers


@pytest.mark.parametrize("name", sorted(RENDERERS))
def test_a_renderer_is_found_by_the_name_that_it_has(name: str) -> None:
    renderers = InstalledRenderers()
    assert renderers[name].name == name
    assert renderers[name] is renderers[name]


def test_a_renderer_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(InvalidInput, match="allowed: pdf"):
        Renderers(InstalledRenderers()).named("crayon")


def test_opening_an_installation_loads_nothing_that_draws() -> None:
    code = "import sys, testamur.entrypoints.library; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"fpdf", "pikepdf", "uharfbuzz", "fontTools"} & set(loaded)
