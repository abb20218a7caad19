"""The audit trail: what every kind of database answers from the rows that were written."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest

from testamur.application.following import Following
from testamur.application.ports.audit import AuditEntry, AuditFilter
from testamur.domain.identifiers import Actor, LearnerId
from testamur.domain.run_results import Refusal
from testamur.domain.runs import LearnersRefused
from tests.support.databases import Database
from tests.support.events import (
    CONFIGURATION,
    COURSE,
    NOON,
    OTHER_CONFIGURATION,
    OTHER_COURSE,
    a_configuration,
    a_run,
    an_award,
    an_issue,
    awarding,
    by,
    id_of,
    then,
)

RUN = UUID(int=77)
REQUEST = UUID(int=78)
EVERYTHING = AuditFilter()


def follow(database: Database) -> Following:
    following = Following(database.log, database.audit_rows)
    following.catch_up()
    return following


def a_short_history(database: Database) -> None:
    """Record seven events: two configurations, a run with a refusal, two awards and a document."""
    events = database.events
    request = by("user:registrar", correlation_id=REQUEST)
    events.append(then(CONFIGURATION, 0, a_configuration()), request)
    events.append(then(OTHER_CONFIGURATION, 0, a_configuration(OTHER_COURSE)), request)
    events.append(then(RUN, 0, a_run()), request)
    refusals = tuple(
        Refusal(learner_id=LearnerId(each), reason="no-name", detail="no full name")
        for each in ("z", "learner-1")
    )
    of_run = by("system:scheduler", correlation_id=RUN, at=NOON + timedelta(days=1))
    events.append(then(RUN, 1, LearnersRefused(refusals=refusals)), of_run)
    events.append(awarding(an_award("learner-1"), an_award("learner-2")), of_run)
    later = by("system:issuer", correlation_id=RUN, at=NOON + timedelta(days=2))
    events.append(then(id_of(an_award("learner-2")), 1, an_issue()), later)
    follow(database)


def positions(entries: Sequence[AuditEntry]) -> list[int]:
    return [entry.position for entry in entries]


@pytest.mark.parametrize(
    ("where", "found"),
    [
        (EVERYTHING, [1, 2, 3, 4, 5, 6, 7]),
        (AuditFilter(stream_id=RUN), [3, 4]),
        (AuditFilter(stream_id=id_of(an_award("learner-2"))), [6, 7]),
        (AuditFilter(learner_id=LearnerId("learner-1")), [4, 5]),
        (AuditFilter(learner_id=LearnerId("learner-2")), [6, 7]),
        (AuditFilter(learner_id=LearnerId("learner")), []),
        (AuditFilter(configuration_id=CONFIGURATION), [1, 3, 4, 5, 6, 7]),
        (AuditFilter(configuration_id=OTHER_CONFIGURATION), [2]),
        (AuditFilter(context_key=COURSE), [1, 3, 4, 5, 6, 7]),
        (AuditFilter(context_key=OTHER_COURSE), [2]),
        (AuditFilter(actor=Actor("system:issuer")), [7]),
        (AuditFilter(actor=Actor("system:nobody")), []),
        (AuditFilter(correlation_id=RUN), [4, 5, 6, 7]),
        (AuditFilter(correlation_id=REQUEST), [1, 2, 3]),
        (AuditFilter(correlation_id=UUID(int=9)), []),
        (AuditFilter(event="credential"), [5, 6, 7]),
        (AuditFilter(event="credential.awarded"), [5, 6]),
        (AuditFilter(event="credential.awarded.1"), [5, 6]),
        (AuditFilter(event="credential.award"), []),
        (AuditFilter(event="cred"), []),
        (AuditFilter(since=NOON + timedelta(days=1)), [4, 5, 6, 7]),
        (AuditFilter(until=NOON + timedelta(days=1)), [1, 2, 3]),
        (AuditFilter(since=NOON, until=NOON), []),
        (AuditFilter(learner_id=LearnerId("learner-1"), event="run"), [4]),
        (AuditFilter(context_key=COURSE, actor=Actor("user:registrar")), [1, 3]),
        (AuditFilter(configuration_id=CONFIGURATION, context_key=OTHER_COURSE), []),
        (AuditFilter(correlation_id=RUN, event="credential", since=NOON), [5, 6, 7]),
    ],
)
def test_entries_are_found_by_any_condition_and_by_several(
    database: Database, where: AuditFilter, found: list[int]
) -> None:
    a_short_history(database)
    assert positions(database.trail.page(where, 100)) == found
    assert positions(database.trail.page(where, 100, newest_first=True)) == found[::-1]
    assert database.trail.count(where) == len(found)


def test_an_entry_tells_everything_about_its_event(database: Database) -> None:
    a_short_history(database)
    refused, award, _, document = database.trail.page(AuditFilter(correlation_id=RUN), 10)
    assert refused.learner_ids == ("z", "learner-1")
    assert refused.context_key == COURSE
    assert award.name == "credential.awarded.1"
    assert document == AuditEntry(
        position=7,
        at=NOON + timedelta(days=2),
        actor=Actor("system:issuer"),
        name="credential.issued.1",
        stream_id=id_of(an_award("learner-2")),
        version=2,
        correlation_id=RUN,
        configuration_id=CONFIGURATION,
        context_key=COURSE,
        learner_ids=(LearnerId("learner-2"),),
    )


@pytest.mark.parametrize("where", [EVERYTHING, AuditFilter(context_key=COURSE)])
def test_pages_follow_one_another(database: Database, where: AuditFilter) -> None:
    a_short_history(database)
    for newest_first in (False, True):
        gone_over: list[int] = []
        while page := database.trail.page(
            where, 2, after=gone_over[-1] if gone_over else None, newest_first=newest_first
        ):
            gone_over += positions(page)
        whole = positions(database.trail.page(where, 100, newest_first=newest_first))
        assert gone_over == whole


def test_groups_are_counted_the_largest_first(database: Database) -> None:
    a_short_history(database)
    trail = database.trail
    assert list(trail.grouped(EVERYTHING, "event", 3).items()) == [
        ("configuration.created.1", 2),
        ("credential.awarded.1", 2),
        ("credential.issued.1", 1),
    ]
    assert list(trail.grouped(EVERYTHING, "actor", 9).items()) == [
        ("system:scheduler", 3),
        ("user:registrar", 3),
        ("system:issuer", 1),
    ]
    assert dict(trail.grouped(EVERYTHING, "configuration", 9)) == {
        str(CONFIGURATION): 6,
        str(OTHER_CONFIGURATION): 1,
    }
    assert dict(trail.grouped(EVERYTHING, "context", 1)) == {COURSE: 6}


def test_only_runs_are_groups_of_runs(database: Database) -> None:
    a_short_history(database)
    assert dict(database.trail.grouped(EVERYTHING, "run", 9)) == {str(RUN): 4}


def test_days_are_in_the_order_of_the_calendar_and_the_latest_are_kept(database: Database) -> None:
    a_short_history(database)
    days = database.trail.grouped(EVERYTHING, "day", 2)
    assert list(days.items()) == [("2026-06-02", 3), ("2026-06-03", 1)]


def test_learners_about_whom_it_is_quiet_are_told_by_id(database: Database) -> None:
    a_short_history(database)
    trail = database.trail
    assert trail.quiet_since(NOON + timedelta(days=2), 9, None) == ["learner-1", "z"]
    assert trail.quiet_since(NOON + timedelta(days=2), 1, None) == ["learner-1"]
    assert trail.quiet_since(NOON + timedelta(days=2), 9, LearnerId("learner-1")) == ["z"]
    assert trail.quiet_since(NOON + timedelta(days=1), 9, None) == []
    assert len(trail.quiet_since(NOON + timedelta(days=9), 9, None)) == 3


def test_an_empty_trail_answers_too(database: Database) -> None:
    trail = database.trail
    assert list(trail.page(EVERYTHING, 9)) == []
    assert list(trail.page(AuditFilter(since=NOON, event="credential"), 9)) == []
    assert trail.count(EVERYTHING) == 0
    assert dict(trail.grouped(EVERYTHING, "day", 9)) == {}
    assert list(trail.quiet_since(NOON, 9, None)) == []
    assert database.audit_rows.status().position == 0


# As it is written


def test_rows_are_written_once_whoever_is_first(database: Database) -> None:
    a_short_history(database)
    rows = database.audit_rows
    entries = list(database.trail.page(EVERYTHING, 100))
    assert not rows.write(entries[:3], 0)
    assert not rows.write(entries[:3], 9)
    assert rows.status().position == 7
    assert database.trail.count(EVERYTHING) == 7


def test_readers_have_the_old_trail_until_the_new_one_is_complete(database: Database) -> None:
    a_short_history(database)
    rows, trail = database.audit_rows, database.trail
    entries = list(trail.page(EVERYTHING, 100))
    rows.begin_rebuild()
    assert rows.write(entries[:2], 0, rebuilding=True)
    assert trail.page(EVERYTHING, 100) == entries
    assert (rows.status().position, rows.status().rebuilt_to) == (7, 2)
    assert rows.subjects([RUN], rebuilding=True) == {}
    assert rows.subjects([RUN])[RUN].context_key == COURSE
    assert rows.write(entries[2:], 2, rebuilding=True)
    rows.finish_rebuild()
    assert trail.page(EVERYTHING, 100) == entries
    assert (rows.status().position, rows.status().rebuilt_to) == (7, None)


def test_a_new_trail_that_is_behind_is_not_given_to_readers(database: Database) -> None:
    a_short_history(database)
    rows, trail = database.audit_rows, database.trail
    entries = list(trail.page(EVERYTHING, 100))
    rows.begin_rebuild()
    assert rows.write(entries[:6], 0, rebuilding=True)
    rows.finish_rebuild()
    assert trail.count(EVERYTHING) == 7
    assert rows.status().rebuilt_to == 6


def test_a_rebuild_that_was_interrupted_is_begun_anew(database: Database) -> None:
    a_short_history(database)
    rows, trail = database.audit_rows, database.trail
    entries = list(trail.page(EVERYTHING, 100))
    for _ in range(3):
        rows.begin_rebuild()
        assert rows.write(entries[:4], 0, rebuilding=True)
    assert follow(database).rebuild() == 7
    assert trail.page(EVERYTHING, 100) == entries
    assert trail.count(AuditFilter(event="credential")) == 3


def test_nothing_is_written_anew_where_no_rebuild_was_begun(database: Database) -> None:
    a_short_history(database)
    entries = list(database.trail.page(EVERYTHING, 100))
    assert not database.audit_rows.write(entries, 0, rebuilding=True)
    database.audit_rows.finish_rebuild()
    assert database.trail.page(EVERYTHING, 100) == entries


def test_a_trail_can_be_rebuilt_again_and_again(database: Database) -> None:
    a_short_history(database)
    entries = database.trail.page(EVERYTHING, 100)
    following = follow(database)
    for _ in range(3):
        following.rebuild()
        assert database.trail.page(EVERYTHING, 100) == entries
        assert dict(database.trail.grouped(EVERYTHING, "run", 9)) == {str(RUN): 4}


def test_what_an_aggregate_is_about_is_told_by_its_first_event(database: Database) -> None:
    a_short_history(database)
    credential = id_of(an_award("learner-2"))
    subjects = database.audit_rows.subjects([credential, CONFIGURATION, UUID(int=5)])
    assert subjects.keys() == {credential, CONFIGURATION}
    assert subjects[credential].learner_id == "learner-2"
    assert subjects[CONFIGURATION].configuration_id == CONFIGURATION
    assert subjects[CONFIGURATION].learner_id is None


def test_texts_of_any_kind_come_back_as_they_were(database: Database) -> None:
    actor, learner = "user:tab\\t \\N “ł” 'x' %s ? #", "é'\\N;--\\"
    database.events.append(awarding(an_award(learner, context_key="course \\. '#?%s")), by(actor))
    follow(database)
    (entry,) = database.trail.page(AuditFilter(learner_id=LearnerId(learner)), 9)
    assert entry.actor == actor
    assert entry.learner_ids == (learner,)
    assert entry.context_key == "course \\. '#?%s"
    assert database.trail.count(AuditFilter(actor=Actor(actor))) == 1
