"""The contract of the register: set questions about credentials, in step with the events."""

from datetime import timedelta
from uuid import uuid4

import pytest

from testamur.application.errors import ConcurrencyConflict
from testamur.application.ports.register import (
    CredentialFilter,
    CredentialRow,
    CredentialTally,
)
from testamur.domain.credentials import (
    CredentialRevoked,
    CredentialStatus,
    CredentialSuperseded,
    DocumentsWithdrawn,
    NotificationSent,
    PersonalDataErased,
)
from testamur.domain.errors import NotFound
from testamur.domain.events import DomainEvent
from testamur.domain.identifiers import (
    CredentialId,
    LearnerId,
    VerificationId,
)
from tests.integration.event_store.awarded import (
    EVERYTHING,
    OTHER_TYPE,
    award_to,
    happens,
    holders,
    learners,
)
from tests.support.databases import Database
from tests.support.events import (
    CONFIGURATION,
    COURSE,
    NOON,
    OTHER_CONFIGURATION,
    OTHER_COURSE,
    TYPE,
    a_failed_issue,
    a_failed_notification,
    a_run,
    a_type,
    an_award,
    an_issue,
    awarding,
    by,
    id_of,
    then,
)


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
