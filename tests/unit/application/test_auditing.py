"""Auditing: the trail searched page by page, counted, gone over, and told how far it is behind."""

from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testamur.application import auditing
from testamur.application.auditing import Audit
from testamur.application.ports.audit import AuditEntry, AuditFilter
from testamur.application.ports.register import CredentialFilter
from testamur.domain.credentials import CredentialAwarded
from testamur.domain.errors import InvalidInput
from testamur.domain.identifiers import ConfigurationId, LearnerId
from tests.support.audits import audit_of
from tests.support.events import an_award, awarding, by
from tests.support.records import COURSE, OTHER_COURSE
from tests.support.world import World

EVERYTHING = AuditFilter()


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def audit(world: World) -> Audit:
    return audit_of(world)


def issue_to(world: World, *learners: str) -> ConfigurationId:
    for each in learners:
        world.enrol(each)
    configuration = world.configure()
    world.run(configuration)
    return configuration


def names(entries: tuple[AuditEntry, ...]) -> list[str]:
    return [entry.name for entry in entries]


# Pages


def test_a_page_tells_what_happened_in_the_order_of_the_log(world: World, audit: Audit) -> None:
    configuration = issue_to(world, "ann")
    page = audit.page(EVERYTHING, 100)
    assert names(page.entries) == [
        "credential-type.defined.1",
        "configuration.created.1",
        "run.started.1",
        "credential.awarded.1",
        "run.completed.1",
        "credential.issued.1",
        "credential.notification-sent.1",
    ]
    assert (page.cursor, page.behind) == (None, 0)
    sent = page.entries[-1]
    assert (sent.configuration_id, sent.context_key, sent.learner_ids) == (
        configuration,
        COURSE,
        ("ann",),
    )


def test_the_newest_come_first_where_that_is_asked_for(world: World, audit: Audit) -> None:
    issue_to(world, "ann")
    oldest = audit.page(EVERYTHING, 100).entries
    assert audit.page(EVERYTHING, 100, newest_first=True).entries == oldest[::-1]


def test_a_page_that_is_just_full_has_no_cursor(world: World, audit: Audit) -> None:
    world.define_type()
    world.configure()
    assert audit.page(EVERYTHING, 2).cursor is None
    assert audit.page(EVERYTHING, 1).cursor is not None


def test_an_empty_trail_has_an_empty_page(audit: Audit) -> None:
    page = audit.page(EVERYTHING, 10)
    assert (page.entries, page.cursor, page.behind) == ((), None, 0)


@given(
    learners=st.lists(st.sampled_from("abc"), max_size=25),
    arriving=st.lists(st.sampled_from("abc"), max_size=12),
    limit=st.integers(1, 7),
    newest_first=st.booleans(),
    of=st.sampled_from([None, "a"]),
)
def test_pages_joined_are_the_whole_while_events_arrive(
    learners: list[str], arriving: list[str], limit: int, newest_first: bool, of: str | None
) -> None:
    world = World()
    audit = audit_of(world)
    happened: list[str] = []

    def happens(learner: str) -> None:
        award = an_award(learner, configuration_id=ConfigurationId(uuid4()))
        world.events.append(awarding(award), by())
        happened.append(learner)

    for each in learners:
        happens(each)
    where = AuditFilter(learner_id=None if of is None else LearnerId(of))
    at_first = list(happened)
    joined: list[AuditEntry] = []
    still_to_come = list(arriving)
    cursor: str | None = None
    while True:
        page = audit.page(where, limit, cursor, newest_first=newest_first)
        assert len(page.entries) <= limit
        assert page.behind == 0
        joined += page.entries
        cursor = page.cursor
        if cursor is None:
            break
        if still_to_come:
            happens(still_to_come.pop())
    everything = at_first[::-1] if newest_first else happened
    wanted = [each for each in everything if of in (None, each)]
    assert [learner for entry in joined for learner in entry.learner_ids] == wanted
    positions = [entry.position for entry in joined]
    assert positions == sorted(positions, reverse=newest_first)


# Cursors


def test_a_cursor_is_good_for_its_own_filter_only(world: World, audit: Audit) -> None:
    issue_to(world, "ann", "bob")
    of_credentials = AuditFilter(event="credential")
    cursor = audit.page(of_credentials, 1).cursor
    assert audit.page(of_credentials, 1, cursor).entries
    with pytest.raises(InvalidInput, match="of another filter or of the other order"):
        audit.page(EVERYTHING, 1, cursor)
    with pytest.raises(InvalidInput, match="of another filter or of the other order"):
        audit.page(of_credentials, 1, cursor, newest_first=True)


def test_a_cursor_may_go_on_with_another_limit(world: World, audit: Audit) -> None:
    issue_to(world, "ann", "bob")
    everything = audit.page(EVERYTHING, 100).entries
    first = audit.page(EVERYTHING, 3)
    assert first.entries + audit.page(EVERYTHING, 50, first.cursor).entries == everything


@pytest.mark.parametrize("broken", ["", "x", "źle", "AQ==", "A" * 28, "AQAAAAAAAAAG"])
def test_what_is_no_cursor_is_refused(world: World, audit: Audit, broken: str) -> None:
    issue_to(world, "ann")
    with pytest.raises(InvalidInput, match="unchanged and whole"):
        audit.page(EVERYTHING, 1, broken)


def test_a_cursor_that_was_changed_is_refused(world: World, audit: Audit) -> None:
    issue_to(world, "ann")
    cursor = audit.page(EVERYTHING, 1).cursor
    assert cursor is not None
    for place in range(len(cursor)):
        changed = "B" if cursor[place] != "B" else "C"
        with pytest.raises(InvalidInput):
            audit.page(EVERYTHING, 1, cursor[:place] + changed + cursor[place + 1 :])


@pytest.mark.parametrize("limit", [0, -1, auditing.LONGEST_PAGE + 1])
def test_a_page_has_a_sensible_length(audit: Audit, limit: int) -> None:
    with pytest.raises(InvalidInput, match="limit"):
        audit.page(EVERYTHING, limit)


# What is asked for


def test_conditions_hold_together(world: World, audit: Audit) -> None:
    issue_to(world, "ann", "bob")
    (ann, _) = world.register.credentials(CredentialFilter(), 10)
    where = audit.where(
        credential=str(ann.credential_id),
        learner="ann",
        configuration=("completion", COURSE),
        context=COURSE,
        actor="system:issuer",
        run=str(ann.run_id),
        event="credential.issued",
        since="2026-06-01",
        until="2026-06-01",
    )
    (entry,) = audit.page(where, 10).entries
    assert (entry.name, entry.learner_ids) == ("credential.issued.1", ("ann",))
    elsewhere = audit.where(learner="ann", context=OTHER_COURSE)
    assert audit.page(elsewhere, 10).entries == ()


def test_a_filter_that_nobody_could_mean_is_refused_everywhere(audit: Audit) -> None:
    unheard_of = AuditFilter(event="credential.framed")
    for ask in (
        lambda: audit.page(unheard_of, 1),
        lambda: audit.count(unheard_of),
        lambda: audit.grouped(unheard_of, "event"),
        lambda: audit.entries(unheard_of),
    ):
        with pytest.raises(InvalidInput, match=r"credential\.framed"):
            ask()


# Behind


def test_a_question_brings_the_trail_on_and_tells_what_it_still_lacks(
    world: World, audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auditing, "MOST_CAUGHT_UP", 3)
    issue_to(world, "ann")
    assert audit.behind() == 7
    first = audit.page(EVERYTHING, 100)
    assert (len(first.entries), first.behind) == (3, 4)
    second = audit.page(EVERYTHING, 100)
    assert (len(second.entries), second.behind) == (6, 1)
    assert audit.count(EVERYTHING) == 7
    assert audit.behind() == 0


def test_the_trail_is_brought_up_as_a_whole_where_that_is_asked_for(
    world: World, audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auditing, "MOST_CAUGHT_UP", 3)
    issue_to(world, "ann")
    audit.catch_up()
    assert audit.behind() == 0


# Everything, and how much it is


def test_all_entries_are_yielded_in_either_order(
    world: World, audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auditing, "_PART", 2)
    issue_to(world, "ann", "bob")
    everything = list(audit.page(EVERYTHING, 100).entries)
    assert list(audit.entries(EVERYTHING)) == everything
    assert list(audit.entries(EVERYTHING, newest_first=True)) == everything[::-1]


def test_what_is_recorded_meanwhile_is_left_out(
    world: World, audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auditing, "_PART", 2)
    issue_to(world, "ann")
    for newest_first in (False, True):
        before = audit.count(EVERYTHING)
        entries = audit.entries(EVERYTHING, newest_first=newest_first)
        world.events.append(awarding(an_award(f"late {newest_first}")), by())
        audit.catch_up()
        assert len(list(entries)) == before


def test_entries_are_counted_by_what_they_have_in_common(world: World, audit: Audit) -> None:
    configuration = issue_to(world, "ann", "bob")
    assert audit.count(AuditFilter(event="credential")) == 6
    assert audit.grouped(AuditFilter(event="credential"), "event") == {
        "credential.awarded.1": 2,
        "credential.issued.1": 2,
        "credential.notification-sent.1": 2,
    }
    by_configuration = audit.grouped(EVERYTHING, "configuration")
    assert list(by_configuration) == [str(configuration)]
    assert audit.names_of_configurations([configuration, ConfigurationId(uuid4())]) == {
        configuration: ("completion", COURSE)
    }
    with pytest.raises(InvalidInput, match="one of event, actor"):
        audit.grouped(EVERYTHING, "weather")  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="a number from 1"):
        audit.grouped(EVERYTHING, "event", 0)


# What events say


@pytest.mark.parametrize("sparse", [0, 4])
def test_entries_come_with_their_events_decrypted(
    world: World, audit: Audit, monkeypatch: pytest.MonkeyPatch, sparse: int
) -> None:
    monkeypatch.setattr(auditing, "_SPARSE", sparse)
    monkeypatch.setattr(auditing, "_PART", 3)
    issue_to(world, "ann", "bob")
    for newest_first in (False, True):
        whole = list(audit.with_events(audit.entries(EVERYTHING, newest_first=newest_first)))
        assert len(whole) == audit.count(EVERYTHING)
        for entry, recorded in whole:
            assert (entry.stream_id, entry.version, entry.name) == (
                recorded.stream_id,
                recorded.version,
                recorded.name,
            )
    awarded = [each for _, each in whole if isinstance(each.event, CredentialAwarded)]
    people = [each.event.person for each in awarded if isinstance(each.event, CredentialAwarded)]
    assert {each.full_name for each in people if each} == {"Learner ann", "Learner bob"}


def test_what_was_personal_is_none_once_the_learner_is_erased(world: World, audit: Audit) -> None:
    issue_to(world, "ann", "bob")
    world.erasing.erase(LearnerId("ann"), "asked for", world.request())
    where = AuditFilter(event="credential.awarded")
    people = {
        recorded.event.learner_id: recorded.event.person
        for _, recorded in audit.with_events(audit.entries(where))
        if isinstance(recorded.event, CredentialAwarded)
    }
    assert people[LearnerId("ann")] is None
    assert people[LearnerId("bob")] is not None
