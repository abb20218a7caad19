"""What the demonstrations have in common: their assets, and how they show what a run did."""

import tomllib
from collections import Counter
from importlib.resources import files
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from testamur import ConfigurationId, CredentialStatus, Prospect, RunOutcome, Testamur
from testamur.entrypoints.cli.progress import watching

HERE = Path(__file__).parent / "demo"

console = Console()


def add_assets(testamur: Testamur) -> None:
    """Add the templates, and the fonts from the packages that bring them."""
    for template in sorted((HERE / "templates").glob("*.pdf")):
        testamur.add_asset(template.stem, template)
    for font in tomllib.loads((HERE / "fonts.toml").read_text())["fonts"]:
        content = files(font["package"]).joinpath(font["file"]).read_bytes()
        testamur.add_asset(font["slug"], content, Path(font["file"]).name)
    for asset in testamur.assets():
        held = asset.content
        console.print(f"  {asset.slug:22} {held.media_type:16} {held.size / 1024:8,.0f} KiB")


def show_dry_run(testamur: Testamur, configuration: ConfigurationId) -> None:
    """Show what a run would do, and one example of each reason why not."""
    outcomes: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for prospect in testamur.dry_run(configuration):
        outcomes[prospect.outcome] += 1
        for kind, reason in _reasons(prospect):
            examples.setdefault(kind, f"{prospect.learner_id}: {reason}")
    console.print(
        f"[bold]{_label(testamur, configuration)}[/]: {outcomes['award']} would get one, "
        f"{outcomes['not-eligible']} not, {outcomes['refused']} refused"
    )
    for reason in examples.values():
        console.print(f"    e.g. {reason}", highlight=False)


def run(testamur: Testamur, configuration: ConfigurationId) -> RunOutcome:
    """Award, issue and tell, with progress bars on a terminal."""
    console.print(_label(testamur, configuration), highlight=False)
    with watching() as progress:
        return testamur.run(configuration, progress=progress)


def show_outcomes(
    testamur: Testamur, configurations: list[ConfigurationId], outcomes: list[RunOutcome]
) -> None:
    """Show what the runs did, as a table."""
    columns = ("learners", "not eligible", "refused", "awarded", "issued", "told", "not told")
    table = Table(box=SIMPLE_HEAD)
    table.add_column("where", no_wrap=True)
    for column in columns:
        table.add_column(column, justify="right")
    for configuration, outcome in zip(configurations, outcomes, strict=True):
        counts, credentials = outcome.counts, outcome.credentials
        told = credentials.notifications.get("sent", 0)
        issued = credentials.by_status.get(CredentialStatus.ISSUED, 0)
        numbers = (counts.evaluated, counts.not_eligible, counts.refused, counts.awarded)
        row = (*numbers, issued, told, issued - told)
        table.add_row(_label(testamur, configuration), *(f"{number:,}" for number in row))
    console.print(table)


def _reasons(prospect: Prospect) -> list[tuple[str, str]]:
    if prospect.detail is not None:
        return [(prospect.detail, prospect.detail)]
    if prospect.verdict is None:
        return []
    unmet = [result for result in prospect.verdict.evidence.results if not result.met]
    return [
        (
            result.criterion,
            f"{result.category or result.criterion} {result.achieved or 0:.3f} of "
            f"{result.required} required"
            if result.required is not None
            else "not actively enrolled",
        )
        for result in unmet[:1]
    ]


def _label(testamur: Testamur, configuration: ConfigurationId) -> str:
    """Return the part of the context's key that tells it from the others."""
    course, _, lesson = testamur.configuration(configuration).context_key.partition("+block@")
    return lesson or course.split("+")[1]
