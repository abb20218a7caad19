import getpass
import os

import pytest

from testamur.application.errors import AlreadyRunning, RetrievalError
from testamur.domain.errors import (
    DecisionRefused,
    InvalidInput,
    InvalidOptions,
    NotFound,
    TestamurError,
)
from testamur.domain.identifiers import parse_actor
from testamur.entrypoints.cli.errors import exit_code_of, told
from testamur.entrypoints.cli.invocation import default_actor

TOO_MUCH = InvalidInput("criteria.required_completion", 7, "a fraction from 0 to 1")
NO_SUCH = InvalidInput("criteria.colour", "red", "no such field")


def test_an_error_is_one_line() -> None:
    assert told(NotFound("credential type", "degree", ["completion"])) == [
        "error: no credential type 'degree'; there are: completion"
    ]


def test_each_field_that_is_wrong_has_a_line_of_its_own() -> None:
    assert told(InvalidOptions("type.toml", [TOO_MUCH, NO_SUCH])) == [
        f"error: type.toml: {TOO_MUCH}",
        f"error: type.toml: {NO_SUCH}",
    ]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (TOO_MUCH, 2),
        (InvalidOptions("options", [TOO_MUCH]), 2),
        (NotFound("asset", "diploma"), 2),
        (DecisionRefused("asset 'diploma'", "it exists already"), 1),
        (AlreadyRunning("tick"), 1),
        (RetrievalError("the LMS went away"), 1),
    ],
)
def test_bad_input_is_told_from_what_failed_by_the_exit_code(
    error: TestamurError, code: int
) -> None:
    assert exit_code_of(error) == code


def test_the_actor_is_who_is_logged_in() -> None:
    assert default_actor() == f"cli:{getpass.getuser()}"
    parse_actor(default_actor())


def test_who_has_no_login_name_is_called_by_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 4_000_123)
    assert default_actor() == "cli:uid-4000123"
