"""The log against what was sealed: every event's hash, every head's root, every stream's order."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from testamur.application.errors import EventStoreError
from testamur.application.ports.log import StoredLog, StoredRecord
from testamur.application.ports.transparency import TreeStore
from testamur.application.transparency.findings import Findings
from testamur.application.transparency.first_change import ChangeFinder, leaf_of
from testamur.application.transparency.heads import Anchor
from testamur.domain.checkpoints import event_leaf_hashes
from testamur.domain.merkle import HASH_BYTES, CompactRange

#: Events that are looked at together.
BATCH_SIZE: Final = 1_000

#: So many streams' latest versions are remembered; the others are asked for when they go on.
STREAMS_REMEMBERED: Final = 100_000

#: Stands for the hash of an event that is not there, or cannot have been recorded so.
_NONE: Final = bytes(HASH_BYTES)


class LogCheck:
    """Goes over the log once, from the first event on; memory stays flat.

    Two trees grow side by side: one of the events as they are now, and one of the hashes that were
    kept when they were sealed. A head says which of the two is right where they differ.

    Args:
        log: The log.
        tree: Keeps the hashes.
        anchors: The heads, by size.
        findings: Gets what is wrong.

    Attributes:
        size: Position of the last event, when the check began.
        sealed: How many events the latest head covers.
        read: How many events were read so far.
    """

    def __init__(
        self,
        log: StoredLog,
        tree: TreeStore,
        anchors: Iterator[Anchor],
        findings: Findings,
    ) -> None:
        self._log = log
        self._tree = tree
        self._anchors = anchors
        self._findings = findings
        self._order = _StreamOrder(log, findings)
        self._next = next(anchors, None)
        head = tree.latest_head()
        self.sealed = head.size if head else 0
        self.size = log.last_position()
        self._comparison = _Comparison(log, tree, self.sealed, findings)
        self.read = 0

    def batches(self) -> Iterator[Sequence[StoredRecord]]:
        """Check the log, and yield its events batch by batch, those that can be read."""
        for first in range(0, max(self.size, self.sealed), BATCH_SIZE):
            last = min(first + BATCH_SIZE, max(self.size, self.sealed))
            records = self._records(first, last)
            self.read += len(records)
            self._order.check(records)
            self._note_gaps(first, min(last, self.size), records)
            self._compare(first, _hashes(records, first, last))
            yield records
        while self._next is not None:
            self._note_too_short(self._next)
            self._advance()
        self._comparison.finish()
        if self._tree.nodes(0, self.sealed, 1):
            self._findings.add(
                "head",
                "missing",
                f"events beyond {self.sealed}, where the latest head ends, were sealed: a later "
                "head was removed",
            )

    def _records(self, first: int, last: int) -> list[StoredRecord]:
        try:
            found = self._log.records(first, last - first)
        except (EventStoreError, ValueError):
            return self._readable(first, last)
        return [each for each in found if each.position <= last]

    def _readable(self, first: int, last: int) -> list[StoredRecord]:
        """Return the events that can be read at all, one by one."""
        records: list[StoredRecord] = []
        for before in range(first, last):
            try:
                found = self._log.records(before, 1)
            except (EventStoreError, ValueError) as error:
                self._findings.add(
                    "log",
                    "unreadable",
                    f"event {before + 1}: {error}",
                    before + 1,
                    is_circumstantial=True,
                )
                continue
            records += [each for each in found if each.position == before + 1]
        return records

    def _note_gaps(self, first: int, last: int, records: Sequence[StoredRecord]) -> None:
        """Note the events that are missing among those that were not sealed."""
        there = {record.position for record in records} if last > self.sealed else ()
        for position in range(max(first, self.sealed) + 1, last + 1):
            if position not in there:
                self._findings.add("log", "dropped", f"event {position} is not there", position)

    def _compare(self, first: int, hashes: Sequence[bytes]) -> None:
        kept = self._tree.nodes(0, first, max(0, min(len(hashes), self.sealed - first)))
        at = 0
        while self._next is not None and self._next.size <= first + len(hashes):
            end = max(self._next.size - first, at)
            self._comparison.grow(hashes[at:end], kept[at:end])
            self._comparison.meet(self._next)
            at = end
            self._advance()
        self._comparison.grow(hashes[at:], kept[at:])

    def _advance(self) -> None:
        self._next = next(self._anchors, None)

    def _note_too_short(self, anchor: Anchor) -> None:
        self._findings.add(
            "log",
            "dropped",
            f"{anchor.name} is of more events than the {self.size} that are there",
            self.size + 1,
            anchor.size,
        )


def _hashes(records: Sequence[StoredRecord], first: int, last: int) -> list[bytes]:
    """Return the hashes of the events after one position up to another."""
    whole = len(records) == last - first and records[-1].position == last
    if whole and records[0].position == first + 1:
        try:
            return event_leaf_hashes(
                [(at, of.bytes, version, name, state) for at, of, version, name, state in records]
            )
        except ValueError:
            pass  # one by one: some cannot have been recorded so
    by_position = {record.position: leaf_of(record) or _NONE for record in records}
    return [by_position.get(each, _NONE) for each in range(first + 1, last + 1)]


@dataclass(slots=True)
class _Comparison:
    """The two trees, and where they began to differ."""

    log: StoredLog
    tree: TreeStore
    sealed: int
    findings: Findings
    now: CompactRange = field(default_factory=CompactRange)
    kept: CompactRange | None = None
    differs_at: int | None = None
    agreed: int = 0
    is_lost: bool = False

    def __post_init__(self) -> None:
        """Begin with two empty trees, which are one."""
        self.kept = self.now

    def grow(self, hashes: Sequence[bytes], kept: Sequence[bytes]) -> None:
        """Go on with events as they are, and as they were kept."""
        if self.differs_at is None and self.kept is not None and hashes != kept:
            differing = next(
                (
                    at
                    for at, (one, other) in enumerate(zip(hashes, kept, strict=False))
                    if one != other
                ),
                None,
            )
            if differing is not None:
                self.differs_at = self.now.size + differing + 1
        same = self.kept is self.now and hashes == kept
        before = self.kept
        self.now = self.now.extended(hashes).range
        if same:
            self.kept = self.now
        elif before is not None:
            complete = len(kept) == len(hashes)
            self.kept = before.extended(kept).range if complete else None

    def meet(self, anchor: Anchor) -> None:
        """Compare with a head of the size that was reached."""
        if anchor.root == self.now.root:
            self._settle(anchor)
        elif not anchor.trusted or self.is_lost:
            pass  # its signature is told already; or so is the first of such heads
        elif self.kept is not None and anchor.root == self.kept.root:
            self._tell_first_change()
            self.is_lost = True
        else:
            self._tell_range(anchor)
            self.is_lost = True

    def finish(self) -> None:
        """Tell of a difference that no head has settled."""
        if not self.is_lost:
            self._tell_first_change()

    def _settle(self, anchor: Anchor) -> None:
        """The events are as they were sealed; what is kept of them is not, where it differs."""
        if self.differs_at is not None:
            self.findings.add(
                "tree",
                "altered",
                f"the kept hash of event {self.differs_at} is not that of {anchor.name}; the event "
                "itself is",
                self.differs_at,
            )
        elif self.kept is None:
            self.findings.add(
                "tree", "missing", f"kept hashes of events up to {anchor.size} are missing"
            )
        self.kept, self.differs_at, self.agreed = self.now, None, anchor.size

    def _tell_first_change(self) -> None:
        if self.differs_at is None:
            return
        change = ChangeFinder(self.log, self.tree).find(self.differs_at, self.sealed)
        self.findings.add("log", change.kind, change.detail, self.differs_at)

    def _tell_range(self, anchor: Anchor) -> None:
        first = self.agreed + 1
        hint = (
            f"; the first that is not as its kept hash is {self.differs_at}"
            if self.differs_at is not None
            else ""
        )
        self.findings.add(
            "log",
            "altered",
            f"{anchor.name} has another root than the events up to {anchor.size} give, and their "
            f"kept hashes too: some of {first} to {anchor.size} were changed, and their hashes "
            f"with them{hint}",
            first,
            anchor.size,
        )


class _StreamOrder:
    """Sees that each event stands after the one before it in its stream.

    Args:
        log: The log.
        findings: Gets what is wrong.
    """

    def __init__(self, log: StoredLog, findings: Findings) -> None:
        self._log = log
        self._findings = findings
        # By the number that an id is: ids themselves take several times as long to look up.
        self._versions: dict[int, int] = {}

    def check(self, records: Sequence[StoredRecord]) -> None:
        """Go on with events in the order of the log."""
        versions = self._versions
        for record in records:
            stream, version = record.stream_id.int, record.version
            if version != 1:
                before = versions.pop(stream, None)
                if before is None:
                    before = self._stored_before(record)
                if before != version - 1:
                    self._tell(record, before)
            versions[stream] = version
        while len(versions) > STREAMS_REMEMBERED:
            del versions[next(iter(versions))]

    def _stored_before(self, record: StoredRecord) -> int | None:
        if record.version < 1:
            return None
        before = self._log.record(record.stream_id, record.version - 1)
        there = before is not None and before.position < record.position
        return record.version - 1 if there else None

    def _tell(self, record: StoredRecord, before: int | None) -> None:
        found = f"version {before}" if before else "nothing"
        self._findings.add(
            "log",
            "re-ordered",
            f"event {record.position} ({record.name}) is version {record.version} of stream "
            f"{record.stream_id}, and {found} of it stands before: an event was dropped or moved",
            record.position,
            is_circumstantial=True,
        )
