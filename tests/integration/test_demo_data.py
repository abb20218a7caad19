"""The demonstration's data: written again it is the same, and it holds what its README promises."""

import csv
import json
import subprocess
import sys
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
import pytest
from PIL import Image, ImageChops

from examples.demo_sources.make_template import LANDSCAPE_BLANKS, PORTRAIT_BLANKS, TEMPLATES
from testamur.adapters.files import FileRetrievalSource
from testamur.adapters.pdf.options import PdfOptions, TextElement
from testamur.application.options import parse_criteria
from testamur.application.ports.retrieval import Needs
from testamur.domain.contexts import parse_context_key
from testamur.domain.credential_types import TypeDefinition
from testamur.domain.criteria import merged_options
from testamur.domain.eligibility import Inquiry, Verdict, judge
from testamur.domain.identifiers import parse_slug
from testamur.domain.schedules import Schedule

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "examples" / "demo"
DATA = DEMO / "data"
EXPECTED = json.loads((DEMO / "expected.json").read_text(encoding="utf-8"))
CONFIGURATIONS = tomllib.loads((DEMO / "configurations.toml").read_text(encoding="utf-8"))[
    "configurations"
]
TEMPLATE_FILES = sorted((DEMO / "templates").glob("*.pdf"))


def table(name: str) -> list[dict[str, str]]:
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def definition(slug: str) -> TypeDefinition:
    text = (DEMO / "types" / f"{slug}.toml").read_text(encoding="utf-8")
    return TypeDefinition.model_validate(tomllib.loads(text))


def options(configuration: dict[str, Any]) -> dict[str, Any]:
    return merged_options(
        definition(configuration["type"]).options, configuration.get("options", {})
    )


def verdicts(configuration: dict[str, Any], source: FileRetrievalSource) -> Iterator[Verdict]:
    key = parse_context_key(configuration["context"])
    criteria = parse_criteria(
        definition(configuration["type"]).criteria, options(configuration)["criteria"], key
    )
    inquiry = Inquiry(criteria, source.facts(key), source.name, datetime(2026, 7, 1, tzinfo=UTC))
    for page in source.records(key, Needs()):
        yield from (judge(record, inquiry) for record in page)


@pytest.fixture(scope="module")
def source() -> Iterator[FileRetrievalSource]:
    with FileRetrievalSource(DATA) as opened:
        yield opened


# Tables


def test_written_again_every_file_has_the_same_bytes(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "examples.demo_sources.make_data", str(tmp_path)],
        cwd=ROOT,
        check=True,
    )

    written = {file.relative_to(tmp_path) for file in tmp_path.rglob("*") if file.is_file()}
    committed = {file.relative_to(DEMO) for file in [*DATA.iterdir(), DEMO / "expected.json"]}
    assert written == committed
    for file in committed:
        assert (tmp_path / file).read_bytes() == (DEMO / file).read_bytes(), file


def test_nothing_is_wrong_with_any_table(source: FileRetrievalSource) -> None:
    report = source.check()

    assert report.problems == ()
    assert report.complete
    assert report.counts["learners"] == 1200
    assert len(report.counts) == 9


def test_the_tables_together_stay_below_a_megabyte() -> None:
    assert sum(file.stat().st_size for file in DATA.iterdir()) < 1_000_000


def test_every_address_is_one_for_examples() -> None:
    for learner in table("learners"):
        assert learner["email"] in {"", f"{learner['learner_id']}@learners.example.org"}


# Expected numbers


@pytest.mark.parametrize("number", range(len(CONFIGURATIONS)))
def test_the_expected_numbers_are_those_that_the_learners_verdicts_give(
    number: int, source: FileRetrievalSource
) -> None:
    expected = EXPECTED["configurations"][number]

    found = Counter(each.eligible for each in verdicts(CONFIGURATIONS[number], source))

    assert expected["context"] == CONFIGURATIONS[number]["context"]
    assert found.total() == expected["evaluated"]
    assert found[True] == expected["eligible"]
    assert found[False] == expected["not_eligible"]


def test_there_are_enough_certificates_to_see_something_and_not_too_many_to_wait_for() -> None:
    eligible = sum(each["eligible"] for each in EXPECTED["configurations"])
    refused = {
        learner: reason
        for each in EXPECTED["configurations"]
        for learner, reason in each["refused"].items()
    }

    assert 1200 <= eligible <= 1500
    assert refused == {"u1000001": "no-name", "u1000002": "missing-glyph"}


# Special cases

SPECIAL = {what: learner for learner, what in EXPECTED["special_cases"].items()}
RESEARCH_DATA = "course-v1:ExampleU+DATA201+2026"
STATISTICS = "course-v1:ExampleU+STAT101+2026"
PYTHON = "course-v1:ExampleU+PY101+2026"
PATHWAY = "path-v1:ExampleU+DATASCI+2026+A"


@pytest.mark.parametrize(
    ("context", "cases"),
    [
        (
            RESEARCH_DATA,
            [
                "completion exactly 0.9: eligible",
                "completion 0.899: not eligible",
                "completion 0.8999999999: not eligible",
                "no completion recorded: not eligible",
                "unenrolled with everything reached: not eligible",
            ],
        ),
        (
            STATISTICS,
            [
                "total exactly 0.55: eligible",
                "one point below a total of 0.55: not eligible",
                "half a point below in the homework: not eligible",
                "every category reached, the total not: not eligible",
                "the total reached, a category not: not eligible",
                "no exam: not eligible",
                "an exam worth no points: not eligible",
                "categories in another case: eligible",
                "a category without a weight counts for nothing: eligible",
                "a category without a weight helps nobody: not eligible",
            ],
        ),
        (
            PYTHON,
            [
                "completion and total exactly as required: eligible",
                "all points, completion short of it: not eligible",
                "all points, no completion recorded: not eligible",
                "completed, no points recorded: not eligible",
            ],
        ),
        (
            PATHWAY,
            [
                "pathway, every step exactly as required: eligible",
                "pathway, one step short of it: not eligible",
                "pathway, one course not taken: not eligible",
                "pathway, one course left: not eligible",
                "all courses completed, pathway left: not eligible for it",
            ],
        ),
    ],
)
def test_a_borderline_result_is_judged_as_it_says(
    context: str, cases: list[str], source: FileRetrievalSource
) -> None:
    configuration = next(each for each in CONFIGURATIONS if each["context"] == context)

    eligible = {each.learner_id: each.eligible for each in verdicts(configuration, source)}

    assert {case: eligible[SPECIAL[case]] for case in cases} == {
        case: case.endswith(": eligible") for case in cases
    }


def test_the_unusual_names_are_there_and_as_unusual_as_promised() -> None:
    names = {row["learner_id"]: row["full_name"] for row in table("learners")}
    special = [names[learner] for learner in EXPECTED["special_cases"]]

    assert names[SPECIAL["no name: refused"]] == ""
    assert "\U0001f393" in names[SPECIAL["a character that no font has: refused"]]
    assert max(map(len, special)) > 70
    assert any(not unicodedata.is_normalized("NFC", name) for name in special)
    for part in ("{nb}", "}}", "{{", "’", "'", "-", "\u200c", "\U00020bb7"):
        assert any(part in name for name in special), part
    assert any(
        {"L", "AL"} <= {unicodedata.bidirectional(letter) for letter in name} for name in special
    )


def test_every_script_has_at_least_forty_names() -> None:
    scripts: Counter[str] = Counter()
    for learner in table("learners"):
        words = {unicodedata.name(letter).split()[0] for letter in learner["full_name"]}
        scripts.update(words)
    languages = Counter(learner["language"] for learner in table("learners"))

    for script in (
        *("LATIN", "CYRILLIC", "GREEK", "ARABIC", "HEBREW", "DEVANAGARI", "THAI"),
        *("CJK", "HIRAGANA", "HANGUL"),
    ):
        assert scripts[script] >= (40 if script != "HIRAGANA" else 10), script
    for language in ("ar", "el", "he", "hi", "ja", "ko", "th", "uk", "vi", "zh"):
        assert languages[language] >= 40, language


def test_some_accounts_are_inactive_and_some_learners_have_left() -> None:
    inactive = [row for row in table("learners") if row["active"] == "false"]
    left = [row for row in table("enrolments") if row["active"] == "false"]
    addressless = [row for row in table("learners") if not row["email"]]

    assert 0.02 < len(inactive) / 1200 < 0.05
    assert len(left) > 40
    assert addressless


def test_a_course_has_a_certificate_name_of_two_lines(source: FileRetrievalSource) -> None:
    name = source.facts(parse_context_key(RESEARCH_DATA)).shown_name

    assert name.split("\n") == ["Research Data Management:", "From Plan to Archive"]


# Types and configurations


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_a_configuration_is_one_that_the_product_accepts(configuration: dict[str, Any]) -> None:
    rendering = PdfOptions.model_validate(options(configuration)["rendering"])
    Schedule.model_validate(configuration["schedule"])
    fonts = tomllib.loads((DEMO / "fonts.toml").read_text(encoding="utf-8"))["fonts"]

    texts = [each for each in rendering.drawn.values() if isinstance(each, TextElement)]
    named = {*rendering.fonts, *rendering.font_for_language.values()}
    named |= {text.font for text in texts if text.font is not None}
    assert parse_slug(configuration["type"]) == configuration["type"]
    assert named <= {font["slug"] for font in fonts}
    assert (DEMO / "templates" / f"{rendering.template}.pdf").is_file()


def test_every_font_lies_where_it_is_said_to() -> None:
    for font in tomllib.loads((DEMO / "fonts.toml").read_text(encoding="utf-8"))["fonts"]:
        parse_slug(font["slug"])
        assert files(font["package"]).joinpath(font["file"]).is_file(), font


# Templates


@cache
def drawn_again(name: str) -> bytes:
    return bytes(TEMPLATES[name]().output())


def drawn(content: bytes | Path, scale: float) -> Image.Image:
    document = pypdfium2.PdfDocument(content)
    try:
        image: Image.Image = document[0].render(scale=scale).to_pil().convert("RGB")
        return image
    finally:
        document.close()


@pytest.mark.parametrize("file", TEMPLATE_FILES, ids=lambda file: file.stem)
def test_a_template_drawn_again_looks_the_same(file: Path) -> None:
    again = drawn_again(file.stem)

    assert ImageChops.difference(drawn(again, 1), drawn(file, 1)).getbbox() is None


def test_a_template_drawn_twice_has_the_same_bytes() -> None:
    assert bytes(TEMPLATES["diploma"]().output()) == drawn_again("diploma")


@pytest.mark.parametrize("file", TEMPLATE_FILES, ids=lambda file: file.stem)
def test_a_template_is_one_a4_page_with_its_fonts_inside(file: Path) -> None:
    assert file.stat().st_size < 150_000
    with pikepdf.open(file) as pdf:
        (page,) = pdf.pages
        sides = sorted(round(float(side) / 72 * 25.4) for side in page.mediabox[2:])
        fonts = [font.DescendantFonts[0] for font in page.resources.Font.values()]
        assert sides == [210, 297]
        assert fonts
        assert all("/FontFile2" in font.FontDescriptor for font in fonts)


@pytest.mark.parametrize("file", TEMPLATE_FILES, ids=lambda file: file.stem)
def test_the_areas_for_what_differs_are_blank(file: Path) -> None:
    scale = 2.0
    image = drawn(file, scale).convert("L")
    blanks = LANDSCAPE_BLANKS if image.width > image.height else PORTRAIT_BLANKS

    for name, (x, y, width, height) in blanks.items():
        left, top, right, bottom = (
            round(side * scale * 72 / 25.4) for side in (x, y, x + width, y + height)
        )
        darkest = min(image.crop((left, top, right, bottom)).tobytes())
        assert darkest > 225, name  # the tint behind the text is 238 and lighter
