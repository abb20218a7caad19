"""Deliveries: what became of messages to learners, and what people decide about them."""

from collections.abc import Iterator
from typing import Final

from testamur.application.delivering import Deliveries
from testamur.application.ports.deliveries import DeliveryFilter, DeliveryRow
from testamur.application.silences import Silences
from testamur.domain.credentials import MessageKey, Notice
from testamur.domain.identifiers import CredentialId, LearnerId, parse_learner_id
from testamur.entrypoints.library.acting import Acting

_PAGE: Final = 500


class DeliveringMessages(Acting):
    """Looks after messages to learners."""

    def deliveries(self, where: DeliveryFilter | None = None) -> Iterator[DeliveryRow]:
        """Yield the messages that a filter lets through, in the order of the awards."""
        deliveries = self._wiring.resolve(Deliveries)
        after: DeliveryRow | None = None
        while page := deliveries.find(where or DeliveryFilter(), _PAGE, after):
            yield from page
            after = page[-1]

    def resend(
        self,
        id_: CredentialId,
        reason: str,
        *,
        notice: Notice | None = None,
        sequence: int = 0,
    ) -> MessageKey:
        """Have a message sent once more, by the next tick. See `Deliveries.resend`.

        Raises:
            NotFound: There is no such credential.
            InvalidInput: The reason is empty or holds an e-mail address.
            DecisionRefused: There is no such message, it still waits, is not true any more, or
                would not be sent.
        """
        deliveries = self._wiring.resolve(Deliveries)
        return deliveries.resend(id_, reason, self._request(), notice, sequence)

    def suppress(
        self, id_: CredentialId, reason: str, *, notice: Notice | None = None
    ) -> list[MessageKey]:
        """Keep messages that wait from being sent, and return which. See `Deliveries.suppress`.

        Raises:
            NotFound: There is no such credential.
            InvalidInput: The reason is empty or holds an e-mail address.
            DecisionRefused: None waits.
        """
        return self._wiring.resolve(Deliveries).suppress(id_, reason, self._request(), notice)

    def suppress_learner(self, learner_id: str, reason: str) -> None:
        """Send a learner no messages any more, such as after a complaint.

        Raises:
            InvalidInput: The id is malformed, or the reason is empty or holds an e-mail address.
        """
        checked = parse_learner_id(learner_id)
        self._wiring.resolve(Deliveries).silence(checked, reason, self._request())

    def lift_suppression(self, learner_id: str, reason: str) -> None:
        """Let a learner get messages again; what was not sent meanwhile can be resent.

        Raises:
            InvalidInput: The id is malformed, or the reason is empty or holds an e-mail address.
            DecisionRefused: The learner's messages are not suppressed.
        """
        checked = parse_learner_id(learner_id)
        self._wiring.resolve(Deliveries).lift(checked, reason, self._request())

    def suppressed_learners(self) -> list[LearnerId]:
        """Return the learners who get no messages."""
        return self._wiring.resolve(Silences).all()

    def record_bounce(self, message_id: str, reason: str) -> tuple[CredentialId, MessageKey]:
        """Record that a message came back, and return which it was. See `Deliveries.bounced`.

        Raises:
            InvalidInput: It is none of our Message-IDs, or the reason holds an e-mail address.
            NotFound: There is no such credential.
            DecisionRefused: It was never sent.
        """
        return self._wiring.resolve(Deliveries).bounced(message_id, reason, self._request())

    def record_bounce_report(self, report: bytes) -> tuple[CredentialId, MessageKey]:
        """Record that a message came back, as a mail server reports it (RFC 3464).

        Args:
            report: The mail message that came back.

        Raises:
            InvalidInput: It is no such report, or is about no message of ours.
            NotFound, DecisionRefused: As :meth:`record_bounce`.
        """
        from testamur.adapters.notification.bounces import read_bounce

        bounce = read_bounce(report)
        return self.record_bounce(bounce.message_id, bounce.status)
