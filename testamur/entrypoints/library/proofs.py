"""Proofs: the sealed log, and the read models that follow it."""

from pathlib import Path

from testamur.adapters.log_key import parse_log_key
from testamur.application.following import AUDIT_TRAIL, Following, FollowingStatus
from testamur.application.ports.transparency import LogKey, TreeHead
from testamur.application.progress import Progress, Unwatched
from testamur.application.transparency.checking import Checking
from testamur.application.transparency.findings import LogReport
from testamur.application.transparency.log_keys import LogKeys
from testamur.application.transparency.notes import (
    ConsistencyProof,
    CredentialProof,
    KeptHead,
    SignedHead,
    read_kept_head,
)
from testamur.application.transparency.proving import Proving
from testamur.application.transparency.sealing import Sealing
from testamur.domain.errors import InvalidInput
from testamur.domain.identifiers import CredentialId
from testamur.entrypoints.library.acting import Acting, content_of


class Proofs(Acting):
    """Keeps and checks the proof of what happened, and what is searched."""

    def seal(self) -> TreeHead | None:
        """Seal what the log has gained since the last time; None: nothing. See `Sealing.seal`."""
        return self._wiring.resolve(Sealing).seal()

    def verify_log(
        self, trusted_head: str | Path | None = None, *, progress: Progress | None = None
    ) -> LogReport:
        """Find what was altered, dropped, inserted or re-ordered. See `Checking.check`.

        Args:
            trusted_head: A head that was kept elsewhere: what `log_head` gave, as JSON or as a
                note, or a file with it.
            progress: Is told how far it is.

        Raises:
            InvalidInput: The head is none, or cannot be read.
            EventStoreError: The database cannot be read.
        """
        kept = None if trusted_head is None else _kept_head(trusted_head)
        return self._wiring.resolve(Checking).check(progress or Unwatched(), kept)

    def log_head(self) -> SignedHead:
        """Return the latest signed head, to be kept elsewhere. See `Proving.head`."""
        return self._wiring.resolve(Proving).head()

    def proof(self, credential: CredentialId) -> CredentialProof:
        """Prove to an outsider what happened to a credential. See `Proving.credential`."""
        return self._wiring.resolve(Proving).credential(credential)

    def consistency_proof(self, earlier_head: str | Path) -> ConsistencyProof:
        """Prove that the log only grew since a head. See `Proving.consistency`.

        Args:
            earlier_head: As for `verify_log`.
        """
        return self._wiring.resolve(Proving).consistency(_kept_head(earlier_head))

    def rotate_log_key(self, following: Path | None = None, *, lost: bool = False) -> LogKey:
        """Replace the key that seals the log. See `LogKeys.rotate`.

        Args:
            following: File with the key that is to follow; None: one is made.
            lost: Whether the present key is lost.
        """
        given = None
        if following is not None:
            given = parse_log_key(content_of(following, "")[0], str(following))
        return self._wiring.resolve(LogKeys).rotate(given, lost=lost)

    def projections(self) -> list[FollowingStatus]:
        """Tell how far the read models that follow the log are. See `Following.status`."""
        return [self._wiring.resolve(Following).status()]

    def rebuild_projection(
        self, name: str = AUDIT_TRAIL, *, progress: Progress | None = None
    ) -> FollowingStatus:
        """Make a read model anew from the log, while others go on using the old one.

        Args:
            name: Which; there is ``audit-trail``.
            progress: Is told how far it is.

        Raises:
            InvalidInput: There is no such read model.
            EventStoreError: The log cannot be read, or the read model not be written; the old one
                stays. It can be begun anew.
        """
        if name != AUDIT_TRAIL:
            raise InvalidInput("projection", name, AUDIT_TRAIL)
        following = self._wiring.resolve(Following)
        following.rebuild(progress)
        return following.status()


def _kept_head(given: str | Path) -> KeptHead:
    if isinstance(given, str):
        return read_kept_head(given)
    content, _ = content_of(given, "")
    try:
        return read_kept_head(content.decode(), str(given))
    except UnicodeDecodeError:
        raise InvalidInput("head", str(given), "a file that holds text") from None
