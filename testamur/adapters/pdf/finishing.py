"""What is done to a document's bytes after it was drawn: first protection, then a signature."""

from collections.abc import Mapping
from typing import Protocol

from testamur.adapters.pdf.finishing_options import ProtectionOptions, SignatureOptions
from testamur.adapters.pdf.options import PdfOptions
from testamur.adapters.pdf.protection import Protection
from testamur.adapters.signing.files import SigningKeyFiles
from testamur.adapters.signing.keys import load_signing_key
from testamur.application.errors import RenderingError
from testamur.domain.errors import InvalidInput


class Finishing(Protocol):
    """One step. Its result differs each time: with the moment, or with a random password."""

    def finish(self, file: bytes) -> bytes:
        """Return the whole document after the step.

        Raises:
            RenderingError: It cannot be done now; trying again later may help.
        """
        ...


def finishing(options: PdfOptions, keys: Mapping[str, SigningKeyFiles]) -> tuple[Finishing, ...]:
    """Return the steps that options ask for, in their order, with keys read and checked.

    Args:
        options: The options.
        keys: Signing keys by name.

    Raises:
        InvalidInput: There is no such key, or it cannot be used.
        RenderingError: The key's certificate is not valid now, or what signs is not installed.
    """
    steps: list[Finishing] = []
    if isinstance(options.protection, ProtectionOptions):
        steps.append(Protection(options.protection))
    if options.signature is not None:
        steps.append(_signature(options.signature, keys))
    return tuple(steps)


def _signature(options: SignatureOptions, keys: Mapping[str, SigningKeyFiles]) -> Finishing:
    if options.key not in keys:
        allowed = ", ".join(sorted(keys)) or "none yet: the setting signing_keys names no key"
        raise InvalidInput("rendering.signature.key", options.key, allowed)
    files = keys[options.key]
    if options.timestamp and files.timestamp_url is None:
        allowed = f"false, or a key with an authority: signing_keys.{options.key}.timestamp_url"
        raise InvalidInput("rendering.signature.timestamp", True, allowed)
    key = load_signing_key(options.key, files)
    try:
        # Of an extra, and slow to import: only where it is asked for.
        from testamur.adapters.pdf.signing import Signature  # noqa: PLC0415
        from testamur.adapters.signing.timestamps import TimestampAuthority  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise RenderingError(
            "missing-extra",
            f"signatures need the extra signing, which is not installed ({error.name} is missing): "
            'pip install "testamur[signing]"',
        ) from error
    return Signature(options, key, TimestampAuthority.of(files) if options.timestamp else None)
