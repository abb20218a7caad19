"""Rows of messages against the events: each is what the events of its credential say."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Final
from uuid import UUID

from testamur.application.errors import EventStoreError
from testamur.application.ports.deliveries import DeliveryFilter, DeliveryLedger, DeliveryRow
from testamur.application.ports.event_store import EventStore, NewEvents, RecordedEvent
from testamur.application.ports.log import StoredRecord
from testamur.application.ports.register import MessageRow
from testamur.application.registration import register_changes
from testamur.application.transparency.findings import Findings
from testamur.domain.credentials import (
    FIRST_MESSAGE,
    CredentialAwarded,
    MessageKey,
)

#: A message has a row because of this event, of whichever version.
_REQUESTED: Final = "credential.notification-requested."

#: A credential has few messages.
_MOST: Final = 10_000


class MessageCheck:
    """Compares rows of messages with streams, where the log says that there are some.

    The message that tells of an issue stands in the credential's row, and is compared with that.
    Whoever writes meanwhile is no trouble: what differs is looked at again before it is told.

    Args:
        events: The events.
        ledger: The rows.
        findings: Gets what is wrong.
    """

    def __init__(self, events: EventStore, ledger: DeliveryLedger, findings: Findings) -> None:
        self._events = events
        self._ledger = ledger
        self._findings = findings

    def check(self, records: Sequence[StoredRecord]) -> None:
        """Go on with the log: look at the messages that were asked for in these events."""
        asked = {
            record.stream_id: record.position
            for record in records
            if record.name.startswith(_REQUESTED)
        }
        for stream_id, position in asked.items():
            self._check_stream(stream_id, position)

    def _check_stream(self, stream_id: UUID, position: int) -> None:
        problems: Sequence[str] = ()
        for _ in range(3):
            try:
                stream = self._events.load(stream_id)
            except EventStoreError:
                return  # that is told already
            problems = list(self._problems(stream))
            if not problems:
                return
        for problem in problems:
            self._findings.add(
                "register", "different", f"credential {stream_id}: {problem}", position
            )

    def _problems(self, stream: Sequence[RecordedEvent]) -> list[str]:
        award = stream[0].event
        if not isinstance(award, CredentialAwarded):
            return []  # that is told already
        where = DeliveryFilter(award.configuration_id, award.learner_id)
        found = {
            row.key: row
            for row in self._ledger.deliveries(where, _MOST)
            if row.credential_id == stream[0].stream_id and row.key != FIRST_MESSAGE
        }
        expected = _expected(stream)
        problems = [f"the message {_name(key)} has no row" for key in expected if key not in found]
        problems += [
            f"the message {_name(key)} has a row, and nobody asked for it"
            for key in found
            if key not in expected
        ]
        for key in expected.keys() & found.keys():
            for name in _differing(expected[key], found[key]):
                problems.append(f"{name} of the message {_name(key)} is not what the events say")
        return problems


def _expected(stream: Sequence[RecordedEvent]) -> Mapping[MessageKey, MessageRow]:
    rows: dict[UUID, MessageRow] = {}
    for each in stream:
        new = NewEvents(each.stream_id, each.version - 1, (each.event,))
        changes = register_changes([new], each.attribution).messages
        rows |= changes.added
        for id_, values in changes.changed.items():
            rows[id_] = replace(rows[id_], **values)
    return {MessageKey(row.notice, row.sequence, row.request): row for row in rows.values()}


def _differing(expected: MessageRow, found: DeliveryRow) -> list[str]:
    names = [field.name for field in fields(expected)]
    return [name for name in names if getattr(found, name) != getattr(expected, name)]


def _name(key: MessageKey) -> str:
    return f"{key.notice} {key.sequence}, request {key.request}"
