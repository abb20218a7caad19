"""The installation as a whole: its log's key, its configurations, and what waits in it."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from testamur.domain.errors import TestamurError
from testamur.entrypoints.doctor.findings import Finding, Unwell, checked

if TYPE_CHECKING:
    from testamur.application.configurations import Configurations
    from testamur.domain.identifiers import ConfigurationId
    from testamur.entrypoints.container import Wiring
    from testamur.entrypoints.settings import Settings

#: What was recorded is sealed at the end of its run or at the next tick; ticks are minutes apart.
UNSEALED_AT_MOST: Final = timedelta(days=1)


def check_installation(settings: "Settings") -> Iterator[Finding]:
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
        yield checked(
            "log key",
            lambda: _log_key(wiring),
            "let the setting log_key lead to the log's own key; every host needs the same",
        )
        yield from _configurations(wiring)
        yield checked("approvals", lambda: _approvals(wiring), "")
        yield checked("withdrawals", lambda: _withdrawals(wiring), "")
        yield checked("corrections", lambda: _corrections(wiring), "")


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
        prepared = checked(
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
