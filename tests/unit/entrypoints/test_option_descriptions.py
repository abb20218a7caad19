"""Options in words: types, defaults and meanings as the model has them, and what is secret."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field, Secret, SecretStr

from testamur.entrypoints.option_descriptions import (
    OptionDescription,
    describe_options,
    open_options,
)


class Login(BaseModel):
    """How to log in."""

    user: str
    password: SecretStr


class Kept(BaseModel):
    """What is kept in a base class.

    Args:
        folder: Where ``things`` are
            kept, in short.
    """

    folder: Path


class Everything(Kept):
    """One option of each kind.

    Args:
        mode (str): How it is done: quick or thorough.

    Raises:
        nothing: This is no option.
    """

    mode: Literal["quick", "thorough"] = "quick"
    tries: Annotated[int, Field(ge=1, le=9, description="How often.")] = 3
    share: Annotated[Decimal, Field(gt=0)] = Decimal("0.5")
    names: list[str] = []
    weights: dict[str, float] = {}
    site: Annotated[str | None, Field(alias="web-site")] = None
    login: Login | None = None
    logins: list[Login] = []
    pin: Secret[int] = Secret(1234)
    token: Annotated[str, Field(json_schema_extra={"writeOnly": True})] = "none of your business"


def described() -> dict[str, OptionDescription]:
    return {each.name: each for each in describe_options(Everything)}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("folder", "path"),
        ("mode", "one of quick, thorough"),
        ("tries", "whole number from 1 to 9"),
        ("share", "number above 0 or text"),
        ("names", "list, each text"),
        ("weights", "table, each number"),
        ("web-site", "text or none"),
        ("login", "table or none"),
        ("pin", "whole number"),
    ],
)
def test_types_are_told_in_words(name: str, words: str) -> None:
    assert described()[name].type == words


def test_meanings_come_from_descriptions_and_docstrings() -> None:
    assert described()["tries"].meaning == "How often."
    assert described()["mode"].meaning == "How it is done: quick or thorough."
    assert described()["folder"].meaning == "Where `things` are kept, in short."
    assert not described()["names"].meaning


def test_defaults_are_told_and_what_is_required() -> None:
    assert described()["folder"].required
    assert {name: each.default for name, each in described().items() if each.default} == {
        "mode": "quick",
        "tries": "3",
        "share": "0.5",
        "names": "[]",
        "weights": "{}",
        "web-site": "none",
    }


def test_a_secret_is_one_at_any_depth_and_its_default_is_not_told() -> None:
    secret = {name for name, each in described().items() if each.secret}
    assert secret == {"login", "logins", "pin", "token"}
    assert open_options(Everything) == set(described()) - secret


def test_of_a_model_without_a_schema_nothing_is_shown() -> None:
    class Odd(BaseModel):
        made: Callable[[], str]
        name: str = "odd"

    assert [each.name for each in describe_options(Odd)] == ["made", "name"]
    assert not open_options(Odd)
