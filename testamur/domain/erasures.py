"""The learner's erasure: that everything personal about somebody is to go, and that it is gone.

The learner's opaque id stays in the log, so that what was issued can still be counted and proven.
"""

import re
from dataclasses import dataclass, replace
from typing import Annotated, Final

from pydantic import Field

from testamur.domain.errors import DecisionRefused, InvalidInput
from testamur.domain.events import DomainEvent
from testamur.domain.identifiers import LearnerId

#: An at sign between two characters that an address may have. More is caught than addresses are:
#: a reason can be worded without an at sign, and an address in the log could never be taken out.
_ADDRESS: Final = re.compile(r"[^\s@]\s?(?:@|＠|﹫)\s?[^\s@]")

_WORD: Final = re.compile(r"\w+")

_WITHOUT_NAMES: Final = (
    "words that name nobody, such as 'asked for by the learner, ticket 4711'; the reason stays in "
    "the history for good"
)

# Events


class ErasureRequested(DomainEvent):
    """Everything personal about a learner is to go.

    Args:
        learner_id: About whom.
        reason: Why; it stays in the log, so it holds nothing personal.
    """

    learner_id: LearnerId
    reason: str


class ErasureCompleted(DomainEvent):
    """Everything personal about the learner is gone.

    Args:
        credentials: How many credentials were theirs.
        files: Documents that were deleted from storage.
        messages: Messages that were deleted from where they are kept, such as the outbox.
    """

    credentials: Annotated[int, Field(ge=0)]
    files: Annotated[int, Field(ge=0)]
    messages: Annotated[int, Field(ge=0)]


ErasureEvent = ErasureRequested | ErasureCompleted


# State


@dataclass(frozen=True, slots=True)
class LearnerErasure:
    """An erasure as its events left it."""

    requested: ErasureRequested
    completed: ErasureCompleted | None = None


def evolve(state: LearnerErasure | None, event: ErasureEvent) -> LearnerErasure:
    """Return the state after an event."""
    match event:
        case ErasureRequested():
            return LearnerErasure(event)
        case ErasureCompleted():
            return replace(_requested(state), completed=event)


# Decisions


def decide_request(
    state: LearnerErasure | None, learner_id: LearnerId, reason: str
) -> list[ErasureEvent]:
    """Ask for everything personal about a learner to go; nothing happens where that is under way.

    A learner who was erased and came back is erased again.

    Raises:
        InvalidInput: The reason is empty or holds an e-mail address.
    """
    checked = parse_reason(reason)
    if state is not None and state.completed is None:
        return []
    return [ErasureRequested(learner_id=learner_id, reason=checked)]


def decide_complete(
    state: LearnerErasure | None, *, credentials: int, files: int, messages: int
) -> list[ErasureEvent]:
    """Record that everything personal is gone; nothing happens where that was recorded.

    Raises:
        DecisionRefused: Nobody asked for it.
    """
    if _requested(state).completed is not None:
        return []
    return [ErasureCompleted(credentials=credentials, files=files, messages=messages)]


def parse_reason(text: str, *, names: tuple[str, ...] = ()) -> str:
    """Check and return the reason of an erasure.

    Args:
        text: Why.
        names: What the learner is called; the reason must not hold any of it.

    Raises:
        InvalidInput: It is empty, holds an e-mail address, or names the learner: it stays in the
            log, where nothing can be taken out.
    """
    reason = text.strip()
    if not reason:
        raise InvalidInput("reason", text, _WITHOUT_NAMES)
    # The reason itself is not shown: errors get into logs.
    if _ADDRESS.search(reason):
        raise InvalidInput("reason", "…@…", f"{_WITHOUT_NAMES}, and an e-mail address is personal")
    if any(_names(reason, name) for name in names):
        raise InvalidInput("reason", "…", f"{_WITHOUT_NAMES}, and this one names the learner")
    return reason


def _names(reason: str, name: str) -> bool:
    words = _WORD.findall(name.casefold())
    said = _WORD.findall(reason.casefold())
    places = range(len(said) - len(words) + 1)
    return bool(words) and any(said[at : at + len(words)] == words for at in places)


def _requested(state: LearnerErasure | None) -> LearnerErasure:
    if state is None:
        raise DecisionRefused("erasure", "nobody asked for it")
    return state
