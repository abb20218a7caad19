"""The registry of names: complete, well-formed, and able to read what it once wrote."""

from typing import Annotated, get_args

import pytest

from testamur.adapters.event_store.names import (
    EVENTS,
    UPCASTS,
    EventNames,
    Payload,
    Upcast,
)
from testamur.application.errors import EventStoreError
from testamur.domain.assets import AssetEvent
from testamur.domain.configurations import ConfigurationEvent
from testamur.domain.corrections import CorrectionEvent
from testamur.domain.credential_types import CredentialTypeEvent
from testamur.domain.credentials import CredentialEvent, CredentialRevoked, CredentialSuperseded
from testamur.domain.deliveries import SilenceEvent
from testamur.domain.digests import DigestEvent
from testamur.domain.erasures import ErasureEvent
from testamur.domain.events import DomainEvent
from testamur.domain.identifiers import LearnerId
from testamur.domain.personal_data import PERSONAL, Person, Personal
from testamur.domain.proposals import ProposalEvent
from testamur.domain.reconciliations import ReconciliationEvent
from testamur.domain.runs import RunEvent
from testamur.domain.serials import SerialEvent


class Told(DomainEvent):
    """Has a personal field as it ought to be."""

    learner_id: LearnerId
    person: Personal[Person]


def test_every_event_of_the_domain_has_a_name() -> None:
    unions = (
        AssetEvent,
        ConfigurationEvent,
        CorrectionEvent,
        CredentialEvent,
        CredentialTypeEvent,
        DigestEvent,
        ErasureEvent,
        ReconciliationEvent,
        RunEvent,
        SilenceEvent,
    )
    assert set(EVENTS.values()) == {
        *(event for union in unions for event in get_args(union)),
        ProposalEvent,
        SerialEvent,
    }
    assert set(EVENTS.values()) == {
        event
        for event in DomainEvent.__subclasses__()
        if event.__module__.startswith("testamur.domain.")
    }


def test_an_event_is_found_by_its_class() -> None:
    names = EventNames()
    kind = names.kind_of(CredentialRevoked(reason="x"))
    assert (kind.name, kind.event_class) == ("credential.revoked.1", CredentialRevoked)


def test_personal_fields_are_known_by_their_mark() -> None:
    personal = {kind.name: kind.personal_fields for kind in EventNames() if kind.personal_fields}
    assert personal == {
        "credential.awarded.1": {"person", "document_link"},
        "correction.proposed.1": {"full_name"},
        "credential.issuance-failed.1": {"detail"},
        "credential.notification-failed.1": {"detail"},
    }


@pytest.mark.parametrize(
    "name",
    [
        "",
        "credential",
        "credential.told",
        "credential.told.0",
        "credential.told.1.2",
        "a b.c.1",
        "Credential.told.1",
        "testamur.domain:Told",
        "credential-.told.1",
        "credential.told.01",
    ],
)
def test_a_name_of_another_form_is_refused(name: str) -> None:
    with pytest.raises(EventStoreError, match="cannot be called"):
        EventNames({name: Told})


def test_two_names_for_one_event_are_refused() -> None:
    with pytest.raises(EventStoreError, match="two names"):
        EventNames({"a.b.1": Told, "a.b.2": Told})


def test_an_event_with_a_personal_field_must_say_whose_it_is() -> None:
    class Nobodys(DomainEvent):
        person: Personal[Person]

    with pytest.raises(EventStoreError, match="must carry learner_id"):
        EventNames({"a.b.1": Nobodys})


def test_a_personal_field_must_allow_none() -> None:
    class Unforgettable(DomainEvent):
        learner_id: LearnerId
        name: Annotated[str, PERSONAL]

    with pytest.raises(EventStoreError, match="'name' must allow None"):
        EventNames({"a.b.1": Unforgettable})


class Inner(DomainEvent):
    """Hides a personal field from the store."""

    name: Personal[str]


class Middle(DomainEvent):
    """Hides it further."""

    inner: dict[str, tuple[Inner, ...]]


@pytest.mark.parametrize("hidden", [Inner, list[Inner], Middle | None])
def test_a_personal_field_may_not_hide_inside_another(hidden: type) -> None:
    class Outer(DomainEvent):
        learner_id: LearnerId
        value: hidden  # type: ignore[valid-type]

    with pytest.raises(EventStoreError, match="hidden inside 'value'"):
        EventNames({"a.b.1": Outer})


# Upcasts


def test_old_names_and_present_ones_are_read() -> None:
    def rename(payload: Payload) -> Payload:
        return {"because": payload["why"]}

    def wrap(payload: Payload) -> Payload:
        return {"reason": f"<{payload['because']}>"}

    names = EventNames(
        {"credential.revoked.3": CredentialRevoked},
        {
            "credential.cancelled.1": Upcast("credential.revoked.2", rename),
            "credential.revoked.2": Upcast("credential.revoked.3", wrap),
        },
    )
    for name, payload in (
        ("credential.cancelled.1", {"why": "x"}),
        ("credential.revoked.2", {"because": "x"}),
        ("credential.revoked.3", {"reason": "<x>"}),
    ):
        kind, upcast = names.upcast(name, dict(payload))
        assert kind.event_class.model_validate(upcast) == CredentialRevoked(reason="<x>")


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(EventStoreError, match=r"'credential\.framed\.1'"):
        EventNames().upcast("credential.framed.1", {})


def unchanged(payload: Payload) -> Payload:
    return payload


@pytest.mark.parametrize(
    ("upcasts", "because"),
    [
        ({"a.b.1": Upcast("a.b.9", unchanged)}, "leads to 'a.b.9', which is no event"),
        ({"a.b.1": Upcast("a.b.1", unchanged)}, "in a circle"),
        ({"a.b.1": Upcast("a.b.2", unchanged), "a.b.2": Upcast("a.b.1", unchanged)}, "circle"),
        ({"a.c.1": Upcast("a.b.3", unchanged)}, "'a.c.1' cannot be upcast"),
        ({"a.b": Upcast("a.b.3", unchanged)}, "'a.b' cannot be upcast"),
    ],
)
def test_upcasts_that_lead_nowhere_are_refused(upcasts: dict[str, Upcast], because: str) -> None:
    events: dict[str, type[DomainEvent]] = {
        "a.b.3": CredentialRevoked,
        "a.c.1": CredentialSuperseded,
    }
    with pytest.raises(EventStoreError, match=because):
        EventNames(events, upcasts)


def test_no_old_name_is_in_use() -> None:
    assert not set(UPCASTS) & set(EVENTS)
