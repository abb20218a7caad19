"""Awarding: the first decision about a credential."""

from testamur.domain.credentials.events import CredentialAwarded, CredentialEvent
from testamur.domain.credentials.state import Credential
from testamur.domain.errors import DecisionRefused


def decide_award(state: Credential | None, award: CredentialAwarded) -> list[CredentialEvent]:
    """Award the credential.

    Raises:
        DecisionRefused: It was awarded before, or the person has no name.
    """
    subject = f"credential of learner {award.learner_id!r} for {award.context_key}"
    if state is not None:
        raise DecisionRefused(subject, "it was awarded already")
    if award.person is None or not award.person.full_name.strip():
        raise DecisionRefused(subject, "the learner has no name to put on it")
    return [award]
