"""Preparing: done once, and again as soon as an option or an asset has changed."""

from collections.abc import Mapping
from threading import Thread

from testamur.application.ports.rendering import AssetLibrary, PreparedRenderer
from testamur.application.preparing import MOST_KEPT, PreparedRenderers
from testamur.domain.identifiers import Slug
from tests.support.world import PlainOptions, PreparedPlain


class ChangingAssets:
    def __init__(self, hashes: Mapping[str, str]) -> None:
        self.hashes = dict(hashes)

    def content(self, slug: Slug) -> bytes:
        return self.hashes[slug].encode()

    def sha256(self, slug: Slug) -> str:
        return self.hashes[slug]


class TemplateRenderer:
    name = "template"
    options_model = PlainOptions

    def prepare(self, options: PlainOptions, assets: AssetLibrary) -> PreparedPlain:
        return PreparedPlain(
            options.model_copy(update={"heading": assets.content(Slug("t")).decode()})
        )


def _heading(prepared: PreparedRenderer) -> str:
    assert isinstance(prepared, PreparedPlain)
    return prepared.options.heading


def test_the_same_options_and_assets_are_prepared_once() -> None:
    renderers = PreparedRenderers(ChangingAssets({"t": "one"}))
    first = renderers.prepare(TemplateRenderer(), PlainOptions())
    assert renderers.prepare(TemplateRenderer(), PlainOptions()) is first


def test_an_asset_that_was_replaced_is_used_at_once() -> None:
    assets = ChangingAssets({"t": "one"})
    renderers = PreparedRenderers(assets)
    renderers.prepare(TemplateRenderer(), PlainOptions())
    assets.hashes["t"] = "two"
    assert _heading(renderers.prepare(TemplateRenderer(), PlainOptions())) == "two"


def test_other_options_are_prepared_on_their_own() -> None:
    renderers = PreparedRenderers(ChangingAssets({"t": "one"}))
    first = renderers.prepare(TemplateRenderer(), PlainOptions())
    assert renderers.prepare(TemplateRenderer(), PlainOptions(fails=True)) is not first


def test_only_so_many_are_kept() -> None:
    renderers = PreparedRenderers(ChangingAssets({"t": "one"}))
    first = renderers.prepare(TemplateRenderer(), PlainOptions())
    for number in range(MOST_KEPT):
        renderers.prepare(TemplateRenderer(), PlainOptions(heading=f"{number}"))
    assert renderers.prepare(TemplateRenderer(), PlainOptions()) is not first


def test_each_thread_has_its_own() -> None:
    renderers = PreparedRenderers(ChangingAssets({"t": "one"}))
    found = [renderers.prepare(TemplateRenderer(), PlainOptions())]
    thread = Thread(
        target=lambda: found.append(renderers.prepare(TemplateRenderer(), PlainOptions()))
    )
    thread.start()
    thread.join()
    assert found[0] is not found[1]
