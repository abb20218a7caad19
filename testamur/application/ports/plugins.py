"""What a plugin is: the class that an entry point names, in each of the four groups.

A type checker sees whether a class is one: ``plugin: SourcePlugin = MoodleSource``.
"""

from contextlib import AbstractContextManager
from typing import Any, Protocol

from pydantic import BaseModel

from testamur.application.ports.notification import Notifier
from testamur.application.ports.rendering import AssetLibrary, PreparedRenderer
from testamur.application.ports.retrieval import RetrievalSource
from testamur.application.ports.storage import ArtifactStorage


class SourcePlugin(Protocol):
    """Named by entry points of ``testamur.retrieval``; called with an instance of its options.

    It may have ``context_kinds`` as well, a mapping from the scheme of its context keys to the
    kind that they are of: with ``{"moodle-course": "course"}``, ``moodle-course:42`` is a course.

    What it gives may be a context manager, which is entered, or have ``close()``, and lives as
    long as the installation. Where it has ``check() -> str``, ``testamur doctor`` calls that to
    try the source; it returns what it found, or raises `RetrievalError`.
    """

    @property
    def options_model(self) -> type[BaseModel]:
        """Model of its options; validates them, documents them, and tells which are secret."""
        ...

    def __call__(
        self, options: Any, /
    ) -> RetrievalSource | AbstractContextManager[RetrievalSource]:
        """Return the source."""
        ...


class StoragePlugin(Protocol):
    """Named by entry points of ``testamur.storage``; lives and is closed as a source.

    Where what it gives has ``check() -> str``, ``testamur doctor`` calls that; it returns what it
    found, or raises `StorageError`. Else the doctor puts a file, reads it and deletes it.
    """

    @property
    def options_model(self) -> type[BaseModel]:
        """Model of its options."""
        ...

    def __call__(
        self, options: Any, /
    ) -> ArtifactStorage | AbstractContextManager[ArtifactStorage]:
        """Return the storage."""
        ...


class NotifierPlugin(Protocol):
    """Named by entry points of ``testamur.notification``; lives and is closed as a source."""

    @property
    def options_model(self) -> type[BaseModel]:
        """Model of its options."""
        ...

    def __call__(self, options: Any, /) -> Notifier | AbstractContextManager[Notifier]:
        """Return the notifier."""
        ...


class UnnamedRenderer(Protocol):
    """A renderer as its plugin makes it: a `Renderer`, whose name is that of the entry point."""

    @property
    def options_model(self) -> type[BaseModel]:
        """Model of its options. They are part of types, and so of the log: no secrets."""
        ...

    def prepare(self, options: Any, assets: AssetLibrary) -> PreparedRenderer:
        """Read and check template, fonts and options; see `Renderer.prepare`."""
        ...


class RendererPlugin(Protocol):
    """Named by entry points of ``testamur.rendering``; called without arguments."""

    @property
    def options_model(self) -> type[BaseModel]:
        """Model of its options."""
        ...

    def __call__(self) -> UnnamedRenderer:
        """Return the renderer."""
        ...
