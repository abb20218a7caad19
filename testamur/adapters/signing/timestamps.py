"""Time-stamps (RFC 3161): an authority's word that a signature existed at a moment."""

import ssl
import time
from typing import Any, ClassVar, Final

import httpx
from asn1crypto import cms, core, tsp
from pyhanko.sign.timestamps.api import TimeStamper

from testamur.adapters.signing.files import SigningKeyFiles
from testamur.application.errors import RenderingError

#: For each step of the exchange; authorities answer within a second or two.
TIMEOUT_SECONDS: Final = 10.0

#: An authority that kept one document waiting in vain is not asked again for so long, so that a
#: batch of documents does not wait for it one after the other; each is tried again later anyway.
PAUSE_SECONDS: Final = 30.0

_ANSWER_TYPE: Final = "application/timestamp-reply"


class _Answer(core.Sequence):  # type: ignore[misc] # asn1crypto has no types
    """A TimeStampResp (RFC 3161, 2.4.2); asn1crypto's own cannot do without the token."""

    _fields: ClassVar[list[Any]] = [
        ("status", tsp.PKIStatusInfo),
        ("time_stamp_token", cms.ContentInfo, {"optional": True}),
    ]


class TimestampAuthority(TimeStamper):
    """Asks a time-stamping authority over HTTP (RFC 3161, section 3.4).

    An answer counts if it grants a time-stamp for what was asked. Whether the authority is to be
    trusted is for verifiers to judge.

    Args:
        url: Its address.
        login: User name and password (HTTP Basic), if it asks for them.
        timeout_seconds: For each step of the exchange.
    """

    def __init__(
        self,
        url: str,
        login: tuple[str, str] | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._url = url
        self._login = login
        self._timeout = timeout_seconds
        self._trust = ssl.create_default_context()
        self._silent_until = 0.0

    @classmethod
    def of(cls, files: SigningKeyFiles) -> "TimestampAuthority | None":
        """Return the authority that a key's settings name, or None."""
        if files.timestamp_url is None:
            return None
        if files.timestamp_username is None or files.timestamp_password is None:
            return cls(files.timestamp_url)
        secret = files.timestamp_password.get_secret_value()
        return cls(files.timestamp_url, (files.timestamp_username, secret))

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        """Send a request, and return the answer if it grants what was asked.

        Raises:
            RenderingError: There is no answer, or not the one that was asked for; the reason is
                ``time-stamp``.
        """
        if time.monotonic() < self._silent_until:
            raise self._error("it did not answer in time a moment ago")
        content = await self._send(req.dump())
        try:
            self._refuse_another(req, _Answer.load(content, strict=True))
            return tsp.TimeStampResp.load(content)
        except (ValueError, TypeError, KeyError) as error:
            raise self._error("its answer is no time-stamp") from error

    async def _send(self, content: bytes) -> bytes:
        try:
            async with httpx.AsyncClient(
                auth=self._login, verify=self._trust, timeout=self._timeout
            ) as client:
                reply = await client.post(
                    self._url,
                    content=content,
                    headers={"Content-Type": "application/timestamp-query", "Accept": _ANSWER_TYPE},
                )
        except httpx.TimeoutException as error:
            self._silent_until = time.monotonic() + PAUSE_SECONDS
            raise self._error(f"no answer within {self._timeout:g} seconds") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._error(f"it cannot be reached: {error}") from error
        if reply.status_code != httpx.codes.OK:
            raise self._error(f"it answered {reply.status_code} {reply.reason_phrase}".strip())
        return reply.content

    def _refuse_another(self, asked: tsp.TimeStampReq, answer: _Answer) -> None:
        status = answer["status"]
        if status["status"].native != "granted":
            said = [
                *(status["status_string"].native or ()),
                *sorted(status["fail_info"].native or ()),
            ]
            raise self._error(f"it refused: {'; '.join(said) or status['status'].native}")
        stamped = answer["time_stamp_token"]["content"]["encap_content_info"]["content"].parsed
        if stamped["message_imprint"].native != asked["message_imprint"].native:
            raise self._error("its time-stamp is for something else")
        if stamped["nonce"].native != asked["nonce"].native:
            raise self._error("its time-stamp answers another request")

    def _error(self, what: str) -> RenderingError:
        return RenderingError("time-stamp", f"no time-stamp from {self._url}: {what}")
