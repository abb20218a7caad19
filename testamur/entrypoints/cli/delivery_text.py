"""Messages to learners as people read them: the table, and which message is which."""

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from testamur.entrypoints.cli.output import Column, styled
from testamur.entrypoints.cli.schedule_text import describe_moment

if TYPE_CHECKING:
    from testamur.application.ports.deliveries import DeliveryRow
    from testamur.domain.credentials import MessageKey
    from testamur.entrypoints.cli.output import Cell

_STATUS_STYLES = {
    "sent": "green",
    "pending": "yellow",
    "given-up": "red",
    "bounced": "red",
}

DELIVERY_COLUMNS = (
    Column("learner"),
    Column("message"),
    Column("status"),
    Column("attempts", align="right"),
    Column("reason"),
    Column("asked for", rigid=True),
    Column("sent", rigid=True),
    Column("next try", rigid=True),
    Column("credential", rigid=True, below=True),
)


def delivery_cells(row: "DeliveryRow", zone: ZoneInfo) -> "list[Cell]":
    """Return the row of a message.

    Args:
        row: The message.
        zone: In which times are told.
    """
    due = row.retry_at or row.requested_at
    waits = row.status == "pending"
    return [
        row.learner_id,
        told_of(row.key),
        styled(row.status, _STATUS_STYLES.get(row.status, "")),
        f"{row.attempts:,}",
        row.reason or "-",
        describe_moment(row.requested_at, zone),
        describe_moment(row.sent_at, zone) if row.sent_at else "-",
        describe_moment(due, zone) if waits else "-",
        str(row.credential_id),
    ]


def told_of(key: "MessageKey") -> str:
    """Return which message of a credential it is, for people."""
    sequence = f" {key.sequence}" if key.sequence else ""
    request = f", request {key.request}" if key.request > 1 else ""
    return f"{key.notice}{sequence}{request}"


def message_document(key: "MessageKey") -> dict[str, object]:
    """Return which message of a credential it is, as JSON."""
    return {"notice": key.notice, "sequence": key.sequence, "request": key.request}
