"""The archive: where the documents of credentials that have ended are, and how they are read."""

from testamur.application.ports.storage import ArchivingStorage, ArtifactStorage
from testamur.domain.credentials import Credential, CredentialStatus
from testamur.domain.errors import NotFound


def content_wherever(storage: ArtifactStorage, key: str) -> bytes:
    """Return a file's content, whether it is in its public place or in the archive.

    Raises:
        NotFound: It is in neither.
        StorageError: It cannot be read.
    """
    try:
        return storage.get(key)
    except NotFound:
        if not isinstance(storage, ArchivingStorage):
            raise
        return storage.archived(key)


def location_of(storage: ArtifactStorage, key: str, credential: Credential) -> str:
    """Return where an operator finds a document of a credential."""
    has_ended = credential.status in (CredentialStatus.REVOKED, CredentialStatus.SUPERSEDED)
    is_archived = has_ended and not credential.withdrawal_pending
    if is_archived and isinstance(storage, ArchivingStorage):
        return storage.archived_location(key)
    return storage.location(key)
