"""What tests of the stand-in LMS ask it, and how they read what it answers."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import httpx

from tests.support.open_edx import (
    Population,
    a_learner,
    a_population,
    enrol,
)

FIRST = "course-v1:Example+T01+2026"
GRADEBOOK = f"/api/grades/v1/gradebook/{FIRST}/"
COMPLETION = f"/completion-aggregator/v1/course/{FIRST}/"
ENROLLMENTS = f"/api/enrollment/v1/enrollments?course_id={quote(FIRST)}"


def following(client: httpx.Client, url: str) -> Iterator[dict[str, Any]]:
    """Follow the links from page to page."""
    link: str | None = url
    while link:
        page = client.get(link).json()
        yield page
        link = page["pagination"]["next"] if "pagination" in page else page["next"]


def one_course() -> Population:
    """Three learners: one did something, one nothing, one has left."""
    population = a_population()
    enrol(population, a_learner(9, "Kate"), ["5.5", None, "20"], [10, 3, 0])
    enrol(population, a_learner(7, "Ned"), aggregated=False)
    enrol(population, a_learner(8, "Ida"), ["10", "10", "20"], [10, 10, 10], active=False)
    return population


def exactly(subsections: Any, share: str) -> bool:
    return all(earned == possible * Decimal(share) for earned, possible, _ in subsections.values())


def rows_by_id(client: httpx.Client, url: str) -> dict[int, dict[str, Any]]:
    rows: dict[int, dict[str, Any]] = {}
    link: str | None = url
    while link:
        page = json.loads(client.get(link).text, parse_float=Decimal)
        rows |= {each["user_id"]: each for each in page["results"]}
        link = page["next"]
    return rows


def completion_by_name(
    client: httpx.Client, key: str
) -> dict[str, tuple[dict[str, Decimal], Decimal]]:
    url = f"/completion-aggregator/v1/course/{key}/?page_size=50&requested_fields=sequential"
    return {
        each["username"]: (
            {block["block_key"]: block["completion"]["percent"] for block in each["sequential"]},
            each["completion"]["percent"],
        )
        for page in following(client, url)
        for each in page["results"]
    }
