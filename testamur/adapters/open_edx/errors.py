"""Errors of asking an LMS."""

from testamur.application.errors import RetrievalError


class LmsError(RetrievalError):
    """The LMS cannot be asked, or its answer not be used."""


class LmsRefused(LmsError):
    """The LMS answered, and said no.

    Args:
        what: What was asked, for people to read, without anything personal.
        status: The HTTP status.
        code: The error code of the answer, such as ``feature_not_enabled``, if it has one.
        detail: What the answer says, as one line; it may name a learner.
        advice: What to check.
    """

    def __init__(
        self, what: str, status: int, code: str | None, detail: str, *, advice: str = ""
    ) -> None:
        self.what = what
        self.status = status
        self.code = code
        self.detail = detail
        self.advice = advice
        super().__init__(self._told(detail))

    def for_the_record(self) -> str:
        """Return the message without the LMS's own words, which may name a learner."""
        return self._told("")

    def _told(self, detail: str) -> str:
        told = ": ".join(filter(None, (self.code, detail)))
        said = f"{self.what}: the LMS answered {self.status}{f' ({told})' if told else ''}"
        return "; ".join(filter(None, (said, self.advice)))


class LmsUnavailable(LmsError):
    """The LMS gave no usable answer, however often it was asked.

    Args:
        what: What was asked, for people to read, without anything personal.
        reason: What happened the last time, as one line.
        attempts: How often it was asked.
    """

    def __init__(self, what: str, reason: str, attempts: int) -> None:
        self.what = what
        self.reason = reason
        self.attempts = attempts
        times = "once" if attempts == 1 else f"{attempts} times"
        super().__init__(f"{what}: {reason}; asked {times}")


class MalformedAnswer(LmsError):
    """The LMS answered in a form that is not the one expected.

    Args:
        what: What was asked, for people to read, without anything personal.
        field: The field, such as ``section_breakdown.score_earned``; empty for the whole answer.
        found: What was there, never the value itself: it may be personal.
        allowed: What is allowed.
    """

    def __init__(self, what: str, field: str, found: str, allowed: str) -> None:
        self.what = what
        self.field = field
        self.allowed = allowed
        where = f"the field {field}" if field else "the answer"
        super().__init__(f"{what}: {where} is {found}; expected: {allowed}")


class UnknownContext(LmsError):
    """The LMS does not know the learning context, or this source cannot.

    Args:
        key: The context's key.
        reason: Why it is not known.
    """

    def __init__(self, key: object, reason: str) -> None:
        self.key = str(key)
        super().__init__(f"{self.key}: {reason}")


class FeatureMissing(LmsError):
    """The LMS does not have, or not use, what the answer needs.

    Args:
        what: What cannot be read.
        remedy: What to install or to switch on.
    """

    def __init__(self, what: str, remedy: str) -> None:
        self.what = what
        self.remedy = remedy
        super().__init__(f"{what}; {remedy}")


class NotPermitted(LmsError):
    """The user of the OAuth2 application may not read what the answer needs.

    Args:
        what: What was asked.
        remedy: Which role the user needs.
    """

    def __init__(self, what: str, remedy: str) -> None:
        self.what = what
        self.remedy = remedy
        super().__init__(f"{what}: the user of the OAuth2 application may not read it; {remedy}")
