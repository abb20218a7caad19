"""Tokens of OAuth2 client credentials: issued, checked, and really expiring."""

import json
import math
import secrets
import time
from base64 import b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from dataclasses import dataclass
from re import Match
from threading import Lock
from typing import TYPE_CHECKING, Literal

from examples.stand_in_lms.exchange import (
    Answer,
    Family,
    Request,
    developer_error,
    json_answer,
    plain_error,
)

if TYPE_CHECKING:
    from examples.stand_in_lms.site import Site

_SCOPE = "read write email profile"
_REALM = (("WWW-Authenticate", 'JWT realm="api"'),)


@dataclass(frozen=True, slots=True)
class Token:
    """A token that was issued; the moment is of the monotonic clock."""

    kind: Literal["JWT", "Bearer"]
    good_until: float


class Tokens:
    """All tokens that were issued and not taken back."""

    def __init__(self) -> None:
        self._issued: dict[str, Token] = {}
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._issued)

    def issue(self, kind: Literal["JWT", "Bearer"], life_seconds: float, username: str) -> str:
        """Make a token."""
        text = _jwt(username, life_seconds) if kind == "JWT" else secrets.token_urlsafe(22)
        with self._lock:
            self._issued[text] = Token(kind, time.monotonic() + life_seconds)
        return text

    def take_back(self) -> None:
        """Let every token issued so far be refused, as after a change of the signing key."""
        with self._lock:
            for text, token in self._issued.items():
                self._issued[text] = Token(token.kind, 0)

    def find(self, text: str) -> Token | None:
        """Return the token, if it was issued."""
        return self._issued.get(text)


def token_view(site: "Site", request: Request, _: Match[str]) -> Answer:
    """Issue a token to the client."""
    form = request.form()
    given = _basic(request.headers.get("authorization", "")) or (
        form.get("client_id", ""),
        form.get("client_secret", ""),
    )
    if given != (site.client_id, site.client_secret):
        return json_answer({"error": "invalid_client"}, 401)
    if form.get("grant_type") != "client_credentials":
        return json_answer({"error": "unsupported_grant_type"}, 400)
    wanted = request.headers.get("x-token-type") or form.get("token_type", "")
    kind: Literal["JWT", "Bearer"] = "JWT" if wanted.lower() == "jwt" else "Bearer"
    life = site.faults.token_life_seconds
    return json_answer(
        {
            "access_token": site.tokens.issue(kind, life, site.service_username),
            "expires_in": max(1, math.ceil(life)),
            "token_type": kind,
            "scope": form.get("scope", _SCOPE),
        }
    )


def refusal(
    tokens: Tokens, request: Request, family: Family, *, takes_bearer: bool
) -> Answer | None:
    """Return the answer to a request that may not be answered; None: it may.

    A JWT sent as ``Bearer`` is looked up as an opaque token, and not found.
    """
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    token = tokens.find(text)
    kind = {"jwt": "JWT", "bearer": "Bearer"}.get(scheme.lower())
    if kind is None or (kind == "Bearer" and not takes_bearer):
        return _unauthorized(family, "Authentication credentials were not provided.")
    if token is not None and token.kind == kind and token.good_until > time.monotonic():
        return None
    if kind == "JWT":
        return _unauthorized(family, "Invalid token.")
    expired = token is not None and token.kind == "Bearer"
    told = {
        "error_code": "token_expired" if expired else "token_nonexistent",
        "developer_message": "The provided access token has expired and is no longer valid."
        if expired
        else "The provided access token does not match any valid tokens.",
    }
    return developer_error(401, told) if family == "developer" else json_answer(told, 401, _REALM)


def _unauthorized(family: Family, message: str) -> Answer:
    if family == "developer":
        return developer_error(401, message)
    return plain_error(401, message, _REALM)


def _basic(header: str) -> tuple[str, str] | None:
    scheme, _, text = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, secret = b64decode(text, validate=True).decode().partition(":")
    except (NotBase64, UnicodeDecodeError):
        return ("", "")
    return name, secret


def _jwt(username: str, life_seconds: float) -> str:
    now = time.time()
    claims = {
        "iss": "https://lms.example.org/oauth2",
        "preferred_username": username,
        "iat": int(now),
        "exp": int(now + life_seconds),
        "jti": secrets.token_hex(8),
    }
    parts = (_encoded({"alg": "HS256", "typ": "JWT"}), _encoded(claims), secrets.token_urlsafe(32))
    return ".".join(parts)


def _encoded(value: object) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
