"""The renderers of an installation, each loaded when it is first asked for.

Loading what draws PDFs takes longer than all the rest of the program, and most commands draw none.
"""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Final

from testamur.application.ports.rendering import Renderer

#: Name of a renderer -> where its class is, as ``module:class``.
RENDERERS: Final[Mapping[str, str]] = {"pdf": "testamur.adapters.pdf.renderer:PdfRenderer"}


class InstalledRenderers(Mapping[str, Renderer]):
    """Renderers by name, loaded when they are first looked up and kept from then on."""

    def __init__(self) -> None:
        self._loaded: dict[str, Renderer] = {}

    def __getitem__(self, name: str) -> Renderer:
        if name not in self._loaded:
            module, _, class_name = RENDERERS[name].partition(":")
            self._loaded[name] = getattr(import_module(module), class_name)()
        return self._loaded[name]

    def __contains__(self, name: object) -> bool:
        return name in RENDERERS

    def __iter__(self) -> Iterator[str]:
        return iter(RENDERERS)

    def __len__(self) -> int:
        return len(RENDERERS)
