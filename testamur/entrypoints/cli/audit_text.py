"""The audit trail as people read it: entries, a credential at a moment, and reasons."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, assert_never
from zoneinfo import ZoneInfo

from testamur.entrypoints.cli.credential_text import show_credential, show_evidence
from testamur.entrypoints.cli.option_table import OPTION_COLUMNS, option_rows
from testamur.entrypoints.cli.output import Column, Screen, many
from testamur.entrypoints.cli.schedule_text import describe_moment

if TYPE_CHECKING:
    from testamur.application.moments import CredentialMoment
    from testamur.application.ports.audit import AuditEntry, AuditFilter
    from testamur.application.ports.event_store import RecordedEvent
    from testamur.application.reasons import Deed, Reasons
    from testamur.domain.validity import Validity
    from testamur.entrypoints.cli.output import Cell


def entry_columns(where: "AuditFilter", zone: ZoneInfo) -> list[Column]:
    """Return the columns of a table of entries.

    Args:
        where: What the filter lets through only is not told in every row.
        zone: In which times are told.
    """
    time = f"time ({zone.key})"
    rigid = {time, "event", "id"}
    below = {"learner", "context", "id"}
    return [
        Column(name, rigid=name in rigid, below=name in below) for name in (time, *_shown(where))
    ]


def entry_rows(
    entries: "Iterable[AuditEntry]", where: "AuditFilter", zone: ZoneInfo
) -> Iterator[list[str]]:
    """Yield the cells of entries.

    Args:
        entries: The entries.
        where: As for the columns.
        zone: In which times are told.
    """
    shown = _shown(where)
    for entry in entries:
        cells = {
            "event": entry.name.rpartition(".")[0],
            "actor": entry.actor,
            "learner": _learners(entry.learner_ids),
            "context": entry.context_key or "",
            "id": str(entry.stream_id),
        }
        at = entry.at.astimezone(zone)
        yield [f"{at:%Y-%m-%d %H:%M:%S}", *(cells[name] for name in shown)]


def show_moment(screen: Screen, found: "CredentialMoment", zone: ZoneInfo, *, is_now: bool) -> None:
    """Write what a credential looked like at a moment.

    Args:
        screen: Is written to.
        found: The moment.
        zone: In which times are told.
        is_now: Whether it is the present one.
    """
    screen.say(_validity(found.validity, found.at, zone, is_now=is_now))
    if found.credential is None or found.last is None:
        return
    happened = "happened" if is_now else "had happened"
    screen.say(f"The last that {happened} to it: {_told_last(found.last, zone)}.", "")
    show_credential(screen, found.credential_id, found.credential, found.history, None, zone)


def show_reasons(screen: Screen, reasons: "Reasons", zone: ZoneInfo) -> None:
    """Write why a credential was awarded.

    Args:
        screen: Is written to.
        reasons: Why.
        zone: In which times are told.
    """
    screen.fields(
        [
            ("credential", str(reasons.credential_id)),
            ("verification", reasons.verification_id),
            ("learner", reasons.learner_id),
            ("context", f"{reasons.context_name} ({reasons.context_key})"),
            ("award date", reasons.award_date.isoformat()),
            *([("number", reasons.serial)] if reasons.serial else []),
            ("edition", str(reasons.edition)),
            ("awarded", _told(reasons.awarded, zone)),
        ]
    )
    screen.say("")
    show_evidence(screen, reasons.evidence, zone)
    _part(screen, "The run that awarded it:", _run(reasons, zone))
    _part(screen, "The configuration, as it stood then:", _configuration(reasons, zone))
    _part(screen, "The credential type, as it stood then:", _type(reasons, zone))
    if reasons.replaced is not None:
        _part(screen, "The edition that it replaced:", _replaced(reasons, zone))
    own = set(option_rows(reasons.configuration.own_options))
    rows = [
        (path, value, "configuration" if (path, value) in own else "type")
        for path, value in option_rows(reasons.configuration.options)
    ]
    if rows:
        screen.say("", "The options, as they stood then:", "")
        screen.table([*OPTION_COLUMNS, Column("set by", rigid=True)], rows)


def _shown(where: "AuditFilter") -> Sequence[str]:
    constant = {
        "actor": where.actor,
        "learner": where.learner_id,
        "context": where.context_key,
        "id": where.stream_id,
    }
    names = ("event", "actor", "id", "learner", "context")
    return [name for name in names if constant.get(name) is None]


def _learners(learner_ids: Sequence[str]) -> str:
    if len(learner_ids) <= 1:
        return "".join(learner_ids)
    return f"{learner_ids[0]} and {many(len(learner_ids) - 1, 'other')}"


def _validity(validity: "Validity", at: datetime, zone: ZoneInfo, *, is_now: bool) -> str:
    from testamur.domain.validity import ValidityStatus

    moment = "Now" if is_now else f"On {describe_moment(at, zone)}"
    was, had = ("is", "has") if is_now else ("was", "had")
    expires = "" if validity.expires_at is None else describe_moment(validity.expires_at, zone)
    match validity.status:
        case ValidityStatus.NOT_YET_AWARDED:
            return f"{moment} it {had} not been awarded yet."
        case ValidityStatus.AWARDED_NOT_ISSUED:
            return f"{moment} it {was} awarded, and its document {had} not been issued yet."
        case ValidityStatus.VALID:
            return f"{moment} it {was} valid{f', until {expires}' if expires else ''}."
        case ValidityStatus.EXPIRED:
            return f"{moment} it {was} not valid: it expired on {expires}."
        case ValidityStatus.REVOKED:
            return f"{moment} it {was} not valid: it {had} been revoked ({validity.reason})."
        case ValidityStatus.SUPERSEDED:
            newer = f"edition {validity.superseded_by} {had} taken its place"
            return f"{moment} it {was} not valid: {newer}."
        case ValidityStatus.ERASED:
            return f"{moment} it {was} not valid: the learner's personal data {had} been erased."
        case _:
            assert_never(validity.status)


def _told_last(recorded: "RecordedEvent", zone: ZoneInfo) -> str:
    by = recorded.attribution
    deed = recorded.name.rpartition(".")[0]
    return f"{deed}, {describe_moment(by.at, zone)}, by {by.actor}"


def _told(deed: "Deed | None", zone: ZoneInfo, otherwise: str = "") -> str:
    if deed is None:
        return otherwise
    return f"{describe_moment(deed.at, zone)}, by {deed.actor}"


def _part(screen: Screen, heading: str, fields: "Iterable[tuple[str, Cell]]") -> None:
    screen.say("", heading, "")
    screen.fields(fields)


def _run(reasons: "Reasons", zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    run = reasons.run
    if run is None:
        yield "run", "none: it was awarded at a request"
        yield "request", str(reasons.awarded.correlation_id)
        return
    yield "run", str(run.run_id)
    if run.trigger == "schedule":
        due = "" if run.scheduled_for is None else describe_moment(run.scheduled_for, zone)
        yield "trigger", f"the schedule, due {due}"
    else:
        yield "trigger", "by hand"
    yield "slot", run.slot
    yield "started", _told(run.started, zone)
    if run.only_learner is not None:
        yield "only learner", run.only_learner
    if run.limit is not None:
        yield "limit", f"{run.limit:,}"


def _configuration(reasons: "Reasons", zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    configuration = reasons.configuration
    yield "configuration", str(configuration.configuration_id)
    yield "created", _told(configuration.created, zone)
    yield "enabled", _told(configuration.enabled, zone, "never")
    if configuration.disabled is not None:
        yield "disabled", _told(configuration.disabled, zone)
    yield "last changed", _told(configuration.changed, zone, "never")
    for each in configuration.changed_during_run:
        deed = each.event.rpartition(".")[0]
        yield "during the run", f"{deed}, {_told(each, zone)}"


def _type(reasons: "Reasons", zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    type_ = reasons.type
    yield "type", f"{type_.definition.name} ({type_.slug})"
    yield "revision", str(type_.revision)
    yield "written", _told(type_.written, zone)
    yield "issuer", type_.definition.issuer.name
    yield "criteria", type_.definition.criteria


def _replaced(reasons: "Reasons", zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    replaced = reasons.replaced
    if replaced is None:
        return
    yield "credential", str(replaced.credential_id)
    yield "edition", str(replaced.edition)
    yield "awarded", _told(replaced.awarded, zone)
    yield "status now", replaced.status
    if replaced.revocation_reason is not None:
        yield "revoked for", replaced.revocation_reason
