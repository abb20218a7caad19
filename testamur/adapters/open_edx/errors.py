"""Errors of asking an LMS."""

from testamur.application.errors import RetrievalError


class LmsError(RetrievalError):
    """The LMS cannot be asked, or its answer not be used."""


class LmsRefused(LmsError):
    """The LMS answered, and said no.

    Args:
        what: What was asked, for people to read.
        status: The HTTP status.
        code: The error code of the answer, such as ``feature_not_enabled``, if it has one.
        detail: What the answer says, as one line.
    """

    def __init__(self, what: str, status: int, code: str | None, detail: str) -> None:
        self.what = what
        self.status = status
        self.code = code
        self.detail = detail
        told = ": ".join(filter(None, (code, detail)))
        super().__init__(f"{what}: the LMS answered {status}{f' ({told})' if told else ''}")
