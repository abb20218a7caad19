"""Assets from disk are opened when they are read; what can be read but once is read at once."""

import os
from pathlib import Path
from threading import Thread

import pytest

from testamur.domain.errors import InvalidInput
from testamur.entrypoints.library.acting import asset_content

PDF = b"%PDF-1.7 one"


def test_a_file_on_a_disk_is_opened_each_time_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "template.pdf"
    file.write_bytes(PDF)

    content, name = asset_content(file, "template")

    assert name == "template.pdf"
    assert not isinstance(content, bytes)
    for _ in range(2):
        with content() as stream:
            assert stream.read() == PDF


def test_a_pipe_is_read_at_once(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = Thread(target=pipe.write_bytes, args=(PDF,))
    writer.start()

    assert asset_content(pipe, "template") == (PDF, "pipe")
    writer.join(10)


def test_bytes_are_taken_as_they_are() -> None:
    assert asset_content(PDF, "template.pdf") == (PDF, "template.pdf")


@pytest.mark.parametrize("name", ["missing.pdf", ".", "missing/template.pdf"])
def test_what_is_no_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="a readable file"):
        asset_content(tmp_path / name, "template")


def test_a_file_that_goes_away_is_told_when_it_is_opened(tmp_path: Path) -> None:
    file = tmp_path / "template.pdf"
    file.write_bytes(PDF)
    content, _ = asset_content(file, "template")
    file.unlink()

    assert not isinstance(content, bytes)
    with pytest.raises(InvalidInput, match="a readable file"):
        content()
