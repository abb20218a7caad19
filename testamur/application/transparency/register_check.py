"""The register against the events: every row is what the events of its stream say."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Final
from uuid import UUID

from testamur.application.errors import EventStoreError
from testamur.application.ports.event_store import EventStore, RecordedEvent
from testamur.application.ports.log import StoredLog, StoredRecord
from testamur.application.ports.register import (
    CatalogueRow,
    CredentialFilter,
    CredentialRow,
    Register,
    RunRow,
)
from testamur.application.transparency.findings import Findings
from testamur.application.transparency.register_rows import (
    CATALOGUE_KINDS,
    CREDENTIAL,
    PAGE,
    RUN,
    Ahead,
    Row,
    credentials,
    id_of,
    kind_of,
    row_of,
    rows_of,
    rows_of_kind,
)

#: Streams that are read together; so few that they are gone before they count as long-lived,
#: which costs a fifth of the time.
BATCH_SIZE: Final = 100

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
        self._credentials = Ahead(credentials(register))
        self._others: dict[UUID, RunRow | CatalogueRow] = {}
        self._unreadable: set[str] = set()
        # Rows of awards that come later than their place in the list, and those of earlier ones.
        self._aside: dict[UUID, CredentialRow] = {}
        self._seen: set[UUID] = set()
        self._checked_to = 0
        for kind in (RUN, *CATALOGUE_KINDS):
            try:
                self._others |= {id_of(row): row for row in rows_of_kind(register, kind)}
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
            self._note_extra(row.credential_id, CREDENTIAL)
        for id_, other in self._others.items():
            self._note_extra(id_, kind_of(other))

    def _check_streams(self, births: Sequence[StoredRecord]) -> None:
        streams = self._streams(births)
        rows = rows_of(streams)
        for birth in births:
            row = rows.get(birth.stream_id)
            if row is None and birth.stream_id not in streams:
                self._pass_over(birth.stream_id)
            elif isinstance(row, CredentialRow):
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
                self._note_extra(row.credential_id, CREDENTIAL)
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
        if CREDENTIAL not in self._unreadable:
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
        if row != expected and kind_of(expected) not in self._unreadable:
            self._look_again(row, expected)

    def _look_again(self, row: Row | None, expected: Row) -> None:
        """Tell what differs, unless the row had only not been written yet when it was read."""
        stream_id = id_of(expected)
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
                "register", "missing", f"{kind_of(expected)} {stream_id} has no row", position
            )
            return
        for field in (each for each in fields(expected) if each.compare):
            registered, recorded = getattr(row, field.name), getattr(expected, field.name)
            if registered != recorded:
                self._findings.add(
                    "register",
                    "different",
                    f"{kind_of(expected)} {stream_id}: {field.name} is {_shown(registered)}, and "
                    f"the events say {_shown(recorded)}",
                    position,
                )

    def _row_now(self, row: Row) -> Row | None:
        if isinstance(row, CredentialRow):
            where = CredentialFilter(
                learner_id=row.learner_id, configuration_id=row.configuration_id
            )
            found = self._register.credentials(where, PAGE)
            return next((each for each in found if each.credential_id == row.credential_id), None)
        rows = rows_of_kind(self._register, kind_of(row))
        return next((each for each in rows if id_of(each) == id_of(row)), None)

    def _next_credential(self) -> CredentialRow | None:
        """Return the next row; none any more once one cannot be read."""
        if CREDENTIAL in self._unreadable:
            return None
        try:
            return self._credentials.peek()
        except _DAMAGED as error:
            self._note_unreadable(CREDENTIAL, error)
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


def _shown(value: object) -> str:
    return "nothing" if value is None else repr(str(value))
