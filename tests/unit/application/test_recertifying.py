"""Recertification: a new edition for what was achieved again, and never for the old achievement."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from testamur.application.awardees import Awardee
from testamur.application.ports.register import CredentialFilter, CredentialRow
from testamur.application.progress import Unwatched
from testamur.application.prospects import Prospect
from testamur.domain.credentials import CredentialStatus
from testamur.domain.errors import InvalidInput
from testamur.domain.identifiers import ConfigurationId
from tests.support.world import MONDAY, World

AWARDED, EXPIRED = MONDAY, datetime(2026, 8, 31, tzinfo=UTC)
"""What is awarded for ninety days has expired when 30 August is over."""

BEFORE, AFTER = AWARDED - timedelta(days=1), AWARDED + timedelta(days=30)


def achieved(world: World, learner: str, at: datetime | None, completion: str = "1") -> None:
    """Let the data source say when a learner completed the course."""
    world.enrol(learner, completion)
    record = world.source.learners[learner]
    achievement = replace(record.achievement, completed_at=at)
    world.source.learners[learner] = replace(record, achievement=achievement)


def certified(world: World, *learners: str, **expiry: Any) -> ConfigurationId:
    """Let learners be issued a credential that holds ninety days and may be renewed."""
    for learner in learners or ("ann",):
        achieved(world, learner, BEFORE)
    options: dict[str, Any] = {"after": "P90D", "recertify": True}
    configuration = world.configure(expiry=options | expiry)
    world.run(configuration)
    world.notifier.sent.clear()
    return configuration


def run_on(world: World, moment: datetime, configuration: ConfigurationId) -> None:
    """Run the configuration at a later time."""
    world.clock.moment = moment
    world.run(configuration)


def editions(world: World, learner: str = "ann") -> list[tuple[int, CredentialStatus]]:
    return [(row.edition, row.status) for row in rows(world, learner)]


def rows(world: World, learner: str = "ann") -> list[CredentialRow]:
    return [row for row in all_rows(world) if row.learner_id == learner]


def all_rows(world: World) -> list[CredentialRow]:
    return world.register.credentials(CredentialFilter(), 99)


ONE = [(1, CredentialStatus.ISSUED)]
TWO = [(1, CredentialStatus.SUPERSEDED), (2, CredentialStatus.ISSUED)]


def test_one_who_completes_again_gets_a_new_edition_with_a_date_and_expiry_of_its_own() -> None:
    world = World()
    configuration = certified(world)
    achieved(world, "ann", AFTER)

    run_on(world, EXPIRED, configuration)

    assert editions(world) == TWO
    old, new = rows(world)
    assert new.expires_at == datetime(2026, 11, 29, 23, 59, 59, tzinfo=UTC)
    old_answer = world.verifying.verify(old.verification_id)
    assert (old_answer.status, old_answer.superseded_by) == ("superseded", new.verification_id)
    new_answer = world.verifying.verify(new.verification_id)
    assert (new_answer.status, new_answer.award_date) == ("valid", EXPIRED.date())


def test_the_old_achievement_renews_nothing_however_often_it_is_seen() -> None:
    world = World()
    configuration = certified(world)

    for days in range(3):
        run_on(world, EXPIRED + timedelta(days=days), configuration)

    assert editions(world) == ONE


def test_an_achievement_without_a_date_renews_nothing() -> None:
    world = World()
    configuration = certified(world)
    achieved(world, "ann", None)

    run_on(world, EXPIRED, configuration)

    assert editions(world) == ONE


def test_a_new_achievement_that_does_not_meet_the_criteria_renews_nothing() -> None:
    world = World()
    configuration = certified(world)
    achieved(world, "ann", AFTER, completion="0.5")

    run_on(world, EXPIRED, configuration)

    assert editions(world) == ONE


def test_before_the_expiry_nothing_is_renewed() -> None:
    world = World()
    configuration = certified(world)
    achieved(world, "ann", AFTER)

    run_on(world, EXPIRED - timedelta(seconds=2), configuration)

    assert editions(world) == ONE


def test_where_a_window_opens_before_the_expiry_it_is_renewed_within_it() -> None:
    world = World()
    configuration = certified(world, recertify={"from": "P20D"})
    achieved(world, "ann", AFTER)

    run_on(world, datetime(2026, 8, 9, 23, tzinfo=UTC), configuration)
    assert editions(world) == ONE
    run_on(world, datetime(2026, 8, 10, 1, tzinfo=UTC), configuration)
    assert editions(world) == TWO


def test_without_the_option_an_expired_credential_stays_the_last() -> None:
    world = World()
    configuration = certified(world, recertify=False)
    achieved(world, "ann", AFTER)

    run_on(world, EXPIRED, configuration)

    assert editions(world) == ONE


def test_each_period_takes_an_achievement_of_its_own() -> None:
    world = World()
    configuration = certified(world)
    achieved(world, "ann", AFTER)
    run_on(world, EXPIRED, configuration)

    later = EXPIRED + timedelta(days=100)
    run_on(world, later, configuration)
    assert editions(world) == TWO
    achieved(world, "ann", later - timedelta(days=1))
    run_on(world, later, configuration)
    assert [edition for edition, _ in editions(world)] == [1, 2, 3]


def test_a_revoked_credential_is_not_renewed() -> None:
    world = World()
    configuration = certified(world)
    world.revoke(rows(world)[0].credential_id)
    achieved(world, "ann", AFTER)

    run_on(world, EXPIRED, configuration)

    assert editions(world) == [(1, CredentialStatus.REVOKED)]


def test_a_fixed_day_that_was_not_put_off_renews_nothing() -> None:
    world = World()
    configuration = certified(world, after=None, on="2026-08-30", recertify={"from": "P60D"})
    achieved(world, "ann", AFTER)
    run_on(world, datetime(2026, 8, 1, tzinfo=UTC), configuration)
    assert editions(world) == ONE

    world.configurations.change_options(
        configuration,
        {"expiry": {"on": "2027-08-30", "recertify": {"from": "P60D"}}},
        world.request(),
    )
    run_on(world, datetime(2026, 8, 2, tzinfo=UTC), configuration)
    assert editions(world) == TWO


def test_the_learner_is_told_once_that_it_is_renewed() -> None:
    world = World()
    configuration = certified(world)
    achieved(world, "ann", AFTER)

    run_on(world, EXPIRED, configuration)
    world.tick()
    world.tick()

    assert [each.notice for each in world.notifier.sent] == ["recertified"]


def test_a_run_renews_and_awards_side_by_side_and_counts_both() -> None:
    world = World()
    configuration = certified(world, "ann", "bob")
    achieved(world, "ann", AFTER)
    achieved(world, "eve", AFTER)

    world.clock.moment = EXPIRED
    counts = world.runs.get(world.run(configuration)).counts

    assert counts is not None
    assert (counts.awarded, counts.already_held, counts.not_eligible) == (2, 1, 0)
    assert editions(world) == TWO
    assert editions(world, "bob") == editions(world, "eve") == ONE


def test_a_dry_run_tells_who_would_get_a_new_edition() -> None:
    world = World()
    configuration = certified(world, "ann", "bob")
    achieved(world, "ann", AFTER)
    world.clock.moment = EXPIRED

    found = {each.learner_id: each for each in world.runs.dry_run(configuration, Unwatched())}

    assert isinstance(found[rows(world)[0].learner_id], Prospect)
    assert {str(id_): each.outcome for id_, each in found.items()} == {
        "ann": "award",
        "bob": "already-held",
    }


def test_the_evidence_of_the_new_edition_is_of_the_new_period() -> None:
    world = World()
    configuration = certified(world)
    achieved(world, "ann", AFTER, completion="0.95")

    run_on(world, EXPIRED, configuration)

    first, second = (
        world.credentials.get(row.credential_id).awarded.evidence for row in rows(world)
    )
    assert [str(each.results[-1].achieved) for each in (first, second)] == ["1", "0.95"]


def test_an_award_by_hand_for_a_past_day_is_renewed_by_what_was_achieved_after_that_day() -> None:
    world = World()
    configuration = world.configure(expiry={"after": "P90D", "recertify": True})
    awardee = Awardee.parse("ann", "Ann", award_date=(AWARDED - timedelta(days=60)).date())
    world.manual_awards.award(configuration, awardee, "an appeal", world.request())
    world.tick()
    achieved(world, "ann", AWARDED - timedelta(days=1))

    run_on(world, AWARDED + timedelta(days=40), configuration)

    assert editions(world) == TWO


def test_a_source_that_tells_no_dates_is_refused_with_what_to_do() -> None:
    world = World()
    world.source.dates_achievements = False
    world.enrol("ann")
    configuration = world.configure(expiry={"after": "P90D", "recertify": True})

    with pytest.raises(InvalidInput, match="configuration of its own"):
        world.run(configuration)
    assert all_rows(world) == []


def test_who_is_revoked_while_a_run_would_renew_is_not_renewed() -> None:
    world = World()
    configuration = certified(world, "ann", "bob")
    achieved(world, "ann", AFTER)
    achieved(world, "bob", AFTER)
    world.clock.moment = EXPIRED
    (old,) = rows(world)
    people = world.source.people

    def revoked_meanwhile(ids: Any) -> Any:
        if rows(world)[0].status is CredentialStatus.ISSUED:
            world.revoke(old.credential_id)
        return people(ids)

    world.source.people = revoked_meanwhile  # type: ignore[method-assign, assignment]
    world.run(configuration)

    assert editions(world) == [(1, CredentialStatus.REVOKED)]
    assert editions(world, "bob") == TWO
