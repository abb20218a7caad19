"""The contract of the register: set questions, answered in step with the events."""

from datetime import datetime, timedelta
from itertools import count
from uuid import UUID, uuid4

import pytest

from testamur.application.errors import ConcurrencyConflict
from testamur.application.ports.event_store import NewEvents
from testamur.application.ports.register import (
    CatalogueRow,
    CredentialFilter,
    CredentialRow,
    CredentialTally,
    RunRow,
)
from testamur.domain.assets import AssetRemoved, AssetReplaced
from testamur.domain.configurations import (
    ConfigurationDisabled,
    ConfigurationEnabled,
    ConfigurationRetired,
)
from testamur.domain.credential_types import CredentialTypeRetired
from testamur.domain.credentials import (
    CredentialAwarded,
    CredentialRevoked,
    CredentialStatus,
    CredentialSuperseded,
    DocumentsWithdrawn,
    NotificationSent,
    NotificationSkipped,
    PersonalDataErased,
)
from testamur.domain.errors import NotFound
from testamur.domain.events import DomainEvent
from testamur.domain.identifiers import (
    ConfigurationId,
    CredentialId,
    LearnerId,
    RunId,
    Slug,
    VerificationId,
)
from testamur.domain.run_results import RunCounts
from testamur.domain.runs import (
    RunApproved,
    RunCompleted,
    RunFailed,
    RunNeedsApproval,
    RunRejected,
)
from tests.support.databases import Database
from tests.support.events import (
    CONFIGURATION,
    COURSE,
    NOON,
    OTHER_CONFIGURATION,
    OTHER_COURSE,
    TYPE,
    a_configuration,
    a_content,
    a_failed_issue,
    a_failed_notification,
    a_run,
    a_type,
    an_asset,
    an_award,
    an_issue,
    awarding,
    by,
    id_of,
    then,
)

MINUTE = timedelta(minutes=1)
EVERYTHING = CredentialFilter()
OTHER_TYPE = Slug("grades")


def award_to(
    database: Database, *learners: str, at: datetime = NOON, run_id: UUID | None = None
) -> list[CredentialAwarded]:
    awards = [an_award(learner) for learner in learners]
    database.events.append(awarding(*awards), by(at=at, correlation_id=run_id))
    return awards


def happens(database: Database, award: CredentialAwarded, *events: DomainEvent) -> None:
    version = len(database.events.load(id_of(award)))
    database.events.append(then(id_of(award), version, *events), by())


def learners(rows: list[CredentialRow]) -> list[str]:
    return [row.learner_id for row in rows]


def holders(
    database: Database, *asked: str, configuration: ConfigurationId = CONFIGURATION
) -> set[LearnerId]:
    """Return those who are not among the ones that hold none."""
    learner_ids = [LearnerId(each) for each in asked]
    lacking = database.register.not_holding(configuration, learner_ids)
    assert lacking <= set(learner_ids)
    return set(learner_ids) - lacking


# Credentials


def test_an_award_is_registered_with_all_that_is_asked_for_later(database: Database) -> None:
    run_id = uuid4()
    (award,) = award_to(database, "learner-1", at=NOON + timedelta(microseconds=5), run_id=run_id)
    (row,) = database.register.credentials(EVERYTHING, 10)
    assert row == CredentialRow(
        credential_id=id_of(award),
        configuration_id=CONFIGURATION,
        learner_id=LearnerId("learner-1"),
        edition=1,
        context_key=COURSE,
        type_slug=TYPE,
        verification_id=award.verification_id,
        run_id=run_id,
        awarded_at=NOON + timedelta(microseconds=5),
    )


def test_holders_are_those_asked_for_who_have_one(database: Database) -> None:
    award_to(database, "a", "b", "c")
    assert holders(database, "a", "c", "x") == {"a", "c"}
    assert holders(database) == set()


def test_those_that_have_ended_wait_until_their_files_are_put_away(database: Database) -> None:
    a, b, c, d = award_to(database, "a", "b", "c", "d")
    to_withdraw = CredentialFilter(withdrawal_pending=True)
    assert database.register.credentials(to_withdraw, 10) == []
    happens(database, a, an_issue(), CredentialRevoked(reason="x"))
    happens(database, b, CredentialSuperseded(by=id_of(c)))
    happens(database, d, an_issue(), CredentialRevoked(reason="x"))
    assert learners(database.register.credentials(to_withdraw, 10)) == ["a", "b", "d"]
    assert learners(database.register.credentials(to_withdraw, 1)) == ["a"]
    assert learners(database.register.credentials(to_withdraw, 10, id_of(a))) == ["b", "d"]
    assert sum(database.register.tally(to_withdraw).by_status.values()) == 3
    (row,) = database.register.credentials(CredentialFilter(learner_id=a.learner_id), 2)
    assert row.withdrawal_pending
    happens(database, a, DocumentsWithdrawn(archived=("a.pdf",)))
    happens(database, d, PersonalDataErased(reason="asked for"))
    assert learners(database.register.credentials(to_withdraw, 10)) == ["b"]
    (row,) = database.register.credentials(CredentialFilter(learner_id=a.learner_id), 2)
    assert (row.withdrawal_pending, row.status) == (False, CredentialStatus.REVOKED)


def test_those_that_wait_to_be_put_away_can_be_asked_for_with_other_conditions(
    database: Database,
) -> None:
    run_id = uuid4()
    (a,) = award_to(database, "a", run_id=run_id)
    (b,) = award_to(database, "b")
    for award in (a, b):
        happens(database, award, CredentialRevoked(reason="x"))
    of_run = CredentialFilter(run_id=run_id, withdrawal_pending=True)
    assert learners(database.register.credentials(of_run, 10)) == ["a"]
    assert database.register.tally(of_run).by_status == {CredentialStatus.REVOKED: 1}


def test_a_holder_of_one_configuration_is_none_of_another(database: Database) -> None:
    award_to(database, "a")
    assert holders(database, "a", configuration=OTHER_CONFIGURATION) == set()


@pytest.mark.parametrize(
    "event",
    [
        an_issue(),
        CredentialRevoked(reason="mistake"),
        CredentialSuperseded(by=CredentialId(uuid4())),
        PersonalDataErased(reason="asked for"),
    ],
)
def test_whoever_had_one_stays_a_holder(database: Database, event: DomainEvent) -> None:
    (award,) = award_to(database, "a")
    happens(database, award, event)
    assert holders(database, "a") == {"a"}


def test_learner_ids_of_any_script_are_found(database: Database) -> None:
    odd = ["ż'ó\"ł\\ć", "学生", "%_", "\U0001f600", "0", "1e3", "null"]
    award_to(database, *odd)
    assert holders(database, *odd, "0.0", "1000") == set(odd)
    for each in odd:
        rows = database.register.credentials(CredentialFilter(learner_id=LearnerId(each)), 10)
        assert learners(rows) == [each]


def test_thousands_of_learners_are_asked_for_at_once(database: Database) -> None:
    everybody = [f"learner-{number}" for number in range(2_000)]
    award_to(database, *everybody[::2])
    assert holders(database, *everybody) == set(everybody[::2])


def test_a_credential_is_found_by_its_verification_id(database: Database) -> None:
    first, second = award_to(database, "a", "b")
    found = database.register.credential_by_verification_id(second.verification_id)
    assert found is not None
    assert found.credential_id == id_of(second)
    assert first.verification_id != second.verification_id
    assert database.register.credential_by_verification_id(VerificationId("unheard-of")) is None


def test_credentials_are_listed_page_by_page_in_one_order(database: Database) -> None:
    award_to(database, *(f"learner-{number}" for number in (5, 3, 4)))
    award_to(database, *(f"learner-{number}" for number in (1, 2)))
    pages = []
    after = None
    while page := database.register.credentials(EVERYTHING, 2, after):
        pages.append(learners(page))
        after = page[-1].credential_id
    assert pages == [["learner-5", "learner-3"], ["learner-4", "learner-1"], ["learner-2"]]


def test_going_on_after_an_unknown_credential_is_an_error(database: Database) -> None:
    award_to(database, "a")
    with pytest.raises(NotFound):
        database.register.credentials(EVERYTHING, 2, CredentialId(uuid4()))


def test_credentials_are_filtered_by_each_condition_and_by_several(database: Database) -> None:
    run_id, other_run_id = uuid4(), uuid4()
    ann, bob = award_to(database, "ann", "bob", run_id=run_id)
    elsewhere = an_award(
        "ann",
        configuration_id=OTHER_CONFIGURATION,
        context_key=OTHER_COURSE,
        type_slug=OTHER_TYPE,
    )
    database.events.append(awarding(elsewhere), by(correlation_id=other_run_id))
    happens(database, bob, CredentialRevoked(reason="mistake"))

    def found(where: CredentialFilter) -> list[CredentialId]:
        rows = database.register.credentials(where, 10)
        tally = database.register.tally(where)
        assert sum(tally.by_status.values()) == len(rows)
        return [row.credential_id for row in rows]

    ann_here, bob_here, ann_elsewhere = map(id_of, (ann, bob, elsewhere))
    learner = LearnerId("ann")
    assert found(CredentialFilter(learner_id=learner)) == [ann_here, ann_elsewhere]
    assert found(CredentialFilter(configuration_id=CONFIGURATION)) == [ann_here, bob_here]
    assert found(CredentialFilter(context_key=OTHER_COURSE)) == [ann_elsewhere]
    assert found(CredentialFilter(run_id=run_id)) == [ann_here, bob_here]
    assert found(CredentialFilter(status=CredentialStatus.REVOKED)) == [bob_here]
    assert found(CredentialFilter(learner_id=learner, run_id=other_run_id)) == [ann_elsewhere]
    assert found(CredentialFilter(learner_id=learner, status=CredentialStatus.REVOKED)) == []
    assert found(CredentialFilter(learner_id=learner, context_key=COURSE)) == [ann_here]
    assert found(CredentialFilter(type_slug=TYPE)) == [ann_here, bob_here]
    assert found(CredentialFilter(type_slug=OTHER_TYPE, learner_id=learner)) == [ann_elsewhere]
    assert found(CredentialFilter(type_slug=OTHER_TYPE, context_key=COURSE)) == []
    assert found(CredentialFilter(type_slug="unheard-of")) == []


def test_a_learners_credentials_of_a_context_are_listed_page_by_page(database: Database) -> None:
    first, other, second = (
        an_award(learner, configuration_id=configuration)
        for learner, configuration in [
            ("ann", CONFIGURATION),
            ("bob", CONFIGURATION),
            ("ann", OTHER_CONFIGURATION),
        ]
    )
    for each in (first, other, second):
        database.events.append(awarding(each), by())
    where = CredentialFilter(learner_id=LearnerId("ann"), context_key=COURSE)
    (page,) = database.register.credentials(where, 1)
    assert page.credential_id == id_of(first)
    (page,) = database.register.credentials(where, 1, page.credential_id)
    assert page.credential_id == id_of(second)
    assert database.register.credentials(where, 1, page.credential_id) == []


def test_credentials_are_counted_by_where_they_stand(database: Database) -> None:
    a, b, c, d, e, _ = award_to(database, "a", "b", "c", "d", "e", "f")
    happens(database, a, a_failed_issue("a"))
    happens(database, b, a_failed_issue("b"), an_issue())
    happens(database, c, an_issue(), NotificationSent(message_id="<1@x>"))
    happens(database, d, an_issue(), a_failed_notification("d", retry_at=None))
    happens(database, e, an_issue(), CredentialRevoked(reason="mistake"))
    assert database.register.tally(EVERYTHING) == CredentialTally(
        by_status={
            CredentialStatus.AWARDED: 2,
            CredentialStatus.ISSUED: 3,
            CredentialStatus.REVOKED: 1,
        },
        failing=1,
        notifications={"pending": 1, "sent": 1, "given-up": 1},
    )
    nobody = CredentialFilter(learner_id=LearnerId("nobody"))
    assert database.register.tally(nobody) == CredentialTally()


# What waits


def test_what_waits_to_be_issued_is_what_is_awarded_oldest_first(database: Database) -> None:
    a, b, c = award_to(database, "c", "a", "b")
    assert learners(database.register.awaiting_issue(NOON, 10)) == ["c", "a", "b"]
    assert learners(database.register.awaiting_issue(NOON, 2)) == ["c", "a"]
    happens(database, a, an_issue())
    happens(database, b, CredentialRevoked(reason="mistake"))
    assert learners(database.register.awaiting_issue(NOON, 10)) == [c.learner_id]


def test_a_failed_issue_waits_until_its_retry_time(database: Database) -> None:
    first, *_ = award_to(database, "a", "b", "c")
    happens(database, first, a_failed_issue("a", retry_at=NOON + MINUTE))
    early, due = NOON + MINUTE - timedelta(microseconds=1), NOON + MINUTE
    assert learners(database.register.awaiting_issue(early, 10)) == ["b", "c"]
    assert learners(database.register.awaiting_issue(due, 10)) == ["a", "b", "c"]
    assert learners(database.register.awaiting_issue(due, 1)) == ["a"]


def test_retries_and_fresh_ones_share_the_limit_in_the_order_of_awards(
    database: Database,
) -> None:
    awards = award_to(database, *"abcdef")
    for number in (1, 3, 4):
        retry_at = NOON - number * MINUTE
        happens(database, awards[number], a_failed_issue(retry_at=retry_at))
    assert learners(database.register.awaiting_issue(NOON, 4)) == ["a", "b", "c", "d"]


def test_what_waits_is_filtered_by_run(database: Database) -> None:
    run_id = uuid4()
    award_to(database, "a")
    b, _ = award_to(database, "b", "c", run_id=run_id)
    award_to(database, "d")
    happens(database, b, a_failed_issue("b", retry_at=NOON))
    assert learners(database.register.awaiting_issue(NOON, 10, run_id)) == ["b", "c"]
    assert database.register.awaiting_issue(NOON, 10, uuid4()) == []
    happens(database, b, an_issue())
    assert learners(database.register.awaiting_notification(NOON, 10, run_id)) == ["b"]
    assert database.register.awaiting_notification(NOON, 10, uuid4()) == []


def test_who_waits_to_be_told_is_who_was_issued_one(database: Database) -> None:
    a, b, c, d, e = award_to(database, *"abcde")
    for each in (a, b, c, d):
        happens(database, each, an_issue())
    assert learners(database.register.awaiting_notification(NOON, 10)) == ["a", "b", "c", "d"]
    happens(database, a, NotificationSent(message_id="<1@x>"))
    happens(database, b, NotificationSkipped(reason="no-address"))
    happens(database, c, a_failed_notification(retry_at=None))
    happens(database, d, CredentialRevoked(reason="mistake"))
    happens(database, e, an_issue())
    assert learners(database.register.awaiting_notification(NOON, 10)) == ["e"]


def test_a_failed_notification_waits_until_its_retry_time(database: Database) -> None:
    awards = award_to(database, "a", "b")
    for each in awards:
        happens(database, each, an_issue())
    happens(database, awards[0], a_failed_notification(retry_at=NOON + MINUTE))
    assert learners(database.register.awaiting_notification(NOON, 10)) == ["b"]
    assert learners(database.register.awaiting_notification(NOON + MINUTE, 10)) == ["a", "b"]


def test_rows_tell_failures_and_retry_times(database: Database) -> None:
    (award,) = award_to(database, "a")
    happens(database, award, a_failed_issue("a", attempt=3, retry_at=NOON + MINUTE))
    (row,) = database.register.credentials(EVERYTHING, 1)
    assert (row.issue_failures, row.issue_retry_at) == (3, NOON + MINUTE)
    happens(
        database, award, an_issue(), a_failed_notification(attempt=2, retry_at=NOON + 2 * MINUTE)
    )
    (row,) = database.register.credentials(EVERYTHING, 1)
    assert (row.issue_failures, row.issue_retry_at) == (3, None)
    assert (row.notification, row.notification_failures) == ("pending", 2)
    assert row.notification_retry_at == NOON + 2 * MINUTE


# Runs


def start(
    database: Database,
    slot: str,
    *,
    at: datetime = NOON,
    configuration: ConfigurationId = CONFIGURATION,
    scheduled_for: datetime | None = None,
) -> RunId:
    run_id = RunId(uuid4())
    started = a_run(slot, configuration, scheduled_for)
    database.events.append(then(run_id, 0, started), by(at=at))
    return run_id


def test_runs_are_listed_latest_first(database: Database) -> None:
    minutes = count()
    for slot in ("one", "two", "three"):
        start(database, slot, at=NOON + next(minutes) * MINUTE)
    start(database, "at the same time", at=NOON + 2 * MINUTE)
    start(database, "elsewhere", configuration=OTHER_CONFIGURATION)
    assert [row.slot for row in database.register.runs(CONFIGURATION)] == [
        "at the same time",
        "three",
        "two",
        "one",
    ]
    assert len(database.register.runs()) == 5


def test_a_run_is_open_until_it_is_completed(database: Database) -> None:
    done, failed, fresh = (start(database, slot) for slot in ("done", "failed", "fresh"))
    database.events.append(
        [
            *then(done, 1, RunFailed(attempt=1, error="x", retry_at=NOON)),
            *then(done, 2, RunCompleted(counts=RunCounts())),
            *then(failed, 1, RunFailed(attempt=2, error="x", retry_at=NOON + MINUTE)),
        ],
        by(),
    )
    open_runs = database.register.runs(CONFIGURATION, open_only=True)
    assert {row.run_id for row in open_runs} == {failed, fresh}
    rows = {row.run_id: row for row in database.register.runs()}
    assert rows[failed] == RunRow(
        failed, CONFIGURATION, "failed", None, NOON, failures=2, retry_at=NOON + MINUTE
    )
    assert rows[done] == RunRow(
        done, CONFIGURATION, "done", None, NOON, completed=True, failures=1, retry_at=None
    )


def an_approval_asked_for() -> RunNeedsApproval:
    return RunNeedsApproval(
        reason="max-new", limit=1, proposed=2, pages=1, sha256="0" * 64, counts=RunCounts()
    )


def test_a_run_that_needs_approval_is_open_and_waits_until_somebody_has_decided(
    database: Database,
) -> None:
    ids = waiting, approved, rejected = [start(database, slot) for slot in ("a", "b", "c")]
    elsewhere = start(database, "d", configuration=OTHER_CONFIGURATION)
    for run_id in (*ids, elsewhere):
        database.events.append(then(run_id, 1, an_approval_asked_for()), by())
    database.events.append(
        [
            *then(approved, 2, RunApproved(reason="seen")),
            *then(rejected, 2, RunRejected(reason="a slip")),
        ],
        by(),
    )
    register = database.register
    assert [row.run_id for row in register.runs_to_approve(CONFIGURATION)] == [waiting]
    assert {row.run_id for row in register.runs_to_approve()} == {waiting, elsewhere}
    open_runs = register.runs(CONFIGURATION, open_only=True)
    assert {row.run_id for row in open_runs} == {waiting, approved}
    assert {row.approval for row in register.runs(CONFIGURATION)} == {
        "needed",
        "approved",
        "rejected",
    }


def test_a_run_that_needs_approval_has_not_failed(database: Database) -> None:
    run_id = start(database, "one")
    database.events.append(
        [
            *then(run_id, 1, RunFailed(attempt=8, error="x", retry_at=NOON)),
            *then(run_id, 2, an_approval_asked_for()),
        ],
        by(),
    )
    (row,) = database.register.runs()
    assert (row.failures, row.retry_at) == (0, None)


def test_what_the_last_runs_awarded_is_told_of_those_that_went_over_everybody(
    database: Database,
) -> None:
    def completed(slot: str, awarded: int, **narrowed: object) -> None:
        run_id = RunId(uuid4())
        started = a_run(slot).model_copy(update=narrowed)
        database.events.append(then(run_id, 0, started), by(at=NOON + awarded * MINUTE))
        counts = RunCounts(evaluated=awarded, eligible=awarded, awarded=awarded)
        database.events.append(then(run_id, 1, RunCompleted(counts=counts)), by())

    for awarded in (7, 0, 3, 5):
        completed(f"whole {awarded}", awarded)
    completed("a few", 9, limit=9)
    completed("one", 1, learner_id="learner-1")
    start(database, "not completed", at=NOON + 10 * MINUTE)
    start(database, "elsewhere", configuration=OTHER_CONFIGURATION)
    assert database.register.recent_awards(CONFIGURATION, 9) == [7, 5, 3]
    assert database.register.recent_awards(CONFIGURATION, 2) == [7, 5]
    assert database.register.recent_awards(OTHER_CONFIGURATION, 2) == []


def test_the_last_slot_is_the_latest_one_scheduled(database: Database) -> None:
    assert database.register.last_slot(CONFIGURATION) is None
    start(database, "by hand")
    assert database.register.last_slot(CONFIGURATION) is None
    start(database, "late", scheduled_for=NOON + MINUTE)
    start(database, "early", scheduled_for=NOON)
    start(database, "other", scheduled_for=NOON + 5 * MINUTE, configuration=OTHER_CONFIGURATION)
    assert database.register.last_slot(CONFIGURATION) == NOON + MINUTE


# The catalogue


def add(database: Database, *events: DomainEvent) -> UUID:
    stream_id = uuid4()
    database.events.append([NewEvents(stream_id, 0, events)], by())
    return stream_id


def test_the_catalogue_is_listed_by_kind_and_label(database: Database) -> None:
    types = [add(database, a_type(slug)) for slug in ("b", "a")]
    asset = add(database, an_asset("logo"))
    configuration = add(database, a_configuration())
    listed = {
        kind: list(database.register.catalogue(kind))
        for kind in ("credential-type", "asset", "configuration", "unheard-of")
    }
    assert listed == {
        "credential-type": [
            CatalogueRow(types[1], "credential-type", "a", active=True),
            CatalogueRow(types[0], "credential-type", "b", active=True),
        ],
        "asset": [CatalogueRow(asset, "asset", "logo", active=True)],
        "configuration": [
            CatalogueRow(configuration, "configuration", f"{TYPE} {COURSE}", active=False)
        ],
        "unheard-of": [],
    }


ENABLED = ConfigurationEnabled(enabled_at=NOON)
REPLACED = AssetReplaced(content=a_content())


@pytest.mark.parametrize(
    ("events", "active"),
    [
        ((a_type(), CredentialTypeRetired(reason="x")), False),
        ((an_asset(), AssetRemoved(reason="x")), False),
        ((an_asset(), AssetRemoved(reason="x"), REPLACED), True),
        ((a_configuration(), ENABLED), True),
        ((a_configuration(), ENABLED, ConfigurationDisabled(reason="x")), False),
        ((a_configuration(), ENABLED, ConfigurationRetired(reason="x")), False),
    ],
)
def test_what_is_not_in_use_any_more_is_not_active(
    database: Database, events: tuple[DomainEvent, ...], active: bool
) -> None:
    kinds = {type(a_type()): "credential-type", type(an_asset()): "asset"}
    kind = kinds.get(type(events[0]), "configuration")
    stream_id = add(database, events[0])
    if events[1:]:
        database.events.append(then(stream_id, 1, *events[1:]), by())
    (row,) = database.register.catalogue(kind)
    assert row.active is active
    assert len(list(database.register.catalogue(kind, active_only=True))) == active


# In step with the events


def test_the_register_is_rolled_back_with_the_events(database: Database) -> None:
    (taken,) = award_to(database, "taken")
    run_id = uuid4()
    batch = [
        *awarding(an_award("fresh")),
        *then(id_of(taken), 1, an_issue()),
        *then(run_id, 0, a_run()),
        *then(uuid4(), 0, a_type()),
        *awarding(taken),
    ]
    with pytest.raises(ConcurrencyConflict):
        database.events.append(batch, by())
    (row,) = database.register.credentials(EVERYTHING, 10)
    assert row.status is CredentialStatus.AWARDED
    assert database.register.runs() == []
    assert list(database.register.catalogue("credential-type")) == []
