"""ZIP archives made piece by piece, in flat memory, for outlets that cannot go back.

The format is that of PKWARE's APPNOTE.TXT, version 6.3.10, whose sections are named below. The
standard library's `zipfile` can write to such outlets too, and was not taken for two reasons. It
keeps all members in memory (37 MB for 100,000; here their directory lies in a temporary file). And
it writes sizes after the content, which readers that go through an archive from its beginning
refuse for members that are not compressed (4.4.4, bit 3); here they are known before.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, Final, cast

#: Temporary files up to this size stay in memory.
_IN_MEMORY: Final = 1 << 20
_PIECE: Final = 1 << 16

_STORED: Final = 0
_DEFLATED: Final = 8
#: Names are UTF-8 (4.4.4, bit 11).
_UTF_8: Final = 1 << 11
#: Deflate and folders need 2.0, ZIP64 needs 4.5 (4.4.3.2).
_VERSION: Final = 20
_VERSION_OF_ZIP64: Final = 45
#: Attributes are those of Unix (4.4.2.2).
_MADE_ON_UNIX: Final = 3 << 8
#: A regular file that its owner alone may read and write: documents are personal.
_FILE_MODE: Final = 0o100600 << 16

#: From here on, the real value stands in a field of ZIP64 (4.3.9.2, 4.4.1.4).
_MOST_16: Final = 0xFFFF
_MOST_32: Final = 0xFFFF_FFFF
#: The last second that the field of four bytes holds.
_LAST_SECOND: Final = 0x7FFF_FFFF


@dataclass(frozen=True, slots=True)
class Packed:
    """The content of a member, as it stands in the archive.

    Args:
        method: Stored or deflated (4.4.5).
        crc: CRC-32 of the content.
        size: Bytes of the content.
        packed_size: Bytes in the archive.
        pieces: Those bytes.
    """

    method: int
    crc: int
    size: int
    packed_size: int
    pieces: Iterable[bytes]


def stored(content: bytes) -> Packed:
    """Return content as it is: what is compressed already, as PDFs are, gains next to nothing."""
    size = len(content)
    return Packed(_STORED, zlib.crc32(content), size, size, (content,))


class Deflating:
    """Content that comes bit by bit, compressed into a temporary file until it is complete."""

    def __init__(self) -> None:
        self._file = _temporary_file()
        self._compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        self._crc = 0
        self._size = 0

    def write(self, content: bytes) -> None:
        """Add to the content."""
        self._crc = zlib.crc32(content, self._crc)
        self._size += len(content)
        self._file.write(self._compressor.compress(content))

    def packed(self) -> Packed:
        """Return the whole content; nothing may be added any more."""
        self._file.write(self._compressor.flush())
        packed_size = self._file.tell()
        return Packed(_DEFLATED, self._crc, self._size, packed_size, _read(self._file))

    def close(self) -> None:
        """Remove the temporary file."""
        self._file.close()


class ZipStream:
    """An archive whose bytes are handed out as its members come.

    Args:
        zone: In which members tell their time to readers that know no time zones.
    """

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._directory = _temporary_file()
        self._offset = 0
        self._members = 0

    def member(self, name: str, moment: datetime, packed: Packed) -> Iterator[bytes]:
        """Yield the bytes of a member; all of them have to be taken before the next is begun.

        Args:
            name: Its path, with ``/`` between folders; no other member has it.
            moment: When it was last changed (aware).
            packed: Its content.
        """
        path = name.encode()
        is_large = packed.size >= _MOST_32 or packed.packed_size >= _MOST_32
        times = _extra_times(moment)
        sizes = _extra(0x0001, "<QQ", packed.size, packed.packed_size) if is_large else b""
        needed = _VERSION_OF_ZIP64 if is_large else _VERSION
        described = struct.pack(
            "<HHHHIII",
            _UTF_8,
            packed.method,
            *_dos_time(moment.astimezone(self._zone)),
            packed.crc,
            _MOST_32 if is_large else packed.packed_size,
            _MOST_32 if is_large else packed.size,
        )
        lengths = struct.pack("<HH", len(path), len(sizes) + len(times))
        begun_at = self._offset
        header = struct.pack("<IH", 0x04034B50, needed) + described + lengths  # 4.3.7
        yield self._counted(header + path + sizes + times)
        for piece in packed.pieces:
            yield self._counted(piece)
        self._enter(path, described, packed if is_large else None, times, begun_at)

    def end(self) -> Iterator[bytes]:
        """Yield the directory, which ends the archive."""
        begun_at = self._offset
        for piece in _read(self._directory):
            yield self._counted(piece)
        size = self._offset - begun_at
        if self._members >= _MOST_16 or begun_at >= _MOST_32 or size >= _MOST_32:
            yield self._end_of_zip64(begun_at, size)
        members = min(self._members, _MOST_16)
        yield struct.pack(  # 4.3.16
            "<IHHHHIIH",
            0x06054B50,
            0,
            0,
            members,
            members,
            min(size, _MOST_32),
            min(begun_at, _MOST_32),
            0,
        )

    def close(self) -> None:
        """Remove the temporary file."""
        self._directory.close()

    def _enter(
        self, path: bytes, described: bytes, large: Packed | None, times: bytes, begun_at: int
    ) -> None:
        """Write a member's entry in the directory (4.3.12)."""
        values = [] if large is None else [large.size, large.packed_size]
        offset = begun_at
        if begun_at >= _MOST_32:
            values.append(begun_at)
            offset = _MOST_32
        extra = (_extra(0x0001, f"<{len(values)}Q", *values) if values else b"") + times
        needed = _VERSION_OF_ZIP64 if values else _VERSION
        self._directory.write(
            struct.pack("<IHH", 0x02014B50, _MADE_ON_UNIX | _VERSION_OF_ZIP64, needed)
            + described
            + struct.pack("<HHHHHII", len(path), len(extra), 0, 0, 0, _FILE_MODE, offset)
            + path
            + extra
        )
        self._members += 1

    def _end_of_zip64(self, begun_at: int, size: int) -> bytes:
        """Return the end of a large archive's directory, and where that is (4.3.14, 4.3.15)."""
        record = struct.pack(
            "<IQHHIIQQQQ",
            0x06064B50,
            44,  # of what follows in this record
            _MADE_ON_UNIX | _VERSION_OF_ZIP64,
            _VERSION_OF_ZIP64,
            0,
            0,
            self._members,
            self._members,
            size,
            begun_at,
        )
        return record + struct.pack("<IIQI", 0x07064B50, 0, begun_at + size, 1)

    def _counted(self, piece: bytes) -> bytes:
        self._offset += len(piece)
        return piece


def _extra(kind: int, form: str, *values: int) -> bytes:
    """Return an extra field (4.5.1)."""
    data = struct.pack(form, *values)
    return struct.pack("<HH", kind, len(data)) + data


def _extra_times(moment: datetime) -> bytes:
    """Return the moment in seconds of UTC, as Info-ZIP keeps it ("UT"), if it can be told so."""
    second = int(moment.timestamp())
    return _extra(0x5455, "<Bi", 1, second) if 0 <= second <= _LAST_SECOND else b""


def _dos_time(local: datetime) -> tuple[int, int]:
    """Return time and date as MS-DOS has them: two seconds apart, from 1980 to 2107 (4.4.6)."""
    kept = min(max(local.replace(tzinfo=None), datetime(1980, 1, 1)), datetime(2107, 12, 31))  # noqa: DTZ001
    time = kept.hour << 11 | kept.minute << 5 | kept.second // 2
    return time, (kept.year - 1980) << 9 | kept.month << 5 | kept.day


#: The first moment that an archive can tell.
FIRST_MOMENT: Final = datetime(1980, 1, 1, tzinfo=UTC)


def _temporary_file() -> BinaryIO:
    return cast(BinaryIO, SpooledTemporaryFile(_IN_MEMORY))


def _read(file: BinaryIO) -> Iterator[bytes]:
    file.seek(0)
    while piece := file.read(_PIECE):
        yield piece
