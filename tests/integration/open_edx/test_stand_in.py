"""The stand-in LMS answers as the contract says, quirks and all, over real sockets."""

import json
import socket
import time
from base64 import b64encode
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import pytest

from examples.stand_in_lms.catalogue import Course
from examples.stand_in_lms.generated_courses import DOTTED_PATHWAY
from examples.stand_in_lms.process import started_as_process
from examples.stand_in_lms.truth import (
    course_truth,
    learner_truth,
    pathway_truth,
    people_truth,
)
from tests.support.open_edx import (
    COURSE_KEY,
    PATHWAY_KEY,
    Change,
    Faults,
    Outage,
    Population,
    StandInLms,
    a_course,
    a_learner,
    a_population,
    client_of,
    enrol,
    generate,
    some_work,
    stand_in,
)

pytestmark = pytest.mark.integration

FIRST = "course-v1:Example+T01+2026"
GRADEBOOK = f"/api/grades/v1/gradebook/{FIRST}/"
COMPLETION = f"/completion-aggregator/v1/course/{FIRST}/"
ENROLLMENTS = f"/api/enrollment/v1/enrollments?course_id={quote(FIRST)}"


@pytest.fixture(scope="module")
def lms() -> Iterator[StandInLms]:
    """One stand-in for the tests that only read."""
    with stand_in() as running:
        yield running


@pytest.fixture(scope="module")
def client(lms: StandInLms) -> Iterator[httpx.Client]:
    with client_of(lms) as ready:
        yield ready


def following(client: httpx.Client, url: str) -> Iterator[dict[str, Any]]:
    """Follow the links from page to page."""
    link: str | None = url
    while link:
        page = client.get(link).json()
        yield page
        link = page["pagination"]["next"] if "pagination" in page else page["next"]


def one_course() -> Population:
    """Three learners: one did something, one nothing, one has left."""
    population = a_population()
    enrol(population, a_learner(9, "Kate"), ["5.5", None, "20"], [10, 3, 0])
    enrol(population, a_learner(7, "Ned"), aggregated=False)
    enrol(population, a_learner(8, "Ida"), ["10", "10", "20"], [10, 10, 10], active=False)
    return population


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


# Enrolments


@pytest.mark.parametrize("generation", ["old", "middle", "new"])
def test_enrolments_list_inactive_rows_too_the_latest_first(generation: Any) -> None:
    population = generate(2, 150)
    with stand_in(population, Faults(generation=generation)) as lms, client_of(lms) as client:
        pages = list(following(client, f"{ENROLLMENTS}&page_size=40&page=1"))
    rows = [each for page in pages for each in page["results"]]
    truth = {
        population.people.username(each.user_id): each.enrolled
        for each in course_truth(population, FIRST)
    }
    assert {each["user"]: each["is_active"] for each in rows} == truth
    assert len(rows) == len(truth)
    assert False in truth.values()
    assert all(one["created"] >= other["created"] for one, other in pairwise(rows))
    assert len(pages[0]["results"]) == (100 if generation == "old" else 40)
    assert ("current_page" in pages[0]) == (generation == "new")


def test_enrolments_have_at_most_a_hundred_rows_and_usernames(client: httpx.Client) -> None:
    many = client.get(ENROLLMENTS, params={"username": ",".join(map(str, range(101)))})
    assert many.status_code == 400
    assert "developer_message" in many.json()["field_errors"]["username"]
    bad = client.get("/api/enrollment/v1/enrollments?course_id=course-v1:a+b")
    assert (bad.status_code, list(bad.json()["field_errors"])) == (400, ["course_id"])
    nothing = client.get("/api/enrollment/v1/enrollments?course_id=course-v1:a%2Bb%2Bc")
    assert (nothing.status_code, nothing.json()["results"]) == (200, [])
    beyond = client.get(f"{ENROLLMENTS}&page=99")
    assert (beyond.status_code, beyond.json()) == (404, {"developer_message": "Invalid page."})


def test_enrolments_of_named_users_leave_out_unknown_ones() -> None:
    with stand_in(one_course()) as lms, client_of(lms) as client:
        url = f"/api/enrollment/v1/enrollments?course_id={quote(COURSE_KEY)}"
        rows = client.get(url, params={"username": "learner_8,nobody"}).json()["results"]
        assert rows == [
            {
                "created": "2026-01-01T00:00:00Z",
                "mode": "honor",
                "is_active": False,
                "user": "learner_8",
                "course_id": COURSE_KEY,
            }
        ]


def test_one_enrolment_that_never_was_is_an_empty_success() -> None:
    with stand_in(one_course()) as lms, client_of(lms) as client:
        found = client.get(f"/api/enrollment/v1/enrollment/learner_9,{COURSE_KEY}").json()
        lms.population.tell(a_learner(10))
        never = client.get(f"/api/enrollment/v1/enrollment/learner_10,{COURSE_KEY}")
    assert found["is_active"] is True
    assert found["course_details"]["course_name"] == "Sailing"
    assert (never.status_code, never.content) == (200, b"")


def test_enrolment_views_share_a_throttle_whose_header_old_releases_lose() -> None:
    faults = Faults(throttle=2, throttle_seconds=30, generation="new")
    with stand_in(faults=faults) as lms, client_of(lms) as client:
        assert client.get(ENROLLMENTS).status_code == 200
        assert client.get(f"/api/enrollment/v1/course/{FIRST}").status_code == 200
        developer = client.get(ENROLLMENTS)
        assert developer.status_code == 429
        assert 28 <= int(developer.headers["Retry-After"]) <= 30
        assert "Request was throttled." in developer.json()["developer_message"]
        lms.faults = Faults(throttle=2, throttle_seconds=30, generation="old")
        assert "Retry-After" not in client.get(ENROLLMENTS).headers
        plain = client.get(f"/api/enrollment/v1/enrollment/learner_1001,{FIRST}")
        assert "Retry-After" in plain.headers
        assert client.get(GRADEBOOK).status_code == 200


# Accounts


def test_accounts_come_in_no_order_and_unknown_ones_are_left_out(
    lms: StandInLms, client: httpx.Client
) -> None:
    wanted = [user.username for user in lms.population.users]
    found = client.get(
        "/api/user/v1/accounts", params={"username": ",".join([*wanted, "nobody"])}
    ).json()
    told = {each["id"]: each for each in found}
    truth = people_truth(lms.population)
    assert [each["username"] for each in found] != wanted
    assert told.keys() == truth.keys()
    for user_id, user in truth.items():
        assert told[user_id]["username"] == user.username
        assert told[user_id]["name"] == user.name
        assert told[user_id]["email"] == user.email
        assert told[user_id]["is_active"] == user.is_active
        spoken = told[user_id]["language_proficiencies"]
        if user.name is not None:
            assert [each["code"] for each in spoken] == list(user.languages)
        else:
            assert spoken is None


def test_no_account_at_all_is_not_found_without_a_body(client: httpx.Client) -> None:
    for url in (
        "/api/user/v1/accounts?username=nobody",
        "/api/user/v1/accounts?lms_user_id=5",
        "/api/user/v1/accounts/nobody",
        "/api/user/v1/preferences/nobody",
    ):
        missing = client.get(url)
        assert (missing.status_code, missing.content) == (404, b"")
    assert client.get("/api/user/v1/accounts?lms_user_id=x").status_code == 400


def test_accounts_are_found_by_id_by_address_and_by_the_oddest_username(
    lms: StandInLms, client: httpx.Client
) -> None:
    for user in lms.population.users:
        encoded = quote(user.username, safe="")
        assert client.get(f"/api/user/v1/accounts/{encoded}").json()["id"] == user.user_id
    by_id = client.get("/api/user/v1/accounts", params={"lms_user_id": 1004}).json()
    by_email = client.get("/api/user/v1/accounts", params={"email": by_id[0]["email"]}).json()
    assert by_id == by_email
    assert by_id[0]["id"] == 1004
    found = client.post(
        "/api/user/v1/accounts/search_emails", json={"emails": [by_id[0]["email"], "x@y.example"]}
    ).json()
    assert found == [{"username": by_id[0]["username"], "email": by_id[0]["email"], "id": 1004}]


def test_the_chosen_language_is_a_preference_and_absent_where_none_was_chosen(
    lms: StandInLms, client: httpx.Client
) -> None:
    users = list(lms.population.users)
    shown = {
        user.user_id: client.get(f"/api/user/v1/preferences/{quote(user.username, safe='')}").json()
        for user in users
    }
    for user in users:
        assert shown[user.user_id].get("pref-lang") == user.preferred_language
    assert {"account_privacy": "all_users"} in shown.values()
    assert client.get("/api/user/v1/me").json() == {"username": lms.service_username}


def test_a_caller_who_is_not_staff_learns_no_names() -> None:
    with stand_in(one_course(), Faults(is_staff=False)) as lms, client_of(lms) as client:
        found = client.get("/api/user/v1/accounts?username=learner_9").json()
        assert sorted(found[0]) == ["account_privacy", "profile_image", "username"]
        assert client.get("/api/user/v1/accounts?lms_user_id=9").status_code == 403
        assert client.get("/api/user/v1/preferences/learner_9").status_code == 404
        refused = client.get(f"/completion-aggregator/v1/course/{COURSE_KEY}/")
        assert (refused.status_code, list(refused.json())) == (403, ["detail"])


# Completion


def test_the_completion_list_is_ordered_by_user_and_names_no_ids() -> None:
    with stand_in(one_course()) as lms, client_of(lms) as client:
        listed = client.get(
            f"/completion-aggregator/v1/course/{COURSE_KEY}/?requested_fields=sequential"
        ).json()
    first, second = listed["results"]
    assert first == {
        "course_key": COURSE_KEY,
        "username": "learner_7",
        "completion": {"earned": 0.0, "possible": None, "percent": 0.0},
        "sequential": [],
    }
    assert second["completion"] == {"earned": 13.0, "possible": 30.0, "percent": 13 / 30}
    assert second["sequential"][:2] == [
        {
            "course_key": COURSE_KEY,
            "block_key": f"block-v1:Example+Sailing+2026+type@sequential+block@{block}",
            "completion": {"earned": earned, "possible": 10.0, "percent": earned / 10},
        }
        for block, earned in (("s1", 10.0), ("s2", 3.0))
    ]
    assert listed["pagination"] == {"next": None, "previous": None, "count": 2, "num_pages": 1}


def test_completion_has_ten_rows_on_a_page_and_no_page_beyond_the_last(
    client: httpx.Client,
) -> None:
    first = client.get(COMPLETION).json()
    assert len(first["results"]) == 10
    assert first["pagination"]["num_pages"] == -(-first["pagination"]["count"] // 10)
    beyond = client.get(f"{COMPLETION}?page=99")
    assert (beyond.status_code, beyond.json()) == (404, {"detail": "Invalid page."})


def test_the_completion_of_one_is_live_and_names_them_only_if_asked() -> None:
    population = a_population()
    enrol(population, a_learner(9), (), [10, 10, 10], stored=[10, 0, 0])
    with stand_in(population) as lms, client_of(lms) as client:
        url = f"/completion-aggregator/v1/course/{COURSE_KEY}/"
        assert client.get(url).json()["results"][0]["completion"]["percent"] == 10 / 30
        one = client.get(url, params={"username": "learner_9"}).json()["results"][0]
        assert one["completion"]["percent"] == 1.0
        assert "username" not in one
        named = client.get(url, params={"username": "learner_9", "requested_fields": "username"})
        assert named.json()["results"][0]["username"] == "learner_9"
        assert lms.requests["completion_of_one"] == 2


def test_completion_may_be_asked_for_ids_in_a_form() -> None:
    with stand_in(one_course()) as lms, client_of(lms) as client:
        url = f"/completion-aggregator/v1/course/{COURSE_KEY}/"
        posted = client.post(url, json={"user_ids": [9, 8], "requested_fields": "username"}).json()
        asked = client.get(url, params={"user_ids": "9.8"}).json()
    assert [each["username"] for each in posted["results"]] == ["learner_9"]
    assert asked["results"] == posted["results"]


def test_completion_says_what_it_does_not_know() -> None:
    with stand_in(one_course()) as lms, client_of(lms) as client:
        url = f"/completion-aggregator/v1/course/{COURSE_KEY}/"
        bad_field = client.get(url, params={"requested_fields": "colour"})
        bad_key = client.get("/completion-aggregator/v1/course/a+b+c/")
        unknown = client.get("/completion-aggregator/v1/course/course-v1:a+b+c/")
        nobody = client.get(url, params={"username": "nobody"})
        left = client.get(url, params={"username": "learner_8"})
        lms.faults = Faults(completion_installed=False)
        absent = client.get(url)
    assert bad_field.status_code == 400
    assert bad_field.json() == {"detail": "Invalid requested_fields value(s): {'colour'}"}
    assert bad_key.json() == {"detail": "Invalid course key: 'a+b+c'."}
    assert (unknown.status_code, unknown.json()["pagination"]["count"]) == (200, 0)
    assert (nobody.status_code, nobody.json()) == (404, {"detail": "Not found."})
    assert "does not have an active enrollment" in left.json()["detail"]
    assert (absent.status_code, absent.headers["Content-Type"]) == (
        404,
        "text/html; charset=utf-8",
    )


def test_an_enrolment_that_ends_between_two_pages_hides_another_learner() -> None:
    population = a_population()
    for user_id in range(1, 5):
        enrol(population, a_learner(user_id))
    changes = (Change(COURSE_KEY, 1, active=False),)
    with stand_in(population, Faults(shifting_pages=changes)) as lms, client_of(lms) as client:
        url = f"/completion-aggregator/v1/course/{COURSE_KEY}/?page_size=2"
        pages = list(following(client, url))
    assert [[each["username"] for each in page["results"]] for page in pages] == [
        ["learner_1", "learner_2"],
        ["learner_4"],
    ]
    assert [page["pagination"]["count"] for page in pages] == [4, 3]
    assert population.enrolment(COURSE_KEY, 1) == "inactive"


# Pathways


def pathway_population() -> Population:
    courses = [a_course(key=f"course-v1:Example+{name}+2026") for name in ("A", "B")]
    population = a_population(courses, [course.key for course in courses])
    population.tell(a_learner(9))
    population.enrol(PATHWAY_KEY, 9)
    population.tell(a_learner(7))
    population.enrol(PATHWAY_KEY, 7)
    population.enrol(PATHWAY_KEY, 7, active=False)
    return population


def test_the_steps_of_a_pathway_are_served_out_of_order() -> None:
    with stand_in(pathway_population()) as lms, client_of(lms) as client:
        steps = client.get(f"/api/learning_paths/v1/learning-paths/{PATHWAY_KEY}/").json()["steps"]
    assert [(each["order"], each["course_key"]) for each in steps] == [
        (2, "course-v1:Example+B+2026"),
        (1, "course-v1:Example+A+2026"),
    ]


def test_who_is_in_a_pathway_is_a_bare_list_of_ids() -> None:
    with stand_in(pathway_population()) as lms, client_of(lms) as client:
        url = f"/api/learning_paths/v1/{PATHWAY_KEY}/enrollments/"
        assert client.get(url).json() == [
            {
                "user": 9,
                "learning_path": 1,
                "is_active": True,
                "created": "2026-01-01T00:00:00Z",
            }
        ]
        assert client.get(url, params={"username": "learner_7"}).json() == []
        assert list(pathway_truth(lms.population, PATHWAY_KEY)) == [(7, False), (9, True)]


def test_a_pathway_whose_key_has_a_dot_is_found_in_the_list_only(client: httpx.Client) -> None:
    listed = client.get("/api/learning_paths/v1/learning-paths/").json()
    assert listed["count"] == 2
    assert DOTTED_PATHWAY in [each["key"] for each in listed["results"]]
    detail = client.get(f"/api/learning_paths/v1/learning-paths/{DOTTED_PATHWAY}/")
    assert detail.status_code == 404
    assert client.get(f"/api/learning_paths/v1/{DOTTED_PATHWAY}/enrollments/").status_code == 200


def test_unknown_pathways_are_told_from_bad_keys_and_from_a_missing_plugin() -> None:
    with stand_in(pathway_population()) as lms, client_of(lms) as client:
        url = "/api/learning_paths/v1/learning-paths/"
        unknown = client.get(f"{url}path-v1:a+b+c+d/")
        bad = client.get(f"{url}course-v1:a+b+c/")
        lms.faults = Faults(learning_paths_installed=False)
        absent = client.get(url)
    assert unknown.json() == {"detail": "No LearningPath matches the given query."}
    assert bad.json() == {"detail": "Invalid learning path key format."}
    assert (unknown.status_code, bad.status_code, absent.status_code) == (404, 404, 404)


# Courses and progress


def test_the_name_of_a_course_is_escaped_in_one_api_and_not_in_the_other(
    lms: StandInLms, client: httpx.Client
) -> None:
    key = "course-v1:Example+T02+2026"
    name = client.get(f"/api/courses/v1/courses/{key}/", params={"username": "any"}).json()["name"]
    assert name == "Bookbinding & &lt;Letterpress&gt;"
    open_to_all = httpx.get(f"{lms.url}/api/enrollment/v1/course/{key}").json()
    assert open_to_all["course_name"] == "Bookbinding & <Letterpress>"
    assert open_to_all["course_end"] == "2026-06-30T22:30:00Z"
    assert httpx.get(f"{lms.url}/api/enrollment/v1/course/course-v1:a+b+c").status_code == 400


def test_a_hidden_course_is_seen_only_by_a_named_user(
    lms: StandInLms, client: httpx.Client
) -> None:
    url = "/api/courses/v1/courses/course-v1:Example+T02+2026/"
    assert client.get(url).status_code == 404
    seen = client.get(url, params={"username": lms.service_username}).json()
    assert (seen["hidden"], "is_enrolled" in seen) == (True, True)
    bad = client.get("/api/courses/v1/courses/a+b+c/")
    assert bad.status_code == 400


def test_progress_tells_what_a_learner_did_not_attempt_except_where_grades_are_hidden(
    lms: StandInLms, client: httpx.Client
) -> None:
    key = "course-v1:Example+T02+2026"
    absent = next(
        user_id for user_id in range(1001, 1011) if not lms.population.work(key, user_id).aggregated
    )
    shown = client.get(f"/api/course_home/progress/{key}/{absent}").json()
    told = {
        each["block_key"]: each["num_points_possible"]
        for section in shown["section_scores"]
        for each in section["subsections"]
    }
    truth = learner_truth(lms.population, key, absent).subsections
    hidden = {
        each.block_key for each in lms.population.courses[key].graded if each.hidden_from_progress
    }
    assert len(hidden) == 1
    assert told == {
        block: possible for block, (_, possible, _) in truth.items() if block not in hidden
    }


def test_progress_is_where_the_release_has_it_and_gone_where_its_flag_is_off() -> None:
    faults = Faults(progress_prefix="/api/course_home/v1/")
    with stand_in(faults=faults) as lms, client_of(lms) as client:
        assert client.get(f"/api/course_home/v1/progress/{FIRST}/1001").status_code == 200
        assert client.get(f"/api/course_home/progress/{FIRST}/1001").status_code == 404
        lms.faults = Faults(progress_enabled=False)
        off = client.get(f"/api/course_home/progress/{FIRST}/1001")
        assert (off.status_code, off.json()) == (404, {"detail": "Not found."})


# What lies in front of the LMS


def test_a_request_line_that_is_too_long_is_refused_as_html(client: httpx.Client) -> None:
    too_long = client.get("/api/user/v1/accounts", params={"username": "x" * 4094})
    assert too_long.status_code == 414
    assert too_long.headers["Content-Type"].startswith("text/html")
    fits = client.get("/api/user/v1/accounts", params={"username": "x" * 4000})
    assert fits.status_code == 404


def test_links_may_name_another_origin() -> None:
    with stand_in(faults=Faults(wrong_origin_links=True)) as lms, client_of(lms) as client:
        link = urlsplit(client.get(f"{GRADEBOOK}?page_size=7").json()["next"])
        assert link.netloc == "lms-internal.example.org:8000"
        assert link.path == GRADEBOOK
        assert parse_qs(link.query)["page_size"] == ["7"]
        following_page = client.get(f"{GRADEBOOK}?{link.query}").json()
        assert len(following_page["results"]) == 7


def test_many_requests_go_over_one_connection(lms: StandInLms) -> None:
    with socket.create_connection((urlsplit(lms.url).hostname, urlsplit(lms.url).port)) as raw:
        for _ in range(3):
            raw.sendall(b"GET /api/user/v1/me HTTP/1.1\r\nHost: x\r\n\r\n")
            assert raw.recv(4096).startswith(b"HTTP/1.1 401 Unauthorized\r\n")


# Faults


def outcomes(client: httpx.Client, url: str, times: int) -> list[str]:
    """Ask for the same several times, and tell what happened."""
    happened = []
    for _ in range(times):
        try:
            answer = client.get(url)
        except httpx.RemoteProtocolError as failure:
            happened.append("cut" if "complete message body" in str(failure) else "dropped")
        else:
            html = answer.headers["Content-Type"].startswith("text/html")
            happened.append(f"{answer.status_code}{' html' if html else ''}")
    return happened


@pytest.mark.parametrize(
    ("rate", "outcome"),
    [
        ("rate_429", "429"),
        ("rate_503", "503 html"),
        ("rate_cut", "cut"),
        ("rate_html_200", "200 html"),
        ("rate_dropped_connection", "dropped"),
    ],
)
def test_a_request_meets_a_fault_at_most_three_times_in_a_row(rate: str, outcome: str) -> None:
    with stand_in() as lms, client_of(lms) as client:
        lms.faults = Faults(**{rate: 1.0})  # type: ignore[arg-type]
        bounded = outcomes(client, GRADEBOOK, 8)
    assert bounded == [outcome, outcome, outcome, "200", outcome, outcome, outcome, "200"]


def test_faults_are_the_same_for_the_same_seed_and_come_about_as_often_as_asked() -> None:
    def met(seed: int) -> list[str]:
        with stand_in() as lms, client_of(lms) as client:
            lms.faults = Faults(seed, rate_503=0.2, rate_429=0.2)
            return [
                outcome
                for page in range(1, 101)
                for outcome in outcomes(client, f"{COMPLETION}?page_size=1&page={page % 30 + 1}", 1)
            ]

    once = met(1)
    assert once == met(1)
    assert once != met(2)
    assert 10 < once.count("503 html") < 32
    assert 10 < once.count("429") < 32


def test_a_429_says_when_to_come_again_as_seconds_as_a_date_or_not_at_all() -> None:
    with stand_in() as lms, client_of(lms) as client:
        lms.faults = Faults(rate_429=1.0, retry_after_seconds=4, most_in_a_row=9)
        assert client.get(COMPLETION).headers["Retry-After"] == "4"
        lms.faults = Faults(rate_429=1.0, retry_after="date", most_in_a_row=9)
        assert client.get(COMPLETION).headers["Retry-After"].endswith("GMT")
        lms.faults = Faults(rate_429=1.0, retry_after="none", most_in_a_row=9)
        assert "Retry-After" not in client.get(COMPLETION).headers


def test_a_stalled_answer_comes_late() -> None:
    with stand_in() as lms, client_of(lms) as client:
        lms.faults = Faults(rate_stall=1.0, stall_seconds=0.3)
        with pytest.raises(httpx.ReadTimeout):
            client.get(GRADEBOOK, timeout=0.1)
        started = time.monotonic()
        assert client.get(GRADEBOOK).status_code == 200
        assert time.monotonic() - started >= 0.3


def test_an_outage_lasts_until_it_is_over() -> None:
    with stand_in() as lms, client_of(lms) as client:
        lms.faults = Faults(outages=(Outage("/api/grades/", after=1),))
        assert outcomes(client, GRADEBOOK, 6) == ["200"] + ["503 html"] * 5
        assert client.get(COMPLETION).status_code == 200
        lms.faults = Faults(outages=(Outage("/api/grades/", status=None),))
        assert outcomes(client, GRADEBOOK, 1) == ["dropped"]
        lms.faults = Faults()
        assert outcomes(client, GRADEBOOK, 1) == ["200"]
        assert lms.requests.outcomes["gradebook", "outage"] == 6


def test_requests_are_counted_by_endpoint() -> None:
    with stand_in() as lms, client_of(lms) as client:
        client.get(GRADEBOOK)
        client.get(COMPLETION)
        client.get(COMPLETION)
        client.get("/nothing/here")
        assert lms.requests.counts == {
            "token": 1,
            "gradebook": 1,
            "completion": 2,
            "unknown": 1,
        }
        assert lms.requests.last[1].target == GRADEBOOK
        assert lms.requests.last[1].outcome == "200"


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


def exactly(subsections: Any, share: str) -> bool:
    return all(earned == possible * Decimal(share) for earned, possible, _ in subsections.values())


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


def rows_by_id(client: httpx.Client, url: str) -> dict[int, dict[str, Any]]:
    rows: dict[int, dict[str, Any]] = {}
    link: str | None = url
    while link:
        page = json.loads(client.get(link).text, parse_float=Decimal)
        rows |= {each["user_id"]: each for each in page["results"]}
        link = page["next"]
    return rows


def completion_by_name(
    client: httpx.Client, key: str
) -> dict[str, tuple[dict[str, Decimal], Decimal]]:
    url = f"/completion-aggregator/v1/course/{key}/?page_size=50&requested_fields=sequential"
    return {
        each["username"]: (
            {block["block_key"]: block["completion"]["percent"] for block in each["sequential"]},
            each["completion"]["percent"],
        )
        for page in following(client, url)
        for each in page["results"]
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
