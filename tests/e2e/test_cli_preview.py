"""From the command line: what certificates will look like, before anything is issued."""

import shutil
import sys
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from tests.support.pdf import font_file, text_of
from tests.support.plugins import Installer
from tests.support.program import Program
from tests.support.records import COURSE

pytestmark = pytest.mark.e2e

ANN = ("--name", "Ann Example")

#: A renderer of lines of text, which knows no places.
LINES = '''
import hashlib

from pydantic import BaseModel

from testamur.application.ports.rendering import RenderedFile


class Options(BaseModel):
    """None.

    Args:
        heading: The first line.
    """

    heading: str = "Certificate"


class Prepared:
    digest = "0"

    def check(self, document):
        pass

    def render(self, document):
        content = document.full_name.encode()
        return RenderedFile(content, hashlib.sha256(content).hexdigest(), "text/plain", ".txt")


class Renderer:
    options_model = Options

    def prepare(self, options, assets):
        return Prepared()
'''


@pytest.fixture
def testamur(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Program:
    """An installation with a configuration whose fonts have Latin, Greek and Cyrillic letters."""
    program = Program(tmp_path, monkeypatch, capsys)
    program.write_course(eligible=["Ann Example"])
    program.configure()
    return program


def files_in(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir() if not file.name.startswith("."))


def test_samples_are_written_and_summed_up_and_nothing_is_recorded(testamur: Program) -> None:
    before = testamur.json("history", "configuration", "completion", COURSE)
    lines = testamur.succeeds("preview", "completion", COURSE).out.splitlines()
    assert lines[0] == f"Previewed completion for {COURSE}; nothing was issued."
    rows = {line.split()[0]: line for line in lines[3:20]}
    assert rows["pl"].split("  ")[-1].strip() == "fine"
    assert "Jędrzej Dąbrowski" in rows["pl"]
    assert "refused: missing-glyph" in rows["th"]
    assert "shrunk: name to " in rows["pt-BR-long"]
    (reason,) = [line for line in lines[20:] if line.startswith("ko ")]
    assert "HANGUL SYLLABLE" in reason
    written = files_in(testamur.folder / "preview")
    assert "completion-pl.pdf" in written
    assert "completion-th.pdf" not in written
    assert lines[-1].strip() == "preview/completion-*.pdf"
    assert testamur.json("history", "configuration", "completion", COURSE) == before
    assert testamur.succeeds("credential", "list", "--json").documents == []


def test_one_name_is_shown_as_its_certificate_will_be(testamur: Program) -> None:
    shown = testamur.succeeds("preview", "completion", COURSE, *ANN, "--language", "pl").out
    assert "Where it is:\n  preview/completion-pl.pdf\n" in shown
    text = text_of((testamur.folder / "preview/completion-pl.pdf").read_bytes())
    assert "Ann Example" in text
    assert "Mathematics" in text
    assert "SAMPLE" in text


def test_the_cache_in_the_data_folder_may_be_deleted_at_any_time(testamur: Program) -> None:
    cache = testamur.folder / "testamur-data" / "cache"
    for _ in range(2):
        testamur.succeeds("preview", "completion", COURSE, *ANN)
        assert len(files_in(cache / "templates")) == 1
        shutil.rmtree(cache)


def test_a_name_that_would_be_refused_fails(testamur: Program) -> None:
    refused = testamur("preview", "completion", COURSE, "--name", "สมชาย")
    assert refused.code == 1
    assert "refused: missing-glyph" in refused.out
    assert refused.err == "error: no certificate could be made\n"
    assert not (testamur.folder / "preview").exists()


def test_in_json_everything_is_told(testamur: Program) -> None:
    document = testamur.json("preview", "completion", COURSE, *ANN, "--output", "look")
    assert document == {
        "folder": "look",
        "previews": [
            {
                "sample": "en",
                "name": "Ann Example",
                "language": "en",
                "result": "fine",
                "refused": None,
                "shrunk": [],
                "warnings": [],
                "files": ["look/completion-en.pdf"],
            }
        ],
    }


def test_pictures_are_written_in_place_of_documents(testamur: Program) -> None:
    testamur.succeeds("preview", "completion", COURSE, *ANN)
    testamur.succeeds("preview", "completion", COURSE, *ANN, "--png", "--dpi", "72", "--guides")
    assert files_in(testamur.folder / "preview") == ["completion-en.png"]
    picture = (testamur.folder / "preview/completion-en.png").read_bytes()
    with Image.open(BytesIO(picture)) as image:
        assert image.size == (842, 595)


def test_pictures_without_what_makes_them_are_refused_before_anything_is_written(
    testamur: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pypdfium2", None)
    refused = testamur("preview", "completion", COURSE, *ANN, "--png")
    assert (refused.code, refused.out) == (1, "")
    assert "install testamur[preview]" in refused.err
    assert not (testamur.folder / "preview").exists()


def test_options_are_tried_before_they_are_saved(testamur: Program) -> None:
    tried = ("--set", "rendering.elements.date=false", "--set", "rendering.elements.name.size=20")
    testamur.succeeds("preview", "completion", COURSE, *ANN, *tried, "--guides")
    text = text_of((testamur.folder / "preview/completion-en.pdf").read_bytes())
    assert "20 pt" in text
    assert "date" not in text
    refused = testamur("preview", "completion", COURSE, "--set", "rendering.elements.name.y=9999")
    assert refused.code == 2
    assert refused.err.startswith("error: elements.name.y: 9999")
    assert testamur.json("configuration", "show", "completion", COURSE)["options"] == {}


def test_a_type_is_shown_before_it_is_configured_anywhere(testamur: Program) -> None:
    shown = testamur.succeeds("preview", "completion", "--language", "el").out
    assert shown.startswith("Previewed completion; nothing was issued.")
    text = text_of((testamur.folder / "preview/completion-el.pdf").read_bytes())
    assert "Introduction to Data Science" in text
    testamur.succeeds("preview", "completion", *ANN, "--context-name", "Algebra")
    assert "Algebra" in text_of((testamur.folder / "preview/completion-en.pdf").read_bytes())


def test_without_a_data_source_an_invented_name_stands_for_the_course(testamur: Program) -> None:
    testamur.write("testamur.toml", "")
    shown = testamur.succeeds("preview", "completion", COURSE, *ANN).out
    assert "an invented name stands for that of the course" in shown
    shown = testamur.succeeds(
        "preview", "completion", COURSE, *ANN, "--context-name", "Algebra"
    ).out
    assert "To look at" not in shown


def test_fonts_for_more_scripts_are_all_that_it_takes(testamur: Program) -> None:
    (testamur.folder / "thai.ttf").write_bytes(font_file("noto-sans-thai"))
    testamur.succeeds("asset", "add", "thai", "thai.ttf")
    fonts = 'rendering.fonts=["noto-sans", "thai"]'
    document = testamur.json("preview", "completion", COURSE, "--language", "th", "--set", fonts)
    assert [each["result"] for each in document["previews"]] == ["fine"]


# Files


def test_earlier_previews_are_replaced_and_outdated_ones_removed(testamur: Program) -> None:
    testamur.succeeds("preview", "completion", COURSE)
    before = files_in(testamur.folder / "preview")
    large = ("--set", "rendering.elements.name.size=60")
    rigid = ("--set", "rendering.elements.name.min_size=60")
    testamur.succeeds("preview", "completion", COURSE, *large, *rigid)
    gone = set(before) - set(files_in(testamur.folder / "preview"))
    assert gone == {"completion-pt-BR-long.pdf"}


def test_a_file_of_somebody_else_is_left_alone(testamur: Program) -> None:
    (testamur.folder / "mine").mkdir()
    testamur.write("mine/completion-en.pdf", "my own work")
    refused = testamur("preview", "completion", COURSE, *ANN, "--output", "mine")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith("error: --output: 'mine/completion-en.pdf' is not allowed")
    assert (testamur.folder / "mine/completion-en.pdf").read_text() == "my own work"
    assert files_in(testamur.folder / "mine") == ["completion-en.pdf"]


@pytest.mark.parametrize("damage", [b"../../victim.pdf\n", b"\xff\xfe"])
def test_a_list_of_files_that_was_tampered_with_does_no_harm(
    testamur: Program, damage: bytes
) -> None:
    folder = testamur.folder / "preview"
    folder.mkdir()
    (folder / ".testamur-preview").write_bytes(damage)
    victim = testamur.write("completion-en.pdf", "my own work")
    code = testamur("preview", "completion", COURSE, *ANN).code
    assert code == (2 if damage == b"\xff\xfe" else 0)
    assert victim.read_text() == "my own work"


def test_a_folder_that_cannot_be_made_is_refused(testamur: Program) -> None:
    testamur.write("taken", "")
    refused = testamur("preview", "completion", COURSE, *ANN, "--output", "taken/preview")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith("error: --output: 'taken/preview' is not allowed")


def test_a_language_never_leads_out_of_the_folder(testamur: Program) -> None:
    date = "rendering.elements.date=false"
    shown = testamur.json(
        "preview", "completion", COURSE, *ANN, "--language", "../../x", "--set", date
    )
    assert shown["previews"][0]["files"] == ["preview/completion-x.pdf"]


# What is not allowed


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["degree"], "no credential type 'degree'"),
        (["completion", "course-v1:Uni+Physics+2026"], "no configuration"),
        (["completion", "--dpi", "72"], "--dpi is of pictures"),
        (["completion", "--png", "--dpi", "20"], "'--dpi'"),
        (["completion", "--set", "rendering.colour=red"], "options: rendering.colour"),
    ],
)
def test_what_cannot_be_shown_is_told_in_one_line(
    testamur: Program, arguments: list[str], said: str
) -> None:
    refused = testamur("preview", *arguments)
    assert (refused.code, refused.out) == (2, "")
    assert said in refused.err
    assert len(refused.err.splitlines()) == 1


def test_a_renderer_that_makes_no_pdf_is_shown_without_guides_and_pictures(
    testamur: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installer = Installer(tmp_path / "site", monkeypatch)
    installer.install(
        "lines-of-text",
        {"testamur.rendering": {"lines": "preview_lines_of_text:Renderer"}},
        {"preview_lines_of_text": LINES},
    )
    definition = (testamur.folder / "type.toml").read_text()
    definition = 'renderer = "lines"\n' + definition.partition("[options.rendering]")[0]
    testamur.write("lines.toml", definition)
    testamur.succeeds("type", "define", "lines", "--file", "lines.toml")
    shown = testamur.succeeds("preview", "lines", *ANN).out
    assert "not marked as such" in shown
    assert (testamur.folder / "preview/lines-en.txt").read_text() == "Ann Example"
    for option in ("--guides", "--png"):
        refused = testamur("preview", "lines", *ANN, option)
        assert (refused.code, refused.out) == (2, "")
        assert "none for the renderer 'lines'" in refused.err
