"""Preparing: renderers made ready once, for as long as their options and assets stay the same."""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel

from testamur.application.ports.rendering import AssetLibrary, PreparedRenderer, Renderer
from testamur.domain.errors import NotFound
from testamur.domain.identifiers import Slug

#: Prepared renderers kept by a thread; each holds its template and fonts in memory.
MOST_KEPT: Final = 8


@dataclass(frozen=True, slots=True)
class _Kept:
    renderer: PreparedRenderer
    assets_used: Mapping[Slug, str]


class PreparedRenderers:
    """Prepares renderers, and gives again what was prepared before where nothing has changed.

    A prepared renderer is for one thread, so each thread has its own.

    Args:
        assets: Where templates, fonts and images come from.
    """

    def __init__(self, assets: AssetLibrary) -> None:
        self._assets = assets
        self._kept = _KeptByThread()

    def prepare(self, renderer: Renderer, options: BaseModel) -> PreparedRenderer:
        """Return a renderer made ready for these options and the present content of the assets.

        Raises:
            InvalidInput, NotFound, RenderingError: As `Renderer.prepare`.
        """
        key = (renderer.name, options.model_dump_json())
        kept = self._kept.by_options.get(key)
        if kept is None or not self._unchanged(kept.assets_used):
            used = _UsedAssets(self._assets)
            kept = _Kept(renderer.prepare(options, used), used.hashes)
        self._kept.by_options[key] = kept
        self._kept.by_options.move_to_end(key)
        if len(self._kept.by_options) > MOST_KEPT:
            self._kept.by_options.popitem(last=False)
        return kept.renderer

    def _unchanged(self, assets_used: Mapping[Slug, str]) -> bool:
        try:
            return all(self._assets.sha256(slug) == sha256 for slug, sha256 in assets_used.items())
        except NotFound:
            return False


class _KeptByThread(threading.local):
    def __init__(self) -> None:
        self.by_options: OrderedDict[tuple[str, str], _Kept] = OrderedDict()


class _UsedAssets:
    """Assets, noting the hash of each that a renderer uses."""

    def __init__(self, assets: AssetLibrary) -> None:
        self._assets = assets
        self.hashes: dict[Slug, str] = {}

    def content(self, slug: Slug) -> bytes:
        # The hash first: if the asset changes in between, what was prepared counts as outdated.
        self.sha256(slug)
        return self._assets.content(slug)

    def sha256(self, slug: Slug) -> str:
        return self.hashes.setdefault(slug, self._assets.sha256(slug))
