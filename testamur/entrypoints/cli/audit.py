"""Commands for auditors: `testamur audit …`."""

import sys
from collections.abc import Iterator, Mapping
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal
from uuid import UUID

import typer

from testamur.entrypoints.cli.audit_filters import (
    By,
    Configuration,
    Context,
    Credential,
    Event,
    Learner,
    Run,
    Since,
    Until,
)
from testamur.entrypoints.cli.errors import WrongUsage
from testamur.entrypoints.cli.invocation import opened, show_help_unless_asked, time_zone_of
from testamur.entrypoints.cli.output import Column, Screen, many, screen, write_json
from testamur.entrypoints.cli.parameters import AsJson, CredentialReference

if TYPE_CHECKING:
    from testamur.application.auditing import Audit
    from testamur.application.ports.audit import AuditEntry, AuditFilter, Grouping
    from testamur.application.progress import Progress
    from testamur.domain.identifiers import ConfigurationId

app = typer.Typer(
    help="The audit trail: who did what, when and why; searched, counted, exported.",
    invoke_without_command=True,
    callback=show_help_unless_asked,
)

#: As `testamur.application.ports.audit.Grouping`, which need not be loaded to show help.
Group = Literal["event", "actor", "configuration", "context", "run", "day"]

Format = Literal["csv", "jsonl"]

#: Entries that are written between two reports of progress.
_REPORTED: Final = 1_000


@app.command("list")
def list_(  # noqa: PLR0913, PLR0917 - options of a command are its parameters
    called: typer.Context,
    credential: Credential = None,
    learner: Learner = None,
    configuration: Configuration = None,
    context: Context = None,
    actor: By = None,
    run: Run = None,
    event: Event = None,
    since: Since = None,
    until: Until = None,
    newest: Annotated[bool, typer.Option("--newest", help="The newest first.")] = False,
    limit: Annotated[
        int, typer.Option(metavar="N", help="At most so many.", min=1, max=10_000)
    ] = 50,
    cursor: Annotated[
        str | None,
        typer.Option(
            metavar="CURSOR",
            help="Go on after the page that gave this cursor, with the same conditions.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List what happened, page by page."""
    zone = time_zone_of(called)
    with opened(called) as testamur:
        where = testamur.audit.where(
            credential=credential,
            learner=learner,
            configuration=configuration,
            context=context,
            actor=actor,
            run=run,
            event=event,
            since=since,
            until=until,
        )
        page = testamur.audit.page(where, limit, cursor, newest_first=newest)
    if as_json:
        from testamur.entrypoints.audit_files import document_of

        entries = [document_of(entry) for entry in page.entries]
        write_json({"entries": entries, "cursor": page.cursor, "behind": page.behind})
        return
    from testamur.entrypoints.cli.audit_text import entry_columns, entry_rows

    to_show = screen()
    to_show.table(entry_columns(where, zone), entry_rows(page.entries, where, zone))
    if page.entries:
        to_show.say("", many(len(page.entries), "entry", "entries") + ".")
    else:
        to_show.say("No entries." if cursor is None else "No more entries.")
    if page.cursor is not None:
        to_show.verbatim(f"There are more: --cursor {page.cursor}")
    _tell_what_is_behind(to_show, page.behind)


@app.command("count")
def count(  # noqa: PLR0913, PLR0917 - options of a command are its parameters
    called: typer.Context,
    credential: Credential = None,
    learner: Learner = None,
    configuration: Configuration = None,
    context: Context = None,
    actor: By = None,
    run: Run = None,
    event: Event = None,
    since: Since = None,
    until: Until = None,
    by: Annotated[
        Group | None,
        typer.Option("--by", help="Count what has the same of this.", show_default=False),
    ] = None,
    limit: Annotated[
        int, typer.Option(metavar="N", help="With --by: at most so many groups.", min=1)
    ] = 100,
    as_json: AsJson = False,
) -> None:
    """Count what happened.

    With --by, the largest groups come first; days are in UTC and in their order.
    """
    with opened(called) as testamur:
        audit = testamur.audit
        where = audit.where(
            credential=credential,
            learner=learner,
            configuration=configuration,
            context=context,
            actor=actor,
            run=run,
            event=event,
            since=since,
            until=until,
        )
        total = audit.count(where)
        groups = {} if by is None else audit.grouped(where, by, limit + 1)
        behind = audit.behind()
        names = _names(audit, by, groups)
    shown, left_off = _first(groups, by, limit)
    if as_json:
        document: dict[str, Any] = {"count": total, "behind": behind}
        if by is not None:
            document |= {"by": by, "groups": shown, "complete": not left_off}
        write_json(document)
        return
    to_show = screen()
    if by is not None:
        heading = "day (UTC)" if by == "day" else by
        to_show.table(
            [Column(heading), Column("entries", align="right", rigid=True)],
            ((names.get(group, group), f"{each:,}") for group, each in shown.items()),
        )
        to_show.say("")
    to_show.say(many(total, "entry", "entries") + ".")
    if left_off:
        which = "latest days" if by == "day" else "largest groups"
        to_show.say(f"These are the {limit:,} {which}; --limit shows more.")
    _tell_what_is_behind(to_show, behind)


@app.command("export")
def export(  # noqa: PLR0913, PLR0917 - options of a command are its parameters
    called: typer.Context,
    credential: Credential = None,
    learner: Learner = None,
    configuration: Configuration = None,
    context: Context = None,
    actor: By = None,
    run: Run = None,
    event: Event = None,
    since: Since = None,
    until: Until = None,
    format_: Annotated[
        Format, typer.Option("--format", help="A table for spreadsheets, or JSON Lines.")
    ] = "csv",
    to: Annotated[
        str,
        typer.Option(
            "--to", metavar="FILE", help="Where to; a file that is there is replaced. -: stdout."
        ),
    ] = "-",
    with_data: Annotated[
        bool,
        typer.Option(
            "--with-data",
            help="With what each event says, personal data decrypted (JSON Lines only).",
        ),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="With --to: tell as JSON what was written.")
    ] = False,
) -> None:
    """Write all of what happened to a file, oldest first.

    Without --with-data there is nothing personal in it but the learners' opaque ids. The trail is
    brought up to the log before, however long that takes.
    """
    from testamur.entrypoints.audit_files import write_csv, write_json_lines, written_whole
    from testamur.entrypoints.cli.progress import watching

    if with_data and format_ == "csv":
        raise WrongUsage("--with-data needs --format jsonl", called)
    if as_json and to == "-":
        raise WrongUsage("--json needs --to FILE; --format jsonl writes JSON to stdout", called)
    with opened(called) as testamur:
        audit = testamur.audit
        where = audit.where(
            credential=credential,
            learner=learner,
            configuration=configuration,
            context=context,
            actor=actor,
            run=run,
            event=event,
            since=since,
            until=until,
        )

        def write(stream: "Any", progress: "Progress") -> int:
            entries = _exported(audit, where, progress)
            if format_ == "csv":
                return write_csv(stream, entries)
            whole = audit.with_events(entries) if with_data else zip(entries, repeat(None))
            return write_json_lines(stream, whole)

        with watching() as progress:
            if to == "-":
                write(sys.stdout, progress)
                return
            with written_whole(Path(to)) as stream:
                written = write(stream, progress)
    if as_json:
        write_json({"entries": written, "file": to, "format": format_})
    else:
        screen().say(f"{many(written, 'entry', 'entries')} written to {to}.")


@app.command("show")
def show(
    called: typer.Context,
    reference: CredentialReference,
    at: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="As it was at this time, or at the end of this date. By default now.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show a credential as it was at a moment.

    What it looked like, whether it was valid, and who had done what last.
    """
    zone = time_zone_of(called)
    with opened(called) as testamur:
        found = testamur.audit.as_of(reference, at)
    if as_json:
        write_json(
            {
                "credential_id": found.credential_id,
                "at": found.at,
                "holds": found.validity.holds,
                "validity": found.validity,
                "last": found.last,
                "credential": found.credential,
                "history": found.history,
            }
        )
        return
    from testamur.entrypoints.cli.audit_text import show_moment

    show_moment(screen(), found, zone, is_now=at is None)


@app.command("why")
def why(called: typer.Context, reference: CredentialReference, as_json: AsJson = False) -> None:
    """Show why a credential was awarded.

    The evidence and the criteria, the run, and who had set up what led to it.
    """
    zone = time_zone_of(called)
    with opened(called) as testamur:
        reasons = testamur.audit.why(reference)
    if as_json:
        write_json(reasons)
        return
    from testamur.entrypoints.cli.audit_text import show_reasons

    show_reasons(screen(), reasons, zone)


def _exported(audit: "Audit", where: "AuditFilter", progress: "Progress") -> "Iterator[AuditEntry]":
    from testamur.application.progress import Step

    if behind := audit.behind():
        progress.expect(Step.FOLLOW, behind)
        audit.catch_up(progress)
    progress.expect(Step.EXPORT, audit.count(where))
    unreported = 0
    for entry in audit.entries(where):
        yield entry
        unreported += 1
        if unreported == _REPORTED:
            progress.advance(Step.EXPORT, unreported)
            unreported = 0
    progress.advance(Step.EXPORT, unreported)


def _names(audit: "Audit", by: "Grouping | None", groups: Mapping[str, int]) -> dict[str, str]:
    """Return what groups are called, where that is not what they are told by."""
    if by != "configuration":
        return {}
    ids: list[ConfigurationId] = [UUID(each) for each in groups]  # type: ignore[misc]
    return {str(id_): " ".join(name) for id_, name in audit.names_of_configurations(ids).items()}


def _first(
    groups: Mapping[str, int], by: "Grouping | None", limit: int
) -> tuple[dict[str, int], bool]:
    """Return the first groups, or the latest days, and whether there are more."""
    listed = list(groups.items())
    shown = listed[-limit:] if by == "day" else listed[:limit]
    return dict(shown), len(listed) > limit


def _tell_what_is_behind(to_show: Screen, behind: int) -> None:
    if behind:
        to_show.say(
            f"The trail lacks the latest {many(behind, 'event')} of the log: asking again brings "
            "it on."
        )
