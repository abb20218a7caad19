"""What files are called in a bucket, and when they are downloaded."""

import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testamur.adapters.storage.s3.names import Names, content_disposition


def test_public_and_archived_files_have_names_of_their_own() -> None:
    assert Names("", ".archive").public("a/1.pdf") == "a/1.pdf"
    assert Names("team", "team/.archive").public("a/1.pdf") == "team/a/1.pdf"
    assert Names("team", "team/.archive").archived("a/1.pdf") == "team/.archive/a/1.pdf"


@pytest.mark.parametrize(
    ("filename", "header"),
    [
        ("certificate.pdf", 'attachment; filename="certificate.pdf"'),
        ("My diploma (1).pdf", 'attachment; filename="My diploma (1).pdf"'),
        (
            "Żółw.pdf",
            "attachment; filename=\"Zow.pdf\"; filename*=UTF-8''%C5%BB%C3%B3%C5%82w.pdf",
        ),
        (
            "修了証.pdf",
            "attachment; filename=\"file.pdf\"; filename*=UTF-8''%E4%BF%AE%E4%BA%86%E8%A8%BC.pdf",
        ),
        (
            '5% "off".pdf',
            "attachment; filename=\"5_ _off_.pdf\"; filename*=UTF-8''5%25%20%22off%22.pdf",
        ),
        ("../etc/passwd", 'attachment; filename=".._etc_passwd"'),
        ("a\r\nSet-Cookie: b", 'attachment; filename="a__Set-Cookie: b"'),
        ("", 'attachment; filename="file"'),
    ],
)
def test_a_name_in_any_script_is_told_to_browsers(filename: str, header: str) -> None:
    assert content_disposition("attachment", filename) == header


@given(st.text(min_size=1))
def test_whatever_the_name_the_header_is_safe_and_keeps_it(filename: str) -> None:
    header = content_disposition("inline", filename)

    assert re.fullmatch(
        r"inline; filename=\"[ -!#-$&-\[\]-~]*\"(; filename\*=UTF-8''[!#$&+.^_`|~A-Za-z0-9%-]*)?",
        header,
    )
    _, _, extended = header.partition("filename*=UTF-8''")
    if extended:
        told = unquote(extended, errors="strict")
        assert len(told) == len(filename)
        assert all(a in (b, "_") for a, b in zip(told, filename, strict=True))
