"""Assets: added, replaced, removed, and brought back by other content."""

from functools import reduce
from typing import Final

import pytest
from pydantic import ValidationError

from testamur.domain.assets import (
    AssetAdded,
    AssetContent,
    AssetEvent,
    AssetRemoved,
    AssetReplaced,
    CredentialAsset,
    decide_add,
    decide_remove,
    decide_replace,
    evolve,
)
from testamur.domain.errors import DecisionRefused
from testamur.domain.identifiers import Slug

SLUG: Final = Slug("template")
FIRST: Final = AssetContent(
    sha256="0" * 64, size=9, media_type="application/pdf", filename="template.pdf"
)
SECOND: Final = FIRST.model_copy(update={"sha256": "1" * 64})
ADDED: Final = AssetAdded(slug=SLUG, content=FIRST)
REPLACED: Final = AssetReplaced(content=SECOND)
REMOVED: Final = AssetRemoved(reason="old logo")


def after(*events: AssetEvent) -> CredentialAsset:
    """Return an asset that was added and then saw these events."""
    return reduce(evolve, events, evolve(None, ADDED))


def test_an_asset_is_added_with_its_content() -> None:
    assert decide_add(None, SLUG, FIRST) == [ADDED]
    assert after() == CredentialAsset(SLUG, FIRST)


@pytest.mark.parametrize("state", [after(), after(REMOVED)])
def test_a_slug_is_taken_for_good(state: CredentialAsset) -> None:
    with pytest.raises(DecisionRefused) as refused:
        decide_add(state, SLUG, SECOND)

    assert str(refused.value) == (
        "asset 'template': it exists already; replace it, or choose another slug"
    )


def test_an_asset_is_given_other_content() -> None:
    assert decide_replace(after(), SECOND) == [REPLACED]
    assert after(REPLACED) == CredentialAsset(SLUG, SECOND)


def test_the_same_content_again_changes_nothing() -> None:
    assert decide_replace(after(), FIRST) == []
    assert decide_replace(after(REPLACED), SECOND) == []


def test_a_removed_asset_comes_back_by_any_content_the_same_included() -> None:
    assert after(REMOVED).removed
    for content in (FIRST, SECOND):
        [back] = decide_replace(after(REMOVED), content)
        assert evolve(after(REMOVED), back) == CredentialAsset(SLUG, content)


def test_an_asset_is_removed_once() -> None:
    assert decide_remove(after(), "old logo") == [REMOVED]
    with pytest.raises(DecisionRefused, match="asset 'template': it is removed already"):
        decide_remove(after(REMOVED), "again")
    assert decide_remove(after(REMOVED, REPLACED), "old logo") == [REMOVED]


def test_what_was_never_added_is_neither_replaced_nor_removed() -> None:
    with pytest.raises(DecisionRefused, match="asset: it does not exist"):
        decide_replace(None, FIRST)
    with pytest.raises(DecisionRefused, match="asset: it does not exist"):
        decide_remove(None, "old logo")
    for event in (REPLACED, REMOVED):
        with pytest.raises(DecisionRefused, match="asset: it does not exist"):
            evolve(None, event)


@pytest.mark.parametrize(
    ("field", "value"),
    [("sha256", "0" * 63), ("sha256", "0" * 64 + "\n"), ("sha256", "A" * 64), ("size", 0)],
)
def test_content_has_a_proper_hash_and_a_size(field: str, value: object) -> None:
    with pytest.raises(ValidationError) as refused:
        AssetContent.model_validate(FIRST.model_dump() | {field: value})

    assert [problem["loc"] for problem in refused.value.errors()] == [(field,)]
