"""Names made to do harm: drawn to the letter or refused, and never read as anything else."""

import re
import unicodedata
from functools import cache
from io import BytesIO
from time import process_time
from typing import Any, Final
from xml.etree import ElementTree

import pikepdf
import pypdfium2
import pytest

from testamur.adapters.pdf import PreparedPdf
from testamur.application.errors import RenderingError
from tests.support.glyphs import glyphs_of
from tests.support.hostile import active_content_of
from tests.support.pdf import FONTS, a_document, prepared, text_of

LITERAL: Final = {
    "page count of fpdf2": "{nb}",
    "placeholder": "{name}",
    "placeholders": "{issue_date} {verify_url} {{name}}",
    "doubled braces": "{{ }}",
    "one brace": "A } B { C",
    "numbered placeholder": "{0} {} {0.__class__}",
    "percent": "%s %d %(name)s %",
    "dollar": "${name} $(id) `id`",
    "backslashes": r"Ada \ Love\lace \n \101 \u0041",
    "last is a backslash": "Ada Lovelace\\",
    "parentheses": "Ada ((Love)lace",
    "end of a string": r"Ada) Tj ET Q \) ] TJ",
    "hexadecimal string": "<FEFF00410064> >",
    "dictionary": "/Name <</JS (app.alert\\(1\\))>>",
    "operators": "BT /F1 99 Tf (x) Tj ET 1 0 0 rg 0 0 9 9 re f",
    "end of marked content": "EMC Q Q Q",
    "end of a stream": "endstream endobj",
    "object": "1 0 obj <<>> endobj trailer",
    "start of a file": "%PDF-1.7 %%EOF startxref 0",
    "bytes of a UTF-16 mark": "þÿAda",
    "bytes of a UTF-8 mark": "ï»¿Ada",
    "mark for byte order": "\ufeffAda",
    "markup": "<b>Ada</b> & <i>Co</i>",
    "entities": "&amp; &lt;script&gt; &#x202e; &undefined;",
    "end of CDATA": "Ada ]]> <!-- -->",
    "processing instruction": '<?xpacket end="w"?>',
    "closing tags": "</rdf:li></rdf:Alt></dc:title><dc:title>",
    "quotes": "Ada \"the 'First'\" O’Connor «x»",
    "statement": "'; DROP TABLE learners; --",
    "formula": "=1+1 @SUM(A1)",
    "path": "../../etc/passwd",
    "address": "https://phish.example.org/?a=b#c",
    "number": "007",
    "no name": "None null NaN true",
    "marks between words": "A\u200eda\u200f Love\u200blace",
    "joiners": "A\u200dda Love\u200clace",
    "selector": "A\ufe0fda",
    "soft hyphen": "Love\u00adlace",
    "wide spaces": "Ada\u3000Love\u00a0lace",
    "stack of marks": "A" + "\u0301\u0323" * 20,
}

NAMELESS: Final = {
    "nothing": "",
    "spaces": " \u00a0\u3000 ",
    "invisible": "\u200b\u200c\u200d\u2060\ufeff\u00ad",
    "directions only": "\u200e\u200f\u061c",
    "selectors only": "\ufe0f\U000e0100",
    "marks only": "\u0301\u0323\u0308",
    "fillers": "\u3164\u115f\uffa0\u2800",
}

FORBIDDEN: Final = {
    "NUL": "Ada\x00Lovelace",
    "bell": "Ada\x07",
    "tab": "Ada\tLovelace",
    "line break": "Ada\nLovelace",
    "carriage return": "Ada\rLovelace",
    "line separator": "Ada\u2028Lovelace",
    "paragraph separator": "Ada\u2029Lovelace",
    "escape": "\x1b[31mAda",
    "delete": "Ada\x7f",
    "next line": "Ada\x85Lovelace",
    "override to the left": "Ada \u202eecalevoL",
    "override to the right": "Ada \u202dLovelace\u202c",
    "embedding": "\u202bAda\u202c",
    "isolate": "\u2067Ada\u2069",
    "end of an isolate": "Ada\u2069",
    "first strong isolate": "\u2068Ada\u2069",
    "tags": "Ada\U000e0041\U000e0064",
    "language tag": "\U000e0001Ada",
    "no character": "Ada\uffff",
    "no character in Arabic": "Ada\ufdd0",
    "byte order turned round": "\ufffeAda",
    "no character at the end": "Ada\U0010ffff",
    "lone surrogate": "Ada\udc00",
    "first of a pair": "\ud83dAda",
    "ruby": "\ufff9Ada\ufffax\ufffb",
    "swapping": "Ada\u206a",
}

UNDRAWABLE: Final = {
    "private use": "Ada \ue000",
    "private plane": "Ada \U00100000",
    "unassigned": "Ada \u0378",
    "emoji of several": "👩\u200d🚀",
    "flag": "🇵🇱 Ada",
    "no font has it": "\U00012000 Ada",
}

LONG: Final = {
    "letters": "A" * 10_000,
    "words": "Ada Lovelace " * 770,
    "Arabic": "محمد" * 2_500,
    "both directions": "Ada محمد " * 1_100,
    "conjuncts": "क" + "्ष" * 5_000,
    "ideographs": "王" * 10_000,
    "marks on one letter": "A" + "\u0301" * 10_000,
    "marks from right to left": "ا" + "\u0651" * 10_000,
    "marks on each letter": "A\u0301" * 5_000,
    "brackets": "(" * 10_000 + "א",
    "invisible": "A" + "\u200b" * 10_000,
    "emoji": "😀" * 10_000,
    "line breaks": "A\n" * 5_000,
}

#: What the slowest of `LONG` may take, far from what a run or a reader would call hanging.
SECONDS: Final = 5.0


@cache
def renderer() -> PreparedPdf:
    """A renderer that draws nothing but the name."""
    return prepared(
        fonts=FONTS, elements={"name": {"min_size": 4}, "context": False, "date": False}
    )


@cache
def grading_renderer() -> PreparedPdf:
    """A renderer that draws the grade and the name."""
    element = {"text": "{grade}|{name}", "x": 0, "y": 100, "size": 8, "min_size": 4}
    return prepared(
        fonts=FONTS, elements={"name": False, "context": False, "date": False, "only": element}
    )


@pytest.mark.parametrize("name", LITERAL.values(), ids=LITERAL)
def test_a_name_is_drawn_and_read_to_the_letter(name: str) -> None:
    made = renderer().render(a_document(full_name=name)).content

    assert seen(text_of(made)) == seen(name)
    assert seen("".join(glyph.text for glyph in glyphs_of(made))) == seen(name)


@pytest.mark.parametrize("field", ["full_name", "type_name", "issuer_name", "context_name"])
@pytest.mark.parametrize("name", LITERAL.values(), ids=LITERAL)
def test_the_file_says_a_name_to_the_letter(name: str, field: str) -> None:
    document = a_document(**{field: name})
    made = renderer().render(document).content

    expected = {
        "Title": f"{document.type_name} – {document.full_name}",
        "Author": document.issuer_name,
        "Subject": " ".join(document.context_name.split()),
    }
    assert information_by_qpdf(made) == expected
    assert information_by_pdfium(made) == expected
    xmp = xmp_of(made)
    assert not xmp or xmp == {
        "title": expected["Title"],
        "creator": expected["Author"],
        "description": expected["Subject"],
    }


@pytest.mark.parametrize("name", LITERAL.values(), ids=LITERAL)
def test_a_name_changes_nothing_else_of_the_file(name: str) -> None:
    made = renderer().render(a_document(full_name=name)).content
    plain = renderer().render(a_document(full_name="Ada")).content

    with pikepdf.open(BytesIO(made), attempt_recovery=False) as pdf:
        assert pdf.check_pdf_syntax() == []
        assert len(pdf.pages) == 1
    assert structure(made) == structure(plain)
    assert active_content_of(made) == set()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        pytest.param(name, reason, id=f"{reason}: {kind}")
        for reason, names in {
            "missing-value": NAMELESS,
            "forbidden-character": FORBIDDEN,
            "missing-glyph": UNDRAWABLE,
        }.items()
        for kind, name in names.items()
    ],
)
def test_a_name_that_cannot_be_drawn_to_the_letter_is_refused(name: str, reason: str) -> None:
    for way in (renderer().check, renderer().render):
        with pytest.raises(RenderingError) as caught:
            way(a_document(full_name=name))

        assert caught.value.reason == reason
        assert caught.value.detail.startswith("name: ")
        assert caught.value.detail.isprintable()


@pytest.mark.parametrize("field", ["type_name", "issuer_name", "context_name"])
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, id=kind) for kind, name in FORBIDDEN.items() if kind != "line break"],
)
def test_other_names_are_refused_alike(name: str, field: str) -> None:
    with pytest.raises(RenderingError) as caught:
        renderer().check(a_document(**{field: name}))

    assert caught.value.reason == "forbidden-character"
    assert caught.value.detail.startswith(f"{field}: ")


@pytest.mark.parametrize("name", LONG.values(), ids=LONG)
def test_a_very_long_name_takes_no_long_time(name: str) -> None:
    begun = process_time()
    made = drawn_or_refused(name, {"too-long", "missing-glyph", "forbidden-character"})

    assert process_time() - begun < SECONDS
    if made is not None:
        assert len(made) < 1_000_000
        assert information_by_qpdf(made)["Title"].endswith(name)


def drawn_or_refused(name: str, reasons: set[str]) -> bytes | None:
    """A document, or None if the name is refused for one of these reasons, in a few words."""
    try:
        return renderer().render(a_document(full_name=name)).content
    except RenderingError as error:
        if error.reason not in reasons or len(error.detail) > 1_000:
            raise
        return None


@pytest.mark.parametrize("name", LITERAL.values(), ids=LITERAL)
def test_a_value_of_a_placeholder_is_drawn_to_the_letter(name: str) -> None:
    made = grading_renderer().render(a_document(values={"grade": name})).content

    assert seen(text_of(made)) == seen(f"{name}|Ada Lovelace")


def seen(text: str) -> str:
    """A text as it is seen: composed, without what only guides, joins, parts or selects."""
    return "".join(
        each
        for each in unicodedata.normalize("NFC", text)
        if unicodedata.category(each) != "Cf" and each != "\ufe0f"
    )


def information_by_qpdf(content: bytes) -> dict[str, str]:
    with pikepdf.open(BytesIO(content)) as pdf:
        return {key: str(pdf.docinfo[f"/{key}"]) for key in ("Title", "Author", "Subject")}


def information_by_pdfium(content: bytes) -> dict[str, str]:
    document = pypdfium2.PdfDocument(content)
    try:
        return {key: document.get_metadata_value(key) for key in ("Title", "Author", "Subject")}
    finally:
        document.close()


def xmp_of(content: bytes) -> dict[str, str]:
    """Title, creator and description of the XMP metadata, where there is any."""
    with pikepdf.open(BytesIO(content)) as pdf:
        if "/Metadata" not in pdf.Root:
            return {}
        root = ElementTree.fromstring(pdf.Root.Metadata.read_bytes())
    core = "{http://purl.org/dc/elements/1.1/}"
    items = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}li"
    found: dict[str, Any] = {
        key: [each.text for part in root.iter(core + key) for each in part.iter(items)]
        for key in ("title", "creator", "description")
    }
    return {key: texts[0] for key, texts in found.items() if len(texts) == 1}


def structure(content: bytes) -> tuple[list[str], list[str]]:
    """What the catalogue and the page consist of."""
    with pikepdf.open(BytesIO(content)) as pdf:
        text = re.compile(r"\d+")
        return (
            sorted(text.sub("", key) for key, _ in pdf.Root.items()),
            sorted(text.sub("", key) for key, _ in pdf.pages[0].obj.items()),
        )
