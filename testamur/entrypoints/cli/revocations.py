"""Commands that revoke: `testamur credential revoke`, `… revoke-many`, `testamur run revoke`."""

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
from testamur.entrypoints.cli.invocation import opened, time_zone_of
from testamur.entrypoints.cli.learner_lists import learners_in
from testamur.entrypoints.cli.output import many, screen, warn, write_json
from testamur.entrypoints.cli.parameters import AsJson, CredentialReference, Reason, RunReference
from testamur.entrypoints.cli.withdrawal_text import (
    leave_if_left,
    waiting_lines,
    withdrawal_document,
)

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from testamur.application.revoking import Revocable, Revocation
    from testamur.domain.identifiers import RunId
    from testamur.entrypoints.library import Testamur

Tell = Annotated[
    bool,
    typer.Option(
        "--tell", help="Tell the learner by mail; not of a credential that was never issued."
    ),
]


def revoke(
    called: typer.Context,
    reference: CredentialReference,
    reason: Reason,
    tell: Tell = False,
    as_json: AsJson = False,
) -> None:
    """Revoke a credential; this cannot be undone.

    Whoever verifies it is told so from now on, with the reason, which must name nobody. Its
    document leaves its public place and is kept in the archive. It exits with 1 where that failed.
    """
    with opened(called) as testamur:
        id_ = testamur.find_credential(reference)
        done = testamur.revoke(id_, reason, tell=tell)
    if as_json:
        write_json({"credential_id": id_, **_document(done)})
    else:
        screen().say(f"Revoked credential {id_}.", *_about(done))
    leave_if_left(done.withdrawal)


def revoke_many(  # noqa: PLR0913, PLR0917 - options of a command are its parameters
    called: typer.Context,
    reason: Reason,
    configuration: OfConfiguration = None,
    type_slug: OfType = None,
    context_key: OfContext = None,
    run: OfRun = None,
    learners: OfLearners = None,
    expect: Expect = None,
    tell: Tell = False,
    as_json: AsJson = False,
) -> None:
    """Revoke all credentials that fit; this cannot be undone.

    At least one condition is needed. Without --expect it only shows how many would be revoked, and
    the first of them. What ended before is left alone, so after an interruption the rest is revoked
    by calling it again, with the number that is left.
    """
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
            found = testamur.revocable(where, learners=ids)
            _show(found, time_zone_of(called), as_json=as_json)
            return
        from testamur.entrypoints.cli.progress import watching

        with watching() as progress:
            done = testamur.revoke_many(
                where, reason, expect=expect, learners=ids, tell=tell, progress=progress
            )
    _tell(done, as_json=as_json)


def revoke_run(
    called: typer.Context,
    id_: RunReference,
    reason: Reason,
    expect: Expect = None,
    tell: Tell = False,
    as_json: AsJson = False,
) -> None:
    """Revoke whatever a run awarded; this cannot be undone.

    Without --expect it only shows how many would be revoked, and the first of them.
    """
    from testamur.domain.identifiers import RunId

    run_id = RunId(id_)
    with opened(called) as testamur:
        if expect is None:
            found = testamur.revocable_of_run(run_id)
            _show(found, time_zone_of(called), as_json=as_json)
            _warn_of_open(testamur, run_id)
            return
        from testamur.entrypoints.cli.progress import watching

        with watching() as progress:
            done = testamur.revoke_run(run_id, reason, expect=expect, tell=tell, progress=progress)
        _warn_of_open(testamur, run_id)
    _tell(done, as_json=as_json)


def _warn_of_open(testamur: "Testamur", run_id: "RunId") -> None:
    run = testamur.run_state(run_id)
    if not run.completed and run.approval != "rejected":
        warn(
            f"run {run_id} is not completed: it may award others still; see "
            f"`testamur run status {run_id}`"
        )


# What would be done


def _show(found: "Revocable", zone: "ZoneInfo", *, as_json: bool) -> None:
    if as_json:
        write_json(
            {
                "dry_run": True,
                "count": found.count,
                "issued": found.issued,
                "awarded": found.awarded,
                "ended": found.ended,
                "first": found.first,
                "without": found.without,
                "first_without": found.first_without,
            }
        )
        return
    to_show = screen()
    show_first(to_show, found.first, found.count, zone)
    to_show.say(
        f"Would be revoked: {many(found.count, 'credential')} ({found.issued:,} issued, "
        f"{found.awarded:,} awarded and not issued).",
        *([f"Left alone: {found.ended:,} that ended before."] if found.ended else []),
    )
    if found.without:
        names = ", ".join(found.first_without)
        and_more = ", …" if found.without > len(found.first_without) else ""
        holders = many(found.without, "listed learner has", "listed learners have")
        to_show.say(f"{holders} nothing to revoke: {names}{and_more}")
    if found.count:
        to_show.say(f"Nothing was written; to revoke them, add --expect {found.count}.")


# What was done


def _tell(done: "Revocation", *, as_json: bool) -> None:
    if as_json:
        write_json(_document(done))
    else:
        screen().say(f"Revoked {many(done.revoked, 'credential')}.", *_about(done))
    leave_if_left(done.withdrawal)


def _document(done: "Revocation") -> dict[str, Any]:
    return {
        "revoked": done.revoked,
        "to_tell": done.to_tell,
        **withdrawal_document(done.withdrawal),
    }


def _about(done: "Revocation") -> list[str]:
    return [
        *([f"{many(done.to_tell, 'learner')} will be told by mail."] if done.to_tell else []),
        *waiting_lines(done.withdrawal),
    ]
