"""Events as people read them: who did what, when."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from testamur.entrypoints.cli.option_table import option_rows
from testamur.entrypoints.cli.output import ERASED, Column, many
from testamur.entrypoints.cli.schedule_text import describe_moment, describe_schedule

if TYPE_CHECKING:
    from decimal import Decimal

    from testamur.application.ports.event_store import RecordedEvent
    from testamur.domain.assets import AssetEvent
    from testamur.domain.configurations import ConfigurationEvent
    from testamur.domain.corrections import CorrectionEvent
    from testamur.domain.credential_types import CredentialTypeEvent
    from testamur.domain.credentials import CredentialEvent, MessageEvent
    from testamur.domain.digests import DigestEvent
    from testamur.domain.erasures import ErasureEvent
    from testamur.domain.events import DomainEvent
    from testamur.domain.reconciliations import ReconciliationCounts, ReconciliationEvent
    from testamur.domain.run_results import LeftOut, Refusal, RunCounts
    from testamur.domain.runs import (
        LearnersLeftOut,
        LearnersRefused,
        RunEvent,
        RunNeedsApproval,
        RunStarted,
    )

#: So many reasons are told one by one; the rest is counted.
MOST_REASONS: Final = 5


def event_columns(zone: ZoneInfo) -> tuple[Column, ...]:
    """Return the columns of a table of events.

    Args:
        zone: In which times are told.
    """
    time = Column(f"time ({zone.key})", rigid=True)
    return time, Column("actor"), Column("event"), Column("what")


def event_rows(
    recorded: "Iterable[RecordedEvent]", zone: ZoneInfo
) -> Iterator[tuple[str, str, str, str]]:
    """Yield time, actor, name and meaning of events.

    Args:
        recorded: The events.
        zone: In which times are told.
    """
    for each in recorded:
        name = each.name.rpartition(".")[0].partition(".")[2].replace("-", " ")
        at = each.attribution.at.astimezone(zone)
        yield (
            f"{at:%Y-%m-%d %H:%M:%S}",
            each.attribution.actor,
            name,
            describe_event(each.event, zone),
        )


def refused_learners(recorded: "Iterable[RecordedEvent]") -> "Iterator[Refusal]":
    """Yield everybody whom a run could not award the credential, and why."""
    from testamur.domain.runs import LearnersRefused

    for each in recorded:
        if isinstance(each.event, LearnersRefused):
            yield from each.event.refusals


def learners_left_out(recorded: "Iterable[RecordedEvent]") -> "Iterator[LeftOut]":
    """Yield everybody whom a run could not judge, and why."""
    from testamur.domain.runs import LearnersLeftOut

    for each in recorded:
        if isinstance(each.event, LearnersLeftOut):
            yield from each.event.learners


def describe_reasons(reasons: Counter[str]) -> Iterator[str]:
    """Yield each reason with how often it is given, the most frequent ones first.

    Where there are many, the rest is told as one.
    """
    counted = reasons.most_common()
    for reason, count in counted[:MOST_REASONS]:
        yield f"{reason} ({count:,})"
    if rest := counted[MOST_REASONS:]:
        yield f"{many(len(rest), 'other reason')} ({sum(count for _, count in rest):,})"


def describe_left_out(reasons: Counter[str]) -> Iterator[str]:
    """Yield lines that say how many learners were left out, and why."""
    learners = many(reasons.total(), "learner")
    yield f"Left out: {learners}. The data source cannot tell what they have achieved:"
    yield from (f"  {told}" for told in describe_reasons(reasons))
    yield "The next run tries them again."


def describe_asked(asked: "RunNeedsApproval") -> str:
    """Return why a run needs approval: how many it found, and how many need none."""
    return describe_limit(asked.reason, asked.proposed, asked.limit, asked.usual)


def describe_limit(reason: str, new: int, most: int, usual: "Decimal | None") -> str:
    """Return how many a run found, and how many the guard lets pass.

    Args:
        reason: ``max-new`` or ``change-of-scale``.
        new: How many it would award.
        most: How many need no approval.
        usual: For a change of scale, what runs usually award.
    """
    told = f"{new:,} new, at most {most:,}"
    if reason == "change-of-scale" and usual is not None:
        return f"{told} without approval, as the last runs awarded {usual:,} (median)"
    return f"{told} without approval"


def describe_event(event: "DomainEvent", zone: ZoneInfo) -> str:
    """Return what an event says, in words.

    Args:
        event: The event.
        zone: In which times are told.
    """
    from testamur.domain.assets import AssetEvent
    from testamur.domain.configurations import ConfigurationEvent
    from testamur.domain.corrections import CorrectionEvent
    from testamur.domain.credential_types import CredentialTypeEvent
    from testamur.domain.credentials import CredentialEvent
    from testamur.domain.deliveries import SilenceEvent
    from testamur.domain.digests import DigestEvent
    from testamur.domain.erasures import ErasureEvent
    from testamur.domain.proposals import LearnersProposed
    from testamur.domain.reconciliations import ReconciliationEvent
    from testamur.domain.runs import RunEvent
    from testamur.domain.serials import SerialsAssigned

    if isinstance(event, CredentialTypeEvent):
        return _of_type(event)
    if isinstance(event, AssetEvent):
        return _of_asset(event)
    if isinstance(event, ConfigurationEvent):
        return _of_configuration(event, zone)
    if isinstance(event, LearnersProposed):
        return f"page {event.page:,}: {many(len(event.learner_ids), 'learner')}"
    if isinstance(event, RunEvent):
        return _of_run(event, zone)
    if isinstance(event, CredentialEvent):
        return _of_credential(event, zone)
    if isinstance(event, ErasureEvent):
        return _of_erasure(event)
    if isinstance(event, SilenceEvent):
        return f"learner {event.learner_id}: {event.reason}"
    if isinstance(event, DigestEvent):
        return _of_digest(event, zone)
    if isinstance(event, ReconciliationEvent):
        return _of_reconciliation(event, zone)
    if isinstance(event, CorrectionEvent):
        return _of_correction(event, zone)
    if isinstance(event, SerialsAssigned):
        year = f" {event.year}" if event.year is not None else ""
        return f"{event.per} {event.of}{year}: numbers {event.first} to {event.last}"
    return event.model_dump_json()


def _of_type(event: "CredentialTypeEvent") -> str:
    from testamur.domain import credential_types as of

    match event:
        case of.CredentialTypeDefined():
            return event.definition.name
        case of.CredentialTypeRevised():
            return f"revision {event.revision}: {event.definition.name}"
        case of.CredentialTypeRetired():
            return event.reason


def _of_asset(event: "AssetEvent") -> str:
    from testamur.domain import assets as of

    match event:
        case of.AssetAdded() | of.AssetReplaced():
            content = event.content
            return f"{content.filename}, {content.media_type}, {many(content.size, 'byte')}"
        case of.AssetRemoved():
            return event.reason


def _of_configuration(event: "ConfigurationEvent", zone: ZoneInfo) -> str:
    from testamur.domain import configurations as of

    match event:
        case of.ConfigurationCreated():
            rule = dict(describe_schedule(event.schedule, zone))["runs"]
            return f"{event.type_slug} for {event.context_key}, runs {rule}"
        case of.OptionsChanged():
            return ", ".join(f"{path}={value}" for path, value in option_rows(event.options))
        case of.ScheduleChanged():
            described = describe_schedule(event.schedule, zone)
            return ", ".join(f"{name} {value}" for name, value in described)
        case of.ConfigurationEnabled():
            return ""
        case of.ConfigurationDisabled() | of.ConfigurationRetired():
            return event.reason


def _of_run(event: "RunEvent", zone: ZoneInfo) -> str:
    from testamur.domain import runs as of

    match event:
        case of.RunStarted():
            return _describe_start(event, zone)
        case of.LearnersRefused():
            return _describe_refusals(event)
        case of.LearnersLeftOut():
            return _describe_left_out(event)
        case of.RunDivided():
            return f"{event.earned} to award, on {event.pages} pages for workers"
        case of.RunNeedsApproval():
            return describe_asked(event)
        case of.RunApproved() | of.RunRejected():
            return event.reason
        case of.RunCompleted():
            return _describe_counts(event.counts)
        case of.RunFailed():
            return f"attempt {event.attempt}: {event.error}{_again(event.retry_at, zone)}"


def _of_credential(event: "CredentialEvent", zone: ZoneInfo) -> str:
    from testamur.domain import credentials as of

    match event:
        case of.CredentialAwarded():
            name = event.person.full_name if event.person else ERASED
            number = f", number {event.serial}" if event.serial is not None else ""
            origin = f", imported from {event.imported_from}" if event.imported_from else ""
            return f"{event.type_name} to {name} ({event.learner_id}){number}{origin}"
        case of.CredentialIssued():
            sizes = [f"{each.format}, {many(each.size, 'byte')}" for each in event.artifacts]
            return "; ".join(sizes)
        case of.IssuanceFailed() | of.NotificationFailed():
            detail = ERASED if event.detail is None else event.detail
            again = _again(event.retry_at, zone) or "; given up"
            failed = f"attempt {event.attempt}: {event.reason}: {detail}{again}"
            about = "" if isinstance(event, of.IssuanceFailed) else describe_message(event)
            return f"{about}{failed}"
        case of.NotificationRequested():
            return (describe_message(event) or "issued: ") + (event.reason or "by itself")
        case of.NotificationSent():
            return event.message_id
        case of.NotificationSkipped() | of.NotificationSuppressed() | of.NotificationBounced():
            return f"{describe_message(event)}{event.reason}"
        case of.CredentialSuperseded():
            return f"by {event.by}" + (f": {event.reason}" if event.reason else "")
        case of.DocumentsWithdrawn():
            missing = f", {len(event.missing):,} found nowhere" if event.missing else ""
            return f"{many(len(event.archived), 'file')} put away{missing}"
        case of.CredentialRevoked() | of.PersonalDataErased():
            return event.reason


def _of_digest(event: "DigestEvent", zone: ZoneInfo) -> str:
    from testamur.domain import digests as of

    match event:
        case of.DigestRequested():
            return f"of run {event.run_id}"
        case of.DigestSent():
            refused = f", {event.refused:,} refused" if event.refused else ""
            return f"{many(event.recipients, 'recipient')}{refused}"
        case of.DigestFailed():
            again = _again(event.retry_at, zone) or "; given up"
            return f"attempt {event.attempt}: {event.reason}{again}"
        case of.DigestSkipped():
            return event.reason


def _of_reconciliation(event: "ReconciliationEvent", zone: ZoneInfo) -> str:
    from testamur.domain import reconciliations as of

    match event:
        case of.ReconciliationStarted():
            return "by the option reconcile" if event.trigger == "schedule" else "by hand"
        case of.ReconciliationCompleted():
            return _describe_counts(event.counts) or "nothing to compare"
        case of.ReconciliationFailed():
            return f"attempt {event.attempt}: {event.error}{_again(event.retry_at, zone)}"


def _of_correction(event: "CorrectionEvent", zone: ZoneInfo) -> str:
    from testamur.domain import corrections as of

    match event:
        case of.CorrectionProposed():
            differs = ", ".join(each.replace("_", " ") for each in event.differs)
            about = f"learner {event.learner_id}: {event.kind}"
            return f"{about} ({differs})" if differs else about
        case of.CorrectionAccepted() | of.CorrectionRejected() | of.CorrectionWithdrawn():
            return event.reason
        case of.CorrectionCarriedOut():
            return f"credential {event.credential_id}"
        case of.CorrectionFailed():
            return f"attempt {event.attempt}: {event.error}{_again(event.retry_at, zone)}"


def describe_message(event: "MessageEvent") -> str:
    """Return which message an event is about, with a colon; nothing for the first one."""
    about: str = "" if event.notice == "issued" else event.notice
    if event.sequence:
        about += f" {event.sequence}"
    if event.request > 1:
        about = f"{about or 'issued'}, request {event.request}"
    return f"{about}: " if about else ""


def _of_erasure(event: "ErasureEvent") -> str:
    from testamur.domain import erasures as of

    match event:
        case of.ErasureRequested():
            return f"learner {event.learner_id}: {event.reason}"
        case of.ErasureCompleted():
            return (
                f"{many(event.credentials, 'credential')}, {many(event.files, 'file')}, "
                f"{many(event.messages, 'message')}"
            )


def _describe_start(event: "RunStarted", zone: ZoneInfo) -> str:
    scheduled = event.scheduled_for
    told = [f"scheduled for {describe_moment(scheduled, zone)}" if scheduled else "by hand"]
    if event.learner_id is not None:
        told.append(f"only learner {event.learner_id}")
    if event.limit is not None:
        told.append(f"at most {event.limit:,}")
    return ", ".join(told)


def _describe_refusals(event: "LearnersRefused") -> str:
    by_reason = Counter(refusal.reason for refusal in event.refusals)
    counted = ", ".join(f"{count:,} {reason}" for reason, count in by_reason.most_common())
    return f"{many(len(event.refusals), 'learner')}: {counted}"


def _describe_left_out(event: "LearnersLeftOut") -> str:
    reasons = Counter(each.reason for each in event.learners)
    return f"{many(len(event.learners), 'learner')}: {'; '.join(describe_reasons(reasons))}"


def _describe_counts(counts: "RunCounts | ReconciliationCounts") -> str:
    named = counts.model_dump().items()
    return ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in named if count)


def _again(retry_at: datetime | None, zone: ZoneInfo) -> str:
    return f"; again at {describe_moment(retry_at, zone)}" if retry_at else ""
