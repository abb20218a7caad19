"""Deliveries: kinds of messages, sending again, suppressing, what comes back, and the cap."""

from dataclasses import replace
from datetime import timedelta

import pytest

from testamur.application.aggregates import append, load
from testamur.application.delivering import parse_message_id
from testamur.application.notifying import NotifyCounts
from testamur.application.ports.deliveries import DeliveryFilter
from testamur.application.progress import Unwatched
from testamur.domain.credentials import (
    MessageKey,
    Notice,
    NotificationRequested,
    decide_revoke,
    evolve,
)
from testamur.domain.errors import DecisionRefused, InvalidInput, InvalidOptions, NotFound
from testamur.domain.identifiers import ConfigurationId, CredentialId, LearnerId, credential_id
from tests.support.world import World

ANN = LearnerId("ann")


def of(configuration: ConfigurationId, learner_id: str = "ann") -> CredentialId:
    return credential_id(configuration, LearnerId(learner_id))


def ask(world: World, id_: CredentialId, notice: Notice, sequence: int = 0) -> None:
    """Ask for a message as other use cases do."""
    known = load(world.events, id_, evolve)
    asked = NotificationRequested(notice=notice, sequence=sequence)
    append(world.events, known, [asked], world.request().attribution(world.clock))


def revoke_and_tell(world: World, id_: CredentialId) -> None:
    known = load(world.events, id_, evolve)
    decided = decide_revoke(known.state, "by mistake", tell=True)
    append(world.events, known, decided, world.request().attribution(world.clock))


def told(world: World) -> list[tuple[str, Notice]]:
    return [(each.email.partition("@")[0], each.notice) for each in world.notifier.sent]


def statuses(world: World, **where: str) -> list[tuple[str, str, str | None]]:
    rows = world.deliveries.find(DeliveryFilter(**where), 100)  # type: ignore[arg-type]
    return [(row.notice, row.status, row.reason) for row in rows]


def issued_to(*learners: str, **options: str) -> tuple[World, ConfigurationId]:
    world = World()
    configuration = world.configure()
    for each in learners:
        world.enrol(each)
    world.run(configuration)
    return world, configuration


def test_a_learner_is_told_of_a_revocation_without_links_and_documents() -> None:
    world, configuration = issued_to("ann")
    revoke_and_tell(world, of(configuration))
    assert world.notifying.notify_awaiting(Unwatched()) == NotifyCounts(sent=1)
    first, second = world.notifier.sent
    assert first.attachments
    assert (second.notice, second.attachments, second.verify_url) == ("revoked", (), None)
    assert second.message_id == f"<revoked.{of(configuration)}@example.org>"


def test_reminders_of_one_credential_have_message_ids_of_their_own() -> None:
    world, configuration = issued_to("ann")
    for sequence in (0, 1):
        ask(world, of(configuration), "expiring", sequence)
    world.tick()
    assert [each.message_id for each in world.notifier.sent[1:]] == [
        f"<expiring.{of(configuration)}@example.org>",
        f"<expiring.1.1.{of(configuration)}@example.org>",
    ]


def test_a_kind_that_is_switched_off_is_skipped_by_record() -> None:
    world = World()
    configuration = world.configure(notification={"notices": ["issued"]})
    world.enrol("ann")
    world.run(configuration)
    ask(world, of(configuration), "expiring")
    world.tick()
    assert told(world) == [("ann", "issued")]
    assert statuses(world) == [("expiring", "skipped", "switched-off"), ("issued", "sent", None)]


def test_a_kind_that_there_is_not_is_refused() -> None:
    with pytest.raises(InvalidOptions, match="notices"):
        World().configure(notification={"notices": ["birthday"]})


def test_a_message_waits_until_the_document_is_there() -> None:
    world = World()
    configuration = world.configure()
    world.enrol("ann")
    run_id = world.runs.start(configuration, world.request())
    world.runs.carry_out(run_id, Unwatched())
    ask(world, of(configuration), "recertified")
    assert world.notifying.notify_awaiting(Unwatched()) == NotifyCounts()
    world.tick()
    assert told(world) == [("ann", "recertified")]


def test_a_revocation_while_the_message_waits_keeps_it_from_being_sent() -> None:
    world = World()
    configuration = world.configure()
    world.enrol("ann")
    world.notifier.unreachable = True
    world.run(configuration)
    revoke_and_tell(world, of(configuration))
    world.notifier.unreachable = False
    world.clock.advance(timedelta(days=1))
    world.tick()
    assert told(world) == []
    assert statuses(world) == [("issued", "skipped", "ended"), ("revoked", "skipped", "never-told")]


def test_a_message_is_sent_again_as_a_new_one_with_who_asked_for_it() -> None:
    world, configuration = issued_to("ann")
    request = world.request("user:desk")
    key = world.deliveries.resend(of(configuration), "she lost it", request)
    world.tick()
    assert key == MessageKey("issued", 0, 2)
    assert [each.message_id for each in world.notifier.sent] == [
        f"<issued.{of(configuration)}@example.org>",
        f"<issued.0.2.{of(configuration)}@example.org>",
    ]
    asked = [
        (each.attribution.actor, each.event.reason)
        for each in world.events.load(of(configuration))
        if isinstance(each.event, NotificationRequested)
    ]
    assert asked == [("user:desk", "she lost it")]
    assert statuses(world) == [("issued", "sent", None)] * 2


def test_a_message_that_was_given_up_is_sent_again() -> None:
    world = World()
    configuration = world.configure()
    world.enrol("ann", email="refused@example.org")
    world.run(configuration)
    assert statuses(world, status="given-up") == [("issued", "given-up", "refused")]
    world.deliveries.resend(of(configuration), "the mailbox is mended", world.request())
    world.tick()
    assert statuses(world) == [("issued", "given-up", "refused")] * 2


@pytest.mark.parametrize(
    ("options", "email", "why"),
    [
        ({"enabled": False}, "ann@example.org", "tells learners nothing of the kind"),
        ({}, None, "has no address"),
    ],
)
def test_what_would_not_be_sent_is_not_asked_for(
    options: dict[str, bool], email: str | None, why: str
) -> None:
    world = World()
    configuration = world.configure(notification={**options})
    world.enrol("ann", email=email)
    world.run(configuration)
    before = len(world.events.load(of(configuration)))
    with pytest.raises(DecisionRefused, match=why):
        world.deliveries.resend(of(configuration), "asked for", world.request())
    assert len(world.events.load(of(configuration))) == before


def test_a_reason_with_an_address_is_refused() -> None:
    world, configuration = issued_to("ann")
    with pytest.raises(InvalidInput, match="reason"):
        world.deliveries.resend(of(configuration), "to ann@example.org", world.request())


def test_a_suppressed_message_is_not_sent() -> None:
    world, configuration = issued_to("ann")
    ask(world, of(configuration), "expiring")
    keys = world.deliveries.suppress(of(configuration), "a mistake", world.request())
    world.tick()
    assert keys == [MessageKey("expiring")]
    assert told(world) == [("ann", "issued")]
    assert statuses(world, notice="expiring") == [("expiring", "suppressed", "a mistake")]
    with pytest.raises(DecisionRefused, match="no such message waits"):
        world.deliveries.suppress(of(configuration), "again", world.request())


def test_a_learner_who_complained_gets_nothing_until_that_is_lifted() -> None:
    world = World()
    configuration = world.configure()
    world.enrol("ann")
    world.enrol("bob")
    world.deliveries.silence(ANN, "complained", world.request())
    world.deliveries.silence(ANN, "complained again", world.request())
    world.run(configuration)
    assert told(world) == [("bob", "issued")]
    assert statuses(world, learner_id="ann") == [("issued", "skipped", "suppressed")]
    assert world.silences.all() == [ANN]
    with pytest.raises(DecisionRefused, match="suppressed"):
        world.deliveries.resend(of(configuration), "asked for", world.request())
    world.deliveries.lift(ANN, "by mistake", world.request())
    world.deliveries.resend(of(configuration), "asked for", world.request())
    world.tick()
    assert told(world) == [("bob", "issued"), ("ann", "issued")]
    assert world.silences.all() == []
    with pytest.raises(DecisionRefused, match="not suppressed"):
        world.deliveries.lift(ANN, "twice", world.request())


def test_a_suppression_while_messages_go_out_is_no_conflict_for_the_others() -> None:
    world = World()
    configuration = world.configure()
    for name in ("ann", "bob", "cid"):
        world.enrol(name)
    meanwhile = world.deliveries.suppress

    def suppress() -> None:
        meanwhile(of(configuration), "complained", world.request())

    world.notifier.after_next = suppress
    world.run(configuration)
    assert told(world) == [("ann", "issued"), ("bob", "issued"), ("cid", "issued")]
    assert sorted(status for _, status, _ in statuses(world)) == ["sent", "sent", "suppressed"]


def test_a_bounce_that_came_by_mail_is_recorded_and_ends_what_is_sent_by_itself() -> None:
    world, configuration = issued_to("ann")
    (sent,) = world.notifier.sent
    id_, key = world.deliveries.bounced(sent.message_id, "5.1.1", world.request())
    ask(world, of(configuration), "expiring")
    world.tick()
    assert (id_, key) == (of(configuration), MessageKey("issued"))
    assert len(world.notifier.sent) == 1
    assert statuses(world) == [("expiring", "skipped", "bounced"), ("issued", "bounced", "5.1.1")]


def test_a_message_id_names_a_message_whatever_the_domain() -> None:
    uuid = "0198f0a0-0000-7000-8000-000000000001"
    assert parse_message_id(f"<expiring.2.3.{uuid}@old.example>")[1] == MessageKey("expiring", 2, 3)
    assert parse_message_id(f"issued.{uuid}@old.example")[1] == MessageKey("issued")
    for bad in ("ann@example.org", f"<digest.{uuid}@x>", f"<issued.{uuid}>", ""):
        with pytest.raises(InvalidInput) as refused:
            parse_message_id(bad)
        assert "ann@example.org" not in str(refused.value)


def test_a_bounce_of_what_was_never_sent_is_refused() -> None:
    world, configuration = issued_to("ann")
    nobody = of(configuration, "nobody")
    with pytest.raises(NotFound):
        world.deliveries.bounced(f"<issued.{nobody}@x>", "5.1.1", world.request())
    reminder = f"<expiring.{of(configuration)}@x>"
    with pytest.raises(DecisionRefused):
        world.deliveries.bounced(reminder, "5.1.1", world.request())


def test_no_more_are_sent_within_an_hour_than_the_cap_and_the_rest_is_no_failure() -> None:
    world = World()
    configuration = world.configure()
    for number in range(5):
        world.enrol(f"learner-{number}")
    capped = replace(world.installation, mail_cap_per_hour=2)
    notifying = replace(world.notifying, installation=capped)
    world.runs.carry_out(world.runs.start(configuration, world.request()), Unwatched())
    world.issuing.issue_awaiting(Unwatched())
    first = notifying.notify_awaiting(Unwatched())
    assert first == NotifyCounts(sent=2, capped=True)
    world.clock.advance(timedelta(minutes=59))
    assert notifying.notify_awaiting(Unwatched()) == NotifyCounts(capped=True)
    assert world.tally().notifications == {"sent": 2, "pending": 3}
    world.clock.advance(timedelta(minutes=2))
    assert notifying.notify_awaiting(Unwatched()) == NotifyCounts(sent=2, capped=True)
    world.clock.advance(timedelta(hours=2))
    assert notifying.notify_awaiting(Unwatched()) == NotifyCounts(sent=1)
    assert all(row.failures == 0 for row in world.deliveries.find(DeliveryFilter(), 100))


def test_an_erasure_lets_go_of_every_message() -> None:
    world, configuration = issued_to("ann")
    ask(world, of(configuration), "expiring")
    world.tick()
    world.deliveries.resend(of(configuration), "asked for", world.request())
    world.tick()
    assert len(world.notifier.sent) == 3
    world.erasing.erase(ANN, "asked for", world.request())
    assert world.notifier.sent == []


def test_what_waits_when_a_learner_is_erased_is_never_sent() -> None:
    world, configuration = issued_to("ann")
    ask(world, of(configuration), "expiring")
    world.erasing.erase(ANN, "asked for", world.request())
    world.tick()
    assert world.notifier.sent == []
    assert statuses(world, status="pending") == []


def test_an_erasure_lets_go_of_a_message_that_a_crash_left_unrecorded() -> None:
    world, configuration = issued_to("ann")
    ask(world, of(configuration), "expiring", sequence=2)
    # It was delivered, and the process died before it could record that.
    message_id = world.installation.message_id(of(configuration), MessageKey("expiring", 2))
    world.notifier.sent.append(replace(world.notifier.sent[0], message_id=message_id))
    world.erasing.erase(ANN, "asked for", world.request())
    assert world.notifier.sent == []
