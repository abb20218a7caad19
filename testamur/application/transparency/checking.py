"""Checking: the whole log is read again, and compared with whatever bears witness to it."""

from dataclasses import dataclass

from testamur.application.ports.audit import AuditRows, AuditTrail
from testamur.application.ports.deliveries import DeliveryLedger
from testamur.application.ports.event_store import EventStore
from testamur.application.ports.log import StoredLog
from testamur.application.ports.register import Register
from testamur.application.ports.transparency import HeadSigner, TreeStore
from testamur.application.progress import Progress, Step
from testamur.application.transparency.findings import Findings, LogReport
from testamur.application.transparency.heads import HeadCheck
from testamur.application.transparency.log_check import LogCheck
from testamur.application.transparency.message_check import MessageCheck
from testamur.application.transparency.notes import KeptHead
from testamur.application.transparency.register_check import RegisterCheck
from testamur.application.transparency.trail_check import TrailCheck


@dataclass(frozen=True, slots=True)
class Checking:
    """Finds what was altered, dropped, inserted or re-ordered."""

    events: EventStore
    log: StoredLog
    register: Register
    trail: AuditTrail
    audit_rows: AuditRows
    tree: TreeStore
    signer: HeadSigner
    ledger: DeliveryLedger

    def check(self, progress: Progress, kept: KeptHead | None = None) -> LogReport:
        """Go over the whole log, from its first event on.

        Each event is hashed as it is stored, and compared with its kept hash; each head's root
        with that of the events; each signature with the log's keys; each row of the register and
        of the audit trail with what the events say. Others may write meanwhile: what counts is
        what was there at the beginning.

        Args:
            progress: Is told how far it is.
            kept: A head that was kept elsewhere; it is trusted, and so are the keys beside it.

        Raises:
            InvalidInput: The installation's key cannot be read.
            EventStoreError: The database cannot be read.
        """
        findings = Findings()
        trail = TrailCheck(self.log, self.trail, self.audit_rows, findings)
        heads = HeadCheck(self.tree, self.signer, kept, findings)
        log = LogCheck(self.log, self.tree, heads.anchors(), findings)
        register = RegisterCheck(self.events, self.log, self.register, findings)
        messages = MessageCheck(self.events, self.ledger, findings)
        progress.expect(Step.VERIFY, log.size)
        for records in log.batches():
            register.check(records)
            messages.check(records)
            trail.check(records)
            progress.advance(Step.VERIFY, len(records))
        register.finish()
        trail.finish()
        return LogReport(
            events=log.read,
            sealed=log.sealed,
            heads=heads.count,
            trusted_key=heads.trusted_key,
            trail_to=trail.compared_to,
            findings=tuple(findings.told()),
            findings_count=findings.count(),
        )
