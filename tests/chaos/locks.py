"""Locks: that none was held by two at once, and that the shared work was done under them."""

from testamur.application.dividing import share_of, work_on_share
from testamur.domain.identifiers import LearnerId
from tests.chaos.ending import Ending
from tests.chaos.holders import begun_works, held_locks, overlapping
from tests.chaos.stage import Stage


def look_at_locks(ending: Ending, stage: Stage) -> None:
    """Look at what the workers noted while they held locks of work."""
    locks = held_locks(stage.folder / "holders", stage.locks_lost)
    for work, held in locks.items():
        overlaps = overlapping(held)
        if overlaps:
            ending.wrong(f"{len(overlaps)} times, two at once held the lock of {work!r}", overlaps)
    shares = {share_of(LearnerId(id_)) for id_ in stage.expected.eligible}
    expected = {work_on_share(work, share) for work in ("issue", "notify") for share in shares}
    begun = begun_works(stage.folder / "holders")
    ending.require_same("locks of shares that were held", expected & begun, expected)
    ending.counts["locks held"] = sum(map(len, locks.values()))
