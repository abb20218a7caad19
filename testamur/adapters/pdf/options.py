"""Options of the PDF certificate: the template, the fonts, and what is drawn where."""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WrapValidator,
    field_validator,
    model_validator,
)

from testamur.adapters.pdf import default_fonts
from testamur.adapters.pdf.conformance import Conformance
from testamur.adapters.pdf.dates import check_date_format
from testamur.adapters.pdf.finishing_options import Protection, SignatureOptions
from testamur.domain.errors import InvalidInput
from testamur.domain.identifiers import Slug, parse_slug

#: What the elements that every certificate has say where an option is left out.
STANDARD_ELEMENTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "name": {"text": "{name}", "x": "50%", "y": "45%", "align": "center", "size": 32},
    "context": {"text": "{context_name}", "x": "50%", "y": "58%", "align": "center", "size": 28},
    "date": {"text": "{issue_date}", "x": "50%", "y": "70%", "align": "center", "size": 12},
}

#: A text may shrink to this part of its size where `min_size` is left out.
SMALLEST_PART: Final = 0.5

_POINTS: Final = {"": 1.0, "pt": 1.0, "mm": 72 / 25.4, "cm": 72 / 2.54, "in": 72.0}
_LENGTH: Final = re.compile(r"(\d{1,6}(?:\.\d{1,4})?) ?(pt|mm|cm|in|%)?")
_FONT: Final = re.compile(r"([^#]+?)(?:#(\d{1,2}))?")


def in_points(length: float | str, whole: float) -> float:
    """Return a length in points.

    Args:
        length: Points as a number, or a number with its unit: ``105mm``, ``50%``.
        whole: What 100 % is, in points: the page's width or height.
    """
    if isinstance(length, str):
        found = _LENGTH.fullmatch(length)
        if found is None:
            raise ValueError(f"{length!r} is no length")
        number, unit = float(found[1]), found[2] or ""
        return number * whole / 100 if unit == "%" else number * _POINTS[unit]
    return float(length)


def font_parts(reference: str) -> tuple[Slug, int]:
    """Return the asset that a font option names, and which font of a collection it is."""
    found = _FONT.fullmatch(reference)
    if found is None:
        raise ValueError(f"{reference!r} names no font")
    return Slug(found[1]), int(found[2] or 0)


def _checked_slug(text: str) -> str:
    try:
        return parse_slug(text)
    except InvalidInput as error:
        raise ValueError(f"allowed: the slug of an asset, {error.allowed}") from None


def _checked_font(text: str) -> str:
    if default_fonts.is_bundled(text):
        default_fonts.check_reference(text)
        return text
    found = _FONT.fullmatch(text)
    if found is None:
        raise ValueError("allowed: the slug of a font, or for a collection slug#number from 0")
    _checked_slug(found[1])
    return text


def _checked_length(length: float | str) -> float | str:
    if isinstance(length, str) and not _LENGTH.fullmatch(length):
        raise ValueError("allowed: points as a number, or a number with pt, mm, cm, in or %")
    if isinstance(length, float) and not 0 <= length < 1_000_000:
        raise ValueError("allowed: 0 to 999999 points")
    return length


def _checked_date_format(text: str) -> str:
    check_date_format(text)
    return text


def _checked_language(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", text):
        raise ValueError("allowed: language tags such as ja, zh, zh-Hant or pt-BR")
    return text.lower()


AssetSlug = Annotated[Slug, AfterValidator(_checked_slug)]
FontReference = Annotated[str, AfterValidator(_checked_font)]
Length = Annotated[float | str, AfterValidator(_checked_length)]
Color = Annotated[str, Field(pattern=r"^#[0-9A-Fa-f]{6}$")]
DateFormat = Annotated[str, AfterValidator(_checked_date_format)]
LanguageTag = Annotated[str, AfterValidator(_checked_language)]
ElementName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]


class _Options(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class TextElement(_Options):
    """Text on the page.

    Args:
        text: What it says, with placeholders.
        x: Where the text begins, has its middle or ends (see `align`), from the left edge.
        y: Baseline of the first line, from the top edge.
        width: The most room that it takes; without it, the room up to the page's edges.
        align: What of the text stands at `x`; on the page, whatever the script's direction.
        font: Its font; without it, the first of `fonts`.
        weight: Weight of a variable font, e.g. 700 for bold; without it, the font's own.
        size: Points.
        min_size: Points down to which it shrinks to fit; without it, half of `size`.
        color: ``#rrggbb``.
        character_spacing: Points added between characters.
        upper_case: Whether it is drawn in capital letters.
        line_height: From baseline to baseline, in sizes.
        wrap: Whether it is broken into lines where it is too wide.
        max_lines: The most lines; without it, as many as the page has room for.
        direction: Of the lines; ``auto`` goes by the first letter.
        date_format: ``short``, ``medium``, ``long``, ``full``, or a Unicode date pattern.
        language: Its language; without it, the document's. Decides how dates are written, which
            fonts come first, and the forms and capitals of letters.
    """

    text: str = Field(min_length=1, max_length=2000)
    x: Length
    y: Length
    width: Length | None = None
    align: Literal["left", "center", "right"] = "left"
    font: FontReference | None = None
    weight: int | None = Field(default=None, ge=1, le=1000)
    size: float = Field(default=12, ge=1, le=1000)
    min_size: float | None = Field(default=None, ge=1, le=1000)
    color: Color = "#000000"
    character_spacing: float = Field(default=0, ge=-100, le=100)
    upper_case: bool = False
    line_height: float = Field(default=1.2, gt=0, le=10)
    wrap: bool = False
    max_lines: int | None = Field(default=None, ge=1, le=100)
    direction: Literal["auto", "ltr", "rtl"] = "auto"
    date_format: DateFormat = "long"
    language: LanguageTag | None = None

    @model_validator(mode="after")
    def _shrinks_and_does_not_grow(self) -> Self:
        if self.min_size is not None and self.min_size > self.size:
            raise ValueError(f"min_size {self.min_size:g} must not be more than size {self.size:g}")
        return self

    @property
    def smallest_size(self) -> float:
        """Points down to which the text may shrink."""
        return self.size * SMALLEST_PART if self.min_size is None else self.min_size


class ImageElement(_Options):
    """An image on the page: a logo, a signature, a seal. It lies under all texts and codes.

    Args:
        image: Slug of a PNG or JPEG asset.
        x: Left edge, from the page's left edge.
        y: Top edge, from the page's top edge.
        width: Without it, it follows from the height and the image's proportions.
        height: Likewise; with both, the image is fitted into the middle of that box.
    """

    image: AssetSlug
    x: Length
    y: Length
    width: Length | None = None
    height: Length | None = None

    @model_validator(mode="after")
    def _has_a_size(self) -> Self:
        if self.width is None and self.height is None:
            raise ValueError("width or height is needed, or both")
        return self


class QrElement(_Options):
    """A QR code, drawn as vectors.

    Args:
        qr: What it says, with placeholders.
        x: Left edge of the dark square, from the page's left edge.
        y: Top edge of the dark square, from the page's top edge.
        size: Side of the dark square. Scanners need a bright margin of an eighth of it all around.
        color: ``#rrggbb``, dark on a bright ground.
    """

    qr: str = Field(default="{verify_url}", min_length=1, max_length=1000)
    x: Length
    y: Length
    size: Length
    color: Color = "#000000"


Element = TextElement | ImageElement | QrElement

_KINDS: Final[Mapping[str, type[Element]]] = {"image": ImageElement, "qr": QrElement}


def _read_element(value: Any, _: Callable[[Any], Any]) -> Element | Literal[False]:
    # The kind follows from the options present, so that an error names the option as it was
    # written: a union's own errors name each kind that it tried.
    if value is False or isinstance(value, TextElement | ImageElement | QrElement):
        return value
    if not isinstance(value, Mapping):
        raise ValueError("allowed: an element's options, or false to leave a standard one out")
    kind = next((kind for key, kind in _KINDS.items() if key in value), TextElement)
    return kind.model_validate(value)


def _with_standard_elements(elements: Any) -> Any:
    if not isinstance(elements, Mapping):
        return elements
    merged = dict(elements)
    for name, standard in STANDARD_ELEMENTS.items():
        given = merged.get(name, {})
        merged[name] = {**standard, **given} if isinstance(given, Mapping) else given
    return merged


def _only_standard_ones_left_out(
    elements: dict[str, Element | Literal[False]],
) -> dict[str, Element | Literal[False]]:
    for name, element in elements.items():
        if element is False and name not in STANDARD_ELEMENTS:
            raise ValueError(
                f"{name!r} is false; only {', '.join(STANDARD_ELEMENTS)} are there to be left out"
            )
    return elements


Elements = Annotated[
    dict[
        ElementName,
        Annotated[Element | Literal[False], WrapValidator(_read_element)],
    ],
    Field(validate_default=True),
    BeforeValidator(_with_standard_elements),
    AfterValidator(_only_standard_ones_left_out),
]


Relationship = Literal["Source", "Data", "Alternative", "Supplement", "Unspecified"]
"""What an attached file is to the document (ISO 19005-3, annex E)."""


class AttachedFile(_Options):
    """A file that travels inside each document: a syllabus, a description of what was learned.

    Args:
        asset: Slug of its asset.
        filename: Under which readers list and save it.
        media_type: For example ``application/json``; without it, it follows from the filename.
        description: What it is, for people.
        relationship: What it is to the document.
    """

    asset: AssetSlug
    filename: str = Field(pattern=r"^[^/\\\x00-\x1f\x7f]{1,200}$")
    media_type: str | None = Field(default=None, pattern=r"^[a-z]+/[a-z0-9][a-z0-9.+-]{0,100}$")
    description: str | None = Field(default=None, min_length=1, max_length=500)
    relationship: Relationship = "Supplement"


class PdfOptions(_Options):
    """Options of the renderer ``pdf``.

    Args:
        template: Slug of the PDF asset that everything is drawn over.
        multiline_template: Slug of the PDF asset used instead where the context's name has more
            than one line.
        page: Page of the template that is drawn on, counted from 1; all pages are kept.
        fonts: Fonts in the order in which they are tried for a character; without any, those that
            come with Testamur. ``slug#1`` is the second font of a collection.
        default_fonts: Whether the fonts that come with Testamur are tried after `fonts`.
        font_for_language: Font tried first, after the element's own, in documents of a language.
            Chinese, Japanese and Korean share characters that each draws its own way.
        elements: What is drawn, by name. ``name``, ``context`` and ``date`` are always there
            unless they are false; what is given for them is merged over their defaults.
        reading_text: What the template itself says, for those who cannot see it.
        reading_text_language: Its language; without it, the document's.
        attachments: Files that travel inside each document.
        conformance: What documents keep to: PDF/A and PDF/UA, or nothing beyond PDF itself.
        signature: How documents are signed; by default they are not.
        protection: Whether documents are encrypted and not to be changed; true, or what their
            readers may do. PDF/A does not allow it.
    """

    template: AssetSlug
    multiline_template: AssetSlug | None = None
    page: int = Field(default=1, ge=1)
    fonts: tuple[FontReference, ...] = ()
    default_fonts: bool = False
    font_for_language: dict[LanguageTag, FontReference] = Field(default_factory=dict)
    elements: Elements = Field(default_factory=dict)
    reading_text: str | None = Field(default=None, min_length=1, max_length=10_000)
    reading_text_language: LanguageTag | None = None
    attachments: tuple[AttachedFile, ...] = Field(default=(), max_length=20)
    conformance: Conformance = "pdf/a"
    signature: SignatureOptions | None = None
    protection: Protection = False

    @field_validator("reading_text_language")
    @classmethod
    def _of_a_text(cls, language: str | None, others: ValidationInfo) -> str | None:
        if language is not None and others.data.get("reading_text", "") is None:
            raise ValueError("allowed: none, or reading_text beside it")
        return language

    @field_validator("attachments")
    @classmethod
    def _attached_under_one_name_each(
        cls, attachments: tuple[AttachedFile, ...]
    ) -> tuple[AttachedFile, ...]:
        names = [each.filename for each in attachments]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"several have the filename {min(twice)!r}; allowed: one of each")
        return attachments

    @field_validator("protection")
    @classmethod
    def _not_with_pdf_a(cls, protection: Protection, others: ValidationInfo) -> Protection:
        if protection and others.data.get("conformance") == "pdf/a":  # ISO 19005-2, 6.1.3
            raise ValueError(
                'allowed: false, or conformance = "none" with it: PDF/A forbids encryption'
            )
        return protection

    @property
    def bundled_fonts(self) -> tuple[str, ...]:
        """The fonts that come with Testamur which are tried after `fonts`."""
        return default_fonts.installed() if self.default_fonts or not self.fonts else ()

    @property
    def drawn(self) -> dict[str, Element]:
        """The elements that are drawn, by name: the standard ones, then others by their names.

        The order in which options were written down must not change a document.
        """
        others = sorted(self.elements.keys() - STANDARD_ELEMENTS.keys())
        elements = {name: self.elements[name] for name in (*STANDARD_ELEMENTS, *others)}
        return {name: element for name, element in elements.items() if element is not False}
