from pathlib import Path

import pytest

from testamur.application.options import Renderers
from testamur.domain.errors import InvalidInput
from testamur.entrypoints.plugins import BUILT_IN, BrokenPlugin, Group
from testamur.entrypoints.renderers import InstalledRenderers
from tests.support.pdf import MemoryAssets, template
from tests.support.plugins import Installer
from tests.support.world import PlainOptions, World


@pytest.mark.parametrize("name", sorted(BUILT_IN[Group.RENDERING]))
def test_a_renderer_is_found_by_the_name_that_it_has(name: str) -> None:
    renderers = InstalledRenderers()
    assert renderers[name].name == name
    assert renderers[name] is renderers[name]


def test_a_renderer_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(InvalidInput, match="allowed: pdf"):
        Renderers(InstalledRenderers()).named("crayon")


def test_compiled_templates_are_kept_in_the_cache_folder(tmp_path: Path) -> None:
    renderer = InstalledRenderers(cache_folder=tmp_path)["pdf"]
    options = renderer.options_model.model_validate({"template": "blank"})
    renderer.prepare(options, MemoryAssets({"blank": template()}))
    assert len([*(tmp_path / "templates").iterdir()]) == 1


def test_a_renderer_is_found_by_its_path_and_goes_by_it() -> None:
    path = "tests.support.world:PlainRenderer"
    renderer = Renderers(InstalledRenderers()).named(path)
    assert renderer.name == path
    assert renderer.options_model is PlainOptions
    prepared = renderer.prepare(PlainOptions(heading="Diploma"), World().assets)
    assert prepared.digest != renderer.prepare(PlainOptions(), World().assets).digest


def test_a_path_that_leads_nowhere_is_refused() -> None:
    with pytest.raises(InvalidInput, match="there is no module no_such_package"):
        Renderers(InstalledRenderers()).named("no_such_package:Crayon")


def test_a_renderer_that_cannot_be_made_is_broken_and_the_others_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = (
        "from pydantic import BaseModel\n"
        "class Options(BaseModel): pass\n"
        "class Crayon:\n"
        "    options_model = Options\n"
        "    def __init__(self): raise OSError('no paper')\n"
        "    def prepare(self, options, assets): pass\n"
    )
    installer = Installer(tmp_path, monkeypatch)
    installer.install(
        "crayons", {"testamur.rendering": {"crayon": "crayons_:Crayon"}}, {"crayons_": module}
    )
    renderers = Renderers(InstalledRenderers())
    with pytest.raises(BrokenPlugin, match=r"crayon.*OSError: no paper"):
        renderers.named("crayon")
    assert renderers.named("pdf").name == "pdf"
    with pytest.raises(InvalidInput, match="allowed: crayon, pdf"):
        renderers.named("pencil")
