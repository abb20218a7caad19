"""Commands about messages to learners: `testamur delivery …`."""

import sys
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from testamur.domain.errors import InvalidInput
from testamur.domain.identifiers import parse_learner_id
from testamur.entrypoints.cli.delivery_text import (
    DELIVERY_COLUMNS,
    delivery_cells,
    message_document,
    told_of,
)
from testamur.entrypoints.cli.errors import WrongUsage
from testamur.entrypoints.cli.invocation import opened, show_help_unless_asked, time_zone_of
from testamur.entrypoints.cli.output import many, screen, write_json, write_json_line
from testamur.entrypoints.cli.parameters import (
    AsJson,
    CredentialReference,
    LearnerReference,
    Limit,
    Reason,
)

if TYPE_CHECKING:
    from testamur.application.ports.deliveries import DeliveryFilter
    from testamur.domain.credentials import MessageKey
    from testamur.entrypoints.library import Testamur

app = typer.Typer(
    help="Messages to learners: what became of them, sending again, and suppressing.",
    invoke_without_command=True,
    callback=show_help_unless_asked,
)

Notice = Literal["issued", "revoked", "reissued", "expiring", "recertified"]
Status = Literal["pending", "sent", "skipped", "given-up", "suppressed", "bounced"]
NoticeOption = Annotated[
    Notice | None,
    typer.Option("--notice", help="Only what tells of this.", show_default=False),
]


@app.command("list")
def list_(
    called: typer.Context,
    configuration: Annotated[
        tuple[str, str] | None,
        typer.Option(
            metavar="TYPE CONTEXT", help="Only of this configuration.", show_default=False
        ),
    ] = None,
    learner: Annotated[
        str | None, typer.Option(metavar="ID", help="Only to this learner.", show_default=False)
    ] = None,
    status: Annotated[
        Status | None, typer.Option(help="Only what stands there.", show_default=False)
    ] = None,
    notice: NoticeOption = None,
    limit: Limit = None,
    as_json: AsJson = False,
) -> None:
    """List messages: attempts, outcome, next try.

    With --json, one line of JSON for each.
    """
    zone = time_zone_of(called)
    with opened(called) as testamur:
        where = _filter(testamur, configuration, learner, status, notice)
        rows = islice(testamur.deliveries(where), limit)
        if as_json:
            for row in rows:
                write_json_line(row)
            return
        to_show = screen()
        shown = to_show.table(DELIVERY_COLUMNS, (delivery_cells(row, zone) for row in rows))
        to_show.say(*(["", many(shown, "message") + "."] if shown else ["No messages."]))


@app.command()
def resend(
    called: typer.Context,
    reference: CredentialReference,
    reason: Reason,
    notice: NoticeOption = None,
    sequence: Annotated[
        int, typer.Option(metavar="N", help="Which of several reminders.", min=0)
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """Have a message sent once more, whatever became of it.

    It is a new message; the next tick sends it. Without --notice it is the one that tells how the
    credential stands.
    """
    with opened(called) as testamur:
        id_ = testamur.find_credential(reference)
        key = testamur.resend(id_, reason, notice=notice, sequence=sequence)
    if as_json:
        write_json({"credential_id": id_, **message_document(key)})
    else:
        screen().say(f"Asked for: {told_of(key)}; the next `testamur tick` sends it.")


@app.command()
def suppress(
    called: typer.Context,
    reason: Reason,
    reference: Annotated[
        str | None,
        typer.Argument(
            metavar="[ID]",
            help="Id of the credential, or its verification id.",
            show_default=False,
        ),
    ] = None,
    learner: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="Send this learner no messages at all, until that is lifted.",
            show_default=False,
        ),
    ] = None,
    notice: NoticeOption = None,
    as_json: AsJson = False,
) -> None:
    """Keep messages from being sent.

    Those about a credential that wait; or with --learner all to them, from now on.

    A message that is on its way to the mail server at this moment cannot be called back.
    """
    if (reference is None) == (learner is None):
        raise WrongUsage("Give either a credential or --learner.", called)
    if learner is not None and notice is not None:
        raise WrongUsage("--notice goes with a credential only.", called)
    with opened(called) as testamur:
        if reference is None:
            testamur.suppress_learner(str(learner), reason)
            keys: list[MessageKey] = []
            about: dict[str, object] = {"learner_id": learner}
        else:
            id_ = testamur.find_credential(reference)
            keys = testamur.suppress(id_, reason, notice=notice)
            about = {"credential_id": id_}
    if as_json:
        write_json({**about, "suppressed": [message_document(key) for key in keys]})
    elif reference is None:
        screen().say(f"Learner {learner} gets no messages any more.")
    else:
        screen().say(*(f"Suppressed: {told_of(key)}." for key in keys))


@app.command()
def lift(
    called: typer.Context,
    learner: LearnerReference,
    reason: Reason,
    as_json: AsJson = False,
) -> None:
    """Let a learner get messages again.

    What was not sent meanwhile is not sent by itself; `testamur delivery resend` does.
    """
    with opened(called) as testamur:
        testamur.lift_suppression(learner, reason)
    if as_json:
        write_json({"learner_id": learner, "suppressed": False})
    else:
        screen().say(f"Learner {learner} gets messages again.")


@app.command()
def suppressed(called: typer.Context, as_json: AsJson = False) -> None:
    """List the learners who get no messages.

    One id on each line; with --json, one line of JSON for each.
    """
    with opened(called) as testamur:
        learners = testamur.suppressed_learners()
    to_show = screen()
    for learner_id in learners:
        if as_json:
            write_json_line({"learner_id": learner_id})
        else:
            to_show.say(learner_id)


@app.command()
def bounced(
    called: typer.Context,
    message_id: Annotated[
        str | None,
        typer.Argument(
            metavar="[MESSAGE_ID]", help="Message-ID of what came back.", show_default=False
        ),
    ] = None,
    reason: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            help="Why, such as the status 5.1.1; without the address.",
            show_default=False,
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The mail server's report (RFC 3464) instead; - reads it from stdin.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Record that a message came back by mail.

    No further message about the credential is sent by itself.
    """
    if (message_id is None) == (report is None):
        raise WrongUsage("Give either a Message-ID or --report.", called)
    if (message_id is None) == (reason is not None):
        raise WrongUsage("--reason goes with a Message-ID, and is needed there.", called)
    content = None if report is None else _read(report)
    with opened(called) as testamur:
        if content is not None:
            id_, key = testamur.record_bounce_report(content)
        else:
            id_, key = testamur.record_bounce(str(message_id), str(reason))
    if as_json:
        write_json({"credential_id": id_, **message_document(key), "status": "bounced"})
    else:
        screen().say(f"Recorded: {told_of(key)} about credential {id_} came back.")


def _filter(
    testamur: "Testamur",
    configuration: tuple[str, str] | None,
    learner: str | None,
    status: Status | None,
    notice: Notice | None,
) -> "DeliveryFilter":
    from testamur.application.ports.deliveries import DeliveryFilter

    return DeliveryFilter(
        configuration_id=testamur.find_configuration(*configuration) if configuration else None,
        learner_id=parse_learner_id(learner, "--learner") if learner is not None else None,
        notice=notice,
        status=status,
    )


def _read(report: Path) -> bytes:
    if str(report) == "-":
        return sys.stdin.buffer.read()
    try:
        return report.read_bytes()
    except OSError as error:
        raise InvalidInput("--report", str(report), f"a readable file ({error.strerror})") from None
