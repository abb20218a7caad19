"""Whole installations on disk, set up in a few lines, for tests that drive them from outside."""

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Final

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

from testamur import ConfigurationId, Issuer, Settings, Testamur, TypeDefinition
from tests.support.pdf import template
from tests.support.records import COURSE

NOTO_SANS: Final = files("fontpkg_noto_sans").joinpath("files/NotoSans[wdth,wght].ttf")


@cache
def small_font() -> bytes:
    """Return the Latin, Greek and Cyrillic part of Noto Sans, in one weight: quickly read."""
    font = TTFont(BytesIO(NOTO_SANS.read_bytes()))
    # Without kerning, which takes the most time of all to read.
    wanted = Subsetter(Options(layout_features=["ccmp", "locl", "mark", "mkmk"]))
    wanted.populate(unicodes=range(0x20, 0x500))
    wanted.subset(font)
    # Last, for it goes over every glyph that is left.
    instantiateVariableFont(font, {"wght": 400, "wdth": 100}, inplace=True)
    file = BytesIO()
    font.save(file)
    return file.getvalue()


def completion_type() -> TypeDefinition:
    """Return a type that asks for 90 % completion and shows name, course and date."""
    return TypeDefinition(
        name="Certificate of Completion",
        issuer=Issuer(name="Example University"),
        criteria="completion",
        renderer="pdf",
        options={"rendering": {"template": "template", "fonts": ["noto-sans"]}},
    )


def configure_completion(testamur: Testamur, context_key: str = COURSE) -> ConfigurationId:
    """Add a template and a font, define the type, and put it to use."""
    testamur.add_asset("template", template())
    testamur.add_asset("noto-sans", small_font())
    testamur.define_type("completion", completion_type())
    return testamur.create_configuration("completion", context_key)


def write_course(
    folder: Path, *, eligible: Sequence[str], not_eligible: Sequence[str] = ()
) -> Path:
    """Write data files of a course in which so named learners have completed it, or not yet.

    Args:
        folder: Where to write; made if need be.
        eligible: Full names of those who have completed it.
        not_eligible: Full names of those who have completed half of it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    done = [(name, "1") for name in eligible] + [(name, "0.5") for name in not_eligible]
    ids = [f"learner-{number}" for number in range(len(done))]
    tables = {
        "courses": ["course_key,name", f"{COURSE},Mathematics"],
        "learners": [
            "learner_id,full_name,email",
            *(
                f'{id_},"{name}",{id_}@example.org'
                for id_, (name, _) in zip(ids, done, strict=True)
            ),
        ],
        "enrolments": ["learner_id,context_key", *(f"{id_},{COURSE}" for id_ in ids)],
        "completions": [
            "learner_id,context_key,completion",
            *(
                f"{id_},{COURSE},{completion}"
                for id_, (_, completion) in zip(ids, done, strict=True)
            ),
        ],
    }
    for table, lines in tables.items():
        (folder / f"{table}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def settings_in(folder: Path) -> Settings:
    """Return settings that keep everything below a folder: ``data``, and ``source`` beside it."""
    return Settings(data_folder=folder / "data", source_folder=folder / "source")
