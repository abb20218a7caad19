"""Hostile PDFs: files written byte by byte, and what of a file could act or bring others along."""

import json
import subprocess
import sys
import time
import traceback
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import pikepdf
from pikepdf import Array, Dictionary, Name, Stream

from testamur.application.errors import RenderingError
from tests.benchmarks.measuring import peak_memory_mib
from tests.support.pdf import a_document, prepared

#: Keys and values under which something acts, is attached, or lies in another file (ISO 32000-2,
#: sections 7.11, 12.6, 12.7, 12.8 and 13).
_ACTIVE: Final = frozenset(
    f"/{name}"
    for name in (
        *("JavaScript", "JS", "Launch", "SubmitForm", "ImportData", "ResetForm", "Rendition"),
        *(
            "GoToR",
            "GoToE",
            "GoTo3DView",
            "RichMedia",
            "RichMediaExecute",
            "Movie",
            "Sound",
            "Trans",
        ),
        *("SetOCGState", "Thread", "Named", "Hide", "OpenAction", "AA", "AcroForm", "XFA"),
        *("EmbeddedFile", "EmbeddedFiles", "EF", "FileAttachment", "Filespec", "Widget", "Screen"),
        *(
            "3D",
            "Collection",
            "PS",
            "Ref",
            "OPI",
            "FFilter",
            "Requirements",
            "DestOutputProfileRef",
        ),
    )
)
_LINK_SCHEMES: Final = ("https://", "http://", "mailto:")

#: What a template has to show to be drawn on at all.
CATALOG: Final = b"<</Type/Catalog/Pages 2 0 R>>"
PAGES: Final = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
PAGE: Final = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 400 300]/Resources<<>>/Contents 4 0 R>>"
CONTENT: Final = b"0.5 g 20 20 100 30 re f"


def stream(content: bytes, entries: bytes = b"", length: bytes | None = None) -> bytes:
    """Return a stream object's body; `length` may lie."""
    length = str(len(content)).encode() if length is None else length
    return b"<<%s/Length %s>>stream\n%s\nendstream" % (entries, length, content)


def written(
    objects: Mapping[int, bytes] | None = None, trailer: bytes = b"", header: bytes = b"%PDF-1.7"
) -> bytes:
    """Return a file of one page, byte by byte, with a right cross-reference table.

    Args:
        objects: Bodies that take the place of its own or are added to them, by number.
        trailer: Further entries of the trailer.
        header: The first line.
    """
    bodies = {1: CATALOG, 2: PAGES, 3: PAGE, 4: stream(CONTENT), **(objects or {})}
    file, offsets = bytearray(header + b"\n%\xe2\xe3\xcf\xd3\n"), {}
    for number, body in sorted(bodies.items()):
        offsets[number] = len(file)
        file += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start, size = len(file), max(bodies) + 1
    file += b"xref\n0 1\n0000000000 65535 f \n"
    for number, offset in offsets.items():
        file += b"%d 1\n%010d 00000 n \n" % (number, offset)
    file += b"trailer\n<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n" % (size, trailer, start)
    return bytes(file)


def active_content_of(content: bytes) -> set[str]:
    """Return what of a file, reachable or not, could act or bring other files along."""
    found: set[str] = set()
    with pikepdf.open(BytesIO(content)) as pdf:
        for each in pdf.objects:
            _search(each, found)
        _search(pdf.trailer, found)
    return found


def _search(each: Any, found: set[str], depth: int = 0) -> None:
    assert depth < 50, "an object nests too deeply"
    if isinstance(each, Stream):
        if Name.F in each.stream_dict:
            found.add("a stream in another file")
        _search(each.stream_dict, found, depth + 1)
    elif isinstance(each, Dictionary):
        for key, value in each.items():
            if key in _ACTIVE and not (key == "/Ref" and each.get(Name.Type) != Name.XObject):
                found.add(str(key))
            if key == "/URI" and not str(value).lower().startswith(_LINK_SCHEMES):
                found.add(f"a link to {value}")
            if not getattr(value, "is_indirect", False):
                _search(value, found, depth + 1)
    elif isinstance(each, Array):
        for value in each.as_list():
            if not getattr(value, "is_indirect", False):
                _search(value, found, depth + 1)
    elif isinstance(each, Name) and str(each) in _ACTIVE:
        found.add(str(each))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a document over a template, in a process of its own.

    Args:
        reason: Why it was refused; empty if it was drawn.
        detail: What the error said, or its traceback if it was none of ours.
        cpu_seconds: From preparing to drawing.
        memory_mib: By how much the process grew at most.
    """

    reason: str
    detail: str
    cpu_seconds: float
    memory_mib: float


def in_a_process_of_its_own(template: bytes, seconds: float = 60) -> Outcome:
    """Draw a document over a template where it can neither hang nor break the tests.

    Raises:
        subprocess.TimeoutExpired: It took more than these seconds by the clock.
        AssertionError: The process died.
    """
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.hostile"],
        input=template,
        capture_output=True,
        cwd=Path(__file__).parents[2],
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, f"exit {done.returncode}: {done.stderr.decode()}"
    return Outcome(**json.loads(done.stdout))


def _draw_over_standard_input() -> None:
    template = sys.stdin.buffer.read()
    prepared().render(a_document())
    before, begun = peak_memory_mib(), time.process_time()
    reason = detail = ""
    try:
        prepared({"made": template}, template="made").render(a_document())
    except RenderingError as error:
        reason, detail = error.reason, error.detail
    except Exception:  # noqa: BLE001 - whatever it is, the test is to show it
        reason, detail = "broken", traceback.format_exc()
    passed, grown = time.process_time() - begun, peak_memory_mib() - before
    outcome = Outcome(reason, detail, passed, grown)
    sys.stdout.write(json.dumps(asdict(outcome)))


if __name__ == "__main__":
    _draw_over_standard_input()
