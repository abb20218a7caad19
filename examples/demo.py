"""Issues some 1,400 certificates from a sample data set: the whole way, on this machine only.

It defines credential types, puts them to use, asks who would get one, issues, writes the mails
into an outbox folder, and runs again to show that nobody is issued anything twice.
"""

import shutil
import sys
import time
import tomllib
from collections import Counter
from importlib.resources import files
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from testamur import (
    ConfigurationId,
    CredentialFilter,
    CredentialStatus,
    Prospect,
    RunOutcome,
    Schedule,
    Settings,
    Testamur,
    TypeDefinition,
)
from testamur.entrypoints.cli.progress import watching

HERE = Path(__file__).parent / "demo"
OUTPUT = Path("build/demo")

console = Console()


def main() -> None:
    """Run the demonstration from the beginning."""
    shutil.rmtree(OUTPUT, ignore_errors=True)
    settings = Settings(
        data_folder=OUTPUT,
        source_folder=HERE / "data",
        public_url="https://credentials.university.example.org",
        mail_sender="certificates@university.example.org",
        mail_sender_name="Example University",
        time_zone="Europe/Berlin",
    )
    begun = time.monotonic()
    with Testamur.open(settings, actor="user:demo") as testamur:
        console.rule("1  Assets: templates and fonts")
        add_assets(testamur)
        console.rule("2  Credential types, put to use in courses, a lesson and a pathway")
        configurations = configure(testamur)
        console.rule("3  Dry run: who would get one, who not, and why")
        for configuration in configurations:
            show_dry_run(testamur, configuration)
        console.rule("4  Issue")
        outcomes = [run(testamur, each) for each in configurations]
        show_outcomes(testamur, configurations, outcomes)
        console.rule("5  Once more: nobody is issued anything twice")
        again = [run(testamur, each) for each in configurations]
        awarded = sum(outcome.counts.awarded for outcome in again)
        held = sum(outcome.counts.already_held for outcome in again)
        console.print(f"Awarded: {awarded}. Held already: {held:,}.")
        console.rule(f"Done in {time.monotonic() - begun:.0f} s")
        show_where_to_look(testamur, settings)
    if awarded:
        sys.exit("a second run must award nothing")


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


def configure(testamur: Testamur) -> list[ConfigurationId]:
    """Define the credential types and put them to use."""
    for file in sorted((HERE / "types").glob("*.toml")):
        testamur.define_type(file.stem, TypeDefinition.model_validate(_toml(file)))
    configurations = []
    for each in _toml(HERE / "configurations.toml")["configurations"]:
        configuration = testamur.create_configuration(
            each["type"],
            each["context"],
            options=each.get("options"),
            schedule=Schedule.model_validate(each.get("schedule", {})),
        )
        testamur.enable(configuration)
        console.print(f"  {each['type']:27} {each['context']}")
        configurations.append(configuration)
    return configurations


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


def show_where_to_look(testamur: Testamur, settings: Settings) -> None:
    """Say where the certificates and mails are, with a certificate in each script."""
    console.print("Certificates in several scripts:")
    shown: set[str | None] = set()
    for row in testamur.credentials(CredentialFilter(status=CredentialStatus.ISSUED)):
        person = testamur.credential(row.credential_id).awarded.person
        if person is not None and person.locale in _SCRIPTS and person.locale not in shown:
            shown.add(person.locale)
            location = Path(testamur.document_location(row.credential_id))
            console.print(f"  {_SCRIPTS[person.locale]:12} {location}", soft_wrap=True)
    console.print(f"All certificates:  {settings.files_folder.resolve()}/credentials")
    console.print(f"All mails:         {settings.messages_folder.resolve()}")
    console.print("Look further, for example:")
    console.print(f"  export TESTAMUR_DATA_FOLDER={OUTPUT}", highlight=False)
    console.print(f"  export TESTAMUR_SOURCE_FOLDER={HERE / 'data'}", highlight=False)
    console.print("  .venv-demo/bin/testamur credential list --limit 5")
    console.print("  .venv-demo/bin/testamur doctor")


_SCRIPTS = {
    "pl": "Latin",
    "uk": "Cyrillic",
    "el": "Greek",
    "ar": "Arabic",
    "he": "Hebrew",
    "hi": "Devanagari",
    "zh": "Chinese",
    "ja": "Japanese",
    "ko": "Korean",
    "th": "Thai",
    "vi": "Vietnamese",
}


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


def _toml(file: Path) -> dict[str, Any]:
    return tomllib.loads(file.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
