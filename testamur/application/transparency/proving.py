"""Proving: what outsiders are given, so that they need not trust the installation."""

from dataclasses import dataclass

from testamur.application.ports.log import StoredLog, StoredRecord
from testamur.application.ports.transparency import TreeHead, TreeStore
from testamur.application.transparency.kept_tree import kept_range, range_hash
from testamur.application.transparency.notes import (
    ConsistencyProof,
    CredentialProof,
    EventProof,
    KeptHead,
    SignedHead,
)
from testamur.domain.checkpoints import event_leaf_hash
from testamur.domain.errors import DecisionRefused, NotFound
from testamur.domain.identifiers import CredentialId
from testamur.domain.merkle import (
    consistency_ranges,
    includes,
    inclusion_ranges,
    is_consistent,
)


@dataclass(frozen=True, slots=True)
class Proving:
    """Makes proofs from the kept hashes; none is given out that does not hold."""

    log: StoredLog
    tree: TreeStore

    def head(self) -> SignedHead:
        """Return the latest head.

        Raises:
            DecisionRefused: Nothing was sealed yet.
        """
        head = self.tree.latest_head()
        if head is None:
            raise DecisionRefused(
                "the log", "nothing of it is sealed yet; run `testamur audit seal` first"
            )
        return self._signed(head)

    def credential(self, id_: CredentialId) -> CredentialProof:
        """Prove that what happened to a credential is in the log.

        Args:
            id_: The credential.

        Raises:
            NotFound: There is no such credential.
            DecisionRefused: It is not sealed yet, or the log is not what was sealed.
        """
        records = list(self._stream(id_))
        if not records:
            raise NotFound("credential", str(id_))
        head = self.head()
        sealed = [each for each in records if each.position <= head.head.size]
        if len(sealed) < len(records):
            raise DecisionRefused(
                f"credential {id_}",
                f"event {records[len(sealed)].position} of the log is about it, and the latest "
                f"head ends at {head.head.size}; run `testamur audit seal` first",
            )
        return CredentialProof(id_, head, [self._proven(each, head.head) for each in sealed])

    def consistency(self, earlier: KeptHead) -> ConsistencyProof:
        """Prove that the log only grew since a head that was kept elsewhere.

        Args:
            earlier: The head.

        Raises:
            DecisionRefused: Nothing was sealed yet; it did not only grow, or the head is of another
                log or of no events.
        """
        head = self.head()
        checkpoint = earlier.signed.checkpoint
        subject = f"the head of {checkpoint.size} events"
        if checkpoint.origin != head.origin:
            raise DecisionRefused(
                subject, f"it is of the log {checkpoint.origin}, and this is {head.origin}"
            )
        if not 0 < checkpoint.size <= head.head.size:
            raise DecisionRefused(
                subject,
                f"the latest head is of {head.head.size} events, and cannot go on from it",
            )
        path = [
            range_hash(self.tree, each)
            for each in consistency_ranges(checkpoint.size, head.head.size)
        ]
        if not is_consistent(
            checkpoint.size, checkpoint.root, head.head.size, head.head.root, path
        ):
            there = kept_range(self.tree, checkpoint.size).root == checkpoint.root
            raise DecisionRefused(
                subject,
                ("the latest head does not go on from it" if there else "the log had another root")
                + ": it was changed; run `testamur audit verify --from` with this head",
            )
        return ConsistencyProof(earlier, head, path)

    def _signed(self, head: TreeHead) -> SignedHead:
        return SignedHead(self.tree.origin(), head, self.tree.keys())

    def _stream(self, id_: CredentialId) -> list[StoredRecord]:
        records: list[StoredRecord] = []
        while (record := self.log.record(id_, len(records) + 1)) is not None:
            records.append(record)
        return records

    def _proven(self, record: StoredRecord, head: TreeHead) -> EventProof:
        index = record.position - 1
        path = [range_hash(self.tree, each) for each in inclusion_ranges(index, head.size)]
        try:
            leaf = event_leaf_hash(
                record.position, record.stream_id, record.version, record.name, record.state
            )
        except ValueError:
            leaf = b""
        if not includes(leaf, index, head.size, path, head.root):
            raise DecisionRefused(
                f"event {record.position}",
                "it is not as it was sealed, or the hashes kept of the log are not; run "
                "`testamur audit verify`",
            )
        return EventProof(record, path)
