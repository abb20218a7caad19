"""Testamur issues learning credentials and can prove years later what it issued, to whom and why.

The names here are the public ones. Each is loaded when it is first used, so that importing the
domain alone loads no adapter (PEP 562).
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    __version__: str

#: Public name -> the module that defines it. Type checkers read the imports under TYPE_CHECKING,
#: so a name stands in both places, and in `__all__`.
_PUBLIC: dict[str, str] = {}

__all__ = ["__version__"]

if not TYPE_CHECKING:  # hidden from type checkers, which would otherwise accept any name

    def __getattr__(name: str) -> object:
        if name == "__version__":
            value = version("testamur")
        elif name in _PUBLIC:
            value = getattr(import_module(_PUBLIC[name]), name)
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted(__all__)
