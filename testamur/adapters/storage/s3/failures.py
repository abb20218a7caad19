"""What can go wrong with a server: which of it may pass, and what it means for people."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from xml.etree.ElementTree import ParseError

from minio.error import InvalidResponseError, MinioException, S3Error, ServerError
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
    SSLError,
)

from testamur.adapters.storage.s3.connection import NoCredentials
from testamur.adapters.storage.s3.options import S3Options

#: Whatever the SDK raises: its own errors, those of the connection, and those of answers that are
#: not what they should be.
FAILURES: Final = (MinioException, HTTPError, ParseError, ValueError, OSError, NoCredentials)


class Damaged(ValueError):
    """What came is not what was stored."""


#: The request failed, and the same request may succeed in a moment.
_TEMPORARY_CODES: Final = frozenset(
    {
        "BadDigest",  # the bytes were damaged on the way
        "XAmzContentSHA256Mismatch",
        "ConditionalRequestConflict",
        "InternalError",
        "OperationAborted",
        "RequestTimeout",
        "ServiceUnavailable",
        "SlowDown",
        "TooManyRequests",
    }
)

_TEMPORARY_STATUS: Final = frozenset({429, 500, 502, 503, 504})

_MISSING: Final = frozenset({"NoSuchKey", "NoSuchVersion", "ResourceNotFound"})

_OF_REGIONS: Final = frozenset(
    {"AuthorizationHeaderMalformed", "PermanentRedirect", "Redirect", "TemporaryRedirect"}
)

#: Code of S3 -> what it means, and what to do.
_MEANINGS: Final[Mapping[str, str]] = {
    "AccessDenied": (
        "the access key may not do this, or its time does not agree with the server's; give it the "
        "rights in the guide store-on-s3, and try `testamur doctor`"
    ),
    "ExpiredToken": "the credentials have expired; renew them",
    "InvalidAccessKeyId": "the server does not know the access key; mend access_key, or endpoint",
    "InvalidToken": "the session token is not that of the access key; renew the credentials",
    "ObjectLockConfigurationNotFoundError": "object_lock needs a bucket that was made with it",
    "NoSuchBucket": "there is no bucket {bucket}; make it, or mend the option bucket",
    "SignatureDoesNotMatch": (
        "the secret key is not that of the access key, or something on the way changes the "
        "requests; mend secret_key, or let proxies keep the header Host"
    ),
    "QuotaExceeded": "the bucket is full",
    "XMinioStorageFull": "the server's disks are full",
}


def is_temporary(error: Exception) -> bool:
    """Return whether the same request may succeed in a moment."""
    if isinstance(error, S3Error):
        return error.code in _TEMPORARY_CODES or error.response.status in _TEMPORARY_STATUS
    if isinstance(error, ServerError):
        return error.status_code in _TEMPORARY_STATUS
    if isinstance(error, SSLError | NameResolutionError):
        return False  # a certificate or a name does not mend itself
    # An answer that is no XML is one of something on the way.
    return isinstance(error, HTTPError | InvalidResponseError | ParseError | Damaged)


def is_missing(error: S3Error) -> bool:
    """Return whether there is no such file."""
    return error.code in _MISSING


def meaning(error: Exception, options: S3Options) -> str:
    """Return what an error means and what to do about it, for people to read."""
    if isinstance(error, S3Error):
        return _of_answer(error, options)
    if isinstance(error, NoCredentials):
        return (
            "there are no credentials: set access_key and secret_key, or one of the other places "
            f"that the option access_key tells of ({error})"
        )
    if isinstance(error, HTTPError):
        return _of_connection(error, options)
    text = " ".join(str(error).split())
    return text[:300] or type(error).__name__


def _of_answer(error: S3Error, options: S3Options) -> str:
    code = error.code or ""
    if code == "RequestTimeTooSkewed":
        return (
            f"the clock of this machine is wrong{_skew(error)}; let it be set by a time server, "
            f"or see to the server's ({code})"
        )
    if code in _OF_REGIONS:
        region = _region(error)
        of = f"{region}; set region to that" if region else "another region; mend the option region"
        return f"the bucket {options.bucket} is in the region {of} ({code})"
    if code.startswith("KMS"):
        return f"the server cannot use kms_key: {error.message} ({code})"
    known = _MEANINGS.get(code)
    if known is not None:
        return f"{known.format(bucket=options.bucket)} ({code})"
    hint = ""
    if code == "InvalidRequest" and options.object_lock != "none":
        hint = "; object_lock needs a bucket that was made with it"
    elif code == "NotImplemented" and options.server_side_encryption != "none":
        hint = "; the server may not know server_side_encryption"
    return f"the server says: {error.message or 'nothing'} ({code}){hint}"


def _of_connection(error: HTTPError, options: S3Options) -> str:
    where = options.endpoint or "Amazon S3"
    if isinstance(error, NameResolutionError):
        return f"there is no host of the name {where}; mend endpoint"
    # The order counts: these are one another's subclasses.
    if isinstance(error, NewConnectionError):
        return f"{where} cannot be reached: {_innermost(error)}"
    if isinstance(error, ConnectTimeoutError | ReadTimeoutError):
        return f"{where} did not answer within {options.timeout_seconds:g} s"
    if isinstance(error, SSLError):
        reason = str(error)
        if "WRONG_VERSION_NUMBER" in reason or "record layer" in reason.casefold():
            return f"{where} does not speak TLS; set secure to false if it is not meant to"
        return f"the certificate of {where} is not trusted ({_innermost(error)}); see ca_file"
    if isinstance(error, ProtocolError):
        return f"the connection to {where} was cut off"
    return f"{type(error).__name__}: {str(error)[:300]}"


def clock_skew_seconds(date_header: str | None) -> float | None:
    """Return by how much this machine's clock is ahead of that of a server.

    Args:
        date_header: The ``Date`` of an answer that came just now (whole seconds).

    Returns:
        None where the answer had no date that can be read.
    """
    if date_header is None:
        return None
    try:
        at = parsedate_to_datetime(date_header)
    except ValueError:
        return None
    return (_now() - (at if at.tzinfo else at.replace(tzinfo=UTC))).total_seconds()


def _now() -> datetime:
    return datetime.now(UTC)


def _skew(error: S3Error) -> str:
    seconds = clock_skew_seconds(error.response.headers.get("Date"))
    if seconds is None:
        return ""
    return f": it is {abs(seconds):,.0f} s {'ahead of' if seconds > 0 else 'behind'} the server's"


def _region(error: S3Error) -> str | None:
    named: str | None = error.response.headers.get("x-amz-bucket-region")
    found = re.search(rb"<Region>([A-Za-z0-9_-]+)</Region>", error.response.data or b"")
    told = re.search(r"(?:expecting|use region) '?([A-Za-z0-9_-]+)", error.message or "")
    return named or (found and found[1].decode()) or (told and told[1]) or None


def _innermost(error: BaseException) -> str:
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return getattr(error, "strerror", None) or str(error)[:200]
