"""Command that shows what certificates will look like: `testamur preview`."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from testamur.application.samples import LEAST_DPI, MOST_DPI
from testamur.entrypoints.cli.definitions import changed_options
from testamur.entrypoints.cli.errors import FAILED, WrongUsage
from testamur.entrypoints.cli.invocation import opened
from testamur.entrypoints.cli.output import Column, screen, styled, warn, write_json
from testamur.entrypoints.cli.parameters import AsJson, TypeSlug
from testamur.entrypoints.cli.preview_files import PreviewFolder

if TYPE_CHECKING:
    from testamur.application.previewing import Preview
    from testamur.application.samples import Sample
    from testamur.domain.identifiers import ConfigurationId
    from testamur.entrypoints.cli.output import Cell

DEFAULT_FOLDER: Final = Path("preview")
DEFAULT_DPI: Final = 100

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9]+")


def preview(  # noqa: PLR0913, PLR0917 - options of a command are its parameters
    called: typer.Context,
    type_slug: TypeSlug,
    context_key: Annotated[
        str | None,
        typer.Argument(
            metavar="[CONTEXT]",
            help="Key of the course, lesson or pathway that it is configured for. Without it, the "
            "type by itself.",
            show_default=False,
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Only a learner of this name. By default invented ones, in many scripts.",
            show_default=False,
        ),
    ] = None,
    language: Annotated[
        str | None,
        typer.Option(
            metavar="TAG",
            help="Language of the learner, such as pl or pt-BR; dates are written in it. Without "
            "--name, only the samples in it.",
            show_default=False,
        ),
    ] = None,
    context_name: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Name of the course, lesson or pathway. By default the one it has; the data "
            "source is asked for it.",
            show_default=False,
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="PATH=VALUE",
            help="Try an option that is not saved, such as rendering.elements.name.y=101mm. May "
            "be given several times.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Where to write the files.")
    ] = DEFAULT_FOLDER,
    png: Annotated[
        bool, typer.Option("--png", help="Write pictures of the pages, not the documents.")
    ] = False,
    dpi: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help=f"Pixels to the inch of the pictures. By default {DEFAULT_DPI}.",
            min=LEAST_DPI,
            max=MOST_DPI,
            show_default=False,
        ),
    ] = None,
    guides: Annotated[
        bool,
        typer.Option("--guides", help="Draw the place of each element, and rulers, over the page."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what certificates will look like.

    Makes certificates of invented learners, in many scripts and marked as samples, and shows what
    does not fit. Nothing is issued, and nothing is recorded.
    """
    if dpi is not None and not png:
        raise WrongUsage("--dpi is of pictures: give --png too", called)
    folder = PreviewFolder(output)
    with opened(called) as testamur:
        subject: ConfigurationId | str = type_slug
        own: Mapping[str, Any] = {}
        if context_key is not None:
            subject = testamur.find_configuration(type_slug, context_key)
            own = testamur.configuration(subject).options
        previews = testamur.preview(
            subject,
            name=name,
            language=language,
            context_name=context_name,
            options=changed_options(own, set_, ()) if set_ else None,
            guides=guides,
            dpi=(dpi or DEFAULT_DPI) if png else None,
        )
        made = [
            (each, folder.put(_stem(type_slug, each.sample), _contents(each, png)))
            for each in previews
        ]
    if as_json:
        write_json({"folder": output, "previews": [_document(*each) for each in made]})
    else:
        where = f" for {context_key}" if context_key else ""
        _show(made, f"{type_slug}{where}", output / f"{type_slug}-*")
    if not any(files for _, files in made):
        warn("error: no certificate could be made")
        raise typer.Exit(FAILED)


def _stem(type_slug: str, sample: "Sample") -> str:
    return f"{type_slug}-{_UNSAFE.sub('-', sample.slug).strip('-')}"


def _contents(preview: "Preview", png: bool) -> dict[str, bytes]:
    if preview.file is None:
        return {}
    if not png:
        return {preview.file.suffix: preview.file.content}
    if len(preview.pictures) == 1:
        return {".png": preview.pictures[0]}
    return {f".{page}.png": content for page, content in enumerate(preview.pictures, start=1)}


def _document(preview: "Preview", files: Sequence[Path]) -> dict[str, Any]:
    sample = preview.sample
    return {
        "sample": sample.slug,
        "name": sample.name,
        "language": sample.language,
        "result": "refused" if preview.refused else "shrunk" if preview.shrunk else "fine",
        "refused": preview.refused,
        "shrunk": preview.shrunk,
        "warnings": preview.warnings,
        "files": files,
    }


# What is shown


def _show(made: "Sequence[tuple[Preview, Sequence[Path]]]", subject: str, pattern: Path) -> None:
    to_show = screen()
    to_show.say(f"Previewed {subject}; nothing was issued.", "")
    to_show.table(
        [
            Column("sample", rigid=True),
            Column("name"),
            Column("shows", rigid=True),
            Column("result"),
        ],
        [
            (each.sample.slug, each.sample.name, each.sample.shows, _result(each))
            for each, _ in made
        ],
    )
    notes = dict[str, list[str]]()
    for each, _ in made:
        for note in (*each.warnings, *([each.refused] if each.refused else [])):
            notes.setdefault(note.detail, []).append(each.sample.slug)
    if notes:
        to_show.say("", styled("To look at:", "bold"), "")
        to_show.table(
            [Column("samples"), Column("what")],
            [
                ("all" if len(samples) == len(made) > 1 else ", ".join(samples), detail)
                for detail, samples in notes.items()
            ],
        )
    if files := [file for _, of_sample in made for file in of_sample]:
        to_show.say("", "Where it is:" if len(files) == 1 else f"Where the {len(files)} files are:")
        to_show.verbatim(f"  {files[0] if len(files) == 1 else f'{pattern}{files[0].suffix}'}")


def _result(preview: "Preview") -> "Cell":
    if preview.refused is not None:
        return styled(f"refused: {preview.refused.reason}", "red")
    if not preview.shrunk:
        return styled("fine", "green")
    shrunk = ", ".join(f"{each.element} to {each.size:g} pt" for each in preview.shrunk)
    return styled(f"shrunk: {shrunk}", "yellow")
