"""Settings: what is wrong with them is said by name, and a secret is never shown."""

from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import SecretStr, ValidationError

from testamur.adapters.files.plugin import FilesOptions
from testamur.adapters.notification.plugins import SmtpOptions
from testamur.domain.errors import InvalidInput, InvalidOptions, NotFound
from testamur.domain.personal_data import Person
from testamur.entrypoints.choices import Choices
from testamur.entrypoints.library import Testamur
from testamur.entrypoints.plugins import BrokenPlugin, Plugins
from testamur.entrypoints.settings import LoadedSettings, Settings, load_settings
from tests.support.plugins import SOURCE, Installer
from tests.support.records import course, learner
from tests.support.world import LearnersInMemory, definition


def test_a_password_without_a_username_is_refused_and_not_shown() -> None:
    with pytest.raises(ValidationError, match="both or neither") as refused:
        Settings.model_validate({"smtp_password": "open sesame"})
    assert "open sesame" not in str(refused.value)


def test_a_misspelt_password_is_refused_and_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "testamur.toml"
    file.write_text('smtp_pasword = "open sesame"\n')
    monkeypatch.setenv("TESTAMUR_MAIL_SECRET", "swordfish")
    with pytest.raises(InvalidOptions) as refused:
        load_settings(file)
    assert [(each.field, each.value) for each in refused.value.problems] == [
        ("TESTAMUR_MAIL_SECRET", "(hidden)"),
        (f"smtp_pasword in {file}", "(hidden)"),
    ]
    assert "did you mean smtp_password?" in str(refused.value)


def test_opening_with_a_bad_environment_names_the_setting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TESTAMUR_SMTP_PORT", "99999")
    with pytest.raises(InvalidOptions) as refused:
        Testamur.open()
    assert [(each.field, each.value) for each in refused.value.problems] == [
        ("TESTAMUR_SMTP_PORT", "99999")
    ]


def test_a_username_without_a_password_is_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "testamur.toml"
    file.write_text('smtp_username = "certificates"\n')
    with pytest.raises(
        InvalidOptions, match=r"smtp_username and smtp_password: .* both or neither"
    ):
        load_settings(file)


# Options of plugins


@pytest.fixture
def _registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A source that is chosen by its path."""
    Installer(tmp_path / "packages", monkeypatch).install("none", {}, {"settings_source": SOURCE})


REGISTRY = "settings_source:Source"


def loaded_from(tmp_path: Path, text: str) -> LoadedSettings:
    file = tmp_path / "testamur.toml"
    file.write_text(text)
    return load_settings(file)


def refused_by(settings: Settings) -> dict[str, InvalidInput]:
    with pytest.raises(InvalidOptions) as refused:
        Choices.of(settings, Plugins())
    assert "sesame" not in str(refused.value)
    return {each.field: each for each in refused.value.problems}


def test_the_environment_goes_before_the_file_option_by_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TESTAMUR_SOURCE_OPTIONS", '{"url": "of JSON", "token": "of JSON"}')
    monkeypatch.setenv("TESTAMUR_SOURCE_OPTIONS__TOKEN", "0123")
    monkeypatch.setenv("TESTAMUR_SOURCE_OPTIONS__LOGIN__NAME", "registrar")
    text = '[source_options]\nurl = "of file"\nyears = [2026]\nlogin = { name = "x", site = "y" }'
    options = loaded_from(tmp_path, text).settings.source_options
    assert options == {
        "url": "of JSON",
        "token": "0123",
        "years": [2026],
        "login": {"name": "registrar", "site": "y"},
    }


def test_settings_made_in_python_read_options_in_the_environment_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TESTAMUR_SOURCE_OPTIONS__TOKEN", "0123")
    settings = Settings(source_options={"url": "https://example.org"})
    assert settings.source_options == {"url": "https://example.org", "token": "0123"}
    assert "0123" not in repr(settings)


@pytest.mark.parametrize("value", ["sesame", "[1]", '{"token": "sesame"'])
def test_a_table_in_the_environment_that_is_none_is_refused_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("TESTAMUR_SOURCE_OPTIONS", value)
    with pytest.raises(InvalidOptions, match=r"TESTAMUR_SOURCE_OPTIONS: .*JSON object") as refused:
        Testamur.open()
    assert "sesame" not in str(refused.value)


def test_a_table_in_the_file_that_is_none_is_refused_and_not_shown(tmp_path: Path) -> None:
    with pytest.raises(InvalidOptions, match=r"source_options in .*hidden.*dictionary") as refused:
        loaded_from(tmp_path, 'source_options = "sesame"')
    assert "sesame" not in str(refused.value)


@pytest.mark.parametrize(
    "name", ["SOURC_OPTIONS__TOKEN", "SMTP_HOST__NAME", "SOURCE_OPTIONS__", "SOURCE_OPTIONS____A"]
)
def test_a_misspelt_table_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(f"TESTAMUR_{name}", "sesame")
    with pytest.raises(InvalidOptions, match=f"TESTAMUR_{name}: .*no such setting") as refused:
        Testamur.open()
    assert "sesame" not in str(refused.value)


@pytest.mark.usefixtures("_registry")
def test_options_are_shown_one_by_one_with_their_origin_and_secrets_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TESTAMUR_SOURCE_OPTIONS__TOKEN", "sesame")
    monkeypatch.setenv("TESTAMUR_SOURCE_OPTIONS__YEARS", "2026")
    text = f'source = "{REGISTRY}"\n[source_options]\nurl = "u"\nyears = [1]\ntokn = "sesame"'
    loaded = loaded_from(tmp_path, text)
    shown = {
        each.name: (each.value, each.origin.removeprefix(f"{tmp_path}/"))
        for each in loaded.in_force()
        if each.name.startswith("source")
    }
    assert shown == {
        "source": (REGISTRY, "testamur.toml"),
        "source_folder": ("-", "default"),
        "source_options.url": ("u", "testamur.toml"),
        "source_options.years": ("2026", "environment"),
        "source_options.tokn": ("(hidden)", "testamur.toml"),
        "source_options.token": ("(hidden)", "environment"),
    }


def test_no_option_of_a_plugin_that_cannot_be_loaded_is_shown() -> None:
    settings = Settings(source="no_such_package:Source", source_options={"url": "sesame"})
    in_force = {each.name: each.value for each in LoadedSettings(settings, {}).in_force()}
    assert in_force["source_options.url"] == "(hidden)"
    assert in_force["notifier_options"] == "-"


# Plugins that are chosen


@pytest.mark.usefixtures("_registry")
def test_options_are_checked_before_anything_is_written(tmp_path: Path) -> None:
    data = tmp_path / "data"
    settings = Settings(
        data_folder=data,
        source=REGISTRY,
        source_options={"tokn": "sesame", "years": ["many"]},
        storage="clouds",
    )
    problems = refused_by(settings)
    assert set(problems) == {
        "source_options.url",
        "source_options.token",
        "source_options.tokn",
        "source_options.years.0",
        "storage",
    }
    assert problems["source_options.url"].allowed == "a value: it is required"
    assert problems["source_options.tokn"].value == "(hidden)"
    assert "there are: url, token, years" in problems["source_options.tokn"].allowed
    assert problems["source_options.years.0"].value == "many"
    assert problems["storage"].allowed.startswith("local, s3, or a path")
    with pytest.raises(InvalidOptions):
        Testamur.open(settings)
    assert not data.exists()


@pytest.mark.usefixtures("_registry")
def test_a_secret_that_is_not_allowed_is_not_shown() -> None:
    options = {"url": "u", "token": ["open sesame"]}
    problems = refused_by(Settings(source=REGISTRY, source_options=options))
    assert problems["source_options.token"].value == "(hidden)"


@pytest.mark.parametrize(
    ("given", "field", "allowed"),
    [
        (
            {"source": "open-edx", "source_folder": "exports"},
            "source_folder",
            'only with source = "files"',
        ),
        (
            {"storage": "clouds:Clouds", "storage_folder": "files"},
            "storage_folder",
            'only with storage = "local"',
        ),
        ({"source": "files"}, "source_folder", "a value: it is required"),
        ({"source_options": {"url": "u"}}, "source", "the plugin that source_options are for"),
        (
            {"source_folder": "a", "source_options": {"folder": "b"}},
            "source_options.folder",
            "source_folder or this one, not both",
        ),
        (
            {"notifier": "smtp", "smtp_host": "a", "notifier_options": {"host": "b"}},
            "notifier_options.host",
            "smtp_host or this one, not both",
        ),
        ({"notifier": "pigeon"}, "notifier", "outbox, smtp, or a path such as package.module:Name"),
    ],
)
def test_settings_that_contradict_each_other_are_refused_by_name(
    given: dict[str, Any], field: str, allowed: str
) -> None:
    problems = refused_by(Settings.model_validate(given))
    assert allowed in problems[field].allowed


def test_options_of_testamurs_own_plugins_may_stand_in_their_table_too(tmp_path: Path) -> None:
    settings = Settings(
        source="files",
        source_options={"folder": tmp_path},
        notifier="smtp",
        notifier_options={"port": "2525", "password": "0123", "username": "x"},
        mail_sender="certificates@example.org",
    )
    chosen = Choices.of(settings, Plugins())
    assert chosen.source is not None
    assert chosen.source.options == FilesOptions(folder=tmp_path)
    assert chosen.notifier.options == SmtpOptions(
        sender="certificates@example.org",
        port=2525,
        username="x",
        password=SecretStr("0123"),
    )


@pytest.mark.usefixtures("_registry")
def test_a_chosen_source_brings_its_contexts_and_is_closed_with_the_installation(
    tmp_path: Path,
) -> None:
    settings = Settings(
        data_folder=tmp_path / "data",
        source=REGISTRY,
        source_options={"url": "to be closed", "token": "0123"},
    )
    with Testamur.open(settings) as testamur:
        with pytest.raises(NotFound):
            testamur.find_configuration("completion", "registry-course:1")
        with pytest.raises(InvalidInput, match="registry-course:…"):
            testamur.create_configuration("completion", "school-course:1")
    made: Any = import_module("settings_source")
    assert made.Source.closed == ["to be closed"]


def test_what_a_plugin_makes_has_to_fill_the_port(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = (
        "from pydantic import BaseModel\n"
        "class Options(BaseModel):\n    fails: bool = False\n"
        "class Store:\n"
        "    options_model = Options\n"
        "    def __init__(self, options):\n"
        "        if options.fails: raise OSError('no room')\n"
        "    def get(self, key): pass\n"
        "    def put(self, files): pass\n"
    )
    installer = Installer(tmp_path / "packages", monkeypatch)
    installer.install("stores", {}, {"settings_store": module})
    settings = Settings(data_folder=tmp_path / "data", storage="settings_store:Store")
    with pytest.raises(BrokenPlugin, match="no ArtifactStorage: it has no delete, location"):
        Testamur.open(settings)
    with pytest.raises(BrokenPlugin, match="OSError: no room"):
        Testamur.open(settings.model_copy(update={"storage_options": {"fails": "true"}}))


def test_a_plugin_may_be_a_context_manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = (
        "from contextlib import contextmanager\n"
        "from pydantic import BaseModel\n"
        "from tests.support.world import LearnersInMemory\n"
        "class Options(BaseModel):\n    name: str\n"
        "left = []\n"
        "@contextmanager\n"
        "def source(options):\n"
        "    yield LearnersInMemory(options.name)\n"
        "    left.append(options.name)\n"
        "source.options_model = Options\n"
    )
    installer = Installer(tmp_path / "packages", monkeypatch)
    installer.install("managed", {}, {"settings_managed": module})
    settings = Settings(
        data_folder=tmp_path / "data",
        source="settings_managed:source",
        source_options={"name": "managed"},
    )
    made: Any = import_module("settings_managed")
    with Testamur.open(settings):
        assert made.left == []
    assert made.left == ["managed"]


# A source of the program's own


def test_a_program_may_pass_a_source_of_its_own(tmp_path: Path) -> None:
    class Learners(LearnersInMemory):
        context_kinds: ClassVar = {"school-course": "course"}

    key = "school-course:1"
    source = Learners(facts_by_key={key: replace(course(), key=key)})
    source.learners["7"] = learner("7", completion="1")
    source.known_people["7"] = Person(full_name="Ann Example")
    settings = Settings(data_folder=tmp_path / "data", source="looked at by nobody")
    plain = definition().model_copy(update={"renderer": "tests.support.world:PlainRenderer"})
    with Testamur.open(settings, source=source) as testamur:
        testamur.define_type("completion", plain)
        configuration = testamur.create_configuration("completion", key)
        assert testamur.run(configuration).counts.awarded == 1
        (row,) = testamur.credentials()
        assert b"Ann Example" in testamur.document(row.credential_id)
