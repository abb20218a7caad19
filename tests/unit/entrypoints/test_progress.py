import io

import pytest
from rich.console import Console
from rich.progress import Progress

from testamur.application.progress import Step, Unwatched
from testamur.entrypoints.cli.progress import LABELS, ShownProgress, watching


def bars() -> Progress:
    return Progress(console=Console(file=io.StringIO()), auto_refresh=False)


def shown(progress: Progress) -> dict[str, tuple[float, float | None]]:
    return {task.description: (task.completed, task.total) for task in progress.tasks}


def test_each_step_that_was_begun_has_a_bar() -> None:
    drawn = bars()
    progress = ShownProgress(drawn)
    progress.advance(Step.EVALUATE, 10)
    progress.advance(Step.AWARD, 4)
    assert shown(drawn) == {LABELS[Step.EVALUATE]: (10, None), LABELS[Step.AWARD]: (4, None)}


def test_documents_and_messages_are_as_many_as_the_step_before_did() -> None:
    drawn = bars()
    progress = ShownProgress(drawn)
    progress.advance(Step.AWARD, 4)
    progress.advance(Step.ISSUE, 3)
    assert shown(drawn)[LABELS[Step.ISSUE]] == (3, 4)
    progress.advance(Step.NOTIFY, 1)
    assert shown(drawn)[LABELS[Step.NOTIFY]] == (1, 3)


def test_work_left_by_others_never_makes_more_done_than_there_is() -> None:
    drawn = bars()
    progress = ShownProgress(drawn)
    progress.advance(Step.AWARD, 1)
    progress.advance(Step.ISSUE, 100)
    assert shown(drawn)[LABELS[Step.ISSUE]] == (100, 100)


def test_what_somebody_expects_is_the_total() -> None:
    drawn = bars()
    progress = ShownProgress(drawn)
    progress.expect(Step.EVALUATE, 50)
    progress.advance(Step.EVALUATE, 20)
    assert shown(drawn) == {LABELS[Step.EVALUATE]: (20, 50)}


def test_in_the_end_every_bar_is_full() -> None:
    drawn = bars()
    progress = ShownProgress(drawn)
    progress.advance(Step.EVALUATE, 7)
    progress.finish()
    assert shown(drawn) == {LABELS[Step.EVALUATE]: (7, 7)}


def test_nothing_is_drawn_where_stderr_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with watching() as progress:
        assert isinstance(progress, Unwatched)
        progress.advance(Step.EVALUATE, 7)
    assert capsys.readouterr() == ("", "")
