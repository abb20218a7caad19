"""A log that is sealed, for tests of tamper evidence, on any database."""

from dataclasses import dataclass
from pathlib import Path

from testamur.adapters.log_key import LogKeyFile
from testamur.adapters.system import MemoryLocks
from testamur.application.following import Following
from testamur.application.ports.transparency import HeadSigner
from testamur.application.progress import Unwatched
from testamur.application.transparency.checking import Checking
from testamur.application.transparency.findings import LogReport
from testamur.application.transparency.log_keys import LogKeys
from testamur.application.transparency.notes import KeptHead
from testamur.application.transparency.proving import Proving
from testamur.application.transparency.sealing import Sealing
from testamur.domain.credentials import CredentialAwarded
from tests.support.databases import Database
from tests.support.events import an_award, an_issue, awarding, by, id_of, then
from tests.support.world import SettableClock


@dataclass(frozen=True)
class Sealed:
    """The use cases of tamper evidence over one database.

    Args:
        database: The database.
        folder: Where the log's key lies.
    """

    database: Database
    folder: Path

    @property
    def signer(self) -> HeadSigner:
        """The log's key."""
        return LogKeyFile(self.folder / "log-key.pem")

    @property
    def keys(self) -> LogKeys:
        """Replaces the key."""
        return LogKeys(self.database.tree, self.signer, MemoryLocks(), SettableClock())

    @property
    def sealing(self) -> Sealing:
        """Seals the log."""
        return Sealing(self.database.log, self.database.tree, self.keys, SettableClock())

    @property
    def proving(self) -> Proving:
        """Makes proofs."""
        return Proving(self.database.log, self.database.tree)

    def check(self, kept: KeptHead | None = None, signer: HeadSigner | None = None) -> LogReport:
        """Verify the log."""
        database = self.database
        return Checking(
            database.events,
            database.log,
            database.register,
            database.trail,
            database.audit_rows,
            database.tree,
            signer or self.signer,
            database.deliveries,
        ).check(Unwatched(), kept)

    def award(self, first: int, last: int) -> list[CredentialAwarded]:
        """Award a credential to each of these learners, and issue every tenth."""
        awards = [an_award(f"learner-{number}") for number in range(first, last + 1)]
        self.database.events.append(awarding(*awards), by())
        issues = [then(id_of(award), 1, an_issue()) for award in awards[::10]]
        self.database.events.append([each for (each,) in issues], by())
        return awards

    def follow(self) -> None:
        """Bring the audit trail up to the log."""
        Following(self.database.log, self.database.audit_rows).catch_up()


def a_sealed_log(database: Database, folder: Path) -> Sealed:
    """Return a log of 704 events, sealed after 330 and after 660 of them, and followed."""
    sealed = Sealed(database, folder)
    sealed.award(1, 300)  # events 1 to 330: awards, then every tenth's issue
    sealed.sealing.seal()
    sealed.award(301, 600)
    sealed.sealing.seal()
    sealed.award(601, 640)
    sealed.follow()
    return sealed
