"""Use cases of deliveries: look at the ledger, send again, suppress, record what came back."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from testamur.application.aggregates import append_and_evolve, load
from testamur.application.configurations import Configurations
from testamur.application.errors import ConcurrencyConflict
from testamur.application.ports.deliveries import DeliveryFilter, DeliveryLedger, DeliveryRow
from testamur.application.ports.event_store import EventStore
from testamur.application.ports.system import Clock
from testamur.application.requests import Request
from testamur.application.silences import Silences
from testamur.domain.credentials import (
    TELL_OF_THE_ISSUE,
    Credential,
    CredentialEvent,
    CredentialStatus,
    MessageKey,
    Notice,
    decide_bounced,
    decide_notification,
    decide_resend,
    decide_suppress,
    evolve,
    key_of,
    pending_messages,
    subject_of,
)
from testamur.domain.credentials.events import NotificationRequested
from testamur.domain.erasures import parse_reason
from testamur.domain.errors import DecisionRefused, InvalidInput, NotFound
from testamur.domain.identifiers import CredentialId, LearnerId

#: A decision that loses against another writer this often in a row means that something is wrong.
MOST_CONFLICTS: Final = 20

_MESSAGE_ID: Final = re.compile(
    r"<?(?P<notice>issued|revoked|reissued|expiring|recertified)\."
    r"(?:(?P<sequence>[0-9]{1,9})\.(?P<request>[0-9]{1,9})\.)?"
    r"(?P<credential>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})@[^<>@\s]+>?"
)

_WHY_NOT: Final = {
    "switched-off": "its configuration tells learners nothing of the kind (options notification)",
    "suppressed": "the learner's messages are suppressed; lift that first",
    "no-address": "the learner has no address, or was erased",
    "inactive-account": "the learner's account was not active when it was awarded",
}


@dataclass(frozen=True, slots=True)
class Deliveries:
    """Keeps the ledger of messages in people's hands."""

    events: EventStore
    ledger: DeliveryLedger
    configurations: Configurations
    silences: Silences
    clock: Clock

    def find(
        self, where: DeliveryFilter, limit: int, after: DeliveryRow | None = None
    ) -> Sequence[DeliveryRow]:
        """Return messages by credential, in the order of the awards, page by page.

        Args:
            where: Which.
            limit: The most to return.
            after: The last message of the page before.
        """
        return self.ledger.deliveries(where, limit, after)

    def resend(
        self,
        id_: CredentialId,
        reason: str,
        request: Request,
        notice: Notice | None = None,
        sequence: int = 0,
    ) -> MessageKey:
        """Have a message sent once more, whatever became of it, and return which it is.

        It is a new message, with a Message-ID and attempts of its own; the next pass sends it.

        Args:
            id_: Which credential it is about.
            reason: Why.
            request: Who asks.
            notice: What it tells; None: what the learner was told last of how the credential
                stands.
            sequence: Which of that kind.

        Raises:
            NotFound: There is no such credential.
            InvalidInput: The reason is empty or holds an e-mail address.
            DecisionRefused: There is no such message, it still waits, is not true any more, or
                would not be sent; nothing was written.
        """
        checked = parse_reason(reason)

        def decide(state: Credential) -> list[CredentialEvent]:
            decided = decide_resend(state, notice or _usual(state), sequence, checked)
            asked = next(each for each in decided if isinstance(each, NotificationRequested))
            self._require_sendable(evolve(state, asked), key_of(asked))
            return decided

        decided = self._decide(id_, decide, request)
        return next(key_of(each) for each in decided if isinstance(each, NotificationRequested))

    def suppress(
        self, id_: CredentialId, reason: str, request: Request, notice: Notice | None = None
    ) -> list[MessageKey]:
        """Keep the messages about a credential that wait from being sent; return which they were.

        One that is on its way to the mail server at this moment cannot be called back.

        Args:
            id_: Which credential they are about.
            reason: Why.
            request: Who asks.
            notice: Only those that tell this; None: all.

        Raises:
            NotFound: There is no such credential.
            InvalidInput: The reason is empty or holds an e-mail address.
            DecisionRefused: None waits.
        """
        checked = parse_reason(reason)
        suppressed: list[MessageKey] = []

        def decide(state: Credential) -> list[CredentialEvent]:
            suppressed[:] = [key for key in pending_messages(state) if notice in (None, key.notice)]
            if not suppressed:
                raise DecisionRefused(subject_of(state), "no such message waits to be sent")
            return [event for key in suppressed for event in decide_suppress(state, key, checked)]

        self._decide(id_, decide, request)
        return suppressed

    def silence(self, learner_id: LearnerId, reason: str, request: Request) -> None:
        """Send a learner no messages any more. See `Silences.silence`."""
        self.silences.silence(learner_id, reason, request)

    def lift(self, learner_id: LearnerId, reason: str, request: Request) -> None:
        """Let a learner get messages again. See `Silences.lift`."""
        self.silences.lift(learner_id, reason, request)

    def bounced(
        self, message_id: str, reason: str, request: Request
    ) -> tuple[CredentialId, MessageKey]:
        """Record that a message came back undelivered, and return which it was.

        No further message about the credential is sent by itself.

        Args:
            message_id: Its Message-ID.
            reason: Why, such as the status 5.1.1 (RFC 3463); without the address.
            request: Who asks.

        Raises:
            InvalidInput: It is none of our Message-IDs, or the reason holds an e-mail address.
            NotFound: There is no such credential.
            DecisionRefused: It was never sent.
        """
        id_, key = parse_message_id(message_id)
        checked = parse_reason(reason)
        self._decide(id_, lambda state: decide_bounced(state, key, checked), request)
        return id_, key

    def _decide(
        self,
        id_: CredentialId,
        decide: Callable[[Credential], list[CredentialEvent]],
        request: Request,
    ) -> list[CredentialEvent]:
        for _ in range(MOST_CONFLICTS):
            known = load(self.events, id_, evolve)
            if known.state is None:
                raise NotFound("credential", str(id_))
            decided = decide(known.state)
            try:
                append_and_evolve(
                    self.events, known, decided, request.attribution(self.clock), evolve
                )
            except ConcurrencyConflict:
                continue  # it was sent, or revoked, in this moment
            return decided
        raise ConcurrencyConflict([id_])

    def _require_sendable(self, state: Credential, key: MessageKey) -> None:
        options = self.configurations.notification(state.awarded.configuration_id)
        learner_id = state.awarded.learner_id
        why_not = decide_notification(
            state,
            switched_on=options.tells(key.notice),
            suppressed=bool(self.silences.among([learner_id])),
            key=key,
        )
        if why_not is not None:
            told = _WHY_NOT.get(why_not, why_not)
            raise DecisionRefused(subject_of(state), f"the message would not be sent: {told}")


def parse_message_id(text: str) -> tuple[CredentialId, MessageKey]:
    """Return the credential and the message that a Message-ID names.

    Args:
        text: With or without angle brackets.

    Raises:
        InvalidInput: It is none that messages to learners have.
    """
    parts = _MESSAGE_ID.fullmatch(text.strip())
    if parts is None:
        # It is not shown whole: whatever it is, it may be somebody's address.
        allowed = "the Message-ID of a message to a learner, such as <issued.…@example.org>"
        raise InvalidInput("message id", f"{text[:1]}…", allowed)
    notice: Notice = parts["notice"]  # type: ignore[assignment]  # the pattern has no others
    key = MessageKey(notice, int(parts["sequence"] or 0), int(parts["request"] or 1))
    return CredentialId(UUID(parts["credential"])), key


def _usual(state: Credential) -> Notice:
    """Return what a learner is told of how the credential stands."""
    if state.status is CredentialStatus.REVOKED:
        return "revoked"
    told = (key.notice for key in state.messages if key.notice in TELL_OF_THE_ISSUE)
    return next(told, "issued")
