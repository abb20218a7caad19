"""The audit trail as a file: CSV for spreadsheets, JSON Lines for programs, row by row."""

import csv
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

from testamur.entrypoints import whole_files
from testamur.entrypoints.spreadsheets import harmless

if TYPE_CHECKING:
    from testamur.application.ports.audit import AuditEntry
    from testamur.application.ports.event_store import RecordedEvent

#: Names of the columns, and of the members in JSON.
COLUMNS: Final = (
    "position",
    "at",
    "actor",
    "event",
    "stream_id",
    "version",
    "correlation_id",
    "configuration_id",
    "context_key",
    "learner_ids",
)

#: Between the learners of a cell.
_BETWEEN_LEARNERS: Final = ";"


@contextmanager
def written_whole(file: Path) -> Iterator[TextIO]:
    """Open a text file for writing that appears under its name when it is complete.

    Args:
        file: Where to; a file that is there is replaced.

    Raises:
        InvalidInput: It cannot be written.
    """
    with (
        whole_files.written_whole(file, "--to") as descriptor,
        # Line ends are left as they are written: those of CSV are two characters (RFC 4180).
        os.fdopen(descriptor, "w", encoding="utf-8", newline="", closefd=False) as stream,
    ):
        yield stream


def write_csv(stream: TextIO, entries: "Iterable[AuditEntry]") -> int:
    """Write entries as CSV (RFC 4180) with a header, and return how many there were.

    A cell in which a spreadsheet might see a formula gets an apostrophe before it.
    """
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    written = 0
    for entry in entries:
        writer.writerow(
            (
                entry.position,
                entry.at.isoformat(),
                harmless(entry.actor),
                entry.name,
                entry.stream_id,
                entry.version,
                entry.correlation_id,
                entry.configuration_id,
                harmless(entry.context_key or ""),
                harmless(_BETWEEN_LEARNERS.join(entry.learner_ids)),
            )
        )
        written += 1
    return written


def write_json_lines(
    stream: TextIO, entries: "Iterable[tuple[AuditEntry, RecordedEvent | None]]"
) -> int:
    """Write entries as JSON Lines, and return how many there were.

    Args:
        stream: Is written to.
        entries: Each with its event, whose fields go into ``data``; None: without.
    """
    written = 0
    for entry, recorded in entries:
        document = document_of(entry)
        if recorded is not None:
            document["data"] = recorded.event.model_dump(mode="json")
        stream.write(json.dumps(document, ensure_ascii=False) + "\n")
        written += 1
    return written


def document_of(entry: "AuditEntry") -> dict[str, Any]:
    """Return an entry as a JSON document."""
    return {
        "position": entry.position,
        "at": entry.at.isoformat(),
        "actor": entry.actor,
        "event": entry.name,
        "stream_id": str(entry.stream_id),
        "version": entry.version,
        "correlation_id": str(entry.correlation_id),
        "configuration_id": None if entry.configuration_id is None else str(entry.configuration_id),
        "context_key": entry.context_key,
        "learner_ids": list(entry.learner_ids),
    }
