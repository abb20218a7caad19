"""Golden pages: one for each script and each option, as small as shows the point."""

from collections.abc import Callable, Mapping
from functools import cache, partial
from io import BytesIO
from typing import Any, Final

from fpdf import FPDF
from pikepdf import Array, Pdf
from PIL import Image, ImageDraw

from testamur.adapters.pdf import PreparedPdf
from tests.support.golden import SCALE
from tests.support.pdf import (
    A4_LANDSCAPE,
    FONTS,
    a_document,
    changed,
    picture_of,
    prepared,
    template,
)

#: Options and document fields by page; `size` is of the page, in points.
Wanted = Mapping[str, Any]

LINE: Final = (300.0, 50.0)
BLOCK: Final = (300.0, 110.0)
#: For pages that are not about fonts: each font that is read takes its time.
FEW_FONTS: Final = ("noto-sans", "noto-sans-arabic")
FONT_FOR_LANGUAGE: Final = {"ja": "noto-sans-jp", "ko": "noto-sans-kr", "zh": "noto-sans-sc"}
NOTHING: Final = {"name": False, "context": False, "date": False}

#: A name in each script, all drawn with the same fonts in the same order.
NAMES: Final = {
    "polish": ("pl", "Zażółć Gęślą Jaźń"),
    "turkish": ("tr", "İsmail Çağrı Öğüş"),
    "icelandic": ("is", "Þórður Guðmundsson"),
    "vietnamese": ("vi", "Nguyễn Thị Hồng Đào"),
    "vietnamese-decomposed": ("vi", "Nguye\u0302\u0303n Thi\u0323 Ho\u0302\u0300ng Đa\u0300o"),
    "stacked-marks": ("en", "Z\u0323\u0302\u0301 q\u0307\u0323 x\u0331\u0308"),
    "ligatures-and-kerning": ("en", "AVATAR To Wo fi ffl Ty"),
    "greek": ("el", "Ἑλένη Παπαδοπούλου ΐ"),
    "cyrillic": ("ru", "Жанна Ёлкина Щ"),
    "serbian": ("sr", "Ђорђе Љубић бгдпт"),
    "ukrainian": ("uk", "Їжак Ґалаґан Єва"),
    "arabic": ("ar", "فاطمة عبد الله الأحمد"),
    "arabic-vowels": ("ar", "مُحَمَّدٌ لَا شَيْخ"),
    "persian": ("fa", "پگاه می\u200cخواهم گچپژ"),
    "urdu": ("ur", "ٹھاکر ڈار ہے"),
    "hebrew": ("he", "משה כהן-לוי ץ"),
    "hebrew-points": ("he", "מֹשֶׁה בְּרֵאשִׁית"),
    "devanagari": ("hi", "श्रीमती लक्ष्मी क्षत्रिय"),
    "devanagari-marks": ("mr", "र्‍य कृष्णाँ हिंदूर्ती"),
    "thai": ("th", "สมชาย ปู่ น้ำใจ ญู"),
    "chinese": ("zh", "王小明骨直令"),
    "japanese": ("ja", "山田がぱ骨直令"),
    "korean": ("ko", "김민준 骨直令"),
    "hangul-letters": ("ko", "\u1112\u1161\u11ab\u1100\u1173\u11af"),
    "arabic-in-latin": ("en", "Ada محمد (علي) 12"),
    "latin-in-arabic": ("ar", "محمد Ada (12) علي"),
    "hebrew-digits": ("he", "דוד 3/4 (אבג) 2026"),
    "many-scripts": ("en", "Ada Ж Ω 王 김 न ส א م"),
}

#: Other name of the same width, from which one mark or dot is missing, by golden page.
MARKS_LEFT_OUT: Final = {
    "polish": "Zazółć Gęślą Jaźń",
    "turkish": "Ismail Çağrı Öğüş",
    "vietnamese": "Nguyễn Thi Hồng Đào",
    "stacked-marks": "Z\u0323\u0302\u0301 q\u0307 x\u0331\u0308",
    "greek": "Ἑλένη Παπαδοπουλου ΐ",
    "cyrillic": "Жанна Елкина Щ",
    "arabic": "فاطمة عٮد الله الأحمد",
    "arabic-vowels": "مُحَمَّدٌ لَا شَيخ",
    "hebrew-points": "מֹשֶׁה בְרֵאשִׁית",
    "devanagari-marks": "र्‍य कृष्णाँ हिदूर्ती",
    "thai": "สมชาย ปู น้ำใจ ญู",
    "japanese": "山田かぱ骨直令",
}


def name_page(name: str, language: str) -> Image.Image:
    """Draw a name in a line."""
    return _drawn(_line(name, language))


def _line(name: str, language: str) -> Wanted:
    return {
        "fonts": FONTS,
        "elements": {"only": _text("{name}")},
        "full_name": name,
        "locale": language,
    }


def _text(text: str = "{name}", **options: Any) -> dict[str, Any]:
    return {"text": text, "x": 10, "y": 33, "size": 24, **options}


def _aligned(align: str, name: str, **options: Any) -> Wanted:
    return {
        "size": LINE,
        "guide": 150,
        "elements": {"only": _text(x=150, align=align, **options)},
        "full_name": name,
    }


def _wrapped(text: str, **options: Any) -> Wanted:
    options = {"size": 18, "x": 150, "y": 25, "align": "center", "width": 200, **options}
    return {"size": BLOCK, "guide": 150, "elements": {"only": _text(text, wrap=True, **options)}}


def _turned(rotate: int, width: float, height: float) -> Wanted:
    return {"page": {"MediaBox": (0, 0, width, height), "Rotate": rotate}, **_CORNERS}


#: Something near each edge of a page of 300 by 110 points.
_CORNERS: Final[Wanted] = {
    "size": BLOCK,
    "elements": {
        "left": _text("Ada", y=30),
        "right": _text("محمد", x=290, y=100, align="right"),
        "code": {"qr": "{verify_id}", "x": 230, "y": 10, "size": 50},
        "seal": {"image": "seal", "x": 10, "y": 60, "width": 40},
    },
}

OPTIONS: Final[Mapping[str, Wanted]] = {
    "standard-elements": {
        "size": A4_LANDSCAPE,
        "scale": 0.5,
        "elements": {"name": {}, "context": {}, "date": {}},
    },
    **{f"align-{each}": _aligned(each, "Ada Lovelace") for each in ("left", "center", "right")},
    **{f"align-arabic-{each}": _aligned(each, "محمد علي") for each in ("left", "center", "right")},
    "direction-rtl": _aligned("center", "Ada (12)!", direction="rtl"),
    "direction-ltr": _aligned("center", "محمد (12)!", direction="ltr"),
    "spacing": _aligned("center", "Ada fi é", character_spacing=6),
    "spacing-negative": _aligned("center", "Ada Lovelace", character_spacing=-2),
    "spacing-arabic": _aligned("center", "محمد علي", character_spacing=6),
    "spacing-thai": {
        **_aligned("center", "ปู่ น้ำใจ", character_spacing=6),
        "fonts": ("noto-sans-thai",),
    },
    "upper-case": _aligned("center", "Straße ﬁx éßĳ", upper_case=True),
    "upper-case-turkish": {**_aligned("center", "Işık iğne", upper_case=True), "locale": "tr"},
    "upper-case-greek": {**_aligned("center", "Ελένη ΐ ς", upper_case=True), "locale": "el"},
    "shrunk": _aligned("center", "Wolfeschlegelsteinhausen Maximilian", width=200, min_size=8),
    "shrunk-arabic": _aligned("center", "عبد الرحمن عبد العزيز", width=120, min_size=8),
    "wrapped": _wrapped("Analytical engines for very well-educated people"),
    "wrapped-left": _wrapped("One two three four five six seven", align="left", width=130),
    "wrapped-arabic": _wrapped("فاطمة بنت عبد الله بن محمد الأحمد القرشي", width=150),
    "wrapped-chinese": {
        **_wrapped("王小明学习分析机器，很好。（骨）", width=130),
        "fonts": ("noto-sans-sc",),
    },
    "wrapped-and-shrunk": _wrapped(
        "Analytical engines for people of every age", max_lines=2, width=110, min_size=6
    ),
    "line-height": _wrapped("One two three four", width=100, line_height=1.7),
    "line-breaks": {**_wrapped("{context_name}"), "context_name": "Algebra\nand محمد\nGeometry"},
    "weights": {
        "size": BLOCK,
        "elements": {
            f"w{weight}": _text("Hamburg Żółć", y=26 * row + 22, size=20, weight=weight)
            for row, weight in enumerate((100, 400, 700, 900))
        },
    },
    "weights-arabic": {
        "size": BLOCK,
        "elements": {
            f"w{weight}": _text("محمد", y=40 * row + 30, weight=weight, font="noto-sans-arabic")
            for row, weight in enumerate((100, 900))
        },
    },
    "colors": {
        "size": BLOCK,
        "elements": {
            f"c{color}": _text("Ada محمد", y=24 * row + 22, size=20, color=f"#{color}")
            for row, color in enumerate(("ff0000", "00ff00", "0000ff", "c0c0c0"))
        },
    },
    "fonts": {
        "size": BLOCK,
        "elements": {
            "a": _text("Agft 12", y=30, font="open-sans"),
            "b": _text("Agft 12", y=65, font="noto-sans-jp"),
            "c": _text("Agft 12", y=100),
        },
    },
    "values-of-both-directions": {
        **_aligned("center", "محمد"),
        "elements": {"only": _text("{name}, 12: {issue_date}", size=14)},
    },
    "date-polish": {"elements": {"only": _text("{issue_date}")}, "locale": "pl"},
    "date-arabic": {"elements": {"only": _text("{issue_date}")}, "locale": "ar"},
    "date-hindi": {
        "fonts": ("noto-sans", "noto-sans-devanagari"),
        "elements": {"only": _text("{issue_date}")},
        "locale": "hi",
    },
    "date-japanese": {
        "fonts": ("noto-sans-jp",),
        "elements": {"only": _text("{issue_date}", date_format="full", size=20)},
        "locale": "ja",
    },
    "braces": {"elements": {"only": _text("{{{name}}} {no}")}, "full_name": "{nb} \\(x"},
    "images": {
        "size": BLOCK,
        "elements": {
            "seal": {"image": "seal", "x": 10, "y": 10, "width": 80},
            "photo": {"image": "photo", "x": 110, "y": 10, "height": 60},
            "fitted": {"image": "seal", "x": 220, "y": 5, "width": 60, "height": 100},
            "over": _text("Over it", x=40, y=60),
        },
    },
    "code": {
        "size": BLOCK,
        "elements": {
            "code": {"qr": "{verify_url}", "x": 10, "y": 10, "size": 90},
            "small": {"qr": "{verify_id}", "x": 150, "y": 20, "size": 63, "color": "#404080"},
        },
    },
    "turned-90": _turned(90, 110, 300),
    "turned-180": _turned(180, 300, 110),
    "turned-270": _turned(270, 110, 300),
    "cropped": {
        "page": {"MediaBox": (0, 0, 500, 400), "CropBox": (100, 200, 400, 310)},
        **_CORNERS,
    },
    "cropped-and-turned": {
        "page": {"MediaBox": (-50, -20, 200, 400), "CropBox": (10, 30, 120, 330), "Rotate": 90},
        **_CORNERS,
    },
    "box-elsewhere": {"page": {"MediaBox": (-100, 50, 200, 160)}, **_CORNERS},
    "multiline-template-for-one": {"multiline": True, "context_name": "Algebra"},
    "multiline-template-for-two": {"multiline": True, "context_name": "Algebra\nGeometry"},
}


def _drawn(wanted: Wanted) -> Image.Image:
    """Draw a page.

    Args:
        wanted: `size` of the page, `guide`: place of a line to align with, `page`: boxes and turn,
            `multiline`: whether there is a second template; `fonts`; `elements`; pixels for each
            point as `scale`; all else is the document's.
    """
    fields = dict(wanted)
    scale = fields.pop("scale", SCALE)
    size, guide = fields.pop("size", LINE), fields.pop("guide", None)
    page = tuple(sorted(fields.pop("page", {}).items()))
    elements = fields.pop("elements", {"only": _text("{context_name}", size=18, y=20)})
    fonts = fields.pop("fonts", FEW_FONTS)
    multiline = fields.pop("multiline", False)
    renderer = _renderer(size, guide, page, multiline, fonts, _Frozen(elements))
    return picture_of(renderer.render(a_document(**fields)).content, scale=scale)


class _Frozen(dict[str, Any]):
    """Options that can be a key."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(repr(self))


@cache
def _renderer(
    size: tuple[float, float],
    guide: float | None,
    page: tuple[tuple[str, Any], ...],
    multiline: bool,
    fonts: tuple[str, ...],
    elements: _Frozen,
) -> PreparedPdf:
    made = template(size, partial(_guides, guide=guide))
    contents = {
        "made": changed(made, partial(_set_page, entries=page)),
        "tall": template(size, _bars),
        "seal": _seal(),
        "photo": _photo(),
    }
    return prepared(
        contents,
        template="made",
        multiline_template="tall" if multiline else None,
        fonts=fonts,
        font_for_language=FONT_FOR_LANGUAGE if fonts == FONTS else {},
        elements={**NOTHING, **elements},
    )


def _guides(pdf: FPDF, guide: float | None) -> None:
    pdf.set_draw_color(210)
    pdf.set_line_width(0.5)
    pdf.rect(2, 2, pdf.w - 4, pdf.h - 4)
    if guide is not None:
        pdf.line(guide, 2, guide, pdf.h - 2)


def _bars(pdf: FPDF) -> None:
    pdf.set_fill_color(200)
    for x in range(0, 300, 30):
        pdf.rect(x, 0, 15, 6, style="F")


def _set_page(pdf: Pdf, entries: tuple[tuple[str, Any], ...]) -> None:
    for key, value in entries:
        pdf.pages[0].obj[f"/{key}"] = Array(value) if isinstance(value, tuple) else value


def _seal() -> bytes:
    """A transparent PNG."""
    image = Image.new("RGBA", (80, 60), "#00000000")
    pen = ImageDraw.Draw(image)
    pen.ellipse((4, 4, 56, 56), fill="#20408080", outline="#204080", width=4)
    pen.rectangle((60, 20, 76, 40), fill="#a02020")
    return _file(image, "PNG")


def _photo() -> bytes:
    """A JPEG."""
    image = Image.new("RGB", (60, 60))
    image.putdata([(4 * x, 4 * y, 120) for y in range(60) for x in range(60)])
    return _file(image, "JPEG")


def _file(image: Image.Image, kind: str) -> bytes:
    file = BytesIO()
    image.save(file, kind)
    return file.getvalue()


PAGES: Final[Mapping[str, Callable[[], Image.Image]]] = {
    **{
        name: partial(name_page, full_name, language)
        for name, (language, full_name) in NAMES.items()
    },
    **{name: partial(_drawn, wanted) for name, wanted in OPTIONS.items()},
}
"""What draws each golden image, by its name."""
