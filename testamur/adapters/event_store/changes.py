"""Changes of the register, as every database that speaks SQL writes them."""

from collections.abc import Mapping
from uuid import UUID

from eventsourcing.persistence import IntegrityError


def position_of_award(stream_id: UUID, positions: Mapping[UUID | str, int]) -> int:
    """Return where in the log a credential's award stands, which its row goes by.

    Args:
        stream_id: The credential's.
        positions: Of the first events of the streams that the batch begins.

    Raises:
        eventsourcing.persistence.IntegrityError: The batch does not begin the stream.
    """
    try:
        return positions[stream_id]
    except KeyError:
        raise IntegrityError(
            f"stream {stream_id} has events already, and an award can only be the first"
        ) from None


def require_all_changed(table: str, changed: int, wanted: int) -> None:
    """Make sure that every row was there which was to change.

    Args:
        table: The rows'.
        changed: How many the database changed…
        wanted: …of how many.

    Raises:
        eventsourcing.persistence.IntegrityError: Some were not there.
    """
    if changed != wanted:
        raise IntegrityError(
            f"{wanted - changed} of the streams in the batch are not among the {table}: they do "
            "not begin with the event that puts them there"
        )


def require_all_asked(added: int, wanted: int) -> None:
    """Make sure that every message is about a credential that there is.

    Args:
        added: How many messages the database added…
        wanted: …of how many.

    Raises:
        eventsourcing.persistence.IntegrityError: Some are about none.
    """
    if added != wanted:
        raise IntegrityError("a message is asked for about what is no credential")
