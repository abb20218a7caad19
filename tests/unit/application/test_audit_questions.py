"""Questions to the audit trail: filters made from what people write."""

from datetime import UTC, datetime

import pytest

from testamur.application.audit_questions import KnownEvents, check_filter
from testamur.application.auditing import Audit
from testamur.application.ports.audit import AuditFilter
from testamur.application.ports.register import CredentialFilter
from testamur.domain.errors import InvalidInput, NotFound
from tests.support.audits import KNOWN_EVENTS, audit_of
from tests.support.records import COURSE, OTHER_COURSE
from tests.support.world import World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def audit(world: World) -> Audit:
    return audit_of(world)


def of_warsaw() -> Audit:
    return audit_of(World("Europe/Warsaw"))


# Events


@pytest.mark.parametrize(
    "name", ["credential.awarded.1", "credential.awarded", "credential", "credential-type"]
)
def test_an_event_is_one_version_or_all_or_an_aggregate(audit: Audit, name: str) -> None:
    assert audit.where(event=name).event == name


def test_an_old_name_is_known() -> None:
    assert KnownEvents(("run.started.1", "run.started.2")).check("run.started.1")


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("awarded", "nearest: credential.awarded$"),
        ("Awarded", "nearest: credential.awarded$"),
        ("credential.award", r"nearest: credential\.awarded"),
        ("credential.notification_sent", r"nearest: credential\.notification-sent"),
        ("retired", r"nearest: configuration\.retired, credential-type\.retired$"),
        ("credentail.revoked", r"nearest: credential\.revoked"),
        ("credential.awarded.2", r"nearest: credential\.awarded"),
    ],
)
def test_an_unknown_event_is_refused_with_those_that_are_like_it(name: str, nearest: str) -> None:
    with pytest.raises(InvalidInput, match=nearest):
        KNOWN_EVENTS.check(name)


@pytest.mark.parametrize("name", ["", "%", "zzzzzz", "credential.", ".awarded.1.1"])
def test_an_unknown_event_is_refused_with_what_is_allowed(name: str) -> None:
    with pytest.raises(InvalidInput, match="asset, configuration, correction, credential"):
        KNOWN_EVENTS.check(name)


# Times


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-06-01T18:00:00Z", datetime(2026, 6, 1, 18, tzinfo=UTC)),
        ("2026-06-01T18:00+02:00", datetime(2026, 6, 1, 16, tzinfo=UTC)),
        ("2026-06-01 18:00", datetime(2026, 6, 1, 16, tzinfo=UTC)),
        ("2026-12-01T18:00", datetime(2026, 12, 1, 17, tzinfo=UTC)),
        ("2026-06-01", datetime(2026, 5, 31, 22, tzinfo=UTC)),
    ],
)
def test_a_time_without_an_offset_is_read_off_the_installations_clock(
    text: str, moment: datetime
) -> None:
    assert of_warsaw().where(since=text).since == moment


def test_until_a_date_includes_that_day(world: World) -> None:
    assert of_warsaw().where(until="2026-06-01").until == datetime(2026, 6, 1, 22, tzinfo=UTC)
    # The clock is put back on this day, which therefore has 25 hours.
    where = of_warsaw().where(since="2026-10-25", until="2026-10-25")
    assert where.since
    assert where.until
    assert (where.until - where.since).total_seconds() == 25 * 3600


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "2026-06-01T25:00", "12:00"])
def test_what_is_no_time_is_refused(audit: Audit, text: str) -> None:
    with pytest.raises(InvalidInput, match=r"since.*such as 2026-06-30"):
        audit.where(since=text)


@pytest.mark.parametrize("text", ["0001-01-01", "0001-01-01T00:00", "9999-12-31"])
def test_times_at_the_ends_of_the_calendar_are_refused_or_taken(text: str) -> None:
    audit = of_warsaw()
    for field in ("since", "until"):
        try:
            audit.where(**{field: text})  # type: ignore[arg-type]
        except InvalidInput as error:
            assert error.field == field  # noqa: PT017 - either is right


def test_a_time_that_the_clock_left_out_is_refused() -> None:
    with pytest.raises(InvalidInput, match="put forward over this one"):
        of_warsaw().where(until="2026-03-29T02:30")


def test_an_empty_span_is_refused(audit: Audit) -> None:
    with pytest.raises(InvalidInput, match="a time after since"):
        audit.where(since="2026-06-02", until="2026-06-01")
    moment = datetime(2026, 6, 1, tzinfo=UTC)
    with pytest.raises(InvalidInput, match="a time after since"):
        check_filter(AuditFilter(since=moment, until=moment), KNOWN_EVENTS)


def test_a_moment_without_a_time_zone_is_refused() -> None:
    naive = datetime(2026, 6, 1)  # noqa: DTZ001 - that is what is tested
    with pytest.raises(InvalidInput, match=r"until.*time zone"):
        check_filter(AuditFilter(until=naive), KNOWN_EVENTS)


# Credentials, configurations, runs, people


def test_a_credential_is_meant_by_either_id(world: World, audit: Audit) -> None:
    world.enrol("ann")
    world.run(world.configure())
    (row,) = world.credentials.all(CredentialFilter())
    for reference in (str(row.credential_id), row.credential_id.hex, row.verification_id):
        assert audit.where(credential=reference).stream_id == row.credential_id
    for unknown in ("00000000-0000-0000-0000-000000000000", "unheard-of"):
        with pytest.raises(NotFound):
            audit.where(credential=unknown)


def test_a_configuration_is_meant_by_type_and_context(world: World, audit: Audit) -> None:
    configuration = world.configure()
    assert audit.where(configuration=("completion", COURSE)).configuration_id == configuration
    with pytest.raises(NotFound, match=f"there are: completion {COURSE}".replace("+", r"\+")):
        audit.where(configuration=("completion", OTHER_COURSE))


def test_ids_of_runs_and_names_of_people_are_checked(audit: Audit) -> None:
    with pytest.raises(InvalidInput, match="run: 'latest'"):
        audit.where(run="latest")
    with pytest.raises(InvalidInput, match=r"actor: 'jdoe'.*kind:name"):
        audit.where(actor="jdoe")
    with pytest.raises(InvalidInput, match=r"learner.*never an e-mail address"):
        audit.where(learner="ann@example.org")


def test_nothing_said_is_no_condition(audit: Audit) -> None:
    assert audit.where() == AuditFilter()
