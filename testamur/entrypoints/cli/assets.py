"""Commands of assets: `testamur asset …`."""

from typing import TYPE_CHECKING, Any

import typer

from testamur.entrypoints.cli.invocation import opened, show_help_unless_asked
from testamur.entrypoints.cli.output import Column, many, screen, write_json
from testamur.entrypoints.cli.parameters import AsJson, AssetFile, AssetSlug, Reason

if TYPE_CHECKING:
    from testamur.domain.assets import CredentialAsset

app = typer.Typer(
    help="Assets: the templates, fonts and images of documents.",
    invoke_without_command=True,
    callback=show_help_unless_asked,
)


@app.command()
def add(called: typer.Context, slug: AssetSlug, file: AssetFile, as_json: AsJson = False) -> None:
    """Add a template, a font or an image.

    Templates are PDF, fonts TrueType or OpenType, images PNG or JPEG.
    """
    with opened(called) as testamur:
        added = testamur.add_asset(slug, file)
    _tell("Added", added, as_json)


@app.command()
def replace(
    called: typer.Context, slug: AssetSlug, file: AssetFile, as_json: AsJson = False
) -> None:
    """Give an asset other content.

    A removed asset comes back. Documents issued before stay as they are.
    """
    with opened(called) as testamur:
        replaced = testamur.replace_asset(slug, file)
    _tell("Replaced", replaced, as_json)


@app.command()
def remove(called: typer.Context, slug: AssetSlug, reason: Reason, as_json: AsJson = False) -> None:
    """Remove an asset from use.

    Its content stays, for the record.
    """
    with opened(called) as testamur:
        testamur.remove_asset(slug, reason)
        removed = testamur.asset(slug)
    _tell("Removed", removed, as_json)


@app.command()
def show(called: typer.Context, slug: AssetSlug, as_json: AsJson = False) -> None:
    """Show an asset."""
    with opened(called) as testamur:
        shown = testamur.asset(slug)
    if as_json:
        write_json(_document(shown))
        return
    content = shown.content
    screen().fields(
        [
            ("asset", shown.slug),
            ("file", content.filename),
            ("kind", content.media_type),
            ("size", many(content.size, "byte")),
            ("SHA-256", content.sha256),
            ("state", _state(shown)),
        ]
    )


@app.command("list")
def list_(called: typer.Context, as_json: AsJson = False) -> None:
    """List all assets, the removed ones too."""
    with opened(called) as testamur:
        if as_json:
            write_json([_document(each) for each in testamur.assets()])
            return
        to_show = screen()
        found = to_show.table(
            [
                Column("asset"),
                Column("kind"),
                Column("size", align="right", rigid=True),
                Column("file"),
                Column("state", rigid=True),
            ],
            (_row(each) for each in testamur.assets()),
        )
        if not found:
            to_show.say("There are no assets. Add one with `testamur asset add`.")


def _tell(done: str, asset: "CredentialAsset", as_json: bool) -> None:
    if as_json:
        write_json(_document(asset))
        return
    content = asset.content
    size = many(content.size, "byte")
    screen().say(f"{done} {asset.slug}: {content.filename} ({content.media_type}, {size}).")


def _row(listed: "CredentialAsset") -> list[str]:
    content = listed.content
    size = f"{content.size:,}"
    return [listed.slug, content.media_type, size, content.filename, _state(listed)]


def _state(shown: "CredentialAsset") -> str:
    return "removed" if shown.removed else "in use"


def _document(shown: "CredentialAsset") -> dict[str, Any]:
    return {"slug": shown.slug, "removed": shown.removed, **shown.content.model_dump(mode="json")}
