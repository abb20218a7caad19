"""`completion_aggregator.serializers`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from tests.support.edx_platform.querysets import Database


@dataclass
class StaleCompletions:
    """What learners have really completed where what is stored is out of date.

    Args:
        percents: By user id, course key and key of the lesson (None: the course).
    """

    database: Database
    percents: dict[tuple[int, str, str | None], float] = field(default_factory=dict)

    def adapter(self) -> type:
        """Return the class `AggregatorAdapter` over these."""
        stale = self

        class AggregatorAdapter:
            def __init__(
                self,
                user: Any,
                course_key: Any,
                aggregators: Iterable[Any] | None = None,
                root_block: Any = None,
                recalculate_stale: bool = False,
            ) -> None:
                given = list(aggregators or [])
                if any((each.user, each.course_key) != (user, course_key) for each in given):
                    raise ValueError("AggregatorAdapter received Aggregator for the wrong one.")
                if recalculate_stale:
                    stale.database.execute("StaleCompletion")
                    live = stale.recalculated(user.id, str(course_key))
                    given = live or given
                self._of_course = [each for each in given if each.aggregation_name == "course"]
                self.sequential = [each for each in given if each.aggregation_name == "sequential"]

            @property
            def percent(self) -> float:
                return float(self._of_course[0].percent) if self._of_course else 0.0

            @property
            def possible(self) -> float | None:
                return 1.0 if self._of_course else None

        return AggregatorAdapter

    def recalculated(self, user_id: int, course: str) -> list[SimpleNamespace]:
        mine: Mapping[str | None, float] = {
            lesson: percent
            for (user, key, lesson), percent in self.percents.items()
            if (user, key) == (user_id, course)
        }
        return [
            SimpleNamespace(
                aggregation_name="sequential" if lesson else "course",
                block_key=lesson,
                percent=percent,
            )
            for lesson, percent in mine.items()
        ]
