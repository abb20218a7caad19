"""Plugins: found by name or path, loaded when they are used, and told what is wrong with them."""

from pathlib import Path

import pytest

from testamur.domain.errors import InvalidInput
from testamur.entrypoints.plugins import BUILT_IN, OWN, BrokenPlugin, Group, Plugins, load
from tests.support.plugins import SOURCE, Installer

RETRIEVAL = Group.RETRIEVAL


@pytest.fixture
def installer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installer:
    return Installer(tmp_path / "packages", monkeypatch)


def reason_of(name: str, group: Group = RETRIEVAL) -> str:
    with pytest.raises(BrokenPlugin) as broken:
        Plugins().load(group, name, "source")
    return broken.value.reason


@pytest.mark.parametrize(
    ("group", "name"), [(group, name) for group in Group for name in BUILT_IN[group]]
)
def test_what_comes_with_testamur_works(group: Group, name: str) -> None:
    loaded = Plugins().load(group, name, "setting")
    assert (loaded.plugin.name, loaded.plugin.distribution) == (name, OWN)


def test_an_installed_plugin_is_found_with_the_distribution_that_it_comes_from(
    installer: Installer,
) -> None:
    entry_points = {"testamur.retrieval": {"registry": "found_source:Source"}}
    installer.install("registry-plugins", entry_points, {"found_source": SOURCE})
    assert Plugins().names(RETRIEVAL) == ["files", "open-edx", "open-edx-python", "registry"]
    loaded = Plugins().load(RETRIEVAL, "registry", "source")
    assert loaded.plugin.origin == "registry-plugins 1.2"
    assert loaded.options_model.__name__ == "Options"
    assert "registry" not in Plugins().names(Group.STORAGE)


def test_a_path_does_where_a_name_does(installer: Installer) -> None:
    installer.install("nothing", {}, {"path_source": SOURCE})
    loaded = Plugins().load(RETRIEVAL, "path_source:Source", "source")
    assert (loaded.plugin.name, loaded.plugin.distribution) == ("path_source:Source", None)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("opn-edx", "files, open-edx, open-edx-python, or a path such as package.module:Name"),
        ("", "files, open-edx"),
        ("no_such_package.lms:Source", "a path.*there is no module no_such_package"),
        ("json:Source", "a path.*json has no Source"),
    ],
)
def test_what_is_not_there_is_refused_with_what_is_allowed(name: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said) as refused:
        Plugins().load(RETRIEVAL, name, "source")
    assert (refused.value.field, refused.value.value) == ("source", name)


MODULES = {
    "broken_import": "import a_client_that_is_not_installed",
    "broken_syntax": "def",
    "broken_exit": "raise SystemExit(3)",
    "broken_models": "class Plain: pass\nclass Odd: options_model = dict\n"
    "from pydantic import BaseModel\nclass Options(BaseModel): pass\n"
    "class NotPrepared:\n    options_model = Options\n"
    "instance = NotPrepared()\n",
}


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("broken_import:Source", "needs a module a_client_that_is_not_installed"),
        ("broken_syntax:Source", "cannot be imported: SyntaxError"),
        ("broken_exit:Source", "cannot be imported: SystemExit"),
        ("broken_models:Missing", "has no Missing"),
        ("broken_models", "names a module and no class"),
        ("broken_gone:Source", "there is no module broken_gone"),
        ("broken_models:Plain", "has no attribute options_model"),
        ("broken_models:Odd", "its options_model is no pydantic model, but <class 'dict'>"),
        ("broken_models:instance", "is no class, and cannot be called"),
    ],
)
def test_a_broken_plugin_is_told_with_its_distribution_and_stands_in_nobodys_way(
    installer: Installer, location: str, reason: str
) -> None:
    entry_points = {"testamur.retrieval": {"unlucky": location}}
    installer.install("unlucky-plugins", entry_points, MODULES)
    with pytest.raises(BrokenPlugin, match=r"unlucky.*testamur\.retrieval.*unlucky-plugins 1\.2"):
        Plugins().load(RETRIEVAL, "unlucky", "source")
    assert reason in reason_of("unlucky")
    assert Plugins().load(RETRIEVAL, "files", "source").plugin.distribution == OWN


def test_a_renderer_that_cannot_prepare_is_broken(installer: Installer) -> None:
    entry_points = {"testamur.rendering": {"unlucky": "broken_models:NotPrepared"}}
    installer.install("unlucky-plugins", entry_points, MODULES)
    assert "no method prepare" in reason_of("unlucky", Group.RENDERING)


def test_a_name_that_two_distributions_give_is_refused_until_one_is_gone(
    installer: Installer,
) -> None:
    entry_points = {"testamur.retrieval": {"registry": "twice_source:Source"}}
    installer.install("registry-plugins", entry_points, {"twice_source": SOURCE})
    installer.install("other-plugins", entry_points)
    assert "registry-plugins 1.2" in reason_of("registry")
    declared = [each for each in Plugins().all(RETRIEVAL) if each.name == "registry"]
    assert [each.distribution for each in declared] == ["other-plugins", "registry-plugins"]
    assert all(each.conflict for each in declared)


def test_testamurs_own_plugin_goes_before_one_of_the_same_name(installer: Installer) -> None:
    entry_points = {"testamur.retrieval": {"files": "own_source:Source"}}
    installer.install("registry-plugins", entry_points, {"own_source": SOURCE})
    assert Plugins().load(RETRIEVAL, "files", "source").plugin.distribution == OWN
    (other,) = (each for each in Plugins().all(RETRIEVAL) if each.distribution != OWN)
    with pytest.raises(BrokenPlugin, match="Testamur itself has a plugin of the name files"):
        load(other)
