"""The mapper: from events to what is stored of them, and back.

What is stored is the event's name and an envelope in JSON: ``time``, ``actor``, ``correlation_id``
and the event's fields as ``payload``. Personal fields are left out of the payload; ``personal``
holds their ciphertexts by name of field, and ``key`` the id of the key that they are under.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Protocol, cast
from uuid import UUID

from cryptography.exceptions import InvalidTag
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import Mapper, StoredEvent, Transcoder
from pydantic import ValidationError
from pydantic_core import PydanticSerializationError, from_json, to_json

from testamur.adapters.event_store.key_wrapping import KeyWrapping
from testamur.adapters.event_store.names import EventKind, EventNames, Payload
from testamur.adapters.event_store.personal_data import LearnerCipher, place
from testamur.adapters.event_store.reading import (
    QuickEvent,
    QuickReader,
    quick_reader,
    stream_id_of,
)
from testamur.application.errors import EventStoreError
from testamur.application.ports.event_store import Attribution, NewEvents, RecordedEvent
from testamur.application.ports.secret_keys import SecretKeys
from testamur.domain.events import DomainEvent
from testamur.domain.identifiers import Actor, LearnerId


class Envelope(RecordedEvent):
    """A recorded event as `eventsourcing` knows events."""

    __slots__ = ()

    @property
    def originator_id(self) -> UUID:
        """Id of the aggregate."""
        return self.stream_id

    @property
    def originator_version(self) -> int:
        """Place in the aggregate's stream, from 1."""
        return self.version


class JsonTranscoder(Transcoder):
    """JSON as pydantic writes it: decimals as strings, times and durations in ISO 8601."""

    def encode(self, obj: Any) -> bytes:
        """Return the JSON of a value."""
        return to_json(obj)

    def decode(self, data: bytes) -> Any:
        """Return the value of a JSON text."""
        return from_json(data)


@dataclass(frozen=True, slots=True)
class _Opened:
    """What is stored of an event, read but not understood yet."""

    stored: "_Stored"
    attribution: Attribution
    payload: Payload
    sealed: "_Sealed | None"


@dataclass(frozen=True, slots=True)
class _Sealed:
    """Encrypted fields of one event, all under one key."""

    learner_id: LearnerId
    key_id: str
    fields: Mapping[str, str]


class _AboutLearner(Protocol):
    """An event with personal fields; the registry makes sure that it says whose they are."""

    learner_id: LearnerId


class _Stored(Protocol):
    """A stored event: a `StoredRow`, or the library's own `StoredEvent`."""

    @property
    def originator_id(self) -> UUID | str: ...

    @property
    def originator_version(self) -> int: ...

    @property
    def topic(self) -> str: ...

    @property
    def state(self) -> bytes: ...


class EventMapper(Mapper[UUID]):
    """Maps events in batches: the keys of all their learners are asked for at once.

    Args:
        names: The stable names of all events.
        keys: The learners' keys.
        wrapping: Unwraps those that are selected together with events.
    """

    def __init__(
        self, names: EventNames, keys: SecretKeys, wrapping: KeyWrapping | None = None
    ) -> None:
        super().__init__(JsonTranscoder())
        self._names = names
        self._keys = keys
        self._wrapping = wrapping or KeyWrapping()
        self._readers: dict[str, QuickReader] = {}

    def to_stored_event(self, domain_event: DomainEventProtocol[UUID]) -> StoredEvent:
        """Return what is to be stored of one event, given in its envelope."""
        if not isinstance(domain_event, Envelope):
            raise TypeError(f"an Envelope is needed, not {type(domain_event).__name__}")
        new = NewEvents(domain_event.stream_id, domain_event.version - 1, [domain_event.event])
        (stored,) = self.to_stored_events([new], domain_event.attribution)
        return stored

    def to_domain_event(self, stored_event: StoredEvent) -> Envelope:
        """Return one stored event in its envelope."""
        (recorded,) = self.to_domain_events([stored_event])
        return recorded

    def to_stored_events(
        self, batch: Sequence[NewEvents], attribution: Attribution
    ) -> list[StoredEvent]:
        """Return what is to be stored of a batch.

        Raises:
            EventStoreError: An event has no name or no JSON, or the time no zone.
        """
        ciphers = self._ciphers_to_write(event for new in batch for event in new.events)
        head = _head(attribution)
        stored = []
        for new in batch:
            for version, event in enumerate(new.events, start=new.after_version + 1):
                kind = self._names.kind_of(event)
                try:
                    state = head + _body(kind, event, new.stream_id, version, ciphers)
                except PydanticSerializationError as error:
                    raise EventStoreError(f"{kind.name} cannot be written: {error}") from error
                stored.append(StoredEvent(new.stream_id, version, kind.name, state))
        return stored

    def to_domain_events(
        self, stored: Sequence[_Stored], stored_keys: Iterable[tuple[str, bytes]] = ()
    ) -> list[Envelope]:
        """Return stored events in their envelopes, in the order given.

        Args:
            stored: The events.
            stored_keys: Keys that were selected with them, by learner; others are asked for.

        Raises:
            EventStoreError: An event is damaged, was tampered with, or is of an unknown name.
        """
        read = [self._read_quickly(each) for each in stored]
        keys = self._wrapping.unwrap_all(stored_keys)
        learner_ids = {each.learner_id for each in read if each and each.learner_id}
        if missing := learner_ids - keys.keys():
            keys |= self._keys.find(missing)
        ciphers = _ciphers(keys)
        envelopes = [
            None if quick is None else self._enveloped(each, quick, ciphers)
            for each, quick in zip(stored, read, strict=True)
        ]
        left = [number for number, envelope in enumerate(envelopes) if envelope is None]
        if left:
            rest = self._read_step_by_step([stored[number] for number in left])
            for number, envelope in zip(left, rest, strict=True):
                envelopes[number] = envelope
        return cast(list[Envelope], envelopes)

    def _read_quickly(self, stored: _Stored) -> QuickEvent | None:
        """Return an event of a present name that is whole; None for any other."""
        reader = self._readers.get(stored.topic)
        if reader is None:
            kind = self._names.present(stored.topic)
            if kind is None:
                return None
            reader = self._readers[stored.topic] = quick_reader(kind)
        return reader.read(stored.state)

    def _enveloped(
        self, stored: _Stored, quick: QuickEvent, ciphers: Mapping[LearnerId, LearnerCipher]
    ) -> Envelope | None:
        """Decrypt what is personal; None where something is odd about it."""
        try:
            attribution = _attribution(quick.time, quick.actor, quick.correlation_id)
        except ValueError:
            return None
        # Without the learner's key, what is personal stays None: it was erased.
        if quick.sealed and quick.learner_id and (cipher := ciphers.get(quick.learner_id)):
            reader = self._readers[stored.topic]
            try:
                for field, text in quick.sealed.items():
                    plaintext = cipher.decrypt(text, _place(stored, field))
                    reader.unseal(quick.event, field, plaintext)
            except (InvalidTag, ValueError):
                return None
        return Envelope(
            _stream_id(stored), stored.originator_version, stored.topic, quick.event, attribution
        )

    def _read_step_by_step(self, stored: Sequence[_Stored]) -> list[Envelope]:
        """Read events that are not quickly read: those of old names, and those that are damaged.

        Raises:
            EventStoreError: One is damaged, was tampered with, or is of an unknown name.
        """
        opened = [_opened(each) for each in stored]
        ciphers = self._ciphers_to_read(opened)
        return [self._read(each, ciphers) for each in opened]

    def _ciphers_to_write(self, events: Iterable[DomainEvent]) -> dict[LearnerId, LearnerCipher]:
        learner_ids = {
            cast(_AboutLearner, event).learner_id
            for event in events
            for field in self._names.kind_of(event).personal_fields
            if getattr(event, field) is not None
        }
        return _ciphers(self._keys.obtain(learner_ids)) if learner_ids else {}

    def _ciphers_to_read(self, opened: Iterable[_Opened]) -> dict[LearnerId, LearnerCipher]:
        learner_ids = {each.sealed.learner_id for each in opened if each.sealed}
        return _ciphers(self._keys.find(learner_ids)) if learner_ids else {}

    def _read(self, opened: _Opened, ciphers: Mapping[LearnerId, LearnerCipher]) -> Envelope:
        stored, payload = opened.stored, opened.payload
        if opened.sealed:
            cipher = ciphers.get(opened.sealed.learner_id)
            payload = payload | self._unsealed(stored, opened.sealed, cipher)
        try:
            kind, payload = self._names.upcast(stored.topic, payload)
        except EventStoreError as error:
            raise EventStoreError(f"{_where(stored)}: {error}") from error
        try:
            event = kind.event_class.model_validate(dict.fromkeys(kind.personal_fields) | payload)
        except ValidationError as error:
            # Without the values: they may be personal.
            problems = "; ".join(
                f"{'.'.join(map(str, each['loc']))}: {each['type']}" for each in error.errors()
            )
            raise EventStoreError(f"{_where(stored)} does not fit: {problems}") from None
        return Envelope(
            _stream_id(stored), stored.originator_version, stored.topic, event, opened.attribution
        )

    def _unsealed(self, stored: _Stored, sealed: _Sealed, cipher: LearnerCipher | None) -> Payload:
        if cipher is None:
            return dict.fromkeys(sealed.fields)
        if cipher.key_id != sealed.key_id:
            # Who was erased and came back has another key than at that time.
            if sealed.learner_id in self._keys.destroyed([sealed.learner_id]):
                return dict.fromkeys(sealed.fields)
            raise EventStoreError(
                f"{_where(stored)} is encrypted under another key than the learner's, which was "
                "never destroyed; were the keys restored from another database?"
            )
        try:
            return {
                field: from_json(cipher.decrypt(text, _place(stored, field)))
                for field, text in sealed.fields.items()
            }
        except (InvalidTag, ValueError, TypeError) as error:
            raise EventStoreError(
                f"{_where(stored)}: what is personal in it is damaged or was tampered with"
            ) from error


def _ciphers(keys: Mapping[LearnerId, bytes]) -> dict[LearnerId, LearnerCipher]:
    return {learner_id: LearnerCipher(key) for learner_id, key in keys.items()}


def _head(attribution: Attribution) -> bytes:
    if attribution.at.tzinfo is None:
        raise EventStoreError(f"the time {attribution.at} has no time zone; UTC is needed")
    fields = {
        "time": attribution.at.astimezone(UTC),
        "actor": attribution.actor,
        "correlation_id": attribution.correlation_id,
    }
    # The same for the whole batch, so it is written once; the payload goes after it.
    return to_json(fields)[:-1] + b',"payload":'


def _body(
    kind: EventKind,
    event: DomainEvent,
    stream_id: UUID,
    version: int,
    ciphers: Mapping[LearnerId, LearnerCipher],
) -> bytes:
    # Put together from parts, because that takes half the time of building it as one value.
    left_out = cast(set[str], kind.personal_fields)  # a frozen set will do
    payload = event.__pydantic_serializer__.to_json(event, exclude=left_out)
    sealed = b""
    for field in kind.personal_fields:
        value = getattr(event, field)
        if value is not None:
            cipher = ciphers[cast(_AboutLearner, event).learner_id]
            text = cipher.encrypt(to_json(value), place(stream_id, version, kind.name, field))
            sealed += b'%b"%b":"%b"' % (b"," if sealed else b"", field.encode(), text)
    if not sealed:
        return payload + b"}"
    return b'%b,"personal":{%b},"key":"%b"}' % (payload, sealed, cipher.key_id.encode())


def _opened(stored: _Stored) -> _Opened:
    try:
        envelope = from_json(stored.state)
        payload = dict(envelope["payload"])
        sealed = None
        if personal := envelope.get("personal"):
            learner_id = LearnerId(str(payload["learner_id"]))
            sealed = _Sealed(learner_id, envelope["key"], dict(personal))
        return _Opened(
            stored,
            _attribution(envelope["time"], envelope["actor"], envelope["correlation_id"]),
            payload,
            sealed,
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise EventStoreError(f"{_where(stored)} is damaged: {error!r}") from error


@lru_cache(maxsize=256)
def _attribution(time: str, actor: str, correlation_id: str) -> Attribution:
    # Cached because all events of a batch have the same one.
    return Attribution(Actor(actor), datetime.fromisoformat(time), UUID(correlation_id))


def _stream_id(stored: _Stored) -> UUID:
    id_ = stored.originator_id
    return id_ if isinstance(id_, UUID) else stream_id_of(id_)


def _place(stored: _Stored, field: str) -> bytes:
    return place(_stream_id(stored), stored.originator_version, stored.topic, field)


def _where(stored: _Stored) -> str:
    return f"event {stored.originator_version} of stream {stored.originator_id} ({stored.topic})"
