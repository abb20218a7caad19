"""The first change: what became of the event whose hash is not the one that was sealed.

The hash of an event's leaf is made of its place too, so an event is known again elsewhere by
hashing it as if it stood where it stood before.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from testamur.application.ports.log import StoredLog, StoredRecord
from testamur.application.ports.transparency import TreeStore
from testamur.application.transparency.findings import Kind
from testamur.domain.checkpoints import event_leaf_hash

#: An event that moved is looked for among so many that follow.
REACH: Final = 65_536

_BATCH: Final = 1_000


@dataclass(frozen=True, slots=True)
class FirstChange:
    """What is wrong with the first event that is not as it was sealed.

    Args:
        kind: What happened.
        detail: In words.
    """

    kind: Kind
    detail: str


@dataclass(frozen=True, slots=True)
class ChangeFinder:
    """Tells what happened to an event, by what is kept of it and of those after it."""

    log: StoredLog
    tree: TreeStore

    def find(self, position: int, sealed: int) -> FirstChange:
        """Tell what happened.

        Args:
            position: The first event whose hash is not the kept one.
            sealed: How many events were sealed.
        """
        there = next(iter(self.log.records(position - 1, 1)), None)
        if there is None:
            return FirstChange(
                "dropped", f"event {position} is not there, nor any of those up to {sealed}"
            )
        if there.position != position:
            return FirstChange("dropped", f"event {position} is not there")
        belongs_to = self._place_of(there, position, sealed)
        moved_to = self._where_is(position)
        described = _described(there)
        if moved_to and belongs_to:
            return FirstChange(
                "re-ordered",
                f"event {position} stands at {moved_to} now; in its place is {described}, which "
                f"was event {belongs_to}",
            )
        if belongs_to:
            gone = _count(belongs_to - position)
            return FirstChange(
                "dropped",
                f"event {position} is not there ({gone} before {described}, which was event "
                f"{belongs_to})",
            )
        if moved_to:
            new = _count(moved_to - position)
            return FirstChange(
                "inserted", f"{described} was not sealed ({new} before what was event {position})"
            )
        return FirstChange("altered", f"{described} is not as it was sealed")

    def _place_of(self, record: StoredRecord, position: int, sealed: int) -> int | None:
        """Return the place after its own at which an event was sealed."""
        for place, kept in self._kept_after(position, min(sealed, position + REACH)):
            if _hash(record, place) == kept:
                return place
        return None

    def _where_is(self, position: int) -> int | None:
        """Return the place after its own at which the event is that was sealed here."""
        (kept,) = self.tree.nodes(0, position - 1, 1)
        for first in range(position, position + REACH, _BATCH):
            records = self.log.records(first, _BATCH)
            for each in records:
                if _hash(each, position) == kept:
                    return each.position
            if len(records) < _BATCH:
                break
        return None

    def _kept_after(self, position: int, last: int) -> Iterator[tuple[int, bytes]]:
        for first in range(position, last, _BATCH):
            hashes = self.tree.nodes(0, first, min(_BATCH, last - first))
            yield from enumerate(hashes, start=first + 1)


def leaf_of(record: StoredRecord) -> bytes | None:
    """Return the hash of an event's leaf; None where it cannot have been recorded so."""
    return _hash(record, record.position)


def _hash(record: StoredRecord, position: int) -> bytes | None:
    try:
        return event_leaf_hash(
            position, record.stream_id, record.version, record.name, record.state
        )
    except ValueError:
        return None


def _described(record: StoredRecord) -> str:
    return (
        f"event {record.position} ({record.name}, version {record.version} of stream "
        f"{record.stream_id})"
    )


def _count(number: int) -> str:
    return "1 event" if number == 1 else f"{number} events"
