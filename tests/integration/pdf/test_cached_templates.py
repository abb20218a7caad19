"""Cached templates: the same documents with and without a cache, by any number of processes."""

import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import pytest
from fpdf import FPDF
from pikepdf import Array, Pdf
from PIL import Image

from testamur.adapters.pdf import PdfRenderer
from tests.support.pdf import a_document, changed, prepared, template

PROCESSES: Final = 3
ROOT: Final = Path(__file__).parents[3]

#: Prepares a renderer, and writes what it makes; its arguments are the template and the cache.
PROGRAM: Final = """
import sys
from pathlib import Path
from testamur.adapters.pdf import PdfRenderer
from tests.support.pdf import a_document, prepared

designed, folder = map(Path, sys.argv[1:])
print("ready", flush=True)
sys.stdin.readline()
renderer = PdfRenderer(template_cache=folder)
made = prepared({"blank": designed.read_bytes()}, renderer)
print(made.digest, made.render(a_document()).sha256)
"""


def picture(kind: str, mode: str) -> bytes:
    file = BytesIO()
    Image.linear_gradient("L").resize((60, 40)).convert(mode).save(file, kind)
    return file.getvalue()


def linked(pdf: FPDF) -> None:
    pdf.link(10, 10, 50, 20, "https://example.org/")


def turned(pdf: Pdf) -> None:
    for page in pdf.pages:
        page.obj.Rotate = 90
        page.obj.CropBox = Array([20, 30, 500, 580])


SEAL = {"image": "seal", "x": "10%", "y": 20, "width": 60}
PHOTOGRAPH = {"image": "photograph", "x": 300, "y": 20, "width": 90, "height": 90}

CASES: Final[Mapping[str, Mapping[str, Any]]] = {
    "plain": {},
    "without PDF/A": {"conformance": "none"},
    "images": {"elements": {"seal": SEAL, "photograph": PHOTOGRAPH}},
    "images without PDF/A": {"elements": {"seal": SEAL}, "conformance": "none"},
    "turned": {"template": "turned", "elements": {"name": {"x": 200, "y": 200}, "seal": SEAL}},
    "second page": {"template": "pages", "page": 2},
    "web links": {"template": "links"},
    "two templates": {"multiline_template": "pages"},
}


@cache  # a template that is saved again is another file
def contents() -> dict[str, bytes]:
    return {
        "seal": picture("PNG", "RGBA"),
        "photograph": picture("JPEG", "RGB"),
        "turned": changed(template(), turned),
        "pages": template(pages=3),
        "links": template(draw=linked),
    }


@pytest.mark.parametrize("case", CASES)
def test_documents_are_the_same_without_a_cache_and_with_an_empty_and_a_full_one(
    case: str, tmp_path: Path
) -> None:
    # Each has a renderer of its own: what memory holds belongs to a renderer.
    ways = [PdfRenderer(), *(PdfRenderer(template_cache=tmp_path) for _ in range(2))]
    made = [prepared(contents(), way, **CASES[case]) for way in ways]
    document = a_document(context_name="Analytical\nEngines")

    assert len({each.digest for each in made}) == 1
    assert len({each.render(a_document()).content for each in made}) == 1
    assert len({each.render(document).content for each in made}) == 1
    first, *others = [each.arrangement(document) for each in made]
    assert others == [first, first]


@pytest.mark.parametrize("case", CASES)
def test_no_pdf_is_opened_where_the_cache_has_all(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def prepare() -> bytes:
        renderer = PdfRenderer(template_cache=tmp_path)
        return prepared(contents(), renderer, **CASES[case]).render(a_document()).content

    first = prepare()
    opened: list[object] = []
    monkeypatch.setattr(Pdf, "open", lambda *given, **_: opened.append(given))

    assert prepare() == first
    assert opened == []


def test_types_with_one_template_share_it(monkeypatch: pytest.MonkeyPatch) -> None:
    renderer = PdfRenderer()
    prepared(None, renderer)
    opened: list[object] = []
    monkeypatch.setattr(Pdf, "open", lambda *given, **_: opened.append(given))

    prepared({"copy": template()}, renderer, template="copy", elements={"date": False})

    assert opened == []


def test_processes_that_begin_at_once_make_the_same(tmp_path: Path) -> None:
    designed, folder = tmp_path / "designed.pdf", tmp_path / "cache"
    designed.write_bytes(template())
    started = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(designed), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        for _ in range(PROCESSES)
    ]
    try:
        for process in started:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in started:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        written = [process.communicate(timeout=60) for process in started]
    finally:
        for process in started:
            process.kill()
            process.wait()

    here = prepared({"blank": template()})
    expected = f"{here.digest} {here.render(a_document()).sha256}\n"
    assert written == [(expected, "")] * PROCESSES
    assert len([*folder.iterdir()]) == 1
