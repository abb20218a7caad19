"""Builders of events and of what stands around them: awards, attributions, batches."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID, uuid4, uuid5

from testamur.application.ports.event_store import Attribution, NewEvents
from testamur.domain.assets import AssetAdded, AssetContent, AssetRemoved, AssetReplaced
from testamur.domain.configurations import (
    ConfigurationCreated,
    ConfigurationDisabled,
    ConfigurationEnabled,
    ConfigurationRetired,
    OptionsChanged,
    ScheduleChanged,
)
from testamur.domain.corrections import (
    CorrectionAccepted,
    CorrectionCarriedOut,
    CorrectionFailed,
    CorrectionProposed,
    CorrectionRejected,
    CorrectionWithdrawn,
)
from testamur.domain.credential_types import (
    CredentialTypeDefined,
    CredentialTypeRetired,
    CredentialTypeRevised,
    Issuer,
    TypeDefinition,
)
from testamur.domain.credentials import (
    Artifact,
    CredentialAwarded,
    CredentialIssued,
    CredentialRevoked,
    CredentialSuperseded,
    DocumentsWithdrawn,
    IssuanceFailed,
    NotificationBounced,
    NotificationFailed,
    NotificationRequested,
    NotificationSent,
    NotificationSkipped,
    NotificationSuppressed,
    PersonalDataErased,
)
from testamur.domain.deliveries import LearnerSilenced, SilenceLifted
from testamur.domain.digests import DigestFailed, DigestRequested, DigestSent, DigestSkipped
from testamur.domain.erasures import ErasureCompleted, ErasureRequested
from testamur.domain.events import DomainEvent
from testamur.domain.evidence import CriterionResult, Evidence
from testamur.domain.identifiers import (
    Actor,
    ConfigurationId,
    CredentialId,
    LearnerId,
    RunId,
    Slug,
    VerificationId,
    configuration_id,
    credential_id,
    credential_type_id,
    reconciliation_id,
)
from testamur.domain.personal_data import Person
from testamur.domain.proposals import LearnersProposed
from testamur.domain.reconciliations import (
    ReconciliationCompleted,
    ReconciliationCounts,
    ReconciliationFailed,
    ReconciliationStarted,
)
from testamur.domain.run_results import LeftOut, Refusal, RunCounts
from testamur.domain.runs import (
    LearnersLeftOut,
    LearnersRefused,
    RunApproved,
    RunCompleted,
    RunDivided,
    RunFailed,
    RunNeedsApproval,
    RunRejected,
    RunStarted,
)
from testamur.domain.schedules import CronRule, IntervalRule, IssueWindow, OnceRule, Schedule
from testamur.domain.serials import SerialsAssigned

NOON: Final = datetime(2026, 6, 1, 12, tzinfo=UTC)
TYPE: Final = Slug("completion")
COURSE: Final = "course-v1:Uni+Maths+2026"
CONFIGURATION: Final = configuration_id(credential_type_id(TYPE), COURSE)
OTHER_COURSE: Final = "course-v1:Uni+Physics+2026"
OTHER_CONFIGURATION: Final = configuration_id(credential_type_id(TYPE), OTHER_COURSE)


def by(
    actor: str = "user:registrar", *, at: datetime = NOON, correlation_id: UUID | None = None
) -> Attribution:
    """Return who did something and when; it belongs to a request of its own unless told."""
    return Attribution(Actor(actor), at, correlation_id or uuid4())


def an_award(learner: str = "learner-1", **changes: Any) -> CredentialAwarded:
    """Return an award of the one configuration to a learner, with some of it changed."""
    fields: dict[str, Any] = {
        "configuration_id": CONFIGURATION,
        "learner_id": LearnerId(learner),
        "person": Person(full_name=f"Ada {learner}", email=f"{learner}@example.org", locale="pl"),
        "type_slug": TYPE,
        "type_revision": 1,
        "type_name": "Certificate of Completion",
        "issuer_name": "Example University",
        "context_key": COURSE,
        "context_name": "Mathematics",
        "award_date": date(2026, 6, 1),
        "evidence": some_evidence(),
        "edition": 1,
    } | changes
    credential = credential_id(fields["configuration_id"], fields["learner_id"], fields["edition"])
    return CredentialAwarded(**{"verification_id": uuid5(credential, "verification").hex} | fields)


def some_evidence() -> Evidence:
    """Return evidence with fractions that no binary number is equal to."""
    return Evidence(
        criteria={"kind": "completion", "required_completion": "0.9"},
        results=(
            CriterionResult(criterion="enrolment", met=True),
            CriterionResult(
                criterion="completion",
                required=Decimal("0.90"),
                achieved=Decimal("0.9333333333"),
                met=True,
            ),
        ),
        source="tests",
        retrieved_at=NOON,
    )


def id_of(award: CredentialAwarded) -> CredentialId:
    """Return the id of the credential that is awarded."""
    return credential_id(award.configuration_id, award.learner_id, award.edition)


def awarding(*awards: CredentialAwarded) -> list[NewEvents]:
    """Return a batch of first events of credentials."""
    return [NewEvents(id_of(award), 0, [award]) for award in awards]


def then(stream_id: UUID, after_version: int, *events: DomainEvent) -> list[NewEvents]:
    """Return a batch that goes on with one stream."""
    return [NewEvents(stream_id, after_version, events)]


def an_issue(**changes: Any) -> CredentialIssued:
    """Return that a document was made and stored."""
    artifact = Artifact(
        format="pdf",
        storage_key="credentials/a1/a1.pdf",
        media_type="application/pdf",
        size=12_345,
        sha256="0123456789abcdef" * 4,
    )
    return CredentialIssued(**{"artifacts": (artifact,), "rendering": "f" * 64} | changes)


def a_failed_issue(
    learner: str = "learner-1", *, attempt: int = 1, retry_at: datetime = NOON
) -> IssuanceFailed:
    """Return that a document could not be made."""
    return IssuanceFailed(
        learner_id=LearnerId(learner),
        attempt=attempt,
        reason="missing-glyph",
        detail=f"no font has a glyph of Ada {learner}",
        retry_at=retry_at,
    )


def a_failed_notification(
    learner: str = "learner-1", *, attempt: int = 1, retry_at: datetime | None = NOON
) -> NotificationFailed:
    """Return that a learner could not be told."""
    return NotificationFailed(
        learner_id=LearnerId(learner),
        attempt=attempt,
        reason="refused",
        detail=f"550 no such user: {learner}@example.org",
        retry_at=retry_at,
    )


def a_run(
    slot: str = "manual:1",
    configuration: ConfigurationId = CONFIGURATION,
    scheduled_for: datetime | None = None,
) -> RunStarted:
    """Return that a run was started."""
    return RunStarted(
        configuration_id=configuration,
        slot=slot,
        trigger="schedule" if scheduled_for else "manual",
        scheduled_for=scheduled_for,
    )


def a_type(slug: str = TYPE) -> CredentialTypeDefined:
    """Return that a credential type was defined."""
    return CredentialTypeDefined(slug=Slug(slug), definition=a_definition())


def a_definition() -> TypeDefinition:
    """Return what a credential type says, with options of every JSON type."""
    return TypeDefinition(
        name="Certificate of Completion",
        issuer=Issuer(name="Üniversite", url="https://example.org"),
        criteria="completion",
        renderer="pdf",
        options={"a": [1, 2.5, True, None, {"ż": "“ÿ”"}], "big": 2**70, "small": 1e-300},
    )


def an_asset(slug: str = "template") -> AssetAdded:
    """Return that an asset was added."""
    return AssetAdded(slug=Slug(slug), content=a_content())


def a_content() -> AssetContent:
    """Return what an asset holds."""
    return AssetContent(
        sha256="ab" * 32, size=1, media_type="application/pdf", filename="template.pdf"
    )


def a_configuration(context_key: str = COURSE) -> ConfigurationCreated:
    """Return that the type was put to use in a context."""
    return ConfigurationCreated(
        type_slug=TYPE, context_key=context_key, options={"a": {"b": [1]}}, schedule=Schedule()
    )


def a_correction(learner: str = "learner-1", **changes: Any) -> CorrectionProposed:
    """Return that a credential is to be corrected, because its learner has another name."""
    values: dict[str, Any] = {
        "reconciliation_id": reconciliation_id(CONFIGURATION, "manual:request-1"),
        "configuration_id": CONFIGURATION,
        "learner_id": LearnerId(learner),
        "credential_id": credential_id(CONFIGURATION, LearnerId(learner)),
        "kind": "data-changed",
        "differs": ("full_name", "context_name"),
        "full_name": "Zoë Müller-Żak",
        "context_name": "Ⅱ. Semester",
    }
    return CorrectionProposed(**(values | changes))


def a_request_to_erase(learner: str = "learner-1") -> ErasureRequested:
    """Return that everything personal about a learner is to go."""
    return ErasureRequested(learner_id=LearnerId(learner), reason="asked for “by letter”")


def an_erasure(credentials: int = 2) -> ErasureCompleted:
    """Return that it is gone."""
    return ErasureCompleted(credentials=credentials, files=3, messages=0)


def one_of_each() -> Sequence[DomainEvent]:
    """Return an event of every class, with values that are easily spoilt on the way."""
    schedule = Schedule(
        rule=CronRule(expression="0 3 * * 1", time_zone="Europe/Warsaw"),
        start=NOON,
        end=NOON + timedelta(days=365, microseconds=1),
        window=IssueWindow(opens="course-end", opens_offset=timedelta(days=-1, microseconds=7)),
    )
    once = Schedule(rule=OnceRule(at=NOON + timedelta(microseconds=123_456)))
    interval = Schedule(rule=IntervalRule(every=timedelta(minutes=61, microseconds=1)))
    return (
        a_type(),
        CredentialTypeRevised(revision=2, definition=a_definition()),
        CredentialTypeRetired(reason="replaced"),
        an_asset(),
        AssetReplaced(content=a_content()),
        AssetRemoved(reason="ugly"),
        a_configuration().model_copy(update={"schedule": schedule}),
        OptionsChanged(options={"x": {"y": [None, "z", 0.1]}}),
        ScheduleChanged(schedule=once),
        ScheduleChanged(schedule=interval),
        ConfigurationEnabled(enabled_at=NOON),
        ConfigurationDisabled(reason="the schedule ended"),
        ConfigurationRetired(reason="over"),
        a_run(scheduled_for=NOON).model_copy(update={"limit": 7, "learner_id": "learner-1"}),
        LearnersRefused(
            refusals=(
                Refusal(learner_id=LearnerId("l-1"), reason="no-name", detail="no full name"),
                Refusal(learner_id=LearnerId("l-2"), reason="no-person", detail="no record"),
            )
        ),
        LearnersLeftOut(
            learners=(LeftOut(learner_id=LearnerId("l-3"), reason="the LMS says “no grade”"),)
        ),
        RunDivided(
            division=UUID(int=77),
            pages=2,
            earned=250,
            counts=RunCounts(evaluated=20, already_held=12, not_eligible=7, left_out=1),
            context_name="Botany, “the second part”",
            retrieved_at=NOON,
        ),
        RunNeedsApproval(
            reason="change-of-scale",
            limit=100,
            usual=Decimal("3.5"),
            proposed=1001,
            pages=2,
            sha256="0" * 64,
            counts=RunCounts(evaluated=1002, not_eligible=1, eligible=1001),
        ),
        RunApproved(reason="the term has ended"),
        RunRejected(reason="“0.5” was a slip"),
        LearnersProposed(
            run_id=RunId(UUID(int=5)),
            configuration_id=CONFIGURATION,
            page=2,
            learner_ids=(LearnerId("l-4"), LearnerId("l-5")),
        ),
        RunCompleted(counts=RunCounts(evaluated=3, already_held=1, eligible=2, awarded=2)),
        RunFailed(attempt=1, error="the LMS went away", retry_at=NOON),
        an_award(
            replaces=CredentialId(UUID(int=1)),
            expires_at=NOON + timedelta(days=700),
            edition=2,
            verification_id=VerificationId("q" * 22),
            serial="ÜN-2026-000007",
        ),
        ReconciliationStarted(
            configuration_id=CONFIGURATION, slot="manual:request-1", trigger="manual"
        ),
        ReconciliationCompleted(
            configuration_id=CONFIGURATION,
            counts=ReconciliationCounts(compared=3, no_longer_eligible=1, proposed=1, unknown=1),
            next_at=NOON,
        ),
        ReconciliationFailed(
            configuration_id=CONFIGURATION, attempt=2, error="the LMS went away", retry_at=NOON
        ),
        a_correction(),
        CorrectionAccepted(reason="the exam was graded anew", tell=True),
        CorrectionRejected(reason="a slip in the gradebook"),
        CorrectionCarriedOut(credential_id=CredentialId(UUID(int=6))),
        CorrectionFailed(attempt=1, error="the disk is full", retry_at=NOON),
        CorrectionWithdrawn(reason="it is as it was"),
        SerialsAssigned(
            per="configuration", of=f"{TYPE} {COURSE}", year=2026, first=10**12, count=2
        ),
        an_issue(),
        a_failed_issue(),
        NotificationRequested(notice="expiring", sequence=1, request=2, reason="asked for"),
        NotificationSent(message_id="<issued.1@example.org>"),
        a_failed_notification(retry_at=None),
        NotificationSkipped(reason="no-address"),
        NotificationSuppressed(reason="complained"),
        NotificationBounced(reason="5.1.1"),
        CredentialRevoked(reason="by mistake"),
        CredentialSuperseded(by=CredentialId(UUID(int=2))),
        DocumentsWithdrawn(archived=("credentials/00/certificate.pdf",)),
        PersonalDataErased(reason="asked for"),
        LearnerSilenced(learner_id=LearnerId("learner-1"), reason="complained"),
        SilenceLifted(learner_id=LearnerId("learner-1"), reason="by mistake"),
        DigestRequested(run_id=RunId(UUID(int=3)), configuration_id=ConfigurationId(UUID(int=4))),
        DigestSent(message_id="<digest.1@example.org>", recipients=2, refused=1),
        DigestFailed(attempt=1, reason="unreachable", retry_at=NOON),
        DigestSkipped(reason="nobody-to-tell"),
        a_request_to_erase(),
        an_erasure(),
    )
