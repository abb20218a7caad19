"""Templates with features that PDF/A forbids or allows, one each; made by hand."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Final

from fpdf import FPDF
from pikepdf import Array, Dictionary, Name, Pdf, Stream, String
from PIL import Image

from testamur.adapters.pdf.color_profile import srgb_profile
from tests.support.pdf import changed, template

Change = Callable[[Pdf], None]

SIZE: Final = (400.0, 300.0)
EXAMPLES: Final = Path(__file__).parents[2] / "examples/demo/templates"


def with_change(change: Change) -> bytes:
    """Return a blank template after a change."""
    return changed(template(SIZE), change)


def content(operators: bytes) -> bytes:
    """Return a template with this content."""
    return with_change(lambda pdf: pdf.pages[0].contents_add(operators))


def core_font(pdf: FPDF) -> None:
    """Write a heading in a font that is not embedded."""
    pdf.set_font("helvetica", size=30)
    pdf.text(60, 80, "DIPLOMA")


def named(kind: Name, entries: Dictionary | Array | Stream, operators: bytes) -> bytes:
    """Return a template whose content uses one resource, under the name ``/X``."""

    def change(pdf: Pdf) -> None:
        pdf.pages[0].obj.Resources[kind] = Dictionary(X=entries)
        pdf.pages[0].contents_add(operators)

    return with_change(change)


def stream(data: bytes, **entries: object) -> Callable[[Pdf], Stream]:
    """Return a maker of a stream."""

    def make(pdf: Pdf) -> Stream:
        made = pdf.make_stream(data)
        for key, value in entries.items():
            made[f"/{key}"] = value
        return made

    return make


def external(make: Callable[[Pdf], Stream]) -> bytes:
    """Return a template that draws one external object."""

    def change(pdf: Pdf) -> None:
        pdf.pages[0].obj.Resources.XObject = Dictionary(X=make(pdf))
        pdf.pages[0].contents_add(b"q 50 0 0 50 20 20 cm /X Do Q")

    return with_change(change)


def image(**entries: object) -> bytes:
    """Return a template with a grey image of four pixels."""
    return external(stream(b"\x00\x50\xa0\xf0", **{**GREY_IMAGE, **entries}))


GREY_IMAGE: Final = {
    "Type": Name.XObject,
    "Subtype": Name.Image,
    "Width": 2,
    "Height": 2,
    "BitsPerComponent": 8,
    "ColorSpace": Name.DeviceGray,
}
_FORM: Final = {"Type": Name.XObject, "Subtype": Name.Form, "BBox": Array([0, 0, 1, 1])}
_INVERSION: Final = Dictionary(
    FunctionType=2, Domain=Array([0, 1]), C0=Array([1]), C1=Array([0]), N=1
)
_TO_CMYK: Final = Dictionary(
    FunctionType=2, Domain=Array([0, 1]), C0=Array([0, 0, 0, 0]), C1=Array([0, 0, 1, 0]), N=1
)
_TO_RGB: Final = Dictionary(
    FunctionType=2, Domain=Array([0, 1]), C0=Array([1, 1, 1]), C1=Array([1, 0, 0]), N=1
)
_SQUARE: Final = b" 20 20 50 50 re f"


def jpeg_2000(*, boxed: bool) -> bytes:
    """Return a template with a JPEG 2000 image, in its boxes or as the bare codestream."""
    file = BytesIO()
    Image.new("RGB", (16, 16), "navy").save(file, "JPEG2000", no_jp2=not boxed)
    return external(
        stream(
            file.getvalue(),
            Type=Name.XObject,
            Subtype=Name.Image,
            Width=16,
            Height=16,
            Filter=Name.JPXDecode,
            ColorSpace=Name.DeviceRGB,
        )
    )


def layers(pdf: Pdf) -> None:
    """Add two layers, with what PDF/A forbids of them: no name, one not listed, automatic."""
    shown, hidden = (
        pdf.make_indirect(Dictionary(Type=Name.OCG, Name=String(name))) for name in ("A", "B")
    )
    automatic = Dictionary(Event=Name.View, OCGs=Array([shown]), Category=Array([Name.View]))
    pdf.Root.OCProperties = Dictionary(
        OCGs=Array([shown, hidden]),
        D=Dictionary(Order=Array([shown]), OFF=Array([hidden]), AS=Array([automatic])),
    )
    pdf.pages[0].obj.Resources.Properties = Dictionary(A=shown, B=hidden)
    pdf.pages[0].contents_add(b"/OC /A BDC 20 20 50 50 re f EMC /OC /B BDC 90 20 50 50 re f EMC")


def tagged(pdf: Pdf) -> None:
    """Add tagged content, with a structure tree."""
    pdf.pages[0].obj.StructParents = 0
    pdf.pages[0].contents_add(
        b"/Artifact BMC 0 0 9 9 re f EMC /P <</MCID 0>> BDC 20 20 50 50 re f EMC"
    )
    paragraph = Dictionary(S=Name.P, Pg=pdf.pages[0].obj, K=0)
    pdf.Root.StructTreeRoot = pdf.make_indirect(
        Dictionary(Type=Name.StructTreeRoot, K=pdf.make_indirect(paragraph))
    )


def form_without_resources(pdf: Pdf) -> None:
    """Draw a form that takes its graphics state from the page's resources."""
    pdf.pages[0].obj.Resources.ExtGState = Dictionary(G=Dictionary(ca=0.5))
    form = stream(b"/G gs 0 0 1 1 re f", **_FORM)(pdf)
    pdf.pages[0].obj.Resources.XObject = Dictionary(X=form)
    pdf.pages[0].contents_add(b"q 50 0 0 50 20 20 cm /X Do Q")


def soft_mask(pdf: Pdf) -> None:
    """Draw through a mask of luminosity."""
    group = Dictionary(S=Name.Transparency, CS=Name.DeviceGray)
    form = stream(b"0.5 g 0 0 400 300 re f", **{**_FORM, "Group": group})(pdf)
    form.BBox = Array([0, 0, 400, 300])
    mask = Dictionary(Type=Name.Mask, S=Name.Luminosity, G=form)
    pdf.pages[0].obj.Resources.ExtGState = Dictionary(G=Dictionary(SMask=mask, BM=Name.Multiply))
    pdf.pages[0].contents_add(b"/G gs 1 0 0 rg 20 20 50 50 re f")


def tiling_pattern(pdf: Pdf) -> None:
    """Fill with a pattern."""
    pattern = stream(
        b"0 0 1 rg 0 0 5 5 re f",
        PatternType=1,
        PaintType=1,
        TilingType=1,
        BBox=Array([0, 0, 10, 10]),
        XStep=10,
        YStep=10,
        Resources=Dictionary(),
    )(pdf)
    pdf.pages[0].obj.Resources.Pattern = Dictionary(P=pattern)
    pdf.pages[0].contents_add(b"/Pattern cs /P scn" + _SQUARE)


def drawn_font(glyph: Name) -> Change:
    """Return a change that writes in a font whose one glyph is drawn by operators."""

    def change(pdf: Pdf) -> None:
        font = Dictionary(
            Type=Name.Font,
            Subtype=Name.Type3,
            FontBBox=Array([0, 0, 1000, 1000]),
            FontMatrix=Array([0.001, 0, 0, 0.001, 0, 0]),
            CharProcs=Dictionary(
                {str(glyph): pdf.make_stream(b"1000 0 0 0 750 750 d1 0 0 750 750 re f")}
            ),
            Encoding=Dictionary(Type=Name.Encoding, Differences=Array([65, glyph])),
            FirstChar=65,
            LastChar=65,
            Widths=Array([1000]),
        )
        pdf.pages[0].obj.Resources.Font = Dictionary(F=pdf.make_indirect(font))
        pdf.pages[0].contents_add(b"BT /F 20 Tf 20 20 Td (A) Tj ET")

    return change


def for_press(pdf: Pdf) -> None:
    """Draw in CMYK and in RGB, and give the press's profile as output intent.

    The profile is only one by its header.
    """
    profile = bytearray(srgb_profile())
    profile[12:20] = b"prtrCMYK"
    intent = Dictionary(
        Type=Name.OutputIntent,
        S=Name.GTS_PDFX,
        OutputConditionIdentifier=String("FOGRA39"),
        DestOutputProfile=stream(bytes(profile), N=4)(pdf),
    )
    pdf.Root.OutputIntents = Array([intent])
    pdf.pages[0].contents_add(b"0 1 0 0 k 20 20 50 50 re f 1 0 0 rg 90 20 50 50 re f")


def invisible_text(pdf: FPDF) -> None:
    """Write text that is not seen, as text recognition does, in a font that is not embedded."""
    pdf.set_font("helvetica", size=30)
    pdf._out("3 Tr")
    pdf.text(60, 80, "DIPLOMA")


def compressed_with_lzw(pdf: Pdf) -> None:
    """Compress the content with LZW, between the codes that clear the table and that end it."""
    square = b"0 0 9 9 re f"
    codes = [256, *square, 257]
    bits = "".join(f"{code:09b}" for code in codes)
    bits += "0" * (-len(bits) % 8)
    data = int(bits, 2).to_bytes(len(bits) // 8, "big")
    pdf.pages[0].obj.Contents = pdf.make_stream(data, Filter=Name.LZWDecode)


def web_link(pdf: FPDF) -> None:
    """Add a link."""
    pdf.link(10, 10, 50, 20, link="https://university.example.org/")


def placed(media: list[int], rotate: int) -> bytes:
    """Return a template with its page placed and turned like this."""

    def change(pdf: Pdf) -> None:
        pdf.pages[0].obj.MediaBox = Array(media)
        pdf.pages[0].obj.Rotate = rotate

    return with_change(change)


#: Templates that cannot become PDF/A: the file, what is said of it, and veraPDF's rule.
FORBIDDEN: Final[dict[str, tuple[bytes, str, str]]] = {
    "a font that is not embedded": (
        template(SIZE, core_font),
        "the font Helvetica is not embedded",
        "6.2.11.4.1-1",
    ),
    "CMYK": (content(b"0 1 0 0 k" + _SQUARE), "DeviceCMYK", "6.2.4.3-3"),
    "CMYK image": (
        external(stream(bytes(16), **{**GREY_IMAGE, "ColorSpace": Name.DeviceCMYK})),
        "DeviceCMYK",
        "6.2.4.3-3",
    ),
    "spot colour mixed of CMYK": (
        named(
            Name.ColorSpace,
            Array([Name.Separation, Name.Gold, Name.DeviceCMYK, _TO_CMYK]),
            b"/X cs 1 scn" + _SQUARE,
        ),
        "DeviceCMYK",
        "6.2.4.3-3",
    ),
    "transfer function": (
        named(Name.ExtGState, Dictionary(TR=_INVERSION), b"/X gs" + _SQUARE),
        "a transfer function",
        "6.2.5-1",
    ),
    "blend mode of its own": (
        named(Name.ExtGState, Dictionary(BM=Name.Sparkle), b"/X gs" + _SQUARE),
        "blend mode /Sparkle",
        "6.2.10-1",
    ),
    "operator of its own": (content(b"BX frob EX" + _SQUARE), "operator 'frob'", "6.2.2-1"),
    "LZW in the content": (
        content(b"q 9 0 0 9 0 0 cm BI /W 1 /H 1 /CS /G /BPC 8 /F /LZW ID \x80\x0b\x60\x50 EI Q"),
        "LZW",
        "6.1.10-1",
    ),
    "smoothed image in the content": (
        content(b"q 9 0 0 9 0 0 cm BI /W 1 /H 1 /CS /G /BPC 8 /I true ID \x00 EI Q"),
        "smoothed",
        "6.2.8-3",
    ),
    "deep nesting": (content(b"q " * 29 + b"Q " * 29), "more than 28 deep", "6.1.13-8"),
    "huge page": (placed([0, 0, 15000, 300], 0), "14400 points", "6.1.13-11"),
    "rendering intent of its own": (
        content(b"/Vivid ri" + _SQUARE),
        "rendering intent /Vivid",
        "6.2.6-1",
    ),
    "bare JPEG 2000": (jpeg_2000(boxed=False), "JPEG 2000", "6.2.8.3-1"),
}

#: Templates that can.
ALLOWED: Final[dict[str, bytes]] = {
    "blank": template(SIZE),
    "designed": (EXAMPLES / "diploma.pdf").read_bytes(),
    "moved and turned": placed([-20, 30, 280, 430], 90),
    "several pages": template(SIZE, web_link, pages=3),
    "tagged": with_change(tagged),
    "layers": with_change(layers),
    "form without resources": with_change(form_without_resources),
    "smoothed image": image(Interpolate=True),
    "image with alternates": image(Alternates=Array([]), Intent=Name.Vivid),
    "image with metadata": image(Metadata=Dictionary(), StructParent=0),
    "halftone and identity": named(
        Name.ExtGState,
        Dictionary(TR=Name.Identity, HTP=Array([0, 0]), HT=Name.Default, RI=Name.Vivid),
        b"/X gs" + _SQUARE,
    ),
    "LZW": with_change(compressed_with_lzw),
    "spot colour mixed of RGB": named(
        Name.ColorSpace,
        Array([Name.Separation, Name.Gold, Name.DeviceRGB, _TO_RGB]),
        b"/X cs 1 scn" + _SQUARE,
    ),
    "soft mask": with_change(soft_mask),
    "pattern": with_change(tiling_pattern),
    "font of drawings": with_change(drawn_font(Name.A)),
    "invisible text": template(SIZE, invisible_text),
    "for a press": with_change(for_press),
    "JPEG 2000": jpeg_2000(boxed=True),
}

#: Can become PDF/A, but its text has no characters.
UNREADABLE: Final = with_change(drawn_font(Name("/ornament")))
