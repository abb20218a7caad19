"""Ending: credentials that are revoked, one by one or many together."""

from collections.abc import Sequence

from testamur.application.choosing import Choice
from testamur.application.ports.register import CredentialFilter
from testamur.application.progress import Progress
from testamur.application.revoking import Revocable, Revocation, Revoking
from testamur.application.withdrawing import Withdrawing
from testamur.domain.identifiers import CredentialId, RunId, parse_learner_id
from testamur.entrypoints.library.acting import Acting


class EndingCredentials(Acting):
    """Revokes credentials. It cannot be undone; a reissue makes a new edition."""

    def revoke(self, id_: CredentialId, reason: str, *, tell: bool = False) -> Revocation:
        """Revoke a credential. See `Revoking.revoke`.

        Args:
            id_: Which.
            reason: Why; it stays in the history, and whoever verifies the credential is told, so it
                must not name anybody.
            tell: Whether the learner is to be told.

        Raises:
            NotFound: There is no such credential.
            InvalidInput: The reason is empty.
            DecisionRefused: It is revoked, superseded or erased already.
        """
        return self._wiring.resolve(Revoking).revoke(id_, reason, self._request(), tell=tell)

    def revocable(
        self, where: CredentialFilter | None = None, *, learners: Sequence[str] | None = None
    ) -> Revocable:
        """Tell what :meth:`revoke_many` would revoke, writing nothing.

        Args:
            where: Which credentials.
            learners: Only those of the learners with these ids.

        Raises:
            InvalidInput: There is no condition at all, or a learner's id is not allowed.
        """
        return self._wiring.resolve(Revoking).revocable(_choice(where, learners))

    def revoke_many(
        self,
        where: CredentialFilter | None,
        reason: str,
        *,
        expect: int,
        learners: Sequence[str] | None = None,
        tell: bool = False,
        progress: Progress | None = None,
    ) -> Revocation:
        """Revoke the credentials that a filter lets through. See `Revoking.revoke_many`.

        Args:
            where: Which credentials.
            reason: As for :meth:`revoke`.
            expect: How many it is to be, as :meth:`revocable` told.
            learners: Only those of the learners with these ids.
            tell: Whether the learners are to be told.
            progress: Is told how far it is.

        Raises:
            InvalidInput: The reason is empty, there is no condition, or by now it is another
                number; nothing was written.
        """
        return self._wiring.resolve(Revoking).revoke_many(
            _choice(where, learners),
            reason,
            self._request(),
            expect=expect,
            tell=tell,
            progress=progress,
        )

    def revocable_of_run(self, id_: RunId) -> Revocable:
        """Tell what :meth:`revoke_run` would revoke, writing nothing.

        Raises:
            NotFound: There is no such run.
        """
        return self._wiring.resolve(Revoking).revocable_of_run(id_)

    def revoke_run(
        self,
        id_: RunId,
        reason: str,
        *,
        expect: int,
        tell: bool = False,
        progress: Progress | None = None,
    ) -> Revocation:
        """Revoke whatever a run awarded. See `Revoking.revoke_run`.

        Raises:
            NotFound: There is no such run.
            InvalidInput: As :meth:`revoke_many`.
        """
        return self._wiring.resolve(Revoking).revoke_run(
            id_, reason, self._request(), expect=expect, tell=tell, progress=progress
        )

    def withdrawals_pending(self) -> int:
        """Return how many credentials have ended whose files were not put away yet."""
        return self._wiring.resolve(Withdrawing).pending()


def _choice(where: CredentialFilter | None, learners: Sequence[str] | None) -> Choice:
    listed = None if learners is None else tuple(map(parse_learner_id, learners))
    return Choice(where or CredentialFilter(), listed)
