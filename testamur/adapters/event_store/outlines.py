"""Outlines: what is told of stored events without decrypting them and without making events.

Where a kind of event names learners, a configuration or a context is found in its class, so that a
new event is read right without a word here: learners are what is a `LearnerId`, at any depth.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, Final, get_args, overload
from uuid import UUID

from pydantic import BaseModel
from pydantic_core import SchemaValidator, ValidationError, core_schema, from_json

from testamur.adapters.event_store.names import EventKind, EventNames
from testamur.application.errors import EventStoreError
from testamur.application.ports.event_store import Attribution
from testamur.application.ports.log import Outline
from testamur.domain.identifiers import Actor, ConfigurationId, LearnerId

#: Whatever else stands in the envelope is parsed, and no Python object is made of it.
_IGNORING: Final = core_schema.CoreConfig(extra_fields_behavior="ignore")
_TEXT: Final = core_schema.str_schema()
_TEXT_OR_NONE: Final = core_schema.nullable_schema(_TEXT)
_CONTEXT: Final = "context_key"
#: Before it stands who, when and what it belongs to, which all events of a batch have in common.
_HEAD_ENDS: Final = b',"payload":'

Stored = tuple[int, Any, int, str, bytes]
"""Position, stream, version, name and state of an event, as a database gives them."""

About = tuple[ConfigurationId | None, str | None, tuple[LearnerId, ...]]
"""What an event names: its configuration, its context, and its learners."""

_NOTHING: Final[About] = (None, None, ())


@dataclass(frozen=True, slots=True)
class _Plan:
    """How events of one kind are read.

    Args:
        read: Returns what matters of an envelope.
        read_payload: Returns what matters of a payload that was upcast.
        configuration: Name of the field with the configuration's id, if any.
        has_context: Whether there is a context key.
        learner: Name of the field with a learner's id, if any.
        lists: Names of the fields that name several learners, and in their parts the name of the
            field with the id; None where the parts are ids themselves.
        is_plain: Whether events of this kind name nobody and nothing.
    """

    read: SchemaValidator
    read_payload: SchemaValidator
    configuration: str | None
    has_context: bool
    learner: str | None
    lists: Mapping[str, str | None]

    is_plain: bool

    def about(self, payload: Mapping[str, Any]) -> About:
        """Return what a payload names: the configuration, the context, the learners once each."""
        configuration = payload.get(self.configuration) if self.configuration else None
        learners: tuple[LearnerId, ...] = ()
        if self.learner and (learner := payload.get(self.learner)) is not None:
            learners = (learner,)
        for name, key in self.lists.items() if self.lists else ():
            parts = payload.get(name, ())
            named = parts if key is None else [part[key] for part in parts]
            learners = tuple(dict.fromkeys((*learners, *named)))
        return (
            None if configuration is None else _configuration(configuration),
            payload.get(_CONTEXT) if self.has_context else None,
            learners,
        )


class OutlineReader:
    """Reads outlines of stored events.

    Args:
        names: The names of all events.
    """

    def __init__(self, names: EventNames) -> None:
        self._names = names
        self._plans = {kind.name: _plan(kind) for kind in names}

    def read(
        self, stored: Sequence[Stored], id_of: Callable[[Any], UUID] | None = None
    ) -> Sequence[Outline]:
        """Return the outlines of stored events, in the order given.

        Each is made when it is come to, and then an `EventStoreError` tells of an event that is
        damaged, or of an unknown name.

        Args:
            stored: The events.
            id_of: Returns the id of a stream where the database does not give it as one.
        """
        return _Outlines(self._outlines, stored, id_of)

    def _outlines(
        self, stored: Iterable[Stored], id_of: Callable[[Any], UUID] | None
    ) -> Iterator[Outline]:
        plans = self._plans
        # Neighbours mostly have the same head, and to compare takes less time than to look for it.
        head: bytes | tuple[()] = ()
        for position, stream, version, name, state in stored:
            stream_id = stream if id_of is None else id_of(stream)
            try:
                if not (state.startswith(head) and state.endswith(b"}")):
                    head, attribution = _head_of(state)
                plan = plans.get(name)
                if plan is None:
                    about = self._of_old_name(name, state)
                elif plan.is_plain:
                    about = _NOTHING
                else:
                    about = plan.about(plan.read.validate_json(state)["payload"])
                configuration_id, context_key, learner_ids = about
            except EventStoreError as error:
                raise EventStoreError(f"{_where(stream_id, version, name)}: {error}") from error
            except (ValueError, KeyError, TypeError) as error:
                raise EventStoreError(
                    f"{_where(stream_id, version, name)} is damaged: {_told(error)}"
                ) from None
            yield Outline(
                position,
                stream_id,
                version,
                name,
                attribution,
                configuration_id,
                context_key,
                learner_ids,
            )

    def _of_old_name(self, name: str, state: bytes) -> About:
        """Return what an event names, read as the present one that it is upcast to."""
        envelope = from_json(state)
        payload = envelope["payload"] | dict.fromkeys(envelope.get("personal") or ())
        kind, payload = self._names.upcast(name, payload)
        plan = self._plans[kind.name]
        return plan.about(plan.read_payload.validate_python(payload))


class _Outlines(Sequence[Outline]):
    """Outlines that are made one by one as they are gone over.

    Thousands of them at once would be looked through for garbage again and again.
    """

    def __init__(
        self,
        outlines: Callable[[Iterable[Stored], Callable[[Any], UUID] | None], Iterator[Outline]],
        stored: Sequence[Stored],
        id_of: Callable[[Any], UUID] | None,
    ) -> None:
        self._outlines = outlines
        self._stored = stored
        self._id_of = id_of

    def __len__(self) -> int:
        return len(self._stored)

    def __iter__(self) -> Iterator[Outline]:
        return self._outlines(self._stored, self._id_of)

    @overload
    def __getitem__(self, index: int) -> Outline: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Outline]: ...

    def __getitem__(self, index: int | slice) -> Outline | Sequence[Outline]:
        if isinstance(index, slice):
            return _Outlines(self._outlines, self._stored[index], self._id_of)
        (outline,) = self._outlines([self._stored[index]], self._id_of)
        return outline


@cache
def _plan(kind: EventKind) -> _Plan:
    fields = kind.event_class.model_fields
    configuration: str | None = None
    learner: str | None = None
    lists: dict[str, str | None] = {}
    read: dict[str, core_schema.TypedDictField] = {}
    for name, field in fields.items():
        paths = list(_learners_in(field.annotation))
        if name in kind.personal_fields:
            if paths:
                raise EventStoreError(f"{kind.name}: a learner's id is hidden in personal {name!r}")
            continue
        schema: core_schema.CoreSchema = _TEXT_OR_NONE
        if paths == [()] and _is_one(field.annotation, LearnerId):
            if learner is not None:
                raise EventStoreError(f"{kind.name} names two learners: {learner!r} and {name!r}")
            learner = name
        elif paths:
            if len(paths) > 1 or len(paths[0]) > 1:
                raise EventStoreError(
                    f"{kind.name}: learners' ids lie too deep in {name!r}; allowed: a tuple of "
                    "them, or of parts with one each"
                )
            lists[name] = next(iter(paths[0]), None)
            part = _dict({key: _field(_TEXT) for key in paths[0]}) if paths[0] else _TEXT
            schema = core_schema.list_schema(part)
        elif _is_one(field.annotation, ConfigurationId):
            if configuration is not None:
                raise EventStoreError(f"{kind.name} names two configurations")
            configuration = name
        elif name != _CONTEXT:
            continue
        read[name] = _field(schema, required=field.is_required())
    payload = _dict(read)
    return _Plan(
        SchemaValidator(_dict({"payload": _field(payload)})),
        SchemaValidator(payload),
        configuration,
        _CONTEXT in read,
        learner,
        lists,
        is_plain=not read,
    )


def _head_of(state: bytes) -> tuple[bytes | tuple[()], Attribution]:
    """Return the beginning of an envelope that tells its attribution, and that.

    Of one that has no such beginning, (), with which nothing begins.
    """
    head, mark, _ = state.partition(_HEAD_ENDS)
    if not mark or not state.endswith(b"}"):
        return (), _attribution(state)
    return head + mark, _attribution(head)


# What follows is kept, because making an id or an attribution takes as long as reading a small
# event: all events of a batch have the same attribution, and configurations are few.


@lru_cache(maxsize=256)
def _attribution(state: bytes) -> Attribution:
    """Return the attribution at the beginning of an envelope that may end after it."""
    # A quotation mark in the actor is escaped, so that no actor looks like the mark.
    whole = state if state.endswith(b"}") else state + b"}"
    envelope = from_json(whole)
    return Attribution(
        Actor(envelope["actor"]),
        datetime.fromisoformat(envelope["time"]),
        UUID(envelope["correlation_id"]),
    )


@lru_cache(maxsize=10_000)
def _configuration(text: str) -> ConfigurationId:
    return ConfigurationId(UUID(text))


def _learners_in(annotation: Any) -> Iterator[tuple[str, ...]]:
    """Yield where learner ids are in a field: () for itself, ("learner_id",) in its parts."""
    if annotation is LearnerId:
        yield ()
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            yield from ((name, *path) for path in _learners_in(field.annotation))
    else:
        for argument in get_args(annotation):
            yield from _learners_in(argument)


def _is_one(annotation: Any, wanted: Any) -> bool:
    """Tell whether a field holds one value of a type, or None."""
    return annotation is wanted or set(get_args(annotation)) == {wanted, type(None)}


def _dict(fields: dict[str, core_schema.TypedDictField]) -> core_schema.TypedDictSchema:
    return core_schema.typed_dict_schema(fields, config=_IGNORING)


def _field(schema: core_schema.CoreSchema, *, required: bool = True) -> core_schema.TypedDictField:
    return core_schema.typed_dict_field(schema, required=required)


def _told(error: Exception) -> str:
    if isinstance(error, ValidationError):
        # Without the values: they may be personal.
        return "; ".join(
            f"{'.'.join(map(str, each['loc']))}: {each['type']}" for each in error.errors()
        )
    return repr(error)


def _where(stream_id: UUID, version: int, name: str) -> str:
    return f"event {version} of stream {stream_id} ({name})"
