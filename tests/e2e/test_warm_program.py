"""The program that the documentation's commands call answers as the real one does."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.program import in_a_process
from tests.support.warm_program import warm_program

pytestmark = pytest.mark.e2e

COMMANDS = [["settings"], ["worker"], ["--nonsense"]]


def test_it_answers_as_the_real_program_does(tmp_path: Path) -> None:
    (tmp_path / "testamur.toml").write_text('source_folder = "source"\n', encoding="utf-8")
    nowhere = "redis://127.0.0.1:1/0"
    environment = os.environ | {"TESTAMUR_TIME_ZONE": "Asia/Tokyo", "TESTAMUR_QUEUE": nowhere}
    with warm_program() as folder:
        answers = [
            subprocess.run(
                [folder / "testamur", *command],
                cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
            )
            for command in COMMANDS
        ]  # fmt: skip

    for command, answer in zip(COMMANDS, answers, strict=True):
        real = in_a_process(tmp_path, *command, environment=environment)
        assert (answer.returncode, answer.stdout, answer.stderr) == (
            real.returncode, real.stdout, real.stderr,
        )  # fmt: skip
    assert [answer.returncode for answer in answers] == [0, 1, 2]
    assert "Asia/Tokyo" in answers[0].stdout
