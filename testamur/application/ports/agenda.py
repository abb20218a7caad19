"""Port: the agenda, what a tick is to look at now. It is the register's part that ticks move on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from testamur.application.ports.register import RunRow
from testamur.domain.identifiers import ConfigurationId


@dataclass(frozen=True, slots=True)
class AgendaRow:
    """An enabled configuration that is to be looked at now.

    Args:
        configuration_id: The configuration.
        label: ``SLUG CONTEXT_KEY``.
        version: Version of the last event of its stream that says when it runs.
        last_slot: The latest slot that a run of it was started for, if any.
    """

    configuration_id: ConfigurationId
    label: str
    version: int
    last_slot: datetime | None


@dataclass(frozen=True, slots=True)
class NextLook:
    """When a configuration is to be looked at again, as somebody found out who looked at it.

    Args:
        configuration_id: The configuration.
        version: That of the `AgendaRow`. If another event came since, nothing is changed: whoever
            looked did not know of it.
        at: Not before this moment (aware).
    """

    configuration_id: ConfigurationId
    version: int
    at: datetime


@dataclass(frozen=True, slots=True)
class DueReconciliation:
    """A configuration whose credentials are to be compared with today's verdicts now.

    Args:
        configuration_id: The configuration, enabled or not.
        label: ``SLUG CONTEXT_KEY``.
        due: Since when.
    """

    configuration_id: ConfigurationId
    label: str
    due: datetime


class Agenda(Protocol):
    """Says what is to be looked at; each question is one query, however many are enabled.

    What events change in it is changed in the same transaction: a configuration that is enabled,
    or whose schedule is changed, is to be looked at at once. Apart from that it holds no facts. If
    a `NextLook` is lost, a configuration is looked at once too often.
    """

    def to_look_at(self, now: datetime, latest: datetime) -> list[AgendaRow]:
        """Return the enabled configurations that are to be looked at, by label.

        These are those whose moment has come, and those whose type was retired.

        Args:
            now: The present moment (aware).
            latest: No next look that was set by a clock that goes right is after this moment; a
                configuration whose next look is, is returned too.
        """
        ...

    def look_again(self, looks: Sequence[NextLook]) -> None:
        """Write down when configurations are to be looked at again. Doing so twice is harmless."""
        ...

    def runs_to_resume(self, now: datetime) -> list[RunRow]:
        """Return runs that ended without a word, or failed and are to be tried again now.

        One that somebody carries out right now is among them. One that the schedule started is
        left out while its configuration is disabled, and any that waits for approval. The latest
        come first.
        """
        ...

    def to_reconcile(self, now: datetime) -> list[DueReconciliation]:
        """Return the configurations whose option ``reconcile`` has become due, the longest first.

        One stays due until its reconciliation is completed, or has failed and is to be tried later.
        """
        ...
