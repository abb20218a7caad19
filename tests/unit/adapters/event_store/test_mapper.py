"""The mapper: what is stored of an event, and that it stays what it was."""

import json
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import pytest
from cryptography.exceptions import InvalidTag
from eventsourcing.persistence import StoredEvent

from testamur.adapters.event_store.mapper import Envelope, EventMapper, JsonTranscoder
from testamur.adapters.event_store.memory.keys import MemoryKeys
from testamur.adapters.event_store.names import EventNames
from testamur.adapters.event_store.personal_data import LearnerCipher, place
from testamur.application.errors import EventStoreError
from testamur.application.ports.event_store import NewEvents
from testamur.domain.identifiers import LearnerId
from tests.support.events import NOON, a_run, an_award, awarding, by, id_of

STREAM = UUID(int=7)


@pytest.fixture
def mapper() -> EventMapper:
    """A mapper with keys in memory."""
    return EventMapper(EventNames(), MemoryKeys())


def state_of(stored: StoredEvent) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(stored.state)
    return state


def test_an_event_is_stored_under_its_name_in_an_envelope(mapper: EventMapper) -> None:
    attribution = by("user:jdoe", correlation_id=UUID(int=1))
    (stored,) = mapper.to_stored_events([NewEvents(STREAM, 2, [a_run()])], attribution)
    assert (stored.originator_id, stored.originator_version) == (STREAM, 3)
    assert stored.topic == "run.started.1"
    assert state_of(stored) == {
        "time": "2026-06-01T12:00:00Z",
        "actor": "user:jdoe",
        "correlation_id": "00000000-0000-0000-0000-000000000001",
        "payload": json.loads(a_run().model_dump_json()),
    }


def test_personal_fields_are_stored_apart_and_sealed(mapper: EventMapper) -> None:
    award = an_award()
    (stored,) = mapper.to_stored_events(awarding(award), by())
    state = state_of(stored)
    assert state["payload"] == json.loads(
        award.model_dump_json(exclude={"person", "document_link"})
    )
    assert state["personal"].keys() == {"person"}
    assert len(state["key"]) == 16
    assert b"Ada" not in stored.state


def test_the_same_personal_data_is_never_sealed_the_same_way_twice(mapper: EventMapper) -> None:
    first, second = (mapper.to_stored_events(awarding(an_award()), by())[0] for _ in range(2))
    assert state_of(first)["personal"] != state_of(second)["personal"]
    assert state_of(first)["key"] == state_of(second)["key"]


def test_single_events_are_mapped_as_the_library_does_it(mapper: EventMapper) -> None:
    award = an_award()
    envelope = Envelope(id_of(award), 1, "credential.awarded.1", award, by())
    stored = mapper.to_stored_event(envelope)
    assert mapper.to_domain_event(stored) == envelope
    assert (envelope.originator_id, envelope.originator_version) == (id_of(award), 1)


def test_what_is_no_envelope_is_not_mapped(mapper: EventMapper) -> None:
    with pytest.raises(TypeError, match="an Envelope is needed"):
        mapper.to_stored_event(an_award())  # type: ignore[arg-type]


def test_the_stream_id_may_be_text(mapper: EventMapper) -> None:
    award = an_award()
    (stored,) = mapper.to_stored_events(awarding(award), by())
    text = StoredEvent(id_of(award).hex, 1, stored.topic, stored.state)
    recorded = mapper.to_domain_event(text)
    assert (recorded.stream_id, recorded.event) == (id_of(award), award)


def test_the_transcoder_reads_what_it_writes() -> None:
    transcoder = JsonTranscoder()
    assert transcoder.decode(transcoder.encode({"at": NOON, "é": [1, 0.5]})) == {
        "at": "2026-06-01T12:00:00Z",
        "é": [1, 0.5],
    }


# The cipher

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
PLACE = place(STREAM, 1, "credential.awarded.1", "person")


def test_what_was_encrypted_is_decrypted_at_its_place() -> None:
    cipher = LearnerCipher(KEY)
    text = cipher.encrypt(b"Ada", PLACE).decode()
    assert cipher.decrypt(text, PLACE) == b"Ada"
    assert LearnerCipher(KEY).decrypt(text, PLACE) == b"Ada"


@pytest.mark.parametrize(
    "elsewhere",
    [
        place(UUID(int=8), 1, "credential.awarded.1", "person"),
        place(STREAM, 2, "credential.awarded.1", "person"),
        place(STREAM, 1, "credential.awarded.2", "person"),
        place(STREAM, 1, "credential.awarded.1", "detail"),
    ],
)
def test_nothing_is_decrypted_at_another_place(elsewhere: bytes) -> None:
    cipher = LearnerCipher(KEY)
    with pytest.raises(InvalidTag):
        cipher.decrypt(cipher.encrypt(b"Ada", PLACE).decode(), elsewhere)


def test_nothing_is_decrypted_under_another_key() -> None:
    text = LearnerCipher(KEY).encrypt(b"Ada", PLACE).decode()
    with pytest.raises(InvalidTag):
        LearnerCipher(OTHER_KEY).decrypt(text, PLACE)


def test_an_id_of_a_key_tells_keys_apart_and_does_not_show_them() -> None:
    assert LearnerCipher(KEY).key_id == LearnerCipher(KEY).key_id
    assert LearnerCipher(KEY).key_id != LearnerCipher(OTHER_KEY).key_id
    assert KEY.hex()[:16] != LearnerCipher(KEY).key_id


def test_keys_are_asked_for_once_for_a_whole_batch() -> None:
    class CountingKeys(MemoryKeys):
        asked = 0

        def obtain(self, learner_ids: Iterable[LearnerId]) -> dict[LearnerId, bytes]:
            self.asked += 1
            return super().obtain(learner_ids)

        def find(self, learner_ids: Iterable[LearnerId]) -> dict[LearnerId, bytes]:
            self.asked += 1
            return super().find(learner_ids)

    keys = CountingKeys()
    mapper = EventMapper(EventNames(), keys)
    stored = mapper.to_stored_events(awarding(*(an_award(f"l-{n}") for n in range(50))), by())
    assert keys.asked == 1
    assert len(mapper.to_domain_events(stored)) == 50
    assert keys.asked == 2


@pytest.mark.parametrize("erased", [False, True])
def test_a_sealed_field_that_the_event_does_not_have_is_damage(erased: bool) -> None:
    keys = MemoryKeys()
    mapper = EventMapper(EventNames(), keys)
    (stored,) = mapper.to_stored_events(awarding(an_award()), by())
    state = state_of(stored)
    state["personal"] = {"nickname": state["personal"]["person"]}
    if erased:
        keys.destroy(LearnerId("learner-1"))
    damaged = StoredEvent(
        stored.originator_id, stored.originator_version, stored.topic, json.dumps(state).encode()
    )

    with pytest.raises(EventStoreError, match=r"does not fit|damaged or was tampered with"):
        mapper.to_domain_events([damaged])
