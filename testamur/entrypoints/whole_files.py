"""Files that appear under their name when they are complete, or not at all."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from testamur.domain.errors import InvalidInput

#: It may hold personal data, so it is for whoever made it alone.
_FILE_MODE: Final = 0o600


@contextmanager
def written_whole(file: Path, option: str) -> Iterator[int]:
    """Give a descriptor to write to; the file appears under its name when it is complete.

    What goes wrong in between leaves nothing behind, and a file that was there as it was.

    Args:
        file: Where to; a file that is there is replaced.
        option: What it was given as, for the error.

    Raises:
        InvalidInput: It cannot be written.
    """
    unfinished = file.with_name(f".{file.name}.{secrets.token_hex(4)}.part")
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE)
    except OSError as error:
        raise _not_writable(option, file, error) from None
    try:
        try:
            yield descriptor
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        try:
            unfinished.replace(file)
        except OSError as error:
            raise _not_writable(option, file, error) from None
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def _not_writable(option: str, file: Path, error: OSError) -> InvalidInput:
    return InvalidInput(option, str(file), f"a file that can be written ({error.strerror})")
