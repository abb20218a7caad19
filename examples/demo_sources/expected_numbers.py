"""Works out from the sample tables alone, in fractions, how many learners earn each credential.

It shares no code with the product, so that each checks the other. The rules are those of the
documentation's page on eligibility.
"""

import csv
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

Points = dict[str, tuple[Fraction, Fraction]]
"""Points earned and possible, by category in lower case."""


class Tables:
    """The tables, read as plainly as can be.

    Args:
        folder: Where the CSV files are.
    """

    def __init__(self, folder: Path) -> None:
        self.enrolled = {
            (row["learner_id"], row["context_key"]): row["active"] == "true"
            for row in rows(folder / "enrolments.csv")
        }
        self.completion = {
            (row["learner_id"], row["context_key"]): Fraction(row["completion"])
            for row in rows(folder / "completions.csv")
        }
        self.weights: dict[str, dict[str, Fraction]] = defaultdict(dict)
        for row in rows(folder / "grading_policy.csv"):
            self.weights[row["course_key"]][row["category"].lower()] = Fraction(row["weight"])
        self.points: dict[tuple[str, str], Points] = defaultdict(dict)
        for row in rows(folder / "grades.csv"):
            if Fraction(row["possible"]) > 0:
                by_category = self.points[row["learner_id"], row["course_key"]]
                category = row["category"].lower()
                earned, possible = by_category.get(category, (Fraction(0), Fraction(0)))
                by_category[category] = (
                    earned + Fraction(row["earned"]),
                    possible + Fraction(row["possible"]),
                )
        self.steps: dict[str, list[str]] = defaultdict(list)
        for row in rows(folder / "pathway_steps.csv"):
            self.steps[row["pathway_key"]].append(row["course_key"])

    def learners(self, context: str) -> list[str]:
        """Return everybody who is or was enrolled in a context."""
        enrolled_in = enrolment_of(context)
        return [learner for learner, key in self.enrolled if key == enrolled_in]


def enrolment_of(context: str) -> str:
    """Return the key that enrolments have for a context: for a lesson, its course's."""
    scheme, _, rest = context.partition(":")
    return f"course-v1:{rest.split('+type@')[0]}" if scheme == "block-v1" else context


def rows(path: Path) -> Iterator[dict[str, str]]:
    """Yield a table's rows by column name."""
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def expected_numbers(
    data: Path, settings: Path, refusals: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return for each configuration how many learners there are, and how many are eligible.

    Args:
        data: Folder of the tables.
        settings: Folder of ``configurations.toml`` and ``types``.
        refusals: Learners for whom no document can be made, with the reason.
    """
    tables = Tables(data)
    found = []
    for configuration in read(settings / "configurations.toml")["configurations"]:
        type_ = read(settings / "types" / f"{configuration['type']}.toml")
        context = configuration["context"]
        options = type_["options"]["criteria"] | configuration.get("options", {}).get(
            "criteria", {}
        )
        learners = tables.learners(context)
        eligible = [one for one in learners if earned(tables, one, context, options)]
        found.append(
            {
                "type": configuration["type"],
                "context": context,
                "evaluated": len(learners),
                "eligible": len(eligible),
                "not_eligible": len(learners) - len(eligible),
                "refused": {one: refusals[one] for one in eligible if one in refusals},
            }
        )
    return found


def read(path: Path) -> dict[str, Any]:
    """Return what a TOML file says, with fractions for numbers that have a point."""
    return tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Fraction)


def earned(tables: Tables, learner: str, context: str, options: Mapping[str, Any]) -> bool:
    """Say whether a learner has earned a credential."""
    if context not in tables.steps:
        return achieved(tables, learner, context, options)
    steps = options.get("steps", {})
    return tables.enrolled[learner, context] and all(
        achieved(tables, learner, course, steps.get(course, options))
        for course in tables.steps[context]
    )


def achieved(tables: Tables, learner: str, context: str, options: Mapping[str, Any]) -> bool:
    """Say whether a learner is enrolled in a course or lesson and has reached what is required."""
    if not tables.enrolled.get((learner, enrolment_of(context)), False):
        return False
    required = options.get("required_completion", 0)
    if tables.completion.get((learner, context), Fraction(0)) < required:
        return False
    points = tables.points.get((learner, context), {})
    shares = {category: got / possible for category, (got, possible) in points.items()}
    weights = tables.weights[context]
    total = sum(share * weights.get(category, 0) for category, share in shares.items())
    return all(
        total >= share if name == "Total" else shares.get(name.lower(), Fraction(-1)) >= share
        for name, share in options.get("required_grades", {}).items()
    )
