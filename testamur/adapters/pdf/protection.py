"""Protection: an encrypted document that opens without a password, and is not to be changed.

Viewers keep to what is allowed (ISO 32000-2, 7.6.4.2); a program that does not can change the
document all the same. Only a signature shows that.
"""

import secrets
from io import BytesIO
from typing import Final

import pikepdf

from testamur.adapters.pdf.finishing_options import ProtectionOptions

#: The revision of the standard security handler that is AES-256 (ISO 32000-2, 7.6.4).
AES_256: Final = 6

#: Bytes of the owner's password, which nobody knows: it is not kept.
_SECRET_BYTES: Final = 32


class Protection:
    """Encrypts documents, with permissions.

    Each time with another key and password, so that the same document never has the same bytes.

    Args:
        options: What readers may do.
    """

    def __init__(self, options: ProtectionOptions) -> None:
        self._permissions = pikepdf.Permissions(
            accessibility=True,  # PDF/UA-1, 7.16
            extract=options.copying,
            modify_annotation=False,
            modify_assembly=False,
            modify_form=False,
            modify_other=False,
            print_lowres=options.printing,
            print_highres=options.printing,
        )

    def finish(self, file: bytes) -> bytes:
        """Return the document encrypted."""
        protected = BytesIO()
        encryption = pikepdf.Encryption(
            owner=secrets.token_urlsafe(_SECRET_BYTES),
            user="",
            R=AES_256,
            allow=self._permissions,
        )
        with pikepdf.open(BytesIO(file)) as pdf:
            pdf.save(protected, encryption=encryption)
        return protected.getvalue()
