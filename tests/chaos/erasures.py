"""Erasures: learners who ask to be forgotten while everything fails, and what is left of them."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Final

from testamur import CredentialFilter, Settings, Testamur
from testamur.domain.errors import TestamurError
from testamur.domain.identifiers import LearnerId
from tests.support.smtp_server import Mailbox

_REASON: Final = "asked for by letter"

#: An erasure that could not be completed is asked for again, by whoever runs the installation.
_AGAIN_SECONDS: Final = 0.3

#: By then everything is well again for long, see the rests in `test_chaos`.
_LONGEST_SECONDS: Final = 150.0


@dataclass
class Erasures:
    """Erases learners who hold a credential by then, each in the background.

    Args:
        settings: Of the installation.
        mailbox: What learners are told.
        learners: Who may be erased; taken from the end.
        told_before: Whom an erasure was completed of, and how many messages there were by then.
        again: How often an erasure had to be asked for again, and why the last time.
    """

    settings: Settings
    mailbox: Mailbox
    learners: list[str]
    told_before: dict[str, int] = field(default_factory=dict)
    again: list[str] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)
    _taking: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def among(
        cls, settings: Settings, mailbox: Mailbox, eligible: Mapping[str, str | None], dice: Random
    ) -> "Erasures":
        """Draw who is to be erased among those who are to be told.

        Their ids have as many digits as ids can have, so that no name is a part of another one.
        """
        longest = max(map(len, eligible))
        chosen = sorted(id_ for id_, email in eligible.items() if email and len(id_) == longest)
        dice.shuffle(chosen)
        return cls(settings, mailbox, chosen)

    def begin(self) -> None:
        """Erase one more."""
        # A daemon: a round that fails does not wait for it.
        thread = threading.Thread(target=self._erase, daemon=True)
        self._threads.append(thread)
        thread.start()

    def are_done(self) -> bool:
        """Tell whether all that were begun have ended."""
        return not any(each.is_alive() for each in self._threads)

    @property
    def begun(self) -> int:
        """How many were begun."""
        return len(self._threads)

    @property
    def erased(self) -> frozenset[str]:
        """Who was erased."""
        return frozenset(self.told_before)

    def _erase(self) -> None:
        until = time.monotonic() + _LONGEST_SECONDS
        learner: str | None = None
        while time.monotonic() < until:
            try:
                with Testamur.open(self.settings, actor="user:registrar") as testamur:
                    learner = learner or self._who_holds_one(testamur)
                    if learner is not None and testamur.erase_learner(learner, _REASON).credentials:
                        self.told_before[learner] = len(self.mailbox.received)
                        return
            except TestamurError as error:
                self.again.append(str(error))
            time.sleep(_AGAIN_SECONDS)

    def _who_holds_one(self, testamur: Testamur) -> str | None:
        with self._taking:
            for learner in reversed(self.learners):
                where = CredentialFilter(learner_id=LearnerId(learner))
                if next(iter(testamur.credentials(where)), None) is not None:
                    self.learners.remove(learner)
                    return learner
        return None
