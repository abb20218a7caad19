"""The template cache: backgrounds, each made once for all processes that use the same folder.

Whoever may write into the folder decides what documents look like, as with the database beside it:
the hashes in it find what was damaged, not what was forged.
"""

import logging
import os
import time
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Final
from uuid import uuid4

from testamur.adapters.pdf.backgrounds import Background, BackgroundParts
from testamur.adapters.pdf.template_entries import BrokenEntry, read, written

#: Backgrounds kept in memory, each as large as its template: two for each of the eight renderers
#: that a thread keeps prepared.
MOST_IN_MEMORY: Final = 16

#: What the folder may hold: some nine hundred templates of the usual 275 KB, or a dozen of the
#: largest that are seen, and less than a thousandth of a small server's disk.
MOST_MEBIBYTES: Final = 256

SUFFIX: Final = ".template"

#: What is still half written after an hour was left by a process that is gone.
LEFTOVER_SECONDS: Final = 3600

_INCOMING: Final = ".part"

#: The umask can only take away from these, as with the documents.
_FILE_MODE: Final = 0o640
_FOLDER_MODE: Final = 0o750

_log: Final = logging.getLogger(__name__)


class TemplateCache:
    """Gives backgrounds that were made before, here or in another process. For any thread.

    A background that is refused is not kept: it is tried, and refused, each time.

    Args:
        folder: Where they are kept on disk; None: in memory only.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = None if folder is None else TemplateFolder(folder)
        self._kept: OrderedDict[str, Background] = OrderedDict()
        self._turns: dict[str, Lock] = {}
        self._lock = Lock()

    def background(self, parts: BackgroundParts) -> Background:
        """Return the background of these parts; threads that ask at once wait for the first.

        Raises:
            InvalidInput, RenderingError: As `BackgroundParts.made`.
        """
        key = parts.key()
        with self._lock:
            kept = self._remembered(key)
            if kept is not None:
                return kept
            turn = self._turns.setdefault(key, Lock())
        with turn:
            try:
                return self._found_or_made(key, parts)
            finally:
                with self._lock:
                    self._turns.pop(key, None)

    def _remembered(self, key: str) -> Background | None:
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
        return kept

    def _found_or_made(self, key: str, parts: BackgroundParts) -> Background:
        with self._lock:
            found = self._remembered(key)
        if found is not None:
            return found
        found = None if self._folder is None else self._folder.get(key)
        if found is None:
            found = parts.made()
            if self._folder is not None:
                self._folder.put(key, found)
        with self._lock:
            self._kept[key] = found
            if len(self._kept) > MOST_IN_MEMORY:
                self._kept.popitem(last=False)
        return found


class TemplateFolder:
    """Backgrounds in a folder, a file for each.

    Any number of processes may use it at once, and it may be emptied at any time. A folder that
    cannot be used costs time and nothing else; a warning in the log says so, once.

    Args:
        folder: The folder; made when it is first written.
        most_bytes: What the files may take in all. Beyond it, those that were not used for the
            longest time are removed.
    """

    def __init__(self, folder: Path, most_bytes: int = MOST_MEBIBYTES * 1024 * 1024) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._warned = False

    def get(self, key: str) -> Background | None:
        """Return what is kept under a key, or None."""
        path = self._path(key)
        try:
            file = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            self._warn("read", error)
            return None
        try:
            background = read(key, file)
        except BrokenEntry as error:
            _log.warning("the compiled template %s is not used but made again: %s", path, error)
            return None
        with suppress(OSError):  # without it, those that were made first are removed first
            os.utime(path)
        return background

    def put(self, key: str, background: Background) -> None:
        """Keep a background, unless it takes more than all of them may."""
        content = written(key, background)
        if len(content) > self._most_bytes:
            return
        try:
            self._folder.mkdir(_FOLDER_MODE, parents=True, exist_ok=True)
            self._write(self._path(key), content)
            self._remove_oldest()
        except OSError as error:
            self._warn("written", error)

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}{SUFFIX}"

    def _write(self, path: Path, content: bytes) -> None:
        """Write a file out of sight, then give it its name; a crash may cost it, hence no sync."""
        incoming = self._folder / f"{uuid4().hex}{_INCOMING}"
        try:
            with open(incoming, "xb", opener=_create) as file:
                file.write(content)
            incoming.replace(path)
        except BaseException:
            with suppress(OSError):  # the first error is what matters
                incoming.unlink()
            raise

    def _remove_oldest(self) -> None:
        used: list[tuple[int, Path, int]] = []
        abandoned = time.time() - LEFTOVER_SECONDS
        for path in self._folder.iterdir():
            with suppress(FileNotFoundError):  # another process may be doing the same
                found = path.stat(follow_symlinks=False)
                if path.suffix == SUFFIX:
                    used.append((found.st_mtime_ns, path, found.st_size))
                elif path.suffix == _INCOMING and found.st_mtime < abandoned:
                    path.unlink()
        too_many = sum(size for _, _, size in used) - self._most_bytes
        for _, path, size in sorted(used):
            if too_many <= 0:
                break
            path.unlink(missing_ok=True)
            too_many -= size

    def _warn(self, done: str, error: OSError) -> None:
        if not self._warned:
            self._warned = True
            _log.warning(
                "compiled templates cannot be %s in %s: %s; each process compiles its own, which "
                "costs it a fraction of a second",
                done,
                self._folder,
                error.strerror or error,
            )


def _create(path: str, flags: int) -> int:
    return os.open(path, flags, _FILE_MODE)
