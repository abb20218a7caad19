"""Compiled pages: files that are right to the byte, and hold what parts and documents say."""

import hashlib
import re
from collections.abc import Sequence
from io import BytesIO
from xml.etree import ElementTree

import pikepdf
import pytest
from pikepdf import Name, Object

from testamur.adapters.pdf.attachments import Attachment
from testamur.adapters.pdf.compiled import FontObjects, Part
from tests.support.compiled import CONTENTS, CREDENTIAL_ID, PARTS, TITLE, compiled, document
from tests.support.pdf import ink_of, template
from tests.support.template_features import ALLOWED, SIZE, web_link

ODD = r"Zertifikat (B\1) – <Zoë & 小林>" + "\r\n𝔸"

TWO_FONTS = [
    FontObjects("F1", 2, lambda first: [b"<</Type/Font/Next %d 0 R>>" % (first + 1), b"(one)"]),
    FontObjects("F2", 1, lambda _: [b"<</Type/Font/Two true>>"]),
]


def table_of(file: bytes) -> dict[int, int]:
    """The offset of each object, as the one cross-reference table says."""
    assert file.endswith(b"%%EOF\n")
    found = re.search(rb"startxref\n(\d+)\n%%EOF\n\Z", file)
    assert found is not None
    start = int(found[1])
    head = re.match(rb"xref\n0 (\d+)\n", file[start:])
    assert head is not None
    size = int(head[1])
    rows = file[start + head.end() : start + head.end() + 20 * size]
    entries = [rows[place : place + 20] for place in range(0, len(rows), 20)]
    assert entries[0] == b"0000000000 65535 f \n"
    assert all(re.fullmatch(rb"\d{10} 00000 n \n", entry) for entry in entries[1:])
    assert file[start + head.end() + 20 * size :].startswith(b"trailer\n<</Size %d/" % size)
    return {number: int(entry[:10]) for number, entry in enumerate(entries) if number}


def opened(file: bytes) -> pikepdf.Pdf:
    return pikepdf.open(BytesIO(file))


@pytest.mark.parametrize("fonts", [[], TWO_FONTS], ids=["no fonts of its own", "two fonts"])
@pytest.mark.parametrize("name", ["blank", "several pages", "for a press"])
def test_every_object_stands_where_the_table_says(name: str, fonts: Sequence[FontObjects]) -> None:
    file = document(compiled(ALLOWED[name]), fonts=fonts)

    offsets = table_of(file)
    for number, offset in offsets.items():
        assert file[offset:].startswith(b"%d 0 obj\n" % number)
    assert len(re.findall(rb"^\d+ 0 obj$", file, re.MULTILINE)) == len(offsets)


@pytest.mark.parametrize("name", ALLOWED)
def test_files_are_sound(name: str) -> None:
    with opened(document(compiled(ALLOWED[name]))) as pdf:
        assert pdf.check_pdf_syntax() == []


def test_the_hash_is_that_of_the_file() -> None:
    file, sha256 = compiled(template()).document(CONTENTS, [], TITLE, CREDENTIAL_ID)

    assert sha256 == hashlib.sha256(file).hexdigest()


def test_the_same_document_has_the_same_bytes() -> None:
    one, other = compiled(ALLOWED["for a press"]), compiled(ALLOWED["for a press"])

    assert document(one, fonts=TWO_FONTS) == document(other, fonts=TWO_FONTS)
    assert document(one) == document(one)


def test_documents_begin_alike_and_are_told_apart_by_their_identifiers() -> None:
    page = compiled(ALLOWED["for a press"])

    files = [document(page, title=title) for title in ("Ada", "Grace", ODD)]

    first_difference = next(
        place
        for place, bytes_there in enumerate(zip(*files, strict=False))
        if len({*bytes_there}) > 1
    )
    assert first_difference > files[0].rindex(b"/Type/Catalog")
    identifiers = {bytes(opened(file).trailer.ID[0]) for file in files}
    assert len(identifiers) == 3


def test_contents_that_do_not_fit_the_parts_are_refused() -> None:
    page = compiled(template())

    for contents in ([], [b""], [b"", b"", b""]):
        with pytest.raises(ValueError, match="size"):
            page.document(contents, [], TITLE, CREDENTIAL_ID)


def test_shared_and_own_contents_are_drawn() -> None:
    page = compiled(template(SIZE))

    whole = ink_of(document(page))
    without = ink_of(document(page, [b"", b""]))

    assert whole is not None
    assert without is not None
    assert (whole.left, whole.right, whole.bottom) == (100, 330, 280)
    assert (without.left, without.right, without.bottom) == (100, 150, 200)


def test_content_is_in_reading_order_whether_shared_or_not() -> None:
    parts = [
        Part("a", "P", None, b"1 0 0 1 rg"),
        Part("b", "P", None, None),
        Part("c", "P", None, b"3 0 0 3 rg"),
        Part("d", "P", None, None),
        Part("e", "P", None, b"5 0 0 5 rg"),
    ]

    with opened(document(compiled(template(), parts=parts), [b"2 0 0 2 rg", b"4 0 0 4 rg"])) as pdf:
        content = b"".join(each.read_bytes() for each in pdf.pages[0].obj.Contents.as_list())

    assert re.findall(rb"MCID (\d).*\n(\d)", content) == [
        (b"%d" % n, b"%d" % (n + 1)) for n in range(5)
    ]


def test_contents_count_from_the_corner_that_a_reader_sees() -> None:
    straight = ink_of(document(compiled(template(SIZE))))

    assert ink_of(document(compiled(ALLOWED["moved and turned"]))) == straight


def test_fonts_are_resources_of_the_page() -> None:
    shared = FontObjects("S", 2, lambda first: [b"<</Next %d 0 R>>" % (first + 1), b"(shared)"])

    with opened(document(compiled(template(), fonts=[shared]), fonts=TWO_FONTS)) as pdf:
        fonts = pdf.pages[0].obj.Resources.Font
        assert set(fonts.keys()) == {"/S", "/F1", "/F2"}
        assert str(fonts.S.Next) == "shared"
        assert str(fonts.F1.Next) == "one"
        assert fonts.F2.Two


def test_long_contents_are_compressed() -> None:
    long = b"1 0 0 rg 200 100 60 20 re f\n" * 10_000

    made = document(compiled(template(SIZE)), [long, CONTENTS[1]])

    assert len(made) < 20_000
    assert ink_of(made) == ink_of(document(compiled(template(SIZE))))


# What documents say about themselves


XMP = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "pdf": "http://ns.adobe.com/pdf/1.3/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
}


def text_in_xmp(file: bytes, element: str) -> str:
    with opened(file) as pdf:
        root = ElementTree.fromstring(pdf.Root.Metadata.read_bytes())
    (found,) = root.iterfind(f".//{element}", XMP)
    return "".join(found.itertext())


@pytest.mark.parametrize("title", [TITLE, ODD, "Diploma", ")(\\"])
def test_titles_are_kept_to_the_letter(title: str) -> None:
    file = document(compiled(template()), title=title)

    with opened(file) as pdf:
        assert str(pdf.docinfo.Title) == title
    assert text_in_xmp(file, "dc:title") == title


def test_properties_and_xmp_say_the_same() -> None:
    file = document(compiled(template(), subject=ODD, author="A&B <X>", language="de"))

    with opened(file) as pdf:
        info = {key: str(value) for key, value in pdf.docinfo.items()}
        assert str(pdf.Root.Lang) == "de"
        assert pdf.Root.ViewerPreferences.DisplayDocTitle
    assert info == {
        "/Title": TITLE,
        "/Subject": ODD,
        "/Author": "A&B <X>",
        "/Producer": "Testamur",
        "/CreationDate": "D:20260312000000Z",
        "/ModDate": "D:20260312000000Z",
        "/CredentialId": CREDENTIAL_ID,
    }
    said = {
        "dc:description": ODD,
        "dc:creator": "A&B <X>",
        "dc:identifier": CREDENTIAL_ID,
        "dc:language": "de",
        "pdf:Producer": "Testamur",
        "xmp:CreateDate": "2026-03-12T00:00:00Z",
    }
    assert {element: text_in_xmp(file, element) for element in said} == said


def claims_of(file: bytes) -> list[str]:
    with opened(file) as pdf:
        metadata = pdf.Root.Metadata.read_bytes().decode()
    return re.findall(r"<(pdfu?aid:part>\d)<", metadata)


def test_documents_claim_what_they_keep_to() -> None:
    attached = [Attachment("a.txt", b"a", "text/plain")]

    assert claims_of(document(compiled(template()))) == ["pdfaid:part>2", "pdfuaid:part>1"]
    assert claims_of(document(compiled(template(), attachments=attached))) == [
        "pdfaid:part>3",
        "pdfuaid:part>1",
    ]
    assert claims_of(document(compiled(template(), conformance="none"))) == []


# Tags


def elements_of(pdf: pikepdf.Pdf) -> list[Object]:
    return list(pdf.Root.StructTreeRoot.K.K.as_list())


def test_elements_are_tagged_in_their_order() -> None:
    with opened(document(compiled(template()))) as pdf:
        elements = elements_of(pdf)
        said = [(str(each.S), int(each.K), str(each.get(Name.Alt, ""))) for each in elements]
        parents = pdf.Root.StructTreeRoot.ParentTree.Nums
        by_content = [each.objgen for each in parents[1].as_list()]

    assert said == [("/P", 0, ""), ("/H1", 1, ""), ("/Figure", 2, "QR code")]
    assert by_content == [each.objgen for each in elements]


@pytest.mark.parametrize(
    ("name", "box"),
    [("blank", [300, 20, 330, 50]), ("moved and turned", [230, 330, 260, 360])],
)
def test_figures_say_what_they_cover_in_the_page_s_own_coordinates(
    name: str, box: list[int]
) -> None:
    with opened(document(compiled(ALLOWED[name]))) as pdf:
        *texts, figure = elements_of(pdf)
        assert list(map(float, figure.A.BBox.as_list())) == box
        assert (str(figure.A.O), str(figure.A.Placement)) == ("/Layout", "/Block")
        assert all("/A" not in each for each in texts)


def test_all_that_is_drawn_is_tagged_or_decoration() -> None:
    with opened(document(compiled(template()))) as pdf:
        marks, drawn = [], []
        for instruction in pikepdf.parse_content_stream(pdf.pages[0]):
            operator = str(instruction.operator)
            if operator in ("BMC", "BDC"):
                marks.append([each.unparse() for each in instruction.operands])
            elif operator == "EMC":
                marks.pop()
            elif operator in ("Do", "f"):
                drawn.append([*marks])

    assert drawn == [
        [[b"/Artifact"]],
        [[b"/P", b"<< /MCID 0 >>"]],
        [[b"/H1", b"<< /MCID 1 >>"]],
        [[b"/Figure", b"<< /MCID 2 >>"]],
    ]


def test_what_the_template_says_is_read_first() -> None:
    with opened(document(compiled(template(), reading_text="Universität\n(Beispiel)"))) as pdf:
        first, *others = elements_of(pdf)
        assert (str(first.S), int(first.K)) == ("/P", 0)
        assert str(first.ActualText) == "Universität\n(Beispiel)"
        assert "/Lang" not in first
        assert [int(each.K) for each in others] == [1, 2, 3]


def test_what_the_template_says_may_be_in_another_language() -> None:
    page = compiled(template(), reading_text="Universität", reading_text_language="de-at")

    with opened(document(page)) as pdf:
        first, *others = elements_of(pdf)
        assert str(first.Lang) == "de-at"
        assert str(pdf.Root.Lang) == "en"
        assert all("/Lang" not in each for each in others)


def test_the_tags_of_the_template_are_taken_off() -> None:
    with opened(document(compiled(ALLOWED["tagged"]))) as pdf:
        form = pdf.pages[0].obj.Resources.XObject.Template.read_bytes()

    assert b"MCID" not in form
    assert b"20 20 50 50 re" in form


def test_links_on_all_pages_are_tagged_with_their_address() -> None:
    with opened(document(compiled(template(SIZE, web_link, pages=2)))) as pdf:
        tagged = elements_of(pdf)[len(PARTS) :]
        links = [page.obj.Annots[0] for page in pdf.pages]
        assert [each.K.Obj.objgen for each in tagged] == [each.objgen for each in links]
        assert [each.Pg.objgen for each in tagged] == [each.obj.objgen for each in pdf.pages]
        parents = pdf.Root.StructTreeRoot.ParentTree.Nums.as_list()
        keyed = dict(zip(map(int, parents[2::2]), parents[3::2], strict=True))
        for link, element in zip(links, tagged, strict=True):
            assert keyed[int(link.StructParent)].objgen == element.objgen
            assert str(link.Contents) == "https://university.example.org/"


# Attachments


def test_attachments_come_out_as_they_went_in() -> None:
    attached = [
        Attachment("syllabus.pdf", b"%PDF-1.7", "application/pdf", "Lehrplan (Überblick)"),
        Attachment("data (1).json", b'{"a": 1}', "application/ld+json", relationship="Data"),
    ]

    with opened(document(compiled(template(), attachments=attached))) as pdf:
        found = {name: each.get_file() for name, each in pdf.attachments.items()}
        contents = {name: each.read_bytes() for name, each in found.items()}
        relationships = [str(each.AFRelationship) for each in pdf.Root.AF.as_list()]
        description = pdf.attachments["syllabus.pdf"].description
        media_type = str(pdf.Root.AF[1].EF.F.Subtype)

    assert contents == {each.filename: each.content for each in attached}
    assert list(contents) == sorted(contents)
    assert relationships == ["/Supplement", "/Data"]
    assert description == "Lehrplan (Überblick)"
    assert media_type == "/application/ld+json"
