"""Versions: what decides, beside options and assets, the bytes of a document."""

import zlib
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from typing import Final

import fpdf
import pikepdf
import PIL

#: Changes whenever the same options, assets and document give another look.
VERSION: Final = "pdf/2"


@cache
def template_versions() -> Mapping[str, str]:
    """Return the versions of all that checks, cleans and compiles templates, by its name.

    Testamur's own is among them, since a later release may refuse or take out more.
    """
    return {
        "renderer": VERSION,
        "testamur": version("testamur"),
        "pikepdf": pikepdf.__version__,
        "qpdf": pikepdf.__libqpdf_version__,
        "zlib": zlib.ZLIB_RUNTIME_VERSION,
        "fpdf2": fpdf.__version__,
        "pillow": PIL.__version__,
    }
