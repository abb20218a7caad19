"""Importing this uses the library once, so that what is forked from here has nothing to load.

Only modules and what they keep for the whole process stay behind: files and connections are closed,
and no thread goes on, which a fork would not survive.
"""

import threading
from pathlib import Path
from tempfile import TemporaryDirectory

from testamur import Testamur
from tests.support.crashing import issue, reissue, revoke
from tests.support.installation import (
    completion_type,
    configure_completion,
    settings_in,
    write_course,
)


def _use(folder: Path) -> None:
    write_course(folder / "source", eligible=["Ann Example"])
    with Testamur.open(settings_in(folder), actor="user:registrar") as testamur:
        configure_completion(testamur)
        issue(testamur)
        other = completion_type().model_copy(update={"name": "Diploma"})
        testamur.revise_type("completion", other)
        reissue(testamur)
        revoke(testamur)


with TemporaryDirectory(prefix="testamur-used-once-") as name:
    _use(Path(name))
if threading.active_count() > 1:
    raise RuntimeError(f"no thread may go on: {threading.enumerate()}")
