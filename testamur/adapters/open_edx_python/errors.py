"""Errors of calling the LMS in its own process.

A run's error is kept in the event log for good. What the platform's own errors say may name a
learner, so that messages give only their class; the error itself stays the cause.
"""

from testamur.application.errors import RetrievalError


class PlatformError(RetrievalError):
    """The platform cannot be asked in this process, or did not answer."""


class NotInsideThePlatform(PlatformError):
    """This process is not one of Open edX, or Django was not set up in it.

    Args:
        reason: What is missing.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"Testamur does not run inside an Open edX process: {reason}; use the HTTP source "
            "(open-edx), or start it with the LMS's own Python and settings, as a management "
            "command of the LMS is started"
        )


class PlatformPluginMissing(PlatformError):
    """A plugin of the platform that the answer needs is not there.

    Args:
        plugin: Import name of the plugin.
        needed_for: What cannot be answered without it.
    """

    def __init__(self, plugin: str, needed_for: str) -> None:
        self.plugin = plugin
        self.needed_for = needed_for
        super().__init__(
            f"the plugin {plugin} is needed for {needed_for} and not installed in this LMS (as a "
            "package, and among the INSTALLED_APPS)"
        )


class PlatformChanged(PlatformError):
    """The platform is there and not as it is known: its release is newer or older.

    Args:
        place: What was looked up, as ``module:name``.
        reason: What came of it.
    """

    def __init__(self, place: str, reason: str) -> None:
        self.place = place
        self.reason = reason
        super().__init__(
            f"this release of Open edX is not known: {place}: {reason}; "
            "testamur.adapters.open_edx_python.platform is the module to mend"
        )


class PlatformFailed(PlatformError):
    """The platform broke when it was asked.

    Args:
        what: What was asked for, as a phrase that follows "give".
        error: What it raised.
    """

    def __init__(self, what: str, error: Exception) -> None:
        self.what = what
        super().__init__(
            f"Open edX did not give {what}: {type(error).__name__}; the log of the LMS may say more"
        )


class NobodyHasGrades(PlatformError):
    """The platform gives grades for none of many learners, so that it cannot be about them.

    Args:
        course: Key of the course.
        count: How many learners were asked about.
        error: Class of the platform's error for one of them, if there was one.
    """

    def __init__(self, course: object, count: int, error: str | None) -> None:
        self.course = str(course)
        self.count = count
        self.error = error
        why = f" ({error})" if error else ""
        super().__init__(
            f"Open edX gives no grades for any of {count} learners of {course}{why}; the log of "
            "the LMS may say more"
        )


class UnknownContext(PlatformError):
    """The platform does not know the learning context that was asked for.

    Args:
        key: The context's key.
        reason: Why it is not known.
    """

    def __init__(self, key: object, reason: str) -> None:
        self.key = str(key)
        self.reason = reason
        super().__init__(f"{self.key}: {reason}")
