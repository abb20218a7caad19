"""Keys of courses and blocks, as the package opaque_keys gives them."""

import re
from dataclasses import dataclass
from typing import ClassVar, Self


class InvalidKeyError(Exception):
    """`opaque_keys.InvalidKeyError`."""


@dataclass(frozen=True)
class StandInKey:
    """A key that knows only its text."""

    text: str
    form: ClassVar[re.Pattern[str]]

    @classmethod
    def from_string(cls, serialized: str) -> Self:
        if not cls.form.fullmatch(serialized):
            raise InvalidKeyError(f"{cls}: {serialized}")
        return cls(serialized)

    def __str__(self) -> str:
        return self.text


class CourseKey(StandInKey):
    form = re.compile(r"course-v1:[^+:%]+\+[^+]+\+[^+]+|ccx-v1:[^+:]+\+[^+]+\+[^+]+\+ccx@\d+")


class UsageKey(StandInKey):
    form = re.compile(r"(ccx-)?block-v1:.+\+type@\w+\+block@.+")


class LearningPathKey(StandInKey):
    form = re.compile(r"path-v1:[^+]+\+[^+]+\+[^+]+\+[^+]+")
