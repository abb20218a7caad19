"""Messages as files in a folder, to try things out, or for another program to send."""

import glob
import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final

from testamur.adapters.notification.messages import Message, MessageWriter
from testamur.application.errors import NotificationError
from testamur.application.ports.notification import (
    Delivered,
    Delivery,
    NotDelivered,
    Notification,
    StaffDelivery,
    StaffMessage,
    TemplateSet,
)

#: Leaves room for a hash and an ending in the 255 bytes that file systems allow.
LONGEST_NAME: Final = 150

_UNSAFE = re.compile(r"[^A-Za-z0-9._@+=-]+")


class OutboxNotifier:
    """Writes each message as an ``.eml`` file, which mail programs open.

    The same message again is the same file again. A file is written out of sight, flushed to the
    disk and then given its name, so that a program which watches the folder finds only whole ones.

    Args:
        folder: Where they go; made if it is not there.
        sender: Who the messages are from, e.g. ``University <certificates@example.org>``.
        templates: Folder with templates that go before the shipped ones.
        default_language: For learners whose language has no templates.

    Raises:
        InvalidInput: The sender has no address, or a template cannot be rendered.
    """

    def __init__(
        self,
        folder: Path,
        *,
        sender: str,
        templates: Path | None = None,
        default_language: str = "en",
    ) -> None:
        self._folder = folder.absolute()
        self._writer = MessageWriter(sender, templates, default_language)

    def deliver(self, notifications: Sequence[Notification]) -> Iterator[Delivery]:
        """Write messages in order, yielding the outcome of each as soon as it is known."""
        for notification in notifications:
            message = self._writer.write(notification)
            if isinstance(message, NotDelivered):
                yield message
                continue
            try:
                self._write(_file_name(notification.message_id), message)
            except OSError as error:
                detail = f"{self._folder} cannot be written: {error.strerror}"
                yield NotDelivered(notification, "outbox-not-writable", detail, "temporary")
            else:
                yield Delivered(notification)

    def deliver_to_staff(self, messages: Sequence[StaffMessage]) -> Iterator[StaffDelivery]:
        """Write messages to staff in order; each recipient's is a file of its own."""
        for number, each in enumerate(messages, start=1):
            message = self._writer.write_to_staff(each)
            if isinstance(message, StaffDelivery):
                yield message
                continue
            name = _file_name(each.message_id).removesuffix(".eml")
            try:
                self._write(f"{name}.{number}.eml", message)
            except OSError:
                yield StaffDelivery(each, "outbox-not-writable", "temporary")
            else:
                yield StaffDelivery(each)

    def try_out(self, templates: TemplateSet) -> None:
        """Make sure that templates of a configuration can be used.

        Raises:
            InvalidInput: One of them is missing or cannot be rendered.
        """
        self._writer.try_out(templates)

    def forget(self, message_ids: Sequence[str]) -> int:
        """Delete messages for good, those half written too, and return how many there were.

        Raises:
            NotificationError: A message could not be deleted.
        """
        found = 0
        try:
            for name in map(_file_name, message_ids):
                for half in self._folder.glob(f".{glob.escape(name)}.*.part"):
                    half.unlink(missing_ok=True)
                with suppress(FileNotFoundError):
                    (self._folder / name).unlink()
                    found += 1
            if self._folder.is_dir():
                _sync(self._folder)
        except OSError as error:
            raise NotificationError(
                f"a message in {self._folder} cannot be deleted: {error.strerror}; let it be a "
                "folder that this user may write"
            ) from error
        return found

    def check(self) -> str:
        """Write a file and remove it; return where messages go.

        Raises:
            NotificationError: The folder cannot be written.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with NamedTemporaryFile(dir=self._folder, prefix=".", suffix=".part") as trial:
                trial.write(b"trial")
                trial.flush()
        except OSError as error:
            raise NotificationError(
                f"{self._folder} cannot be written: {error.strerror}; let it be a folder that this "
                "user may write"
            ) from error
        return f"messages are written to {self._folder} as .eml files, and not sent"

    def _write(self, name: str, message: Message) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        # Readable by the owner only, as temporary files are: it is a letter to one person.
        with NamedTemporaryFile(
            dir=self._folder, prefix=f".{name}.", suffix=".part", delete=False
        ) as unnamed:
            try:
                unnamed.write(message.email.as_bytes())
                unnamed.flush()
                os.fsync(unnamed.fileno())
                Path(unnamed.name).replace(self._folder / name)
            except BaseException:
                with suppress(OSError):  # the first error is the one that matters
                    Path(unnamed.name).unlink()
                raise
        _sync(self._folder)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _file_name(message_id: str) -> str:
    plain = message_id.strip("<>")
    safe = _UNSAFE.sub("_", plain)[:LONGEST_NAME].lstrip(".")
    if safe != plain:  # then another id could look the same
        safe += f"-{hashlib.sha256(message_id.encode('utf-8', 'replace')).hexdigest()[:16]}"
    return f"{safe}.eml"
