"""The pages on the command line and on settings: they name what there is, all of it and no more."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from testamur.application.options import PARTS
from testamur.entrypoints.cli.app import app
from testamur.entrypoints.cli.definitions import read_type_definition
from testamur.entrypoints.settings import Settings, load_settings

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"
COMMAND_LINE = (REFERENCE / "command-line.md").read_text(encoding="utf-8")
SETTINGS = (REFERENCE / "settings.md").read_text(encoding="utf-8")

#: They have no result, only a log.
GO_ON_UNTIL_STOPPED = {"testamur worker", "testamur scheduler"}

#: Every command has it; the page says so once.
HELP = "--help"


def commands(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every command that does something, with the words by which it is called."""
    if hasattr(command, "commands"):
        for name, inner in command.commands.items():
            yield from commands(inner, (*path, name))
    else:
        yield path, command


def options(command: Any) -> set[str]:
    """Return the long names of a command's options."""
    return {
        name
        for parameter in command.params
        if parameter.param_type_name == "option"
        for name in parameter.opts
        if name.startswith("--")
    } - {HELP}


def arguments(command: Any) -> list[str]:
    """Return a command's arguments as its help names them."""
    return [
        str(parameter.metavar)
        for parameter in command.params
        if parameter.param_type_name == "argument"
    ]


def described_options(section: str) -> set[str]:
    """Return the options that the first table of a section describes."""
    return set(re.findall(r"^\| `(--[a-z-]+)", section, re.MULTILINE))


def sections() -> dict[str, str]:
    """Return what the page says of each command, by its heading."""
    parts = re.split(r"^### (testamur .*)$", COMMAND_LINE, flags=re.MULTILINE)[1:]
    return {
        heading: re.split(r"^#{2,4} ", body, flags=re.MULTILINE)[0]
        for heading, body in zip(parts[::2], parts[1::2], strict=True)
    }


def examples() -> list[str]:
    """Return the commands that the page gives as examples, each on one line."""
    blocks = "".join(re.findall(r"```sh\n(.*?)```", COMMAND_LINE, re.DOTALL))
    return [
        line for line in re.sub(r"\\\n\s*", "", blocks).splitlines() if line.startswith("testamur ")
    ]


PROGRAM = typer.main.get_command(app)
COMMANDS = {
    " ".join([*path, *arguments(command)]): command
    for path, command in commands(PROGRAM, ("testamur",))
}


def test_the_page_describes_every_command_and_no_other() -> None:
    assert set(sections()) == set(COMMANDS)


@pytest.mark.parametrize("heading", sorted(COMMANDS))
def test_the_page_describes_every_option_of_a_command_and_no_other(heading: str) -> None:
    assert described_options(sections()[heading]) == options(COMMANDS[heading])


def test_the_page_describes_the_options_that_go_before_every_command() -> None:
    section = COMMAND_LINE.split("## Before every command")[1].split("\n## ")[0]
    assert described_options(section) == options(PROGRAM)


@pytest.mark.parametrize("heading", sorted(COMMANDS))
def test_every_command_and_option_has_a_help_of_its_own(heading: str) -> None:
    command = COMMANDS[heading]
    first_line = command.help.splitlines()[0]
    assert first_line.endswith(".")
    assert len(first_line) <= 60, "the list of commands would cut it short"
    assert all(parameter.help for parameter in command.params)
    assert ("--json" in options(command)) != (heading in GO_ON_UNTIL_STOPPED)


def test_the_page_describes_every_setting_and_no_other() -> None:
    assert set(re.findall(r"^\| `([a-z_]+)` \|", SETTINGS, re.MULTILINE)) == set(
        Settings.model_fields
    )


def test_the_page_gives_the_defaults_that_hold() -> None:
    described = dict(re.findall(r"^\| `([a-z_]+)` \| ([^|]+) \|", SETTINGS, re.MULTILINE))
    for name, field in Settings.model_fields.items():
        if described[name].startswith("`") and " in " not in described[name]:
            default = field.default
            shown = f"{default:g}" if isinstance(default, float) else str(default)
            assert described[name] == f"`{shown}`"
        else:
            assert field.default in (None, {})


def test_the_example_of_a_settings_file_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TESTAMUR_SETTINGS", raising=False)
    (with_options, example) = re.findall(r"```toml\n(.*?)```", SETTINGS, re.DOTALL)
    file = tmp_path / "testamur.toml"
    file.write_text(with_options, encoding="utf-8")
    assert load_settings(file).settings.source == "open-edx"
    file.write_text(example, encoding="utf-8")
    settings = load_settings(file).settings
    assert settings.sender == "Example University <certificates@example.org>"
    assert not settings.documents_attached


def test_the_example_of_a_type_file_is_read(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", COMMAND_LINE, re.DOTALL)
    file = tmp_path / "type.toml"
    file.write_text(example, encoding="utf-8")
    definition = read_type_definition(file)
    assert definition.name == "Certificate of Completion"
    assert set(definition.options) == set(PARTS) - {"reconcile"}, "which no type has"


@pytest.mark.parametrize("example", examples())
def test_an_example_is_a_command_that_there_is(example: str) -> None:
    words = shlex.split(example)[1:]
    command: Any = PROGRAM
    path = "testamur"
    while hasattr(command, "commands"):
        while words[0].startswith("-"):
            assert words[0] in options(command)
            del words[:2]
        # `run TYPE CONTEXT` stands for `run start TYPE CONTEXT`.
        name = words.pop(0) if words[0] in command.commands else "start"
        path = f"{path} {name}"
        command = command.commands[name]
    command.make_context(path, words)
