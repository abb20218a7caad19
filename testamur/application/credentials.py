"""Looking up credentials, their documents, and the history of anything."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from uuid import UUID

from testamur.application.aggregates import load
from testamur.application.errors import StorageError
from testamur.application.ports.event_store import EventStore, RecordedEvent
from testamur.application.ports.register import (
    CredentialFilter,
    CredentialRow,
    CredentialTally,
    Register,
)
from testamur.application.ports.storage import ArtifactStorage, LinkingStorage
from testamur.domain.credentials import Credential, evolve
from testamur.domain.errors import NotFound
from testamur.domain.identifiers import CredentialId, VerificationId

_PAGE = 500


@dataclass(frozen=True, slots=True)
class Credentials:
    """Looks up what was awarded and issued."""

    events: EventStore
    register: Register
    storage: ArtifactStorage

    def get(self, id_: CredentialId) -> Credential:
        """Return a credential.

        Raises:
            NotFound: There is no such credential.
        """
        state = load(self.events, id_, evolve).state
        if state is None:
            raise NotFound("credential", str(id_))
        return state

    def find(self, reference: str) -> CredentialId:
        """Return the id of the credential that a person means.

        Args:
            reference: Its id, or its public verification id.

        Raises:
            NotFound: There is no such credential.
        """
        try:
            id_ = CredentialId(UUID(reference))
        except ValueError:
            row = self.register.credential_by_verification_id(VerificationId(reference))
            if row is None:
                raise NotFound("credential", reference) from None
            return row.credential_id
        self.get(id_)
        return id_

    def all(self, where: CredentialFilter) -> Iterator[CredentialRow]:
        """Yield the credentials that a filter lets through, in a fixed order, page by page."""
        after: CredentialId | None = None
        while page := self.register.credentials(where, _PAGE, after):
            yield from page
            after = page[-1].credential_id

    def tally(self, where: CredentialFilter) -> CredentialTally:
        """Count the credentials that a filter lets through."""
        return self.register.tally(where)

    def document(self, id_: CredentialId) -> bytes:
        """Return the document of an issued credential.

        Raises:
            NotFound: There is no such credential, or it has no document (yet).
            StorageError: The document cannot be read.
        """
        return self.storage.get(self._storage_key(id_))

    def location(self, id_: CredentialId) -> str:
        """Return where an operator finds the document of an issued credential.

        Raises:
            NotFound: There is no such credential, or it has no document (yet).
        """
        return self.storage.location(self._storage_key(id_))

    def link(
        self, id_: CredentialId, filename: str | None = None, seconds: int | None = None
    ) -> str:
        """Return an address at which anybody can fetch the document of an issued credential.

        Args:
            id_: Which credential.
            filename: Name under which it is saved, in any script, such as ``Diploma.pdf``; by
                default ``certificate`` and the ending of its kind.
            seconds: How long the link holds; by default as the storage is set.

        Raises:
            NotFound: There is no such credential, or it has no document (yet).
            InvalidInput: The storage gives no links that hold so long.
            StorageError: The storage gives no links, or none now.
        """
        key = self._storage_key(id_)
        if not isinstance(self.storage, LinkingStorage):
            raise StorageError(
                "the storage that the settings choose gives no links, as s3 does; read the "
                f"document at {self.storage.location(key)}"
            )
        name = filename or f"certificate{PurePosixPath(key).suffix}"
        return self.storage.link(key, name, seconds)

    def _storage_key(self, id_: CredentialId) -> str:
        credential = self.get(id_)
        if not credential.artifacts:
            raise NotFound(f"document of the {credential.status} credential", str(id_))
        return credential.artifacts[0].storage_key


@dataclass(frozen=True, slots=True)
class History:
    """Tells what happened to anything that has a stream of events."""

    events: EventStore

    def of(self, stream_id: UUID) -> list[RecordedEvent]:
        """Return what happened to one thing, oldest first.

        Args:
            stream_id: Id of a type, asset, configuration, run or credential.

        Raises:
            NotFound: Nothing has this id.
        """
        recorded = self.events.load(stream_id)
        if not recorded:
            raise NotFound("history of", str(stream_id))
        return recorded
