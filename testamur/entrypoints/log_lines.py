"""Log lines of workers and the scheduler: text for people, or JSON for programs.

Every line that is written while a task is worked on says which, and what it belongs to; lines of
libraries too. What errors say is left out unless it is known to hold nothing personal: a plugin,
or a library, may quote a learner's name.
"""

import json
import logging
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from traceback import extract_tb
from types import TracebackType
from typing import Any, Final, Literal, TextIO

from testamur.adapters.current_work import CurrentWork, current_work
from testamur.domain.errors import TestamurError

LogFormat = Literal["text", "json"]

#: As Dramatiq writes its lines.
_TEXT: Final = (
    "[%(asctime)s] [PID %(process)d] [%(threadName)s] [%(name)s] [%(levelname)s] %(message)s"
)

#: Errors that an error came of, the error itself with them: a circle ends here.
_MOST_CAUSES: Final = 10

_Information = tuple[type[BaseException], BaseException, TracebackType | None]


def tell(logger: logging.Logger, level: int, /, **fields: object) -> None:
    """Write a line of names and values, which as JSON are fields of their own.

    Args:
        logger: Who tells it.
        level: How much it matters, e.g. ``logging.INFO``.
        fields: Names and values, in order; those that are None are left out.
    """
    known = {name: value for name, value in fields.items() if value is not None}
    text = " ".join(f"{name}={_in_text(value)}" for name, value in known.items())
    logger.log(level, "%s", text, extra={"fields": known})


class TextLines(logging.Formatter):
    """Lines as Dramatiq writes them, with what they belong to at their end."""

    def __init__(self) -> None:
        super().__init__(_TEXT)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - so it is called there
        """Return the line without the error that comes with it."""
        line = super().formatMessage(record)
        work = current_work()
        return line if work is None else f"{line} correlation_id={work.correlation_id}"

    def formatException(self, ei: Any) -> str:  # noqa: N802
        """Return where an error came from, and no more of what it says than is for everybody."""
        return "\n".join(_traced(ei[1]))

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines of a record."""
        # Another handler may have kept the error's own words with the record.
        record.exc_text = None
        try:
            return super().format(record)
        finally:
            record.exc_text = None


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as a line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "process": record.process,
            "thread": record.threadName,
        }
        work = current_work()
        if work is not None:
            line |= _told_of(work)
        fields: Mapping[str, Any] = getattr(record, "fields", {})
        line |= {_IN_JSON.get(name, name): value for name, value in fields.items()}
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            line["error"] = type(error).__name__
            line["error_message"] = _for_everybody(error)
            line["traceback"] = "\n".join(_traced(error))
        known = {name: value for name, value in line.items() if value is not None}
        # ASCII, so that no letter of any language can end the line.
        return json.dumps(known, default=str)


class _ToStderr(logging.StreamHandler[TextIO]):
    """Writes to what stands for stderr now: in a worker process that is a pipe to the main one."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        """Where lines go."""
        return sys.stderr


def set_up_logging(chosen: LogFormat, level: int = logging.INFO) -> None:
    """Write all lines of this process to stderr in the chosen format.

    Args:
        chosen: Which.
        level: What matters less is left out.
    """
    handler = _ToStderr()
    handler.setFormatter(_lines(chosen))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(level)


def take_over_logging(chosen: LogFormat) -> None:
    """Let what writes the log of this process already write it in the chosen format.

    The programs `dramatiq` and `periodiq` set logging up themselves before they load any actor.
    Handlers of any other kind than theirs are left alone.
    """
    for handler in logging.getLogger().handlers:
        if type(handler) is logging.StreamHandler:
            handler.setFormatter(_lines(chosen))


def _lines(chosen: LogFormat) -> logging.Formatter:
    return JsonLines() if chosen == "json" else TextLines()


#: Names that are shorter in text, where lines are long.
_IN_JSON: Final = {"run": "run_id"}


def _in_text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    text = str(value)
    return repr(text) if any(letter.isspace() for letter in text) else text


def _told_of(work: CurrentWork) -> dict[str, Any]:
    return {
        "task": work.task,
        "correlation_id": work.correlation_id,
        "message_id": work.message_id,
        "run_id": work.run_id,
        "share": work.share,
        "credentials": work.credentials,
    }


def _for_everybody(error: BaseException) -> str | None:
    """Return what an error says, where that is known to hold nothing personal."""
    return error.for_the_record() if isinstance(error, TestamurError) else None


def _traced(error: BaseException | None) -> Iterator[str]:
    """Yield where an error came from, and before that where each one came from that caused it."""
    chain: list[BaseException] = []
    while error is not None and len(chain) < _MOST_CAUSES:
        chain.append(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    for each in reversed(chain):
        for frame in extract_tb(each.__traceback__):
            yield f"  {_short(frame.filename)}:{frame.lineno} in {frame.name}"
        said = _for_everybody(each)
        name = type(each).__name__
        yield name if said is None else f"{name}: {said}"


def _short(filename: str) -> str:
    return "/".join(Path(filename).parts[-3:])
