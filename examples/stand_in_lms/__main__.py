"""Runs a stand-in LMS in the foreground: ``python -m examples.stand_in_lms --learners 500``."""

import argparse
import dataclasses
import json
import signal
import threading
from typing import Any

from examples.stand_in_lms.faults import Faults
from examples.stand_in_lms.population import generate
from examples.stand_in_lms.server import StandInLms

#: Those that JSON can tell.
_NAMES = ", ".join(
    each.name
    for each in dataclasses.fields(Faults)
    if each.name not in {"outages", "shifting_pages"}
)


def _faults(text: str) -> dict[str, Any]:
    """Return the fields of a JSON object.

    Raises:
        ArgumentTypeError: It is none, or one of its names is unknown.
    """
    try:
        told = json.loads(text)
    except ValueError as failure:
        raise argparse.ArgumentTypeError(f"not JSON: {failure}") from None
    if not isinstance(told, dict):
        raise argparse.ArgumentTypeError(f"not a JSON object: {text}")
    if unknown := told.keys() - set(_NAMES.split(", ")):
        raise argparse.ArgumentTypeError(f"no fault {sorted(unknown)}; there is {_NAMES}")
    if "missing_from_gradebook" in told:
        told["missing_from_gradebook"] = frozenset(told["missing_from_gradebook"])
    return told


def main() -> None:
    """Listen until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m examples.stand_in_lms", description=__doc__)
    parser.add_argument("--learners", type=int, default=500)
    parser.add_argument("--port", type=int, default=0, help="0: any free port")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--faults", type=_faults, default={}, help=f"a JSON object with some of: {_NAMES}"
    )
    given = parser.parse_args()
    stopped = threading.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: stopped.set())
    population = generate(given.seed, given.learners)
    faults = Faults(**({"seed": given.seed} | given.faults))
    with StandInLms(population, faults, given.port) as lms:
        lines = [
            f"url: {lms.url}",
            f"client id: {lms.client_id}",
            f"client secret: {lms.client_secret}",
            *(f"course: {key}" for key in population.courses),
            *(f"pathway: {key}" for key in population.pathways),
        ]
        print("\n".join(lines), flush=True)
        stopped.wait()


main()
