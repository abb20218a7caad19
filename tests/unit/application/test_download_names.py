"""Names of files in a download: any pattern, any name, on any file system."""

import re
import unicodedata
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testamur.application.download_names import (
    LONGEST_PART_BYTES,
    LONGEST_PART_UNITS,
    NAME_FIELDS,
    NamePattern,
    UniqueNames,
    safe_part,
    shortened,
)
from testamur.domain.errors import InvalidInput

VALUES = {
    "name": "Ann Example",
    "learner_id": "u17",
    "type": "Certificate of Completion",
    "type_slug": "completion",
    "context": "Mathematics",
    "context_key": "course-v1:Uni+Maths+2026",
    "date": "2026-06-30",
    "edition": "1",
    "serial": "UNI-000007",
    "verification_id": "v1",
}

DEVICES = {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"} | {
    f"{device}{number}" for device in ("COM", "LPT") for number in "0123456789¹²³"
}

#: Texts in which all that is difficult comes up often.
texts = st.lists(
    st.one_of(
        st.text(st.characters(codec=None), max_size=20),
        st.sampled_from(
            [
                "/",
                "\\",
                "..",
                ".",
                " ",
                ":",
                "CON",
                "nul.",
                "COM¹",
                "\x00",
                "\u202e",
                "é",
                "e\u0301",
            ]
        ),
        st.sampled_from(["क्षि", "ก็", "👩‍👩‍👧", "🇵🇱", "한", "\u1112\u1161\u11ab", "ﷺ", "张", "Ż"]),
    ),
    max_size=60,
).map("".join)


def path(pattern: str, **values: str) -> tuple[str, ...]:
    return NamePattern.parse(pattern).path(VALUES | values)


# Patterns


def test_fields_are_put_in_and_slashes_make_folders() -> None:
    assert path("{context}/{name} - {type}.pdf") == (
        "Mathematics",
        "Ann Example - Certificate of Completion",
    )


@pytest.mark.parametrize("field", NAME_FIELDS)
def test_every_field_has_a_value(field: str) -> None:
    assert path(f"{{{field}}}") == (safe_part(VALUES[field]),)


def test_double_braces_are_braces_and_braces_in_a_name_are_its_own() -> None:
    assert path("{{{name}}}", name="{type}") == ("{{type}}",)


def test_a_slash_in_a_name_makes_no_folder() -> None:
    assert path("{context}/{name}", context="A/B Testing", name="../../x") == (
        "A_B Testing",
        "_._.._x",
    )


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("{surname}", "'{surname}' is not allowed; allowed: {name}, {learner_id}, "),
        ("{name.full}", "verification_id"),
        ("{name!r}", "'{name!r}'"),
        ("{name:>10}", "'{name:>10}'"),
        ("{}", "'{}'"),
        ("{name", "fields such as {name}"),
        ("name}", "fields such as {name}"),
        ("", "1 to 500 characters"),
        (".pdf", "1 to 500 characters"),
        ("x" * 501, "1 to 500 characters"),
        ("/{name}", "a path below the folder"),
        ("{context}//{name}", "a path below the folder"),
        ("../{name}", "a path below the folder"),
        ("{context}/ . /{name}", "a path below the folder"),
        ("{name}/", "a path below the folder"),
        ("C:\\{name}", "names without ':'"),
        ("{context}\\{name}", "names without '\\\\'"),
        ("{name}\n", "names without"),
        ("/".join(["{name}"] * 9), "at most 7 folders"),
    ],
)
def test_a_pattern_that_makes_no_path_is_refused(pattern: str, told: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(told)):
        NamePattern.parse(pattern)


# Names


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("Żółć", "Żółć"),
        ("e\u0301clair", "éclair"),
        ("Statistics:\n An   Introduction", "Statistics - An Introduction"),
        ("9:41", "9_41"),
        ('<a> "b" | c? *', "_a_ _b_ _ c_ _"),
        ("Ann Example Jr. ", "Ann Example Jr"),
        (".NET Fundamentals", "_NET Fundamentals"),
        ("..", "_"),
        ("", "_"),
        ("con", "_con"),
        ("CON.2026", "_CON.2026"),
        ("Aux .x", "_Aux .x"),
        ("Lpt¹", "_Lpt¹"),
        ("Conrad", "Conrad"),
        ("COM10", "COM10"),
        ("a\u202egpj.exe", "agpj.exe"),
        ("نوش\u200cآفرین", "نوش\u200cآفرین"),
        ("a\x00b\x07c", "a b c"),
        ("x\ud800y", "x_y"),
    ],
)
def test_a_name_is_one_that_every_file_system_takes(text: str, part: str) -> None:
    assert safe_part(text) == part


@given(texts)
def test_whatever_a_name_is_no_file_system_refuses_it_or_is_left(text: str) -> None:
    part = safe_part(text)
    assert part
    assert len(part.encode()) <= LONGEST_PART_BYTES
    assert len(part.encode("utf-16-le")) <= 2 * LONGEST_PART_UNITS
    assert PurePosixPath(part).parts == (part,)
    assert PureWindowsPath(part).parts == (part,)
    assert part.partition(".")[0].strip().upper() not in DEVICES
    assert not part.startswith(".")
    assert part == part.strip().rstrip(".")
    assert part == unicodedata.normalize("NFC", part)
    assert safe_part(part) == part


@pytest.mark.parametrize(
    "cluster",
    ["क्षि", "ก็", "👩‍👩‍👧", "🇵🇱", "👍🏽", "\u1112\u1161\u11ab", "ب\u0651\u064e", "g\u0308", "한"],
)
def test_what_is_too_long_is_cut_between_letters(cluster: str) -> None:
    normal = unicodedata.normalize("NFC", cluster)
    for before in ("", "x", "xy", "xyz", "xyz1", "xyz12"):  # so that the limit is anywhere in it
        part = safe_part(before + cluster * 200)
        assert part == before + normal * ((len(part) - len(before)) // len(normal))
        # No room is left for one more.
        longer = part + normal
        assert (
            len(longer.encode()) > LONGEST_PART_BYTES
            or len(longer.encode("utf-16-le")) > 2 * LONGEST_PART_UNITS
        )


def test_a_letter_with_more_marks_than_there_is_room_for_is_cut() -> None:
    assert shortened("g" + "\u0308" * 500, 21, 100) == "g" + "\u0308" * 10


# Each one another


def test_namesakes_get_numbers_in_their_order() -> None:
    names = UniqueNames()
    given_ = [names.of(("Maths", "Ann"), ".pdf") for _ in range(3)]
    assert given_ == ["Maths/Ann.pdf", "Maths/Ann (2).pdf", "Maths/Ann (3).pdf"]
    assert names.of(("Physics", "Ann"), ".pdf") == "Physics/Ann.pdf"
    assert names.of(("Maths", "Ann"), ".json") == "Maths/Ann.json"


@pytest.mark.parametrize(
    ("one", "other"), [("ann", "ANN"), ("Straße", "STRASSE"), ("é", "e\u0301"), ("Ω", "\u2126")]
)
def test_names_that_some_file_system_takes_for_the_same_are_the_same(one: str, other: str) -> None:
    names = UniqueNames()
    names.of((one,), ".pdf")
    assert names.of((other,), ".pdf") == f"{other} (2).pdf"


def test_a_name_that_is_like_a_numbered_one_is_left_alone() -> None:
    names = UniqueNames()
    assert names.of(("Ann (2)",), ".pdf") == "Ann (2).pdf"
    assert names.of(("Ann",), ".pdf") == "Ann.pdf"
    assert names.of(("Ann",), ".pdf") == "Ann (3).pdf"


def test_what_is_taken_is_given_neither_to_a_file_nor_to_a_folder() -> None:
    names = UniqueNames("index.csv")
    assert names.of(("Index",), ".csv") == "Index (2).csv"
    assert names.of(("INDEX.csv", "Ann"), ".pdf") == "_INDEX.csv/Ann.pdf"


def test_a_number_fits_into_a_name_that_is_as_long_as_can_be() -> None:
    names = UniqueNames()
    long = safe_part("张" * 300)
    for end in ("", " (2)", " (3)"):
        name = names.of((long,), ".pdf")
        assert name.endswith(f"张{end}.pdf")
        assert len(name.encode()) <= LONGEST_PART_BYTES


def test_many_namesakes_take_no_time() -> None:
    names = UniqueNames()
    last = [names.of(("Ann",), ".pdf") for _ in range(20_000)][-1]
    assert last == "Ann (20000).pdf"


@given(st.lists(texts, max_size=30))
def test_no_two_files_have_one_name(wanted: list[str]) -> None:
    names = UniqueNames("index.csv")
    given_ = [names.of((safe_part(each),), ".pdf") for each in wanted]
    assert len({each.casefold() for each in given_}) == len(given_)
    assert all(len(each.encode()) <= LONGEST_PART_BYTES for each in given_)
