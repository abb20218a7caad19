"""Several who decide on one run at once, on every database: one decision is made, and made once."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import uuid4

from testamur.adapters.system import SystemClock
from testamur.application.aggregates import load
from testamur.application.approving import Approvals
from testamur.application.proposing import Proposals
from testamur.application.requests import Request
from testamur.domain import runs
from testamur.domain.errors import DecisionRefused
from testamur.domain.identifiers import Actor, RunId
from testamur.domain.run_results import RunCounts
from testamur.domain.runs import RunApproved, RunNeedsApproval, RunRejected
from tests.support.databases import Database
from tests.support.events import a_run, by, then

ROUNDS = 5
PEOPLE = 6


def a_run_that_waits(database: Database, slot: str) -> RunId:
    run_id = RunId(uuid4())
    asked = RunNeedsApproval(
        reason="max-new", limit=1, proposed=2, pages=1, sha256="0" * 64, counts=RunCounts()
    )
    database.events.append(then(run_id, 0, a_run(slot), asked), by())
    return run_id


def test_of_those_who_approve_and_reject_at_once_one_side_wins_and_is_recorded_once(
    database: Database,
) -> None:
    approvals = Approvals(database.events, Proposals(database.events), SystemClock())
    for number in range(ROUNDS):
        run_id = a_run_that_waits(database, f"manual:{number}")
        begin = Barrier(PEOPLE)

        def decide(
            person: int, run_id: RunId = run_id, begin: Barrier = begin
        ) -> tuple[bool, bool]:
            approves = person % 2 == 0
            request = Request(Actor(f"user:person-{person}"), uuid4())
            begin.wait(timeout=30)
            try:
                (approvals.approve if approves else approvals.reject)(run_id, "seen", request)
            except DecisionRefused:
                return approves, False
            return approves, True

        with ThreadPoolExecutor(PEOPLE) as pool:
            told = Counter(pool.map(decide, range(PEOPLE)))

        recorded = [each.event for each in database.events.load(run_id)]
        decisions = [each for each in recorded if isinstance(each, RunApproved | RunRejected)]
        assert len(decisions) == 1
        approved = isinstance(decisions[0], RunApproved)
        # All on the side that won were told that it is so, and all on the other that it is not.
        assert told == {(approved, True): PEOPLE // 2, (not approved, False): PEOPLE // 2}
        state = load(database.events, run_id, runs.evolve).state
        assert state is not None
        (row,) = [row for row in database.register.runs() if row.run_id == run_id]
        assert row.approval == state.approval == ("approved" if approved else "rejected")
