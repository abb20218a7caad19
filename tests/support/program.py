"""The program `testamur`, run in this process or as one of its own, in a folder of its own."""

import gc
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from testamur.adapters.system import SystemClock
from testamur.entrypoints.cli import main
from tests.support.installation import NOTO_SANS, write_course
from tests.support.pdf import template
from tests.support.records import COURSE

ACTOR: Final = "user:registrar"

TYPE_FILE: Final = """
name = "Certificate of Completion"
criteria = "completion"

[issuer]
name = "Example University"

[options.criteria]
required_completion = 0.9

[options.rendering]
template = "template"
fonts = ["noto-sans"]
"""


_SETTINGS_FILE: Final = "testamur.toml"
_USUAL_SETTINGS: Final = 'source_folder = "source"\n'

#: Name of the folder with an installation whose type is defined.
_DEFINED: Final = "type-defined"

#: What some tests put another clock in the place of.
_REAL_NOW: Final = SystemClock.now


@dataclass(frozen=True)
class Answer:
    """What a command wrote, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The JSON document on stdout."""
        return json.loads(self.out)

    @property
    def documents(self) -> list[Any]:
        """The lines of JSON on stdout."""
        return [json.loads(line) for line in self.out.splitlines()]


class Program:
    """Runs `testamur` in a folder, where its data and settings are.

    Args:
        folder: The folder; it becomes the working directory.
        monkeypatch: Changes the working directory for the time of the test.
        capsys: Catches what the program writes.
    """

    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.folder = folder
        self._capsys = capsys
        monkeypatch.chdir(folder)
        monkeypatch.delenv("TESTAMUR_SETTINGS", raising=False)
        # In a process that goes on, what the program spares at its end would be kept for good.
        monkeypatch.setattr(gc, "freeze", lambda: None)
        self.write(_SETTINGS_FILE, _USUAL_SETTINGS)

    def __call__(self, *arguments: str) -> Answer:
        """Run a command in this process."""
        self._capsys.readouterr()
        code = main(["--actor", ACTOR, *arguments])
        written = self._capsys.readouterr()
        return Answer(code, written.out, written.err)

    def succeeds(self, *arguments: str) -> Answer:
        """Run a command that must succeed, and say nothing on stderr."""
        answer = self(*arguments)
        assert answer.code == 0, answer.err
        assert not answer.err
        return answer

    def json(self, *arguments: str) -> Any:
        """Run a command that must succeed, and return its JSON document."""
        return self.succeeds(*arguments, "--json").document

    def write(self, name: str, text: str) -> Path:
        """Write a file into the folder."""
        file = self.folder / name
        file.write_text(text, encoding="utf-8")
        return file

    def write_course(self, *, eligible: Sequence[str], not_eligible: Sequence[str] = ()) -> None:
        """Write the data files of the course."""
        write_course(self.folder / "source", eligible=eligible, not_eligible=not_eligible)

    def define_type(self) -> None:
        """Add a template and a font, and define the type ``completion``.

        Many tests begin with this, so it is done once beside their folders, and copied.
        """
        if not self._is_as_usual():
            self._define_type()
            return
        defined = self.folder.parent / _DEFINED
        if not defined.exists():
            before = set(self.folder.iterdir())
            self._define_type()
            made = set(self.folder.iterdir()) - before
            unfinished = defined.with_suffix(".unfinished")
            unfinished.mkdir()
            for each in made:
                _copy(each, unfinished / each.name)
            unfinished.rename(defined)
            return
        for each in defined.iterdir():
            _copy(each, self.folder / each.name)

    def _is_as_usual(self) -> bool:
        """Tell whether nothing but the course is here, and nothing but the folder was set."""
        there = {path.name for path in self.folder.iterdir()}
        return (
            there <= {"source", _SETTINGS_FILE}
            and (self.folder / _SETTINGS_FILE).read_text("utf-8") == _USUAL_SETTINGS
            and not any(name.startswith("TESTAMUR_") for name in os.environ)
            and SystemClock.now is _REAL_NOW
        )

    def _define_type(self) -> None:
        (self.folder / "template.pdf").write_bytes(template())
        (self.folder / "NotoSans.ttf").write_bytes(NOTO_SANS.read_bytes())
        self.write("type.toml", TYPE_FILE)
        self.succeeds("asset", "add", "template", "template.pdf")
        self.succeeds("asset", "add", "noto-sans", "NotoSans.ttf")
        self.succeeds("type", "define", "completion", "--file", "type.toml")

    def configure(self, *schedule: str) -> None:
        """Define the type, and put it to use in the course."""
        self.define_type()
        self.succeeds("configuration", "create", "completion", COURSE, *schedule)


def _copy(made: Path, to: Path) -> None:
    if made.is_dir():
        shutil.copytree(made, to)
    else:
        shutil.copy2(made, to)


def in_a_process(
    folder: Path, *arguments: str, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command as a process of its own."""
    return subprocess.run(
        command(*arguments),
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )


def command(*arguments: str) -> list[str]:
    """Return the command line of the program."""
    return [sys.executable, "-m", "testamur.entrypoints.cli", *arguments]
