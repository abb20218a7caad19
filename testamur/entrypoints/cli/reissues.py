"""Commands that reissue: `testamur credential reissue`, `testamur credential reissue-many`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from testamur.entrypoints.cli.choosing import (
    Expect,
    OfConfiguration,
    OfContext,
    OfLearners,
    OfRun,
    OfType,
    filter_of,
)
from testamur.entrypoints.cli.credential_tables import show_first
from testamur.entrypoints.cli.errors import FAILED
from testamur.entrypoints.cli.invocation import opened, time_zone_of
from testamur.entrypoints.cli.learner_lists import learners_in
from testamur.entrypoints.cli.moments import parse_day
from testamur.entrypoints.cli.output import many, screen, warn, write_json
from testamur.entrypoints.cli.parameters import AsJson, CredentialReference, Reason
from testamur.entrypoints.cli.withdrawal_text import (
    leave_if_left,
    waiting_lines,
    withdrawal_document,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from testamur.application.considering import Failure
    from testamur.application.reissuing_many import Reissuable, Reissues

NoTell = Annotated[bool, typer.Option("--no-tell", help="Do not tell the learner by mail.")]
NameFromLms = Annotated[
    bool, typer.Option("--name-from-lms", help="Take the learner's name from the data source.")
]


def reissue(
    called: typer.Context,
    reference: CredentialReference,
    reason: Reason,
    name: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Put this name on it.", show_default=False),
    ] = None,
    name_from_lms: NameFromLms = False,
    no_tell: NoTell = False,
    as_json: AsJson = False,
) -> None:
    """Make a new edition that takes a credential's place.

    It looks as its type and configuration say now, and keeps the award date. A revoked credential
    is reinstated by it. The reason is kept in the history and must name nobody.
    """
    with opened(called) as testamur:
        id_ = testamur.find_credential(reference)
        done = testamur.reissue(
            id_, reason, full_name=name, name_from_lms=name_from_lms, tell=not no_tell
        )
    if as_json:
        write_json(
            {
                "credential_id": done.credential_id,
                "edition": done.edition,
                "verification_id": done.verification_id,
                "replaced": done.replaced,
                "to_tell": done.to_tell,
                **withdrawal_document(done.withdrawal),
            }
        )
    else:
        screen().say(
            f"Edition {done.edition} is credential {done.credential_id} (verification "
            f"{done.verification_id}).",
            f"It takes the place of {done.replaced}.",
            *(["The learner will be told by mail."] if done.to_tell else []),
            *waiting_lines(done.withdrawal),
        )
    leave_if_left(done.withdrawal)


def reissue_many(  # noqa: PLR0913, PLR0917 - options of a command are its parameters
    called: typer.Context,
    reason: Reason,
    configuration: OfConfiguration = None,
    type_slug: OfType = None,
    context_key: OfContext = None,
    run: OfRun = None,
    learners: OfLearners = None,
    name_from_lms: NameFromLms = False,
    issued_before: Annotated[
        str | None,
        typer.Option(
            metavar="DATE",
            help="Those that were issued before this day, or time, even where nothing changes.",
            show_default=False,
        ),
    ] = None,
    expect: Expect = None,
    no_tell: NoTell = False,
    as_json: AsJson = False,
) -> None:
    """Make new editions of all that would look otherwise now.

    That is: where the template or another option of the look, the name of the type, the issuer or
    the context has changed, and with --name-from-lms, the learner's name. At least one condition is
    needed. Without --expect it only shows how many would be reissued, and the first of them. What
    was reissued does not change any more, so after an interruption the rest is reissued by calling
    it again, with the number that is left. It exits with 1 if any cannot be reissued.
    """
    zone = time_zone_of(called)
    before = parse_day(issued_before, zone, "--issued-before") if issued_before else None
    with opened(called) as testamur:
        where = filter_of(
            testamur,
            configuration=configuration,
            type_slug=type_slug,
            context_key=context_key,
            run=run,
        )
        ids = learners_in(learners) if learners is not None else None
        if expect is None:
            found = testamur.reissuable(
                where, learners=ids, names_from_lms=name_from_lms, issued_before=before
            )
            _show(found, zone, as_json=as_json)
            return
        from testamur.entrypoints.cli.progress import watching

        with watching() as progress:
            done = testamur.reissue_many(
                where,
                reason,
                expect=expect,
                learners=ids,
                names_from_lms=name_from_lms,
                issued_before=before,
                tell=not no_tell,
                progress=progress,
            )
    _tell(done, as_json=as_json)


def _show(found: "Reissuable", zone: "ZoneInfo", *, as_json: bool) -> None:
    if as_json:
        write_json(
            {
                "dry_run": True,
                "count": found.count,
                "unchanged": found.unchanged,
                "ended": found.ended,
                "failing": found.failing,
                "not_reissued": found.failures,
                "first": found.first,
            }
        )
        return
    to_show = screen()
    show_first(to_show, found.first, found.count, zone, with_editions=True)
    to_show.say(
        f"Would be reissued: {many(found.count, 'credential')}.",
        f"Left alone: {found.unchanged:,} that would stay the same, {found.ended:,} that ended "
        "before.",
    )
    _warn_of(found.failing, found.failures)
    if found.count:
        to_show.say(f"Nothing was written; to reissue them, add --expect {found.count}.")


def _tell(done: "Reissues", *, as_json: bool) -> None:
    if as_json:
        write_json(_document(done))
    else:
        told = f"{many(done.to_tell, 'learner')} will be told by mail."
        screen().say(
            f"Reissued {many(done.reissued, 'credential')}.",
            *([told] if done.to_tell else []),
            *waiting_lines(done.withdrawal),
        )
        _warn_of(done.failing, done.failures)
    leave_if_left(done.withdrawal)
    if done.failing:
        raise typer.Exit(FAILED)


def _document(done: "Reissues") -> dict[str, Any]:
    return {
        "reissued": done.reissued,
        "to_tell": done.to_tell,
        "failing": done.failing,
        "not_reissued": done.failures,
        **withdrawal_document(done.withdrawal),
    }


def _warn_of(failing: int, failures: "Sequence[Failure]") -> None:
    for each in failures:
        warn(f"credential {each.credential_id} (learner {each.learner_id}): {each.why}")
    further = failing - len(failures)
    if further:
        warn(f"… and {further:,} more that cannot be reissued")
