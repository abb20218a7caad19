"""Searching bytes for text in whatever way it may be written there."""

import quopri
from base64 import b64encode
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus


def writings_of(text: str) -> set[bytes]:
    """Return how a text may stand among bytes: encoded, escaped, or as a part of base 64."""
    raw = text.encode()
    escaped = text.encode("unicode_escape")
    found = {
        raw,
        text.encode("utf-16-le"),
        text.encode("utf-16-be"),
        quote(text).encode(),
        quote_plus(text).encode(),
        raw.hex().encode(),
        raw.hex().upper().encode(),
        text.encode("utf-16-be").hex().encode(),
        text.encode("utf-16-be").hex().upper().encode(),
        quopri.encodestring(raw).strip(),
        quopri.encodestring(raw, header=True).strip(),
        escaped,
        escaped.replace(b"\\x", b"\\u00"),
        *_parts_of_base64(raw),
        *_parts_of_base64(text.encode("utf-16-le")),
    }
    return {each for each in found if len(each) > 3}


def found_in(content: bytes, texts: Iterable[str]) -> list[str]:
    """Return which of the texts are somewhere in the content, whatever they are written like."""
    # Lines of mails are folded inside of base 64 and quoted-printable.
    unfolded = content.replace(b"=\r\n", b"").replace(b"=\n", b"")
    joined = content.replace(b"\r\n", b"").replace(b"\n", b"")
    return [
        text
        for text in texts
        if any(each in content or each in unfolded or each in joined for each in writings_of(text))
    ]


def files_below(folder: Path) -> Iterator[Path]:
    """Yield all files in a folder, at any depth, hidden ones too."""
    yield from (path for path in sorted(folder.rglob("*")) if path.is_file())


def _parts_of_base64(raw: bytes) -> Iterator[bytes]:
    """Yield what is the same in the base 64 of anything that the bytes are a part of."""
    for offset in range(3):
        encoded = b64encode(bytes(offset) + raw)
        start = 0 if offset == 0 else 4
        end = len(encoded) - 4 if (offset + len(raw)) % 3 else len(encoded)
        yield encoded[start:end]
