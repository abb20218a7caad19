"""Templates: boxes and turned pages, what is taken out of them, and which cannot be used."""

from collections.abc import Callable
from importlib.resources import files
from io import BytesIO
from typing import Any

import pikepdf
import pytest
from fpdf import FPDF
from pikepdf import Array, Dictionary, Name, Pdf

from testamur.adapters.pdf import PreparedPdf
from testamur.application.errors import RenderingError
from testamur.domain.errors import InvalidInput
from tests.support.pdf import (
    a_document,
    changed,
    difference,
    ink_of,
    picture_of,
    prepared,
    template,
    text_of,
)

SIZE = (400.0, 300.0)
CINZEL = files("fontpkg_cinzel").joinpath("files/Cinzel[wght].ttf")
ELEMENTS = {
    "name": {"x": "25%", "y": "40%", "align": "left", "size": 24},
    "context": False,
    "date": {"x": 390, "y": 290, "align": "right"},
    "code": {"qr": "{verify_id}", "x": 300, "y": 20, "size": 60},
}


def over(content: bytes, **options: Any) -> PreparedPdf:
    return prepared({"made": content}, template="made", elements=ELEMENTS, **options)


def on(content: bytes) -> bytes:
    return over(content).render(a_document()).content


def boxed(
    media: tuple[float, ...], crop: tuple[float, ...] | None = None, rotate: int = 0
) -> Callable[[Pdf], None]:
    def change(pdf: Pdf) -> None:
        page = pdf.pages[0].obj
        page.MediaBox = Array([*map(int, media)])
        if crop:
            page.CropBox = Array([*map(int, crop)])
        page.Rotate = rotate

    return change


@pytest.mark.parametrize(
    "change",
    [
        boxed((0, 0, 400, 300)),
        boxed((-100, 50, 300, 350)),
        boxed((0, 0, 800, 600), (200, 100, 600, 400)),
        boxed((400, 300, 0, 0)),
        boxed((0, 0, 300, 400), rotate=90),
        boxed((0, 0, 300, 400), rotate=-90),
        boxed((20, 30, 420, 330), rotate=180),
        boxed((0, 0, 600, 800), (100, 200, 400, 600), rotate=270),
    ],
    ids=["plain", "moved", "cropped", "corners", "right", "left", "over", "cropped and turned"],
)
def test_elements_stand_where_a_reader_sees_them(change: Callable[[Pdf], None]) -> None:
    made = on(changed(template(SIZE), change))

    assert difference(picture_of(made), picture_of(on(template(SIZE)))) < 0.01


def test_boxes_and_turns_are_taken_from_the_nodes_above_the_page() -> None:
    def inherit(pdf: Pdf) -> None:
        page = pdf.pages[0].obj
        del page.MediaBox
        pdf.Root.Pages.MediaBox = Array([0, 0, 300, 400])
        pdf.Root.Pages.Rotate = 90

    made = on(changed(template(SIZE), inherit))

    assert difference(picture_of(made), picture_of(on(template(SIZE)))) < 0.01


def embed_font(pdf: FPDF, size: float) -> None:
    if "embedded" not in pdf.fonts:
        pdf.add_font("embedded", fname=str(CINZEL))
    pdf.set_font("embedded", size=size)


def draw_heading(pdf: FPDF) -> None:
    embed_font(pdf, size=30)
    pdf.text(60, 80, "DIPLOMA")


def test_what_the_template_shows_stays() -> None:
    made = on(template(SIZE, draw_heading))

    assert "DIPLOMA" in text_of(made)
    assert "Ada Lovelace" in text_of(made)


def test_resources_above_the_page_stay() -> None:
    def inherit(pdf: Pdf) -> None:
        page = pdf.pages[0].obj
        pdf.Root.Pages.Resources = page.Resources
        del page.Resources

    made = on(changed(template(SIZE, draw_heading), inherit))

    assert difference(picture_of(made), picture_of(on(template(SIZE, draw_heading)))) < 0.01


@pytest.mark.parametrize(
    "content",
    [
        b"0.5 0 0 0.5 0 0 cm",
        b"q 0.5 0 0 0.5 0 0 cm",
        b"Q Q 0.5 0 0 0.5 9 9 cm",
        b"q q Q",
        b"1 0 0 rg",
    ],
)
def test_a_state_that_the_template_leaves_behind_does_not_touch_the_elements(
    content: bytes,
) -> None:
    made = on(changed(template(SIZE), lambda pdf: pdf.pages[0].contents_add(content)))

    assert difference(picture_of(made), picture_of(on(template(SIZE)))) < 0.01


def test_a_page_without_content_can_be_drawn_on() -> None:
    def empty(pdf: Pdf) -> None:
        del pdf.pages[0].obj.Contents
        del pdf.pages[0].obj.Resources

    assert "Ada Lovelace" in text_of(on(changed(template(SIZE), empty)))


def test_the_chosen_page_is_drawn_on_and_all_others_are_kept() -> None:
    made = over(template(SIZE, draw_heading, pages=3), page=2).render(a_document()).content

    with pikepdf.open(BytesIO(made)) as pdf:
        assert len(pdf.pages) == 3
    assert ["Ada Lovelace" in text_of(made, page) for page in range(3)] == [False, True, False]
    assert all("DIPLOMA" in text_of(made, page) for page in range(3))


def test_pages_that_share_their_resources_are_not_drawn_on_by_accident() -> None:
    def share(pdf: Pdf) -> None:
        pdf.pages.append(pdf.pages[0])

    made = on(changed(template(SIZE, draw_heading), share))

    assert "Ada Lovelace" not in text_of(made, 1)
    assert ink_of(made, 1) == ink_of(template(SIZE, draw_heading))


def test_a_page_that_the_template_lacks_is_refused() -> None:
    with pytest.raises(InvalidInput, match="1 to 2") as caught:
        over(template(SIZE, pages=2), page=3)

    assert (caught.value.field, caught.value.value) == ("page", 3)


def test_a_document_can_be_the_template_of_another() -> None:
    first = on(template(SIZE))
    second = over(first).render(a_document(full_name="Grace Hopper")).content

    read = text_of(second)
    assert "Ada Lovelace" in read
    assert "Grace Hopper" in read


def test_the_second_template_is_for_names_of_several_lines() -> None:
    def mark(text: str) -> bytes:
        def draw(pdf: FPDF) -> None:
            embed_font(pdf, size=10)
            pdf.text(20, 20, text)

        return template(SIZE, draw)

    renderer = prepared(
        {"one": mark("ONE"), "many": mark("MANY")}, template="one", multiline_template="many"
    )
    shown = {
        name: text_of(renderer.render(a_document(context_name=name)).content)
        for name in ("Algebra", "Algebra\nand Geometry", "Algebra\r\nand Geometry", "Algebra\n")
    }

    assert [next(word for word in ("ONE", "MANY") if word in text) for text in shown.values()] == [
        "ONE",
        "MANY",
        "MANY",
        "ONE",
    ]
    assert "Algebra\nand Geometry" in shown["Algebra\r\nand Geometry"]


# What is taken out


def action(pdf: Pdf, **entries: Any) -> pikepdf.Object:
    return pdf.make_indirect(Dictionary(Type=Name.Action, **entries))


def add_script(pdf: Pdf) -> None:
    script = action(pdf, S=Name.JavaScript, JS=pikepdf.String("app.alert('x')"))
    pdf.Root.OpenAction = script
    pdf.Root.Names = Dictionary(JavaScript=Dictionary(Names=Array([pikepdf.String("x"), script])))
    pdf.pages[0].obj.AA = Dictionary(O=script)


def add_launch(pdf: Pdf) -> None:
    pdf.pages[0].obj.Annots = Array(
        [
            Dictionary(
                Type=Name.Annot,
                Subtype=Name.Link,
                Rect=Array([0, 0, 100, 100]),
                A=action(pdf, S=Name.Launch, F=pikepdf.String("calc.exe")),
            )
        ]
    )


def add_attachment(pdf: Pdf) -> None:
    pdf.attachments["salary.txt"] = b"a secret"


def add_metadata(pdf: Pdf) -> None:
    pdf.docinfo["/Author"] = "a secret"
    with pdf.open_metadata() as metadata:
        metadata["dc:title"] = "a secret"


@pytest.mark.parametrize("add", [add_script, add_launch, add_attachment, add_metadata])
def test_what_is_not_seen_stays_behind(add: Callable[[Pdf], None]) -> None:
    made = on(changed(template(SIZE, draw_heading), add))

    with pikepdf.open(BytesIO(made)) as pdf:
        written = b"".join(
            each.unparse(resolved=True)
            + (each.read_bytes() if isinstance(each, pikepdf.Stream) else b"")
            for each in pdf.objects
        )
    for trace in (b"/JavaScript", b"/Launch", b"/EmbeddedFile", b"/OpenAction", b"/AA", b"secret"):
        assert trace not in written
    assert "DIPLOMA" in text_of(made)


def add_file_of_a_picture(pdf: Pdf) -> None:
    file = Dictionary(Type=Name.Filespec, EF=Dictionary(F=pdf.make_stream(b"a secret")))
    picture(pdf).AF = Array([pdf.make_indirect(file)])


def add_script_of_a_picture(pdf: Pdf) -> None:
    picture(pdf).Hidden = action(pdf, S=Name.JavaScript, JS=pikepdf.String("app.alert('x')"))


def add_picture_elsewhere(pdf: Pdf) -> None:
    picture(pdf).F = pikepdf.String("/etc/passwd")


def picture(pdf: Pdf) -> pikepdf.Object:
    stream = pdf.make_stream(b"")
    stream.Type, stream.Subtype, stream.BBox = Name.XObject, Name.Form, Array([0, 0, 9, 9])
    pdf.pages[0].obj.Resources.XObject = Dictionary(Picture=stream)
    return stream


@pytest.mark.parametrize(
    ("add", "what"),
    [
        (add_file_of_a_picture, "an attached file"),
        (add_script_of_a_picture, "JavaScript"),
        (add_picture_elsewhere, "a stream that lies in another file"),
    ],
)
def test_what_can_still_act_in_a_cleaned_template_is_refused(
    add: Callable[[Pdf], None], what: str
) -> None:
    with pytest.raises(RenderingError, match=f"it holds {what}") as caught:
        over(changed(template(SIZE), add))

    assert caught.value.reason == "bad-template"


def test_web_links_of_the_template_still_work() -> None:
    def link(pdf: FPDF) -> None:
        pdf.link(10, 10, 50, 20, link="https://university.example.org/")

    with pikepdf.open(BytesIO(on(template(SIZE, link)))) as pdf:
        (annotation,) = pdf.pages[0].obj.Annots.as_list()

    assert str(annotation.A.URI) == "https://university.example.org/"


def test_what_a_form_field_shows_becomes_part_of_the_page() -> None:
    def add_field(pdf: Pdf) -> None:
        look = pdf.make_stream(b"0 g 0 0 50 20 re f")
        look.Type, look.Subtype, look.BBox = Name.XObject, Name.Form, Array([0, 0, 50, 20])
        field = pdf.make_indirect(
            Dictionary(
                Type=Name.Annot,
                Subtype=Name.Widget,
                FT=Name.Tx,
                T=pikepdf.String("field"),
                Rect=Array([20, 250, 70, 270]),
                AP=Dictionary(N=look),
                F=4,
            )
        )
        pdf.pages[0].obj.Annots = Array([field])
        pdf.Root.AcroForm = Dictionary(Fields=Array([field]))

    made = on(changed(template(SIZE), add_field))

    assert picture_of(made, scale=1).getpixel((45, 40)) == 0
    with pikepdf.open(BytesIO(made)) as pdf:
        assert Name.AcroForm not in pdf.Root


# What cannot be used


def encrypted(password: str) -> bytes:
    protection = pikepdf.Encryption(user=password, owner="secret")
    return changed(template(), lambda _: None, encryption=protection)


def with_damaged_content(pdf: Pdf) -> None:
    pdf.pages[0].obj.Contents.write(b"no zlib data", filter=Name.FlateDecode)


def with_unfinished_content(pdf: Pdf) -> None:
    pdf.pages[0].contents_add(b"BT (unfinished")


UNUSABLE = {
    "empty": (b"", ""),
    "image": (b"\x89PNG\r\n\x1a\n" + bytes(500), ""),
    "cut": (template()[:-300], ""),
    "cut short": (template()[:200], ""),
    "damaged": (changed(template(), with_damaged_content), ""),
    "unfinished": (changed(template(), with_unfinished_content), ""),
    "password": (encrypted("secret"), "encrypted"),
    "protected": (encrypted(""), "encrypted"),
    "no box": (changed(template(), boxed((0, 0, 0, 0))), "visible"),
    "askew": (changed(template(), boxed((0, 0, 9, 9), rotate=30)), "Rotate"),
}


@pytest.mark.parametrize(("content", "why"), UNUSABLE.values(), ids=UNUSABLE)
def test_a_template_that_cannot_be_used_is_refused_with_the_reason(
    content: bytes, why: str
) -> None:
    with pytest.raises(RenderingError) as caught:
        over(content)

    assert caught.value.reason == "bad-template"
    assert caught.value.detail.startswith("template 'made' cannot be used: ")
    assert why in caught.value.detail
    assert "0x" not in caught.value.detail
