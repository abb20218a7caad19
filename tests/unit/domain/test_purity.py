"""The domain imports nothing but the standard library and pydantic, and reads no clock."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import testamur.domain

MODULES = sorted(Path(testamur.domain.__path__[0]).glob("*.py"))

#: Packages that the domain may import from.
ALLOWED_PACKAGES = {"pydantic", *sys.stdlib_module_names} - {
    "asyncio", "io", "os", "pathlib", "random", "secrets", "socket", "sqlite3", "subprocess",
    "tempfile", "threading", "time",
}  # fmt: skip

#: Calls whose answer differs from one time to the next, or that reach outside.
FORBIDDEN_CALLS = {
    "now",
    "utcnow",
    "today",
    "uuid1",
    "uuid4",
    "open",
    "print",
    "input",
    "getcontext",
}


def impurities(source: str) -> Iterator[str]:
    """Yield each import and call that does not belong into the domain."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                yield from (name.name for name in names if not is_allowed(name.name))
            case ast.ImportFrom(module=module, level=level):
                if level or not is_allowed(module or ""):
                    yield f"{'.' * level}{module or ''}"
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
                if name in FORBIDDEN_CALLS:
                    yield f"{name}()"


def is_allowed(module: str) -> bool:
    return (
        module.partition(".")[0] in ALLOWED_PACKAGES
        or module == "testamur.domain"
        or module.startswith("testamur.domain.")
    )


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.stem)
def test_a_module_of_the_domain_is_pure(module: Path) -> None:
    assert list(impurities(module.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("import httpx", "httpx"),
        ("import os.path", "os.path"),
        ("from random import choice", "random"),
        ("from testamur import adapters", "testamur"),
        ("from testamur.application import errors", "testamur.application"),
        ("from . import errors", "."),
        ("at = datetime.now(UTC)", "now()"),
        ("at = date.today()", "today()"),
        ("def make():\n    return uuid4()", "uuid4()"),
        ("content = open('file').read()", "open()"),
    ],
)
def test_what_is_impure_is_found(line: str, found: str) -> None:
    assert list(impurities(line)) == [found]
