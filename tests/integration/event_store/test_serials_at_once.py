"""Serial numbers from several threads at once, on every database: no gap, and none twice."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import date
from uuid import uuid4
from zoneinfo import ZoneInfo

from testamur.adapters.no_source import NoRetrievalSource
from testamur.adapters.system import MemoryLocks, RandomIds
from testamur.application.awarding import Awarding
from testamur.application.errors import AlreadyRunning
from testamur.application.installation import Installation
from testamur.application.ports.register import CredentialFilter, CredentialRow
from testamur.application.ports.system import WorkLocks
from testamur.application.serials import Serials
from testamur.application.transparency.findings import Findings
from testamur.application.transparency.register_check import RegisterCheck
from testamur.domain.credentials import CredentialAwarded
from testamur.domain.identifiers import CredentialId
from testamur.domain.serials import SerialRule, SerialsAssigned
from tests.support.databases import Database
from tests.support.events import CONFIGURATION, OTHER_CONFIGURATION, an_award, by, id_of

WRITERS = 8
PAGES = 5
PAGE = 4

RULE = SerialRule(per="issuer", format="UNI-{number:05}")


class NoTurns:
    """Locks that nobody gets: every writer goes on without, and meets the others."""

    def hold(self, work: str, wait_seconds: float = 0) -> AbstractContextManager[None]:
        raise AlreadyRunning(work)


def awarding_on(database: Database, locks: WorkLocks | None = None) -> Awarding:
    return Awarding(
        database.events,
        database.register,
        NoRetrievalSource("none is needed"),
        RandomIds(),
        Installation(ZoneInfo("UTC")),
        Serials(database.register, locks or MemoryLocks()),
    )


def of_all(*awards: CredentialAwarded) -> Mapping[CredentialId, CredentialAwarded]:
    return {id_of(each): each for each in awards}


def rows(database: Database) -> list[CredentialRow]:
    return database.register.credentials(CredentialFilter(), 10_000)


def award_from_all_at_once(database: Database, locks: WorkLocks) -> int:
    """Let each writer award its own learners, and some that another awards too."""
    awarding = awarding_on(database, locks)

    def write(writer: int) -> int:
        awarded = 0
        for page in range(PAGES):
            own = [an_award(f"w{writer}-p{page}-{number}") for number in range(PAGE)]
            shared = an_award(f"shared-{page}")
            awarded += awarding.award(of_all(shared, *own), by(correlation_id=uuid4()), RULE)
        return awarded

    with ThreadPoolExecutor(WRITERS) as pool:
        return sum(pool.map(write, range(WRITERS)))


def test_writers_that_meet_leave_no_gap_and_give_no_number_twice(database: Database) -> None:
    awarded = award_from_all_at_once(database, NoTurns())
    assert awarded == PAGES * (WRITERS * PAGE + 1)
    assert sorted(row.serial or "" for row in rows(database)) == [
        f"UNI-{number:05}" for number in range(1, awarded + 1)
    ]


def test_writers_that_take_turns_leave_no_gap_either(database: Database) -> None:
    awarded = award_from_all_at_once(database, MemoryLocks())
    serials = {row.serial for row in rows(database)}
    assert serials == {f"UNI-{number:05}" for number in range(1, awarded + 1)}


def test_numbers_are_those_of_the_events(database: Database) -> None:
    awarding_on(database).award(of_all(an_award("b"), an_award("a")), by(), RULE)
    logged = [each.recorded.event for each in database.events.log()]
    taken = [event for event in logged if isinstance(event, SerialsAssigned)]
    assert taken == [
        SerialsAssigned(per="issuer", of="Example University", first=1, count=2),
    ]
    awards = [event for event in logged if isinstance(event, CredentialAwarded)]
    assert {event.learner_id: event.serial for event in awards} == {
        "b": "UNI-00001",
        "a": "UNI-00002",
    }


def test_who_holds_one_already_uses_up_no_number(database: Database) -> None:
    awarding = awarding_on(database)
    awarding.award(of_all(an_award("ann")), by(), RULE)
    assert awarding.award(of_all(an_award("ann"), an_award("ben")), by(), RULE) == 1
    assert [row.serial for row in rows(database)] == ["UNI-00001", "UNI-00002"]


def test_a_batch_that_is_refused_uses_up_no_number(database: Database) -> None:
    awarding = awarding_on(database)
    awarding.award(of_all(an_award("ann")), by(), RULE)
    assert awarding.award(of_all(an_award("ann")), by(), RULE) == 0
    awarding.award(of_all(an_award("ben")), by(), RULE)
    assert [row.serial for row in rows(database)] == ["UNI-00001", "UNI-00002"]


def test_each_configuration_counts_by_itself_where_it_is_told_to(database: Database) -> None:
    rule = SerialRule(per="configuration", format="{number}")
    other = an_award("ann", configuration_id=OTHER_CONFIGURATION, context_key="course-v1:U+P+2")
    awarding_on(database).award(of_all(an_award("ann"), other, an_award("ben")), by(), rule)
    numbers = [(row.configuration_id, row.serial) for row in rows(database)]
    assert sorted(numbers, key=str) == sorted(
        [(CONFIGURATION, "1"), (CONFIGURATION, "2"), (OTHER_CONFIGURATION, "1")], key=str
    )


def test_each_year_counts_by_itself_where_it_is_told_to(database: Database) -> None:
    rule = SerialRule(per="issuer", format="{year}/{number}", restart="yearly", first=10)
    awards = [
        an_award("ann", award_date=date(2026, 12, 31)),
        an_award("ben", award_date=date(2027, 1, 1)),
        an_award("cyd", award_date=date(2026, 12, 31)),
    ]
    awarding_on(database).award(of_all(*awards), by(), rule)
    by_learner = {row.learner_id: row.serial for row in rows(database)}
    assert by_learner == {"ann": "2026/10", "ben": "2027/10", "cyd": "2026/11"}


def test_a_new_edition_and_an_import_keep_the_serial_that_they_have(database: Database) -> None:
    awards = of_all(an_award("ann", serial="OLD-7"), an_award("ben"))
    awarding_on(database).award(awards, by(), RULE)
    by_learner = {row.learner_id: row.serial for row in rows(database)}
    assert by_learner == {"ann": "OLD-7", "ben": "UNI-00001"}


def test_a_credential_is_found_by_its_serial(database: Database) -> None:
    awarding_on(database).award(of_all(an_award("ann"), an_award("ben")), by(), RULE)
    (row,) = database.register.credentials(CredentialFilter(serial="UNI-00002"), 10)
    assert row.learner_id == "ben"
    assert database.register.credentials(CredentialFilter(serial="UNI-00003"), 10) == []


def test_the_register_agrees_with_the_events(database: Database) -> None:
    awarding = awarding_on(database)
    for learner in ("ann", "ben"):
        awarding.award(of_all(an_award(learner)), by(), RULE)
    (row,) = database.register.catalogue("serials")
    assert (row.label, row.version, row.last_number) == ("issuer Example University", 2, 2)
    findings = Findings()
    check = RegisterCheck(database.events, database.log, database.register, findings)
    check.check(database.log.records(0, 100))
    check.finish()
    assert findings.told() == []
