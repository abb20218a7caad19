"""Conformance: templates brought into line with PDF/A, or refused with what keeps them from it.

The rules are those of ISO 19005-2 (PDF/A-2) and ISO 14289-1 (PDF/UA-1).
"""

from dataclasses import dataclass
from typing import Final, Literal

from pikepdf import Array, Dictionary, Name, Object, Pdf, Stream, String

from testamur.adapters.pdf.color_profile import srgb_profile
from testamur.adapters.pdf.inspection import Findings, inspect

Conformance = Literal["pdf/a", "none"]
"""What documents keep to: PDF/A and PDF/UA, or nothing beyond PDF itself."""

_BOXES: Final = (Name.MediaBox, Name.CropBox, Name.BleedBox, Name.TrimBox, Name.ArtBox)
_SMALLEST_BOX: Final = 3  # 6.1.13
_LARGEST_BOX: Final = 14400
_MOST_REPORTED: Final = 5

_REMEDY: Final = (
    "mend it where the template was made (programs export PDF/A with fonts embedded and colours in "
    'RGB), or set conformance = "none" to do without PDF/A'
)


class NotConformant(ValueError):
    """A template cannot become PDF/A; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Conforming:
    """A template that was brought into line.

    Args:
        default_rgb: Colour space in place of ``DeviceRGB``, where the template is made for a
            printing press.
        says_its_text: Whether all its fonts say which characters they show.
    """

    default_rgb: Object | None
    says_its_text: bool


def conform(pdf: Pdf) -> Conforming:
    """Bring a cleaned template into line with PDF/A.

    Raises:
        NotConformant: It cannot be.
    """
    findings = inspect(pdf)
    _refuse_odd_boxes(pdf, findings)
    _bring_layers_into_line(pdf)
    for_press = _choose_output_intent(pdf, findings)
    if findings.problems:
        problems = list(findings.problems)
        more = len(problems) - _MOST_REPORTED
        named = "; ".join(problems[:_MOST_REPORTED]) + (f"; and {more} more" if more > 0 else "")
        raise NotConformant(f"it cannot become PDF/A: {named}. What to do: {_REMEDY}")
    default_rgb = _icc_based_rgb(pdf) if for_press else None
    if default_rgb is not None:
        for resources in findings.rgb_resources:
            _set_default_rgb(resources, default_rgb)
    return Conforming(default_rgb, says_its_text=not findings.unreadable_fonts)


def _refuse_odd_boxes(pdf: Pdf, findings: Findings) -> None:
    for page in pdf.pages:
        for key in _BOXES:
            if not isinstance(page.obj.get(key), Array):
                continue
            x0, y0, x1, y1 = (float(corner) for corner in page.obj[key].as_list())
            sides = (abs(x1 - x0), abs(y1 - y0))
            if min(sides) < _SMALLEST_BOX or max(sides) > _LARGEST_BOX:
                findings.problems[
                    f"a page's {str(key)[1:]} is not from {_SMALLEST_BOX} to {_LARGEST_BOX} "
                    "points wide and high"
                ] = None


def _bring_layers_into_line(pdf: Pdf) -> None:
    """Give layers one plain configuration (6.9): named, all in its list, none that acts."""
    layers = pdf.Root.get(Name.OCProperties)
    if not isinstance(layers, Dictionary):
        return
    if Name.Configs in layers:
        del layers.Configs
    chosen = layers.get(Name.D)
    if not isinstance(chosen, Dictionary):
        chosen = layers.D = Dictionary()
    chosen.Name = String("Layers")
    if Name.AS in chosen:
        del chosen.AS
    chosen.Order = Array(layers.get(Name.OCGs, Array()))


def _choose_output_intent(pdf: Pdf, findings: Findings) -> bool:
    """Keep the template's colour profile where it fits, else take ours; return whether it is CMYK.

    6.2.4.3: device colours are allowed if a profile of their kind says what they mean.
    """
    given = _given_profile(pdf)
    wanted = b"CMYK" if findings.uses_cmyk else b"RGB "
    if given is None or given.read_bytes()[16:20] != wanted:
        if findings.uses_cmyk:
            findings.problems[
                "it has colours for a printing press (DeviceCMYK) and no colour profile for them "
                "as its output intent"
            ] = None
        profile, condition = _profile(pdf), "sRGB IEC61966-2.1"
    else:
        profile, condition = given, "Custom"
    intent = Dictionary(
        Type=Name.OutputIntent,
        S=Name.GTS_PDFA1,
        OutputConditionIdentifier=String(condition),
        Info=String(condition),
        DestOutputProfile=profile,
    )
    pdf.Root.OutputIntents = Array([pdf.make_indirect(intent)])
    return findings.uses_cmyk


def _given_profile(pdf: Pdf) -> Stream | None:
    intents = pdf.Root.get(Name.OutputIntents)
    for intent in intents.as_list() if isinstance(intents, Array) else []:
        profile = intent.get(Name.DestOutputProfile) if isinstance(intent, Dictionary) else None
        if isinstance(profile, Stream):
            head = profile.read_bytes()[:20]
            if len(head) == 20 and head[12:16] in (b"prtr", b"mntr") and head[8] < 5:
                return profile
    return None


def _profile(pdf: Pdf) -> Stream:
    profile = pdf.make_stream(srgb_profile())
    profile.N = 3
    return profile


def _icc_based_rgb(pdf: Pdf) -> Object:
    return pdf.make_indirect(Array([Name.ICCBased, _profile(pdf)]))


def _set_default_rgb(resources: Object, default_rgb: Object) -> None:
    if Name.ColorSpace not in resources:
        resources.ColorSpace = Dictionary()
    resources.ColorSpace.DefaultRGB = default_rgb
