"""Importing from the platform when something is first used, and saying why that fails."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Final

from testamur.adapters.open_edx_python.errors import (
    NotInsideThePlatform,
    PlatformChanged,
    PlatformFailed,
    PlatformPluginMissing,
)
from testamur.domain.errors import TestamurError

# By name: where Django is not there, they cannot be imported from it.
_NOT_SET_UP: Final = frozenset({"ImproperlyConfigured", "AppRegistryNotReady"})


def load(place: str, plugins: Mapping[str, str]) -> Any:
    """Return what is at ``module:name``, importing the module if that was not done yet.

    Args:
        place: Where it is.
        plugins: Import name of each plugin that may be missing, and what cannot be answered then.

    Raises:
        NotInsideThePlatform: There is no such package, or Django is not set up.
        PlatformPluginMissing: It is of a plugin that is not installed.
        PlatformChanged: The package is there, and this is not in it.
    """
    module, _, name = place.partition(":")
    try:
        return getattr(import_module(module), name)
    except AttributeError as error:
        raise PlatformChanged(place, str(error)) from error
    except Exception as error:
        raise _explained(place, error, plugins) from error


@contextmanager
def asking(what: str) -> Iterator[None]:
    """Turn whatever the platform raises into an error of ours.

    Args:
        what: What is asked for, as a phrase that follows "give".

    Raises:
        PlatformFailed: The platform raised an error.
        NotInsideThePlatform: It did so because Django is not set up.
    """
    try:
        yield
    except TestamurError:
        raise
    except Exception as error:
        if type(error).__name__ in _NOT_SET_UP:
            raise _not_set_up(error) from error
        raise PlatformFailed(what, error) from error


def _explained(place: str, error: Exception, plugins: Mapping[str, str]) -> TestamurError:
    package = place.partition(":")[0].partition(".")[0]
    is_missing = isinstance(error, ModuleNotFoundError) and error.name == package
    # Django raises a bare RuntimeError for a model whose app is not among the INSTALLED_APPS.
    if package in plugins and (is_missing or type(error) is RuntimeError):
        return PlatformPluginMissing(package, plugins[package])
    if is_missing:
        return NotInsideThePlatform(f"there is no package {package}")
    if type(error).__name__ in _NOT_SET_UP:
        return _not_set_up(error)
    return PlatformChanged(place, f"it cannot be imported ({type(error).__name__})")


def _not_set_up(error: Exception) -> NotInsideThePlatform:
    return NotInsideThePlatform(f"Django is not set up ({type(error).__name__})")
