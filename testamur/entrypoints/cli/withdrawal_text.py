"""What became of the documents of credentials that have ended, as people read it."""

from typing import TYPE_CHECKING, Any

import typer

from testamur.entrypoints.cli.errors import FAILED
from testamur.entrypoints.cli.output import many, warn

if TYPE_CHECKING:
    from testamur.application.withdrawing import Withdrawal


def withdrawal_document(withdrawal: "Withdrawal") -> dict[str, Any]:
    """Return the same for programs."""
    return {
        "withdrawn": withdrawal.withdrawn,
        "waiting": withdrawal.waiting,
        "left_public": withdrawal.left_public,
        "missing": withdrawal.missing,
        "failures": withdrawal.failures,
    }


def waiting_lines(withdrawal: "Withdrawal") -> list[str]:
    """Return what to say of documents that wait to be put away."""
    waiting = withdrawal.waiting
    if not waiting:
        return []
    return [f"Documents of {many(waiting, 'credential')} are put away by the next tick."]


def leave_if_left(withdrawal: "Withdrawal") -> None:
    """Say what is to be looked at, and leave with 1 if there is anything."""
    for failure in withdrawal.failures:
        warn(f"not put away: {failure}; tried again by the next tick")
    for key in withdrawal.missing:
        warn(f"found nowhere: {key}")
    if withdrawal.left_public:
        warn(
            f"documents of {many(withdrawal.left_public, 'credential')} stay in their public "
            "places: the storage that the settings choose cannot put files away"
        )
    if withdrawal.failures or withdrawal.missing or withdrawal.left_public:
        raise typer.Exit(FAILED)
