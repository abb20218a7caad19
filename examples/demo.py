"""Issues some 1,400 certificates from a sample data set: the whole way, on this machine only.

It defines credential types, puts them to use, asks who would get one, issues, writes the mails
into an outbox folder, and runs again to show that nobody is issued anything twice.
"""

import shutil
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

from examples.demonstrating import HERE, add_assets, console, run, show_dry_run, show_outcomes
from testamur import (
    ConfigurationId,
    CredentialFilter,
    CredentialStatus,
    Schedule,
    Settings,
    Testamur,
    TypeDefinition,
)

OUTPUT = Path("build/demo")


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
    console.print("  .venv-demo/bin/testamur audit list --newest --limit 5")
    console.print("  .venv-demo/bin/testamur audit verify")
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


def _toml(file: Path) -> dict[str, Any]:
    return tomllib.loads(file.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
