"""A credential as people read it: the award, the evidence, the documents, what happened to it."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from testamur.adapters.system import SystemClock
from testamur.entrypoints.cli.criteria_text import (
    achieved_percent,
    name_of_criterion,
    points_of,
    required_percent,
)
from testamur.entrypoints.cli.event_text import event_columns, event_rows
from testamur.entrypoints.cli.output import ERASED, Column, Screen, many, styled
from testamur.entrypoints.cli.schedule_text import describe_moment

if TYPE_CHECKING:
    from testamur.application.ports.event_store import RecordedEvent
    from testamur.domain.credentials import Credential
    from testamur.domain.evidence import Evidence
    from testamur.domain.identifiers import CredentialId
    from testamur.entrypoints.cli.output import Cell

STATUS_STYLES: Final = {
    "issued": "green",
    "awarded": "yellow",
    "revoked": "red",
    "expired": "red",
}


def show_credential(
    screen: Screen,
    id_: "CredentialId",
    credential: "Credential",
    history: "Sequence[RecordedEvent]",
    location: str | None,
    zone: ZoneInfo,
) -> None:
    """Write everything that an operator wants to know of a credential.

    Args:
        screen: Is written to.
        id_: Its id.
        credential: Its state.
        history: Its events.
        location: Where its document lies, if it has one.
        zone: In which times are told.
    """
    screen.fields(_fields(id_, credential, location, zone))
    screen.say("")
    show_evidence(screen, credential.awarded.evidence, zone)
    screen.say("")
    screen.table(event_columns(zone), event_rows(history, zone))


def _fields(
    id_: "CredentialId", credential: "Credential", location: str | None, zone: ZoneInfo
) -> "Iterator[tuple[str, Cell]]":
    from testamur.domain.credentials import CredentialStatus

    awarded = credential.awarded
    yield "credential", str(id_)
    yield "verification", awarded.verification_id
    expires = awarded.expires_at
    if credential.status is CredentialStatus.ISSUED and expires and expires <= SystemClock().now():
        yield "status", styled("expired", STATUS_STYLES["expired"])
    else:
        yield "status", styled(credential.status, STATUS_STYLES.get(credential.status, ""))
    if credential.status is CredentialStatus.AWARDED and credential.issue_failures:
        yield "issuing", _attempts(credential.issue_failures, credential.issue_retry_at, zone)
    if credential.status is CredentialStatus.ISSUED:
        failures, retry_at = credential.notification_failures, credential.notification_retry_at
        trouble = f", {_attempts(failures, retry_at, zone)}" if failures else ""
        yield "learner told", f"{credential.notification}{trouble}"
    if credential.revocation_reason is not None:
        yield "revoked for", credential.revocation_reason
    if credential.superseded_by is not None:
        yield "superseded by", str(credential.superseded_by)
    if credential.withdrawal_pending and credential.artifacts:
        yield "withdrawal", "its document is still in its public place; the next tick puts it away"
    yield from _of_award(credential, zone)
    for artifact in credential.artifacts:
        yield "document", f"{artifact.media_type}, {many(artifact.size, 'byte')}"
        yield "SHA-256", artifact.sha256
    if awarded.document_link is not None and not credential.artifacts:
        yield "document at", awarded.document_link
    if location is not None:
        yield "location", location


def _of_award(credential: "Credential", zone: ZoneInfo) -> "Iterator[tuple[str, Cell]]":
    from testamur.domain.credentials import CredentialStatus

    awarded, person = credential.awarded, credential.awarded.person
    yield "learner", awarded.learner_id
    yield "name", person.full_name if person else ERASED
    yield "e-mail", (person.email or "none") if person else ERASED
    yield "language", (person.locale or "not known") if person else ERASED
    yield "type", f"{awarded.type_name} ({awarded.type_slug}, revision {awarded.type_revision})"
    yield "context", f"{awarded.context_name} ({awarded.context_key})"
    yield "issuer", awarded.issuer_name
    yield "award date", awarded.award_date.isoformat()
    if awarded.serial is not None:
        yield "number", awarded.serial
    if awarded.edition > 1:
        yield "edition", f"{awarded.edition}, replaces {awarded.replaces}"
    if awarded.expires_at:
        yield "expires", describe_moment(awarded.expires_at, zone)
        if credential.remind_at and credential.status is CredentialStatus.ISSUED:
            yield "reminded", describe_moment(credential.remind_at, zone)
    if awarded.imported_from is not None:
        yield "imported from", awarded.imported_from


def _attempts(failures: int, retry_at: datetime | None, zone: ZoneInfo) -> str:
    again = f", again at {describe_moment(retry_at, zone)}" if retry_at else ""
    return f"{many(failures, 'failed attempt')}{again}"


def show_evidence(screen: Screen, evidence: "Evidence", zone: ZoneInfo) -> None:
    """Write what a verdict rests on: each criterion, and which data source was asked when."""
    retrieved = describe_moment(evidence.retrieved_at, zone)
    if evidence.source == "manual":
        screen.say(f"Awarded by hand {retrieved}: {evidence.note}")
        return
    if evidence.source == "import":
        screen.say(f"Imported {retrieved}: {evidence.note}")
        return
    screen.say(f"Evidence from {evidence.source}, asked {retrieved}:", "")
    in_steps = any(result.step is not None for result in evidence.results)
    with_points = any(result.earned is not None for result in evidence.results)
    columns = [
        *([Column("step")] if in_steps else []),
        Column("criterion"),
        Column("required", align="right", rigid=True),
        Column("achieved", align="right", rigid=True),
        *([Column("points", align="right")] if with_points else []),
        Column("met", rigid=True),
    ]
    screen.table(
        columns,
        (
            [
                *([result.step or ""] if in_steps else []),
                name_of_criterion(result),
                required_percent(result.required),
                achieved_percent(result.achieved),
                *([points_of(result)] if with_points else []),
                styled("yes", "green") if result.met else styled("no", "red"),
            ]
            for result in evidence.results
        ),
    )
    if evidence.unweighted_categories:
        names = ", ".join(map(repr, evidence.unweighted_categories))
        screen.say("", f"The grading policy gives no weight to {names}.")
    if evidence.note:
        screen.say("", f"Note: {evidence.note}")
