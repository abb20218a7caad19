"""Eligibility against a second opinion: the same rules, written another way with fractions."""

import re
from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from hypothesis import assume, given
from hypothesis import strategies as st

from testamur.domain.criteria import (
    AnyCourseCriteria,
    CompletionCriteria,
    GradeCriteria,
    PathwayCriteria,
)
from testamur.domain.eligibility import AnyCriteria, judge
from testamur.domain.evidence import Evidence
from testamur.domain.learning import Achievement, ContextFacts, GradedSubsection, LearnerRecord
from tests.support.domain_strategies import (
    course_criteria,
    course_facts,
    course_records,
    pathway_criteria,
    pathway_facts,
    pathway_records,
    tries,
)
from tests.support.records import course, inquiry, learner

Case = tuple[LearnerRecord, AnyCriteria, ContextFacts]
cases: st.SearchStrategy[Case] = st.tuples(
    course_records, course_criteria, course_facts
) | st.tuples(pathway_records, pathway_criteria, pathway_facts)
hundredths = st.integers(0, 100).map(lambda percent: Decimal(percent) / 100)


# The second opinion


def plain(name: str) -> str:
    return re.sub(r"\s+", " ", name).strip().casefold()


def shares(work: tuple[GradedSubsection, ...]) -> dict[str, Fraction]:
    earned: dict[str, Fraction] = defaultdict(Fraction)
    possible: dict[str, Fraction] = defaultdict(Fraction)
    for each in work:
        if each.possible > 0:
            earned[plain(each.category)] += Fraction(each.earned)
            possible[plain(each.category)] += Fraction(each.possible)
    return {category: earned[category] / possible[category] for category in possible}


def meets(done: Achievement, required: AnyCourseCriteria, policy: ContextFacts) -> bool:
    if not isinstance(required, GradeCriteria) and Fraction(done.completion or 0) < Fraction(
        required.required_completion
    ):
        return False
    if isinstance(required, CompletionCriteria):
        return True
    reached = shares(done.subsections)
    weights = {plain(name): Fraction(weight) for name, weight in policy.weights.items()}
    total = sum((reached[name] * weights.get(name, 0) for name in reached), Fraction(0))
    return all(
        (total if plain(name) == "total" else reached.get(plain(name), Fraction(-1)))
        >= Fraction(share)
        for name, share in required.required_grades.items()
    )


def earns(record: LearnerRecord, required: AnyCriteria, context: ContextFacts) -> bool:
    if not record.enrolled:
        return False
    if not isinstance(required, PathwayCriteria):
        return meets(record.achievement, required, context)
    return len(context.steps) > 0 and all(
        step.key in record.steps
        and meets(record.steps[step.key], required.steps.get(step.key, required.every_step), step)
        for step in context.steps
    )


# Properties


@tries(80)
@given(case=cases)
def test_the_verdict_is_that_of_the_second_opinion(case: Case) -> None:
    record, required, context = case
    verdict = judge(record, inquiry(required, context))

    assert verdict.eligible == earns(record, required, context)
    assert verdict.learner_id == record.learner_id


@tries(30)
@given(
    weights=st.lists(st.integers(1, 99), min_size=1, max_size=5),
    scales=st.lists(st.integers(1, 60), min_size=5, max_size=5),
    percent=st.integers(1, 100),
)
def test_exactly_what_is_required_passes_in_every_weighting(
    weights: list[int], scales: list[int], percent: int
) -> None:
    # Every category stands at exactly the required share, whatever it is worth.
    share = Decimal(percent) / 100
    grades = {
        f"C{number}": [f"{percent * scale}/{100 * scale}"]
        for number, scale in zip(range(len(weights)), scales, strict=False)
    }
    by_thousandths = {
        f"C{number}": str(Decimal(weight) / 1000) for number, weight in enumerate(weights)
    }
    most = sum(map(Decimal, by_thousandths.values()))
    at_share = GradeCriteria(required_grades={"Total": share * most, "C0": share})
    asked = inquiry(at_share, course(weights=by_thousandths))

    assert judge(learner(grades=grades), asked).eligible

    # A millionth of a point less does not pass.
    grades["C0"] = [f"{percent * scales[0] - Decimal('0.000001')}/{100 * scales[0]}"]
    assert not judge(learner(grades=grades), asked).eligible


@tries(30)
@given(case=cases)
def test_the_evidence_explains_the_verdict(case: Case) -> None:
    record, required, context = case
    verdict = judge(record, inquiry(required, context))
    results = verdict.evidence.results

    assert results[0].criterion == "enrolment"
    assert verdict.eligible == (len(results) > 1 and all(result.met for result in results))
    for result in results:
        # Whoever reads the numbers shown comes to the same answer as the exact ones gave.
        if result.required is not None:
            reached = result.achieved
            assert result.met == (reached is not None and reached >= result.required)
        if result.earned is not None and result.possible is not None:
            assert result.achieved is not None
            assert (
                0
                <= Fraction(result.earned) / Fraction(result.possible) - Fraction(result.achieved)
                < Fraction(1, 10**10)
            )


@tries(30)
@given(case=cases)
def test_the_evidence_lists_every_criterion_once_in_order(case: Case) -> None:
    record, required, context = case

    def of_course(applied: AnyCourseCriteria, step: str | None) -> list[tuple[str, str | None]]:
        listed: list[tuple[str, str | None]] = []
        if not isinstance(applied, GradeCriteria):
            listed.append(("completion", step))
        if not isinstance(applied, CompletionCriteria):
            listed += [
                ("total" if plain(name) == "total" else "grade", step)
                for name in applied.required_grades
            ]
        return listed

    expected: list[tuple[str, str | None]] = [("enrolment", None)]
    if isinstance(required, PathwayCriteria):
        for step in context.steps:
            expected.append(("enrolment", step.key))
            expected += of_course(required.of_step(step.key), step.key)
    else:
        expected += of_course(required, None)

    evidence = judge(record, inquiry(required, context)).evidence

    assert [(result.criterion, result.step) for result in evidence.results] == expected


@tries(30)
@given(case=cases)
def test_evidence_reads_back_from_json_digit_for_digit(case: Case) -> None:
    record, required, context = case
    evidence = judge(record, inquiry(required, context)).evidence

    read = Evidence.model_validate_json(evidence.model_dump_json())

    assert read == evidence
    assert repr(read.results) == repr(evidence.results)


def improved(data: st.DataObject, done: Achievement) -> Achievement:
    more = st.integers(0, 5).map(Decimal)
    completion = done.completion or Decimal(0)
    return Achievement(
        completion + data.draw(hundredths),
        tuple(replace(each, earned=each.earned + data.draw(more)) for each in done.subsections),
    )


@tries(40)
@given(data=st.data(), case=cases)
def test_whoever_achieves_more_never_loses_eligibility(data: st.DataObject, case: Case) -> None:
    record, required, context = case
    better = LearnerRecord(
        record.learner_id,
        record.enrolled or data.draw(st.booleans()),
        improved(data, record.achievement),
        {key: improved(data, done) for key, done in record.steps.items()},
    )
    asked = inquiry(required, context)

    assert judge(better, asked).eligible >= judge(record, asked).eligible


def stricter(data: st.DataObject, required: AnyCourseCriteria) -> AnyCourseCriteria:
    def raised(share: Decimal) -> Decimal:
        return data.draw(st.sampled_from([share, (share + 1) / 2, Decimal(1)]))

    changed: dict[str, object] = {}
    if not isinstance(required, GradeCriteria):
        changed["required_completion"] = raised(required.required_completion)
    if not isinstance(required, CompletionCriteria):
        changed["required_grades"] = {
            name: raised(share) for name, share in required.required_grades.items()
        }
    return required.model_copy(update=changed)


@tries(40)
@given(data=st.data(), case=cases)
def test_raising_a_requirement_never_makes_anybody_eligible(
    data: st.DataObject, case: Case
) -> None:
    record, required, context = case
    assume(not judge(record, inquiry(required, context)).eligible)
    harder: AnyCriteria
    if isinstance(required, PathwayCriteria):
        harder = PathwayCriteria(
            every_step=stricter(data, required.every_step),
            steps={key: stricter(data, each) for key, each in required.steps.items()},
        )
    else:
        harder = stricter(data, required)

    assert not judge(record, inquiry(harder, context)).eligible


@tries(30)
@given(case=cases, data=st.data())
def test_the_order_of_the_work_does_not_matter(case: Case, data: st.DataObject) -> None:
    record, required, context = case
    shuffled = data.draw(st.permutations(record.achievement.subsections))
    reordered = replace(
        record, achievement=replace(record.achievement, subsections=tuple(shuffled))
    )
    asked = inquiry(required, context)

    assert judge(reordered, asked).eligible == judge(record, asked).eligible
