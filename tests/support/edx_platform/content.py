"""`xmodule.modulestore`, the request's cache and the connections of a process."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from tests.support.edx_platform.keys import CourseKey, UsageKey


class ItemNotFoundError(Exception):
    """`xmodule.modulestore.exceptions.ItemNotFoundError`."""


class RequestCache:
    """`edx_django_utils.cache.RequestCache`, of one thread."""

    data: ClassVar[dict[str, Any]] = {}

    @classmethod
    def clear_all_namespaces(cls) -> None:
        cls.data.clear()


@dataclass
class CourseBlock:
    """The root of a course; a CCX shows its parent's policy while that is in the field cache."""

    policy: Any
    parents_policy: Any = None

    def __post_init__(self) -> None:
        self._field_data_cache: dict[str, Any] = {}
        if self.parents_policy is not None:
            self._field_data_cache["grading_policy"] = self.parents_policy

    @property
    def grading_policy(self) -> Any:
        return self._field_data_cache.get("grading_policy", self.policy)


@dataclass(frozen=True)
class SequenceBlock:
    display_name: str | None
    format: str | None
    graded: bool


@dataclass
class Modulestore:
    """What authors have published; a course is read once in a request."""

    cache: type[RequestCache]
    courses: dict[str, CourseBlock] = field(default_factory=dict)
    items: dict[str, SequenceBlock] = field(default_factory=dict)

    def get_course(self, course_key: CourseKey, depth: int = 0) -> CourseBlock | None:
        return self.cache.data.setdefault(str(course_key), self.courses.get(str(course_key)))

    def get_item(self, usage_key: UsageKey, depth: int = 0) -> SequenceBlock:
        if str(usage_key) not in self.items:
            raise ItemNotFoundError(usage_key)
        return self.items[str(usage_key)]


@dataclass
class Connection:
    """A connection to a database, broken or not."""

    is_broken: bool = False
    in_atomic_block: bool = False
    is_closed: bool = False

    def close_if_unusable_or_obsolete(self) -> None:
        # In a transaction the real one closes itself as well, and the transaction is lost.
        self.is_closed = self.is_closed or self.is_broken or self.in_atomic_block


@dataclass
class Connections:
    of_this_thread: list[Connection] = field(default_factory=lambda: [Connection()])

    def all(self, initialized_only: bool = False) -> list[Connection]:
        return self.of_this_thread
