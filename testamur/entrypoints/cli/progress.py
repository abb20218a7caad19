"""Progress bars of a run: on stderr, and only where that is a terminal."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from testamur.application.progress import Progress, Step, Unwatched

if TYPE_CHECKING:
    import rich.progress

LABELS: Final = {
    Step.EVALUATE: "Evaluating learners",
    Step.AWARD: "Awarding",
    Step.ISSUE: "Issuing documents",
    Step.NOTIFY: "Telling learners",
    Step.FOLLOW: "Following the log",
    Step.VERIFY: "Verifying events",
    Step.EXPORT: "Writing entries",
    Step.DOWNLOAD: "Reading documents",
    Step.REVOKE: "Revoking",
    Step.REISSUE: "Reissuing",
    Step.CORRECT: "Carrying out corrections",
}

#: Where nobody said how much there is to do in a step: as much as this step before it did.
_FOLLOWS: Final = {Step.ISSUE: Step.AWARD, Step.NOTIFY: Step.ISSUE}


@contextmanager
def watching() -> Iterator[Progress]:
    """Show how far the work is while the context lasts, or nothing where nobody sees it."""
    if not sys.stderr.isatty():
        yield Unwatched()
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )
    from rich.progress import Progress as Bars

    columns = (
        SpinnerColumn(finished_text="[green]✓[/]"),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Bars(*columns, console=Console(file=sys.stderr)) as bars:
        shown = ShownProgress(bars)
        yield shown
        shown.finish()


class ShownProgress:
    """Progress as bars, one for each step that was begun.

    Args:
        bars: Draws them.
    """

    def __init__(self, bars: "rich.progress.Progress") -> None:
        self._bars = bars
        self._tasks: dict[Step, rich.progress.TaskID] = {}
        self._done: dict[Step, int] = {}
        self._expected: dict[Step, int] = {}

    def expect(self, step: Step, total: int) -> None:
        """Show how much there is to do in a step."""
        self._expected[step] = total
        self._draw(step)

    def advance(self, step: Step, by: int) -> None:
        """Show that so much more is done."""
        self._done[step] = self._done.get(step, 0) + by
        if before := _FOLLOWS.get(step):
            self._end(before)
        self._draw(step)

    def finish(self) -> None:
        """Show every step as done."""
        for step in self._tasks:
            self._end(step)

    def _draw(self, step: Step) -> None:
        done = self._done.get(step, 0)
        self._bars.update(self._task(step), completed=done, total=self._total(step, done))

    def _total(self, step: Step, done: int) -> int | None:
        if step in self._expected:
            return max(self._expected[step], done)
        if step in _FOLLOWS:
            return max(self._done.get(_FOLLOWS[step], 0), done)
        return None

    def _end(self, step: Step) -> None:
        if step in self._tasks:
            done = self._done.get(step, 0)
            self._bars.update(self._tasks[step], completed=done, total=done)

    def _task(self, step: Step) -> "rich.progress.TaskID":
        if step not in self._tasks:
            self._tasks[step] = self._bars.add_task(LABELS[step], total=None)
        return self._tasks[step]
