"""Importing: a credential that another system issued before becomes one of ours."""

from testamur.domain.credentials.awarding import decide_award
from testamur.domain.credentials.events import (
    IMPORTED,
    Artifact,
    CredentialAwarded,
    CredentialEvent,
    CredentialIssued,
    NotificationSkipped,
)


def decide_import(
    award: CredentialAwarded, artifacts: tuple[Artifact, ...]
) -> list[CredentialEvent]:
    """Award and issue at once what was issued elsewhere; the learner was told there.

    Args:
        award: What it says, with ``imported_from``.
        artifacts: Its files, durably stored; none where another system keeps them.

    Raises:
        DecisionRefused: The person has no name.
    """
    return [
        *decide_award(None, award),
        CredentialIssued(artifacts=artifacts, rendering=IMPORTED),
        NotificationSkipped(reason=IMPORTED),
    ]
