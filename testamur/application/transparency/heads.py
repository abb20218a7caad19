"""Heads as they are checked: those that are stored, and one that was kept elsewhere."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from testamur.application.ports.transparency import HeadSigner, LogKey, TreeHead, TreeStore
from testamur.application.transparency.findings import Findings
from testamur.application.transparency.log_keys import broken_chain
from testamur.application.transparency.notes import KeptHead
from testamur.domain.checkpoints import Checkpoint, key_id_of

_PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class Anchor:
    """A root that the log must have at a size.

    Args:
        size: Number of events.
        root: The root.
        trusted: Whether its signature holds, or it was kept elsewhere.
        name: For people.
    """

    size: int
    root: bytes
    trusted: bool
    name: str


class HeadCheck:
    """Checks keys and signatures, and gives the heads in order.

    Args:
        tree: Where the heads are stored.
        signer: Checks signatures, and says what the installation's key is.
        kept: A head that was kept elsewhere.
        findings: Gets what is wrong.
    """

    def __init__(
        self,
        tree: TreeStore,
        signer: HeadSigner,
        kept: KeptHead | None,
        findings: Findings,
    ) -> None:
        self._tree = tree
        self._signer = signer
        self._kept = kept
        self._findings = findings
        self._origin = tree.origin()
        self._keys = tree.keys()
        self.count = 0
        self.trusted_key = self._check_keys()

    def anchors(self) -> Iterator[Anchor]:
        """Yield all heads by size, and the kept one among them."""
        kept = self._kept_anchor()
        for anchor in self._stored():
            if kept is not None and kept.size <= anchor.size:
                yield kept
                kept = None
            yield anchor
        if kept is not None:
            yield kept

    def _kept_anchor(self) -> Anchor | None:
        if self._kept is None:
            return None
        self.count += 1
        checkpoint = self._kept.signed.checkpoint
        if checkpoint.origin != self._origin:
            self._findings.add(
                "head",
                "different",
                f"the log is {self._origin}, and the head that was kept is of {checkpoint.origin}",
            )
        return Anchor(
            checkpoint.size, checkpoint.root, True, f"the kept head of {checkpoint.size} events"
        )

    def _stored(self) -> Iterator[Anchor]:
        size, latest_key = 0, 0
        by_id = {key.key_id: number for number, key in enumerate(self._keys)}
        while heads := self._tree.heads(size, _PAGE):
            for head in heads:
                self.count += 1
                trusted = self._is_signed(head)
                if trusted and by_id[head.key_id] < latest_key:
                    self._findings.add(
                        "head",
                        "false-signature",
                        f"the head of {head.size} events is signed by {head.key_id}, a key that "
                        "was replaced before",
                        head.size,
                    )
                elif trusted:
                    latest_key = by_id[head.key_id]
                yield Anchor(
                    head.size, head.root, trusted, f"the head of {head.size} events ({head.at})"
                )
            size = heads[-1].size

    def _is_signed(self, head: TreeHead) -> bool:
        text = Checkpoint(self._origin, head.size, head.root, head.at).text.encode()
        for key in self._keys:
            if key.key_id == head.key_id:
                if self._signer.is_signed(text, head.signature, key.public_key):
                    return True
                problem = f"does not bear the signature of the key {head.key_id}"
                break
        else:
            problem = f"is signed by {head.key_id}, which is no key of the log"
        self._findings.add(
            "head",
            "false-signature",
            f"the head of {head.size} events ({head.at}) {problem}",
            head.size,
        )
        return False

    def _check_keys(self) -> str | None:
        """Check the keys, and return the id of the latest one that is trusted from outside."""
        trusted: list[bytes] = []
        if (ours := self._signer.public_key()) is not None and self._keys:
            trusted.append(ours)
        if self._kept is not None:
            trusted += self._kept.public_keys
            self._check_kept_signature(self._kept)
        stored = [key.public_key for key in self._keys]
        for public_key in trusted:
            if public_key not in stored:
                self._findings.add(
                    "key",
                    "missing",
                    f"{key_id_of(self._origin, public_key)}, a key that is trusted, is not among "
                    "the log's keys",
                )
        known = [number for number, key in enumerate(stored) if key in trusted]
        first = self._first_that_counts()
        for broken in broken_chain(self._origin, self._keys, self._signer):
            if self._keys.index(broken.key) > first or first == 0:
                self._findings.add("key", "false-signature", f"{broken.key.key_id}: {broken.why}")
        return self._keys[max(known)].key_id if known else None

    def _first_that_counts(self) -> int:
        """Return the number of the key that signed the kept head; what was before is settled."""
        if self._kept is None:
            return 0
        return _number_of(self._keys, self._kept.signed.key_id)

    def _check_kept_signature(self, kept: KeptHead) -> None:
        keys = {
            key_id_of(self._origin, each): each
            for each in (*(key.public_key for key in self._keys), *kept.public_keys)
        }
        signed = kept.signed
        key = keys.get(signed.key_id)
        if key is None or not self._signer.is_signed(signed.text.encode(), signed.signature, key):
            self._findings.add(
                "head",
                "false-signature",
                f"the head that was kept, of {signed.checkpoint.size} events, does not bear the "
                "signature of a key of the log",
                signed.checkpoint.size,
            )


def _number_of(keys: Sequence[LogKey], key_id: str) -> int:
    return next((number for number, key in enumerate(keys) if key.key_id == key_id), 0)
