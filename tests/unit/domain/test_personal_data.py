"""Personal fields: which there are, and that each can do without its value."""

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from testamur.domain.corrections import CorrectionProposed
from testamur.domain.credentials import CredentialAwarded, IssuanceFailed, NotificationFailed
from testamur.domain.events import DomainEvent
from testamur.domain.personal_data import PERSONAL, Person
from tests.support.domain_strategies import EVENTS, tries

PERSONAL_FIELDS: list[tuple[type[DomainEvent], str]] = [
    (CredentialAwarded, "person"),
    (CredentialAwarded, "document_link"),
    (CorrectionProposed, "full_name"),
    (IssuanceFailed, "detail"),
    (NotificationFailed, "detail"),
]


def is_personal(field: FieldInfo) -> bool:
    return PERSONAL in field.metadata


def holds_a_person(annotation: Any) -> bool:
    """Tell whether a person can be somewhere in a field of this type."""
    return annotation is Person or any(map(holds_a_person, get_args(annotation)))


def test_the_personal_fields_are_these() -> None:
    marked = [
        (event, name)
        for event in EVENTS
        for name, field in event.model_fields.items()
        if is_personal(field)
    ]

    assert marked == PERSONAL_FIELDS


def test_no_person_is_in_a_field_that_is_not_personal() -> None:
    for event in EVENTS:
        for name, field in event.model_fields.items():
            assert not holds_a_person(field.annotation) or is_personal(field), (event, name)


@tries(15)
@given(event=st.one_of(*(EVENTS[event] for event, _ in PERSONAL_FIELDS)))
def test_a_personal_field_reads_as_none_once_the_key_is_erased(event: DomainEvent) -> None:
    erased = {name: None for kind, name in PERSONAL_FIELDS if isinstance(event, kind)}

    read = type(event).model_validate(event.model_dump(mode="json") | erased)

    assert read == event.model_copy(update=erased)


@pytest.mark.parametrize(("event", "name"), PERSONAL_FIELDS)
def test_an_event_with_a_personal_field_says_whose_it_is(
    event: type[DomainEvent], name: str
) -> None:
    assert "learner_id" in event.model_fields
    assert event.model_fields["learner_id"].is_required()


def test_a_person_has_no_field_that_is_not_known() -> None:
    with pytest.raises(ValidationError, match="date_of_birth"):
        Person.model_validate({"full_name": "Kate", "date_of_birth": "2000-01-01"})


def test_a_person_is_known_by_name_alone() -> None:
    kate = Person(full_name="Kate")

    assert (kate.email, kate.locale, kate.mailable) == (None, None, True)
