"""Several who reissue, revoke, issue and erase at once, on every database: never two that hold."""

import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest

from testamur.application.choosing import Choice
from testamur.application.considering import Wish
from testamur.application.errors import AlreadyRunning, ConcurrencyConflict
from testamur.application.issuing import storage_stem
from testamur.application.ports.register import CredentialFilter
from testamur.application.progress import Unwatched
from testamur.domain.credentials import CredentialStatus
from testamur.domain.errors import DecisionRefused, InvalidInput
from testamur.domain.identifiers import ConfigurationId, CredentialId, LearnerId, credential_id
from tests.support.databases import Database
from tests.support.world import World

LEARNERS = 12
LIVING = (CredentialStatus.AWARDED, CredentialStatus.ISSUED)


def a_world(database: Database) -> tuple[World, ConfigurationId]:
    """Return a world in which all were awarded the credential, and half were issued it."""
    world = World(database=database)
    for number in range(LEARNERS // 2):
        world.enrol(f"learner-{number}")
    configuration = world.configure()
    world.run(configuration)
    for number in range(LEARNERS // 2, LEARNERS):
        world.enrol(f"learner-{number}")
    world.runs.carry_out(world.runs.start(configuration, world.request()), Unwatched())
    world.clock.advance(timedelta(days=1))
    return world, configuration


def latest(world: World, configuration: ConfigurationId, learner: str) -> CredentialId:
    where = CredentialFilter(configuration_id=configuration, learner_id=LearnerId(learner))
    rows = world.register.credentials(where, 100)
    return max(rows, key=lambda row: row.edition).credential_id


def test_whoever_is_first_there_is_one_edition_that_holds_and_no_other_public_document(
    database: Database,
) -> None:
    world, configuration = a_world(database)
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")  # noqa: T201 - pytest shows it when the test fails
    people = [f"learner-{number}" for number in range(LEARNERS)]

    def reissue_some(chance: random.Random) -> None:
        # With locks of its own, as if those that all share did not work.
        reissuing = replace(world.reissuing, locks=World().locks)
        for learner in chance.sample(people, LEARNERS):
            reissuing.reissue(
                latest(world, configuration, learner),
                "a wedding",
                world.request(),
                full_name=f"Married {learner} {chance.randrange(1000)}",
            )

    def reissue_all(_: random.Random) -> None:
        many = replace(world.reissuing_many, locks=World().locks)
        choice = Choice(CredentialFilter(configuration_id=configuration))
        wish = Wish(issued_before=world.clock.now())
        with suppress(InvalidInput):  # it is another number by now
            expect = many.reissuable(choice, wish).count
            many.reissue_many(choice, wish, "a typo", world.request(), expect=expect)

    def revoke_some(chance: random.Random) -> None:
        for learner in chance.sample(people, 3):
            with suppress(DecisionRefused):
                id_ = latest(world, configuration, learner)
                world.revoking.revoke(id_, "a slip", world.request())

    def issue(_: random.Random) -> None:
        replace(world.issuing, locks=World().locks).issue_awaiting(Unwatched())

    work: list[Callable[[random.Random], None]] = [
        reissue_some,
        reissue_some,
        reissue_all,
        revoke_some,
        issue,
    ]
    begin = Barrier(len(work))

    def at_once(number: int) -> None:
        chance = random.Random(seed + number)
        begin.wait(timeout=60)
        for _ in range(2):
            with suppress(DecisionRefused, ConcurrencyConflict, AlreadyRunning):
                work[number](chance)

    with ThreadPoolExecutor(len(work)) as pool:
        list(pool.map(at_once, range(len(work))))
    world.issuing.issue_awaiting(Unwatched())
    while world.withdrawing.pending():
        world.withdrawing.finish()

    rows = list(world.credentials.all(CredentialFilter()))
    for learner in people:
        mine = sorted((row for row in rows if row.learner_id == learner), key=lambda r: r.edition)
        assert [row.edition for row in mine] == list(range(1, len(mine) + 1))
        # All but the last are superseded, each by the next; the last holds or was revoked.
        *before, last = mine
        for older, newer in zip(before, mine[1:], strict=True):
            assert older.status is CredentialStatus.SUPERSEDED
            state = world.credentials.get(older.credential_id)
            assert state.superseded_by == newer.credential_id
            assert world.credentials.get(newer.credential_id).awarded.replaces == (
                older.credential_id
            )
        assert last.status in (CredentialStatus.ISSUED, CredentialStatus.REVOKED)
        public = {
            key
            for row in mine
            for key in world.storage._files
            if key.startswith(storage_stem(row.credential_id))
        }
        artifacts = world.credentials.get(last.credential_id).artifacts
        holds = last.status is CredentialStatus.ISSUED
        assert public == ({each.storage_key for each in artifacts} if holds else set())
    assert Counter(row.status in LIVING for row in rows)[True] <= LEARNERS


def test_of_many_who_reissue_one_credential_at_once_one_is_told_that_it_did(
    database: Database,
) -> None:
    world, configuration = a_world(database)
    first = credential_id(configuration, LearnerId("learner-0"))
    people = 6
    begin = Barrier(people)

    def reissue(number: int) -> CredentialId | None:
        reissuing = replace(world.reissuing, locks=World().locks)
        begin.wait(timeout=60)
        try:
            done = reissuing.reissue(
                first, "a wedding", world.request(), full_name=f"Married {number}"
            )
        except DecisionRefused:
            return None
        return done.credential_id

    with ThreadPoolExecutor(people) as pool:
        told = [each for each in pool.map(reissue, range(people)) if each is not None]

    assert told == [credential_id(configuration, LearnerId("learner-0"), 2)]
    stem = storage_stem(told[0])
    (key,) = [key for key in world.storage._files if key.startswith(stem)]
    (artifact,) = world.credentials.get(told[0]).artifacts
    assert artifact.storage_key == key


@pytest.mark.parametrize("batch", [1, LEARNERS])
def test_many_are_reissued_in_one_transaction_on_every_database(
    database: Database, batch: int
) -> None:
    world, configuration = a_world(database)
    world.configurations.change_options(
        configuration, {"rendering": {"heading": "Diploma"}}, world.request()
    )
    learners = tuple(LearnerId(f"learner-{number}") for number in range(batch))
    choice = Choice(CredentialFilter(configuration_id=configuration), learners)
    expect = world.reissuing_many.reissuable(choice, Wish()).count
    done = world.reissuing_many.reissue_many(
        choice, Wish(), "a typo", world.request(), expect=expect
    )
    assert done.reissued == expect == min(batch, LEARNERS // 2)
    assert world.tally().by_status[CredentialStatus.SUPERSEDED] == expect
    assert world.reissuing_many.reissuable(choice, Wish()).count == 0
