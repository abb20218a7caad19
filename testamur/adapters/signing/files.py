"""Where a signing key lies: the files, passwords and addresses that settings give. Nothing is read.

Importing this loads no cryptography, so that settings can be read quickly.
"""

from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    SecretStr,
    model_validator,
)


def _given(path: object) -> object:
    if path == "":
        raise ValueError("a path; leave it out where there is none")
    return path


def _one_or_several(paths: object) -> object:
    # A variable in the environment holds one text.
    return [paths] if isinstance(paths, str | Path) else paths


def _without_login(url: str) -> str:
    try:
        parts = urlsplit(url)
        has_place, has_login = bool(parts.hostname), "@" in parts.netloc
    except ValueError:
        has_place, has_login, parts = False, False, urlsplit("")
    if parts.scheme not in ("https", "http") or not has_place or url != url.strip():
        raise ValueError("an address that begins with https:// or http://, and a host")
    if has_login:
        raise ValueError("an address alone; the login is timestamp_username, timestamp_password")
    return url


_File = Annotated[Path, BeforeValidator(_given)]


class SigningKeyFiles(BaseModel):
    """One signing key, in one of two forms: a PKCS #12 file, or a private key and a certificate.

    Args:
        pkcs12: File with the private key, its certificate and its chain (``.p12``, ``.pfx``).
        private_key: Private key (PEM), instead of `pkcs12`.
        certificate: Its certificate (PEM); further ones in the file belong to the chain.
        chain: Certificates (PEM) between the certificate and the root that verifiers trust.
        password: Of the PKCS #12 file or the private key, where they have one.
        timestamp_url: Time-stamping authority (RFC 3161).
        timestamp_username: For the login there (HTTP Basic), if it asks for one.
        timestamp_password: For that login.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    pkcs12: _File | None = None
    private_key: _File | None = None
    certificate: _File | None = None
    chain: Annotated[tuple[_File, ...], BeforeValidator(_one_or_several)] = ()
    password: SecretStr | None = None
    timestamp_url: Annotated[str, AfterValidator(_without_login)] | None = None
    timestamp_username: str | None = None
    timestamp_password: SecretStr | None = None

    @model_validator(mode="after")
    def _has_one_form(self) -> Self:
        pem = (self.private_key, self.certificate)
        if (self.pkcs12 is None) == (pem == (None, None)) or pem.count(None) == 1:
            raise ValueError("pkcs12, or private_key together with certificate")
        return self

    @model_validator(mode="after")
    def _login_is_whole(self) -> Self:
        if (self.timestamp_username is None) != (self.timestamp_password is None):
            raise ValueError("timestamp_username and timestamp_password, both or neither")
        if self.timestamp_username is not None and self.timestamp_url is None:
            raise ValueError("timestamp_url beside timestamp_username and timestamp_password")
        return self
