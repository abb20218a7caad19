"""Fonts that come with Testamur, in Python packages, and which of them draws what.

Options name them ``bundled:NAME``. All are under the SIL Open Font License 1.1, whose text the
packages bring along.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from testamur.adapters.pdf.characters import script_of
from testamur.adapters.pdf.languages import looked_up
from testamur.application.errors import RenderingError
from testamur.application.ports.rendering import AssetLibrary
from testamur.domain.identifiers import Slug

#: Begins every reference to a bundled font; no asset's slug can begin so.
PREFIX: Final = "bundled:"

#: The weight that a bundled font is drawn in where an element asks for none: some of the files are
#: thin by themselves.
REGULAR: Final = 400

#: Extras of the package `testamur` that bring more fonts.
CJK: Final = "cjk"
MORE: Final = "fonts-more"


@dataclass(frozen=True, slots=True)
class BundledFont:
    """A font in a Python package.

    Args:
        name: What references call it after `PREFIX`.
        package: Name under which the package that has it is imported.
        file: Where in that package.
        scripts: ISO 15924 codes of the scripts that it is there for.
        extra: The extra of `testamur` that brings it; None for what is always there.
        by_name: Whether it is drawn with only where options name it.
    """

    name: str
    package: str
    file: str
    scripts: frozenset[str]
    extra: str | None = None
    by_name: bool = False

    @property
    def reference(self) -> str:
        """What options call it."""
        return PREFIX + self.name


def _always(family: str, package: str, file: str, *scripts: str) -> BundledFont:
    return BundledFont(f"noto-sans{family}", package, file, frozenset(scripts))


def _more(family: str, script: str) -> BundledFont:
    name, file = f"noto-sans-{family.lower()}", f"NotoSans{family}[wght].ttf"
    return BundledFont(name, "manimgx_fonts", file, frozenset({script}), MORE)


def _cjk(region: str, country: str, *scripts: str) -> BundledFont:
    name, file = f"noto-sans-{region.lower()}", f"NotoSans{region}-Regular.otf"
    return BundledFont(name, f"pylopdf_fonts_{country}", file, frozenset({"Hani", *scripts}), CJK)


def _by_name(name: str, package: str, file: str) -> BundledFont:
    return BundledFont(name, package, file, frozenset({"Latn", "Grek", "Cyrl"}), by_name=True)


#: In the order in which they are tried. A Chinese font comes before the Japanese and Korean ones:
#: with the most ideographs, it draws a name of an unknown language in one style.
BUNDLED: Final = (
    _always("", "fontpkg_noto_sans", "files/NotoSans[wdth,wght].ttf", "Latn", "Grek", "Cyrl"),
    _always("-arabic", "fontpkg_noto_sans_arabic", "files/NotoSansArabic[wdth,wght].ttf", "Arab"),
    _always("-hebrew", "pylopdf_fonts_he", "NotoSansHebrew-Variable.ttf", "Hebr"),
    _always(
        "-devanagari",
        "fontpkg_noto_sans_devanagari",
        "files/NotoSansDevanagari[wdth,wght].ttf",
        "Deva",
    ),
    _always("-thai", "fontpkg_noto_sans_thai", "files/NotoSansThai[wdth,wght].ttf", "Thai"),
    _more("Armenian", "Armn"),
    _more("Bengali", "Beng"),
    _more("Ethiopic", "Ethi"),
    _more("Georgian", "Geor"),
    _more("Gujarati", "Gujr"),
    _more("Gurmukhi", "Guru"),
    _more("Kannada", "Knda"),
    _more("Khmer", "Khmr"),
    _more("Lao", "Laoo"),
    _more("Malayalam", "Mlym"),
    _more("Myanmar", "Mymr"),
    _more("Oriya", "Orya"),
    _more("Sinhala", "Sinh"),
    _more("Tamil", "Taml"),
    _more("Telugu", "Telu"),
    _cjk("SC", "zh_cn"),
    _cjk("TC", "zh_tw", "Bopo"),
    _cjk("JP", "jp", "Kana"),
    _cjk("KR", "ko", "Hang"),
    _by_name("noto-sans-italic", "fontpkg_noto_sans", "files/NotoSans-Italic[wdth,wght].ttf"),
    _by_name("eb-garamond", "fontpkg_eb_garamond", "files/EBGaramond[wght].ttf"),
    _by_name("eb-garamond-italic", "fontpkg_eb_garamond", "files/EBGaramond-Italic[wght].ttf"),
)

_BY_REFERENCE: Final = {font.reference: font for font in BUNDLED}

#: Chinese, Japanese and Korean share characters that each draws its own way.
_BY_LANGUAGE: Final = {
    "ja": "noto-sans-jp",
    "ko": "noto-sans-kr",
    "zh": "noto-sans-sc",
    **dict.fromkeys(("zh-hant", "zh-tw", "zh-hk", "zh-mo", "yue"), "noto-sans-tc"),
    "yue-hans": "noto-sans-sc",
}


class WithBundledFonts:
    """An asset library that has the bundled fonts too, under their references.

    Args:
        assets: What all other content comes from.
    """

    def __init__(self, assets: AssetLibrary) -> None:
        self._assets = assets

    def content(self, slug: Slug) -> bytes:
        """Return an asset's or a bundled font's content.

        Raises:
            NotFound, StorageError: As `AssetLibrary.content`.
            RenderingError: The bundled font is not installed; reason ``bad-font``.
        """
        return _content(slug) if is_bundled(slug) else self._assets.content(slug)

    def sha256(self, slug: Slug) -> str:
        """Return the hash of an asset's or a bundled font's content.

        Raises:
            NotFound: As `AssetLibrary.sha256`.
            RenderingError: The bundled font is not installed; reason ``bad-font``.
        """
        return _sha256(slug) if is_bundled(slug) else self._assets.sha256(slug)


def hashes(references: Iterable[str]) -> dict[Slug, str]:
    """Return the SHA-256 of each bundled font, which an upgrade of its package may change."""
    return {Slug(reference): _sha256(reference) for reference in references}


def is_bundled(reference: str) -> bool:
    """Return whether a font option means a bundled font."""
    return reference.startswith(PREFIX)


def check_reference(reference: str) -> None:
    """Refuse a reference to a bundled font that there is not.

    Raises:
        ValueError: With those that there are.
    """
    if reference not in _BY_REFERENCE:
        raise ValueError(f"allowed: the slug of a font, or one of {', '.join(_BY_REFERENCE)}")


@cache
def installed() -> tuple[str, ...]:
    """Return references to the bundled fonts that are installed and tried without being named."""
    fonts = (font for font in BUNDLED if not font.by_name)
    return tuple(font.reference for font in fonts if find_spec(font.package) is not None)


def default_weight(reference: str) -> int | None:
    """Return the weight that a font is drawn in where none is asked for; None is its own."""
    return REGULAR if is_bundled(reference) else None


def for_language(language: str) -> str | None:
    """Return the installed font that comes before others in a language, or None.

    Args:
        language: BCP 47 tag.
    """
    name = looked_up(language, _BY_LANGUAGE)
    reference = f"{PREFIX}{name}"
    return reference if reference in installed() else None


def remedy(character: str, tried: Iterable[str]) -> str:
    """Return what to do about a character that no font has.

    Args:
        character: The character.
        tried: What the fonts are called that lack it.
    """
    script = script_of(character)
    fonts = [font for font in BUNDLED if script in font.scripts and not font.by_name]
    bundled_tried = any(map(is_bundled, tried))
    ways = ["add a font that has it to the option fonts"]
    if any(font.reference not in installed() for font in fonts):
        way = f"install testamur[{fonts[0].extra}], which brings one"
        ways.insert(0, way if bundled_tried else f"{way}, and set default_fonts = true")
    elif fonts and not bundled_tried:
        ways.insert(0, "set default_fonts = true")
    return ", or ".join(ways)


def listed(references: Iterable[str]) -> str:
    """Return fonts' names as an error lists them, the bundled ones in a few words."""
    names = list(dict.fromkeys(references))
    own = [name for name in names if not is_bundled(name)]
    bundled = ["the fonts that come with Testamur"] if len(own) < len(names) else []
    return ", ".join(own + bundled)


@cache
def _file(reference: str) -> Path:
    font = _BY_REFERENCE[reference]
    found = find_spec(font.package)
    if found is None or found.origin is None:
        wanted = "testamur" if font.extra is None else f"testamur[{font.extra}]"
        raise RenderingError(
            "bad-font",
            f"font {reference!r} cannot be used: it is not installed; install {wanted}",
        )
    return Path(found.origin).parent / font.file


@cache
def _content(reference: str) -> bytes:
    file = _file(reference)
    try:
        return file.read_bytes()
    except OSError as error:
        raise RenderingError(
            "bad-font", f"font {reference!r} cannot be used: {file} cannot be read: {error}"
        ) from error


@cache
def _sha256(reference: str) -> str:
    return hashlib.sha256(_content(reference)).hexdigest()
