"""The models whose rows are read, each with the fields that its real namesake has."""

from collections.abc import Mapping
from typing import ClassVar

from tests.support.edx_platform.querysets import Row


class User(Row):
    """`django.contrib.auth.models.User`, with what related models add to it."""

    fields = frozenset({"id", "username", "email", "is_active", "password"})
    relations: ClassVar[Mapping[str, type[Row]]] = {}

    def has_usable_password(self) -> bool:
        return not str(self.password).startswith("!")


class UserProfile(Row):
    fields = frozenset({"id", "name"})
    relations: ClassVar[Mapping[str, type[Row]]] = {"user": User}


User.relations = {"profile": UserProfile}


class LanguageProficiency(Row):
    fields = frozenset({"id", "code"})
    relations: ClassVar[Mapping[str, type[Row]]] = {"user_profile": UserProfile}


class UserPreference(Row):
    fields = frozenset({"id", "key", "value"})
    relations: ClassVar[Mapping[str, type[Row]]] = {"user": User}


class CourseEnrollment(Row):
    fields = frozenset({"id", "course_id", "created", "is_active", "mode"})
    relations: ClassVar[Mapping[str, type[Row]]] = {"user": User}


class CourseOverview(Row):
    fields = frozenset({"id", "display_name", "cert_name_long", "cert_name_short", "start", "end"})


class Aggregator(Row):
    fields = frozenset(
        {
            "id",
            "course_key",
            "aggregation_name",
            "block_key",
            "earned",
            "possible",
            "percent",
            "last_modified",
        }
    )
    relations: ClassVar[Mapping[str, type[Row]]] = {"user": User}


class LearningPathStep(Row):
    fields = frozenset({"id", "course_key", "order", "weight"})


class LearningPath(Row):
    fields = frozenset({"id", "key", "display_name", "steps"})


class LearningPathEnrollment(Row):
    fields = frozenset({"id", "is_active", "created"})
    relations: ClassVar[Mapping[str, type[Row]]] = {"user": User, "learning_path": LearningPath}
