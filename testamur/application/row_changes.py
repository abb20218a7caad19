"""Row changes: which rows of the register are new, and which get new values."""

from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar
from uuid import UUID

from testamur.application.ports.register import CatalogueRow, CredentialRow, MessageRow, RunRow

Row = TypeVar("Row", CredentialRow, RunRow, CatalogueRow, MessageRow)


@dataclass(slots=True)
class TableChanges(Generic[Row]):
    """What changes in one table of the register.

    Args:
        added: New rows as the batch leaves them, by the id of their stream; messages by one of
            their own.
        changed: New values in rows that were there before: by the same id, then by the name of
            the row's field.
    """

    added: dict[UUID, Row] = field(default_factory=dict)
    changed: dict[UUID, dict[str, Any]] = field(default_factory=dict)

    def change(self, stream_id: UUID, **values: Any) -> None:
        """Give a row new values, whether the batch added it or not."""
        if stream_id in self.added:
            self.added[stream_id] = replace(self.added[stream_id], **values)
        else:
            self.changed.setdefault(stream_id, {}).update(values)


@dataclass(frozen=True, slots=True)
class RegisterChanges:
    """What a batch of events changes in the register.

    No change makes a credential living that was not. A store that changes rows first and adds
    the new ones then never sees two living credentials where the batch leaves one.
    """

    credentials: TableChanges[CredentialRow] = field(default_factory=TableChanges)
    runs: TableChanges[RunRow] = field(default_factory=TableChanges)
    catalogue: TableChanges[CatalogueRow] = field(default_factory=TableChanges)
    messages: TableChanges[MessageRow] = field(default_factory=TableChanges)
