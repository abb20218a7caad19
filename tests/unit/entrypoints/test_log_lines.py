"""Log lines: what they belong to, as text and as JSON, and what is left out of them."""

import json
import logging
import sys
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest

from testamur.adapters.current_work import CurrentWork, HelpingThreads, begin
from testamur.application.errors import EventStoreError, Unforeseen
from testamur.entrypoints.log_lines import (
    JsonLines,
    TextLines,
    set_up_logging,
    take_over_logging,
    tell,
)

NAME = "Zofia Wielkopolska-Żółć"
WORK = CurrentWork("issue_batch", "run-1", "message-1", share=3, credentials=20)


@pytest.fixture(autouse=True)
def nothing_is_being_done() -> Iterator[None]:
    yield
    begin(None)


class Written:
    """A logger of its own, and the lines that it wrote."""

    def __init__(self, lines: logging.Formatter) -> None:
        # Of its own, so that no other test's lines are in it.
        self.logger = logging.Logger("library.part")  # noqa: LOG001
        self._stream = StringIO()
        handler = logging.StreamHandler(self._stream)
        handler.setFormatter(lines)
        self.logger.addHandler(handler)

    @property
    def text(self) -> str:
        return self._stream.getvalue()

    @property
    def document(self) -> dict[str, Any]:
        (line,) = self.text.splitlines()
        document: dict[str, Any] = json.loads(line)
        return document


def fail_with(error: Exception) -> None:
    raise error


def log_failure(written: Written, error: Exception) -> None:
    try:
        try:
            fail_with(error)
        except ValueError as cause:
            raise EventStoreError("the disk is full") from cause
    except EventStoreError:
        written.logger.exception("it failed")


def test_a_line_of_a_library_says_what_it_belongs_to() -> None:
    written = Written(JsonLines())
    begin(WORK)

    written.logger.warning("slow: %d ms", 12)

    document = written.document
    assert document.pop("time").endswith("+00:00")
    assert document.pop("process")
    assert document == {
        "level": "WARNING",
        "logger": "library.part",
        "message": "slow: 12 ms",
        "thread": "MainThread",
        "task": "issue_batch",
        "correlation_id": "run-1",
        "message_id": "message-1",
        "share": 3,
        "credentials": 20,
    }


def test_threads_that_help_belong_to_the_same_work() -> None:
    written = Written(JsonLines())
    begin(WORK)
    with HelpingThreads(1) as threads:
        threads.submit(written.logger.warning, "from afar").result()
        begin(None)
        threads.submit(written.logger.warning, "of nobody").result()

    first, second = map(json.loads, written.text.splitlines())
    assert (first["correlation_id"], second.get("correlation_id")) == ("run-1", None)


def test_names_and_values_are_fields_as_json_and_readable_as_text() -> None:
    as_json, as_text = Written(JsonLines()), Written(TextLines())
    for written in (as_json, as_text):
        tell(written.logger, logging.INFO, task="tick", run="run-2", seconds=1.23456,
             subject="a course", missing=None)  # fmt: skip

    assert as_json.document["run_id"] == "run-2"
    assert as_json.document["seconds"] == 1.23456
    assert "missing" not in as_json.document
    assert as_text.text.endswith("task=tick run=run-2 seconds=1.235 subject='a course'\n")


def test_as_text_a_line_ends_with_what_it_belongs_to() -> None:
    written = Written(TextLines())
    begin(WORK)

    written.logger.warning("slow")

    assert written.text.endswith("[library.part] [WARNING] slow correlation_id=run-1\n")


@pytest.mark.parametrize("lines", [JsonLines(), TextLines()])
def test_what_an_error_says_is_left_out_unless_it_is_for_everybody(
    lines: logging.Formatter,
) -> None:
    written = Written(lines)

    log_failure(written, ValueError(f"cannot draw {NAME}"))

    assert "Zofia" not in written.text
    assert "EventStoreError: the disk is full" in written.text
    assert "ValueError" in written.text
    assert "test_log_lines.py" in written.text
    assert "in fail_with" in written.text


def test_an_error_that_nobody_thought_of_keeps_its_words_to_itself() -> None:
    written = Written(JsonLines())
    try:
        raise Unforeseen(ValueError(NAME))
    except Unforeseen:
        written.logger.exception("it failed")

    assert written.document["error"] == "Unforeseen"
    assert written.document["error_message"] == "ValueError"


def test_another_handler_keeps_the_whole_error() -> None:
    written = Written(TextLines())
    plain = StringIO()
    written.logger.addHandler(logging.StreamHandler(plain))

    log_failure(written, ValueError(f"cannot draw {NAME}"))

    assert NAME in plain.getvalue()
    assert "Zofia" not in written.text


def test_a_line_break_in_a_message_does_not_end_the_line() -> None:
    written = Written(JsonLines())
    written.logger.warning("one\ntwo\u2028three\x85four")

    assert written.document["message"] == "one\ntwo\u2028three\x85four"


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> logging.Logger:
    """Stand in for the root logger, so that the test's own is left alone."""
    own = logging.Logger("root")  # noqa: LOG001
    monkeypatch.setattr(logging, "getLogger", lambda: own)
    return own


def test_lines_go_to_what_stands_for_stderr_when_they_are_written(
    root: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up_logging("json")
    pipe = StringIO()
    monkeypatch.setattr(sys, "stderr", pipe)

    root.info("later")

    assert json.loads(pipe.getvalue())["message"] == "later"


def test_handlers_of_the_programs_are_taken_over_and_others_left_alone(
    root: logging.Logger,
) -> None:
    class Foreign(logging.StreamHandler[StringIO]):
        pass

    theirs, foreign = StringIO(), StringIO()
    root.addHandler(logging.StreamHandler(theirs))
    root.addHandler(Foreign(foreign))

    take_over_logging("json")
    root.warning("hello")

    assert json.loads(theirs.getvalue())["message"] == "hello"
    assert foreign.getvalue() == "hello\n"
