"""Looking up: credentials, what became of them, and what happened."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import BinaryIO
from uuid import UUID

from testamur.application.auditing import Audit
from testamur.application.credentials import Credentials, History
from testamur.application.ports.event_store import RecordedEvent
from testamur.application.ports.register import CredentialFilter, CredentialRow, CredentialTally
from testamur.application.ports.system import Clock
from testamur.application.verifying import Verification, Verifying
from testamur.domain.credentials import Credential
from testamur.domain.identifiers import CredentialId, VerificationId
from testamur.entrypoints.library.acting import Acting


class LookingUp(Acting):
    """Answers questions about what was issued."""

    @property
    def audit(self) -> Audit:
        """The audit trail: who did what, when and why. See `Audit`."""
        return self._wiring.resolve(Audit)

    def verify(self, reference: str | CredentialId, at: datetime | None = None) -> Verification:
        """Tell the public whether a credential holds, now or at a moment. See `Verifying.verify`.

        Args:
            reference: Its verification id, as text. Its own id (a UUID) does too, but can be
                worked out from a learner's id: do not take it from the public.
            at: Aware, not to come.
        """
        if isinstance(reference, str):
            reference = VerificationId(reference)
        return self._wiring.resolve(Verifying).verify(reference, at)

    def find_credential(self, reference: str) -> CredentialId:
        """Return the id of the credential that a reference means. See `Credentials.find`."""
        return self._wiring.resolve(Credentials).find(reference)

    def credential(self, id_: CredentialId) -> Credential:
        """Return a credential. See `Credentials.get`."""
        return self._wiring.resolve(Credentials).get(id_)

    def credentials(self, where: CredentialFilter | None = None) -> Iterator[CredentialRow]:
        """Yield the credentials that a filter lets through. See `Credentials.all`."""
        return self._wiring.resolve(Credentials).all(where or CredentialFilter())

    def tally(self, where: CredentialFilter | None = None) -> CredentialTally:
        """Count the credentials that a filter lets through, and those that have expired."""
        now = self._wiring.resolve(Clock).now()
        return self._wiring.resolve(Credentials).tally(where or CredentialFilter(), now)

    def document(self, id_: CredentialId, *, archived: bool = False) -> bytes:
        """Return the document of an issued credential. See `Credentials.document`.

        Args:
            id_: Which credential.
            archived: Whether to return that of a revoked or superseded one too.
        """
        return self._wiring.resolve(Credentials).document(id_, archived=archived)

    def open_document(
        self, id_: CredentialId, *, archived: bool = False
    ) -> AbstractContextManager[BinaryIO]:
        """Open the document of an issued credential, to be read. See `Credentials.stream`.

        Args:
            id_: Which credential.
            archived: Whether to open that of a revoked or superseded one too.
        """
        return self._wiring.resolve(Credentials).stream(id_, archived=archived)

    def document_location(self, id_: CredentialId, *, archived: bool = False) -> str:
        """Return where the document of an issued credential lies. See `Credentials.location`.

        Args:
            id_: Which credential.
            archived: Whether to tell it of a revoked or superseded one too.
        """
        return self._wiring.resolve(Credentials).location(id_, archived=archived)

    @property
    def gives_links(self) -> bool:
        """Whether :meth:`download_url` gives links: S3 does, a local folder does not."""
        return self._wiring.resolve(Credentials).gives_links

    def download_url(
        self, reference: str, *, filename: str | None = None, seconds: int | None = None
    ) -> str:
        """Return an address at which anybody can fetch a document now. See `Credentials.link`.

        Ask for it each time that somebody wants the document: it holds for some minutes.

        Args:
            reference: Id of the credential, or its verification id.
            filename: Name under which it is saved.
            seconds: How long it holds; by default as the storage is set.
        """
        credentials = self._wiring.resolve(Credentials)
        return credentials.link(credentials.find(reference), filename, seconds)

    def history(self, stream_id: UUID) -> list[RecordedEvent]:
        """Return what happened to anything that has an id, oldest first.

        Raises:
            NotFound: There is no such thing.
        """
        return self._wiring.resolve(History).of(stream_id)
