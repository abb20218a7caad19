"""Retention: which learners nothing has happened to for so long that they may be erased."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from testamur.application.following import Following
from testamur.application.mentions import Mentions
from testamur.application.ports.register import CredentialFilter, Register
from testamur.application.ports.secret_keys import SecretKeys
from testamur.application.ports.system import Clock
from testamur.domain.credentials import CredentialStatus
from testamur.domain.errors import InvalidInput
from testamur.domain.identifiers import LearnerId


@dataclass(frozen=True, slots=True)
class InactiveLearner:
    """A learner whom no event has named for long.

    Args:
        learner_id: Who.
        credentials: How many credentials of theirs there are that are not erased.
    """

    learner_id: LearnerId
    credentials: int


@dataclass(frozen=True, slots=True)
class Retention:
    """Finds learners whose data is kept for longer than it is needed."""

    following: Following
    mentions: Mentions
    register: Register
    keys: SecretKeys
    clock: Clock

    def inactive(self, since: datetime) -> Iterator[InactiveLearner]:
        """Yield learners whom no event has named since a moment, by id.

        Those of whom nothing personal is held, because they were erased, are left out.

        Args:
            since: Aware, and past.

        Raises:
            InvalidInput: The moment is to come, or has no time zone.
        """
        if since.tzinfo is None or since >= self.clock.now():
            raise InvalidInput("since", since.isoformat(), "a moment that is past, with an offset")
        self.following.catch_up()
        for learner_id in self.mentions.quiet_since(since):
            tally = self.register.tally(CredentialFilter(learner_id=learner_id)).by_status
            kept = sum(tally.values()) - tally.get(CredentialStatus.ERASED, 0)
            if kept or self.keys.find([learner_id]):
                yield InactiveLearner(learner_id, kept)
