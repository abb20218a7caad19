"""`testamur plugins`, and what a chosen plugin shows of itself in other commands."""

from pathlib import Path

import pytest

from tests.support.plugins import SOURCE, Installer
from tests.support.program import Program

pytestmark = pytest.mark.e2e


@pytest.fixture
def testamur(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Program:
    return Program(tmp_path, monkeypatch, capsys)


@pytest.fixture
def installer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installer:
    return Installer(tmp_path / "packages", monkeypatch)


def install_registry(installer: Installer) -> None:
    entry_points = {"testamur.retrieval": {"registry": "cli_registry:Source"}}
    installer.install("registry-plugins", entry_points, {"cli_registry": SOURCE})


def install_broken(installer: Installer) -> None:
    entry_points = {"testamur.storage": {"attic": "cli_attic:Attic"}}
    installer.install("attic-plugins", entry_points, {"cli_attic": "import no_such_attic"})


def choose_registry(testamur: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    testamur.write(
        "testamur.toml", 'source = "registry"\n[source_options]\nurl = "https://example.org"\n'
    )
    monkeypatch.setenv("TESTAMUR_SOURCE_OPTIONS__TOKEN", "hunter2")


def test_all_plugins_are_listed_and_a_broken_one_stands_out(
    testamur: Program, installer: Installer
) -> None:
    install_registry(installer)
    install_broken(installer)
    listed = testamur.succeeds("plugins").out
    (registry,) = (line for line in listed.splitlines() if line.startswith("registry"))
    assert registry.split() == [
        *("registry", "retrieval", "registry-plugins", "1.2", "works"),
        *("url,", "token,", "years"),
    ]
    (attic,) = (line for line in listed.splitlines() if line.startswith("attic"))
    assert "BROKEN" in attic
    assert "no_such_attic" in attic
    assert "1 of them broken" in listed


def test_only_one_group_is_listed_where_it_is_asked_for(testamur: Program) -> None:
    names = {each["name"] for each in testamur.json("plugins", "--group", "notification")}
    assert names == {"outbox", "smtp"}
    assert testamur("plugins", "--group", "colours").code == 2


def test_a_plugin_is_shown_with_its_options_in_words(
    testamur: Program, installer: Installer
) -> None:
    install_registry(installer)
    shown = testamur.succeeds("plugins", "registry").out
    rows = [line.split(maxsplit=1) for line in shown.splitlines() if line]
    fields = {row[0]: row[1] for row in rows if len(row) == 2}
    assert fields["group"] == "testamur.retrieval"
    assert fields["from"] == "registry-plugins 1.2"
    assert fields["contexts"] == "registry-course:… (a course)"
    assert fields["token"].split("  ")[0] == "text, secret"
    assert fields["token"].endswith("For the login.")
    assert "required" in fields["url"]
    assert "list, each whole number" in fields["years"]


def test_a_plugin_is_told_as_json_with_the_schema_of_its_options(
    testamur: Program, installer: Installer
) -> None:
    install_registry(installer)
    (document,) = testamur.json("plugins", "registry")
    assert document["location"] == "cli_registry:Source"
    assert document["context_kinds"] == {"registry-course": "course"}
    assert document["options_schema"]["required"] == ["url", "token"]
    assert document["options"][1] == {
        "name": "token",
        "type": "text",
        "required": True,
        "default": None,
        "secret": True,
        "meaning": "For the login.",
    }


def test_a_broken_plugin_that_is_asked_for_fails(testamur: Program, installer: Installer) -> None:
    install_broken(installer)
    shown = testamur("plugins", "attic")
    assert (shown.code, shown.err) == (1, "")
    assert "BROKEN" in shown.out
    assert "no_such_attic" in shown.out
    assert testamur("plugins", "attic", "--json").document[0]["works"] is False


def test_a_plugin_that_is_not_there_is_refused(testamur: Program) -> None:
    refused = testamur("plugins", "attic")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith("error: no plugin 'attic'; there are: files, open-edx")


def test_a_plugin_under_way_is_shown_by_its_path(testamur: Program, installer: Installer) -> None:
    installer.install("nothing", {}, {"cli_path": SOURCE})
    shown = testamur.succeeds("plugins", "cli_path:Source", "--group", "retrieval").out
    assert "given by its path" in shown
    assert testamur("plugins", "cli_path:Source").code == 2
    assert testamur("plugins", "cli_path:Sauce", "--group", "retrieval").code == 2


def test_the_list_keeps_to_a_terminal_of_80_columns(
    testamur: Program, installer: Installer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("testamur.entrypoints.cli.output.terminal_width", lambda _: 80)
    install_registry(installer)
    for arguments in (["plugins"], ["plugins", "registry"], ["plugins", "smtp"]):
        shown = testamur.succeeds(*arguments).out
        assert max(map(visible_width, shown.splitlines())) <= 80


def visible_width(line: str) -> int:
    plain = line
    while "\x1b[" in plain:
        before, _, after = plain.partition("\x1b[")
        plain = before + after.partition("m")[2]
    return len(plain)


# In other commands


def test_settings_show_the_options_of_a_chosen_plugin_and_no_secret(
    testamur: Program, installer: Installer, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_registry(installer)
    choose_registry(testamur, monkeypatch)
    shown = {each["name"]: (each["value"], each["origin"]) for each in testamur.json("settings")}
    assert shown["source_options.url"] == ("https://example.org", "testamur.toml")
    assert shown["source_options.token"] == ("(hidden)", "environment")
    assert "hunter2" not in testamur.succeeds("settings").out


def test_a_missing_option_is_named_and_the_secrets_beside_it_are_not_told(
    testamur: Program, installer: Installer, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_registry(installer)
    choose_registry(testamur, monkeypatch)
    testamur.write("testamur.toml", 'source = "registry"\n')
    for command in (["type", "list"], ["source", "check"], ["doctor"]):
        refused = testamur(*command)
        assert refused.code in {1, 2}
        assert "source_options.url" in refused.out + refused.err
        assert "hunter2" not in refused.out + refused.err


def test_an_installation_whose_options_are_wrong_is_not_made(
    testamur: Program, installer: Installer
) -> None:
    install_registry(installer)
    testamur.write("testamur.toml", 'source = "registry"\n')
    refused = testamur("type", "list")
    assert (refused.code, len(refused.err.splitlines())) == (2, 2)
    assert not (testamur.folder / "testamur-data").exists()


def test_the_doctor_and_the_check_ask_the_chosen_source(
    testamur: Program, installer: Installer, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_registry(installer)
    choose_registry(testamur, monkeypatch)
    found = "https://example.org answers, and knows its token of 7 letters"
    assert testamur.succeeds("source", "check").out == f"registry: {found}\n"
    assert testamur.json("source", "check") == {"source": "registry", "found": found}
    findings = {each["subject"]: each for each in testamur.json("doctor")}
    assert findings["data source"]["found"] == f"registry: {found}"
    assert findings["plugins"]["found"].startswith("1 usable")


def test_the_doctor_tries_a_storage_and_a_notifier_of_others(
    testamur: Program, installer: Installer
) -> None:
    module = (
        "from pydantic import BaseModel\n"
        "from testamur.adapters.storage.memory import MemoryStorage\n"
        "from tests.support.world import NotifierInMemory\n"
        "class Options(BaseModel): pass\n"
        "class Store(MemoryStorage):\n"
        "    options_model = Options\n"
        "    def __init__(self, options): super().__init__()\n"
        "class Forgetful(Store):\n"
        "    def get(self, key): return b''\n"
        "def notifier(options): return NotifierInMemory()\n"
        "notifier.options_model = Options\n"
    )
    entry_points = {
        "testamur.storage": {"memory": "cli_memory:Store", "forgetful": "cli_memory:Forgetful"},
        "testamur.notification": {"memory": "cli_memory:notifier"},
    }
    installer.install("memory-plugins", entry_points, {"cli_memory": module})
    testamur.write("testamur.toml", 'storage = "memory"\nnotifier = "memory"\n')
    findings = {each["subject"]: each for each in testamur("doctor", "--json").document}
    assert findings["storage"]["found"] == "memory: a file was written, read and deleted"
    assert findings["notifier"]["found"] == "memory: in memory"
    testamur.write("testamur.toml", 'storage = "forgetful"\n')
    findings = {each["subject"]: each for each in testamur("doctor", "--json").document}
    assert not findings["storage"]["ok"]
    assert "other bytes" in findings["storage"]["found"]


def test_the_doctor_tells_of_a_broken_plugin_that_nobody_chose(
    testamur: Program, installer: Installer
) -> None:
    install_broken(installer)
    testamur.write_course(eligible=["Ann Example"])
    examined = testamur("doctor", "--json")
    assert examined.code == 1
    (failed,) = (each for each in examined.document if not each["ok"])
    assert failed["subject"] == "plugin"
    for told in ("attic", "testamur.storage", "attic-plugins 1.2", "no_such_attic"):
        assert told in failed["found"]
    assert "attic-plugins" in failed["remedy"]
    assert testamur.json("type", "list") == []


def test_a_broken_plugin_is_an_error_where_it_is_chosen(
    testamur: Program, installer: Installer
) -> None:
    install_broken(installer)
    testamur.write("testamur.toml", 'storage = "attic"\n')
    failed = testamur("type", "list")
    assert (failed.code, failed.out, len(failed.err.splitlines())) == (1, "", 1)
    assert "attic-plugins 1.2" in failed.err
    assert "no_such_attic" in failed.err
