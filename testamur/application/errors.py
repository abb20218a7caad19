"""Errors of the use cases and of what they need from outside."""

from collections.abc import Sequence
from uuid import UUID

from testamur.domain.errors import TestamurError


class ConcurrencyConflict(TestamurError):
    """Another writer appended to one of the streams first; nothing of the batch was written.

    Args:
        stream_ids: The streams where it happened, as far as the store can tell.
    """

    def __init__(self, stream_ids: Sequence[UUID] = ()) -> None:
        self.stream_ids = tuple(stream_ids)
        where = f" on {', '.join(map(str, stream_ids))}" if stream_ids else ""
        super().__init__(f"another writer was first{where}; nothing was written, try again")


class EventStoreError(TestamurError):
    """The event store cannot be read or written; nothing of the batch was written."""


class RetrievalError(TestamurError):
    """The data source cannot answer, or not in full; no learner is judged on a part."""


class RenderingError(TestamurError):
    """A document cannot be made.

    Args:
        reason: What kind of reason: ``missing-glyph``, ``too-long``, ``bad-template``….
        detail: For people to read; it never holds the learner's name as a whole.
    """

    def __init__(self, reason: str, detail: str) -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(detail)


class StorageError(TestamurError):
    """A file cannot be stored, read or deleted."""


class DocumentWithdrawn(TestamurError):
    """The document of a credential that has ended is not given out any more.

    Args:
        credential_id: The credential.
        why: What became of the credential, as a phrase that follows its name.
        location: Where an operator finds the document.
    """

    def __init__(self, credential_id: UUID, why: str, location: str) -> None:
        self.credential_id = credential_id
        self.location = location
        super().__init__(
            f"credential {credential_id} {why}, so its document is not given out any more; it is "
            f"kept at {location}, and `testamur credential open {credential_id} --archived` reads "
            "it (archived=True in Python)"
        )


class NotificationError(TestamurError):
    """A message cannot be delivered, or the server not be reached."""


class QueueError(TestamurError):
    """The queue of tasks cannot be used; what was to be handed over is found by a later tick."""


class Unforeseen(TestamurError):
    """A part of the program, or of a plugin, broke in a way that nobody thought of.

    Args:
        error: What it raised; it stays the cause, with its traceback.
    """

    def __init__(self, error: Exception) -> None:
        super().__init__(f"{type(error).__name__}: {error}")
        self.__cause__ = error

    def for_the_record(self) -> str:
        """Return what kind of error it was; its message may hold anything."""
        return type(self.__cause__).__name__


class AlreadyRunning(TestamurError):
    """Another process or thread does this work right now.

    Args:
        work: Name of the work.
    """

    def __init__(self, work: str) -> None:
        self.work = work
        super().__init__(f"{work} is being done by another process right now; try again later")


class TamperedLog(TestamurError):
    """The log, or the tree over it, is not what was sealed; nothing is sealed until it is."""

    def __init__(self, found: str) -> None:
        super().__init__(f"{found}; `testamur audit verify` tells more")
