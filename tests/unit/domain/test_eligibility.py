"""Who is eligible, and what the evidence says about it."""

import decimal
from datetime import timedelta
from decimal import Decimal

import pytest

from testamur.domain.criteria import (
    CompletionAndGradeCriteria,
    CompletionCriteria,
    GradeCriteria,
    PathwayCriteria,
)
from testamur.domain.eligibility import Verdict, judge
from testamur.domain.evidence import CriterionResult, Evidence
from tests.support.records import (
    COURSE,
    OTHER_COURSE,
    RETRIEVED_AT,
    achievement,
    course,
    inquiry,
    learner,
    pathway,
)


def completion(required: str = "0.9") -> CompletionCriteria:
    return CompletionCriteria(required_completion=Decimal(required))


def grades(**required: str) -> GradeCriteria:
    return GradeCriteria(required_grades={name: Decimal(share) for name, share in required.items()})


def result(verdict: Verdict, criterion: str, step: str | None = None) -> CriterionResult:
    """Return the one result of a criterion."""
    [found] = [
        result
        for result in verdict.evidence.results
        if result.criterion == criterion and result.step == step
    ]
    return found


# Enrolment


def test_a_learner_who_is_not_enrolled_is_not_eligible_whatever_they_achieved() -> None:
    top = learner(completion="1", grades={"Homework": ["10/10"]}, enrolled=False)
    criteria = CompletionAndGradeCriteria(required_grades={"Homework": Decimal("0.5")})

    verdict = judge(top, inquiry(criteria))

    assert not verdict.eligible
    assert [each.met for each in verdict.evidence.results] == [False, True, True]


# Completion


@pytest.mark.parametrize(
    ("completed", "eligible"),
    [
        ("0.9", True),
        ("0.90000", True),
        ("0.8999999999999999", False),
        ("0.9000000000000001", True),
        ("1", True),
        ("0", False),
        (None, False),
    ],
)
def test_nine_tenths_completed_are_enough(completed: str | None, eligible: bool) -> None:
    verdict = judge(learner(completion=completed), inquiry(completion("0.9")))

    assert verdict.eligible is eligible


def test_completion_that_nobody_knows_counts_as_none() -> None:
    verdict = judge(learner(completion=None), inquiry(completion("0.9")))

    assert result(verdict, "completion") == CriterionResult(
        criterion="completion", required=Decimal("0.9"), achieved=Decimal(0), met=False
    )
    assert judge(learner(completion=None), inquiry(completion("0"))).eligible


def test_grades_do_not_matter_for_completion() -> None:
    verdict = judge(learner(completion="1", grades={"Lab": ["0/9"]}), inquiry(completion()))

    assert verdict.eligible
    assert verdict.evidence.unweighted_categories == ()


# Grades


def test_a_category_is_the_sum_of_points_over_the_sum_of_what_is_possible() -> None:
    # The mean of 100 % and 10 % is 55 %; 10 of 10 and 9 of 90 points are 19 %.
    verdict = judge(
        learner(grades={"Homework": ["10/10", "9/90"]}), inquiry(grades(Homework="0.55"))
    )

    assert not verdict.eligible
    assert result(verdict, "grade") == CriterionResult(
        criterion="grade",
        category="Homework",
        required=Decimal("0.55"),
        achieved=Decimal("0.19"),
        earned=Decimal(19),
        possible=Decimal(100),
        met=False,
    )


def test_what_was_not_attempted_counts_as_none_of_its_points() -> None:
    attempted = learner(grades={"Homework": ["6/10"]})
    half_attempted = learner(grades={"Homework": ["6/10", "0/10"]})

    assert judge(attempted, inquiry(grades(Homework="0.5"))).eligible
    assert not judge(half_attempted, inquiry(grades(Homework="0.5"))).eligible


def test_nothing_is_dropped() -> None:
    work = learner(grades={"Homework": ["10/10", "10/10", "0/10"]})

    assert not judge(work, inquiry(grades(Homework="0.67"))).eligible
    assert result(judge(work, inquiry(grades(Homework="0.67"))), "grade").achieved == Decimal(
        "0.6666666666"
    )


def test_work_worth_no_points_is_left_out() -> None:
    work = learner(grades={"Homework": ["5/10", "0/0", "3/0"], "Survey": ["0/0"]})
    facts = course(weights={"Homework": "1"})

    verdict = judge(work, inquiry(grades(Homework="0.5", Total="0.5"), facts))

    assert verdict.eligible
    assert result(verdict, "grade").earned == 5
    assert verdict.evidence.unweighted_categories == ()


def test_a_required_category_that_the_learner_does_not_have_is_not_met() -> None:
    for elsewhere in ({}, {"Homework": ["10/10"]}, {"Exam": ["0/0"]}):
        verdict = judge(learner(grades=elsewhere), inquiry(grades(Exam="0")))

        assert not verdict.eligible
        assert result(verdict, "grade") == CriterionResult(
            criterion="grade", category="Exam", required=Decimal(0), met=False
        )


def test_every_required_category_has_to_be_met() -> None:
    work = learner(grades={"Homework": ["10/10"], "Exam": ["5/10"]})

    assert judge(work, inquiry(grades(Homework="1", Exam="0.5"))).eligible
    assert not judge(work, inquiry(grades(Homework="1", Exam="0.51"))).eligible


def test_a_category_that_is_not_required_may_be_at_nothing() -> None:
    work = learner(grades={"Homework": ["10/10"], "Exam": ["0/10"]})

    assert judge(work, inquiry(grades(Homework="1"))).eligible


@pytest.mark.parametrize("spelling", ["final exam", "FINAL EXAM", " Final\tExam ", "Final  Exam"])
def test_categories_match_without_case_and_white_space(spelling: str) -> None:
    criteria = GradeCriteria(required_grades={spelling: Decimal("0.5"), "Total": Decimal("0.5")})
    facts = course(weights={spelling.upper(): "1"})

    verdict = judge(learner(grades={"Final Exam": ["5/10"]}), inquiry(criteria, facts))

    assert verdict.eligible
    assert result(verdict, "grade").category == "Final Exam", "as the data source spells it"


def test_two_spellings_of_a_category_are_one_category() -> None:
    work = learner(grades={"Homework": ["10/10"], "HOMEWORK": ["0/10"]})

    verdict = judge(work, inquiry(grades(homework="0.5")))

    assert verdict.eligible
    assert result(verdict, "grade").possible == 20


# Total


@pytest.mark.parametrize("total", ["Total", "total", "TOTAL", " Total "])
def test_the_total_is_the_sum_of_shares_by_weight(total: str) -> None:
    criteria = GradeCriteria(required_grades={total: Decimal("0.62")})
    facts = course(weights={"Homework": "0.4", "Exam": "0.6"})
    work = learner(grades={"Homework": ["8/10"], "Exam": ["5/10"]})

    verdict = judge(work, inquiry(criteria, facts))

    assert verdict.eligible
    assert result(verdict, "total") == CriterionResult(
        criterion="total", required=Decimal("0.62"), achieved=Decimal("0.62"), met=True
    )
    assert not judge(
        work, inquiry(GradeCriteria(required_grades={total: Decimal("0.6200000001")}), facts)
    ).eligible


def test_exactly_55_percent_passes_where_55_percent_are_required() -> None:
    # Two categories at 55 % each, and at 40 % and 70 % in equal parts, in every weighting by
    # hundredths; in binary floats most of the first fail.
    same = learner(grades={"Homework": ["11/20"], "Exam": ["5.5/10"]})
    for hundredths in range(101):
        facts = course(weights={"Homework": f"{hundredths}e-2", "Exam": f"{100 - hundredths}e-2"})
        assert judge(same, inquiry(grades(Total="0.55"), facts)).eligible, facts.weights
    for earned, other in ((4, 7), (7, 4), (1, 10), (3, 8)):
        mixed = learner(grades={"Homework": [f"{earned}/10"], "Exam": [f"{other}/10"]})
        facts = course(weights={"Homework": "0.5", "Exam": "0.5"})
        assert judge(mixed, inquiry(grades(Total="0.55"), facts)).eligible


@pytest.mark.parametrize("possible", [20, 40, 60, 100, 140, 200, 340, 1000])
def test_exactly_55_percent_of_a_category_passes(possible: int) -> None:
    earned = possible * 55 // 100
    exact = learner(grades={"Homework": [f"{earned}/{possible}"]})
    short = learner(grades={"Homework": [f"{earned - Decimal('0.0000001')}/{possible}"]})

    assert judge(exact, inquiry(grades(Homework="0.55"))).eligible
    assert not judge(short, inquiry(grades(Homework="0.55"))).eligible


def test_thirds_add_up_exactly() -> None:
    facts = course(weights={"A": "0.3", "B": "0.3", "C": "0.4"})
    thirds = learner(grades={"A": ["1/3"], "B": ["2/3"], "C": ["1/1"]})

    # 0.3 / 3 + 0.6 / 3 + 0.4 is 0.7 and nothing less.
    assert judge(thirds, inquiry(grades(Total="0.7"), facts)).eligible
    assert not judge(thirds, inquiry(grades(Total="0.7000000001"), facts)).eligible


def test_a_category_without_weight_excludes_only_itself_and_is_reported() -> None:
    facts = course(weights={"Homework": "1"})
    work = learner(grades={"Homework": ["8/10"], "Practice": ["0/10"], "Bonus": ["10/10"]})

    verdict = judge(work, inquiry(grades(Total="0.8", Bonus="1"), facts))

    assert verdict.eligible
    assert result(verdict, "total").achieved == Decimal("0.8")
    assert verdict.evidence.unweighted_categories == ("Bonus", "Practice")


def test_a_category_of_weight_nothing_adds_nothing_and_is_not_reported() -> None:
    facts = course(weights={"Homework": "1", "Practice": "0"})
    work = learner(grades={"Homework": ["8/10"], "Practice": ["10/10"]})

    verdict = judge(work, inquiry(grades(Total="0.8"), facts))

    assert verdict.eligible
    assert verdict.evidence.unweighted_categories == ()


def test_weights_need_not_sum_to_one() -> None:
    facts = course(weights={"Homework": "0.2", "Exam": "0.2"})
    work = learner(grades={"Homework": ["10/10"], "Exam": ["10/10"]})

    assert judge(work, inquiry(grades(Total="0.4"), facts)).eligible
    assert not judge(work, inquiry(grades(Total="0.41"), facts)).eligible


def test_a_learner_without_graded_work_has_a_total_of_nothing() -> None:
    assert not judge(learner(), inquiry(grades(Total="0.01"))).eligible
    assert judge(learner(), inquiry(grades(Total="0"))).eligible


def test_a_share_shown_never_reads_as_more_than_it_is() -> None:
    nearly = learner(grades={"Homework": ["54.999999999999/100"]})

    verdict = judge(nearly, inquiry(grades(Homework="0.55")))

    assert not verdict.eligible
    assert result(verdict, "grade").achieved == Decimal("0.5499999999")
    assert result(verdict, "grade").earned == Decimal("54.999999999999")


def test_the_host_application_s_decimal_precision_does_not_matter() -> None:
    facts = course(weights={"Homework": "0.5", "Exam": "0.5"})
    work = learner(grades={"Homework": ["1.2345/9", "7.6543/9"], "Exam": ["2/3"]})
    criteria = grades(Total="0.58024691", Homework="0.4938222222")
    verdict = judge(work, inquiry(criteria, facts))

    with decimal.localcontext() as context:
        context.prec = 2
        assert judge(work, inquiry(criteria, facts)) == verdict
    assert result(verdict, "grade").earned == Decimal("8.8888")


def test_points_of_any_precision_are_added_without_rounding() -> None:
    crumb = "0.0000000000000000000000000000000000000001"
    exact = learner(grades={"Homework": ["54/99", f"1/{crumb}"]})

    added = result(judge(exact, inquiry(grades(Homework="0.5"))), "grade")

    assert added.earned == 55
    assert str(added.possible) == f"99{crumb[1:]}"


# Completion and grades


@pytest.mark.parametrize(
    ("completed", "points", "eligible"),
    [("0.9", "5/10", True), ("0.89", "5/10", False), ("0.9", "4/10", False), (None, "4/10", False)],
)
def test_completion_and_grades_have_both_to_be_met(
    completed: str | None, points: str, eligible: bool
) -> None:
    criteria = CompletionAndGradeCriteria(required_grades={"Exam": Decimal("0.5")})

    verdict = judge(learner(completion=completed, grades={"Exam": [points]}), inquiry(criteria))

    assert verdict.eligible is eligible


# Pathways


def test_a_pathway_is_earned_in_every_step() -> None:
    facts = pathway(course(COURSE), course(OTHER_COURSE))
    criteria = PathwayCriteria(every_step=completion())

    def eligible(completed: dict[str, str]) -> bool:
        achieved = {key: achievement(done) for key, done in completed.items()}
        return judge(learner(steps=achieved), inquiry(criteria, facts)).eligible

    assert eligible({COURSE: "0.9", OTHER_COURSE: "1"})
    assert not eligible({COURSE: "0.89", OTHER_COURSE: "1"})
    assert not eligible({COURSE: "1", OTHER_COURSE: "0.89"})
    assert not eligible({COURSE: "1"})
    assert not eligible({})


def test_who_is_not_enrolled_in_the_pathway_does_not_earn_it() -> None:
    everything = learner(steps={COURSE: achievement("1")}, enrolled=False)
    criteria = PathwayCriteria(every_step=completion())

    assert not judge(everything, inquiry(criteria, pathway(course(COURSE)))).eligible


def test_who_is_not_enrolled_in_a_step_does_not_earn_the_pathway_even_if_it_requires_nothing() -> (
    None
):
    facts = pathway(course(COURSE), course(OTHER_COURSE))
    criteria = PathwayCriteria(every_step=completion("0"))

    verdict = judge(learner(steps={COURSE: achievement("1")}), inquiry(criteria, facts))

    assert not verdict.eligible
    assert result(verdict, "enrolment", COURSE).met
    assert not result(verdict, "enrolment", OTHER_COURSE).met


def test_the_options_of_a_step_replace_those_of_the_pathway() -> None:
    facts = pathway(course(COURSE, weights={"Exam": "1"}), course(OTHER_COURSE))
    criteria = PathwayCriteria(every_step=completion(), steps={COURSE: grades(Total="0.5")})
    uncompleted = learner(
        steps={
            COURSE: achievement("0", {"Exam": ["5/10"]}),
            OTHER_COURSE: achievement("0.9"),
        }
    )

    verdict = judge(uncompleted, inquiry(criteria, facts))

    assert verdict.eligible
    assert [(each.criterion, each.step) for each in verdict.evidence.results] == [
        ("enrolment", None),
        ("enrolment", COURSE),
        ("total", COURSE),
        ("enrolment", OTHER_COURSE),
        ("completion", OTHER_COURSE),
    ]


def test_each_step_is_weighted_by_its_own_policy() -> None:
    facts = pathway(
        course(COURSE, weights={"Exam": "1"}), course(OTHER_COURSE, weights={"Lab": "1"})
    )
    criteria = PathwayCriteria(every_step=grades(Total="0.5"))
    work = {"Exam": ["10/10"], "Lab": ["2/10"]}
    both = learner(steps={COURSE: achievement(grades=work), OTHER_COURSE: achievement(grades=work)})

    verdict = judge(both, inquiry(criteria, facts))

    assert result(verdict, "total", COURSE).achieved == 1
    assert result(verdict, "total", OTHER_COURSE).achieved == Decimal("0.2")
    assert verdict.evidence.unweighted_categories == ("Exam", "Lab")


def test_a_pathway_without_steps_is_earned_by_nobody() -> None:
    criteria = PathwayCriteria(every_step=completion("0"))

    assert not judge(learner(completion="1"), inquiry(criteria, pathway())).eligible


def test_what_was_achieved_outside_the_pathway_s_courses_does_not_count() -> None:
    criteria = PathwayCriteria(every_step=completion())
    elsewhere = learner(completion="1", steps={OTHER_COURSE: achievement("1")})

    assert not judge(elsewhere, inquiry(criteria, pathway(course(COURSE)))).eligible


# Evidence


def test_the_evidence_says_what_was_required_and_reached_whether_met_or_not() -> None:
    criteria = CompletionAndGradeCriteria.model_validate(
        {"required_completion": 0.8, "required_grades": {"Exam": 0.5, "Lab": 0.5, "Total": 0.6}}
    )
    facts = course(weights={"Exam": "1"})
    work = learner("learner-7", completion="0.75", grades={"Exam": ["2/3", "0/1"], "Quiz": ["1/1"]})

    verdict = judge(work, inquiry(criteria, facts))

    assert not verdict.eligible
    assert verdict.learner_id == "learner-7"
    assert verdict.evidence == Evidence(
        criteria={
            "kind": "completion-and-grades",
            "required_completion": "0.8",
            "required_grades": {"Exam": "0.5", "Lab": "0.5", "Total": "0.6"},
        },
        results=(
            CriterionResult(criterion="enrolment", met=True),
            CriterionResult(
                criterion="completion",
                required=Decimal("0.8"),
                achieved=Decimal("0.75"),
                met=False,
            ),
            CriterionResult(
                criterion="grade",
                category="Exam",
                required=Decimal("0.5"),
                achieved=Decimal("0.5"),
                earned=Decimal(2),
                possible=Decimal(4),
                met=True,
            ),
            CriterionResult(criterion="grade", category="Lab", required=Decimal("0.5"), met=False),
            CriterionResult(
                criterion="total", required=Decimal("0.6"), achieved=Decimal("0.5"), met=False
            ),
        ),
        unweighted_categories=("Quiz",),
        source="tests",
        retrieved_at=RETRIEVED_AT,
    )


def test_the_criteria_in_the_evidence_are_those_of_the_pathway() -> None:
    criteria = PathwayCriteria(every_step=completion(), steps={COURSE: completion("0.5")})

    verdict = judge(learner(), inquiry(criteria, pathway(course(COURSE))))

    assert verdict.evidence.criteria == {
        "kind": "pathway",
        "every_step": {"kind": "completion", "required_completion": "0.9"},
        "steps": {COURSE: {"kind": "completion", "required_completion": "0.5"}},
    }


def test_verdicts_of_one_inquiry_do_not_share_what_could_be_changed() -> None:
    asked = inquiry(completion())
    one, other = judge(learner("a"), asked), judge(learner("b"), asked)

    one.evidence.criteria["kind"] = "changed"

    assert other.evidence.criteria["kind"] == "completion"


def test_the_evidence_says_when_and_where_it_was_asked() -> None:
    evidence = judge(learner(), inquiry(completion())).evidence

    assert (evidence.source, evidence.retrieved_at) == ("tests", RETRIEVED_AT)
    assert evidence.retrieved_at.utcoffset() == timedelta(0)
    assert evidence.note is None
