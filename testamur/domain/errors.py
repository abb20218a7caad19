"""The one tree of errors: what was wrong, which value, what is allowed, what happens next."""

from collections.abc import Iterable
from itertools import islice
from typing import Final

_SHOWN_KEYS: Final = 10


class TestamurError(Exception):
    """Base of every error that Testamur raises on purpose."""

    def for_the_record(self) -> str:
        """Return the message without anything personal, fit for logs and events."""
        return str(self)


class InvalidInput(TestamurError):
    """A value from outside is not allowed; nothing was written.

    Args:
        field: Dotted name of the field as the user wrote it, e.g. ``criteria.required_completion``.
        value: The offending value.
        allowed: What is allowed, as a phrase that follows "allowed:".
    """

    def __init__(self, field: str, value: object, allowed: str) -> None:
        self.field = field
        self.value = value
        self.allowed = allowed
        super().__init__(f"{field}: {_shown(value)} is not allowed; allowed: {allowed}")


class InvalidOptions(TestamurError):
    """Several fields of one input are not allowed; nothing was written.

    Args:
        subject: What the fields belong to, e.g. ``options of credential type 'completion'``.
        problems: One :class:`InvalidInput` for each offending field.
    """

    def __init__(self, subject: str, problems: Iterable[InvalidInput]) -> None:
        self.subject = subject
        self.problems = tuple(problems)
        super().__init__(f"{subject}: " + "; ".join(str(problem) for problem in self.problems))


class NotFound(TestamurError):
    """What was asked for does not exist.

    Args:
        kind: The kind of thing in the domain's words, e.g. ``credential type``.
        key: The key that was looked up.
        known: Keys that do exist, to help with a typing mistake; the first ten are shown.
    """

    def __init__(self, kind: str, key: object, known: Iterable[object] = ()) -> None:
        self.kind = kind
        self.key = key
        self.known = tuple(str(each) for each in islice(known, _SHOWN_KEYS + 1))
        shown = [*self.known[:_SHOWN_KEYS], *("…" for _ in self.known[_SHOWN_KEYS:])]
        hint = f"; there are: {', '.join(shown)}" if shown else ""
        super().__init__(f"no {kind} {_shown(key)}{hint}")


class DecisionRefused(TestamurError):
    """The rules say no to what was asked of an aggregate in its present state.

    Args:
        subject: The aggregate, e.g. ``credential 7c9e…``.
        reason: Why not, and what would be possible.
    """

    def __init__(self, subject: str, reason: str) -> None:
        self.subject = subject
        self.reason = reason
        super().__init__(f"{subject}: {reason}")


def _shown(value: object, limit: int = 120) -> str:
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"
