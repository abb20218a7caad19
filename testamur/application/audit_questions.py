"""Questions to the audit trail: filters made from what people write, checked before they are asked.

What nobody could have meant is refused: an event that there is none of, a time without a time zone,
a span that ends before it begins. An empty answer then means that there is nothing.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from typing import Final, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from testamur.application.configurations import Configurations
from testamur.application.credentials import Credentials
from testamur.application.installation import Installation
from testamur.application.ports.audit import AuditFilter
from testamur.domain.errors import InvalidInput
from testamur.domain.identifiers import parse_actor, parse_learner_id

ALLOWED_TIME: Final = (
    "a date, or a date and time, such as 2026-06-30, 2026-06-30T18:00 or 2026-06-30T18:00+02:00"
)

#: Names told of those that are like an unknown one.
_MOST_NEAREST: Final = 4
#: How like it they are at least (`difflib`); less is no help.
_LIKE: Final = 0.5


@dataclass(frozen=True, slots=True)
class KnownEvents:
    """The events that there are.

    Args:
        names: Every stable versioned name, old ones too, e.g. ``credential.awarded.1``.
    """

    names: tuple[str, ...]

    def check(self, text: str, field: str = "event") -> str:
        """Return the name of an event, of all versions of one, or of an aggregate.

        Args:
            text: ``credential.awarded.1``, ``credential.awarded`` or ``credential``.
            field: Name of the field in the error.

        Raises:
            InvalidInput: There is no such event; the message names those that are like it.
        """
        unversioned = {name.rpartition(".")[0] for name in self.names}
        aggregates = sorted({name.partition(".")[0] for name in self.names})
        if text in {*self.names, *unversioned, *aggregates}:
            return text
        allowed = (
            "an event such as credential.awarded (any version of it) or credential.awarded.1 "
            f"(that version), or all events of one of {', '.join(aggregates)}"
        )
        if nearest := _nearest(text, unversioned):
            allowed += f"; nearest: {', '.join(nearest)}"
        raise InvalidInput(field, text, allowed)


def check_filter(where: AuditFilter, known: KnownEvents) -> None:
    """See that a filter can be meant.

    Raises:
        InvalidInput: There is no such event, a time has no time zone, or the span is empty.
    """
    if where.event is not None:
        known.check(where.event)
    for field, moment in (("since", where.since), ("until", where.until)):
        if moment is not None and moment.tzinfo is None:
            raise InvalidInput(field, moment.isoformat(), "a time with a time zone or an offset")
    if where.since is not None and where.until is not None and where.since >= where.until:
        raise InvalidInput(
            "until", where.until.isoformat(), f"a time after since ({where.since.isoformat()})"
        )


@dataclass(frozen=True, slots=True)
class WrittenFilter:
    """A filter as people write it; see `Audit.where`. None leaves a condition out."""

    credential: str | None = None
    learner: str | None = None
    configuration: tuple[str, str] | None = None
    context: str | None = None
    actor: str | None = None
    run: str | None = None
    event: str | None = None
    since: str | None = None
    until: str | None = None


@dataclass(frozen=True, slots=True)
class AuditQuestions:
    """Makes filters from what people write."""

    known: KnownEvents
    credentials: Credentials
    configurations: Configurations
    installation: Installation

    def filter_of(self, written: WrittenFilter) -> AuditFilter:
        """Return the filter that is meant.

        Raises:
            InvalidInput: A value is not allowed; there is no such event; the span is empty.
            NotFound: There is no such credential or configuration.
        """
        said = written
        where = AuditFilter(
            stream_id=None
            if said.credential is None
            else self.credentials.find(said.credential.strip()),
            learner_id=None if said.learner is None else parse_learner_id(said.learner, "learner"),
            configuration_id=None
            if said.configuration is None
            else self.configurations.find(*said.configuration),
            context_key=said.context,
            actor=None if said.actor is None else parse_actor(said.actor),
            correlation_id=None if said.run is None else _id(said.run, "run"),
            event=said.event,
            since=None if said.since is None else self.moment(said.since, "since"),
            until=None if said.until is None else self.moment(said.until, "until", of_date="end"),
        )
        check_filter(where, self.known)
        return where

    def moment(
        self, text: str, field: str, *, of_date: Literal["beginning", "end"] = "beginning"
    ) -> datetime:
        """Return a moment in UTC.

        Args:
            text: In ISO 8601; without an offset, it is read off the clock of the installation.
            field: Name of the field in the error.
            of_date: What a date alone stands for: the day's beginning, or its end.

        Raises:
            InvalidInput: It is no moment, or the clock left it out when it was put forward.
        """
        zone = self.installation.time_zone
        if (day := _date_alone(text)) is not None:
            try:
                day += timedelta(days=of_date == "end")
                return datetime.combine(day, time(), zone).astimezone(UTC)
            except OverflowError:
                raise InvalidInput(field, text, ALLOWED_TIME) from None
        return _moment(text, zone, field)


def is_date_alone(text: str) -> bool:
    """Tell whether a text is a date without a time."""
    return _date_alone(text) is not None


def _moment(text: str, zone: ZoneInfo, field: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.strip())
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
        local = moment.replace(tzinfo=zone)
        in_utc = local.astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidInput(field, text, ALLOWED_TIME) from None
    if in_utc.astimezone(zone).replace(tzinfo=None) != moment:
        raise InvalidInput(
            field, text, f"another time: the clock in {zone} is put forward over this one"
        )
    return in_utc


def _date_alone(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def _id(text: str, field: str) -> UUID:
    try:
        return UUID(text.strip())
    except ValueError:
        raise InvalidInput(
            field, text, "an id as `testamur run` and this trail show it, 32 hexadecimal digits"
        ) from None


def _nearest(text: str, names: set[str]) -> list[str]:
    """Return the names that are like a text: as a whole, or in what follows the aggregate."""
    asked = text.casefold().replace("_", "-").strip(" .")
    deeds = {name: name.partition(".")[2] for name in sorted(names)}
    if exact := [name for name, deed in deeds.items() if asked == deed]:
        return exact
    found = get_close_matches(asked, sorted(names), _MOST_NEAREST, _LIKE)
    of_deeds = get_close_matches(asked, sorted(set(deeds.values())), _MOST_NEAREST, _LIKE)
    found += [name for each in of_deeds for name, deed in deeds.items() if deed == each]
    return list(dict.fromkeys(found))[:_MOST_NEAREST]
