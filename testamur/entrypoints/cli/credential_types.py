"""Commands of credential types: `testamur type …`."""

from typing import TYPE_CHECKING, Any

import typer

from testamur.domain.identifiers import parse_slug
from testamur.entrypoints.cli.definitions import naming, read_type_definition
from testamur.entrypoints.cli.invocation import opened, show_help_unless_asked
from testamur.entrypoints.cli.option_table import OPTION_COLUMNS, option_rows
from testamur.entrypoints.cli.output import Column, screen, write_json
from testamur.entrypoints.cli.parameters import AsJson, DefinitionFile, Reason, TypeSlug

if TYPE_CHECKING:
    from testamur.domain.credential_types import CredentialType

app = typer.Typer(
    help="Credential types: what is issued, and for which criteria.",
    invoke_without_command=True,
    callback=show_help_unless_asked,
)


@app.command()
def define(
    called: typer.Context, slug: TypeSlug, file: DefinitionFile, as_json: AsJson = False
) -> None:
    """Define a credential type as a file says.

    Its options are tried before anything is written: the template, fonts and images that they
    name must be there and fit.
    """
    parse_slug(slug, "TYPE")
    definition = read_type_definition(file)
    with opened(called) as testamur, naming(file):
        defined = testamur.define_type(slug, definition)
    if as_json:
        write_json(_document(defined))
    else:
        screen().say(f"Defined {slug}: {defined.definition.name}.")


@app.command()
def revise(
    called: typer.Context, slug: TypeSlug, file: DefinitionFile, as_json: AsJson = False
) -> None:
    """Change a credential type to what a file says.

    Credentials issued before stay as they are.
    """
    parse_slug(slug, "TYPE")
    definition = read_type_definition(file)
    with opened(called) as testamur, naming(file):
        before = testamur.type(slug).revision
        revised = testamur.revise_type(slug, definition)
    if as_json:
        write_json(_document(revised))
    elif revised.revision == before:
        screen().say(f"{slug} says this already; it stays at revision {before}.")
    else:
        screen().say(f"Revised {slug}: it is at revision {revised.revision} now.")


@app.command()
def retire(called: typer.Context, slug: TypeSlug, reason: Reason, as_json: AsJson = False) -> None:
    """Retire a credential type.

    It starts no run any more. What was issued stays.
    """
    with opened(called) as testamur:
        testamur.retire_type(slug, reason)
        retired = testamur.type(slug)
    if as_json:
        write_json(_document(retired))
    else:
        screen().say(f"Retired {slug}.")


@app.command()
def show(called: typer.Context, slug: TypeSlug, as_json: AsJson = False) -> None:
    """Show a credential type."""
    with opened(called) as testamur:
        shown = testamur.type(slug)
    if as_json:
        write_json(_document(shown))
        return
    definition = shown.definition
    issuer = definition.issuer
    to_show = screen()
    to_show.fields(
        [
            ("type", shown.slug),
            ("name", definition.name),
            ("issuer", f"{issuer.name} ({issuer.url})" if issuer.url else issuer.name),
            ("criteria", definition.criteria),
            ("renderer", definition.renderer),
            ("revision", str(shown.revision)),
            ("state", _state(shown)),
        ]
    )
    if definition.options:
        to_show.say("")
        to_show.table(OPTION_COLUMNS, option_rows(definition.options))


@app.command("list")
def list_(called: typer.Context, as_json: AsJson = False) -> None:
    """List all credential types, the retired ones too."""
    with opened(called) as testamur:
        if as_json:
            write_json([_document(each) for each in testamur.types()])
            return
        to_show = screen()
        found = to_show.table(
            [
                Column("type"),
                Column("name"),
                Column("criteria"),
                Column("renderer"),
                Column("revision", align="right", rigid=True),
                Column("state", rigid=True),
            ],
            (_row(each) for each in testamur.types()),
        )
        if not found:
            to_show.say("There are no credential types. Define one with `testamur type define`.")


def _row(listed: "CredentialType") -> list[str]:
    definition = listed.definition
    return [
        listed.slug,
        definition.name,
        definition.criteria,
        definition.renderer,
        str(listed.revision),
        _state(listed),
    ]


def _state(shown: "CredentialType") -> str:
    return "retired" if shown.retired else "in use"


def _document(shown: "CredentialType") -> dict[str, Any]:
    return {
        "slug": shown.slug,
        "revision": shown.revision,
        "retired": shown.retired,
        **shown.definition.model_dump(mode="json"),
    }
