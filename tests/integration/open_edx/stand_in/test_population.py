"""What the stand-in LMS serves is what its population says."""

from decimal import Decimal

import httpx
import pytest

from examples.stand_in_lms.catalogue import Course
from examples.stand_in_lms.process import started_as_process
from examples.stand_in_lms.truth import (
    course_truth,
    people_truth,
)
from tests.support.open_edx import (
    COURSE_KEY,
    a_course,
    a_learner,
    client_of,
    generate,
    some_work,
    stand_in,
)
from tests.support.stand_in_answers import (
    FIRST,
    GRADEBOOK,
    completion_by_name,
    exactly,
    one_course,
    rows_by_id,
)

pytestmark = pytest.mark.integration

# The population


def test_a_course_that_changes_is_served_as_it_is_now() -> None:
    with stand_in(one_course()) as lms, client_of(lms) as client:
        url = f"/api/grades/v1/gradebook/{COURSE_KEY}/?page_size=1"
        before = client.get(url).json()["results"][0]["section_breakdown"]
        lms.population.teach(a_course([("Essay", "4")], {"Essay": "1"}, name="Rowing"))
        after = client.get(url).json()["results"][0]["section_breakdown"]
        policy = client.get(f"/api/grades/v1/policy/courses/{COURSE_KEY}/").json()
    assert [each["category"] for each in before] == ["Homework", "Homework", "Exam"]
    assert [each["category"] for each in after] == ["Essay"]
    assert [each["assignment_type"] for each in policy] == ["Essay"]


def test_an_account_that_changes_is_served_as_it_is_now() -> None:
    with stand_in() as lms, client_of(lms) as client:
        lms.population.tell(a_learner(1001, "Kim", username="kim"))
        told = client.get("/api/user/v1/accounts?username=kim,learner_1001").json()
        rows = client.get(GRADEBOOK).json()["results"]
    assert [(each["id"], each["name"]) for each in told] == [(1001, "Kim")]
    assert [each["profile_name"] for each in rows if each["user_id"] == 1001] == ["Kim"]


def test_work_that_does_not_fit_its_course_is_refused() -> None:
    population = one_course()
    other = a_course([("Essay", "4")])
    with pytest.raises(ValueError, match="has 3 graded subsections"):
        population.record(COURSE_KEY, 9, some_work(other))


def test_a_population_is_the_same_for_the_same_seed() -> None:
    one, same, other = generate(5, 300), generate(5, 300), generate(6, 300)
    assert list(one.users) == list(same.users) != list(other.users)
    for key in one.courses:
        assert list(course_truth(one, key)) == list(course_truth(same, key))
        assert list(course_truth(one, key)) != list(course_truth(other, key))


def test_a_small_population_has_every_oddity() -> None:
    population = generate(1, 60)
    people = people_truth(population).values()
    truth = {each.user_id: each for each in course_truth(population, FIRST)}
    by_course = list(population.courses.values())
    assert {None, ""} <= {user.name for user in people}
    assert {True, False} == {user.is_active for user in people}
    assert {True, False} == {each.enrolled for each in truth.values()}
    assert set("+@. _") <= set("".join(user.username for user in people))
    assert any(not user.username.isascii() for user in people)
    assert any(user.username.startswith("retired__user_") for user in people)
    assert {Decimal("0.9"), Decimal(0), Decimal(1)} <= {each.completion for each in truth.values()}
    assert any(exactly(each.subsections, "0.55") for each in truth.values())
    assert any(exactly(each.subsections, "1") for each in truth.values())
    assert any(each.possible == 0 for course in by_course for each in course.graded)
    assert any(
        all(population.work(course.key, user.user_id).earned[place] is None for user in people)
        for course in by_course
        for place in range(len(course.graded))
    )
    assert any(
        {str(each.category) for each in course.graded} - {each.type for each in course.policy}
        for course in by_course
    )
    assert {Decimal(1), Decimal("1.1"), Decimal("0.8")} == {
        total_weight(each) for each in by_course
    }


def total_weight(course: Course) -> Decimal:
    return sum((each.weight or Decimal(0) for each in course.policy), Decimal(0))


@pytest.mark.parametrize("varying", [False, True])
def test_what_is_served_is_the_truth(varying: bool) -> None:
    population = generate(3, 120, varying_points=varying)
    with stand_in(population) as lms, client_of(lms) as client:
        for key in population.courses:
            enrolled = {
                each.user_id: each for each in course_truth(population, key) if each.enrolled
            }
            graded = rows_by_id(client, f"/api/grades/v1/gradebook/{key}/?page_size=33")
            done = completion_by_name(client, key)
            assert graded.keys() == enrolled.keys()
            for user_id, truth in enrolled.items():
                for shown in graded[user_id]["section_breakdown"]:
                    earned, possible, category = truth.subsections[shown["module_id"]]
                    assert shown["category"] == category
                    assert shown["score_earned"] == earned
                    assert shown["score_possible"] == (possible if shown["attempted"] else 0)
                sequentials, percent = done[population.people.username(user_id)]
                assert float(percent) == float(truth.completion)
                assert {block: float(sequentials.get(block, 0)) for block in truth.sequentials} == {
                    block: float(share) for block, share in truth.sequentials.items()
                }


def test_points_differ_between_learners_where_that_is_wanted() -> None:
    population = generate(3, 30, varying_points=True)
    key = population.courses[FIRST].graded[1].block_key
    worth = {each.subsections[key][1] for each in course_truth(population, FIRST)}
    assert worth == {Decimal(7), Decimal(9)}


def test_a_stand_in_in_a_process_of_its_own_has_the_same_population() -> None:
    with started_as_process(40, seed=1, faults={"generation": "old"}) as process:
        with httpx.Client(base_url=process.url, verify=False) as client:
            form = {
                "grant_type": "client_credentials",
                "client_id": process.client_id,
                "client_secret": process.client_secret,
                "token_type": "jwt",
            }
            token = client.post("/oauth2/access_token", data=form).json()["access_token"]
            client.headers["Authorization"] = f"JWT {token}"
            rows = client.get(GRADEBOOK).json()["results"]
        assert process.requests() == {"token": 1, "gradebook": 1}
    enrolled = {each.user_id for each in course_truth(generate(1, 40), FIRST) if each.enrolled}
    assert {each["user_id"] for each in rows} == enrolled
    assert "full_name" in rows[0]
