"""Assets: their content lies under its hash, and what they may be is told by their first bytes."""

import hashlib
from io import BytesIO

import pytest

from testamur.application.assets import describe
from testamur.application.streams import PIECE
from testamur.domain.errors import DecisionRefused, InvalidInput, NotFound
from testamur.domain.identifiers import Slug
from tests.support.stored_files import Opening
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


def test_what_is_read_piece_by_piece_is_described_as_what_is_whole() -> None:
    content = PDF + bytes(3 * PIECE)
    assert describe(lambda: BytesIO(content), "a.pdf") == describe(content, "a.pdf")
    assert describe(content, "a.pdf").sha256 == hashlib.sha256(content).hexdigest()


def test_an_asset_that_is_opened_when_it_is_read_gives_back_its_content() -> None:
    world = World()
    opening = Opening(PDF)
    world.assets.add("template", opening, "template.pdf", world.request())
    assert world.assets.content(Slug("template")) == PDF
    world.assets.replace("template", Opening(OTHER_PDF), "template.pdf", world.request())
    assert world.assets.content(Slug("template")) == OTHER_PDF
    assert all(each.closed for each in opening.opened)


def test_an_asset_that_changes_while_it_is_read_is_refused() -> None:
    world = World()
    with pytest.raises(InvalidInput, match="size of assets/"):
        world.assets.add("template", Opening(PDF, OTHER_PDF), "t.pdf", world.request())
    with pytest.raises(NotFound):
        world.assets.get("template")
