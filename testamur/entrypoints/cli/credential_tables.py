"""Tables of credentials: a list of them, and the first of many that something would be done to."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import chain, islice
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from testamur.adapters.system import SystemClock
from testamur.entrypoints.cli.credential_text import STATUS_STYLES
from testamur.entrypoints.cli.expiries import has_expired
from testamur.entrypoints.cli.output import Column, Screen, styled

if TYPE_CHECKING:
    from testamur.application.ports.register import CredentialRow
    from testamur.entrypoints.cli.output import Cell

#: Rows that are looked at before the first is shown, for what columns there are to be.
_PAGE: Final = 500

_COLUMNS: Final = (
    Column("credential", rigid=True),
    Column("awarded", rigid=True),
    Column("status", rigid=True),
    Column("edition", rigid=True),
    Column("told", rigid=True),
    Column("expires", rigid=True),
    Column("number", below=True),
    Column("learner", below=True),
    Column("type", below=True),
    Column("context", below=True),
)


def list_credentials(
    to_show: Screen,
    rows: "Iterable[CredentialRow]",
    zone: ZoneInfo,
    *,
    of_one_type: bool,
    in_one_context: bool,
) -> int:
    """Write credentials as a table, and return how many there were.

    Args:
        to_show: Is written to.
        rows: The credentials, in flat memory.
        zone: In which dates are told.
        of_one_type: Whether all are of one type, which then needs no column…
        in_one_context: …and whether all are in one context.
    """
    now, remaining = SystemClock().now(), iter(rows)
    # A column of its own only where somebody has a number: looked for in a page of them.
    page = list(islice(remaining, _PAGE))
    constant = {
        "type": of_one_type,
        "context": in_one_context,
        "number": not any(row.serial for row in page),
        "expires": not any(row.expires_at for row in page),
    }
    return to_show.table(
        [column for column in _COLUMNS if not constant.get(column.heading)],
        (
            [cell for name, cell in _cells(row, zone, now).items() if not constant.get(name)]
            for row in chain(page, remaining)
        ),
    )


def show_first(
    to_show: Screen,
    first: "Sequence[CredentialRow]",
    count: int,
    zone: ZoneInfo,
    *,
    with_editions: bool = False,
) -> None:
    """Write the first of many credentials, if there is any, and how many more there are.

    Args:
        to_show: Is written to.
        first: The first of them.
        count: How many they are together.
        zone: In which dates are told.
        with_editions: Whether to tell which editions they are.
    """
    if not first:
        return
    to_show.table(
        [
            Column("credential", rigid=True),
            Column("awarded", rigid=True),
            Column("status", rigid=True),
            *([Column("edition", align="right", rigid=True)] if with_editions else []),
            Column("learner", below=True),
            Column("type", below=True),
            Column("context", below=True),
        ],
        (
            [
                str(row.credential_id),
                _awarded(row, zone),
                styled(str(row.status), STATUS_STYLES.get(row.status, "")),
                *([str(row.edition)] if with_editions else []),
                row.learner_id,
                row.type_slug,
                row.context_key,
            ]
            for row in first
        ),
    )
    further = count - len(first)
    to_show.say(*([f"… and {further:,} more"] if further else []), "")


def _cells(row: "CredentialRow", zone: ZoneInfo, now: datetime) -> "dict[str, Cell]":
    failing = row.status == "awarded" and row.issue_failures > 0
    status = "failing" if failing else "expired" if has_expired(row, now) else str(row.status)
    return {
        "credential": str(row.credential_id),
        "awarded": _awarded(row, zone),
        "status": styled(status, "red" if failing else STATUS_STYLES.get(status, "")),
        "edition": _edition(row),
        "told": row.notification if row.status == "issued" else "",
        "expires": f"{row.expires_at.astimezone(zone):%Y-%m-%d}" if row.expires_at else "",
        "number": row.serial or "",
        "learner": row.learner_id,
        "type": row.type_slug,
        "context": row.context_key,
    }


def _awarded(row: "CredentialRow", zone: ZoneInfo) -> str:
    return f"{row.awarded_at.astimezone(zone):%Y-%m-%d}"


def _edition(row: "CredentialRow") -> str:
    """Return which edition it is, and which one took its place: always the next."""
    return f"{row.edition} → {row.edition + 1}" if row.status == "superseded" else f"{row.edition}"
