"""Editions: a credential made anew, after a name change, with a better document, or reinstated."""

from datetime import datetime
from typing import Final

from testamur.domain.credentials.awarding import decide_award
from testamur.domain.credentials.events import (
    Artifact,
    CredentialAwarded,
    CredentialEvent,
    NotificationRequested,
)
from testamur.domain.credentials.issuing import decide_issue
from testamur.domain.credentials.messages import FIRST_MESSAGE
from testamur.domain.credentials.notifying import TELL_OF_THE_ISSUE, decide_suppress
from testamur.domain.credentials.state import (
    Credential,
    CredentialStatus,
    evolve,
    require_awarded,
    subject_of,
)
from testamur.domain.errors import DecisionRefused
from testamur.domain.identifiers import (
    CredentialId,
    VerificationId,
    credential_id,
)
from testamur.domain.personal_data import Person

#: Kept with the new edition where the learner is not to be told of it.
UNTOLD: Final = "reissued without telling the learner"


def next_edition_id(awarded: CredentialAwarded) -> CredentialId:
    """Return the id that the edition after this one has, or will have."""
    return credential_id(awarded.configuration_id, awarded.learner_id, awarded.edition + 1)


def require_reissuable(state: Credential | None) -> Credential:
    """Make sure that a new edition can take the place of a credential, and return it.

    A revoked one can be reissued: that is the only way in which the learner gets another.

    Raises:
        DecisionRefused: It was never awarded, was superseded or erased, or nobody can read whose
            it is.
    """
    known = require_awarded(state)
    if known.status is CredentialStatus.SUPERSEDED:
        newer = f"credential {known.superseded_by} took its place; that one can be reissued"
        raise DecisionRefused(subject_of(known), f"it is superseded: {newer}")
    if known.status is CredentialStatus.ERASED:
        raise DecisionRefused(
            subject_of(known), "it is erased: nobody knows any more whose name is to be on it"
        )
    if known.awarded.person is None:
        raise DecisionRefused(subject_of(known), "the learner's data key is not in the database")
    return known


def next_edition(
    state: Credential | None,
    *,
    person: Person,
    type_revision: int,
    type_name: str,
    issuer_name: str,
    context_name: str,
    verification_id: VerificationId,
) -> CredentialAwarded:
    """Return the award of the edition that is to take a credential's place.

    What was earned stays: the date, the evidence, until when it is valid, the number. Reminders
    that were asked for are not asked for again. The document is made here, whoever made the one
    before.

    Args:
        state: The credential.
        person: Whose it is, with the name that goes on the document.
        type_revision: The revision of the type that it is made by…
        type_name: …and what that calls it…
        issuer_name: …and who issues it.
        context_name: The name of the context on the document.
        verification_id: Random public id of the new edition.

    Raises:
        DecisionRefused: As :func:`require_reissuable`.
    """
    known = require_reissuable(state)
    before = known.awarded
    return before.model_copy(
        update={
            "person": person,
            "type_revision": type_revision,
            "type_name": type_name,
            "issuer_name": issuer_name,
            "context_name": context_name,
            "verification_id": verification_id,
            "edition": before.edition + 1,
            "replaces": credential_id(before.configuration_id, before.learner_id, before.edition),
            "document_link": None,
            "reminders": _to_come(known),
        }
    )


def _to_come(state: Credential) -> tuple[datetime, ...]:
    """Return the reminders that the learner has not had yet."""
    left = state.remind_at
    return () if left is None else tuple(each for each in state.awarded.reminders if each >= left)


def decide_reissue(
    state: Credential | None,
    award: CredentialAwarded,
    artifacts: tuple[Artifact, ...],
    rendering: str,
    *,
    tell: bool,
) -> list[CredentialEvent]:
    """Begin the new edition, whose document is durably stored already.

    Who was never told of the one before is told that it is issued, and not that it is again.

    Args:
        state: The credential whose place it takes; see `decide_supersede` for that one's end.
        award: The new edition's, see :func:`next_edition`.
        artifacts: Its files.
        rendering: SHA-256 over the options and assets that they were made with.
        tell: Whether the learner is to be told.

    Raises:
        DecisionRefused: As :func:`require_reissuable`, or the person has no name.
    """
    known = require_reissuable(state)
    decided = decide_award(None, award)
    awarded = evolve(None, award)
    decided += decide_issue(awarded, artifacts, rendering)
    if not tell:
        return decided + decide_suppress(awarded, FIRST_MESSAGE, UNTOLD)
    if _was_told(known):
        return [*decided, NotificationRequested(notice="reissued")]
    return decided


def _was_told(state: Credential) -> bool:
    """Tell whether the learner knows of it: from its own message, or of an earlier edition."""
    was_issued = state.rendering is not None
    knew_before = any(key.notice in TELL_OF_THE_ISSUE for key in state.messages)
    return was_issued and (state.notification != "pending" or knew_before)
