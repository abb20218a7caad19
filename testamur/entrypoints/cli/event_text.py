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
    from testamur.application.ports.event_store import RecordedEvent
    from testamur.domain.assets import AssetEvent
    from testamur.domain.configurations import ConfigurationEvent
    from testamur.domain.credential_types import CredentialTypeEvent
    from testamur.domain.credentials import CredentialEvent
    from testamur.domain.erasures import ErasureEvent
    from testamur.domain.events import DomainEvent
    from testamur.domain.runs import (
        LearnersLeftOut,
        LearnersRefused,
        LeftOut,
        Refusal,
        RunCounts,
        RunEvent,
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


def describe_event(event: "DomainEvent", zone: ZoneInfo) -> str:
    """Return what an event says, in words.

    Args:
        event: The event.
        zone: In which times are told.
    """
    from testamur.domain.assets import AssetEvent
    from testamur.domain.configurations import ConfigurationEvent
    from testamur.domain.credential_types import CredentialTypeEvent
    from testamur.domain.credentials import CredentialEvent
    from testamur.domain.erasures import ErasureEvent
    from testamur.domain.runs import RunEvent

    if isinstance(event, CredentialTypeEvent):
        return _of_type(event)
    if isinstance(event, AssetEvent):
        return _of_asset(event)
    if isinstance(event, ConfigurationEvent):
        return _of_configuration(event, zone)
    if isinstance(event, RunEvent):
        return _of_run(event, zone)
    if isinstance(event, CredentialEvent):
        return _of_credential(event, zone)
    if isinstance(event, ErasureEvent):
        return _of_erasure(event)
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
        case of.RunCompleted():
            return _describe_counts(event.counts)
        case of.RunFailed():
            return f"attempt {event.attempt}: {event.error}{_again(event.retry_at, zone)}"


def _of_credential(event: "CredentialEvent", zone: ZoneInfo) -> str:
    from testamur.domain import credentials as of

    match event:
        case of.CredentialAwarded():
            name = event.person.full_name if event.person else ERASED
            return f"{event.type_name} to {name} ({event.learner_id})"
        case of.CredentialIssued():
            sizes = [f"{each.format}, {many(each.size, 'byte')}" for each in event.artifacts]
            return "; ".join(sizes)
        case of.IssuanceFailed() | of.NotificationFailed():
            detail = ERASED if event.detail is None else event.detail
            again = _again(event.retry_at, zone) or "; given up"
            return f"attempt {event.attempt}: {event.reason}: {detail}{again}"
        case of.NotificationSent():
            return event.message_id
        case of.CredentialSuperseded():
            return f"by {event.by}"
        case of.CredentialRevoked() | of.NotificationSkipped() | of.PersonalDataErased():
            return event.reason


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


def _describe_counts(counts: "RunCounts") -> str:
    named = counts.model_dump().items()
    return ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in named if count)


def _again(retry_at: datetime | None, zone: ZoneInfo) -> str:
    return f"; again at {describe_moment(retry_at, zone)}" if retry_at else ""
