"""Credential types: defined, revised, retired for good."""

from functools import reduce
from typing import Final

import pytest
from pydantic import ValidationError

from testamur.domain.credential_types import (
    CredentialType,
    CredentialTypeDefined,
    CredentialTypeEvent,
    CredentialTypeRetired,
    CredentialTypeRevised,
    Issuer,
    TypeDefinition,
    decide_define,
    decide_retire,
    decide_revise,
    evolve,
)
from testamur.domain.errors import DecisionRefused
from testamur.domain.identifiers import Slug

SLUG: Final = Slug("completion")
UNI: Final = TypeDefinition(
    name="Certificate of Completion",
    issuer=Issuer(name="Uni"),
    criteria="completion",
    renderer="pdf",
)
RENAMED: Final = UNI.model_copy(update={"name": "Certificate"})
DEFINED: Final = CredentialTypeDefined(slug=SLUG, definition=UNI)
REVISED: Final = CredentialTypeRevised(revision=2, definition=RENAMED)
RETIRED: Final = CredentialTypeRetired(reason="replaced")


def after(*events: CredentialTypeEvent) -> CredentialType:
    """Return a type that was defined and then saw these events."""
    return reduce(evolve, events, evolve(None, DEFINED))


def test_a_type_is_defined_as_its_first_revision() -> None:
    assert decide_define(None, SLUG, UNI) == [DEFINED]
    assert after() == CredentialType(SLUG, 1, UNI)


@pytest.mark.parametrize("state", [after(), after(RETIRED)])
def test_a_slug_is_taken_for_good(state: CredentialType) -> None:
    with pytest.raises(DecisionRefused) as refused:
        decide_define(state, SLUG, RENAMED)

    assert str(refused.value) == (
        "credential type 'completion': it is defined already; revise it, or choose another slug"
    )


def test_each_revision_has_the_next_number() -> None:
    assert decide_revise(after(), RENAMED) == [REVISED]
    assert after(REVISED) == CredentialType(SLUG, 2, RENAMED)
    assert decide_revise(after(REVISED), UNI) == [CredentialTypeRevised(revision=3, definition=UNI)]


def test_a_revision_that_changes_nothing_is_none() -> None:
    assert decide_revise(after(REVISED), RENAMED) == []


def test_a_retired_type_is_retired_for_good() -> None:
    assert decide_retire(after(), "replaced") == [RETIRED]
    assert after(RETIRED).retired
    with pytest.raises(DecisionRefused, match="credential type 'completion': it is retired"):
        decide_revise(after(RETIRED), RENAMED)
    with pytest.raises(DecisionRefused, match="credential type 'completion': it is retired"):
        decide_retire(after(RETIRED), "again")


def test_only_a_type_in_use_is_given_out() -> None:
    assert after(REVISED).require_in_use() == after(REVISED)
    with pytest.raises(DecisionRefused, match="credential type 'completion': it is retired"):
        after(RETIRED).require_in_use()


def test_what_was_never_defined_is_neither_revised_nor_retired() -> None:
    with pytest.raises(DecisionRefused, match="credential type: it is not defined"):
        decide_revise(None, UNI)
    with pytest.raises(DecisionRefused, match="credential type: it is not defined"):
        decide_retire(None, "replaced")
    for event in (REVISED, RETIRED):
        with pytest.raises(DecisionRefused, match="credential type: it is not defined"):
            evolve(None, event)


@pytest.mark.parametrize(
    ("field", "change"), [("name", {"name": ""}), ("issuer.name", {"issuer": {"name": ""}})]
)
def test_a_type_and_its_issuer_have_names(field: str, change: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as refused:
        TypeDefinition.model_validate(UNI.model_dump() | change)

    [problem] = refused.value.errors()
    assert ".".join(map(str, problem["loc"])) == field
