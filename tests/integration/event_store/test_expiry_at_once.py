"""Renewing and reminding from several threads at once, on every database: each only once."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

from testamur.adapters.no_source import NoRetrievalSource
from testamur.adapters.system import MemoryLocks, RandomIds
from testamur.application.aggregates import append, load
from testamur.application.awarding import Awarding
from testamur.application.errors import ConcurrencyConflict
from testamur.application.installation import Installation
from testamur.application.ports.register import CredentialFilter
from testamur.application.registration import is_living
from testamur.application.reminding import Reminding
from testamur.application.serials import Serials
from testamur.domain.credentials import (
    CredentialAwarded,
    CredentialStatus,
    decide_revoke,
    evolve,
)
from testamur.domain.errors import DecisionRefused
from tests.support.databases import Database
from tests.support.events import CONFIGURATION, NOON, an_award, an_issue, awarding, by, id_of, then
from tests.support.world import SettableClock

LEARNERS = [f"learner-{number}" for number in range(30)]
WRITERS = 4

FIRST, SECOND = NOON + timedelta(days=1), NOON + timedelta(days=3)
EXPIRY = NOON + timedelta(days=5)


def issue_all(database: Database) -> None:
    """Let all learners hold an issued credential that expires, and is to be reminded of."""
    for learner in LEARNERS:
        award = an_award(learner, expires_at=EXPIRY, reminders=(FIRST, SECOND))
        database.events.append(awarding(award), by())
        database.events.append(then(id_of(award), 1, an_issue()), by())


def awarding_on(database: Database) -> Awarding:
    return Awarding(
        database.events,
        database.register,
        NoRetrievalSource("none is needed"),
        RandomIds(),
        Installation(ZoneInfo("UTC")),
        Serials(database.register, MemoryLocks()),
    )


def next_of(learner: str, expires_at: datetime = EXPIRY + timedelta(days=90)) -> CredentialAwarded:
    return an_award(learner, edition=2, replaces=id_of(an_award(learner)), expires_at=expires_at)


def living(database: Database) -> list[str]:
    rows = database.register.credentials(CredentialFilter(), 999)
    return sorted(row.learner_id for row in rows if is_living(row.status))


def test_writers_that_renew_the_same_credentials_renew_each_once(database: Database) -> None:
    issue_all(database)

    def renew(writer: int) -> int:
        own_order = LEARNERS[writer * 7 :] + LEARNERS[: writer * 7]
        renewing, renewed = awarding_on(database), 0
        for start in range(0, len(own_order), 10):
            awards = [next_of(learner) for learner in own_order[start : start + 10]]
            by_id = {id_of(each): each for each in awards}
            renewed += renewing.award(by_id, by(correlation_id=uuid4()))
        return renewed

    with ThreadPoolExecutor(WRITERS) as pool:
        renewed = sum(pool.map(renew, range(WRITERS)))

    assert renewed == len(LEARNERS)
    assert living(database) == sorted(LEARNERS)
    tally = database.register.tally(CredentialFilter())
    assert tally.by_status == {
        CredentialStatus.SUPERSEDED: len(LEARNERS),
        CredentialStatus.AWARDED: len(LEARNERS),
    }


def test_who_is_revoked_while_others_are_renewed_holds_nothing_or_the_new_edition(
    database: Database,
) -> None:
    issue_all(database)

    def revoke(learner: str) -> bool:
        id_ = id_of(an_award(learner))
        while True:
            known = load(database.events, id_, evolve)
            try:
                append(database.events, known, decide_revoke(known.state, "mistake"), by())
            except ConcurrencyConflict:
                continue
            except DecisionRefused:
                return False
            return True

    def renew(learner: str) -> int:
        award = next_of(learner)
        return awarding_on(database).award({id_of(award): award}, by())

    with ThreadPoolExecutor(WRITERS) as pool:
        revocations = [pool.submit(revoke, learner) for learner in LEARNERS]
        renewals = [pool.submit(renew, learner) for learner in LEARNERS]
        revoked = [each.result() for each in revocations]
        renewed = [each.result() for each in renewals]

    # One of the two, and never both.
    assert [int(not each) for each in revoked] == renewed
    expected = [learner for learner, each in zip(LEARNERS, renewed, strict=True) if each]
    assert living(database) == sorted(expected)


def test_ticks_that_meet_remind_each_learner_once(database: Database) -> None:
    issue_all(database)
    clock = SettableClock(FIRST)

    def remind(_: int) -> int:
        with suppress(ConcurrencyConflict):
            return Reminding(database.events, database.register, clock).remind()
        return 0

    with ThreadPoolExecutor(WRITERS) as pool:
        reminded = sum(pool.map(remind, range(WRITERS)))

    assert reminded == len(LEARNERS)
    for learner in LEARNERS:
        state = load(database.events, id_of(an_award(learner)), evolve).state
        assert state is not None
        assert (len(state.messages), state.remind_at) == (1, SECOND)
    assert database.register.awaiting_reminder(FIRST, 99) == []
    assert len(database.register.awaiting_reminder(SECOND, 99)) == len(LEARNERS)


def test_the_reminder_that_is_due_longest_comes_first(database: Database) -> None:
    moments = {"a": SECOND, "b": FIRST, "c": EXPIRY}
    for learner, moment in moments.items():
        award = an_award(learner, expires_at=EXPIRY, reminders=(moment,))
        database.events.append(awarding(award), by())
        database.events.append(then(id_of(award), 1, an_issue()), by())

    found = database.register.awaiting_reminder(SECOND, 9)
    assert [row.learner_id for row in found] == ["b", "a"]
    assert [row.learner_id for row in database.register.awaiting_reminder(SECOND, 1)] == ["b"]


def test_only_who_is_asked_about_and_expires_in_time_may_renew(database: Database) -> None:
    issue_all(database)
    some = [row.learner_id for row in database.register.credentials(CredentialFilter(), 2)]

    assert database.register.renewable(CONFIGURATION, some, EXPIRY - timedelta(seconds=1)) == {}
    assert database.register.renewable(CONFIGURATION, [], EXPIRY) == {}
    assert database.register.renewable(CONFIGURATION, some, EXPIRY) == {
        learner: id_of(an_award(learner)) for learner in some
    }
