"""Where the processes of one worker keep their metrics together: files in a folder of their own.

`prometheus_client` looks for the folder in the environment when it is imported, and adds up what
all processes wrote there. The folder goes by the main process, which all others come of. That one
may have the same number as another before it, as in a container that was started again, so its
start is a part of the name.
"""

import multiprocessing
import os
import re
import shutil
import stat
import tempfile
from pathlib import Path
from typing import Final

from testamur.application.errors import StorageError

_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
_PREFIX: Final = "testamur-metrics"
_NAME: Final = re.compile(rf"{_PREFIX}-\d+-(\d+)-(\d+)")

#: Of the fields of proc_pid_stat(5) after the process's name: when it was started.
_START: Final = 19


def share_metrics() -> Path:
    """Let this process and those beside it keep metrics together, and return where.

    Before anything imports `prometheus_client`.

    Raises:
        StorageError: The folder cannot be made, or is somebody else's.
    """
    parent = multiprocessing.parent_process()
    main = os.getpid() if parent is None or parent.pid is None else parent.pid
    folder = _folder(main)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise StorageError(
            f"the folder for metrics {folder} cannot be made: {error.strerror}"
        ) from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise StorageError(f"{folder} is not a folder of this user; remove it")
    os.environ[_VARIABLE] = str(folder)
    return folder


def remove_own() -> None:
    """Remove the folder of those that this main process started, once all of them have ended."""
    shutil.rmtree(_folder(os.getpid()), ignore_errors=True)


def remove_leftovers() -> None:
    """Remove the folders of this user whose main process has ended."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}-{os.getuid()}-*"):
        found = _NAME.fullmatch(folder.name)
        if found and _started(int(found[1])) != int(found[2]):
            shutil.rmtree(folder, ignore_errors=True)


def _folder(main: int) -> Path:
    return Path(tempfile.gettempdir()) / f"{_PREFIX}-{os.getuid()}-{main}-{_started(main)}"


def _started(process: int) -> int:
    """Return when a process was started, in ticks; 0 where that cannot be told."""
    try:
        # The name may have spaces and parentheses in it.
        told = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
        return int(told.rpartition(")")[2].split()[_START])
    except OSError:
        return 0
