"""Learning contexts: what a credential is earned in: a course, a lesson or a pathway.

The key formats are those of Open edX: course and usage keys as its REST API prints them, and the
pathway keys of the Learning Paths plugin. Other systems' keys come in through named kinds.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from testamur.domain.errors import InvalidInput

LONGEST_KEY: Final = 255

_PART = r"[\w\-~.:%]+"
_COURSE = re.compile(rf"course-v1:(?P<org>{_PART})\+(?P<course>{_PART})\+(?P<run>{_PART})")
_CCX = re.compile(
    rf"ccx-v1:(?P<org>{_PART})\+(?P<course>{_PART})\+(?P<run>{_PART})\+ccx@(?P<ccx>\d+)"
)
_LESSON = re.compile(
    rf"(?P<scheme>block-v1|ccx-block-v1):(?P<course>{_PART}\+{_PART}\+{_PART}(?:\+ccx@\d+)?)"
    rf"\+type@sequential\+block@(?P<block>{_PART})"
)
_PATHWAY = re.compile(
    rf"path-v1:(?P<org>{_PART})\+(?P<number>{_PART})\+(?P<run>{_PART})\+(?P<group>{_PART})"
)

_OWN_SCHEMES: Final = frozenset({"course-v1", "ccx-v1", "block-v1", "ccx-block-v1", "path-v1"})

ALLOWED_KEYS: Final = (
    "course-v1:ORG+COURSE+RUN, ccx-v1:ORG+COURSE+RUN+ccx@N, "
    "block-v1:ORG+COURSE+RUN+type@sequential+block@ID, path-v1:ORG+NUMBER+RUN+GROUP"
)


@dataclass(frozen=True, slots=True)
class CourseKey:
    """A course run, ``course-v1:ORG+COURSE+RUN``; with ``ccx``, a custom course made from it."""

    org: str
    course: str
    run: str
    ccx: int | None = None

    kind = "course"

    def __str__(self) -> str:
        run = f"{self.org}+{self.course}+{self.run}"
        return f"course-v1:{run}" if self.ccx is None else f"ccx-v1:{run}+ccx@{self.ccx}"


@dataclass(frozen=True, slots=True)
class LessonKey:
    """A lesson (one subsection, block type ``sequential``) of a course."""

    course: CourseKey
    block: str

    kind = "lesson"

    def __str__(self) -> str:
        scheme = "block-v1" if self.course.ccx is None else "ccx-block-v1"
        _, _, run = str(self.course).partition(":")
        return f"{scheme}:{run}+type@sequential+block@{self.block}"


@dataclass(frozen=True, slots=True)
class PathwayKey:
    """A pathway of several courses, ``path-v1:ORG+NUMBER+RUN+GROUP``."""

    org: str
    number: str
    run: str
    group: str

    kind = "pathway"

    def __str__(self) -> str:
        return f"path-v1:{self.org}+{self.number}+{self.run}+{self.group}"


@dataclass(frozen=True, slots=True)
class OpaqueKey:
    """A key of another system, of a kind that a plugin named; the core never looks inside it."""

    kind: str
    key: str

    def __str__(self) -> str:
        return self.key


LearningContextKey = CourseKey | LessonKey | PathwayKey | OpaqueKey


def parse_context_key(
    text: str, kinds: Mapping[str, str] | None = None, field: str = "context_key"
) -> LearningContextKey:
    """Parse the key of a learning context.

    Args:
        text: The key, at most 255 characters.
        kinds: Schemes that plugins define, each with the name of its kind: with
            ``{"moodle-course": "course"}`` the key ``moodle-course:42`` is an opaque course.
            The schemes of this module stay as they are.
        field: Name of the field in the error.

    Raises:
        InvalidInput: The key is malformed or its scheme is unknown.
    """
    if len(text) <= LONGEST_KEY:
        scheme, _, rest = text.partition(":")
        if scheme in _OWN_SCHEMES:
            parsed = _parse_own(text)
            # A number of a CCX can be spelled in several ways (3, 03); only one is the key.
            if parsed is not None and str(parsed) == text:
                return parsed
        elif kinds and scheme in kinds and rest and rest == rest.strip() and rest.isprintable():
            return OpaqueKey(kinds[scheme], text)
    plugin_keys = "".join(f", {scheme}:…" for scheme in sorted(kinds or ()))
    raise InvalidInput(
        field, text, f"{ALLOWED_KEYS}{plugin_keys} (at most {LONGEST_KEY} characters)"
    )


@dataclass(frozen=True, slots=True)
class ContextKinds:
    """Schemes of learning context keys that plugins define, each with the name of its kind."""

    by_scheme: Mapping[str, str]

    def parse(self, text: str) -> LearningContextKey:
        """Parse the key of a learning context.

        Raises:
            InvalidInput: It is malformed, or its scheme is unknown.
        """
        return parse_context_key(text, self.by_scheme)


OWN_KINDS_ONLY: Final = ContextKinds({})


def _parse_own(text: str) -> CourseKey | LessonKey | PathwayKey | None:
    if found := _COURSE.fullmatch(text):
        return CourseKey(found["org"], found["course"], found["run"])
    if found := _CCX.fullmatch(text):
        return CourseKey(found["org"], found["course"], found["run"], int(found["ccx"]))
    if found := _LESSON.fullmatch(text):
        scheme = "course-v1" if found["scheme"] == "block-v1" else "ccx-v1"
        course = _parse_own(f"{scheme}:{found['course']}")
        return LessonKey(course, found["block"]) if isinstance(course, CourseKey) else None
    if found := _PATHWAY.fullmatch(text):
        return PathwayKey(found["org"], found["number"], found["run"], found["group"])
    return None
