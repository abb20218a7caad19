from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from pydantic import JsonValue
from pydantic_core import to_jsonable_python

from testamur.application.errors import RetrievalError
from testamur.application.installation import Installation
from testamur.application.options import Renderers
from testamur.application.ports.event_store import NewEvents, RecordedEvent
from testamur.application.ports.retrieval import Needs
from testamur.application.standing import (
    NOT_KNOWN,
    ConfigurationStanding,
    LearnerStanding,
    Standings,
)
from testamur.domain.credential_types import Issuer, TypeDefinition
from testamur.domain.credentials import CredentialStatus, decide_award, decide_supersede
from testamur.domain.errors import InvalidInput, NotFound
from testamur.domain.evidence import CriterionResult
from testamur.domain.identifiers import (
    ConfigurationId,
    LearnerId,
    VerificationId,
    credential_id,
)
from tests.support.records import (
    COURSE,
    OTHER_COURSE,
    PATHWAY,
    RETRIEVED_AT,
    achievement,
    course,
    learner,
    pathway,
)
from tests.support.world import MONDAY, World

ANN = LearnerId("ann")


def standings(world: World, public_url: str | None = None) -> Standings:
    installation = Installation(ZoneInfo("UTC"), public_url=public_url)
    return Standings(
        world.configurations, world.credentials, world.source, world.clock, installation
    )


def standing(world: World, context_key: str = COURSE, of: str = ANN) -> LearnerStanding:
    return standings(world).of(context_key, LearnerId(of))


def only(found: LearnerStanding) -> ConfigurationStanding:
    (configuration,) = found.configurations
    return configuration


def configure(
    world: World, slug: str, kind: str, context_key: str = COURSE, **criteria: JsonValue
) -> ConfigurationId:
    """Define a type with these criteria, and put it to use."""
    type_ = TypeDefinition(
        name=f"Certificate: {slug}",
        issuer=Issuer(name="Example University"),
        criteria=kind,
        renderer="plain",
        options={"criteria": criteria},
    )
    world.types.define(slug, type_, world.request())
    return world.configurations.create(slug, context_key, world.request())


def told(results: Sequence[CriterionResult]) -> list[tuple[str, object, object, bool]]:
    return [
        (each.category or each.criterion, each.required, each.achieved, each.met)
        for each in results
    ]


def test_a_learner_is_told_what_is_required_what_is_reached_and_what_is_met() -> None:
    world = World()
    configuration = configure(
        world,
        "honours",
        "completion-and-grades",
        required_completion=0.8,
        required_grades={"exam": 0.5, "Total": 0.6},
    )
    world.source.facts_by_key[COURSE] = course(weights={"Exam": "1"}, name="Mathematics")
    world.source.learners[ANN] = learner(
        ANN, completion="0.9", grades={"Exam": ["11/20"], "Practice": ["0/5"]}
    )
    found = standing(world)
    assert (found.context_key, found.context_name, found.learner_id) == (COURSE, "Mathematics", ANN)
    assert (found.source, found.retrieved_at) == ("tests", MONDAY)
    honours = only(found)
    assert honours.configuration_id == configuration
    assert (honours.type_slug, honours.type_name) == ("honours", "Certificate: honours")
    assert honours.criteria == {
        "kind": "completion-and-grades",
        "required_completion": "0.8",
        "required_grades": {"exam": "0.5", "Total": "0.6"},
    }
    assert honours.eligible is False
    assert told(honours.results) == [
        ("enrolment", None, None, True),
        ("completion", Decimal("0.8"), Decimal("0.9"), True),
        ("Exam", Decimal("0.5"), Decimal("0.55"), True),
        ("total", Decimal("0.6"), Decimal("0.55"), False),
    ]
    exam = honours.results[2]
    assert (exam.earned, exam.possible) == (Decimal(11), Decimal(20))
    assert honours.unweighted_categories == ("Practice",)


def test_a_learner_who_meets_the_criteria_is_eligible() -> None:
    world = World()
    world.configure()
    world.enrol(ANN)
    assert only(standing(world)).eligible is True


def test_a_pathway_is_told_step_by_step_in_order_and_by_name() -> None:
    world = World()
    configure(
        world,
        "diploma",
        "completion",
        PATHWAY,
        required_completion=0.8,
        steps={COURSE: {"required_completion": 0.5}},
    )
    world.source.facts_by_key[PATHWAY] = replace(
        pathway(course(OTHER_COURSE, name="Physics"), course(COURSE)), name="Science"
    )
    world.source.learners[ANN] = learner(ANN, steps={COURSE: achievement("0.5")})
    found = standing(world, PATHWAY)
    assert found.context_name == "Science"
    diploma = only(found)
    assert diploma.eligible is False
    assert told(diploma.results) == [("enrolment", None, None, True)]
    physics, maths = diploma.steps
    assert (physics.context_key, physics.name, physics.met) == (OTHER_COURSE, "Physics", False)
    assert told(physics.results) == [
        ("enrolment", None, None, False),
        ("completion", Decimal("0.8"), Decimal(0), False),
    ]
    assert (maths.context_key, maths.name, maths.met) == (COURSE, COURSE, True)
    assert told(maths.results)[1] == ("completion", Decimal("0.5"), Decimal("0.5"), True)


def test_learners_know_a_course_by_its_name_not_by_the_one_for_certificates() -> None:
    world = World()
    world.configure()
    world.enrol(ANN)
    for names, shown in (
        ({"name": "Maths 1", "certificate_name": "Mathematics"}, "Maths 1"),
        ({"certificate_name": "Mathematics"}, "Mathematics"),
        ({}, COURSE),
    ):
        world.source.facts_by_key[COURSE] = course(**names)  # type: ignore[arg-type]
        assert standing(world).context_name == shown


def test_all_configurations_of_a_context_answer_and_no_others() -> None:
    world = World()
    for slug in ("gold", "bronze"):
        configure(world, slug, "completion")
    configure(world, "silver", "completion", OTHER_COURSE)
    world.enrol(ANN)
    assert [each.type_slug for each in standing(world).configurations] == ["bronze", "gold"]


def test_the_source_is_asked_anew_and_once_for_all_configurations() -> None:
    world = World()
    configure(world, "completion", "completion")
    configure(world, "grades", "grades", required_grades={"Exam": 0.5})
    world.enrol(ANN)
    standing(world)
    everything = Needs(completion=True, grades=True, not_before=None)
    assert world.source.asked == [everything, everything]  # for the facts, and for the record
    standing(world)
    assert len(world.source.asked) == 4


def test_a_source_that_need_not_tell_grades_is_not_asked_for_them() -> None:
    world = World()
    world.configure()
    world.enrol(ANN)
    standing(world)
    assert set(world.source.asked) == {Needs(completion=True, grades=False)}


def test_of_many_configurations_only_those_of_the_context_are_loaded() -> None:
    world = World()
    configuration = world.configure()
    for number in range(30):
        world.configure(f"course-v1:Uni+Course{number}+2026")
    world.enrol(ANN)
    loaded: list[UUID] = []
    load = world.events.load

    class WatchedEvents:
        def load(self, stream_id: UUID) -> list[RecordedEvent]:
            loaded.append(stream_id)
            return load(stream_id)

    watched = replace(world.configurations, events=WatchedEvents())  # type: ignore[arg-type]
    found = replace(standings(world), configurations=watched).of(COURSE, ANN)
    assert only(found).configuration_id == configuration
    assert set(loaded) == {configuration}


def test_the_record_says_when_it_was_read() -> None:
    world = World()
    world.configure()
    world.clock.advance(timedelta(days=1))
    read_at = RETRIEVED_AT - timedelta(minutes=5)
    world.source.learners[ANN] = replace(learner(ANN), retrieved_at=read_at)
    assert standing(world).retrieved_at == read_at


def test_a_disabled_configuration_is_told_of_as_disabled() -> None:
    world = World()
    configuration = world.configure()
    world.enrol(ANN)
    assert (only(standing(world)).enabled, only(standing(world)).eligible) == (False, True)
    world.configurations.enable(configuration, world.request())
    assert only(standing(world)).enabled is True


def test_what_is_retired_is_told_of_only_to_those_who_hold_it() -> None:
    world = World()
    of_retired_type = configure(world, "old", "completion")
    retired = configure(world, "older", "completion")
    kept = configure(world, "present", "completion")
    world.enrol(ANN)
    for configuration in (of_retired_type, retired):
        world.run(configuration)
    world.enrol("bob", "0.5")
    world.types.retire("old", "replaced", world.request())
    world.configurations.retire(retired, "over", world.request())
    old, older, present = standing(world).configurations
    assert (old.retired, older.retired, present.retired) == (True, True, False)
    for each in (old, older):
        assert (each.eligible, each.results, each.criteria) == (None, (), None)
        assert each.credential is not None
    assert only(standing(world, of="bob")).configuration_id == kept


def test_a_course_that_is_gone_does_not_hide_a_credential_of_what_is_retired() -> None:
    world = World()
    configuration = world.configure()
    world.enrol(ANN)
    world.run(configuration)
    world.configurations.retire(configuration, "the course is over", world.request())
    del world.source.facts_by_key[COURSE]
    found = standing(world)
    assert (found.context_name, found.retrieved_at) == (None, None)
    assert only(found).credential is not None


def test_the_credential_of_the_learner_comes_with_its_links() -> None:
    world = World()
    configuration = world.configure()
    world.enrol(ANN, name="Ann Example")
    world.run(configuration)
    held = only(standings(world, "https://example.org").of(COURSE, ANN)).credential
    assert held is not None
    assert held.credential_id == credential_id(configuration, ANN)
    assert (held.status, held.edition) == (CredentialStatus.ISSUED, 1)
    assert held.award_date == MONDAY.date()
    assert held.verify_url == f"https://example.org/verify/{held.verification_id}"
    assert held.download_url == f"https://example.org/documents/{held.verification_id}"
    without_public_url = only(standing(world)).credential
    assert without_public_url is not None
    assert (without_public_url.verify_url, without_public_url.download_url) == (None, None)


def test_a_revoked_credential_is_told_of_with_the_reason_and_without_its_document() -> None:
    world = World()
    configuration = world.configure()
    world.enrol(ANN)
    world.run(configuration)
    world.revoke(credential_id(configuration, ANN))
    revoked = only(standings(world, "https://example.org").of(COURSE, ANN))
    assert revoked.eligible is True
    assert revoked.credential is not None
    assert revoked.credential.status is CredentialStatus.REVOKED
    assert revoked.credential.revocation_reason == "issued by mistake"
    assert revoked.credential.download_url is None
    assert revoked.credential.verify_url is not None


def test_of_several_editions_the_latest_is_told_of() -> None:
    world = World()
    configuration = world.configure()
    world.enrol(ANN)
    world.run(configuration)
    first, second = (credential_id(configuration, ANN, edition) for edition in (1, 2))
    awarded = world.credentials.get(first).awarded
    reissued = awarded.model_copy(
        update={"edition": 2, "replaces": first, "verification_id": VerificationId("second")}
    )
    world.events.append(
        [
            NewEvents(
                first,
                len(world.events.load(first)),
                decide_supersede(world.credentials.get(first), second),
            ),
            NewEvents(second, 0, decide_award(None, reissued)),
        ],
        world.request().attribution(world.clock),
    )
    held = only(standing(world)).credential
    assert held is not None
    assert (held.credential_id, held.edition) == (second, 2)
    assert held.status is CredentialStatus.AWARDED
    assert held.verification_id == "second"


def test_a_learner_who_unenrolled_is_told_that_and_what_they_reached() -> None:
    world = World()
    world.configure()
    world.source.learners[ANN] = learner(ANN, enrolled=False, completion="1")
    left = only(standing(world))
    assert left.eligible is False
    assert told(left.results) == [
        ("enrolment", None, None, False),
        ("completion", Decimal("0.9"), Decimal(1), True),
    ]


def test_a_learner_who_is_gone_from_the_source_still_sees_their_credential() -> None:
    world = World()
    configuration = world.configure()
    configure(world, "honours", "completion")
    world.enrol(ANN)
    world.run(configuration)
    del world.source.learners[ANN]
    completion, honours = standing(world).configurations
    assert completion.credential is not None
    assert honours.credential is None
    for each in (completion, honours):
        assert (each.eligible, each.results, each.left_out) == (None, (), NOT_KNOWN)
        assert each.criteria is not None


def test_a_learner_known_neither_to_the_source_nor_by_a_credential_here_is_not_found() -> None:
    world = World()
    elsewhere = world.configure(OTHER_COURSE)
    world.source.facts_by_key[OTHER_COURSE] = course(OTHER_COURSE)
    world.enrol(ANN)
    world.run(elsewhere)
    del world.source.learners[ANN]
    world.configure()
    with pytest.raises(NotFound, match=r"no learner of course-v1:Uni\+Maths\+2026 'ann'"):
        standing(world)


def test_a_learner_of_whom_the_source_cannot_tell_is_told_why() -> None:
    world = World()
    world.configure()
    record = replace(learner(ANN, completion="1"), left_out="the LMS does not show their grades")
    world.source.learners[ANN] = record
    untold = only(standing(world))
    assert (untold.eligible, untold.results) == (None, ())
    assert untold.left_out == "the LMS does not show their grades"


def test_where_nothing_is_configured_the_answer_is_empty_and_nobody_is_asked() -> None:
    world = World()
    world.configure(OTHER_COURSE)
    del world.source.facts_by_key[COURSE]
    found = standing(world)
    assert (found.configurations, found.retrieved_at) == ((), None)
    assert world.source.asked == []


def test_criteria_that_do_not_do_any_more_keep_the_others_from_nothing() -> None:
    world = World()
    world.define_type("changed")
    world.configurations.create(
        "changed", COURSE, world.request(), options={"criteria": {"required_completion": 0.5}}
    )
    configure(world, "kept", "completion")
    revised = TypeDefinition(
        name="By grades",
        issuer=Issuer(name="Example University"),
        criteria="grades",
        renderer="plain",
        options={"criteria": {"required_grades": {"Exam": 0.5}}},
    )
    world.types.revise("changed", revised, world.request())
    world.enrol(ANN)
    changed, kept = standing(world).configurations
    assert (changed.eligible, changed.criteria, changed.results) == (None, None, ())
    assert changed.problem is not None
    assert "criteria.required_completion" in changed.problem
    assert (kept.eligible, kept.problem) == (True, None)


def test_a_renderer_that_is_gone_does_not_hide_what_the_learner_has_reached() -> None:
    world = World()
    world.configure()
    world.enrol(ANN)
    without_renderers = replace(world.configurations, renderers=Renderers({}))
    found = replace(standings(world), configurations=without_renderers).of(COURSE, ANN)
    assert only(found).eligible is True


def test_a_malformed_context_key_is_refused() -> None:
    with pytest.raises(InvalidInput, match="context_key"):
        standing(World(), "maths")


def test_a_source_that_cannot_answer_is_not_passed_over() -> None:
    world = World()
    world.configure(OTHER_COURSE)
    with pytest.raises(RetrievalError):
        standing(world, OTHER_COURSE)
    world.configure()
    world.enrol(ANN)
    world.source.fails_after_pages = 0
    with pytest.raises(RetrievalError):
        standing(world)


def test_nothing_is_written_and_nothing_personal_is_told() -> None:
    world = World()
    configuration = world.configure()
    world.enrol(ANN, name="Ann Example", email="a.example@example.org")
    world.run(configuration)
    before = list(world.events.log())
    document = str(to_jsonable_python(standing(world)))
    assert list(world.events.log()) == before
    assert "Ann Example" not in document
    assert "a.example@example.org" not in document
    assert "'ann'" in document


def test_the_configurations_of_a_context_are_found_retired_or_not() -> None:
    world = World()
    retired = configure(world, "old", "completion")
    present = configure(world, "present", "completion")
    configure(world, "elsewhere", "completion", OTHER_COURSE)
    world.configurations.retire(retired, "over", world.request())
    found = world.configurations.of_context(COURSE)
    assert [id_ for id_, _ in found] == [retired, present]
    with pytest.raises(InvalidInput):
        world.configurations.of_context("maths")
