"""Looking up credentials, their documents, and the history of anything."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import PurePosixPath
from typing import BinaryIO
from uuid import UUID

from testamur.application.aggregates import load
from testamur.application.archive import content_wherever, location_of
from testamur.application.errors import DocumentWithdrawn, StorageError
from testamur.application.ports.event_store import EventStore, RecordedEvent
from testamur.application.ports.register import (
    CredentialFilter,
    CredentialRow,
    CredentialTally,
    Register,
)
from testamur.application.ports.storage import ArtifactStorage, LinkingStorage
from testamur.application.streams import stream_of, stream_wherever
from testamur.domain.credentials import Credential, CredentialStatus, evolve
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

    def tally(self, where: CredentialFilter, now: datetime | None = None) -> CredentialTally:
        """Count the credentials that a filter lets through.

        Args:
            where: Which.
            now: Counts those that have expired by then (aware), too.
        """
        tally = self.register.tally(where)
        if now is None or not tally.by_status.get(CredentialStatus.ISSUED):
            return tally
        until = now if where.expires_until is None else min(now, where.expires_until)
        expired = replace(where, status=CredentialStatus.ISSUED, expires_until=until)
        return replace(tally, expired=sum(self.register.tally(expired).by_status.values()))

    def document(self, id_: CredentialId, *, archived: bool = False) -> bytes:
        """Return the document of an issued credential.

        Args:
            id_: Which credential.
            archived: Whether to return that of a revoked or superseded one too, for whoever has to
                look at it: it is not for the public any more.

        Raises:
            NotFound: There is no such credential, or it has no document (yet).
            DocumentWithdrawn: It is revoked or superseded.
            StorageError: The document cannot be read.
        """
        key = self._storage_key(id_, archived=archived)
        return content_wherever(self.storage, key) if archived else self.storage.get(key)

    @contextmanager
    def stream(self, id_: CredentialId, *, archived: bool = False) -> Iterator[BinaryIO]:
        """Open the document of an issued credential, to be read piece by piece.

        Reading either comes to its end or raises: it never ends before.

        Args:
            id_: Which credential.
            archived: As for :meth:`document`.

        Raises:
            NotFound, DocumentWithdrawn, StorageError: As :meth:`document`.
        """
        key = self._storage_key(id_, archived=archived)
        opened = stream_wherever if archived else stream_of
        with opened(self.storage, key) as stream:
            yield stream

    def location(self, id_: CredentialId, *, archived: bool = False) -> str:
        """Return where an operator finds the document of an issued credential.

        Args:
            id_: Which credential.
            archived: Whether to tell it of a revoked or superseded one too.

        Raises:
            NotFound: There is no such credential, or it has no document (yet).
            DocumentWithdrawn: It is revoked or superseded.
        """
        credential = self.get(id_)
        key = self._storage_key(id_, archived=archived)
        return location_of(self.storage, key, credential)

    @property
    def gives_links(self) -> bool:
        """Whether :meth:`link` gives links, as the storage that is chosen does or does not."""
        return isinstance(self.storage, LinkingStorage)

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
            DocumentWithdrawn: It is revoked or superseded.
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

    def _storage_key(self, id_: CredentialId, *, archived: bool = False) -> str:
        credential = self.get(id_)
        if not credential.artifacts:
            if credential.awarded.document_link is not None:
                raise StorageError(
                    f"the document of credential {id_} is not kept here: it was imported, and lies "
                    f"at {credential.awarded.document_link}"
                )
            raise NotFound(f"document of the {credential.status} credential", str(id_))
        key = credential.artifacts[0].storage_key
        if credential.status is not CredentialStatus.ISSUED and not archived:
            location = location_of(self.storage, key, credential)
            raise DocumentWithdrawn(id_, _told(credential), location)
        return key


def _told(credential: Credential) -> str:
    if credential.status is CredentialStatus.REVOKED:
        return f"is revoked ({credential.revocation_reason})"
    return f"is {credential.status} by {credential.superseded_by}"


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
