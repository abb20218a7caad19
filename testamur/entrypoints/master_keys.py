"""The master keys that settings name, which learners' keys are wrapped under."""

from pathlib import Path
from typing import TYPE_CHECKING

from testamur.adapters.event_store.key_wrapping import ALLOWED, KeyWrapping, MasterKey
from testamur.domain.errors import InvalidInput, InvalidOptions

if TYPE_CHECKING:
    from pydantic import SecretStr

    from testamur.entrypoints.settings import Settings


def key_wrapping_of(settings: "Settings") -> KeyWrapping:
    """Return how learners' keys are wrapped; without a master key, they are not.

    Raises:
        InvalidOptions: A file cannot be read or holds no key, or a key is given twice over.
    """
    return KeyWrapping(
        _master_key("master_key", settings.master_key, settings.master_key_file),
        _master_key("master_key_next", settings.master_key_next, settings.master_key_next_file),
    )


def _master_key(setting: str, text: "SecretStr | None", file: Path | None) -> MasterKey | None:
    if text is not None and file is not None:
        raise _refused(f"{setting} and {setting}_file", "both", "one of the two")
    if text is not None:
        return MasterKey.parse(text.get_secret_value())
    if file is None:
        return None
    try:
        return MasterKey.parse(file.read_text(encoding="ascii"))
    except OSError as error:
        raise _refused(
            f"{setting}_file", str(file), f"a readable file ({error.strerror})"
        ) from None
    except ValueError:
        # Not the file's content: it may be a key all the same.
        raise _refused(f"{setting}_file", str(file), f"a file that holds {ALLOWED}") from None


def _refused(setting: str, value: str, allowed: str) -> InvalidOptions:
    return InvalidOptions("settings", [InvalidInput(setting, value, allowed)])
