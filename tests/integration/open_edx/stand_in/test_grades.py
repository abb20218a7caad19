"""The stand-in LMS gives tokens, grades and policies as the contract says, quirks and all."""

import time
from base64 import b64encode
from urllib.parse import quote

import httpx
import pytest

from examples.stand_in_lms.truth import (
    course_truth,
)
from tests.support.open_edx import (
    COURSE_KEY,
    Faults,
    StandInLms,
    a_learner,
    client_of,
    stand_in,
)
from tests.support.stand_in_answers import (
    COMPLETION,
    FIRST,
    GRADEBOOK,
    following,
    one_course,
)

pytestmark = pytest.mark.integration

# Tokens


def test_a_client_with_the_wrong_secret_gets_no_token(lms: StandInLms) -> None:
    form = {"grant_type": "client_credentials", "client_id": lms.client_id, "client_secret": "x"}
    refused = httpx.post(f"{lms.url}/oauth2/access_token", data=form)
    assert (refused.status_code, refused.json()) == (401, {"error": "invalid_client"})


def test_the_client_may_name_itself_in_the_header_and_choose_the_type_there(
    lms: StandInLms,
) -> None:
    credentials = b64encode(f"{lms.client_id}:{lms.client_secret}".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}", "X-Token-Type": "jwt"}
    issued = httpx.post(
        f"{lms.url}/oauth2/access_token", data={"grant_type": "client_credentials"}, headers=headers
    ).json()
    assert issued["token_type"] == "JWT"
    assert issued["expires_in"] == 3600
    assert issued["access_token"].count(".") == 2


def test_without_a_token_each_family_of_views_says_so_in_its_way(lms: StandInLms) -> None:
    said = "Authentication credentials were not provided."
    developer = httpx.get(lms.url + GRADEBOOK)
    assert (developer.status_code, developer.json()) == (401, {"developer_message": said})
    assert "WWW-Authenticate" not in developer.headers
    plain = httpx.get(lms.url + COMPLETION)
    assert (plain.status_code, plain.json()) == (401, {"detail": said})
    assert plain.headers["WWW-Authenticate"] == 'JWT realm="api"'


def test_a_jwt_is_refused_as_bearer_and_an_opaque_token_as_jwt(lms: StandInLms) -> None:
    with client_of(lms) as with_jwt, client_of(lms, "bearer") as with_opaque:
        jwt = with_jwt.headers["Authorization"].partition(" ")[2]
        opaque = with_opaque.headers["Authorization"].partition(" ")[2]
        assert with_opaque.get(GRADEBOOK).status_code == 200
        assert with_opaque.get("/api/learning_paths/v1/learning-paths/").status_code == 401
        swapped = with_jwt.get(GRADEBOOK, headers={"Authorization": f"Bearer {jwt}"})
        assert swapped.status_code == 401
        assert swapped.json()["developer_message"]["error_code"] == "token_nonexistent"
        swapped = with_jwt.get(COMPLETION, headers={"Authorization": f"Bearer {jwt}"})
        assert swapped.json()["error_code"] == "token_nonexistent"
        swapped = with_jwt.get(COMPLETION, headers={"Authorization": f"JWT {opaque}"})
        assert (swapped.status_code, swapped.json()) == (401, {"detail": "Invalid token."})


def test_a_token_ends_when_its_life_does() -> None:
    with stand_in(faults=Faults(token_life_seconds=0.2)) as lms, client_of(lms) as client:
        assert client.get("/api/user/v1/me").status_code == 200
        time.sleep(0.21)
        ended = client.get("/api/user/v1/me")
        assert (ended.status_code, ended.json()) == (401, {"detail": "Invalid token."})


def test_tokens_that_were_taken_back_are_refused() -> None:
    with stand_in() as lms, client_of(lms) as client:
        lms.take_back_tokens()
        assert client.get(GRADEBOOK).status_code == 401
        assert lms.tokens_issued == 1


# The gradebook


def test_the_gradebook_lists_active_learners_in_the_order_of_enrolment() -> None:
    with stand_in(one_course()) as lms, client_of(lms) as client:
        page = client.get(f"/api/grades/v1/gradebook/{COURSE_KEY}/").json()
    assert page == {
        "next": None,
        "previous": None,
        "results": [
            {
                "user_id": 9,
                "username": "learner_9",
                "email": "",
                "percent": 0.64,
                "profile_name": "Kate",
                "section_breakdown": [
                    row("s1", "Homework", 1, "Homework 1", 5.5, 10.0),
                    row("s2", "Homework", 2, "Homework 2", None, 10.0),
                    row("s3", "Exam", 1, "Exam 3", 20.0, 20.0),
                ],
            },
            {
                "user_id": 7,
                "username": "learner_7",
                "email": "",
                "percent": 0.0,
                "profile_name": "Ned",
                "section_breakdown": [
                    row("s1", "Homework", 1, "Homework 1", None, 10.0),
                    row("s2", "Homework", 2, "Homework 2", None, 10.0),
                    row("s3", "Exam", 1, "Exam 3", None, 20.0),
                ],
            },
        ],
        "total_users_count": 2,
        "filtered_users_count": 2,
    }


def row(
    block: str, category: str, number: int, name: str, earned: float | None, possible: float
) -> dict[str, object]:
    """Return what the gradebook says of a subsection: 0 of 0 where it was not attempted."""
    return {
        "attempted": earned is not None,
        "category": category,
        "label": f"{category[:4]} {number:02}",
        "percent": (earned or 0) / possible,
        "module_id": f"block-v1:Example+Sailing+2026+type@sequential+block@{block}",
        "score_earned": earned or 0.0,
        "score_possible": 0.0 if earned is None else possible,
        "subsection_name": name,
    }


def test_the_gradebook_of_one_is_a_bare_object_even_after_leaving() -> None:
    with stand_in(one_course()) as lms, client_of(lms) as client:
        url = f"/api/grades/v1/gradebook/{COURSE_KEY}/"
        assert client.get(url, params={"username": "learner_8"}).json()["user_id"] == 8
        unknown = client.get(url, params={"username": "nobody"})
        lms.population.tell(a_learner(10))
        elsewhere = client.get(url, params={"username": "learner_10"})
        assert lms.requests["gradebook_of_one"] == 3
    assert (unknown.status_code, unknown.json()["error_code"]) == (404, "user_does_not_exist")
    assert (elsewhere.status_code, elsewhere.json()["error_code"]) == (404, "user_not_enrolled")


def test_pages_of_the_gradebook_follow_each_other_without_a_gap(
    lms: StandInLms, client: httpx.Client
) -> None:
    pages = list(following(client, f"{GRADEBOOK}?page_size=7"))
    ids = [each["user_id"] for page in pages for each in page["results"]]
    active = {each.user_id for each in course_truth(lms.population, FIRST) if each.enrolled}
    assert len(ids) == len(set(ids))
    assert set(ids) == active
    assert ids != sorted(ids)
    assert {page["total_users_count"] for page in pages} == {len(active)}
    assert client.get(pages[2]["previous"]).json() == pages[1]


def test_a_cursor_that_cannot_be_read_is_not_found(client: httpx.Client) -> None:
    refused = client.get(GRADEBOOK, params={"cursor": "nonsense"})
    assert (refused.status_code, refused.json()) == (404, {"developer_message": "Invalid cursor"})


def test_the_gradebooks_page_has_no_maximum_unless_it_is_capped(
    lms: StandInLms, client: httpx.Client
) -> None:
    assert client.get(f"{GRADEBOOK}?page_size=100000").json()["next"] is None
    faults = Faults(page_size_cap={"gradebook": 5})
    with stand_in(faults=faults) as capped, client_of(capped) as its_client:
        assert len(its_client.get(f"{GRADEBOOK}?page_size=1000").json()["results"]) == 5


def test_a_learner_whose_grade_fails_is_left_out_so_that_a_page_may_be_empty() -> None:
    population = one_course()
    faults = Faults(missing_from_gradebook=frozenset({9}))
    with stand_in(population, faults) as lms, client_of(lms) as client:
        url = f"/api/grades/v1/gradebook/{COURSE_KEY}/"
        first, second = following(client, f"{url}?page_size=1")
        assert first["results"] == []
        assert [each["user_id"] for each in second["results"]] == [7]
        assert second["total_users_count"] == 2
        crashed = client.get(url, params={"username": "learner_9"})
        assert (crashed.status_code, crashed.headers["Content-Type"]) == (
            500,
            "text/html; charset=utf-8",
        )
        progress = f"/api/course_home/progress/{COURSE_KEY}/9"
        assert client.get(progress).status_code == 500
        lms.faults = Faults(missing_from_gradebook=frozenset({9}), missing_single="answers")
        assert client.get(url, params={"username": "learner_9"}).json()["user_id"] == 9


def test_the_gradebook_says_why_it_does_not_answer() -> None:
    faults = Faults(gradebook_enabled=False, is_staff=False)
    with stand_in(one_course(), faults) as lms, client_of(lms) as client:
        url = f"/api/grades/v1/gradebook/{COURSE_KEY}/"
        reasons = [client.get(url)]
        lms.faults = Faults(is_staff=False)
        reasons += [client.get(url)]
        reasons += [client.get("/api/grades/v1/gradebook/course-v1:a+b+c/")]
        reasons += [client.get("/api/grades/v1/gradebook/a+b+c/")]
    assert [(each.status_code, each.json()["error_code"]) for each in reasons] == [
        (403, "feature_not_enabled"),
        (403, "user_permissions"),
        (404, "course_does_not_exist"),
        (404, "invalid_course_key"),
    ]


def test_a_course_key_may_be_percent_encoded_in_the_path(client: httpx.Client) -> None:
    encoded = client.get(f"/api/grades/v1/gradebook/{quote(FIRST, safe='')}/")
    assert encoded.json()["total_users_count"] == client.get(GRADEBOOK).json()["total_users_count"]
    custom = client.get("/api/grades/v1/policy/courses/ccx-v1:Example+T01+2026+ccx@3/")
    assert custom.json()[-1] == {
        "assignment_type": "Extra",
        "count": None,
        "dropped": None,
        "weight": None,
    }


def test_a_learner_with_an_override_has_points_that_nobody_gave_before(
    lms: StandInLms, client: httpx.Client
) -> None:
    work = {each: lms.population.work(FIRST, each) for each in range(1001, 1011)}
    user_id = next(each for each, done in work.items() if done.overridden)
    course = lms.population.courses[FIRST]
    graded = client.get(
        f"/api/grades/v1/subsection/{course.graded[0].block_key}/", params={"user_id": user_id}
    ).json()
    earned = work[user_id].earned[0]
    assert earned is not None
    assert graded["override"]["earned_graded_override"] == float(earned)
    progress = client.get(f"/api/course_home/progress/{FIRST}/{user_id}").json()
    first, second, *_ = progress["section_scores"][0]["subsections"]
    assert first["override"] == {"earned_graded_override": float(earned)}
    assert second["override"] is None


# Policy, and grades without the gradebook


def test_the_policy_is_a_bare_list_and_unknown_courses_are_told_from_bad_keys(
    client: httpx.Client,
) -> None:
    assert client.get(f"/api/grades/v1/policy/courses/{FIRST}/").json()[0] == {
        "assignment_type": "Homework",
        "count": 3,
        "dropped": 1,
        "weight": 0.3,
    }
    unknown = client.get("/api/grades/v1/policy/courses/course-v1:a+b+c/")
    assert unknown.json()["error_code"] == "user_or_course_does_not_exist"
    assert unknown.status_code == 404
    bad = client.get("/api/grades/v1/policy/courses/a+b+c/")
    assert (bad.status_code, bad.json()["error_code"]) == (400, "invalid_course_key")


def test_the_grading_info_needs_no_flag_and_no_slash() -> None:
    with stand_in(faults=Faults(gradebook_enabled=False)) as lms, client_of(lms) as client:
        info = client.get(f"{GRADEBOOK}grading-info?graded_only=true").json()
        assert info["assignment_types"]["Lab"]["weight"] == 0.2
        assert len(info["subsections"]) == 8
        assert len(client.get(f"{GRADEBOOK}grading-info").json()["subsections"]) == 11
        with_slash = client.get(f"{GRADEBOOK}grading-info/")
        assert with_slash.status_code == 404


def test_the_platforms_own_grades_have_no_categories() -> None:
    with stand_in(one_course()) as lms, client_of(lms) as client:
        url = f"/api/grades/v1/courses/{COURSE_KEY}/"
        assert client.get(url, params={"username": "learner_9"}).json() == [
            {
                "username": "learner_9",
                "email": "",
                "course_id": COURSE_KEY,
                "passed": True,
                "percent": 0.64,
                "letter_grade": "Pass",
            }
        ]
        assert [each["letter_grade"] for each in client.get(url).json()["results"]] == [
            "Pass",
            None,
        ]
        summary = client.get(
            "/api/grades/v1/section_grades_breakdown",
            params={"course_id": COURSE_KEY, "username": "learner_9"},
        ).json()["results"][0]
    assert summary["current_grade"] == 64
    assert [each["label"] for each in summary["section_breakdown"] if "prominent" in each] == [
        "Homework Avg",
        "Exam Avg",
    ]


def test_a_subsection_that_was_not_attempted_has_only_nulls() -> None:
    with stand_in(one_course()) as lms, client_of(lms) as client:
        keys = [each.block_key for each in lms.population.courses[COURSE_KEY].graded]
        attempted, not_attempted = (
            client.get(f"/api/grades/v1/subsection/{key}/?user_id=9").json() for key in keys[:2]
        )
    assert attempted["original_grade"]["earned_graded"] == 5.5
    assert attempted["original_grade"]["possible_graded"] == 10.0
    assert not_attempted["original_grade"] is None
    assert not_attempted["override"] is None
    assert not_attempted["history"] is None
