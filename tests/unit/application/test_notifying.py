"""Notifying: who is told, who is not, and what a failing mail server leads to."""

from datetime import timedelta

from testamur.application.notifying import NotifyCounts
from testamur.application.progress import Unwatched
from testamur.domain.credentials import NotificationSkipped
from testamur.domain.identifiers import CredentialId, LearnerId, credential_id
from tests.support.world import World


def _skip_reason(world: World, id_: CredentialId) -> str | None:
    reasons = [
        each.event.reason
        for each in world.events.load(id_)
        if isinstance(each.event, NotificationSkipped)
    ]
    return reasons[0] if reasons else None


def test_only_learners_with_an_address_and_an_active_account_are_told() -> None:
    world = World()
    configuration = world.configure()
    world.enrol("ann")
    world.enrol("bob", email=None)
    world.enrol("cid", mailable=False)
    world.run(configuration)
    assert [each.email for each in world.notifier.sent] == ["ann@example.org"]
    ids = {each: credential_id(configuration, LearnerId(each)) for each in ("bob", "cid")}
    assert _skip_reason(world, ids["bob"]) == "no-address"
    assert _skip_reason(world, ids["cid"]) == "inactive-account"
    assert world.tally().notifications == {"sent": 1, "skipped": 2}


def test_nobody_is_told_where_the_configuration_switches_it_off() -> None:
    world = World()
    configuration = world.configure(notification={"enabled": False})
    world.enrol("ann")
    world.run(configuration)
    assert world.notifier.sent == []
    assert _skip_reason(world, credential_id(configuration, LearnerId("ann"))) == "switched-off"


def test_a_server_that_cannot_be_reached_never_undoes_the_issue() -> None:
    world = World()
    configuration = world.configure()
    world.enrol("ann")
    world.notifier.unreachable = True
    world.run(configuration)
    state = world.credentials.get(credential_id(configuration, LearnerId("ann")))
    assert (state.status, state.notification) == ("issued", "pending")


def test_a_message_is_tried_again_with_the_same_message_id() -> None:
    world = World()
    configuration = world.configure()
    world.enrol("ann")
    world.notifier.unreachable = True
    world.run(configuration)
    world.notifier.unreachable = False
    world.clock.advance(timedelta(minutes=1))
    assert world.notifying.notify_awaiting(Unwatched()) == NotifyCounts(sent=1)
    id_ = credential_id(configuration, LearnerId("ann"))
    assert [each.message_id for each in world.notifier.sent] == [f"<issued.{id_}@example.org>"]


def test_a_pass_stops_where_the_server_takes_nothing_and_leaves_the_rest_waiting() -> None:
    world = World()
    configuration = world.configure()
    for number in range(150):
        world.enrol(f"learner-{number:03}")
    world.notifier.unreachable = True
    run_id = world.runs.start(configuration, world.request())
    world.runs.carry_out(run_id, Unwatched())
    world.issuing.issue_awaiting(Unwatched())
    counts = world.notifying.notify_awaiting(Unwatched())
    assert counts.failed == 100
    assert counts.stopped_because == "unreachable: no answer"
    assert len(world.register.awaiting_notification(world.clock.now(), 1000)) == 50


def test_a_refused_address_is_given_up_and_the_others_are_told() -> None:
    world = World()
    configuration = world.configure()
    world.enrol("ann")
    world.enrol("bob", email="refused@example.org")
    world.enrol("cid")
    world.run(configuration)
    assert world.tally().notifications == {"sent": 2, "given-up": 1}


def test_the_document_goes_with_the_message_where_it_is_to_be_attached() -> None:
    world = World()
    configuration = world.configure()
    world.enrol("ann", name="Ann Example")
    world.run(configuration)
    (message,) = world.notifier.sent
    (attachment,) = message.attachments
    assert b"Ann Example" in attachment.content
    assert attachment.filename == "certificate.txt"


def test_a_learner_is_told_once_however_often_it_is_tried() -> None:
    world = World()
    configuration = world.configure()
    world.enrol("ann")
    world.run(configuration)
    for _ in range(3):
        world.notifying.notify_awaiting(Unwatched())
    assert len(world.notifier.sent) == 1


def test_a_revocation_while_messages_go_out_makes_nobody_be_told_twice() -> None:
    world = World()
    configuration = world.configure()
    for name in ("ann", "bob", "cid"):
        world.enrol(name)
    revoked = credential_id(configuration, LearnerId("ann"))
    world.notifier.after_next = lambda: world.revoke(revoked)
    world.run(configuration)
    told = sorted(each.email for each in world.notifier.sent)
    assert told == ["ann@example.org", "bob@example.org", "cid@example.org"]
    assert world.tally().notifications == {"sent": 2}
