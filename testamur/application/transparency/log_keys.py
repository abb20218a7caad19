"""The log's keys: which one signs, how it is replaced, and which of them can be trusted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from testamur.application.errors import TamperedLog
from testamur.application.ports.system import Clock, WorkLocks
from testamur.application.ports.transparency import HeadSigner, LogKey, SigningKey, TreeStore
from testamur.domain.checkpoints import key_id_of, key_statement
from testamur.domain.errors import DecisionRefused


@dataclass(frozen=True, slots=True)
class LogKeys:
    """Knows which key signs, and replaces it."""

    tree: TreeStore
    signer: HeadSigner
    locks: WorkLocks
    clock: Clock

    def signing(self) -> SigningKey:
        """Return the key that signs; the first one signs for itself.

        Raises:
            DecisionRefused: The installation has another key than the log's latest.
            InvalidInput, StorageError: The key cannot be read or made.
        """
        key = self.signer.key()
        keys = self.tree.keys()
        if not keys:
            self._introduce(key, key, None)
            keys = self.tree.keys()
        if keys[-1].public_key != key.public_key:
            ours = key_id_of(self.tree.origin(), key.public_key)
            raise DecisionRefused(
                "the log's key",
                f"it is {keys[-1].key_id}, and the setting log_key leads to {ours}; let log_key "
                "lead to the log's own key (every host needs the same), or, if that is lost, run "
                "`testamur audit rotate-key --lost`",
            )
        return key

    def rotate(self, given: SigningKey | None = None, *, lost: bool = False) -> LogKey:
        """Replace the key: the present one signs for the one that follows.

        Args:
            given: The key that is to follow; None: one is made, and put in the place of the
                present one.
            lost: Whether the present key is lost, so that the next one has to sign for itself.
                Whoever verifies the log is told so.

        Raises:
            DecisionRefused: The installation has another key than the log's latest.
            InvalidInput, StorageError: A key cannot be read, made or put in its place.
            AlreadyRunning: Another process is at it.
        """
        with self.locks.hold("log key"):
            keys = self.tree.keys()
            following = given or (self.signer.key() if lost else self.signer.prepare_next())
            if not keys or keys[-1].public_key != following.public_key:
                # Else an attempt before was interrupted when the key was introduced already.
                voucher = following if lost else self.signing()
                keys = self.tree.keys()
                self._introduce(following, voucher, keys[-1] if keys else None)
            if given is None and not lost:
                self.signer.use_next()
            latest = self.tree.keys()[-1]
            if latest.public_key != following.public_key:
                raise DecisionRefused("the log's key", "another process replaced it just now")
            return latest

    def _introduce(self, key: SigningKey, voucher: SigningKey, before: LogKey | None) -> None:
        origin = self.tree.origin()
        since = self.clock.now()
        self.tree.add_key(
            LogKey(
                key_id=key_id_of(origin, key.public_key),
                public_key=key.public_key,
                since=since,
                introduced_by=before.key_id if before else None,
                signature=voucher.sign(key_statement(origin, key.public_key, since)),
            )
        )


@dataclass(frozen=True, slots=True)
class BrokenChain:
    """A key that the one before has not signed for.

    Args:
        key: The key.
        why: What is wrong.
    """

    key: LogKey
    why: str


def broken_chain(origin: str, keys: Sequence[LogKey], signer: HeadSigner) -> Iterator[BrokenChain]:
    """Yield the keys that those before them have not signed for.

    Args:
        origin: Name of the log.
        keys: All of them, in the order in which they came.
        signer: Checks signatures.
    """
    before: LogKey | None = None
    for key in keys:
        statement = key_statement(origin, key.public_key, key.since)
        voucher = before or key
        if key.key_id != key_id_of(origin, key.public_key):
            yield BrokenChain(key, "its id does not belong to it")
        elif key.introduced_by != (before.key_id if before else None):
            yield BrokenChain(key, f"it names {key.introduced_by} as the key before it")
        elif not signer.is_signed(statement, key.signature, voucher.public_key):
            lost = signer.is_signed(statement, key.signature, key.public_key)
            yield BrokenChain(
                key,
                "it signed for itself, as one does that replaces a lost key"
                if lost
                else "the signature that introduces it is false",
            )
        before = key


def require_key(keys: Sequence[LogKey], key_id: str) -> LogKey:
    """Return a key of the log by its id.

    Raises:
        TamperedLog: The log has no such key.
    """
    for key in keys:
        if key.key_id == key_id:
            return key
    raise TamperedLog(f"a head is signed by {key_id}, which is no key of the log")
