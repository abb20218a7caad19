"""The one module that names the platform, and what is said where the platform is otherwise."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from pydantic import ValidationError

import testamur
from testamur.adapters.open_edx_python import platform
from testamur.adapters.open_edx_python.errors import (
    NotInsideThePlatform,
    PlatformChanged,
    PlatformPluginMissing,
)
from testamur.adapters.open_edx_python.source import OpenEdxPythonSource
from testamur.application.errors import RetrievalError
from testamur.application.ports.retrieval import Needs, RetrievalSource
from tests.support.edx_platform import StandInLms
from tests.support.records import COURSE
from tests.unit.adapters.open_edx_python.asking import facts, records

PACKAGE = Path(testamur.__file__).parent
PLATFORM = Path(platform.__file__)
NAMED = re.compile(r"\w+(\.\w+)+:\w+")
ROOTS = {place.partition(":")[0].partition(".")[0] for place in platform.Place}
A_ROOT = re.compile(rf"\b({'|'.join(ROOTS)})\b")


class FailingModule(ModuleType):
    """A module that raises when something is taken from it, as importing it would."""

    def __init__(self, name: str, error: Exception) -> None:
        super().__init__(name)
        self._error = error

    def __getattr__(self, name: str) -> object:
        raise self._error


def named_packages(source: str) -> Iterator[str]:
    """Yield packages of the platform that are imported, or named as ``module:name``."""
    if not A_ROOT.search(source):  # it would take long to parse every module
        return
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                found = [each.name for each in names]
            case ast.ImportFrom(module=str(module), level=0):
                found = [module]
            case ast.Constant(value=str(text)) if NAMED.fullmatch(text):
                found = [text.partition(":")[0]]
            case _:
                continue
        yield from (root for root in (each.partition(".")[0] for each in found) if root in ROOTS)


def test_the_platform_is_named_in_one_module_only() -> None:
    naming = {
        path.relative_to(PACKAGE)
        for path in PACKAGE.rglob("*.py")
        if any(named_packages(path.read_text(encoding="utf-8")))
    }

    assert naming == {PLATFORM.relative_to(PACKAGE)}


@pytest.mark.parametrize(
    "planted",
    [
        "import lms.djangoapps.grades.api",
        "def late():\n    from opaque_keys.edx.keys import CourseKey",
        "load('learning_paths.models:LearningPath')",
    ],
)
def test_a_planted_import_of_the_platform_is_found(planted: str) -> None:
    assert len(list(named_packages(planted))) == 1


def test_the_source_fills_the_port_as_a_plugin(lms: StandInLms) -> None:
    made: RetrievalSource = OpenEdxPythonSource(OpenEdxPythonSource.options_model())

    assert made.name == "open-edx-python:learn.example.org"
    assert OpenEdxPythonSource.context_kinds == {}
    with pytest.raises(ValidationError, match="chunk_size"):
        OpenEdxPythonSource.options_model.model_validate({"chunk_size": 0})


def test_outside_the_platform_the_error_names_the_other_source(source: OpenEdxPythonSource) -> None:
    asked = (lambda: facts(source, COURSE), lambda: source.name, source.check)

    for ask in asked:
        with pytest.raises(NotInsideThePlatform, match="does not run inside an Open edX") as told:
            ask()
        assert isinstance(told.value, RetrievalError)
        assert "there is no package django" in str(told.value)
        assert "open-edx" in str(told.value)


@pytest.mark.parametrize("package", ["lms", "common", "openedx", "opaque_keys", "crum"])
def test_in_another_django_project_the_error_names_the_package(
    source: OpenEdxPythonSource, package: str
) -> None:
    lms = StandInLms()
    lms.add_course(COURSE)
    lms.enrol(lms.add_user(1), COURSE)

    with (
        lms.installed(without={package}),
        pytest.raises(NotInsideThePlatform, match=f"there is no package {package};"),
    ):
        records(source, COURSE)


@pytest.mark.parametrize("module", ["django.conf", "common.djangoapps.student.models"])
@pytest.mark.parametrize("error", ["ImproperlyConfigured", "AppRegistryNotReady"])
def test_before_django_is_set_up_the_error_says_so(
    lms: StandInLms,
    source: OpenEdxPythonSource,
    monkeypatch: pytest.MonkeyPatch,
    module: str,
    error: str,
) -> None:
    not_ready = type(error, (Exception,), {})("settings are not configured")
    monkeypatch.setitem(sys.modules, module, FailingModule(module, not_ready))

    with pytest.raises(NotInsideThePlatform, match=rf"Django is not set up \({error}\)"):
        source.check()


def test_settings_that_fail_when_they_are_read_say_that_django_is_not_set_up(
    lms: StandInLms, source: OpenEdxPythonSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    not_ready = type("ImproperlyConfigured", (Exception,), {})()
    settings = FailingModule("settings", not_ready)
    monkeypatch.setattr(sys.modules["django.conf"], "settings", settings)

    with pytest.raises(NotInsideThePlatform, match="Django is not set up"):
        _ = source.name


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"LMS_ROOT_URL": "https://learn.example.org:8443"}, "open-edx-python:learn.example.org"),
        ({"LMS_ROOT_URL": None, "SITE_NAME": "a.example.org"}, "open-edx-python:a.example.org"),
        ({}, "open-edx-python:lms"),
    ],
)
def test_the_source_is_named_by_the_host_of_the_lms(
    lms: StandInLms, source: OpenEdxPythonSource, settings: dict[str, str], name: str
) -> None:
    vars(lms.settings).clear()
    vars(lms.settings).update(settings)

    assert source.name == name


@pytest.mark.parametrize("place", platform.Place)
def test_what_a_new_release_has_moved_is_named(
    lms: StandInLms, source: OpenEdxPythonSource, place: platform.Place
) -> None:
    module, _, name = place.partition(":")
    delattr(sys.modules[module], name)

    with pytest.raises(PlatformChanged, match=f"{place}.*platform is the module to mend"):
        source.check()


def test_a_module_that_a_new_release_has_moved_is_named(
    lms: StandInLms, source: OpenEdxPythonSource
) -> None:
    del sys.modules["lms.djangoapps.grades.api"]

    with pytest.raises(PlatformChanged, match=r"grades\.api:.*cannot be imported"):
        source.check()


def test_without_the_aggregator_only_completion_is_refused(source: OpenEdxPythonSource) -> None:
    lms = StandInLms()
    lms.add_course(COURSE)
    lms.enrol(lms.add_user(1), COURSE)

    with lms.installed(without={"completion_aggregator"}):
        assert list(records(source, COURSE, Needs(completion=False))) == ["1"]
        with pytest.raises(PlatformPluginMissing, match="is needed for completion"):
            records(source, COURSE)


def test_a_plugin_that_is_not_among_the_installed_apps_is_missing(
    lms: StandInLms, source: OpenEdxPythonSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = RuntimeError("Model class doesn't declare an explicit app_label")
    module = "learning_paths.models"
    monkeypatch.setitem(sys.modules, module, FailingModule(module, error))

    assert "learning_paths is missing" in source.check()
