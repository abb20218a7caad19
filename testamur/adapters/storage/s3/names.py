"""What files are called in a bucket, and when they are downloaded."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import quote

#: What a name in quotes can hold without any doubt: printable ASCII but ``"``, ``%`` and ``\``.
_DOUBTFUL: Final = re.compile(r"[^ !#$&-\[\]-~]|/")

#: What no name of a file may hold, whatever the system: separators and control characters.
_FORBIDDEN: Final = re.compile(r"[/\\\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

#: attr-char of RFC 5987, section 3.2.1, besides letters and digits.
_ATTRIBUTE_CHARACTERS: Final = "!#$&+-.^_`|~"


@dataclass(frozen=True, slots=True)
class Names:
    """Names of objects in a bucket.

    Args:
        prefix: What they begin with; may be empty.
        archive_prefix: What those of archived files begin with.
    """

    prefix: str
    archive_prefix: str

    def public(self, key: str) -> str:
        """Return the name of the file of a key."""
        return f"{self.prefix}/{key}" if self.prefix else key

    def archived(self, key: str) -> str:
        """Return the name of the archived file of a key."""
        return f"{self.archive_prefix}/{key}"


def content_disposition(kind: Literal["attachment", "inline"], filename: str) -> str:
    """Return a Content-Disposition (RFC 6266) that names a file in any script.

    Where ASCII does not do, there are two names, one in ASCII for old programs, and the true one
    (section 4.3; RFC 5987).
    """
    safe = _FORBIDDEN.sub("_", filename) or "file"
    plain = unicodedata.normalize("NFKD", safe).encode("ascii", "ignore").decode()
    plain = _DOUBTFUL.sub("_", plain).strip()
    if plain == safe:
        return f'{kind}; filename="{plain}"'
    if not plain.partition(".")[0]:
        plain = f"file{plain}"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(safe, _ATTRIBUTE_CHARACTERS)}"
