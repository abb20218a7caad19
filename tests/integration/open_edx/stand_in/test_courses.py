"""The stand-in LMS tells of pathways and courses as the contract says, and of what is in front."""

import socket
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from examples.stand_in_lms.generated_courses import DOTTED_PATHWAY
from examples.stand_in_lms.truth import (
    learner_truth,
    pathway_truth,
)
from tests.support.open_edx import (
    PATHWAY_KEY,
    Faults,
    Population,
    StandInLms,
    a_course,
    a_learner,
    a_population,
    client_of,
    stand_in,
)
from tests.support.stand_in_answers import (
    FIRST,
    GRADEBOOK,
)

pytestmark = pytest.mark.integration

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
