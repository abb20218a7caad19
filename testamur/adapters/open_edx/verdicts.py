"""What a reply of an LMS means: its JSON, a refusal, or a failure that may pass."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from testamur.adapters.open_edx.addresses import redirection
from testamur.adapters.open_edx.errors import LmsError, LmsRefused, LmsUnavailable
from testamur.adapters.open_edx.options import OpenEdxOptions
from testamur.adapters.open_edx.replies import NotJson, Reply, json_of, one_line, refusal
from testamur.adapters.open_edx.retries import LONGEST_WAIT, TemporaryFailure, retry_after_seconds

_NOT_FOUND: Final = 404
_TOO_MANY: Final = 429


class Verdicts:
    """Judges the replies of one LMS.

    Args:
        options: Which LMS, and how hard it is asked.
    """

    def __init__(self, options: OpenEdxOptions) -> None:
        self._options = options
        self._secrets: tuple[str, ...] = (options.client_secret.get_secret_value(),)

    def keep_secret(self, token: str) -> None:
        """Take note of a token that no message may repeat, and forget the one before the last."""
        secret, *tokens = self._secrets
        self._secrets = (secret, token, *tokens[:1])

    def json(self, reply: Reply, what: str, advice: Mapping[int, str]) -> Any:
        """Return the JSON of a reply that says yes; None where it is empty.

        Args:
            reply: The reply.
            what: What was asked, for messages.
            advice: What to check where the LMS refuses, by status.

        Raises:
            LmsRefused: It says no (4xx).
            LmsError: It leads elsewhere (3xx).
            TemporaryFailure: It says that something is wrong on its side (5xx), or to slow down
                (429), or says yes in a way that cannot be read.
        """
        match reply.status // 100:
            case 2:
                try:
                    return json_of(reply)
                except NotJson as problem:
                    raise _unusable(what, str(problem)) from None
            case 3:
                location = reply.headers.get("location", "")
                raise LmsError(f"{what}: {redirection(location, self._options.url)}")
            case 4 if reply.status == _TOO_MANY:
                raise self._throttled(reply, what)
            case 4:
                raise self._refused(reply, what, self._advice(reply, advice))
            case _:
                seconds = _asked_to_wait(reply)
                asked_for = f" and asks to wait {seconds:.0f} s" if seconds is not None else ""
                raise _unusable(what, f"the LMS answered {reply.status}{asked_for}", seconds)

    def _throttled(self, reply: Reply, what: str) -> TemporaryFailure:
        seconds = _asked_to_wait(reply)
        asked_for = f"it asks to wait {seconds:.0f} s, and " if seconds is not None else ""
        refused = self._refused(
            reply,
            what,
            f"{asked_for}no more than {LONGEST_WAIT:.0f} s are waited; lower requests_per_minute"
            f" ({self._options.requests_per_minute}), or try again later",
        )
        return TemporaryFailure(lambda _: refused, retry_after=seconds, throttled=True)

    def _refused(self, reply: Reply, what: str, advice: str) -> LmsRefused:
        code, words = refusal(reply)
        for secret in self._secrets:
            code, words = code and code.replace(secret, "***"), words.replace(secret, "***")
        return LmsRefused(what, reply.status, code, one_line(words), advice=advice)

    def _advice(self, reply: Reply, advice: Mapping[int, str]) -> str:
        if reply.status == _NOT_FOUND and reply.content and not reply.is_json:
            return (
                f"there is no such address: check url ({self._options.url}), and that the LMS has"
                " the plugin that is asked"
            )
        return advice.get(reply.status, "")


def _unusable(what: str, reason: str, retry_after: float | None = None) -> TemporaryFailure:
    return TemporaryFailure(
        lambda attempts: LmsUnavailable(what, reason, attempts), retry_after=retry_after
    )


def _asked_to_wait(reply: Reply) -> float | None:
    return retry_after_seconds(reply.headers.get("retry-after"), datetime.now(UTC))
