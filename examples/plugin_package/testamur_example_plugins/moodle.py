"""A data source that asks Moodle, over the REST protocol of its web services.

Context keys are ``moodle-course:ID`` with the course's number. What is asked, and with which
rights, stands in the README.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Final

import httpx
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from testamur.application.errors import RetrievalError
from testamur.application.ports.retrieval import EVERYTHING, Needs
from testamur.domain.contexts import LearningContextKey
from testamur.domain.identifiers import LearnerId
from testamur.domain.learning import Achievement, ContextFacts, GradedSubsection, LearnerRecord
from testamur.domain.personal_data import Person

SCHEME: Final = "moodle-course"
COURSE_TOTAL: Final = "Course total"

#: Kinds of activities that Moodle's standard modules grade. The course total says how they count.
GRADED_KINDS: Final = (
    *("assign", "data", "forum", "glossary", "h5pactivity", "lesson", "lti", "manual"),
    *("quiz", "scorm", "workshop"),
)

#: Moodle's completion states *complete* and *complete, passed*.
COMPLETE: Final = frozenset({1, 2})

#: Codes of errors that are about the learner who is asked about, and about nobody else.
ABOUT_THE_LEARNER: Final = frozenset(
    {"accessdenied", "guestsarenotallowed", "invaliduser", "notingroup", "userdeleted"}
    | {"usernotconfirmed", "usernotenroled"}
)

PEOPLE_AT_ONCE: Final = 100


class MoodleOptions(BaseModel):
    """How to reach a Moodle site.

    Args:
        url: Where the site is, such as ``https://moodle.example.org``.
        token: Of a web service with the functions that the README lists.
        role: Short name of the role that learners have in a course.
        page_size: Participants asked for at once.
        timeout_seconds: Time allowed for connecting, and for each wait for a part of an answer.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Annotated[str, Field(pattern=r"^https?://[^\s?#]+$")]
    token: SecretStr
    role: str = "student"
    page_size: Annotated[int, Field(ge=1, le=1000)] = 100
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 60.0


class MoodleError(RetrievalError):
    """Moodle cannot be asked, or says no.

    Args:
        function: Which web service function was called.
        code: Moodle's code of the error; empty where there was no answer of Moodle's own.
        detail: What went wrong.
    """

    def __init__(self, function: str, code: str, detail: str) -> None:
        self.code = code
        super().__init__(f"Moodle, {function}: {f'{code}: ' if code else ''}{detail}")


class MoodleSource:
    """A Moodle site. Several threads may use one source.

    Args:
        options: How to reach it.
    """

    options_model = MoodleOptions
    context_kinds: Final[Mapping[str, str]] = {SCHEME: "course"}

    def __init__(self, options: MoodleOptions) -> None:
        self._options = options
        self._client = httpx.Client(timeout=options.timeout_seconds)

    @property
    def name(self) -> str:
        """``moodle:`` and the site's host."""
        return f"moodle:{httpx.URL(self._options.url).host}"

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def check(self) -> str:
        """Ask for the site's name, which tries address and token.

        Raises:
            MoodleError: It cannot be asked.
        """
        site = self._call("core_webservice_get_site_info", {})
        return f"{site['sitename']} answers, as {site['username']}"

    def facts(self, context: LearningContextKey, needs: Needs = EVERYTHING) -> ContextFacts:
        """Return the course's name and dates. Only the course total has a weight: all of it.

        Raises:
            RetrievalError: There is no such course, or it cannot be asked for.
        """
        wanted = {"field": "id", "value": str(_course_id(context))}
        courses = self._call("core_course_get_courses_by_field", wanted, "courses")
        if not courses:
            raise RetrievalError(f"{self.name} has no course {context}, or does not show it")
        course = courses[0]
        return ContextFacts(
            key=str(context),
            name=course["fullname"],
            start=_moment(course.get("startdate")),
            end=_moment(course.get("enddate")),
            weights={**dict.fromkeys(GRADED_KINDS, Decimal(0)), COURSE_TOTAL: Decimal(1)},
        )

    def records(
        self, context: LearningContextKey, needs: Needs, learner_id: LearnerId | None = None
    ) -> Iterator[Sequence[LearnerRecord]]:
        """Yield the active learners of a course in pages, by their numbers.

        Raises:
            RetrievalError: A page cannot be had.
        """
        course = _course_id(context)
        for page in self._learners(course):
            wanted = [user for user in page if learner_id in (None, str(user))]
            if wanted:
                yield [self._record(course, user, needs) for user in wanted]
            if wanted and learner_id is not None:
                return

    def people(self, learner_ids: Sequence[LearnerId]) -> Mapping[LearnerId, Person]:
        """Return who these learners are. An account that is suspended is not mailed."""
        found: dict[LearnerId, Person] = {}
        for begin in range(0, len(learner_ids), PEOPLE_AT_ONCE):
            some = learner_ids[begin : begin + PEOPLE_AT_ONCE]
            values = {f"values[{at}]": id_ for at, id_ in enumerate(some)}
            users = self._call("core_user_get_users_by_field", {"field": "id", **values})
            for user in users:
                found[LearnerId(str(user["id"]))] = Person(
                    full_name=user["fullname"],
                    email=user.get("email") or None,
                    locale=_language(user.get("lang")),
                    mailable=not user.get("suspended", False),
                )
        return found

    def _learners(self, course: int) -> Iterator[list[int]]:
        """Yield the numbers of active learners in rising order, each once."""
        begin, last = 0, 0
        while True:
            given = {
                "onlyactive": 1,
                "userfields": "id,roles",
                "sortby": "id",
                "limitfrom": begin,
                "limitnumber": self._options.page_size,
            }
            options = {
                f"options[{at}][{part}]": str(text)
                for at, option in enumerate(given.items())
                for part, text in zip(("name", "value"), option, strict=True)
            }
            users = self._call(
                "core_enrol_get_enrolled_users", {"courseid": str(course), **options}
            )
            if (
                not users
            ):  # a page may be short: participants whom the token may not see are left out
                return
            yield [user["id"] for user in users if user["id"] > last and self._is_learner(user)]
            begin, last = begin + self._options.page_size, users[-1]["id"]

    def _is_learner(self, user: Mapping[str, Any]) -> bool:
        return any(role["shortname"] == self._options.role for role in user.get("roles", ()))

    def _record(self, course: int, user: int, needs: Needs) -> LearnerRecord:
        about = {"courseid": str(course), "userid": str(user)}
        try:
            achievement = Achievement(
                completion=self._completion(about) if needs.completion else None,
                subsections=self._grades(about) if needs.grades else (),
            )
        except MoodleError as error:
            if error.code not in ABOUT_THE_LEARNER:
                raise
            return LearnerRecord(LearnerId(str(user)), left_out=str(error))
        return LearnerRecord(
            LearnerId(str(user)), achievement=achievement, retrieved_at=datetime.now(UTC)
        )

    def _completion(self, about: Mapping[str, str]) -> Decimal | None:
        function = "core_completion_get_activities_completion_status"
        found = self._call(function, about, "statuses")
        states = [each["state"] for each in found if each["tracking"]]
        complete = sum(state in COMPLETE for state in states)
        return Decimal(complete) / len(states) if states else None

    def _grades(self, about: Mapping[str, str]) -> tuple[GradedSubsection, ...]:
        found = self._call("gradereport_user_get_grade_items", about, "usergrades")
        return tuple(
            GradedSubsection(str(item["id"]), category, earned, possible)
            for of_learner in found
            for item in of_learner["gradeitems"]
            if (category := _category(item)) is not None
            for earned, possible in _points(item)
        )

    def _call(self, function: str, arguments: Mapping[str, str], part: str | None = None) -> Any:
        """Call a function, and return its answer, or a part of it.

        The token goes in the body, so that no log of addresses holds it.
        """
        form = {
            "wstoken": self._options.token.get_secret_value(),
            "wsfunction": function,
            "moodlewsrestformat": "json",
        }
        url = f"{self._options.url.rstrip('/')}/webservice/rest/server.php"
        try:
            response = self._client.post(url, data={**form, **arguments})
            answer = response.raise_for_status().json()
        except httpx.HTTPError as error:
            raise MoodleError(function, "", f"{type(error).__name__}: {error}") from error
        except ValueError as error:
            raise MoodleError(function, "", "the answer is no JSON; is this Moodle?") from error
        if isinstance(answer, dict) and "exception" in answer:  # Moodle says no with status 200
            raise MoodleError(function, str(answer.get("errorcode")), str(answer.get("message")))
        if part is None:
            return answer
        if not isinstance(answer, dict) or part not in answer:
            raise MoodleError(function, "", f"the answer has no {part}; is this Moodle?")
        return answer[part]


def _course_id(context: LearningContextKey) -> int:
    scheme, _, number = str(context).partition(":")
    if scheme != SCHEME or not (number.isascii() and number.isdigit()):
        raise RetrievalError(f"{context} is no key of a Moodle course, such as {SCHEME}:42")
    return int(number)


def _category(item: Mapping[str, Any]) -> str | None:
    match item["itemtype"]:
        case "course":
            return COURSE_TOTAL
        case "mod":
            return str(item["itemmodule"])
        case "manual":
            return "manual"
        case _:  # a grade category: what it is made of counts by itself
            return None


def _points(item: Mapping[str, Any]) -> Iterator[tuple[Decimal, Decimal]]:
    """Yield points earned and possible; nothing where the item has no grade in points."""
    lowest, highest = (Decimal(str(item.get(name) or 0)) for name in ("grademin", "grademax"))
    if highest > lowest:
        raw = item.get("graderaw")
        yield Decimal(0) if raw is None else Decimal(str(raw)) - lowest, highest - lowest


def _moment(seconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def _language(code: str | None) -> str | None:
    """Return Moodle's ``pt_br`` as ``pt-BR`` (BCP 47)."""
    language, _, region = (code or "").partition("_")
    return f"{language}-{region.upper()}" if len(region) == 2 else language or None
