"""The doctor: tries every part that an installation is wired to, and says how to mend it."""

import hashlib
import os
import zoneinfo
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from testamur.domain.errors import InvalidOptions, TestamurError

if TYPE_CHECKING:
    from testamur.adapters.files import FileRetrievalSource
    from testamur.application.configurations import Configurations
    from testamur.application.ports.storage import ArtifactStorage
    from testamur.domain.identifiers import ConfigurationId
    from testamur.entrypoints.container import Wiring
    from testamur.entrypoints.settings import LoadedSettings, Settings

#: Where storage is tried; no credential or asset lies there.
PROBE_KEY: Final = "probe/doctor"

#: So many problems of the data files are counted; `testamur source check` shows them.
MOST_PROBLEMS: Final = 50

#: What was recorded is sealed at the end of its run or at the next tick; ticks are minutes apart.
UNSEALED_AT_MOST: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found.

    Args:
        subject: What was checked.
        ok: Whether it is as it should be.
        found: What was found.
        remedy: How to mend it; empty where all is well.
    """

    subject: str
    ok: bool
    found: str
    remedy: str = ""


class Unwell(TestamurError):
    """A part works, and is not as it should be.

    Args:
        found: What was found.
        remedy: How to mend it.
    """

    def __init__(self, found: str, remedy: str) -> None:
        self.found = found
        self.remedy = remedy
        super().__init__(found)


def examine(load: "Callable[[], LoadedSettings]") -> Iterator[Finding]:
    """Check everything, one part after the other; a part that fails keeps none from being tried.

    Args:
        load: Reads the settings.

    Yields:
        What each check found, as soon as it is known.
    """
    try:
        loaded = load()
    except TestamurError as error:
        problems = error.problems if isinstance(error, InvalidOptions) else [error]
        for problem in problems:
            yield Finding("settings", False, str(problem), "mend the setting and check again")
        return
    settings = loaded.settings
    yield _checked("settings", lambda: _settings(loaded), "")
    yield _checked("time zone", lambda: _time_zone(settings), "install the package tzdata")
    yield _checked(
        "database",
        lambda: _database(settings),
        f"see that {settings.database_location} can be reached and written, and is Testamur's own",
    )
    yield _checked(
        "storage",
        lambda: _storage(settings),
        f"see that {settings.files_folder} can be written, and that there is room on its disk"
        if settings.storage == "local"
        else "mend the settings storage and storage_options, or what they lead to",
    )
    yield _checked(
        "data source",
        lambda: _source(settings),
        "mend the settings source and source_options, or what they lead to"
        if settings.source_folder is None
        else "mend the files in source_folder",
    )
    yield _checked("notifier", lambda: _notifier(settings), "mend the settings that it names")
    if settings.queue != "inline":
        yield _checked(
            "queue",
            lambda: _queue(settings),
            f"see that {settings.queue} can be reached, and its login is right",
        )
    yield from _plugins()
    yield from _installation(settings)


def _checked(subject: str, check: Callable[[], str], remedy: str) -> Finding:
    try:
        return Finding(subject, True, check())
    except Unwell as error:
        return Finding(subject, False, error.found, error.remedy)
    except TestamurError as error:
        return Finding(subject, False, str(error), remedy)
    except Exception as error:  # noqa: BLE001 - whatever it met, the checks after it still run
        return Finding(subject, False, f"{type(error).__name__}: {error}", remedy)


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


def _installation(settings: "Settings") -> Iterator[Finding]:
    """Check what takes the whole installation to look at, once there is one."""
    from testamur.entrypoints.container import Wiring
    from testamur.entrypoints.databases import is_set_up

    if not is_set_up(settings):
        return
    try:
        wiring = Wiring.of(settings)
    except TestamurError as error:
        for subject in ("log key", "configurations"):
            yield Finding(subject, False, f"not tried: {error}", "mend what failed above")
        return
    with closing(wiring):
        yield _checked(
            "log key",
            lambda: _log_key(wiring),
            "let the setting log_key lead to the log's own key; every host needs the same",
        )
        yield from _configurations(wiring)
        yield _checked("approvals", lambda: _approvals(wiring), "")
        yield _checked("withdrawals", lambda: _withdrawals(wiring), "")
        yield _checked("corrections", lambda: _corrections(wiring), "")


def _log_key(wiring: "Wiring") -> str:
    from testamur.adapters.log_key import LogKeyFile
    from testamur.application.ports.log import StoredLog
    from testamur.application.ports.system import Clock
    from testamur.application.ports.transparency import HeadSigner, TreeStore

    signer, tree = wiring.resolve(HeadSigner), wiring.resolve(TreeStore)
    ours, keys, head = signer.public_key(), tree.keys(), tree.latest_head()
    if keys and ours != keys[-1].public_key:
        raise Unwell(
            f"the log is sealed with the key {keys[-1].key_id}, and the setting log_key leads to "
            + ("another" if ours else "none"),
            "let log_key lead to the log's own key; if that is lost, run `testamur audit "
            "rotate-key --lost`",
        )
    if isinstance(signer, LogKeyFile) and signer.is_open_to_others():
        raise Unwell(
            f"others than its owner may read or write the log's key {signer.file}",
            f"run `chmod 600 {signer.file}`; if others may have read it, also `testamur audit "
            "rotate-key`",
        )
    sealed_to = head.size if head else 0
    unsealed = wiring.resolve(StoredLog).outlines(sealed_to, 1)
    if unsealed:
        since = unsealed[0].attribution.at
        if wiring.resolve(Clock).now() - since > UNSEALED_AT_MOST:
            raise Unwell(
                f"event {sealed_to + 1} and those after it are not sealed, the first since "
                f"{since:%Y-%m-%d %H:%M} UTC",
                "run `testamur audit seal`; see that `testamur tick` runs, and what it reports",
            )
    if head is None:
        return "nothing is sealed yet; the key is made when it is first needed"
    return (
        f"{head.key_id} is the log's own; the latest head is of {head.size:,} events, "
        f"{head.at:%Y-%m-%d %H:%M} UTC"
    )


def _configurations(wiring: "Wiring") -> Iterator[Finding]:
    from testamur.application.configurations import Configurations

    configurations = wiring.resolve(Configurations)
    ready = 0
    for id_, configuration in configurations.all(enabled_only=True):
        prepared = _checked(
            "configuration",
            partial(_prepare, configurations, id_),
            "change its options or assets; see `testamur configuration show`",
        )
        if prepared.ok:
            ready += 1
        else:
            name = f"{configuration.type_slug} for {configuration.context_key}"
            yield replace(prepared, found=f"{name}: {prepared.found}")
    yield Finding("configurations", True, f"{ready:,} enabled and ready")


def _approvals(wiring: "Wiring") -> str:
    from testamur.application.ports.register import Register

    waiting = wiring.resolve(Register).runs_to_approve()
    if not waiting:
        return "no run waits for approval"
    oldest = waiting[-1]
    count = "1 run waits" if len(waiting) == 1 else f"{len(waiting):,} runs wait"
    raise Unwell(
        f"{count} for approval, the longest since {oldest.started_at:%Y-%m-%d %H:%M} UTC; "
        "no slot of their configurations is started meanwhile",
        f"look at it with `testamur run status {oldest.run_id}`, and approve or reject it",
    )


def _corrections(wiring: "Wiring") -> str:
    from testamur.application.correcting import Correcting

    waiting = wiring.resolve(Correcting).count_waiting()
    if not waiting:
        return "no correction waits for a decision"
    return f"{waiting:,} proposed by reconciliations wait; see `testamur correction list`"


def _withdrawals(wiring: "Wiring") -> str:
    from testamur.application.ports.storage import ArchivingStorage, ArtifactStorage
    from testamur.application.withdrawing import Withdrawing

    waiting = wiring.resolve(Withdrawing).pending()
    can_archive = isinstance(wiring.resolve(ArtifactStorage), ArchivingStorage)
    if waiting and can_archive:
        raise Unwell(
            f"{waiting:,} credentials were revoked or superseded, and their documents may still be "
            "in their public places",
            "see that `testamur tick` runs, and what it reports",
        )
    if waiting:
        raise Unwell(
            f"{waiting:,} credentials were revoked or superseded, and their documents stay in "
            "their public places: this storage cannot put files away",
            "choose a storage that can, as local and s3 do, or take the files away yourself; "
            "`testamur credential list --status revoked` shows which",
        )
    if not can_archive:
        return "none waits; this storage cannot put files away, so revoked documents would stay"
    return "no document of a credential that has ended waits to be put away"


def _prepare(configurations: "Configurations", id_: "ConfigurationId") -> str:
    configurations.prepare(id_)
    return "ready"
