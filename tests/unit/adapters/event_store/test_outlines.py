"""Outlines: what is told of stored events without decrypting them."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import BaseModel

from testamur.adapters.event_store.mapper import EventMapper
from testamur.adapters.event_store.memory.keys import MemoryKeys
from testamur.adapters.event_store.names import EVENTS, EventNames, Payload, Upcast
from testamur.adapters.event_store.outlines import OutlineReader
from testamur.application.errors import EventStoreError
from testamur.application.ports.event_store import NewEvents
from testamur.application.ports.log import Outline
from testamur.domain.events import DomainEvent
from testamur.domain.identifiers import LearnerId
from testamur.domain.personal_data import Personal
from tests.support.events import (
    CONFIGURATION,
    COURSE,
    a_run,
    an_award,
    an_issue,
    by,
    one_of_each,
)

STREAM = uuid4()


def stored(event: DomainEvent, names: EventNames | None = None) -> tuple[str, bytes]:
    """Return the name and the envelope of an event, as they are stored."""
    mapper = EventMapper(names or EventNames(), MemoryKeys())
    (written,) = mapper.to_stored_events([NewEvents(STREAM, 0, [event])], by())
    return written.topic, written.state


def outline_of(event: DomainEvent, names: EventNames | None = None) -> Outline:
    return read(*stored(event, names), names)


def read(name: str, state: bytes, names: EventNames | None = None) -> Outline:
    (outline,) = OutlineReader(names or EventNames()).read([(7, STREAM, 1, name, state)])
    return outline


def strings_named(key: str, value: Any) -> list[str]:
    """Return whatever stands under a key, anywhere in a JSON value, in order."""
    if isinstance(value, list):
        return [found for each in value for found in strings_named(key, each)]
    if not isinstance(value, dict):
        return []
    here = [value[key]] if isinstance(value.get(key), str) else []
    return here + [found for each in value.values() for found in strings_named(key, each)]


@pytest.mark.parametrize("event", one_of_each(), ids=lambda event: type(event).__name__)
def test_every_event_names_its_learners_configuration_and_context(event: DomainEvent) -> None:
    payload = event.model_dump(mode="json")
    outline = outline_of(event)
    learners = [*strings_named("learner_id", payload), *payload.get("learner_ids", [])]
    assert list(outline.learner_ids) == learners
    configurations = strings_named("configuration_id", payload)
    assert [str(outline.configuration_id)] == configurations or (
        outline.configuration_id is None and not configurations
    )
    assert outline.context_key == payload.get("context_key")


def test_there_is_an_example_of_every_registered_event() -> None:
    assert {type(event) for event in one_of_each()} == set(EVENTS.values())


def test_every_id_of_a_learner_is_typed_as_one_so_that_it_is_found() -> None:
    for name, event_class in EVENTS.items():
        for field, annotation in annotations(event_class):
            if "learner_id" in field:
                allowed = (LearnerId, LearnerId | None, tuple[LearnerId, ...])
                assert annotation in allowed, f"{name}: {field}"


def annotations(model: type[BaseModel]) -> list[tuple[str, Any]]:
    found = []
    for name, field in model.model_fields.items():
        found.append((name, field.annotation))
        for part in getattr(field.annotation, "__args__", ()):
            if isinstance(part, type) and issubclass(part, BaseModel):
                found += annotations(part)
    return found


def test_place_name_and_attribution_are_told() -> None:
    attribution = by("user:jdoe")
    mapper = EventMapper(EventNames(), MemoryKeys())
    (written,) = mapper.to_stored_events([NewEvents(STREAM, 0, [an_issue()])], attribution)
    outline = read(written.topic, written.state)
    assert outline == Outline(7, STREAM, 1, "credential.issued.1", attribution, None, None, ())


def test_an_award_names_who_what_and_where() -> None:
    outline = outline_of(an_award("learner-5"))
    assert outline.learner_ids == ("learner-5",)
    assert outline.configuration_id == CONFIGURATION
    assert outline.context_key == COURSE


def test_a_run_for_all_names_nobody() -> None:
    assert outline_of(a_run()).learner_ids == ()


def test_an_actor_cannot_pass_for_the_end_of_the_envelopes_head() -> None:
    attribution = by('user:x,"payload":{"learner_id":"l-9"}')
    mapper = EventMapper(EventNames(), MemoryKeys())
    (written,) = mapper.to_stored_events([NewEvents(STREAM, 0, [an_issue()])], attribution)
    outline = read(written.topic, written.state)
    assert outline.attribution == attribution
    assert outline.learner_ids == ()


class Renamed(DomainEvent):
    """An event whose learner had another name once."""

    learner_id: LearnerId
    note: Personal[str | None]


def test_an_old_name_is_read_as_the_present_one() -> None:
    def convert(payload: Payload) -> Payload:
        assert payload["note"] is None  # what is personal is not decrypted
        return {"learner_id": payload["who"], "note": payload["note"]}

    names = EventNames(
        {"test.renamed.2": Renamed}, {"test.renamed.1": Upcast("test.renamed.2", convert)}
    )
    head = b'{"time":"2026-06-01T12:00:00Z","actor":"user:x","correlation_id":"%b",'
    state = head % str(UUID(int=5)).encode() + (
        b'"payload":{"who":"l-1"},"personal":{"note":"sealed"},"key":"k"}'
    )
    outline = read("test.renamed.1", state, names)
    assert outline.name == "test.renamed.1"
    assert outline.learner_ids == ("l-1",)


class Part(BaseModel):
    """A part with a learner."""

    somebody: LearnerId


class Deep(BaseModel):
    """A part with parts with a learner."""

    parts: tuple[Part, ...]


class ManyLearners(DomainEvent):
    """An event with several lists of learners."""

    watchers: tuple[LearnerId, ...]
    others: list[Part]


class TooDeep(DomainEvent):
    """An event with learners where they are not looked for."""

    inside: tuple[Deep, ...]


class Twins(DomainEvent):
    """An event with two learners in fields of their own."""

    one: LearnerId
    other: LearnerId | None


def test_learners_of_several_lists_are_told_once_each() -> None:
    names = EventNames({"test.many.1": ManyLearners})
    event = ManyLearners(
        watchers=(LearnerId("b"), LearnerId("a")),
        others=[Part(somebody=LearnerId("a")), Part(somebody=LearnerId("c"))],
    )
    assert outline_of(event, names).learner_ids == ("b", "a", "c")


@pytest.mark.parametrize("event_class", [TooDeep, Twins])
def test_a_learner_who_would_not_be_found_is_refused_at_once(
    event_class: type[DomainEvent],
) -> None:
    with pytest.raises(EventStoreError, match=r"test\.lost\.1"):
        OutlineReader(EventNames({"test.lost.1": event_class}))


@pytest.mark.parametrize(
    "state",
    [
        b"",
        b"{}",
        b"[]",
        b'{"time":"then","actor":"user:x","correlation_id":"x","payload":{}}',
        stored(an_award())[1][:-20],
        stored(an_award())[1].replace(b'"learner_id":"learner-1"', b'"learner_id":7'),
        stored(an_award())[1].replace(b'"learner_id"', b'"learner_ix"'),
        stored(an_award())[1].replace(b'"configuration_id":"4', b'"configuration_id":"x'),
    ],
)
def test_a_damaged_event_is_an_error_that_says_which(state: bytes) -> None:
    with pytest.raises(EventStoreError, match=rf"event 1 of stream {STREAM}.*damaged"):
        read("credential.awarded.1", state)


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(EventStoreError, match=r"no event is called 'credential\.lost\.1'"):
        read("credential.lost.1", stored(an_award())[1])


def test_each_event_has_its_own_attribution_whatever_its_neighbours_have() -> None:
    name, state = stored(an_issue())
    other = state.replace(b'"actor":"', b'"actor":"not-', 1)
    whose = OutlineReader(EventNames()).read(
        [(at, STREAM, at, name, each) for at, each in enumerate((state, state, other, state), 1)]
    )
    actor = outline_of(an_issue()).attribution.actor
    assert [each.attribution.actor for each in whose] == [actor, actor, f"not-{actor}", actor]


def test_outlines_before_a_damaged_event_are_told() -> None:
    name, state = stored(an_award())
    outlines = OutlineReader(EventNames()).read(
        [(1, STREAM, 1, name, state), (2, STREAM, 2, name, state[:-9]), (3, STREAM, 3, name, state)]
    )
    assert len(outlines) == 3
    assert (outlines[0].position, outlines[-1].position) == (1, 3)
    assert [each.version for each in outlines[2:]] == [3]
    told = iter(outlines)
    assert next(told).learner_ids == (an_award().learner_id,)
    with pytest.raises(EventStoreError, match=r"event 2 of stream .* is damaged"):
        next(told)
