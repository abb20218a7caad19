"""Where a signing key lies: files, a token, passwords, addresses. Nothing is read or opened.

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


def _one_line(text: str) -> str:
    if not text or text != text.strip() or not text.isprintable():
        raise ValueError("a name, without spaces around it")
    return text


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

_Label = Annotated[str, AfterValidator(_one_line)]


class SigningKeyFiles(BaseModel):
    """One signing key, in one of three forms: PKCS #12, PEM, or hardware (PKCS #11).

    Args:
        pkcs12: File with the private key, its certificate and its chain (``.p12``, ``.pfx``).
        private_key: Private key (PEM), instead of `pkcs12`.
        certificate: Its certificate (PEM); further ones in the file belong to the chain.
        chain: Certificates (PEM) between the certificate and the root that verifiers trust.
        pkcs11_module: Library of the hardware's vendor, instead of both.
        token_label: Name of the token there that holds the key.
        key_label: Name of the private key in the token.
        certificate_label: Name of its certificate in the token; by default that of the key.
            The file `certificate` may stand in its place.
        pkcs11_pin: For the login to the token.
        pkcs11_pin_file: File with that PIN, instead of it.
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
    pkcs11_module: _File | None = None
    token_label: _Label | None = None
    key_label: _Label | None = None
    certificate_label: _Label | None = None
    pkcs11_pin: SecretStr | None = None
    pkcs11_pin_file: _File | None = None
    password: SecretStr | None = None
    timestamp_url: Annotated[str, AfterValidator(_without_login)] | None = None
    timestamp_username: str | None = None
    timestamp_password: SecretStr | None = None

    @model_validator(mode="after")
    def _has_one_form(self) -> Self:
        # Of each form: what it needs, and what else belongs to it.
        forms = (
            ({"pkcs12"}, {"password"}),
            ({"private_key", "certificate"}, {"password"}),
            (
                {"pkcs11_module", "token_label", "key_label"},
                {"certificate", "certificate_label", "pkcs11_pin", "pkcs11_pin_file"},
            ),
        )
        of_any = set[str]().union(*(needed | more for needed, more in forms))
        given = {part for part in of_any if getattr(self, part) is not None}
        if not any(needed <= given <= needed | more for needed, more in forms):
            raise ValueError(
                "pkcs12, or private_key together with certificate, or pkcs11_module together with "
                "token_label and key_label; each with what belongs to it alone"
            )
        for one, other in (("certificate", "certificate_label"), ("pkcs11_pin", "pkcs11_pin_file")):
            if "pkcs11_module" in given and {one, other} <= given:
                raise ValueError(f"{one} or {other}, not both")
        return self

    @model_validator(mode="after")
    def _login_is_whole(self) -> Self:
        if (self.timestamp_username is None) != (self.timestamp_password is None):
            raise ValueError("timestamp_username and timestamp_password, both or neither")
        if self.timestamp_username is not None and self.timestamp_url is None:
            raise ValueError("timestamp_url beside timestamp_username and timestamp_password")
        return self
