"""Points of work that was not attempted: restored where they are known, asked for where needed."""

from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testamur.adapters.open_edx.points import (
    BETWEEN,
    GAP,
    CannotTell,
    CoursePoints,
    KnownPoints,
    Layout,
    Module,
    Restoring,
    filled,
    matters,
    unseen,
)
from testamur.domain.learning import GradedSubsection

LAYOUT: Layout = (
    Module("hw1", "Homework"),
    Module("hw2", "Homework"),
    Module("exam", "Exam"),
)


def known(**seen: Sequence[str]) -> KnownPoints:
    """Return points as seen of other learners, by subsection."""
    points = KnownPoints()
    for module_id, possible in seen.items():
        for each in possible:
            points.add(module_id, each)
    return points


def restored(work: str, points: KnownPoints, lesson: str | None = None) -> list[str] | str:
    """Return the points of each subsection that is left, or why they cannot be told."""
    found = Restoring([LAYOUT], points, lesson).subsections(0, work)
    if isinstance(found, CannotTell):
        return found.module_id
    return [f"{each.subsection_id} {each.earned}/{each.possible}" for each in found]


def test_what_was_attempted_stays_as_it_is() -> None:
    assert restored("5/10 0/10 7.5/20", known()) == ["hw1 5/10", "hw2 0/10", "exam 7.5/20"]


def test_what_was_not_attempted_is_worth_what_it_is_worth_to_all_others() -> None:
    points = known(hw2=["8", "8", "8"], exam=["20"])
    assert restored("5/10 - -", points) == ["hw1 5/10", "hw2 0/8", "exam 0/20"]


def test_where_others_disagree_a_learner_with_points_in_the_category_cannot_be_judged() -> None:
    assert restored("5/10 - 1/20", known(hw2=["8", "9"])) == "hw2"


def test_where_nobody_knows_a_learner_with_points_in_the_category_cannot_be_judged() -> None:
    assert restored("5/10 - 1/20", known()) == "hw2"


def test_where_others_disagree_a_learner_without_points_gets_the_most_common() -> None:
    points = known(hw2=["8", "9", "9"])
    assert restored("0/10 - 1/20", points) == ["hw1 0/10", "hw2 0/9", "exam 1/20"]


def test_where_nobody_knows_it_is_left_out_for_a_learner_without_points() -> None:
    assert restored("0/10 - 1/20", known()) == ["hw1 0/10", "exam 1/20"]


def test_a_category_never_vanishes_silently() -> None:
    assert restored("5/10 5/10 -", known()) == "exam"


def test_a_category_of_nothing_but_unpaid_work_counts_as_vanished() -> None:
    assert restored("0/0 - 1/20", known()) == "hw2"


def test_categories_are_told_apart_as_the_criteria_do() -> None:
    layout = (Module("a", "Home Work"), Module("b", "home  work"))
    found = Restoring([layout], known()).subsections(0, "1/2 -")
    assert found == CannotTell("b")


def test_all_learners_worth_nothing_agree_too() -> None:
    assert restored("5/10 - 1/20", known(hw2=["0"])) == ["hw1 5/10", "hw2 0/0", "exam 1/20"]


def test_the_most_common_points_are_not_none_at_all_if_some_have_points() -> None:
    assert known(hw2=["0", "0", "8"]).most_common("hw2") == "8"


def test_a_lesson_is_looked_at_alone() -> None:
    assert restored("5/10 - 1/20", known(), "exam") == ["exam 1/20"]


def test_a_lesson_not_attempted_only_needs_some_points_to_be_nothing_of() -> None:
    points = known(hw2=["8", "9", "9"])
    assert restored("5/10 - 1/20", points, "hw2") == ["hw2 0/9"]


def test_a_lesson_whose_points_nobody_knows_cannot_be_told() -> None:
    assert restored("5/10 - 1/20", known(), "hw2") == "hw2"


def test_a_lesson_that_is_not_graded_has_no_points() -> None:
    assert restored("5/10 - 1/20", known(), "another") == []


def test_a_learner_without_any_graded_work_has_none() -> None:
    assert Restoring([()], known()).subsections(0, "") == ()


@pytest.mark.parametrize(
    ("work", "expected"),
    [
        ("5/10 - 1/20", True),
        ("0/10 - 1/20", False),
        ("- - 1/20", False),
        ("5/10 5/10 -", False),
        ("-1/10 - 1/20", True),
        ("5/10 5/10 1/20", False),
    ],
)
def test_points_matter_only_beside_points_in_the_same_category(work: str, expected: bool) -> None:
    assert matters(LAYOUT, work, known(exam=["20", "30"])) is expected


def test_points_on_which_all_agree_need_not_be_asked_for() -> None:
    assert not matters(LAYOUT, "5/10 - -", known(hw2=["10"], exam=["20"]))


def test_what_is_left_uncounted_is_worth_nothing_and_not_asked_for() -> None:
    told = known(exam=["20"])
    told.leave_uncounted("hw2")
    assert not matters(LAYOUT, "5/10 - 1/20", told)
    restored = Restoring([LAYOUT], told).subsections(0, "5/10 - 1/20")
    assert isinstance(restored, tuple)
    assert [each.possible for each in restored] == [10, 0, 20]


def test_only_gaps_are_filled() -> None:
    told = {"hw1": "9/9", "hw2": "0/8"}
    assert filled(LAYOUT, "5/10 - -", told) == "5/10 0/8 -"


def test_subsections_of_which_nothing_is_known_are_found_in_all_layouts() -> None:
    others = (Module("quiz", "Quiz"),)
    assert unseen([LAYOUT, others], known(hw1=["1"], exam=["2", "3"])) == {"hw2", "quiz"}


def test_a_layout_is_kept_once() -> None:
    points = CoursePoints()
    first = points.layout([("hw1", "Homework")])
    second = points.layout([("hw1", "Exam")])
    assert points.layout([("hw1", "Homework")]) == first != second
    assert points.layouts[second] == (Module("hw1", "Exam"),)


def test_a_copy_of_known_points_does_not_change_with_the_original() -> None:
    points = known(hw1=["1"])
    copied = points.copy()
    points.add("hw1", "2")
    assert copied.agreed("hw1") == "1"


RESULTS = st.one_of(
    st.just(GAP),
    st.tuples(st.integers(0, 3), st.integers(0, 3)).map(lambda pair: f"{pair[0]}/{pair[1]}"),
)
LAYOUTS = st.lists(st.sampled_from("AB"), min_size=1, max_size=5).map(
    lambda categories: tuple(Module(f"m{n}", each) for n, each in enumerate(categories))
)


@st.composite
def situations(draw: st.DrawFn) -> tuple[Layout, list[str], KnownPoints]:
    """Draw a course, a learner's results in it, and what is known of others."""
    layout = draw(LAYOUTS)
    results = [draw(RESULTS) for _ in layout]
    points = KnownPoints()
    for module in layout:
        for possible in draw(st.lists(st.sampled_from("0123"), max_size=3)):
            points.add(module.module_id, possible)
    return layout, results, points


def _shares(subsections: Sequence[GradedSubsection]) -> dict[str, tuple[Decimal, Decimal]]:
    shares: dict[str, tuple[Decimal, Decimal]] = {}
    for each in subsections:
        if each.possible > 0:
            earned, possible = shares.get(each.category, (Decimal(0), Decimal(0)))
            shares[each.category] = earned + each.earned, possible + each.possible
    return shares


@given(situations())
def test_who_is_judged_is_judged_on_points_that_are_certain_or_do_not_matter(
    situation: tuple[Layout, list[str], KnownPoints],
) -> None:
    layout, results, points = situation
    found = Restoring([layout], points).subsections(0, BETWEEN.join(results))
    if isinstance(found, CannotTell):
        assert points.agreed(found.module_id) is None
        return
    by_id = {each.subsection_id: each for each in found}
    for module, result in zip(layout, results, strict=True):
        restored = by_id.get(module.module_id)
        if result != GAP:
            earned, possible = map(Decimal, result.split("/"))
            assert restored is not None
            assert (restored.earned, restored.possible) == (earned, possible)
        elif agreed := points.agreed(module.module_id):
            assert restored is not None
            assert (restored.earned, restored.possible) == (Decimal(0), Decimal(agreed))
        else:
            beside = [
                other
                for each, other in zip(layout, results, strict=True)
                if each.category == module.category and other != GAP
            ]
            assert all(other.startswith("0/") for other in beside)


@given(situations(), st.lists(st.sampled_from("123"), min_size=5, max_size=5))
def test_whatever_the_points_are_the_shares_of_who_is_judged_stay_the_same(
    situation: tuple[Layout, list[str], KnownPoints], truth: list[str]
) -> None:
    layout, results, points = situation
    found = Restoring([layout], points).subsections(0, BETWEEN.join(results))
    if isinstance(found, CannotTell):
        return
    true_points = [
        GradedSubsection(
            module.module_id,
            module.category,
            Decimal(0 if result == GAP else result.split("/")[0]),
            Decimal(
                result.split("/")[1]
                if result != GAP
                else points.agreed(module.module_id) or truth[place]
            ),
        )
        for place, (module, result) in enumerate(zip(layout, results, strict=True))
    ]
    judged, true = _shares(found), _shares(true_points)
    for category, (earned, possible) in judged.items():
        assert true[category][0] * possible == earned * true[category][1]


@given(situations())
def test_who_is_not_judged_is_asked_about_or_would_lose_a_category(
    situation: tuple[Layout, list[str], KnownPoints],
) -> None:
    layout, results, points = situation
    work = BETWEEN.join(results)
    found = Restoring([layout], points).subsections(0, work)
    asked = matters(layout, work, points)
    if asked:
        assert isinstance(found, CannotTell)
    elif isinstance(found, CannotTell):
        assert not points.any_of(found.module_id)


@given(situations(), st.lists(st.sampled_from("0123"), min_size=5, max_size=5))
def test_what_progress_tells_is_enough_to_judge(
    situation: tuple[Layout, list[str], KnownPoints], told: list[str]
) -> None:
    layout, results, points = situation
    answers = {module.module_id: f"0/{told[place]}" for place, module in enumerate(layout)}
    work = filled(layout, BETWEEN.join(results), answers)
    assert isinstance(Restoring([layout], points).subsections(0, work), tuple)
