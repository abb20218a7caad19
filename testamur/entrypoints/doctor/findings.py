"""Findings: what the doctor's checks come to."""

from collections.abc import Callable
from dataclasses import dataclass

from testamur.domain.errors import TestamurError


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found.

    Args:
        subject: What was checked.
        ok: Whether it is as it should be.
        found: What was found.
        remedy: How to mend it; empty where all is well.
    """

    subject: str
    ok: bool
    found: str
    remedy: str = ""


class Unwell(TestamurError):
    """A part works, and is not as it should be.

    Args:
        found: What was found.
        remedy: How to mend it.
    """

    def __init__(self, found: str, remedy: str) -> None:
        self.found = found
        self.remedy = remedy
        super().__init__(found)


def checked(subject: str, check: Callable[[], str], remedy: str) -> Finding:
    """Try a part.

    Args:
        subject: What is checked.
        check: Returns what it found; raises where it is not as it should be.
        remedy: How to mend it, where the check itself does not say.
    """
    try:
        return Finding(subject, True, check())
    except Unwell as error:
        return Finding(subject, False, error.found, error.remedy)
    except TestamurError as error:
        return Finding(subject, False, str(error), remedy)
    except Exception as error:  # noqa: BLE001 - whatever it met, the checks after it still run
        return Finding(subject, False, f"{type(error).__name__}: {error}", remedy)
