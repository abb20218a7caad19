"""The doctor: tries every part that an installation is wired to, and says how to mend it."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from testamur.domain.errors import InvalidOptions, TestamurError
from testamur.entrypoints.doctor.findings import Finding
from testamur.entrypoints.doctor.installation import check_installation
from testamur.entrypoints.doctor.parts import check_parts

if TYPE_CHECKING:
    from testamur.entrypoints.settings import LoadedSettings

__all__ = ["Finding", "examine"]


def examine(load: "Callable[[], LoadedSettings]") -> Iterator[Finding]:
    """Check everything, one part after the other; a part that fails keeps none from being tried.

    Args:
        load: Reads the settings.

    Yields:
        What each check found, as soon as it is known.
    """
    try:
        loaded = load()
    except TestamurError as error:
        problems = error.problems if isinstance(error, InvalidOptions) else [error]
        for problem in problems:
            yield Finding("settings", False, str(problem), "mend the setting and check again")
        return
    yield from check_parts(loaded)
    yield from check_installation(loaded.settings)
