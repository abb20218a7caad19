"""Reading quickly: stored events of the present names, each made by one call of pydantic's core.

What cannot be read this way (an old name, a damaged event) is left to the mapper, which goes step
by step and says what is wrong.
"""

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, Final, Generic, NamedTuple, NotRequired, TypeVar
from uuid import UUID

from pydantic import TypeAdapter, ValidationError, create_model
from typing_extensions import TypedDict

from testamur.adapters.event_store.names import EventKind
from testamur.domain.events import DomainEvent
from testamur.domain.identifiers import LearnerId

#: Streams whose id is kept as it is: a run's awards, documents and messages come in this order,
#: page after page, and making an id takes as long as making a small event.
_STREAMS_KEPT: Final = 20_000


class StoredRow(NamedTuple):
    """A stored event as it was selected; made in a fifth of the time of the library's own.

    Args:
        originator_id: Stream of the event; named as `eventsourcing` does, and so are the others.
        originator_version: The event's version in the stream.
        topic: The event's name.
        state: Its envelope.
        position: Its place in the log, where that was asked for.
    """

    originator_id: UUID
    originator_version: int
    topic: str
    state: bytes
    position: int = 0


_Event = TypeVar("_Event", bound=DomainEvent)


class StoredStream(NamedTuple):
    """A stream as it was selected, with the data key that it is read with.

    Args:
        rows: Its events in order.
        keys: The learner whose it is and their key as it is stored; empty where it is nobody's.
    """

    rows: Sequence[StoredRow]
    keys: Sequence[tuple[str, bytes]] = ()


class _Envelope(TypedDict, Generic[_Event]):
    time: str
    actor: str
    correlation_id: str
    payload: _Event
    personal: NotRequired[dict[str, str]]
    key: NotRequired[str]


class QuickEvent(NamedTuple):
    """A stored event, read; what is personal in it is still sealed.

    Args:
        event: The event; its personal fields are None.
        time: As it is stored, and so are the next two.
        actor: Who.
        correlation_id: The run or request.
        sealed: Ciphertexts by name of personal field; None where nothing is sealed.
        learner_id: Whose they are; None where nothing is sealed.
    """

    event: DomainEvent
    time: str
    actor: str
    correlation_id: str
    sealed: Mapping[str, str] | None
    learner_id: LearnerId | None


class QuickReader:
    """Reads stored events of one kind.

    Args:
        kind: The kind.
    """

    def __init__(self, kind: EventKind) -> None:
        self._event_class = kind.event_class
        self._personal = {
            field: TypeAdapter[Any](_type_of(kind, field)) for field in kind.personal_fields
        }
        # As it is stored: without what is personal, which is put in when it is decrypted.
        absent: dict[str, Any] = {
            field: (_type_of(kind, field), None) for field in kind.personal_fields
        }
        as_stored: Any = (
            create_model(f"Stored{kind.event_class.__name__}", __base__=kind.event_class, **absent)
            if self._personal
            else kind.event_class
        )
        self._validate_json = TypeAdapter(_Envelope[as_stored]).validator.validate_json

    def read(self, state: bytes) -> QuickEvent | None:
        """Return what an envelope holds; None where it has to be read step by step."""
        try:
            envelope = self._validate_json(state)
        except ValidationError:
            return None
        event = envelope["payload"]
        learner_id = None
        if self._personal:
            object.__setattr__(event, "__class__", self._event_class)  # it is frozen
        sealed = envelope.get("personal")
        if sealed is not None:
            if "key" not in envelope or not sealed.keys() <= self._personal.keys():
                return None
            learner_id = event.learner_id
        return QuickEvent(
            event,
            envelope["time"],
            envelope["actor"],
            envelope["correlation_id"],
            sealed,
            learner_id,
        )

    def unseal(self, event: DomainEvent, field: str, plaintext: bytes) -> None:
        """Put what was decrypted where it belongs, in an event that nobody else has seen yet.

        Raises:
            ValidationError: It is not what the field holds.
        """
        event.__dict__[field] = self._personal[field].validate_json(plaintext)


@cache
def quick_reader(kind: EventKind) -> QuickReader:
    """Return the reader of one kind of event, which a process makes once."""
    return QuickReader(kind)


def _type_of(kind: EventKind, field: str) -> Any:
    return kind.event_class.model_fields[field].annotation


@lru_cache(maxsize=_STREAMS_KEPT)
def stream_id_of(text: str) -> UUID:
    """Return an id that is stored as text."""
    return UUID(text)
