"""A server on this machine that speaks the REST protocol of Moodle's web services."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Final
from urllib.parse import parse_qsl

TOKEN: Final = "0123456789"

COURSE_ID: Final = 42


@dataclass(frozen=True)
class Participant:
    """Somebody in the course.

    Args:
        full_name: Their name.
        states: Completion state of each activity that is tracked.
        quiz: Points earned in the quiz, out of 10; None where it was not attempted.
        total: The course total, out of 100.
        role: Short name of their role.
        suspended: Whether their account is.
        error: Code of the error that asking about them gives; empty: none.
    """

    full_name: str
    states: tuple[int, ...] = (1, 1)
    quiz: float | None = 10
    total: float | None = 100
    role: str = "student"
    suspended: bool = False
    error: str = ""


@dataclass
class MoodleServer:
    """The course with the number 42, and who is in it.

    Args:
        url: Where the site is.
        participants: By their numbers.
        calls: The functions that were called, in order.
        says: Is answered instead of everything, if it is not None.
    """

    url: str
    participants: dict[int, Participant]
    calls: list[str] = field(default_factory=list)
    says: bytes | None = None

    def answer(self, form: Mapping[str, str]) -> Any:
        """Answer a call."""
        self.calls.append(form["wsfunction"])
        if form["wstoken"] != TOKEN:
            return _refused("invalidtoken", "Invalid token - token not found")
        if form["wsfunction"] == "core_webservice_get_site_info":
            return {"sitename": "Example Moodle", "username": "registrar"}
        if form["wsfunction"] == "core_course_get_courses_by_field":
            known = form["value"] == str(COURSE_ID)
            return {"courses": [_COURSE] if known else [], "warnings": []}
        if form["wsfunction"] == "core_enrol_get_enrolled_users":
            return self._enrolled({form[f"options[{at}][name]"]: at for at in range(5)}, form)
        if form["wsfunction"] == "core_user_get_users_by_field":
            asked = [int(value) for name, value in form.items() if name.startswith("values[")]
            return [self._user(each) for each in asked if each in self.participants]
        participant = self.participants[int(form["userid"])]
        if participant.error:
            return _refused(participant.error, "not to be shown")
        if form["wsfunction"] == "core_completion_get_activities_completion_status":
            statuses = [{"state": state, "tracking": 2} for state in participant.states]
            return {"statuses": [*statuses, {"state": 0, "tracking": 0}], "warnings": []}
        assert form["wsfunction"] == "gradereport_user_get_grade_items"
        return {"usergrades": [{"gradeitems": _grade_items(participant)}], "warnings": []}

    def _enrolled(self, places: Mapping[str, int], form: Mapping[str, str]) -> Any:
        option = {name: form[f"options[{at}][value]"] for name, at in places.items()}
        assert (option["onlyactive"], option["sortby"]) == ("1", "id")
        begin = int(option["limitfrom"])
        page = sorted(self.participants)[begin : begin + int(option["limitnumber"])]
        return [
            {"id": each, "roles": [{"shortname": self.participants[each].role}]} for each in page
        ]

    def _user(self, number: int) -> dict[str, Any]:
        participant = self.participants[number]
        return {
            "id": number,
            "fullname": participant.full_name,
            "email": f"learner-{number}@example.org",
            "lang": "pt_br",
            "suspended": participant.suspended,
        }


_COURSE: Final = {
    "id": COURSE_ID,
    "fullname": "Statistics & Data",
    "startdate": 1767225600,
    "enddate": 0,
}


def _grade_items(participant: Participant) -> list[dict[str, Any]]:
    quiz = {"id": 1, "itemtype": "mod", "itemmodule": "quiz", "grademin": 0, "grademax": 10}
    total = {"id": 3, "itemtype": "course", "itemmodule": None, "grademin": 0, "grademax": 100}
    category = {"id": 2, "itemtype": "category", "graderaw": 5, "grademin": 0, "grademax": 10}
    text = {"id": 4, "itemtype": "manual", "graderaw": None, "grademin": 0, "grademax": 0}
    return [
        {**quiz, "graderaw": participant.quiz},
        category,
        text,
        {**total, "graderaw": participant.total},
    ]


def _refused(code: str, message: str) -> dict[str, str]:
    return {"exception": "moodle_exception", "errorcode": code, "message": message}


@contextmanager
def running_moodle(participants: Mapping[int, Participant]) -> Iterator[MoodleServer]:
    """Run a server while the context lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            form = dict(parse_qsl(self.rfile.read(length).decode(), keep_blank_values=True))
            assert "wstoken" not in self.path
            body = moodle.says or json.dumps(moodle.answer(form)).encode()
            self.send_response(200 if self.path == "/webservice/rest/server.php" else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    moodle = MoodleServer(f"http://127.0.0.1:{server.server_port}", dict(participants))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield moodle
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
