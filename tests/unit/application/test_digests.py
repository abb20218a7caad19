"""Digests: staff are told once what a run came to, without a word about anybody by name."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

import pytest
from pydantic import JsonValue

from testamur.application.digests import request_digest
from testamur.application.ports.notification import StaffDelivery, StaffMessage
from testamur.application.ports.tasks import AwardRun
from testamur.application.progress import Unwatched
from testamur.domain.digests import DigestFailed, DigestRequested, DigestSent, DigestSkipped
from testamur.domain.errors import InvalidOptions
from testamur.domain.events import DomainEvent
from testamur.domain.identifiers import RunId, digest_id
from tests.support.world import NotifierInMemory, World

ADDRESSES: list[JsonValue] = ["course-team@example.org", "dean@example.org"]
STAFF: JsonValue = {"digest_to": ADDRESSES}


class NotifierToStaff(NotifierInMemory):
    """Keeps messages to staff, and refuses what the test says."""

    def __init__(self) -> None:
        super().__init__()
        self.to_staff: list[StaffMessage] = []
        self.refuses: dict[str, str] = {}

    def deliver_to_staff(self, messages: Sequence[StaffMessage]) -> Iterator[StaffDelivery]:
        """Deliver, or refuse."""
        for each in messages:
            match self.refuses.get(each.email, self.refuses.get("*")):
                case "temporary":
                    yield StaffDelivery(each, "unreachable", "temporary")
                case "permanent":
                    yield StaffDelivery(each, "refused", "permanent")
                case _:
                    self.to_staff.append(each)
                    yield StaffDelivery(each)


def a_world() -> tuple[World, NotifierToStaff]:
    notifier = NotifierToStaff()
    return World(notifier=notifier), notifier


def events_of(world: World, run_id: RunId) -> list[DomainEvent]:
    return [each.event for each in world.events.load(digest_id(run_id))]


def test_staff_are_told_what_a_run_came_to() -> None:
    world, notifier = a_world()
    configuration = world.configure(notification=STAFF)
    world.enrol("ann")
    world.enrol("unnamed", name="")
    world.leave_out("hidden", "the LMS has no answer")
    run_id = world.run(configuration)
    report = world.tick()
    assert report.digests == 1
    assert [each.email for each in notifier.to_staff] == ADDRESSES
    message = notifier.to_staff[0]
    assert message.message_id == f"<digest.{run_id}@example.org>"
    assert "1 issued, 2 not" in message.subject
    for line in ("1 awarded", "1 messages sent", "  unnamed: no-name", "  hidden: the LMS has no"):
        assert line in message.text


def test_nobody_is_named_or_can_be_written_to_from_a_digest() -> None:
    world, notifier = a_world()
    configuration = world.configure(notification=STAFF)
    world.enrol("ann", name="Ann Example")
    world.enrol("eve", name="Evé Example")
    world.run(configuration)
    world.tick()
    text = notifier.to_staff[0].text
    assert "eve: missing-glyph" in text
    assert "Example" not in text
    assert "ann@example.org" not in text


def test_it_is_sent_once() -> None:
    world, notifier = a_world()
    configuration = world.configure(notification=STAFF)
    world.enrol("ann")
    run_id = world.run(configuration)
    for _ in range(3):
        world.tick()
    assert len(notifier.to_staff) == 2
    assert [type(each) for each in events_of(world, run_id)] == [DigestRequested, DigestSent]


def test_it_waits_until_every_document_was_issued_or_failed_to_be() -> None:
    world, notifier = a_world()
    configuration = world.configure(notification=STAFF)
    world.enrol("ann")
    run_id = world.runs.start(configuration, world.request())
    world.runs.carry_out(run_id, Unwatched())
    assert world.digests.send_due() == 0
    world.storage.broken = True
    world.issuing.issue_awaiting(Unwatched())
    assert world.digests.send_due() == 1
    assert "the document could not be made yet" in notifier.to_staff[0].text
    assert "  ann: " in notifier.to_staff[0].text


@pytest.mark.parametrize("completion", ["0.5", None])
def test_of_a_run_that_awarded_nobody_and_failed_nobody_nothing_is_told(
    completion: str | None,
) -> None:
    world, _ = a_world()
    configuration = world.configure(notification=STAFF)
    if completion is not None:
        world.enrol("ann", completion)
    run_id = world.run(configuration)
    world.tick()
    assert events_of(world, run_id) == []


def test_where_nobody_is_to_be_told_nothing_is_recorded() -> None:
    world, _ = a_world()
    configuration = world.configure()
    world.enrol("ann")
    run_id = world.run(configuration)
    assert events_of(world, run_id) == []


def test_what_could_not_be_sent_is_tried_again_and_in_the_end_given_up() -> None:
    world, notifier = a_world()
    configuration = world.configure(notification=STAFF)
    world.enrol("ann")
    run_id = world.run(configuration)
    notifier.refuses = {"*": "temporary"}
    world.tick()
    world.tick()
    failures = [each for each in events_of(world, run_id) if isinstance(each, DigestFailed)]
    assert [(each.attempt, each.reason) for each in failures] == [(1, "unreachable")]
    notifier.refuses = {"*": "permanent"}
    world.clock.advance(timedelta(days=1))
    world.tick()
    world.clock.advance(timedelta(days=9))
    world.tick()
    last = events_of(world, run_id)[-1]
    assert isinstance(last, DigestFailed)
    assert (last.attempt, last.retry_at) == (2, None)


def test_one_address_that_is_refused_keeps_nobody_else_from_being_told() -> None:
    world, notifier = a_world()
    configuration = world.configure(notification=STAFF)
    world.enrol("ann")
    notifier.refuses = {"dean@example.org": "permanent"}
    run_id = world.run(configuration)
    world.tick()
    sent = events_of(world, run_id)[-1]
    assert isinstance(sent, DigestSent)
    assert (sent.recipients, sent.refused) == (1, 1)


def test_who_is_not_staff_any_more_is_not_told() -> None:
    world, notifier = a_world()
    configuration = world.configure(notification=STAFF)
    world.enrol("ann")
    run_id = world.run(configuration)
    world.configurations.change_options(configuration, {}, world.request())
    world.tick()
    assert notifier.to_staff == []
    assert isinstance(events_of(world, run_id)[-1], DigestSkipped)


@pytest.mark.parametrize("address", ["staff", "A Dean <dean@example.org>", "a@b\nBcc: c@d", ""])
def test_what_is_no_address_is_refused_when_it_is_set(address: str) -> None:
    with pytest.raises(InvalidOptions, match="digest_to"):
        a_world()[0].configure(notification={"digest_to": [address]})


def test_a_run_that_was_interrupted_at_its_end_is_told_of_once() -> None:
    world, notifier = a_world()
    configuration = world.configure(notification=STAFF)
    world.enrol("ann")
    run_id = world.runs.start(configuration, world.request())
    # A process died after it asked for the digest and before it recorded the run's end.
    request_digest(world.events, run_id, configuration, world.request().attribution(world.clock))
    assert world.digests.send_due() == 0
    world.queue.send(AwardRun(run_id))
    world.tick()
    assert len(notifier.to_staff) == 2
