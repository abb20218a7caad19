"""Assets: their content lies under its hash, and what they may be is told by their first bytes."""

import pytest

from testamur.domain.errors import DecisionRefused, InvalidInput, NotFound
from testamur.domain.identifiers import Slug
from tests.support.world import World

PDF = b"%PDF-1.7 one"
OTHER_PDF = b"%PDF-1.7 other"


def test_an_asset_gives_back_its_content() -> None:
    world = World()
    world.assets.add("template", PDF, "template.pdf", world.request())
    assert world.assets.content(Slug("template")) == PDF
    assert world.assets.get("template").content.media_type == "application/pdf"


def test_a_replaced_asset_gives_its_new_content_and_keeps_the_old() -> None:
    world = World()
    world.assets.add("template", PDF, "template.pdf", world.request())
    before = world.assets.sha256(Slug("template"))
    world.assets.replace("template", OTHER_PDF, "template.pdf", world.request())
    assert world.assets.content(Slug("template")) == OTHER_PDF
    assert world.storage.get(f"assets/{before[:2]}/{before}") == PDF


def test_a_removed_asset_is_not_given_to_renderers() -> None:
    world = World()
    world.assets.add("template", PDF, "template.pdf", world.request())
    world.assets.remove("template", "an old logo", world.request())
    with pytest.raises(NotFound, match="no asset 'template'"):
        world.assets.content(Slug("template"))


def test_a_slug_that_is_taken_is_refused() -> None:
    world = World()
    world.assets.add("template", PDF, "template.pdf", world.request())
    with pytest.raises(DecisionRefused, match="it exists already"):
        world.assets.add("template", OTHER_PDF, "template.pdf", world.request())
    assert world.assets.content(Slug("template")) == PDF


@pytest.mark.parametrize(
    ("slug", "content", "filename", "field"),
    [
        ("Template", PDF, "template.pdf", "slug"),
        ("template", b"MZ a program", "template.pdf", "asset"),
        ("template", b"", "template.pdf", "asset"),
        ("template", PDF, "../template.pdf", "filename"),
        ("template", PDF, "a\nb.pdf", "filename"),
    ],
)
def test_what_is_not_allowed_is_refused_before_anything_is_written(
    slug: str, content: bytes, filename: str, field: str
) -> None:
    world = World()
    with pytest.raises(InvalidInput) as refused:
        world.assets.add(slug, content, filename, world.request())
    assert refused.value.field == field
    assert list(world.assets.all()) == []
    assert list(world.events.log()) == []


def test_an_unknown_asset_is_answered_with_those_there_are() -> None:
    world = World()
    world.assets.add("template", PDF, "template.pdf", world.request())
    with pytest.raises(NotFound, match="there are: template"):
        world.assets.get("templates")
