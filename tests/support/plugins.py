"""Packages with plugins, installed for the time of a test."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

#: A source that knows nobody, with a secret among its options.
SOURCE: Final = '''
from pydantic import BaseModel, SecretStr


class Options(BaseModel):
    """How to reach the registry.

    Args:
        url: Where it is.
        token: For the login.
        years: Which years to look at.
    """

    url: str
    token: SecretStr
    years: list[int] = []


class Source:
    options_model = Options
    context_kinds = {"registry-course": "course"}
    closed = []

    def __init__(self, options):
        self.options = options

    name = "registry"

    def facts(self, context, needs=None):
        raise NotImplementedError

    def records(self, context, needs, learner_id=None):
        yield from ()

    def people(self, learner_ids):
        return {}

    def check(self):
        return f"{self.options.url} answers, and knows its token of {len(token_of(self))} letters"

    def close(self):
        Source.closed.append(self.options.url)


def token_of(source):
    return source.options.token.get_secret_value()
'''


class Installer:
    """Installs packages into a folder that is on the path for the time of the test.

    Args:
        folder: The folder.
        monkeypatch: Puts it on the path, and takes it away again.
    """

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        monkeypatch.syspath_prepend(str(folder))

    def install(
        self,
        distribution: str,
        entry_points: Mapping[str, Mapping[str, str]],
        modules: Mapping[str, str] | None = None,
    ) -> None:
        """Install a distribution, of version 1.2.

        Args:
            distribution: Its name.
            entry_points: By group and name.
            modules: Source text by name; a module stays imported, so each test has its own names.
        """
        metadata = self.folder / f"{distribution.replace('-', '_')}-1.2.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n"
        )
        lines = [
            line
            for group, entries in entry_points.items()
            for line in (f"[{group}]", *(f"{name} = {value}" for name, value in entries.items()))
        ]
        (metadata / "entry_points.txt").write_text("\n".join(lines) + "\n")
        for name, text in (modules or {}).items():
            (self.folder / f"{name}.py").write_text(text, encoding="utf-8")
