"""What all events have in common."""

import importlib
import pkgutil
from types import ModuleType
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

import testamur.domain
from testamur.domain import (
    assets,
    configurations,
    corrections,
    credential_types,
    credentials,
    deliveries,
    digests,
    erasures,
    proposals,
    reconciliations,
    runs,
    serials,
)
from testamur.domain.assets import AssetRemoved
from testamur.domain.events import DomainEvent
from tests.support.domain_strategies import EVENTS, events, tries


def all_models() -> set[type[BaseModel]]:
    """Return every event and value that a module of the domain defines with pydantic."""
    modules = [
        importlib.import_module(module.name)
        for module in pkgutil.iter_modules(testamur.domain.__path__, "testamur.domain.")
    ]
    return {
        each
        for module in modules
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, BaseModel)
    } - {BaseModel}


def all_events() -> set[type[DomainEvent]]:
    """Return every event that a module of the domain defines."""
    return {each for each in all_models() if issubclass(each, DomainEvent)} - {DomainEvent}


def test_there_is_a_strategy_of_every_event() -> None:
    assert set(EVENTS) == all_events()


@tries(80)
@given(event=events)
def test_every_event_reads_back_from_json_as_it_was(event: DomainEvent) -> None:
    assert type(event).model_validate_json(event.model_dump_json()) == event


@pytest.mark.parametrize("model", sorted(all_models(), key=repr))
def test_an_event_or_value_is_never_changed_and_has_no_field_that_is_not_known(
    model: type[BaseModel],
) -> None:
    assert model.model_config.get("frozen")
    assert model.model_config.get("extra") == "forbid"


def test_what_is_frozen_cannot_be_changed_and_what_is_unknown_is_refused() -> None:
    event = AssetRemoved(reason="old logo")

    with pytest.raises(ValidationError, match="frozen"):
        event.reason = "other"  # type: ignore[misc]
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        AssetRemoved.model_validate({"reason": "old logo", "by": "Kate"})


@pytest.mark.parametrize(
    ("aggregate", "of_aggregate"),
    [
        (assets, assets.AssetEvent),
        (configurations, configurations.ConfigurationEvent),
        (credential_types, credential_types.CredentialTypeEvent),
        (credentials, credentials.CredentialEvent),
        (deliveries, deliveries.SilenceEvent),
        (digests, digests.DigestEvent),
        (erasures, erasures.ErasureEvent),
        (runs, runs.RunEvent),
        (reconciliations, reconciliations.ReconciliationEvent),
        (corrections, corrections.CorrectionEvent),
    ],
    ids=lambda each: each.__name__ if isinstance(each, ModuleType) else "",
)
@tries(8)
@given(data=st.data())
def test_every_event_of_an_aggregate_leads_from_state_to_state(
    aggregate: Any, of_aggregate: Any, data: st.DataObject
) -> None:
    first, *others = get_args(of_aggregate)
    state = aggregate.evolve(None, data.draw(EVENTS[first]))
    kind = type(state)

    for event in others:
        state = aggregate.evolve(state, data.draw(EVENTS[event]))

        assert type(state) is kind


def test_every_event_belongs_to_one_aggregate() -> None:
    of_aggregates = [
        *get_args(assets.AssetEvent),
        *get_args(configurations.ConfigurationEvent),
        *get_args(credential_types.CredentialTypeEvent),
        *get_args(credentials.CredentialEvent),
        *get_args(deliveries.SilenceEvent),
        *get_args(digests.DigestEvent),
        *get_args(erasures.ErasureEvent),
        *get_args(runs.RunEvent),
        *get_args(reconciliations.ReconciliationEvent),
        *get_args(corrections.CorrectionEvent),
        proposals.ProposalEvent,
        serials.SerialEvent,
    ]

    assert len(of_aggregates) == len(set(of_aggregates))
    assert set(of_aggregates) == all_events()
