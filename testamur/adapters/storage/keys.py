"""What every storage asks of a file before it takes it."""

import hashlib
import re
from typing import Final

from testamur.application.ports.storage import AnyFile, StorableFile
from testamur.domain.errors import InvalidInput

LONGEST_KEY: Final = 200

_KEY = re.compile(r"[a-z0-9_-][a-z0-9._-]*(?:/[a-z0-9_-][a-z0-9._-]*)*")


def check_key(key: str) -> str:
    """Check and return a key.

    Raises:
        InvalidInput: It is not safe as a path, or too long.
    """
    if len(key) > LONGEST_KEY or not _KEY.fullmatch(key):
        raise InvalidInput(
            "key",
            key,
            f"at most {LONGEST_KEY} characters: parts of a-z, 0-9, '.', '_' and '-', none of them "
            "empty or beginning with '.', separated by '/'",
        )
    return key


def check_file(file: AnyFile) -> AnyFile:
    """Check and return a file that is to be stored.

    What is streamed is compared with its hash when it is read.

    Raises:
        InvalidInput: Its key is not allowed, or its content, if it is whole, and its hash do not
            agree.
    """
    check_key(file.key)
    if not isinstance(file, StorableFile):
        return file
    actual = hashlib.sha256(file.content).hexdigest()
    if file.sha256 != actual:
        raise InvalidInput(f"sha256 of {file.key}", file.sha256, f"{actual}, that of its content")
    return file
