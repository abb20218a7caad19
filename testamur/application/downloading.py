"""Downloading: the documents of many credentials, checked, each with what is told of it.

Memory does not grow with their number but by some hundred bytes for each, which keep file names
apart: credentials are read page by page, and documents a few ahead of what was asked for.
"""

import hashlib
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Final

from testamur.application.aggregates import fold, load
from testamur.application.archive import content_wherever
from testamur.application.download_names import NamePattern, UniqueNames
from testamur.application.errors import StorageError
from testamur.application.installation import Installation
from testamur.application.ports.event_store import EventStore, RecordedEvent
from testamur.application.ports.register import CredentialFilter, CredentialRow, Register
from testamur.application.ports.storage import ArtifactStorage
from testamur.application.progress import Progress, Step
from testamur.domain import erasures
from testamur.domain.credentials import (
    Artifact,
    Credential,
    CredentialIssued,
    CredentialStatus,
    evolve,
)
from testamur.domain.errors import NotFound
from testamur.domain.identifiers import CredentialId, erasure_id

#: Those that hold or will, and those of whom can only be told that they are erased.
USUAL_STATUSES: Final = frozenset(
    {CredentialStatus.AWARDED, CredentialStatus.ISSUED, CredentialStatus.ERASED}
)

#: Documents that are read at the same time: over a network most of reading is waiting.
READERS: Final = 8

#: Documents that are read, or begun to be, before they are asked for.
READ_AHEAD: Final = 2 * READERS

#: A storage that cannot be read so often in a row cannot be read at all; to go on would take hours.
MOST_UNREADABLE_IN_A_ROW: Final = 20

_PAGE: Final = 200


class Absence(StrEnum):
    """Why there is no file for a credential."""

    NOT_ISSUED = "not-issued"
    ERASED = "erased"
    MISSING = "missing"
    ALTERED = "altered"
    UNREADABLE = "unreadable"

    @property
    def is_fault(self) -> bool:
        """Whether somebody has to see to it."""
        return self in (Absence.MISSING, Absence.ALTERED, Absence.UNREADABLE)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which credentials to download.

    Args:
        where: What they have in common.
        statuses: Where they stand.
        names: How their files are named.
        taken: Paths that no file may have.
    """

    where: CredentialFilter
    names: NamePattern
    statuses: frozenset[CredentialStatus] = USUAL_STATUSES
    taken: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A credential, with its document or with the reason why there is none.

    One that has several files comes once for each.

    Args:
        credential_id: Its id.
        credential: As it stands.
        verify_url: Link by which anybody verifies it, if the installation has one.
        issued_at: When its document was issued (aware); None: it has none.
        artifact: What was recorded of the document; None: it has none.
        path: Of the document among the others, with ``/`` between folders; None: it has none.
        content: The document, which is what was recorded; None: see ``absence``.
        absence: Why there is no document; None: there is.
        detail: The same for people to read.
    """

    credential_id: CredentialId
    credential: Credential
    verify_url: str | None = None
    issued_at: datetime | None = None
    artifact: Artifact | None = None
    path: str | None = None
    content: bytes | None = None
    absence: Absence | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class _Read:
    """What reading a document came to: its content, or why there is none."""

    content: bytes | None = None
    absence: Absence | None = None
    detail: str = ""
    error: StorageError | None = None


_Begun = tuple[Downloaded, "Future[_Read] | None"]


@dataclass(frozen=True, slots=True)
class Downloading:
    """Reads the documents of many credentials, one after the other."""

    events: EventStore
    register: Register
    storage: ArtifactStorage
    installation: Installation

    def count(self, selection: Selection) -> int:
        """Return how many credentials there are."""
        by_status = self.register.tally(selection.where).by_status
        return sum(by_status.get(status, 0) for status in selection.statuses)

    def of(self, selection: Selection, progress: Progress) -> Generator[Downloaded]:
        """Yield credentials with their documents, in the order of their awards.

        Each document is compared with the hash that was recorded when it was issued. One that is
        altered, missing or cannot be read keeps no other from coming.

        Args:
            selection: Which.
            progress: Is told how far it is.

        Raises:
            StorageError: Many documents in a row cannot be read.
            EventStoreError: The store cannot be read.
        """
        progress.expect(Step.DOWNLOAD, self.count(selection))
        unreadable = 0
        readers = ThreadPoolExecutor(READERS, "download")
        try:
            for begun in _ahead(self._begun(selection, readers)):
                done, unreadable = self._done(begun, unreadable)
                yield done
                progress.advance(Step.DOWNLOAD, 1)
        finally:
            readers.shutdown(cancel_futures=True)

    def _begun(self, selection: Selection, readers: ThreadPoolExecutor) -> Iterator[_Begun]:
        for found in self._found(selection):
            if found.artifact is None:
                yield found, None
            else:
                yield found, readers.submit(self._read, found.artifact)

    def _found(self, selection: Selection) -> Iterator[Downloaded]:
        """Yield what is to be read, with a name, or why there is nothing to read."""
        names = UniqueNames(*selection.taken)
        for page in self._pages(selection):
            streams = self.events.load_many([row.credential_id for row in page])
            for row in page:
                recorded = streams.get(row.credential_id, [])
                state = fold(row.credential_id, recorded, evolve).state
                # It may have been revoked since the page was read, or never have been there.
                if state is not None and state.status in selection.statuses:
                    yield from self._of_one(row.credential_id, state, recorded, selection, names)

    def _pages(self, selection: Selection) -> Iterator[Sequence[CredentialRow]]:
        where, statuses = selection.where, selection.statuses
        if len(statuses) == 1:
            where = replace(where, status=next(iter(statuses)))
        after: CredentialId | None = None
        while page := self.register.credentials(where, _PAGE, after):
            yield [row for row in page if row.status in statuses]
            after = page[-1].credential_id

    def _of_one(
        self,
        id_: CredentialId,
        state: Credential,
        recorded: Sequence[RecordedEvent],
        selection: Selection,
        names: UniqueNames,
    ) -> Iterator[Downloaded]:
        url = self.installation.verify_url(state.awarded.verification_id)
        found = Downloaded(id_, state, url)
        if state.status is CredentialStatus.ERASED or self._is_being_erased(state):
            yield _erased(found)
            return
        if not state.artifacts:
            yield replace(found, absence=Absence.NOT_ISSUED, detail="it was not issued (yet)")
            return
        moments = [
            each.attribution.at for each in recorded if isinstance(each.event, CredentialIssued)
        ]
        stem = selection.names.path(_values(state))
        for artifact in state.artifacts:
            path = names.of(stem, PurePosixPath(artifact.storage_key).suffix)
            yield replace(found, issued_at=moments[-1], artifact=artifact, path=path)

    def _is_being_erased(self, state: Credential) -> bool:
        """Tell a learner whose key is destroyed on purpose from one whose key was lost."""
        if state.awarded.person is not None:
            return False
        return load(self.events, erasure_id(state.awarded.learner_id), erasures.evolve).version > 0

    def _read(self, artifact: Artifact) -> _Read:
        try:
            content = content_wherever(self.storage, artifact.storage_key)
        except NotFound:
            return _Read(None, Absence.MISSING, "it is not in storage")
        except StorageError as error:
            return _Read(None, Absence.UNREADABLE, str(error), error)
        if len(content) != artifact.size or hashlib.sha256(content).hexdigest() != artifact.sha256:
            detail = f"it is not what was issued, which had SHA-256 {artifact.sha256}"
            return _Read(None, Absence.ALTERED, detail)
        return _Read(content)

    def _done(self, begun: _Begun, unreadable: int) -> tuple[Downloaded, int]:
        """Return what became of reading, and how many could not be read in a row."""
        found, reading = begun
        if reading is None:
            return found, unreadable
        read = reading.result()
        if read.error is not None:
            unreadable += 1
            if unreadable == MOST_UNREADABLE_IN_A_ROW:
                raise StorageError(
                    f"{unreadable} documents in a row cannot be read, so the others were not "
                    f"tried; the last one: {read.error}"
                ) from read.error
        else:
            unreadable = 0
        if read.absence is Absence.MISSING:
            state = load(self.events, found.credential_id, evolve).state
            if state is not None and (
                state.status is CredentialStatus.ERASED or self._is_being_erased(state)
            ):
                # In the meantime: whose it was is not told any more.
                return _erased(replace(found, credential=state)), unreadable
        return replace(
            found, content=read.content, absence=read.absence, detail=read.detail
        ), unreadable


def _ahead(begun: Iterable[_Begun]) -> Iterator[_Begun]:
    """Yield what was begun, once `READ_AHEAD` are or no more come."""
    waiting: deque[_Begun] = deque()
    for each in begun:
        waiting.append(each)
        if len(waiting) == READ_AHEAD:
            yield waiting.popleft()
    while waiting:
        yield waiting.popleft()


def _erased(found: Downloaded) -> Downloaded:
    return Downloaded(
        found.credential_id,
        found.credential,
        found.verify_url,
        absence=Absence.ERASED,
        detail="the learner's personal data was erased",
    )


def _values(state: Credential) -> dict[str, str]:
    """Return what stands for each of `NAME_FIELDS`."""
    awarded = state.awarded
    return {
        # The key of a learner may be lost; the document has the name all the same.
        "name": awarded.learner_id if awarded.person is None else awarded.person.full_name,
        "learner_id": awarded.learner_id,
        "type": awarded.type_name,
        "type_slug": awarded.type_slug,
        "context": awarded.context_name,
        "context_key": awarded.context_key,
        "date": awarded.award_date.isoformat(),
        "edition": str(awarded.edition),
        "verification_id": awarded.verification_id,
        "serial": awarded.serial or "",
    }
