"""The stand-in LMS tells of enrolments, accounts and completion as the contract says."""

from itertools import pairwise
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from examples.stand_in_lms.truth import (
    course_truth,
    people_truth,
)
from tests.support.open_edx import (
    COURSE_KEY,
    Change,
    Faults,
    StandInLms,
    a_learner,
    a_population,
    client_of,
    enrol,
    generate,
    stand_in,
)
from tests.support.stand_in_answers import (
    COMPLETION,
    ENROLLMENTS,
    FIRST,
    GRADEBOOK,
    following,
    one_course,
)

pytestmark = pytest.mark.integration

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
