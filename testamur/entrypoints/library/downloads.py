"""Downloads: the documents of many credentials, or of one learner, as a ZIP archive."""

from collections.abc import Collection
from typing import Final

from testamur.application.download_names import NamePattern
from testamur.application.downloading import USUAL_STATUSES, Downloading, Selection
from testamur.application.installation import Installation
from testamur.application.ports.register import CredentialFilter, Register
from testamur.application.progress import Progress, Unwatched
from testamur.domain.credentials import CredentialStatus
from testamur.domain.errors import InvalidInput, NotFound
from testamur.domain.identifiers import parse_learner_id
from testamur.entrypoints.download_archive import INDEX, DownloadArchive
from testamur.entrypoints.library.acting import Acting

#: How files are named, unless told.
USUAL_NAMES: Final = "{context}/{name} - {type}.pdf"
USUAL_NAMES_IN_A_WALLET: Final = "{context} - {type}.pdf"


class Downloads(Acting):
    """Hands documents out."""

    def download(
        self,
        where: CredentialFilter | None = None,
        *,
        names: str = USUAL_NAMES,
        statuses: Collection[CredentialStatus | str] = USUAL_STATUSES,
        with_email: bool = False,
        progress: Progress | None = None,
    ) -> DownloadArchive:
        """Return an archive with the documents of credentials, and an index of them.

        What is not allowed is refused at once; documents are read while the archive is taken, each
        compared with the hash that was recorded when it was issued. See `Downloading.of`.

        Args:
            where: Which credentials; None: all.
            names: Pattern of the files' names, with fields such as ``{name}`` and ``/`` between
                folders. See `NAME_FIELDS`.
            statuses: Where they stand; by default those awarded, issued and erased, of which only
                those issued have a document. A status in ``where`` goes before this.
            with_email: Whether the index has e-mail addresses.
            progress: Is told how far it is.

        Raises:
            InvalidInput: The pattern or a status is not allowed.
        """
        where = where or CredentialFilter()
        wanted = {where.status} if where.status is not None else map(_status, statuses)
        selection = Selection(where, NamePattern.parse(names), frozenset(wanted), taken=(INDEX,))
        downloaded = self._wiring.resolve(Downloading).of(selection, progress or Unwatched())
        zone = self._wiring.resolve(Installation).time_zone
        return DownloadArchive(downloaded, zone, with_email=with_email)

    def wallet(
        self,
        learner_id: str,
        *,
        names: str = USUAL_NAMES_IN_A_WALLET,
        statuses: Collection[CredentialStatus | str] = USUAL_STATUSES,
        progress: Progress | None = None,
    ) -> DownloadArchive:
        """Return an archive with all that one learner holds, to be handed to them.

        Args:
            learner_id: The data source's id of them.
            names: As for :meth:`download`.
            statuses: As for :meth:`download`.
            progress: Is told how far it is.

        Raises:
            InvalidInput: The id, the pattern or a status is not allowed.
            NotFound: The learner was never awarded anything.
        """
        where = CredentialFilter(learner_id=parse_learner_id(learner_id))
        if not self._wiring.resolve(Register).credentials(where, 1):
            raise NotFound("credential of learner", learner_id)
        return self.download(where, names=names, statuses=statuses, progress=progress)


def _status(status: CredentialStatus | str) -> CredentialStatus:
    try:
        return CredentialStatus(status)
    except ValueError:
        raise InvalidInput("statuses", status, f"any of {', '.join(CredentialStatus)}") from None
