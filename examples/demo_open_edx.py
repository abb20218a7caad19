"""Issues certificates to the learners of an Open edX LMS, asked over HTTP: the whole way.

The LMS is a small server on this machine that answers as Open edX does, and misbehaves now and then
as networks do. Run it from the checkout: ``python -m examples.demo_open_edx``.
"""

import shutil
import sys
import time
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import JsonValue

from examples.demonstrating import HERE, add_assets, console, run, show_dry_run, show_outcomes
from examples.stand_in_lms.faults import Faults
from examples.stand_in_lms.population import generate
from examples.stand_in_lms.server import StandInLms
from testamur import (
    ConfigurationId,
    CredentialFilter,
    CredentialStatus,
    Settings,
    Testamur,
    TypeDefinition,
)
from testamur.entrypoints.cli.eligibility import show_standing
from testamur.entrypoints.cli.output import screen

OUTPUT = Path("build/demo-open-edx")
SEED = 9
LEARNERS = 400

#: What these courses take; the types' own criteria suit the sample data's courses.
CRITERIA: dict[str, dict[str, JsonValue]] = {
    "certificate-of-completion": {"required_completion": 0.6},
    "certificate-of-achievement": {"required_grades": {"Homework": 0.5, "Total": 0.5}},
    "pathway-diploma": {"required_completion": 0.5},
}

#: Now and then a request fails, the token expires after ten seconds, pages are cut short.
FAULTS = Faults(
    seed=SEED,
    rate_503=0.03,
    rate_cut=0.03,
    rate_dropped_connection=0.03,
    most_in_a_row=2,
    token_life_seconds=10,
    page_size_cap={"gradebook": 100, "completion": 100},
)


def main() -> None:
    """Run the demonstration from the beginning."""
    shutil.rmtree(OUTPUT, ignore_errors=True)
    begun = time.monotonic()
    with StandInLms(generate(SEED, LEARNERS), FAULTS) as lms:
        console.rule("1  An LMS that speaks as Open edX does")
        show_lms(lms)
        settings = Settings(
            data_folder=OUTPUT,
            source="open-edx",
            source_options={
                "url": lms.url,
                "client_id": lms.client_id,
                "client_secret": lms.client_secret,
            },
            public_url="https://credentials.university.example.org",
            mail_sender="certificates@university.example.org",
        )
        with Testamur.open(settings, actor="user:demo") as testamur:
            issue(testamur, lms, settings)
            console.rule(f"Done in {time.monotonic() - begun:.0f} s")
            show_where_to_look(testamur, settings)


def show_lms(lms: StandInLms) -> None:
    """Say where the LMS is, and what it teaches."""
    console.print(f"  {lms.url}, {LEARNERS} accounts; one request in eleven fails at first")
    for course in lms.population.courses.values():
        active = lms.population.rosters[course.key].active
        console.print(
            f"  {course.key:40} {active:4} enrolled  {' '.join(course.name.split())}",
            soft_wrap=True,
        )


def issue(testamur: Testamur, lms: StandInLms, settings: Settings) -> None:
    """Configure, look, issue, and do it again."""
    console.rule("2  Assets, credential types, and where they are put to use")
    add_assets(testamur)
    configurations = configure(testamur, lms)
    console.rule("3  Dry run: who would get one, who not, and why")
    for configuration in configurations:
        show_dry_run(testamur, configuration)
    console.rule("4  One learner: what is reached, and what is missing")
    pathway = next(iter(lms.population.pathways))
    learner_id = one_who_is_on_the_way(testamur, configurations[-1])
    show_standing(screen(), testamur.eligibility(pathway, learner_id), ZoneInfo(settings.time_zone))
    console.rule("5  Issue")
    before = sum(lms.requests.counts.values())
    outcomes = [run(testamur, each) for each in configurations]
    show_outcomes(testamur, configurations, outcomes)
    sent = sum(lms.requests.counts.values()) - before
    console.print(f"Requests to the LMS for all of it, those that failed included: {sent}")
    console.rule("6  Once more: nobody is issued anything twice")
    again = [run(testamur, each) for each in configurations]
    awarded = sum(outcome.counts.awarded for outcome in again)
    held = sum(outcome.counts.already_held for outcome in again)
    console.print(f"Awarded: {awarded}. Held already: {held:,}.")
    if awarded:
        sys.exit("a second run must award nothing")


def configure(testamur: Testamur, lms: StandInLms) -> list[ConfigurationId]:
    """Define the types of the other demonstration, and use them here with criteria to suit."""
    first, second, *_ = lms.population.courses.values()
    lesson = first.graded[0].block_key
    pathway = next(iter(lms.population.pathways))
    uses: tuple[tuple[str, str, dict[str, JsonValue]], ...] = (
        ("certificate-of-completion", first.key, {}),
        ("certificate-of-completion", lesson, {"criteria": {"required_completion": 1}}),
        (
            "certificate-of-achievement",
            second.key,
            {"context": {"certificate_name": "Bookbinding and Letterpress"}},
        ),
        ("pathway-diploma", pathway, {}),
    )
    for slug in CRITERIA:
        testamur.define_type(slug, TypeDefinition.model_validate(_definition(slug)))
    configurations = []
    for slug, context, options in uses:
        configurations.append(testamur.create_configuration(slug, context, options=options))
        console.print(f"  {slug:27} {context}", highlight=False, soft_wrap=True)
    return configurations


def one_who_is_on_the_way(testamur: Testamur, configuration: ConfigurationId) -> str:
    """Return somebody who has met some of the criteria, and not all."""
    for prospect in testamur.dry_run(configuration):
        if prospect.verdict and not prospect.verdict.eligible:
            met = [each.met for each in prospect.verdict.evidence.results]
            if met.count(False) == 1:
                return prospect.learner_id
    raise LookupError("nobody is on the way")


def show_where_to_look(testamur: Testamur, settings: Settings) -> None:
    """Say where the certificates and mails are."""
    issued = testamur.tally(CredentialFilter()).by_status[CredentialStatus.ISSUED]
    console.print(f"Certificates ({issued}):  {settings.files_folder.resolve()}/credentials")
    console.print(f"Mails:                {settings.messages_folder.resolve()}")
    console.print("Look further, for example:")
    console.print(f"  export TESTAMUR_DATA_FOLDER={OUTPUT}", highlight=False)
    console.print("  .venv-demo/bin/testamur credential list --limit 5")
    console.print("  .venv-demo/bin/testamur audit list --newest --limit 5")
    console.print("  .venv-demo/bin/testamur audit verify")


def _definition(slug: str) -> Mapping[str, Any]:
    definition = tomllib.loads((HERE / "types" / f"{slug}.toml").read_text(encoding="utf-8"))
    definition["options"]["criteria"] = CRITERIA[slug]
    return definition


if __name__ == "__main__":
    main()
