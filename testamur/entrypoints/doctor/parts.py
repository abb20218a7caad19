"""The parts that settings lead to: each is tried by itself, whether there are others or not."""

import hashlib
import os
import zoneinfo
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from testamur.entrypoints.doctor.findings import Finding, Unwell, checked

if TYPE_CHECKING:
    from testamur.adapters.files import FileRetrievalSource
    from testamur.application.ports.storage import ArtifactStorage
    from testamur.entrypoints.settings import LoadedSettings, Settings

#: Where storage is tried; no credential or asset lies there.
PROBE_KEY: Final = "probe/doctor"

#: So many problems of the data files are counted; `testamur source check` shows them.
MOST_PROBLEMS: Final = 50


def check_parts(loaded: "LoadedSettings") -> Iterator[Finding]:
    """Try whatever the settings lead to, one part after the other.

    Args:
        loaded: The settings, and where each was found.

    Yields:
        What each check found, as soon as it is known.
    """
    settings = loaded.settings
    yield checked("settings", lambda: _settings(loaded), "")
    yield checked("time zone", lambda: _time_zone(settings), "install the package tzdata")
    yield checked(
        "database",
        lambda: _database(settings),
        f"see that {settings.database_location} can be reached and written, and is Testamur's own",
    )
    yield checked(
        "storage",
        lambda: _storage(settings),
        f"see that {settings.files_folder} can be written, and that there is room on its disk"
        if settings.storage == "local"
        else "mend the settings storage and storage_options, or what they lead to",
    )
    yield checked(
        "data source",
        lambda: _source(settings),
        "mend the settings source and source_options, or what they lead to"
        if settings.source_folder is None
        else "mend the files in source_folder",
    )
    yield checked("notifier", lambda: _notifier(settings), "mend the settings that it names")
    if settings.queue != "inline":
        yield checked(
            "queue",
            lambda: _queue(settings),
            f"see that {settings.queue} can be reached, and its login is right",
        )
    yield from _plugins()


def _settings(loaded: "LoadedSettings") -> str:
    origins = sorted(set(loaded.origins.values()))
    if not origins:
        return "all at their defaults"
    return f"{len(loaded.origins)} set in {' and '.join(origins)}, the others at their defaults"


def _time_zone(settings: "Settings") -> str:
    now = datetime.now(UTC).astimezone(zoneinfo.ZoneInfo(settings.time_zone))
    known = len(zoneinfo.available_timezones())
    if not known:
        raise Unwell("there is no time zone data", "install the package tzdata")
    return f"{settings.time_zone}, now {now:%Y-%m-%d %H:%M}; {known} zones known"


def _database(settings: "Settings") -> str:
    from testamur.entrypoints.databases import try_database
    from testamur.entrypoints.setting_values import PostgresUrl

    file = settings.database_location
    if not isinstance(file, PostgresUrl) and not file.exists():
        _see_that_it_can_be_made(file)
        return f"{file} is not there yet; the first command that needs it makes it"
    found = try_database(settings)
    if not found.durable:
        raise Unwell(
            f"{found.status.address} can be written, but a power failure may destroy it: fsync or "
            "full_page_writes is off",
            "set fsync = on and full_page_writes = on in postgresql.conf, and restart the server",
        )
    status = found.status
    where = f"{status.address} ({status.software}, schema {status.schema_version})"
    if not status.schema_version:
        return f"{where} has no tables yet; the first command that needs them makes them"
    return f"{where} can be written; {status.events:,} events"


def _storage(settings: "Settings") -> str:
    from testamur.entrypoints.choices import storage_choice
    from testamur.entrypoints.plugins import Plugins

    choice = storage_choice(settings, Plugins())
    place = choice.name
    if choice.name == "local":
        place = str(settings.files_folder)
        if not settings.files_folder.exists():
            _see_that_it_can_be_made(settings.files_folder)
            return f"{place} is not there yet; the first command that needs it makes it"
    with ExitStack() as resources:
        storage = choice.made(resources)
        check = getattr(storage, "check", None)
        if check is not None:
            return f"{choice.name}: {check()}"
        _try_storage(storage, place)
    return f"{place}: a file was written, read and deleted"


def _try_storage(storage: "ArtifactStorage", place: str) -> None:
    from testamur.application.ports.storage import StorableFile

    content = b"Written by `testamur doctor`; it deletes this again.\n"
    sha256 = hashlib.sha256(content).hexdigest()
    try:
        storage.put([StorableFile(PROBE_KEY, content, sha256, "text/plain")])
        if storage.get(PROBE_KEY) != content:
            raise Unwell(
                f"{place} gave back other bytes than it was given", "see to the disk at once"
            )
    finally:
        storage.delete([PROBE_KEY])


def _see_that_it_can_be_made(path: Path) -> None:
    nearest = next(each for each in path.absolute().parents if each.exists())
    if not (nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)):
        raise Unwell(
            f"{path} is not there, and cannot be made in {nearest}",
            f"let {nearest} be a folder that this user may write, or name another",
        )


def _source(settings: "Settings") -> str:
    from testamur.adapters.files import FileRetrievalSource
    from testamur.entrypoints.choices import source_choice
    from testamur.entrypoints.plugins import Plugins

    choice = source_choice(settings, Plugins())
    if choice is None:
        raise Unwell(
            "none is set",
            "set source to a plugin's name, or source_folder to a folder with data files",
        )
    with ExitStack() as resources:
        source = choice.made(resources)
        if isinstance(source, FileRetrievalSource):
            return f"{settings.source_folder or choice.name}: {_data_files(source)}"
        check = getattr(source, "check", None)
        found = check() if check is not None else "is there, and has no check of its own"
    return f"{choice.name}: {found}"


def _data_files(source: "FileRetrievalSource") -> str:
    report = source.check(MOST_PROBLEMS)
    if not report.good:
        count = f"{len(report.problems)}{'' if report.complete else ' or more'}"
        first = report.problems[0]
        raise Unwell(
            f"problems in the data files: {count}, the first: {first}",
            "see all with `testamur source check`, and mend the files",
        )
    rows = sum(report.counts.values())
    return f"{len(report.counts)} tables with {rows:,} rows, nothing wrong"


def _notifier(settings: "Settings") -> str:
    from testamur.entrypoints.choices import notifier_choice
    from testamur.entrypoints.plugins import Plugins

    choice = notifier_choice(settings, Plugins())
    with ExitStack() as resources:
        return f"{choice.name}: {choice.made(resources).check()}"


def _queue(settings: "Settings") -> str:
    from testamur.adapters.dramatiq_queue import DramatiqQueue, redis_client
    from testamur.entrypoints.setting_values import RedisUrl

    if not isinstance(settings.queue, RedisUrl):
        raise AssertionError("asked for where there is a queue only")
    client = redis_client(settings.queue.reveal())
    with closing(DramatiqQueue(client, settings.queue_namespace)) as queue:
        about, lasting = queue.check(), queue.is_lasting()
        if not lasting:
            raise Unwell(
                f"{about}: what is queued is lost when the server ends",
                "set appendonly yes in its configuration; until then, ticks find what was lost",
            )
        waiting = ", ".join(f"{name} {count:,}" for name, count in queue.waiting().items())
    return f"{about}; messages: {waiting}"


def _plugins() -> Iterator[Finding]:
    """Look at those that were installed; whoever chooses a broken one is refused."""
    from testamur.entrypoints.plugins import OWN, BrokenPlugin, Group, Plugins, load

    plugins = Plugins()
    usable = 0
    for plugin in [each for group in Group for each in plugins.all(group)]:
        if plugin.distribution == OWN:
            continue
        try:
            load(plugin)
        except BrokenPlugin as broken:
            remedy = f"upgrade or uninstall {plugin.distribution}; all but this plugin works"
            yield Finding("plugin", False, str(broken), remedy)
        else:
            usable += 1
    yield Finding(
        "plugins", True, f"{usable or 'none'} usable besides those that come with Testamur"
    )
