"""Rows of the register: how they are listed, and which ones the events of streams lead to."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from testamur.application.ports.event_store import Attribution, NewEvents, RecordedEvent
from testamur.application.ports.register import (
    CatalogueRow,
    CredentialFilter,
    CredentialRow,
    Register,
    RunRow,
)
from testamur.application.registration import register_changes
from testamur.domain.errors import NotFound
from testamur.domain.identifiers import CredentialId

Row = CredentialRow | RunRow | CatalogueRow

CREDENTIAL: Final = "credential"
RUN: Final = "run"
CATALOGUE_KINDS: Final = ("credential-type", "asset", "configuration", "serials")

#: Rows that are read together.
PAGE: Final = 500


def rows_of(streams: Mapping[UUID, Sequence[RecordedEvent]]) -> dict[UUID, Row]:
    """Return the rows that the events of streams lead to, by stream; some have none.

    All streams go side by side, event by event: what has the same attribution is registered
    together, as it was when it was recorded.
    """
    rows: dict[UUID, Row] = {}
    values: dict[UUID, dict[str, Any]] = {}
    waiting = [stream for stream in streams.values() if stream]
    place = 0
    while waiting:
        for batch, attribution in _batches(stream[place] for stream in waiting):
            changes = register_changes(batch, attribution)
            _follow(rows, values, changes.credentials.added, changes.credentials.changed)
            _follow(rows, values, changes.runs.added, changes.runs.changed)
            _follow(rows, values, changes.catalogue.added, changes.catalogue.changed)
        place += 1
        waiting = [stream for stream in waiting if len(stream) > place]
    for stream_id, changed in values.items():
        rows[stream_id] = replace(rows[stream_id], **changed)
    return rows


def row_of(stream: Sequence[RecordedEvent]) -> Row | None:
    """Return the row that the events of a stream lead to; None where they have none."""
    return next(iter(rows_of({stream[0].stream_id: stream}).values()), None) if stream else None


def _batches(
    events: Iterable[RecordedEvent],
) -> Iterable[tuple[Sequence[NewEvents], Attribution]]:
    # By identity: those that were recorded together are given the same one as they are read.
    batches: dict[int, tuple[list[NewEvents], Attribution]] = {}
    for each in events:
        new = NewEvents(each.stream_id, each.version - 1, (each.event,))
        batch = batches.get(id(each.attribution))
        if batch is None:
            batches[id(each.attribution)] = ([new], each.attribution)
        else:
            batch[0].append(new)
    return batches.values()


def _follow(
    rows: dict[UUID, Row],
    values: dict[UUID, dict[str, Any]],
    added: Mapping[UUID, Row],
    changed: Mapping[UUID, dict[str, Any]],
) -> None:
    for stream_id, row in added.items():
        rows[stream_id] = row
        values.pop(stream_id, None)
    for stream_id, new in changed.items():
        if stream_id in rows:
            values.setdefault(stream_id, {}).update(new)


class Ahead:
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


def credentials(register: Register) -> Iterator[CredentialRow]:
    """Yield all credentials in the order of their awards.

    Raises:
        ValueError, TypeError, AttributeError: A row cannot be read.
    """
    page: Sequence[CredentialRow] = register.credentials(CredentialFilter(), PAGE)
    while page:
        yield from page
        page = _page_after(register, page)


def _page_after(register: Register, page: Sequence[CredentialRow]) -> Sequence[CredentialRow]:
    """Return the rows after a page; where its last row has no award, after an earlier row."""
    for extra, row in enumerate(reversed(page)):
        try:
            found = register.credentials(
                CredentialFilter(), PAGE + extra, CredentialId(row.credential_id)
            )
        except NotFound:
            continue
        # An award that was moved leads to another row than its own.
        ids = [each.credential_id for each in found]
        last = page[-1].credential_id
        return found[ids.index(last) + 1 :] if last in ids else found
    raise ValueError("none of the rows of a page has an award in the log")


def rows_of_kind(register: Register, kind: str) -> Iterator[RunRow | CatalogueRow]:
    """Yield all runs, or all rows of a kind of the catalogue.

    Raises:
        ValueError, TypeError, AttributeError: A row cannot be read.
    """
    return iter(register.runs()) if kind == RUN else register.catalogue(kind)


def id_of(row: Row) -> UUID:
    """Return the stream that a row is about."""
    match row:
        case CredentialRow():
            return row.credential_id
        case RunRow():
            return row.run_id
        case CatalogueRow():
            return row.stream_id


def kind_of(row: Row) -> str:
    """Return what a row is about, for people."""
    match row:
        case CredentialRow():
            return CREDENTIAL
        case RunRow():
            return RUN
        case CatalogueRow():
            return row.kind
