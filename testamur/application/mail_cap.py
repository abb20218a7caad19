"""The cap: no more messages within any hour than the installation allows, whoever sends them."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from testamur.application.installation import Installation
from testamur.application.ports.deliveries import DeliveryLedger
from testamur.application.ports.system import Clock, WorkLocks

#: Held by whoever sends where there is a cap: what others send at the same time counts too.
MAIL_CAP: Final = "mail cap"

#: How long a batch of messages waits for another one.
PATIENCE_SECONDS: Final = 60.0

_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class MailCap:
    """Counts what was sent within the last hour."""

    ledger: DeliveryLedger
    locks: WorkLocks
    clock: Clock
    installation: Installation

    def hold(self) -> AbstractContextManager[None]:
        """Keep others from sending while the context lasts, where there is a cap.

        Raises:
            AlreadyRunning: Others send for longer than a batch waits.
        """
        if self.installation.mail_cap_per_hour is None:
            return nullcontext()
        return self.locks.hold(MAIL_CAP, PATIENCE_SECONDS)

    def room(self) -> int | None:
        """Return how many more may be sent now; None: any number."""
        most = self.installation.mail_cap_per_hour
        if most is None:
            return None
        return max(most - self.ledger.sent_since(self.clock.now() - _HOUR), 0)
