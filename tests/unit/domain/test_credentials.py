"""What may happen to a credential, and when."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import reduce
from typing import Final
from uuid import UUID

import pytest
from pydantic import ValidationError

from testamur.domain.credentials import (
    MOST_NOTIFICATION_ATTEMPTS,
    Artifact,
    Credential,
    CredentialAwarded,
    CredentialEvent,
    CredentialIssued,
    CredentialRevoked,
    CredentialStatus,
    CredentialSuperseded,
    IssuanceFailed,
    NotificationFailed,
    NotificationSent,
    NotificationSkipped,
    PersonalDataErased,
    decide_award,
    decide_erase,
    decide_fail_issuance,
    decide_fail_notification,
    decide_issue,
    decide_notification,
    decide_notified,
    decide_revoke,
    decide_skip_notification,
    decide_supersede,
    evolve,
)
from testamur.domain.credentials.retries import LONGEST_RETRY_AFTER
from testamur.domain.errors import DecisionRefused
from testamur.domain.evidence import Evidence
from testamur.domain.identifiers import (
    ConfigurationId,
    CredentialId,
    LearnerId,
    Slug,
    VerificationId,
)
from testamur.domain.personal_data import Person

NOW: Final = datetime(2026, 6, 1, 12, tzinfo=UTC)
NEXT_EDITION: Final = CredentialId(UUID(int=2))
SHA256: Final = "0123456789abcdef" * 4
PDF: Final = Artifact(
    format="pdf", storage_key="a/b.pdf", media_type="application/pdf", size=9, sha256=SHA256
)
KATE: Final = Person(full_name="Kate Novák", email="kate@uni.example", locale="cs")


def award(person: Person | None = KATE) -> CredentialAwarded:
    return CredentialAwarded(
        configuration_id=ConfigurationId(UUID(int=1)),
        learner_id=LearnerId("1007"),
        person=person,
        type_slug=Slug("completion"),
        type_revision=1,
        type_name="Certificate of Completion",
        issuer_name="Uni",
        context_key="course-v1:Uni+Maths+2026",
        context_name="Maths",
        award_date=date(2026, 6, 1),
        evidence=Evidence(criteria={}, results=(), source="tests", retrieved_at=NOW),
        verification_id=VerificationId("f" * 32),
    )


ISSUED: Final = CredentialIssued(artifacts=(PDF,), rendering=SHA256)
TOLD: Final = NotificationSent(message_id="<1@uni.example>")
NOT_TOLD: Final = NotificationSkipped(reason="no-address")
REVOKED: Final = CredentialRevoked(reason="cheating")
SUPERSEDED: Final = CredentialSuperseded(by=NEXT_EDITION)
ERASED: Final = PersonalDataErased(reason="asked by the learner")


def not_issued(attempt: int) -> IssuanceFailed:
    return IssuanceFailed(
        learner_id=LearnerId("1007"), attempt=attempt, reason="disk", detail="full", retry_at=NOW
    )


def not_delivered(attempt: int, retry_at: datetime | None = NOW) -> NotificationFailed:
    return NotificationFailed(
        learner_id=LearnerId("1007"),
        attempt=attempt,
        reason="refused",
        detail="kate@uni.example: unknown user",
        retry_at=retry_at,
    )


def after(*events: CredentialEvent, person: Person | None = KATE) -> Credential:
    """Return a credential that was awarded and then saw these events."""
    return reduce(evolve, events, evolve(None, award(person)))


# Every decision in every status

STATES: Final[dict[str, Credential | None]] = {
    "not awarded": None,
    "awarded": after(),
    "failed to be issued": after(not_issued(1)),
    "issued": after(ISSUED),
    "not delivered yet": after(ISSUED, not_delivered(1)),
    "told": after(ISSUED, TOLD),
    "not to be told": after(ISSUED, NOT_TOLD),
    "given up telling": after(ISSUED, not_delivered(1, retry_at=None)),
    "revoked before it was issued": after(REVOKED),
    "revoked": after(ISSUED, TOLD, REVOKED),
    "superseded": after(ISSUED, SUPERSEDED),
    "revoked and superseded": after(ISSUED, REVOKED, SUPERSEDED),
    "erased before it was issued": after(ERASED),
    "erased": after(ISSUED, ERASED),
}

Decision = Callable[[Credential | None], list[CredentialEvent]]

DECISIONS: Final[dict[str, Decision]] = {
    "award": lambda state: decide_award(state, award()),
    "issue": lambda state: decide_issue(state, (PDF,), SHA256),
    "fail to issue": lambda state: decide_fail_issuance(state, "disk", "full", NOW),
    "tell": lambda state: decide_notified(state, "<1@uni.example>"),
    "not tell": lambda state: decide_skip_notification(state, "no-address"),
    "fail to tell": lambda state: decide_fail_notification(
        state, "refused", "550", NOW, permanent=False
    ),
    "revoke": lambda state: decide_revoke(state, "cheating"),
    "supersede": lambda state: decide_supersede(state, NEXT_EDITION),
    "erase": lambda state: decide_erase(state, "asked by the learner"),
}

NOTIFYING: Final = {"tell", "not tell", "fail to tell"}
ENDING: Final = {"revoke", "supersede", "erase"}

#: What is allowed; everything else is refused.
ALLOWED: Final[dict[str, set[str]]] = {
    "not awarded": {"award"},
    "awarded": {"issue", "fail to issue"} | ENDING,
    "failed to be issued": {"issue", "fail to issue"} | ENDING,
    "issued": NOTIFYING | ENDING,
    "not delivered yet": NOTIFYING | ENDING,
    "told": ENDING,
    "not to be told": ENDING,
    "given up telling": ENDING,
    "revoked before it was issued": {"supersede", "erase"},
    "revoked": {"supersede", "erase"},
    "superseded": {"erase"},
    "revoked and superseded": {"erase"},
    "erased before it was issued": set(),
    "erased": set(),
}

#: What changes nothing because it is so already: a repeated task must do no harm.
NOTHING_TO_DO: Final[dict[str, set[str]]] = {
    "issued": {"issue"},
    "not delivered yet": {"issue"},
    "told": {"issue"},
    "not to be told": {"issue"},
    "given up telling": {"issue"},
    "erased before it was issued": {"erase"},
    "erased": {"erase"},
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("decision", DECISIONS)
def test_a_decision_is_allowed_or_refused_by_where_the_credential_stands(
    state: str, decision: str
) -> None:
    def decide() -> list[CredentialEvent]:
        return DECISIONS[decision](STATES[state])

    if decision in ALLOWED[state]:
        assert len(decide()) == 1
    elif decision in NOTHING_TO_DO.get(state, set()):
        assert decide() == []
    else:
        with pytest.raises(DecisionRefused):
            decide()


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("awarded", CredentialStatus.AWARDED),
        ("failed to be issued", CredentialStatus.AWARDED),
        ("issued", CredentialStatus.ISSUED),
        ("told", CredentialStatus.ISSUED),
        ("revoked", CredentialStatus.REVOKED),
        ("revoked and superseded", CredentialStatus.SUPERSEDED),
        ("erased", CredentialStatus.ERASED),
    ],
)
def test_a_credential_knows_where_it_stands(state: str, status: CredentialStatus) -> None:
    credential = STATES[state]

    assert credential is not None
    assert credential.status is status


@pytest.mark.parametrize(
    ("state", "decision", "message"),
    [
        ("not awarded", "issue", "credential: it was never awarded"),
        ("awarded", "award", "it was awarded already"),
        ("revoked", "issue", "it is revoked and cannot be issued"),
        ("issued", "fail to issue", "it is issued and cannot fail to be issued"),
        ("awarded", "tell", "it is awarded and cannot be told of"),
        ("told", "tell", "the learner was dealt with already"),
        ("superseded", "revoke", "it is superseded and cannot be revoked"),
        ("erased", "supersede", "it is erased and cannot be superseded"),
    ],
)
def test_a_refusal_says_which_credential_and_why(state: str, decision: str, message: str) -> None:
    with pytest.raises(DecisionRefused) as refused:
        DECISIONS[decision](STATES[state])

    assert str(refused.value).endswith(message)
    if STATES[state] is not None:
        assert refused.value.subject == (
            "credential of learner '1007' for course-v1:Uni+Maths+2026"
        )


# Award


def test_an_award_is_kept_as_it_was_decided() -> None:
    assert decide_award(None, award()) == [award()]
    assert after().awarded == award()


@pytest.mark.parametrize("name", ["", " ", "\t\n", "\u2003"])
def test_nobody_is_awarded_without_a_name(name: str) -> None:
    with pytest.raises(DecisionRefused, match="the learner has no name to put on it"):
        decide_award(None, award(Person(full_name=name)))


def test_nobody_is_awarded_whose_data_is_gone() -> None:
    with pytest.raises(DecisionRefused, match="the learner has no name to put on it"):
        decide_award(None, award(person=None))


def test_the_first_edition_is_1_and_none_is_below() -> None:
    assert award().edition == 1
    assert CredentialAwarded.model_validate(award().model_dump()) == award()
    with pytest.raises(ValidationError, match="edition"):
        CredentialAwarded.model_validate(award().model_dump() | {"edition": 0})


# Issue


def test_issuing_records_every_file() -> None:
    badge = PDF.model_copy(update={"format": "open-badge", "storage_key": "a/b.json"})

    [issued] = decide_issue(after(not_issued(1)), (PDF, badge), SHA256)

    assert issued == CredentialIssued(artifacts=(PDF, badge), rendering=SHA256)
    assert evolve(after(not_issued(1)), issued).artifacts == (PDF, badge)


def test_nothing_is_issued_without_a_file() -> None:
    with pytest.raises(ValidationError, match="artifacts"):
        decide_issue(after(), (), SHA256)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sha256", SHA256[:-1]),
        ("sha256", SHA256 + "0"),
        ("sha256", SHA256 + "\n"),
        ("sha256", SHA256.upper()),
        ("sha256", "g" * 64),
        ("size", 0),
        ("size", -1),
    ],
)
def test_a_file_without_a_proper_hash_or_size_is_refused(field: str, value: object) -> None:
    with pytest.raises(ValidationError, match=field):
        Artifact.model_validate(PDF.model_dump() | {field: value})


def test_a_failure_to_issue_says_whose_and_what() -> None:
    assert decide_fail_issuance(after(), "disk", "no space left", NOW) == [
        IssuanceFailed(
            learner_id=LearnerId("1007"),
            attempt=1,
            reason="disk",
            detail="no space left",
            retry_at=NOW + timedelta(minutes=1),
        )
    ]


def test_issuing_is_tried_again_with_doubling_delays_of_12_hours_at_most() -> None:
    credential = after()
    delays = []
    for _ in range(40):
        [failed] = decide_fail_issuance(credential, "disk", "full", NOW)
        assert isinstance(failed, IssuanceFailed)
        delays.append(failed.retry_at - NOW)
        credential = evolve(credential, failed)

    assert delays[:4] == [timedelta(minutes=minutes) for minutes in (1, 2, 4, 8)]
    assert delays[9:11] == [timedelta(minutes=512), LONGEST_RETRY_AFTER]
    assert delays == sorted(delays)
    assert max(delays) == timedelta(hours=12)
    assert (credential.issue_failures, credential.issue_retry_at) == (40, NOW + max(delays))


def test_even_after_years_of_failing_the_next_attempt_has_a_time() -> None:
    [failed] = decide_fail_issuance(after(not_issued(1_000_000)), "disk", "full", NOW)

    assert isinstance(failed, IssuanceFailed)
    assert (failed.attempt, failed.retry_at) == (1_000_001, NOW + LONGEST_RETRY_AFTER)


def test_what_is_issued_waits_for_no_further_attempt() -> None:
    assert after(not_issued(1)).issue_retry_at == NOW
    assert after(not_issued(1), ISSUED).issue_retry_at is None


# Telling the learner


@pytest.mark.parametrize(
    ("person", "switched_on", "reason"),
    [
        (KATE, True, None),
        (KATE, False, "switched-off"),
        (KATE.model_copy(update={"email": None}), True, "no-address"),
        (KATE.model_copy(update={"email": ""}), True, "no-address"),
        (KATE.model_copy(update={"mailable": False}), True, "inactive-account"),
        (KATE.model_copy(update={"email": None, "mailable": False}), True, "no-address"),
        (KATE.model_copy(update={"email": None}), False, "switched-off"),
        (None, True, "no-address"),
    ],
)
def test_only_who_has_an_address_and_an_active_account_is_told(
    person: Person | None, switched_on: bool, reason: str | None
) -> None:
    issued = after(ISSUED, person=person)

    assert decide_notification(issued, switched_on=switched_on) == reason


@pytest.mark.parametrize(
    "state", [state for state, allowed in ALLOWED.items() if not NOTIFYING & allowed]
)
def test_whether_to_tell_is_only_asked_while_it_is_open(state: str) -> None:
    with pytest.raises(DecisionRefused):
        decide_notification(STATES[state], switched_on=True)


def test_telling_records_the_message() -> None:
    assert decide_notified(after(ISSUED), "<1@uni.example>") == [TOLD]
    assert after(ISSUED, TOLD).notification == "sent"


def test_not_telling_records_why() -> None:
    assert decide_skip_notification(after(ISSUED), "no-address") == [NOT_TOLD]
    assert after(ISSUED, NOT_TOLD).notification == "skipped"


@pytest.mark.parametrize("outcome", [TOLD, NOT_TOLD, not_delivered(2, retry_at=None)])
def test_who_was_dealt_with_waits_for_no_further_attempt(outcome: CredentialEvent) -> None:
    assert after(ISSUED, not_delivered(1)).notification_retry_at == NOW
    assert after(ISSUED, not_delivered(1), outcome).notification_retry_at is None


def test_telling_is_tried_for_days_and_then_given_up() -> None:
    credential = after(ISSUED)
    now = NOW
    for attempt in range(1, MOST_NOTIFICATION_ATTEMPTS):
        [failed] = decide_fail_notification(credential, "refused", "451", now, permanent=False)
        assert isinstance(failed, NotificationFailed)
        assert failed.attempt == attempt
        assert failed.retry_at is not None
        now = failed.retry_at
        credential = evolve(credential, failed)
        assert credential.notification == "pending"

    [last] = decide_fail_notification(credential, "refused", "451", now, permanent=False)
    assert isinstance(last, NotificationFailed)
    assert (last.attempt, last.retry_at) == (MOST_NOTIFICATION_ATTEMPTS, None)
    assert evolve(credential, last).notification == "given-up"
    assert timedelta(days=4) < now - NOW < timedelta(days=4.5)


def test_what_can_never_be_delivered_is_given_up_at_once() -> None:
    [failed] = decide_fail_notification(after(ISSUED), "bad-address", "550", NOW, permanent=True)

    assert isinstance(failed, NotificationFailed)
    assert (failed.attempt, failed.retry_at) == (1, None)
    assert failed.learner_id == "1007"
    assert (failed.reason, failed.detail) == ("bad-address", "550")


def test_a_failure_to_tell_never_touches_what_was_issued() -> None:
    credential = after(ISSUED, not_delivered(1, retry_at=None))

    assert credential.status is CredentialStatus.ISSUED
    assert credential.artifacts == (PDF,)


# Revoke, supersede, erase


def test_a_revoked_credential_keeps_its_reason_and_its_files() -> None:
    revoked = after(ISSUED, *decide_revoke(after(ISSUED), "cheating"))

    assert revoked.revocation_reason == "cheating"
    assert revoked.artifacts == (PDF,)


def test_a_superseded_credential_knows_the_newer_edition() -> None:
    superseded = after(ISSUED, *decide_supersede(after(ISSUED), NEXT_EDITION))

    assert superseded.superseded_by == NEXT_EDITION


def test_a_revoked_credential_may_be_superseded_and_keeps_the_reason() -> None:
    reissued = after(ISSUED, REVOKED, SUPERSEDED)

    assert reissued.status is CredentialStatus.SUPERSEDED
    assert reissued.revocation_reason == "cheating"


def test_erasure_leaves_the_record_without_the_person() -> None:
    erased = after(ISSUED, REVOKED, *decide_erase(after(ISSUED, REVOKED), "asked"))

    assert erased.awarded == award(person=None)
    assert erased.artifacts == ()
    assert erased.revocation_reason == "cheating"


def test_erasure_does_not_change_the_award_that_others_hold() -> None:
    awarded = award()
    erased = evolve(evolve(None, awarded), ERASED)

    assert erased.awarded.person is None
    assert awarded.person == KATE


@pytest.mark.parametrize("end", [REVOKED, SUPERSEDED, ERASED])
def test_nothing_is_tried_again_after_the_end(end: CredentialEvent) -> None:
    ended = after(not_issued(1), end)
    ended_untold = after(ISSUED, not_delivered(1), end)

    assert ended.issue_retry_at is None
    assert ended_untold.notification_retry_at is None


# Events


@pytest.mark.parametrize(
    "event",
    [ISSUED, not_issued(1), TOLD, not_delivered(1), NOT_TOLD, REVOKED, SUPERSEDED, ERASED],
)
def test_an_event_of_a_credential_that_was_never_awarded_is_refused(event: CredentialEvent) -> None:
    with pytest.raises(DecisionRefused, match="it was never awarded"):
        evolve(None, event)
