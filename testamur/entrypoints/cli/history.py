"""Commands that tell what happened: `testamur history …`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from testamur.domain.identifiers import Slug, asset_id, credential_type_id
from testamur.entrypoints.cli.event_text import (
    event_columns,
    event_rows,
    learners_left_out,
    refused_learners,
)
from testamur.entrypoints.cli.invocation import opened, show_help_unless_asked, time_zone_of
from testamur.entrypoints.cli.output import Column, screen, write_json
from testamur.entrypoints.cli.parameters import (
    AsJson,
    AssetSlug,
    ContextKey,
    CredentialReference,
    RunReference,
    TypeSlug,
)

if TYPE_CHECKING:
    from testamur.application.ports.event_store import RecordedEvent

app = typer.Typer(
    help="History: who did what, when, and why.",
    invoke_without_command=True,
    callback=show_help_unless_asked,
)


@app.command("type")
def of_type(called: typer.Context, slug: TypeSlug, as_json: AsJson = False) -> None:
    """Tell what happened to a credential type."""
    with opened(called) as testamur:
        testamur.type(slug)
        recorded = testamur.history(credential_type_id(Slug(slug)))
    _tell(called, recorded, as_json)


@app.command("asset")
def of_asset(called: typer.Context, slug: AssetSlug, as_json: AsJson = False) -> None:
    """Tell what happened to an asset."""
    with opened(called) as testamur:
        testamur.asset(slug)
        recorded = testamur.history(asset_id(Slug(slug)))
    _tell(called, recorded, as_json)


@app.command("configuration")
def of_configuration(
    called: typer.Context, type_slug: TypeSlug, context_key: ContextKey, as_json: AsJson = False
) -> None:
    """Tell what happened to a configuration."""
    with opened(called) as testamur:
        recorded = testamur.history(testamur.find_configuration(type_slug, context_key))
    _tell(called, recorded, as_json)


@app.command("run")
def of_run(
    called: typer.Context,
    id_: RunReference,
    as_json: AsJson = False,
) -> None:
    """Tell what happened to a run."""
    with opened(called) as testamur:
        recorded = testamur.history(id_)
    _tell(called, recorded, as_json)
    if as_json:
        return
    to_show = screen()
    if refused := list(refused_learners(recorded)):
        to_show.say(
            "", "Learners who meet the criteria and could not be awarded the credential:", ""
        )
        to_show.table(
            [Column("learner"), Column("reason", rigid=True), Column("what is in the way")],
            ((each.learner_id, each.reason, each.detail) for each in refused),
        )
    if left_out := list(learners_left_out(recorded)):
        to_show.say("", "Learners who were left out; the next run tries them again:", "")
        to_show.table(
            [Column("learner"), Column("why the data source cannot tell what they have achieved")],
            ((each.learner_id, each.reason) for each in left_out),
        )


@app.command("credential")
def of_credential(
    called: typer.Context, reference: CredentialReference, as_json: AsJson = False
) -> None:
    """Tell what happened to a credential."""
    with opened(called) as testamur:
        recorded = testamur.history(testamur.find_credential(reference))
    _tell(called, recorded, as_json)


def _tell(called: typer.Context, recorded: "Sequence[RecordedEvent]", as_json: bool) -> None:
    if as_json:
        write_json(recorded)
    else:
        zone = time_zone_of(called)
        screen().table(event_columns(zone), event_rows(recorded, zone))
