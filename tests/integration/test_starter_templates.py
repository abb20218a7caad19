"""The starter templates: drawn again they are the same, and every name finds its place on them."""

import tomllib
from collections import Counter
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from examples.starter_templates.make_templates import FOLDER, FORMATS, STYLES, templates
from testamur.adapters.pdf import PreparedPdf
from testamur.adapters.pdf.options import PdfOptions, QrElement, TextElement, in_points
from testamur.domain.credential_types import TypeDefinition
from tests.support.pdf import a_document, picture_of, prepared, text_of

TYPES = sorted((FOLDER.parent / "types").glob("*.toml"))
FILES = sorted(FOLDER.glob("*.pdf"))

LONG_COURSE = (
    "Introduction to Research Data Management for Doctoral Candidates in the Natural Sciences"
)
NAMES = {
    "en": ("Jo Ng", "Ethics"),
    "es": ("María de los Ángeles Fernández de Córdoba y Álvarez de Toledo-Osorio", LONG_COURSE),
    "pl": ("Żaneta Brzęczyszczykiewicz", "Wstęp do\nstatystyki"),
    "ar": ("فاطمة الزهراء بنت محمد", "مقدمة في علم البيانات"),
    "he": ("נועה בן־דוד", "מבוא למדעי הנתונים"),
    "hi": ("अनन्या श्रीवास्तव", "डेटा विज्ञान का परिचय"),
    "th": ("กัญญารัตน์ ศรีสุวรรณ", "วิทยาศาสตร์ข้อมูลเบื้องต้น"),
    "ja": ("佐藤 さくら", "データサイエンス入門"),
}


def definition(file: Path) -> TypeDefinition:
    return TypeDefinition.model_validate(tomllib.loads(file.read_text("utf-8")))


def rendering(file: Path, paper: str = "") -> dict[str, Any]:
    options = definition(file).options["rendering"]
    assert isinstance(options, dict)
    return {"fonts": [], **options, "template": f"{options['template']}{paper}"}


@cache
def ready(file: Path, paper: str = "") -> PreparedPdf:
    contents = {each.stem: each.read_bytes() for each in FILES}
    return prepared(contents, **rendering(file, paper))


def test_drawn_again_every_template_has_the_same_bytes() -> None:
    drawn = dict(templates())

    assert set(drawn) == {file.stem for file in FILES}
    for file in FILES:
        assert drawn[file.stem] == file.read_bytes(), file.name


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_template_is_small_and_has_no_words_fonts_images_or_transparency(file: Path) -> None:
    assert file.stat().st_size < 60_000
    assert text_of(file.read_bytes()) == ""
    with pikepdf.open(file) as pdf:
        (page,) = pdf.pages
        resources = page.Resources
        operators = {str(each.operator) for each in pikepdf.parse_content_stream(page)}
        states = resources.get("/ExtGState", pikepdf.Dictionary()).values()
        assert not {"/Font", "/XObject", "/Shading", "/ColorSpace"} & set(resources.keys())
        assert not {"k", "K", "cs", "CS", "sh", "Do", "BI"} & operators
        assert not {key for state in states for key in state} & {"/SMask", "/ca", "/CA"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_template_has_the_size_of_its_paper(file: Path) -> None:
    style, _, page = file.stem.partition("-")
    with pikepdf.open(file) as pdf:
        _, _, width, height = (float(each) for each in pdf.pages[0].MediaBox)

    assert style in STYLES
    assert (width, height) == pytest.approx([side * 72 / 25.4 for side in FORMATS[page]], abs=0.01)


def test_each_design_has_a_type_for_each_way_of_holding_the_page() -> None:
    assert [file.stem for file in TYPES] == sorted(
        f"{style}-{page}" for style in STYLES for page in ("landscape", "portrait")
    )
    for file in TYPES:
        assert definition(file).renderer == "pdf"
        assert rendering(file)["template"] == file.stem


@pytest.mark.parametrize("paper", ["", "-letter"])
@pytest.mark.parametrize("file", TYPES, ids=lambda file: file.stem)
def test_names_of_every_script_and_length_are_drawn(file: Path, paper: str) -> None:
    for language, (name, course) in NAMES.items():
        document = a_document(full_name=name, context_name=course, locale=language)
        content = ready(file, paper).render(document).content
        text = text_of(content)
        assert not Counter("".join(name.split())) - Counter(text), name
        assert "March 12, 2026" in text
        assert "Example Academy" in text or "EXAMPLE ACADEMY" in text


@pytest.mark.parametrize("paper", ["", "-letter"])
@pytest.mark.parametrize("file", TYPES, ids=lambda file: file.stem)
def test_the_page_is_bright_around_the_code_and_blank_behind_the_date(
    file: Path, paper: str
) -> None:
    options = PdfOptions.model_validate(rendering(file, paper))
    page = picture_of((FOLDER / f"{options.template}.pdf").read_bytes(), scale=1.0)
    code, date = options.drawn["verification-code"], options.drawn["date"]
    assert isinstance(code, QrElement)
    assert isinstance(date, TextElement)

    side = in_points(code.size, page.width)
    left, top = in_points(code.x, page.width), in_points(code.y, page.height)
    margin = side / 8
    around = (left - margin, top - margin, left + side + margin, top + side + margin)
    baseline, middle = in_points(date.y, page.height), in_points(date.x, page.width)
    behind = (middle - 30, baseline - 12, middle + 30, baseline + 4)

    for area in (around, behind):
        (_, colour), *others = page.crop(area).getcolors() or []
        assert others == []
        assert isinstance(colour, int)
        assert colour > 240


@pytest.mark.parametrize("file", TYPES, ids=lambda file: file.stem)
def test_the_same_certificate_has_the_same_bytes(file: Path) -> None:
    document = a_document(full_name="Ada Łukasiewicz")

    once, again = (ready(file).render(document).content for _ in range(2))

    assert once == again
    with pikepdf.open(BytesIO(once)) as pdf:
        assert len(pdf.pages) == 1
