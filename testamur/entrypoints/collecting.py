"""Collecting garbage: what a program has loaded stays until its end, and need not be gone over."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


def spare_what_is_loaded() -> None:
    """Keep the modules, fonts and settings that are loaded by now out of collections to come.

    Python's collector goes over all objects now and then while many are made. About a million of
    them belong to the program itself: awarding 20,000 learners took a sixth more time for those.
    It is for programs of our own, not for whoever embeds the library: garbage that there is by now
    stays, too (https://docs.python.org/3/library/gc.html#gc.freeze).
    """
    gc.freeze()


@contextmanager
def no_collections() -> Iterator[None]:
    """Collect no garbage while the context lasts: hardly any is made while modules are loaded."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
