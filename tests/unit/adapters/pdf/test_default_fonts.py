"""Fonts that come with Testamur: what they are, and what is said where one is missing."""

from collections.abc import Callable, Iterator
from importlib.machinery import ModuleSpec
from importlib.metadata import files
from importlib.util import find_spec

import pytest
import uharfbuzz as hb

from testamur.adapters.pdf import default_fonts
from testamur.adapters.pdf.default_fonts import (
    BUNDLED,
    BundledFont,
    WithBundledFonts,
    default_weight,
    for_language,
    installed,
    listed,
    remedy,
)
from testamur.application.errors import RenderingError
from testamur.domain.errors import NotFound
from testamur.domain.identifiers import Slug
from tests.support.pdf import MemoryAssets

#: A word in each script, with what is special to it: marks, conjuncts, tones.
WORDS = {
    "Latn": "Nguyễn Łódź",
    "Grek": "Ἀθήνα",
    "Cyrl": "Її Ўұ",
    "Arab": "فاطمة گچپژ",
    "Hebr": "שָׁלוֹם",
    "Deva": "क्षत्रिय",
    "Thai": "กัญญารัตน์",
    "Armn": "Արմեն",
    "Beng": "রবীন্দ্রনাথ",
    "Ethi": "አበበ",
    "Geor": "გიორგი",
    "Gujr": "ગુજરાતી",
    "Guru": "ਪੰਜਾਬੀ",
    "Knda": "ಕನ್ನಡ",
    "Khmr": "ភាសាខ្មែរ",
    "Laoo": "ລາວ",
    "Mlym": "മലയാളം",
    "Mymr": "မြန်မာ",
    "Orya": "ଓଡ଼ିଆ",
    "Sinh": "සිංහල",
    "Taml": "தமிழ்",
    "Telu": "తెలుగు",
    "Hani": "山水",
    "Bopo": "ㄅㄆ",
    "Hira": "さとう",
    "Kana": "サトウ",
    "Hang": "김민준",
}


@pytest.fixture
def without() -> Iterator[Callable[[str], None]]:
    """Makes the packages whose names begin so as good as not installed."""
    patch = pytest.MonkeyPatch()

    def forget() -> None:
        for kept in (installed, default_fonts._file, default_fonts._content, default_fonts._sha256):
            kept.cache_clear()

    def hide(beginning: str) -> None:
        def found(name: str) -> ModuleSpec | None:
            return None if name.startswith(beginning) else find_spec(name)

        patch.setattr(default_fonts, "find_spec", found)
        forget()

    yield hide
    patch.undo()
    forget()


@pytest.mark.parametrize("font", BUNDLED, ids=lambda font: font.name)
def test_each_font_has_what_it_is_there_for(font: BundledFont) -> None:
    content = WithBundledFonts(MemoryAssets()).content(Slug(font.reference))

    has = hb.Face(hb.Blob(content)).unicodes
    for script in font.scripts:
        lacking = [character for character in WORDS[script] if ord(character) not in has]
        assert lacking == [], script


@pytest.mark.parametrize("package", sorted({font.package.replace("_", "-") for font in BUNDLED}))
def test_each_package_brings_the_open_font_license_along(package: str) -> None:
    licences = [file for file in files(package) or () if file.name.startswith("LICENSE")]

    assert any("SIL OPEN FONT LICENSE" in file.read_text().upper() for file in licences)


def test_assets_are_found_beside_the_fonts_and_never_in_their_place() -> None:
    library = WithBundledFonts(MemoryAssets({"noto-sans": b"own"}))

    assert library.content(Slug("noto-sans")) == b"own"
    assert library.content(Slug("bundled:noto-sans")) != b"own"
    assert library.sha256(Slug("noto-sans")) != library.sha256(Slug("bundled:noto-sans"))
    with pytest.raises(NotFound):
        library.content(Slug("diploma"))


@pytest.mark.parametrize(
    ("language", "reference"),
    [
        ("ja", "bundled:noto-sans-jp"),
        ("ko-KR", "bundled:noto-sans-kr"),
        ("zh", "bundled:noto-sans-sc"),
        ("zh_CN", "bundled:noto-sans-sc"),
        ("zh-Hans-HK", "bundled:noto-sans-sc"),
        ("zh-Hant-TW", "bundled:noto-sans-tc"),
        ("zh-TW", "bundled:noto-sans-tc"),
        ("yue", "bundled:noto-sans-tc"),
        ("pl", None),
    ],
)
def test_languages_that_share_characters_have_a_font_of_their_own(
    language: str, reference: str | None
) -> None:
    assert for_language(language) == reference


def test_fonts_of_an_extra_that_is_not_installed_are_left_out(
    without: Callable[[str], None],
) -> None:
    without("pylopdf_fonts_jp")

    assert "bundled:noto-sans-jp" not in installed()
    assert "bundled:noto-sans-kr" in installed()
    assert for_language("ja") is None


def test_naming_a_font_that_is_not_installed_is_refused_with_what_to_install(
    without: Callable[[str], None],
) -> None:
    without("manimgx")

    with pytest.raises(RenderingError, match=r"bundled:noto-sans-tamil.*testamur\[fonts-more\]"):
        WithBundledFonts(MemoryAssets()).content(Slug("bundled:noto-sans-tamil"))


def test_a_character_without_a_font_is_answered_with_the_extra_that_brings_one(
    without: Callable[[str], None],
) -> None:
    without("pylopdf_fonts_")

    advice = remedy("王", ["bundled:noto-sans"])

    assert advice.startswith("install testamur[cjk], which brings one, or add a font")
    assert "default_fonts = true" in remedy("王", ["own"])


def test_a_character_that_comes_along_is_answered_with_the_option_that_uses_it() -> None:
    assert remedy("א", ["own"]).startswith("set default_fonts = true, or add a font")


@pytest.mark.parametrize("character", ["😀", "ཀ"])
def test_a_character_that_no_bundled_font_has_is_answered_with_adding_one(character: str) -> None:
    assert remedy(character, ["bundled:noto-sans"]) == (
        "add a font that has it to the option fonts"
    )


def test_an_error_lists_the_bundled_fonts_in_a_few_words() -> None:
    assert listed(["own", "bundled:noto-sans", "bundled:noto-sans-thai", "own"]) == (
        "own, the fonts that come with Testamur"
    )


def test_bundled_fonts_are_regular_unless_asked_otherwise_and_others_as_they_are() -> None:
    assert default_weight("bundled:noto-sans-hebrew") == 400
    assert default_weight("own") is None
