"""Comparing credentials with today's verdicts: `testamur reconcile`, `testamur correction …`."""

from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from testamur.entrypoints.cli.choosing import OfConfiguration, OfLearner
from testamur.entrypoints.cli.correction_text import (
    corrected_document,
    correction_document,
    correction_fields,
    list_corrections,
    say_corrected,
    show_found,
)
from testamur.entrypoints.cli.errors import FAILED, WrongUsage
from testamur.entrypoints.cli.invocation import opened, show_help_unless_asked
from testamur.entrypoints.cli.output import many, screen, write_json, write_json_line
from testamur.entrypoints.cli.parameters import AsJson, ContextKey, Reason, TypeSlug

if TYPE_CHECKING:
    from testamur.application.correcting import CorrectionFilter
    from testamur.entrypoints.library import Testamur

app = typer.Typer(
    help="Look at, accept and reject what reconciliations propose.",
    invoke_without_command=True,
    callback=show_help_unless_asked,
)

Id = Annotated[
    UUID | None,
    typer.Argument(
        metavar="[ID]",
        help="Id of the correction; without it, all that fit the options.",
        show_default=False,
    ),
]
OfKind = Annotated[
    str | None,
    typer.Option(
        "--kind",
        metavar="KIND",
        help="Only no-longer-eligible, data-changed or now-eligible.",
        show_default=False,
    ),
]
Expect = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help="Do it, if it is this number of corrections. Without: only show them.",
        min=0,
        show_default=False,
    ),
]
Tell = Annotated[
    bool,
    typer.Option("--tell", help="Tell the learner by mail of a revocation or a new edition."),
]

KINDS = ("no-longer-eligible", "data-changed", "now-eligible")


def reconcile(
    called: typer.Context,
    type_slug: TypeSlug,
    context_key: ContextKey,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what is found; write nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Compare credentials with what is so today, and propose.

    That is: what their learners have reached, and what they are called. What differs is proposed,
    and nothing is done until somebody accepts it: see `testamur correction list`. With --dry-run
    --json, one line of JSON for each learner.
    """
    from testamur.entrypoints.cli.progress import watching

    with opened(called) as testamur:
        id_ = testamur.find_configuration(type_slug, context_key)
        if dry_run:
            show_found(testamur.reconcile_dry_run(id_), as_json=as_json)
            return
        with watching() as progress:
            outcome = testamur.reconcile(id_, progress=progress)
        waiting = sum(1 for _ in testamur.corrections(_filter(testamur, (type_slug, context_key))))
    counts = outcome.counts.model_dump()
    if as_json:
        write_json({"reconciliation_id": outcome.reconciliation_id, **counts, "waiting": waiting})
        return
    told = [f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items() if count]
    to_show = screen()
    to_show.say(
        f"Compared {type_slug} for {context_key}: {', '.join(told) or 'nothing to compare'}."
    )
    if waiting:
        to_show.say(f"{many(waiting, 'correction waits', 'corrections wait')} for a decision:")
        to_show.verbatim(f"  testamur correction list --configuration {type_slug} {context_key}")


@app.command("list")
def list_(
    called: typer.Context,
    configuration: OfConfiguration = None,
    kind: OfKind = None,
    learner: OfLearner = None,
    as_json: AsJson = False,
) -> None:
    """List the corrections that wait for a decision.

    With --json, one line of JSON for each.
    """
    with opened(called) as testamur:
        found = testamur.corrections(_filter(testamur, configuration, kind, learner))
        if as_json:
            for id_, correction in found:
                write_json_line(correction_document(id_, correction))
        elif not list_corrections(found):
            screen().say("No correction waits for a decision.")


@app.command("show")
def show(
    called: typer.Context,
    id_: Annotated[
        UUID, typer.Argument(metavar="ID", help="Id of the correction.", show_default=False)
    ],
    as_json: AsJson = False,
) -> None:
    """Show a correction: what was found, and what became of it."""
    from testamur.domain.identifiers import CorrectionId

    with opened(called) as testamur:
        correction = testamur.correction(CorrectionId(id_))
        held = correction.proposed.credential_id
        person = testamur.credential(held).awarded.person if held else None
    if as_json:
        write_json(correction_document(CorrectionId(id_), correction))
    else:
        screen().fields(correction_fields(correction, person.full_name if person else None))


@app.command("accept")
def accept(  # noqa: PLR0913, PLR0917 - options of a command are its parameters
    called: typer.Context,
    reason: Reason,
    id_: Id = None,
    configuration: OfConfiguration = None,
    kind: OfKind = None,
    learner: OfLearner = None,
    expect: Expect = None,
    tell: Tell = False,
    as_json: AsJson = False,
) -> None:
    """Accept a correction and carry it out, or all that fit.

    No longer eligible: the credential is revoked. Data changed: a new edition takes its place. Now
    eligible: the learner is awarded the credential, or the revoked one is reinstated. For many, at
    least one option is needed, and --expect. It exits with 1 if any could not be carried out.
    """
    from testamur.domain.identifiers import CorrectionId
    from testamur.entrypoints.cli.progress import watching

    _one_or_many(called, id_, (configuration, kind, learner), expect)
    with opened(called) as testamur:
        if id_ is not None:
            done = testamur.accept_correction(CorrectionId(id_), reason, tell=tell)
        else:
            where = _filter(testamur, configuration, kind, learner)
            if expect is None:
                _preview(testamur, where, "accept", as_json=as_json)
                return
            with watching() as progress:
                done = testamur.accept_corrections(
                    where, reason, expect=expect, tell=tell, progress=progress
                )
    if as_json:
        write_json(corrected_document(done))
    say_corrected(done, quiet=as_json)
    if done.dropped or done.waiting:
        raise typer.Exit(FAILED)


@app.command("reject")
def reject(
    called: typer.Context,
    reason: Reason,
    id_: Id = None,
    configuration: OfConfiguration = None,
    kind: OfKind = None,
    learner: OfLearner = None,
    expect: Expect = None,
    as_json: AsJson = False,
) -> None:
    """Reject a correction, or all that fit.

    Nothing is done about the credential. The same is not proposed again until something about it
    changes.
    """
    from testamur.domain.identifiers import CorrectionId

    _one_or_many(called, id_, (configuration, kind, learner), expect)
    rejected = 1
    with opened(called) as testamur:
        if id_ is not None:
            testamur.reject_correction(CorrectionId(id_), reason)
        else:
            where = _filter(testamur, configuration, kind, learner)
            if expect is None:
                _preview(testamur, where, "reject", as_json=as_json)
                return
            rejected = testamur.reject_corrections(where, reason, expect=expect)
    if as_json:
        write_json({"rejected": rejected})
    else:
        screen().say(f"Rejected {many(rejected, 'correction')}.")


def _preview(testamur: "Testamur", where: "CorrectionFilter", verb: str, *, as_json: bool) -> None:
    if as_json:
        count = sum(1 for _ in testamur.corrections(where))
        write_json({"dry_run": True, "count": count})
        return
    count = list_corrections(testamur.corrections(where))
    screen().say(f"Would be {verb}ed: {many(count, 'correction')}.")
    if count:
        screen().say(f"Nothing was written; to {verb} them, add --expect {count}.")


def _one_or_many(
    called: typer.Context, id_: UUID | None, options: tuple[Any, ...], expect: int | None
) -> None:
    chosen = any(option is not None for option in options)
    if id_ is not None and (chosen or expect is not None):
        raise WrongUsage("an ID, or options that choose many: one or the other", called)
    if id_ is None and not chosen:
        raise WrongUsage("give an ID, or at least one option that chooses", called)


def _filter(
    testamur: "Testamur",
    configuration: tuple[str, str] | None,
    kind: str | None = None,
    learner: str | None = None,
) -> "CorrectionFilter":
    from testamur.application.correcting import CorrectionFilter
    from testamur.domain.errors import InvalidInput
    from testamur.domain.identifiers import parse_learner_id

    if kind is not None and kind not in KINDS:
        raise InvalidInput("--kind", kind, ", ".join(KINDS))
    return CorrectionFilter(
        configuration_id=testamur.find_configuration(*configuration) if configuration else None,
        kind=kind,  # type: ignore[arg-type]
        learner_id=parse_learner_id(learner) if learner is not None else None,
    )
