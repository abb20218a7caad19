"""Reissuing: new editions of credentials, one by one or many together."""

from collections.abc import Sequence
from datetime import datetime

from testamur.application.choosing import Choice
from testamur.application.considering import Wish
from testamur.application.ports.register import CredentialFilter
from testamur.application.progress import Progress
from testamur.application.reissuing import Reissue, Reissuing
from testamur.application.reissuing_many import Reissuable, Reissues, ReissuingMany
from testamur.domain.identifiers import CredentialId, parse_learner_id
from testamur.entrypoints.library.acting import Acting


class ReissuingCredentials(Acting):
    """Makes new editions, each of which takes the place of the one before."""

    def reissue(
        self,
        id_: CredentialId,
        reason: str,
        *,
        full_name: str | None = None,
        name_from_lms: bool = False,
        tell: bool = True,
    ) -> Reissue:
        """Make a new edition of a credential, and supersede the present one.

        See `Reissuing.reissue`.

        Args:
            id_: Which credential: the latest edition. A revoked one is reinstated.
            reason: Why; it stays in the history, so it must not name anybody.
            full_name: The name that goes on it; None: the one before, or the data source's.
            name_from_lms: Whether the data source is asked for the name.
            tell: Whether the learner is to be told.

        Raises:
            NotFound: There is no such credential; or the data source does not know the learner.
            InvalidInput: The reason or the name is not allowed, or there are two names.
            DecisionRefused: It is superseded or erased already, or is being erased.
            RenderingError: The document cannot be drawn right, such as for a letter that no font
                has; nothing was written.
            StorageError: The document cannot be stored; nothing was recorded.
        """
        return self._wiring.resolve(Reissuing).reissue(
            id_,
            reason,
            self._request(),
            full_name=full_name,
            name_from_lms=name_from_lms,
            tell=tell,
        )

    def reissuable(
        self,
        where: CredentialFilter | None = None,
        *,
        learners: Sequence[str] | None = None,
        names_from_lms: bool = False,
        issued_before: datetime | None = None,
    ) -> Reissuable:
        """Tell what :meth:`reissue_many` would reissue, writing nothing.

        Raises:
            InvalidInput: There is no condition at all, or a learner's id is not allowed.
            RetrievalError: The data source cannot be asked for names.
        """
        wish = Wish(names_from_lms, issued_before)
        return self._wiring.resolve(ReissuingMany).reissuable(_choice(where, learners), wish)

    def reissue_many(
        self,
        where: CredentialFilter | None,
        reason: str,
        *,
        expect: int,
        learners: Sequence[str] | None = None,
        names_from_lms: bool = False,
        issued_before: datetime | None = None,
        tell: bool = True,
        progress: Progress | None = None,
    ) -> Reissues:
        """Reissue the credentials of a filter that hold, or will, and on which something changes.

        See `ReissuingMany.reissue_many`.

        Args:
            where: Which credentials.
            reason: As for :meth:`reissue`.
            expect: How many it is to be, as :meth:`reissuable` told.
            learners: Only those of the learners with these ids.
            names_from_lms: Whether the data source is asked for the learners' names.
            issued_before: Those that were issued before this moment (aware) are reissued even
                where nothing on them changes.
            tell: Whether the learners are to be told.
            progress: Is told how far it is.

        Raises:
            InvalidInput: The reason is not allowed, there is no condition, or by now it is another
                number; nothing was written.
            RetrievalError: The data source cannot be asked for names.
            StorageError: Documents cannot be stored.
        """
        return self._wiring.resolve(ReissuingMany).reissue_many(
            _choice(where, learners),
            Wish(names_from_lms, issued_before),
            reason,
            self._request(),
            expect=expect,
            tell=tell,
            progress=progress,
        )


def _choice(where: CredentialFilter | None, learners: Sequence[str] | None) -> Choice:
    listed = None if learners is None else tuple(map(parse_learner_id, learners))
    return Choice(where or CredentialFilter(), listed)
