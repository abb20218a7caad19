"""The register against the events: every row is what the events of its stream say."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, Final
from uuid import UUID

from testamur.application.errors import EventStoreError
from testamur.application.ports.event_store import EventStore, NewEvents, RecordedEvent
from testamur.application.ports.log import StoredLog, StoredRecord
from testamur.application.ports.register import (
    CatalogueRow,
    CredentialFilter,
    CredentialRow,
    Register,
    RunRow,
)
from testamur.application.registration import RegisterChanges, register_changes
from testamur.application.transparency.findings import Findings
from testamur.domain.errors import NotFound
from testamur.domain.identifiers import CredentialId

Row = CredentialRow | RunRow | CatalogueRow

#: Streams that are read together.
BATCH_SIZE: Final = 500

_CREDENTIAL: Final = "credential"
_RUN: Final = "run"
_CATALOGUE_KINDS: Final = ("credential-type", "asset", "configuration")

#: What reading a row raises whose values are none of those that are written.
_DAMAGED: Final = (ValueError, TypeError, AttributeError)


class RegisterCheck:
    """Compares rows with streams, in the order in which the streams begin in the log.

    Credentials are listed in the order of their awards, so the two go side by side, and memory
    stays flat; of runs and of the catalogue there are few. Whoever writes meanwhile is no trouble:
    what differs is looked at again before it is told.

    Args:
        events: The events.
        log: Tells where a stream begins.
        register: The rows.
        findings: Gets what is wrong.
    """

    def __init__(
        self,
        events: EventStore,
        log: StoredLog,
        register: Register,
        findings: Findings,
    ) -> None:
        self._events = events
        self._log = log
        self._register = register
        self._findings = findings
        self._credentials = _Ahead(_credentials(register))
        self._others: dict[UUID, RunRow | CatalogueRow] = {}
        self._unreadable: set[str] = set()
        # Rows of awards that come later than their place in the list, and those of earlier ones.
        self._aside: dict[UUID, CredentialRow] = {}
        self._seen: set[UUID] = set()
        self._checked_to = 0
        for kind in (_RUN, *_CATALOGUE_KINDS):
            try:
                self._others |= {_id(row): row for row in _rows(register, kind)}
            except _DAMAGED as error:
                self._note_unreadable(kind, error)

    def check(self, records: Sequence[StoredRecord]) -> None:
        """Go on with the log: look at every stream that begins in these events."""
        births = [record for record in records if record.version == 1]
        if records:
            self._checked_to = records[-1].position
        for first in range(0, len(births), BATCH_SIZE):
            self._check_streams(births[first : first + BATCH_SIZE])

    def finish(self) -> None:
        """Look at the rows that are left."""
        while (row := self._next_credential()) is not None:
            self._credentials.advance()
            self._note_extra(row.credential_id, _CREDENTIAL)
        for id_, other in self._others.items():
            self._note_extra(id_, _kind(other))

    def _check_streams(self, births: Sequence[StoredRecord]) -> None:
        streams = self._streams(births)
        for birth in births:
            stream = streams.get(birth.stream_id)
            if stream is None:
                self._pass_over(birth.stream_id)
                continue
            row = row_of(stream)
            if isinstance(row, CredentialRow):
                self._check_credential(birth, row)
            elif row is not None:
                self._check_other(birth.stream_id, row)

    def _streams(self, births: Sequence[StoredRecord]) -> Mapping[UUID, Sequence[RecordedEvent]]:
        ids = [birth.stream_id for birth in births]
        try:
            return self._events.load_many(ids)
        except EventStoreError:
            return {id_: stream for id_ in ids if (stream := self._readable(id_)) is not None}

    def _readable(self, stream_id: UUID) -> Sequence[RecordedEvent] | None:
        try:
            return self._events.load(stream_id)
        except EventStoreError as error:
            position = self._unreadable_position(stream_id)
            at = f"event {position}" if position else "an event"
            self._findings.add(
                "log",
                "unreadable",
                f"{at} cannot be read: {error}",
                position,
                is_circumstantial=True,
            )
            return None

    def _unreadable_position(self, stream_id: UUID) -> int | None:
        version = 1
        while (record := self._log.record(stream_id, version)) is not None:
            try:
                next(self._events.log(record.position - 1, 1), None)
            except EventStoreError:
                return record.position
            version += 1
        return None

    def _pass_over(self, stream_id: UUID) -> None:
        """Leave out a stream that cannot be read, and its row."""
        row = self._next_credential()
        if row is not None and row.credential_id == stream_id:
            self._credentials.advance()
        self._others.pop(stream_id, None)

    def _check_credential(self, birth: StoredRecord, expected: CredentialRow) -> None:
        row = self._aside.pop(birth.stream_id, None) or self._listed(birth)
        if row is None:
            self._check_unlisted(birth, expected)
        elif row != expected:
            self._look_again(row, expected)

    def _listed(self, birth: StoredRecord) -> CredentialRow | None:
        """Return the row that stands in the list where the award does in the log, if one does."""
        while (row := self._next_credential()) is not None:
            if row.credential_id == birth.stream_id:
                self._credentials.advance()
                return row
            begins = self._log.record(row.credential_id, 1)
            if begins is not None and begins.position > birth.position:
                after = self._credentials.peek(1)
                if after is None or after.credential_id != birth.stream_id:
                    return None
                self._aside[row.credential_id] = row
            elif row.credential_id in self._seen:
                self._seen.remove(row.credential_id)
            else:
                self._note_extra(row.credential_id, _CREDENTIAL)
            self._credentials.advance()
        return None

    def _check_unlisted(self, birth: StoredRecord, expected: CredentialRow) -> None:
        try:
            found = self._row_now(expected)
        except _DAMAGED:
            return  # that is told already
        if found is None:
            self._findings.add(
                "register", "missing", f"credential {birth.stream_id} has no row", birth.position
            )
            return
        if _CREDENTIAL not in self._unreadable:
            self._seen.add(birth.stream_id)
            self._findings.add(
                "register",
                "different",
                f"credential {birth.stream_id}: its row does not stand where its award does",
                birth.position,
            )
        if found != expected:
            self._look_again(found, expected)

    def _check_other(self, stream_id: UUID, expected: RunRow | CatalogueRow) -> None:
        row = self._others.pop(stream_id, None)
        if row != expected and _kind(expected) not in self._unreadable:
            self._look_again(row, expected)

    def _look_again(self, row: Row | None, expected: Row) -> None:
        """Tell what differs, unless the row had only not been written yet when it was read."""
        stream_id = _id(expected)
        for _ in range(3):
            stream = self._events.load(stream_id)
            row = self._row_now(row or expected) or self._row_now(expected)
            now = row_of(stream)
            if now is None or row == now:
                return
            expected = now
        position = getattr(self._log.record(stream_id, 1), "position", None)
        if row is None:
            self._findings.add(
                "register", "missing", f"{_kind(expected)} {stream_id} has no row", position
            )
            return
        for field in fields(expected):
            registered, recorded = getattr(row, field.name), getattr(expected, field.name)
            if registered != recorded:
                self._findings.add(
                    "register",
                    "different",
                    f"{_kind(expected)} {stream_id}: {field.name} is {_shown(registered)}, and "
                    f"the events say {_shown(recorded)}",
                    position,
                )

    def _row_now(self, row: Row) -> Row | None:
        if isinstance(row, CredentialRow):
            where = CredentialFilter(
                learner_id=row.learner_id, configuration_id=row.configuration_id
            )
            found = self._register.credentials(where, BATCH_SIZE)
            return next((each for each in found if each.credential_id == row.credential_id), None)
        rows = _rows(self._register, _kind(row))
        return next((each for each in rows if _id(each) == _id(row)), None)

    def _next_credential(self) -> CredentialRow | None:
        """Return the next row; none any more once one cannot be read."""
        if _CREDENTIAL in self._unreadable:
            return None
        try:
            return self._credentials.peek()
        except _DAMAGED as error:
            self._note_unreadable(_CREDENTIAL, error)
            return None

    def _note_unreadable(self, kind: str, error: Exception) -> None:
        self._unreadable.add(kind)
        self._findings.add("register", "unreadable", f"a row of a {kind} cannot be read: {error}")

    def _note_extra(self, stream_id: UUID, kind: str) -> None:
        begins = self._log.record(stream_id, 1)
        if begins is None:
            self._findings.add(
                "register", "extra", f"{kind} {stream_id} has a row, and no event that began it"
            )
        elif begins.position <= self._checked_to and stream_id not in self._seen:
            self._findings.add(
                "register", "extra", f"{kind} {stream_id} has a second row", begins.position
            )


def row_of(stream: Sequence[RecordedEvent]) -> Row | None:
    """Return the row that the events of a stream lead to; None where they have none."""
    row: Row | None = None
    for each in stream:
        new = NewEvents(each.stream_id, each.version - 1, [each.event])
        row = _after(row, each.stream_id, register_changes([new], each.attribution))
    return row


def _after(row: Row | None, stream_id: UUID, changes: RegisterChanges) -> Row | None:
    for table in (changes.credentials, changes.runs, changes.catalogue):
        added: Mapping[UUID, Any] = table.added
        if stream_id in added:
            row = added[stream_id]
        elif stream_id in table.changed and row is not None:
            row = replace(row, **table.changed[stream_id])
    return row


class _Ahead:
    """Rows that are looked at before they are taken.

    Args:
        rows: The rows.
    """

    def __init__(self, rows: Iterator[CredentialRow]) -> None:
        self._rows = rows
        self._looked_at: deque[CredentialRow] = deque()

    def peek(self, further: int = 0) -> CredentialRow | None:
        """Return the first row, or one further on; None after the last."""
        while len(self._looked_at) <= further:
            row = next(self._rows, None)
            if row is None:
                return None
            self._looked_at.append(row)
        return self._looked_at[further]

    def advance(self) -> None:
        """Take the first row."""
        self._looked_at.popleft()


def _credentials(register: Register) -> Iterator[CredentialRow]:
    page: Sequence[CredentialRow] = register.credentials(CredentialFilter(), BATCH_SIZE)
    while page:
        yield from page
        page = _page_after(register, page)


def _page_after(register: Register, page: Sequence[CredentialRow]) -> Sequence[CredentialRow]:
    """Return the rows after a page; where its last row has no award, after an earlier row."""
    for extra, row in enumerate(reversed(page)):
        try:
            found = register.credentials(
                CredentialFilter(), BATCH_SIZE + extra, CredentialId(row.credential_id)
            )
        except NotFound:
            continue
        # An award that was moved leads to another row than its own.
        ids = [each.credential_id for each in found]
        last = page[-1].credential_id
        return found[ids.index(last) + 1 :] if last in ids else found
    raise ValueError("none of the rows of a page has an award in the log")


def _rows(register: Register, kind: str) -> Iterator[RunRow | CatalogueRow]:
    return iter(register.runs()) if kind == _RUN else register.catalogue(kind)


def _id(row: Row) -> UUID:
    match row:
        case CredentialRow():
            return row.credential_id
        case RunRow():
            return row.run_id
        case CatalogueRow():
            return row.stream_id


def _kind(row: Row) -> str:
    match row:
        case CredentialRow():
            return _CREDENTIAL
        case RunRow():
            return _RUN
        case CatalogueRow():
            return row.kind


def _shown(value: object) -> str:
    return "nothing" if value is None else repr(str(value))
