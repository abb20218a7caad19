"""Points of graded work that a learner did not attempt: what they are, and where it matters.

The gradebook serves 0 of 0 points for a subsection that was not attempted, although it is worth
points. What it is worth is seen in the rows of learners who attempted it, where they all agree.
Otherwise it may differ from learner to learner, and only matters to one who has earned points in
its category: of nothing earned the share is 0, whatever the points are.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from threading import Lock
from typing import Final

from testamur.domain.criteria import category_key
from testamur.domain.learning import GradedSubsection

#: Stands for a subsection that was not attempted and whose points the answer did not tell.
GAP: Final = "-"

#: Between the subsections of a learner's work.
BETWEEN: Final = " "

#: Different results of one subsection that are remembered.
_MOST_REMEMBERED: Final = 500


@dataclass(frozen=True, slots=True)
class Module:
    """A graded subsection of a course.

    Args:
        module_id: Its usage key.
        category: Assignment category of the grading policy.
    """

    module_id: str
    category: str


Layout = tuple[Module, ...]
"""The graded subsections of a course, in the order in which a learner's work lists them."""


@dataclass(frozen=True, slots=True)
class CannotTell:
    """Why a learner's grades cannot be told.

    Args:
        module_id: The subsection whose points are not known.
    """

    module_id: str

    def __str__(self) -> str:
        return (
            f"the points of {self.module_id} cannot be told: the learner did not attempt it, and "
            "it is not known what it is worth to them"
        )


class KnownPoints:
    """What each subsection is worth, as the LMS said it of some learners."""

    def __init__(self) -> None:
        self.seen: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def add(self, module_id: str, possible: str) -> None:
        """Take what a subsection is worth to one learner."""
        self.seen[module_id][possible] += 1

    def leave_uncounted(self, module_id: str) -> None:
        """Take a subsection to be worth nothing, so that it does not count.

        For what nobody has attempted and learners do not see, such as work that is not released
        yet: the platform's own grades leave it out too.
        """
        self.add(module_id, "0")

    def any_of(self, module_id: str) -> bool:
        """Return whether the points are known of anybody."""
        return bool(self.seen.get(module_id))

    def agreed(self, module_id: str) -> str | None:
        """Return the points where they are the same for all of whom they are known."""
        seen = self.seen.get(module_id)
        return next(iter(seen)) if seen and len(seen) == 1 else None

    def most_common(self, module_id: str) -> str | None:
        """Return the points that most learners have, of several the most; 0 only if all have it."""
        seen = self.seen.get(module_id)
        if not seen:
            return None
        return max(seen, key=lambda points: (Decimal(points) > 0, seen[points], Decimal(points)))

    def copy(self) -> "KnownPoints":
        """Return a copy that does not change with this one."""
        copied = KnownPoints()
        for module_id, seen in self.seen.items():
            copied.seen[module_id] = Counter(seen)
        return copied


class CoursePoints:
    """The layouts of a course's works, and what its subsections are worth, as far as was read.

    Several threads may add layouts.
    """

    def __init__(self) -> None:
        self.known = KnownPoints()
        self._layouts: list[Layout] = []
        self._lock = Lock()

    @property
    def layouts(self) -> tuple[Layout, ...]:
        """The layouts so far; a work refers to one of them by its place."""
        return tuple(self._layouts)

    def layout(self, modules: Iterable[tuple[str, str]]) -> int:
        """Return the place of a layout of these modules and categories, a new one if need be."""
        layout = tuple(Module(module_id, category) for module_id, category in modules)
        with self._lock:
            if layout not in self._layouts:
                self._layouts.append(layout)
            return self._layouts.index(layout)


def result(earned: str, possible: str) -> str:
    """Return a learner's result in one subsection as a part of their work."""
    return f"{earned}/{possible}"


def matters(layout: Layout, work: str, known: KnownPoints) -> bool:
    """Return whether a learner's share of a category hangs on points that others do not tell.

    Args:
        layout: What the work lists.
        work: The work.
        known: What the subsections are worth to others.
    """
    if GAP not in work:
        return False
    results = work.split(BETWEEN)
    earning: set[str] | None = None
    for module, each in zip(layout, results, strict=True):
        if each == GAP and known.agreed(module.module_id) is None:
            earning = _earning(layout, results) if earning is None else earning
            if category_key(module.category) in earning:
                return True
    return False


def unseen(layouts: Iterable[Layout], known: KnownPoints) -> frozenset[str]:
    """Return the subsections whose points are not known of anybody."""
    return frozenset(
        module.module_id
        for layout in layouts
        for module in layout
        if not known.any_of(module.module_id)
    )


def filled(layout: Layout, work: str, told: Mapping[str, str]) -> str:
    """Return a learner's work with its gaps filled.

    Args:
        layout: What the work lists.
        work: The work.
        told: The learner's results by subsection, where they are known.
    """
    return BETWEEN.join(
        told.get(module.module_id, GAP) if each == GAP else each
        for module, each in zip(layout, work.split(BETWEEN), strict=True)
    )


class Restoring:
    """Makes the graded subsections of a learner from their work, with all points restored.

    Args:
        layouts: What the works list; a work refers to one of them by its place.
        known: What the subsections are worth to others.
        lesson: Usage key of the only subsection to look at; None: all.
    """

    def __init__(
        self, layouts: Sequence[Layout], known: KnownPoints, lesson: str | None = None
    ) -> None:
        self._layouts = layouts
        self._known = known
        self._lesson = lesson
        self._remembered = [
            [_Remembered(module, known.agreed(module.module_id)) for module in layout]
            for layout in layouts
        ]

    def subsections(self, layout: int, work: str) -> tuple[GradedSubsection, ...] | CannotTell:
        """Return a learner's graded subsections, or why they cannot be told."""
        results = work.split(BETWEEN) if work else []
        remembered = self._remembered[layout]
        if self._lesson is None:
            try:
                return tuple(
                    [results_of[each] for results_of, each in zip(remembered, results, strict=True)]
                )
            except _NotAgreed:
                return self._restored(self._layouts[layout], results)
        for place, module in enumerate(self._layouts[layout]):
            if module.module_id == self._lesson:
                try:
                    return (remembered[place][results[place]],)
                except _NotAgreed:
                    return self._restored((module,), [results[place]])
        return ()

    def _restored(
        self, layout: Layout, results: Sequence[str]
    ) -> tuple[GradedSubsection, ...] | CannotTell:
        earning = _earning(layout, results)
        restored: list[GradedSubsection] = []
        untold: list[Module] = []
        for module, each in zip(layout, results, strict=True):
            earned, possible = "0", self._known.agreed(module.module_id)
            if each != GAP:
                earned, _, possible = each.partition("/")
            elif possible is None:
                if category_key(module.category) in earning:
                    return CannotTell(module.module_id)
                possible = self._known.most_common(module.module_id)
            if possible is None:
                untold.append(module)
            else:
                restored.append(_subsection(module, earned, possible))
        told = {category_key(each.category) for each in restored if each.possible > 0}
        for module in untold:
            if category_key(module.category) not in told:
                return CannotTell(module.module_id)
        return tuple(restored)


class _NotAgreed(Exception):
    """The points of a subsection that was not attempted are not the same for all."""


class _Remembered(dict[str, GradedSubsection]):
    """Results of one subsection, each made once: there are far fewer than learners."""

    def __init__(self, module: Module, agreed: str | None) -> None:
        super().__init__()
        self._module = module
        self._agreed = agreed

    def __missing__(self, each: str) -> GradedSubsection:
        earned, _, possible = each.partition("/")
        if each == GAP:
            if self._agreed is None:
                raise _NotAgreed
            earned, possible = "0", self._agreed
        if len(self) > _MOST_REMEMBERED:
            self.clear()
        self[each] = made = _subsection(self._module, earned, possible)
        return made


def _subsection(module: Module, earned: str, possible: str) -> GradedSubsection:
    return GradedSubsection(module.module_id, module.category, Decimal(earned), Decimal(possible))


def _earning(layout: Layout, results: Sequence[str]) -> set[str]:
    """Return the categories in which there are points."""
    return {
        category_key(module.category)
        for module, each in zip(layout, results, strict=True)
        if each != GAP and Decimal(each.partition("/")[0]) != 0
    }


def gaps(layout: Layout, work: str) -> Iterator[str]:
    """Yield the subsections whose points the work does not tell."""
    for module, each in zip(layout, work.split(BETWEEN) if work else (), strict=True):
        if each == GAP:
            yield module.module_id
