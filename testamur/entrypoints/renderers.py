"""The renderers of an installation, each loaded when it is first asked for.

Loading what draws PDFs takes longer than all the rest of the program, and most commands draw none.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from testamur.adapters.signing.files import SigningKeyFiles
from testamur.application.ports.plugins import UnnamedRenderer
from testamur.application.ports.rendering import AssetLibrary, PreparedRenderer, Renderer
from testamur.domain.errors import TestamurError
from testamur.entrypoints.plugins import BUILT_IN, BrokenPlugin, Group, LoadedPlugin, Plugins

#: Where the one renderer is that signs and keeps templates; others are made without arguments.
_PDF: Final = BUILT_IN[Group.RENDERING]["pdf"]


class InstalledRenderers(Mapping[str, Renderer]):
    """Renderers by name or path, loaded when they are first looked up and kept from then on.

    Args:
        plugins: Those that there are.
        signing_keys: Keys by name, for the renderer ``pdf``.
        cache_folder: Where renderers keep what takes them long to make again, each in a folder of
            its own; None: nowhere.
    """

    def __init__(
        self,
        plugins: Plugins | None = None,
        signing_keys: Mapping[str, SigningKeyFiles] | None = None,
        cache_folder: Path | None = None,
    ) -> None:
        self._plugins = plugins or Plugins()
        self._signing_keys = signing_keys or {}
        self._template_cache = None if cache_folder is None else cache_folder / "templates"
        self._loaded: dict[str, Renderer] = {}

    def __getitem__(self, name: str) -> Renderer:
        """Return a renderer.

        Raises:
            InvalidInput: The path leads nowhere.
            BrokenPlugin: It cannot be used.
        """
        if name not in self._loaded:
            loaded = self._plugins.load(Group.RENDERING, name, "renderer")
            try:
                made = self._made(loaded)
            except TestamurError:
                raise
            except Exception as error:
                raise BrokenPlugin(loaded.plugin, f"{type(error).__name__}: {error}") from error
            self._loaded[name] = _NamedRenderer(name, loaded.options_model, made)
        return self._loaded[name]

    def _made(self, loaded: LoadedPlugin) -> UnnamedRenderer:
        made: UnnamedRenderer = (
            loaded.make(signing_keys=self._signing_keys, template_cache=self._template_cache)
            if loaded.plugin.location == _PDF
            else loaded.make()
        )
        return made

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._plugins.has(Group.RENDERING, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._plugins.names(Group.RENDERING))

    def __len__(self) -> int:
        return len(self._plugins.names(Group.RENDERING))


@dataclass(frozen=True, slots=True)
class _NamedRenderer:
    """A renderer under the name by which types choose it, whatever it calls itself."""

    name: str
    options_model: type[BaseModel]
    _made: UnnamedRenderer

    def prepare(self, options: Any, assets: AssetLibrary) -> PreparedRenderer:
        return self._made.prepare(options, assets)
