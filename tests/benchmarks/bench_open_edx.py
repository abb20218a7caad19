"""Reading a pathway of three courses with 100,000 learners each from an LMS, over HTTP."""

import json
import math
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import httpx
from pydantic import SecretStr

from examples.stand_in_lms.population import Population, generate
from examples.stand_in_lms.process import RunningProcess, started_as_process
from testamur.adapters.open_edx.fetching import GRADES_LENGTHEN
from testamur.adapters.open_edx.options import OpenEdxOptions
from testamur.adapters.open_edx.source import OpenEdxSource
from testamur.application.ports.retrieval import EVERYTHING
from testamur.domain.contexts import parse_context_key
from tests.benchmarks.measuring import peak_memory_mib, report, stopwatch

SIZES = (10_000, 100_000)
PAGE_SIZE = 1_000
GRADEBOOK_PAGE_SIZE = PAGE_SIZE // GRADES_LENGTHEN
SEED = 1


def main() -> None:
    """Measure and report; the LMS and whoever asks it are processes of their own."""
    peaks = []
    for size in SIZES:
        population = generate(SEED, size)
        pathway = next(iter(population.pathways.values()))
        with started_as_process(size, SEED) as lms:
            floor = _child("floor", lms, *pathway.steps)
            before = lms.requests()
            found = _child("source", lms, pathway.key)
            asked = lms.requests() - before
        if found["learners"] != population.pathway_rosters[pathway.key].active:
            raise AssertionError(f"learners are missing: {found}")
        peaks.append(found["peak_mib"])
        least = _least_requests(population, pathway.steps)
        report(
            f"read 3 courses × {size:,} learners, and join them",
            f"{found['seconds']:.1f} s",
            ratio=f"{found['seconds'] / floor['seconds']:.2f} times the floor",
        )
        report("floor: fetch the same pages and parse their JSON", f"{floor['seconds']:.1f} s")
        report(
            "requests",
            f"{sum(asked.values()):,}",
            ratio=f"{sum(asked.values()) / least:.2f} of the least possible, {least:,}",
        )
        report(
            "share of the time that the reader works, not waits",
            f"{found['cpu_seconds'] / found['seconds']:.0%}",
            ratio=f"the floor's reader {floor['cpu_seconds'] / floor['seconds']:.0%}",
        )
        report("peak memory of the reader", f"{found['peak_mib']:,.0f} MiB")
    report(
        f"growth of peak memory from {SIZES[0]:,} to {SIZES[-1]:,} learners",
        f"{peaks[-1] - peaks[0]:,.0f} MiB",
        ratio=f"{peaks[-1] / peaks[0]:.2f} times",
    )


def read_pathway(options: OpenEdxOptions, pathway_key: str) -> dict[str, float]:
    """Read everything that criteria could look at, and return what it took."""
    context = parse_context_key(pathway_key)
    with OpenEdxSource(options) as source, stopwatch() as watch:
        source.facts(context, EVERYTHING)
        learners = sum(len(page) for page in source.records(context, EVERYTHING))
    return {
        "learners": learners,
        "seconds": watch.seconds,
        "cpu_seconds": watch.cpu_seconds,
        "peak_mib": peak_memory_mib(),
    }


def fetch_pages(options: OpenEdxOptions, course_keys: list[str]) -> dict[str, float]:
    """Fetch the pages of the gradebooks and completion lists, all lists at once; parse, forget."""
    form = {
        "grant_type": "client_credentials",
        "client_id": options.client_id,
        "client_secret": options.client_secret.get_secret_value(),
        "token_type": "jwt",
    }
    lists = [
        path
        for key in course_keys
        for path in (
            f"/api/grades/v1/gradebook/{key}/?page_size={GRADEBOOK_PAGE_SIZE}",
            f"/completion-aggregator/v1/course/{key}/?page_size={PAGE_SIZE}",
        )
    ]
    with httpx.Client(base_url=options.url, timeout=60) as client:
        token = client.post("/oauth2/access_token", data=form).json()["access_token"]
        client.headers["Authorization"] = f"JWT {token}"

        def fetch(path: str) -> None:
            following: str | None = path
            while following:
                answer = json.loads(client.get(following).content)
                following = answer.get("pagination", answer)["next"]

        with stopwatch() as watch, ThreadPoolExecutor(options.concurrency) as threads:
            list(threads.map(fetch, lists))
    return {"seconds": watch.seconds, "cpu_seconds": watch.cpu_seconds}


def _child(what: str, lms: RunningProcess, *keys: str) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.benchmarks.bench_open_edx", what, lms.url]
    command += [lms.client_id, lms.client_secret, *keys]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    found: dict[str, float] = json.loads(answer)
    return found


def _least_requests(population: Population, course_keys: tuple[str, ...]) -> int:
    """Count the requests that the interfaces leave no way around, with pages of these sizes."""
    active = [population.rosters[key].active for key in course_keys]
    pages = sum(
        math.ceil(each / size) for each in active for size in (GRADEBOOK_PAGE_SIZE, PAGE_SIZE)
    )
    facts, policies = len(course_keys), len(course_keys)
    token = steps = enrolments = 1
    return token + steps + enrolments + facts + policies + pages


if __name__ == "__main__":
    wanted, url, client_id, client_secret, *keys = sys.argv[1:]
    chosen = OpenEdxOptions(
        url=url,
        client_id=client_id,
        client_secret=SecretStr(client_secret),
        page_size=PAGE_SIZE,
        requests_per_minute=100_000,
    )
    measured = fetch_pages(chosen, keys) if wanted == "floor" else read_pathway(chosen, keys[0])
    print(json.dumps(measured))
