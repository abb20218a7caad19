"""From an error to what the command line says of it, and the exit code."""

from typing import Final

import typer

from testamur.domain.errors import InvalidInput, InvalidOptions, NotFound, TestamurError

#: The operation failed, or something is to be looked at.
FAILED: Final = 1
#: What the user gave is not allowed; nothing was done.
BAD_INPUT: Final = 2
#: A run found more than its guard lets pass; it waits until somebody decides.
NEEDS_APPROVAL: Final = 3
#: As a shell reports a program that Ctrl-C ended (128 and the number of SIGINT).
INTERRUPTED: Final = 130


class WrongUsage(typer.TyperException):
    """What was given on the command line does not make a whole.

    Args:
        message: What to give.
        ctx: The command that was called.
    """

    exit_code = BAD_INPUT

    def __init__(self, message: str, ctx: typer.Context) -> None:
        self.ctx = ctx
        super().__init__(message)


def told(error: TestamurError) -> list[str]:
    """Return the lines that tell of an error: one, or one for each field."""
    if isinstance(error, InvalidOptions):
        return [f"error: {error.subject}: {problem}" for problem in error.problems]
    return [f"error: {error}"]


def exit_code_of(error: TestamurError) -> int:
    """Return the exit code that an error ends the program with."""
    return BAD_INPUT if isinstance(error, InvalidInput | InvalidOptions | NotFound) else FAILED
