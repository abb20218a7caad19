"""Progress of long work, told to whoever watches."""

from enum import StrEnum
from typing import Protocol


class Step(StrEnum):
    """The steps of a certificate's way, and of looking after it."""

    EVALUATE = "evaluate"
    AWARD = "award"
    ISSUE = "issue"
    NOTIFY = "notify"
    FOLLOW = "follow"
    VERIFY = "verify"
    EXPORT = "export"
    DOWNLOAD = "download"
    REVOKE = "revoke"
    REISSUE = "reissue"
    CORRECT = "correct"


class Progress(Protocol):
    """Is told how far the work is."""

    def expect(self, step: Step, total: int) -> None:
        """Say how much there is to do in a step, as soon as it is known."""
        ...

    def advance(self, step: Step, by: int) -> None:
        """Say that so much more is done."""
        ...


class Unwatched:
    """Progress that nobody watches."""

    def expect(self, step: Step, total: int) -> None:
        """Do nothing."""

    def advance(self, step: Step, by: int) -> None:
        """Do nothing."""
