"""Hypothesis strategies of the domain's values and of every event, and how often to try."""

import string
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from pydantic import JsonValue

from testamur.domain.assets import AssetAdded, AssetContent, AssetRemoved, AssetReplaced
from testamur.domain.configurations import (
    ConfigurationCreated,
    ConfigurationDisabled,
    ConfigurationEnabled,
    ConfigurationRetired,
    OptionsChanged,
    ScheduleChanged,
)
from testamur.domain.contexts import (
    CourseKey,
    LearningContextKey,
    LessonKey,
    OpaqueKey,
    PathwayKey,
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
from testamur.domain.criteria import (
    AnyCourseCriteria,
    CompletionAndGradeCriteria,
    CompletionCriteria,
    GradeCriteria,
    PathwayCriteria,
    category_key,
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
    ReconciliationId,
    RunId,
    Slug,
    VerificationId,
)
from testamur.domain.learning import Achievement, ContextFacts, GradedSubsection, LearnerRecord
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


def tries(number: int) -> settings:
    """Return settings for so many examples, however busy the machine is."""
    return settings(
        max_examples=number, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )


# Small values

words = st.text(min_size=1, max_size=12)
"""Any short text, in any script."""

uuids: SearchStrategy[UUID] = st.uuids()
configuration_ids = uuids.map(ConfigurationId)
credential_ids = uuids.map(CredentialId)
verification_ids = st.text("0123456789abcdef", min_size=32, max_size=32).map(VerificationId)
hashes = st.text("0123456789abcdef", min_size=64, max_size=64)

slugs = st.from_regex(r"[a-z0-9]{1,8}(-[a-z0-9]{1,6}){0,2}", fullmatch=True).map(Slug)
learner_ids = (
    st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=20)
    .filter(lambda text: "@" not in text)
    .map(LearnerId)
)
actors = st.from_regex(r"(user|cli|system):[a-z]{1,10}", fullmatch=True).map(Actor)

moments = st.timedeltas(timedelta(0), timedelta(days=36_500)).map(
    lambda since: datetime(2000, 1, 1, tzinfo=UTC) + since
)
offsets = st.timedeltas(timedelta(days=-400), timedelta(days=400))

json_values: SearchStrategy[JsonValue] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
options = st.dictionaries(words, json_values, max_size=4)

# Learning contexts

key_parts = st.text(
    st.characters(categories=("L", "Nd"), include_characters="_-~.:%"), min_size=1, max_size=10
)
course_keys = st.builds(
    CourseKey, key_parts, key_parts, key_parts, st.none() | st.integers(0, 10**6)
)
lesson_keys = st.builds(LessonKey, course_keys, key_parts)
pathway_keys = st.builds(PathwayKey, key_parts, key_parts, key_parts, key_parts)

OPAQUE_KINDS: Final = {"moodle-course": "course", "canvas": "module"}
opaque_keys = st.sampled_from(sorted(OPAQUE_KINDS)).flatmap(
    lambda scheme: st.builds(
        lambda rest: OpaqueKey(OPAQUE_KINDS[scheme], f"{scheme}:{rest}"),
        st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=20),
    )
)
context_keys: SearchStrategy[LearningContextKey] = (
    course_keys | lesson_keys | pathway_keys | opaque_keys
)

# Learning


def decimals(highest: int, places: int) -> SearchStrategy[Decimal]:
    """Return exact decimals from 0 with so many places."""
    return st.integers(0, highest * 10**places).map(lambda number: Decimal(number).scaleb(-places))


fractions = decimals(1, places=4)
required_fractions = st.sampled_from(
    [Decimal(0), Decimal("0.01"), Decimal("0.1"), Decimal("0.55"), Decimal(1)]
) | decimals(1, places=10)

CATEGORIES: Final = ("Homework", "Final  Exam", "Übung", "lab")


def spellings(name: str) -> list[str]:
    """Return a category's name in other case and with other white space."""
    return [name, name.upper(), name.lower(), f" {name}\t", name.title()]


category_names = st.sampled_from(CATEGORIES)
category_spellings = st.sampled_from([each for name in CATEGORIES for each in spellings(name)])

#: Points as gradebooks give them: whole, in tenths, and what a binary float leaves behind.
points = (
    decimals(40, places=0)
    | decimals(40, places=1)
    | st.floats(0, 40).map(lambda binary: Decimal(repr(binary)))
)

graded_subsections = st.builds(
    GradedSubsection, st.just("a1"), category_spellings, points, decimals(20, places=0) | points
)
achievements = st.builds(
    Achievement,
    st.none() | fractions,
    st.lists(graded_subsections, max_size=5).map(tuple),
)
weights = st.dictionaries(category_names, decimals(1, places=3), max_size=4)

STEP_KEYS: Final = tuple(f"course-v1:Uni+Step{number}+2026" for number in range(3))

steps = st.dictionaries(st.sampled_from(STEP_KEYS), weights, max_size=3).map(
    lambda policies: tuple(ContextFacts(key, weights=each) for key, each in policies.items())
)
course_facts = st.builds(ContextFacts, st.just("course-v1:Uni+Maths+2026"), weights=weights)
pathway_facts = st.builds(ContextFacts, st.just("path-v1:Uni+Science+2026+A"), steps=steps)

mostly = st.sampled_from([True, True, True, False])
course_records = st.builds(LearnerRecord, learner_ids, enrolled=mostly, achievement=achievements)
pathway_records = st.builds(
    LearnerRecord,
    learner_ids,
    enrolled=mostly,
    steps=st.dictionaries(st.sampled_from(STEP_KEYS), achievements, min_size=2, max_size=3),
)

# Criteria

required_grades = st.lists(
    st.tuples(category_spellings | st.sampled_from(spellings("Total")), required_fractions),
    min_size=1,
    max_size=4,
    unique_by=lambda required: category_key(required[0]),
).map(dict)

course_criteria: SearchStrategy[AnyCourseCriteria] = (
    st.builds(CompletionCriteria, required_completion=required_fractions)
    | st.builds(GradeCriteria, required_grades=required_grades)
    | st.builds(
        CompletionAndGradeCriteria,
        required_completion=required_fractions,
        required_grades=required_grades,
    )
)
pathway_criteria = st.builds(
    PathwayCriteria,
    every_step=course_criteria,
    steps=st.dictionaries(st.sampled_from(STEP_KEYS), course_criteria, max_size=2),
)

finite_decimals = st.none() | st.decimals(allow_nan=False, allow_infinity=False)
evidence = st.builds(
    Evidence,
    criteria=options,
    results=st.lists(
        st.builds(
            CriterionResult,
            criterion=st.sampled_from(["enrolment", "completion", "total", "grade"]),
            category=st.none() | words,
            step=st.none() | words,
            required=finite_decimals,
            achieved=finite_decimals,
            earned=finite_decimals,
            possible=finite_decimals,
            met=st.booleans(),
        ),
        max_size=3,
    ).map(tuple),
    unweighted_categories=st.lists(words, max_size=2).map(tuple),
    source=words,
    retrieved_at=moments,
    note=st.none() | words,
)

# Schedules

intervals = st.builds(IntervalRule, every=st.timedeltas(timedelta(minutes=1), timedelta(days=60)))
cron_rules = st.builds(
    CronRule,
    expression=st.sampled_from(["0 3 * * *", "*/15 * * * *"]),
    time_zone=st.sampled_from(["UTC", "Europe/Warsaw"]),
)
issue_windows = st.builds(
    IssueWindow,
    opens=st.sampled_from([None, "course-start", "course-end"]),
    opens_offset=offsets,
    closes_at_course_end=st.booleans(),
    closes_offset=offsets,
)


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    """Return schedules of every kind, with and without start, end and window."""
    early, middle, late = sorted(draw(st.lists(moments, min_size=3, max_size=3, unique=True)))
    return Schedule(
        rule=draw(intervals | cron_rules | st.just(OnceRule(at=middle))),
        start=draw(st.none() | st.just(early)),
        end=draw(st.none() | st.just(late)),
        window=draw(st.none() | issue_windows),
    )


# What events are made of

people = st.builds(
    Person,
    full_name=words.filter(lambda name: bool(name.strip())),
    email=st.none() | st.emails(),
    locale=st.none() | st.sampled_from(["pl", "pt-BR", "ar"]),
    mailable=st.booleans(),
)
artifacts = st.builds(
    Artifact,
    format=st.sampled_from(["pdf", "open-badge"]),
    storage_key=words,
    media_type=st.just("application/pdf"),
    size=st.integers(1, 10**9),
    sha256=hashes,
)
asset_contents = st.builds(
    AssetContent,
    sha256=hashes,
    size=st.integers(1, 10**9),
    media_type=st.sampled_from(["application/pdf", "font/ttf"]),
    filename=st.text(string.ascii_letters, min_size=1, max_size=10),
)
type_definitions = st.builds(
    TypeDefinition,
    name=words,
    issuer=st.builds(Issuer, name=words, url=st.none() | st.just("https://uni.example")),
    criteria=st.sampled_from(["completion", "grades"]),
    renderer=st.just("pdf"),
    options=options,
)
refusals = st.builds(
    Refusal,
    learner_id=learner_ids,
    reason=st.sampled_from(["no-name", "missing-glyph"]),
    detail=words,
)
left_out = st.builds(LeftOut, learner_id=learner_ids, reason=words)


@st.composite
def run_counts(draw: st.DrawFn) -> RunCounts:
    """Return counts of a run that add up."""
    held, not_eligible, awarded, refused, over_limit, left_out = draw(
        st.tuples(*[st.integers(0, 50)] * 6)
    )
    eligible = awarded + refused + over_limit
    return RunCounts(
        evaluated=held + not_eligible + eligible + left_out,
        already_held=held,
        not_eligible=not_eligible,
        eligible=eligible,
        left_out=left_out,
        awarded=awarded,
        refused=refused,
        over_limit=over_limit,
    )


awards = st.builds(
    CredentialAwarded,
    configuration_id=configuration_ids,
    learner_id=learner_ids,
    person=people,
    type_slug=slugs,
    type_revision=st.integers(1, 99),
    type_name=words,
    issuer_name=words,
    context_key=context_keys.map(str),
    context_name=words,
    award_date=st.dates(),
    evidence=evidence,
    edition=st.integers(1, 9),
    replaces=st.none() | credential_ids,
    expires_at=st.none() | moments,
    verification_id=verification_ids,
    serial=st.none() | words,
    imported_from=st.none() | words,
    imported_id=st.none() | words,
    document_link=st.none() | words,
)
run_starts = st.builds(
    RunStarted,
    configuration_id=configuration_ids,
    slot=words,
    trigger=st.sampled_from(["schedule", "manual"]),
    scheduled_for=st.none() | moments,
    learner_id=st.none() | learner_ids,
    limit=st.none() | st.integers(1, 10**6),
)

run_ids = st.uuids().map(RunId)
reconciliation_ids = st.uuids().map(ReconciliationId)
counts = st.integers(0, 10**6)
asked = st.builds(
    RunNeedsApproval,
    reason=st.sampled_from(["max-new", "change-of-scale"]),
    limit=st.integers(1, 10**6),
    usual=st.none() | st.integers(1, 10**6).map(lambda halves: Decimal(halves) / 2),
    proposed=st.integers(1, 10**6),
    pages=st.integers(1, 1000),
    sha256=hashes,
    counts=run_counts(),
)

divided = st.builds(
    RunDivided,
    division=st.uuids(),
    pages=st.integers(1, 1000),
    earned=st.integers(1, 10**6),
    counts=run_counts(),
    context_name=words,
    retrieved_at=moments,
)

about_a_message: dict[str, SearchStrategy[Any]] = {
    "notice": st.sampled_from(["issued", "revoked", "reissued", "expiring", "recertified"]),
    "sequence": st.integers(0, 3),
    "request": st.integers(1, 3),
}

# Events

EVENTS: Final[dict[type[DomainEvent], SearchStrategy[Any]]] = {
    CredentialTypeDefined: st.builds(
        CredentialTypeDefined, slug=slugs, definition=type_definitions
    ),
    CredentialTypeRevised: st.builds(
        CredentialTypeRevised, revision=st.integers(2, 99), definition=type_definitions
    ),
    CredentialTypeRetired: st.builds(CredentialTypeRetired, reason=words),
    AssetAdded: st.builds(AssetAdded, slug=slugs, content=asset_contents),
    AssetReplaced: st.builds(AssetReplaced, content=asset_contents),
    AssetRemoved: st.builds(AssetRemoved, reason=words),
    ConfigurationCreated: st.builds(
        ConfigurationCreated,
        type_slug=slugs,
        context_key=context_keys.map(str),
        options=options,
        schedule=schedules(),
    ),
    OptionsChanged: st.builds(OptionsChanged, options=options),
    ScheduleChanged: st.builds(ScheduleChanged, schedule=schedules()),
    ConfigurationEnabled: st.builds(ConfigurationEnabled, enabled_at=moments),
    ConfigurationDisabled: st.builds(ConfigurationDisabled, reason=words),
    ConfigurationRetired: st.builds(ConfigurationRetired, reason=words),
    RunStarted: run_starts,
    LearnersRefused: st.builds(LearnersRefused, refusals=st.lists(refusals, max_size=3).map(tuple)),
    LearnersLeftOut: st.builds(LearnersLeftOut, learners=st.lists(left_out, max_size=3).map(tuple)),
    RunDivided: divided,
    RunNeedsApproval: asked,
    RunApproved: st.builds(RunApproved, reason=words),
    RunRejected: st.builds(RunRejected, reason=words),
    LearnersProposed: st.builds(
        LearnersProposed,
        run_id=run_ids,
        configuration_id=configuration_ids,
        page=st.integers(1, 1000),
        learner_ids=st.lists(learner_ids, max_size=3).map(tuple),
    ),
    RunCompleted: st.builds(RunCompleted, counts=run_counts()),
    RunFailed: st.builds(
        RunFailed, attempt=st.integers(1, 9), error=words, retry_at=st.none() | moments
    ),
    CredentialAwarded: awards,
    ReconciliationStarted: st.builds(
        ReconciliationStarted,
        configuration_id=configuration_ids,
        slot=words,
        trigger=st.sampled_from(["schedule", "manual"]),
    ),
    ReconciliationCompleted: st.builds(
        ReconciliationCompleted,
        configuration_id=configuration_ids,
        counts=st.builds(ReconciliationCounts, compared=counts, proposed=counts),
        next_at=st.none() | moments,
    ),
    ReconciliationFailed: st.builds(
        ReconciliationFailed,
        configuration_id=configuration_ids,
        attempt=st.integers(1, 99),
        error=words,
        retry_at=st.none() | moments,
    ),
    CorrectionProposed: st.builds(
        CorrectionProposed,
        reconciliation_id=reconciliation_ids,
        configuration_id=configuration_ids,
        learner_id=learner_ids,
        credential_id=st.none() | credential_ids,
        kind=st.sampled_from(["no-longer-eligible", "data-changed", "now-eligible"]),
        differs=st.lists(
            st.sampled_from(["full_name", "context_name", "type_name", "issuer_name"]), max_size=2
        ).map(tuple),
        full_name=st.none() | words,
        context_name=st.none() | words,
    ),
    CorrectionAccepted: st.builds(CorrectionAccepted, reason=words, tell=st.booleans()),
    CorrectionRejected: st.builds(CorrectionRejected, reason=words),
    CorrectionCarriedOut: st.builds(CorrectionCarriedOut, credential_id=credential_ids),
    CorrectionFailed: st.builds(
        CorrectionFailed, attempt=st.integers(1, 99), error=words, retry_at=moments
    ),
    CorrectionWithdrawn: st.builds(CorrectionWithdrawn, reason=words),
    SerialsAssigned: st.builds(
        SerialsAssigned,
        per=st.sampled_from(["issuer", "configuration"]),
        of=words,
        year=st.none() | st.integers(1, 9999),
        first=st.integers(1, 10**12),
        count=st.integers(1, 10**6),
    ),
    CredentialIssued: st.builds(
        CredentialIssued,
        artifacts=st.lists(artifacts, min_size=1, max_size=3).map(tuple),
        rendering=hashes,
    ),
    IssuanceFailed: st.builds(
        IssuanceFailed,
        learner_id=learner_ids,
        attempt=st.integers(1, 99),
        reason=words,
        detail=st.none() | words,
        retry_at=moments,
    ),
    NotificationRequested: st.builds(
        NotificationRequested, **about_a_message, reason=st.none() | words
    ),
    NotificationSent: st.builds(NotificationSent, message_id=words, **about_a_message),
    NotificationFailed: st.builds(
        NotificationFailed,
        learner_id=learner_ids,
        attempt=st.integers(1, 18),
        reason=words,
        detail=st.none() | words,
        retry_at=st.none() | moments,
        **about_a_message,
    ),
    NotificationSkipped: st.builds(NotificationSkipped, reason=words, **about_a_message),
    NotificationSuppressed: st.builds(NotificationSuppressed, reason=words, **about_a_message),
    NotificationBounced: st.builds(NotificationBounced, reason=words, **about_a_message),
    CredentialRevoked: st.builds(CredentialRevoked, reason=words),
    CredentialSuperseded: st.builds(
        CredentialSuperseded, by=credential_ids, reason=st.none() | words
    ),
    DocumentsWithdrawn: st.builds(
        DocumentsWithdrawn,
        archived=st.lists(words, max_size=2).map(tuple),
        missing=st.lists(words, max_size=2).map(tuple),
    ),
    PersonalDataErased: st.builds(PersonalDataErased, reason=words),
    LearnerSilenced: st.builds(LearnerSilenced, learner_id=learner_ids, reason=words),
    SilenceLifted: st.builds(SilenceLifted, learner_id=learner_ids, reason=words),
    DigestRequested: st.builds(DigestRequested, run_id=run_ids, configuration_id=configuration_ids),
    DigestSent: st.builds(
        DigestSent,
        message_id=words,
        recipients=st.integers(0, 20),
        refused=st.integers(0, 20),
    ),
    DigestFailed: st.builds(
        DigestFailed, attempt=st.integers(1, 18), reason=words, retry_at=st.none() | moments
    ),
    DigestSkipped: st.builds(DigestSkipped, reason=words),
    ErasureRequested: st.builds(ErasureRequested, learner_id=learner_ids, reason=words),
    ErasureCompleted: st.builds(
        ErasureCompleted,
        credentials=st.integers(0, 99),
        files=st.integers(0, 99),
        messages=st.integers(0, 99),
    ),
}
"""A strategy of each event by its class; there is a test that none is missing."""

events: SearchStrategy[DomainEvent] = st.one_of(*EVENTS.values())
