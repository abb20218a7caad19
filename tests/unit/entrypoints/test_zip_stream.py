"""ZIP archives made piece by piece: what the standard library's reader finds in them."""

import struct
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testamur.entrypoints.zip_stream import Deflating, ZipStream, stored

MOMENT = datetime(2026, 6, 1, 12, 30, 15, tzinfo=UTC)
UTF_8_NAMES = 1 << 11
SIZES_FOLLOW = 1 << 3


def archive_of(*members: tuple[str, bytes], moment: datetime = MOMENT, zone: str = "UTC") -> bytes:
    made = BytesIO()
    archive = ZipStream(ZoneInfo(zone))
    for name, content in members:
        made.writelines(archive.member(name, moment, stored(content)))
    made.writelines(archive.end())
    archive.close()
    return made.getvalue()


def opened(archive: bytes) -> ZipFile:
    return ZipFile(BytesIO(archive))


def from_the_beginning(archive: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the members as a reader does that has seen no directory yet (4.3.7)."""
    place = 0
    while archive[place : place + 4] == b"PK\x03\x04":
        _, _, flags, method, _, _, crc, packed, _, name, extra = struct.unpack_from(
            "<IHHHHHIIIHH", archive, place
        )
        assert not flags & SIZES_FOLLOW
        assert method == 0
        at = place + 30
        content = archive[at + name + extra : at + name + extra + packed]
        assert zlib.crc32(content) == crc
        yield archive[at : at + name].decode(), content
        place = at + name + extra + packed


def test_an_archive_without_members_can_be_read() -> None:
    assert opened(archive_of()).namelist() == []


def test_members_are_found_with_their_content() -> None:
    with opened(archive_of(("a/Ann.pdf", b"%PDF-a"), ("b.pdf", b""))) as found:
        assert found.testzip() is None
        assert {each: found.read(each) for each in found.namelist()} == {
            "a/Ann.pdf": b"%PDF-a",
            "b.pdf": b"",
        }
        assert all(each.compress_type == ZIP_STORED for each in found.infolist())


@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=40),
        st.binary(max_size=100),
        max_size=8,
    )
)
def test_any_names_and_contents_are_read_from_either_end(members: dict[str, bytes]) -> None:
    archive = archive_of(*members.items())
    with opened(archive) as found:
        # The standard library's reader turns other separators into its own.
        assert [each.orig_filename for each in found.infolist()] == list(members)
        assert [found.read(each) for each in found.infolist()] == list(members.values())
    assert dict(from_the_beginning(archive)) == members


def test_names_are_marked_as_utf_8() -> None:
    (member,) = opened(archive_of(("张伟 — Żółć — نور.pdf", b"x"))).infolist()
    assert member.filename == "张伟 — Żółć — نور.pdf"
    assert member.flag_bits == UTF_8_NAMES


def test_a_file_is_for_its_owner_alone() -> None:
    (member,) = opened(archive_of(("a.pdf", b"x"))).infolist()
    assert member.external_attr >> 16 == 0o100600


def test_a_member_has_its_moment_in_the_zone_and_in_seconds() -> None:
    (member,) = opened(archive_of(("a.pdf", b"x"), zone="Europe/Berlin")).infolist()
    assert member.date_time == (2026, 6, 1, 14, 30, 14)  # every second second
    kind, length, flags, second = struct.unpack("<HHBi", member.extra)
    assert (kind, length, flags) == (0x5455, 5, 1)
    assert datetime.fromtimestamp(second, UTC) == MOMENT


@pytest.mark.parametrize(
    ("moment", "told"),
    [
        (datetime(1969, 7, 20, tzinfo=UTC), (1980, 1, 1, 0, 0, 0)),
        (datetime(2040, 1, 2, 3, 4, 6, tzinfo=UTC), (2040, 1, 2, 3, 4, 6)),
        (datetime(2200, 1, 1, tzinfo=UTC), (2107, 12, 31, 0, 0, 0)),
    ],
)
def test_a_moment_that_has_no_place_in_the_format_is_told_as_near_as_can_be(
    moment: datetime, told: tuple[int, ...]
) -> None:
    (member,) = opened(archive_of(("a.pdf", b"x"), moment=moment)).infolist()
    assert member.date_time == told
    assert member.extra == b""


def test_the_same_members_make_the_same_bytes() -> None:
    members = (("a.pdf", b"x"), ("b.pdf", b"y"))
    assert archive_of(*members) == archive_of(*members)


def test_what_comes_bit_by_bit_is_compressed() -> None:
    made = BytesIO()
    archive, text = ZipStream(UTC), Deflating()
    for number in range(100_000):  # more than what is kept in memory
        text.write(f"{number},\n".encode())
    made.writelines(archive.member("index.csv", MOMENT, text.packed()))
    made.writelines(archive.end())
    with ZipFile(made) as found:
        (member,) = found.infolist()
        lines = found.read(member).splitlines()
    assert lines == [f"{number},".encode() for number in range(100_000)]
    assert member.compress_type == ZIP_DEFLATED
    assert member.compress_size < member.file_size / 2
    text.close()
    archive.close()
