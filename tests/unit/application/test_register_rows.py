"""The rows that streams lead to are those that were registered event by event."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from testamur.application.ports.event_store import Attribution, RecordedEvent
from testamur.application.ports.register import CredentialRow
from testamur.application.transparency.register_rows import row_of, rows_of
from testamur.domain.credentials import CredentialRevoked, CredentialStatus, NotificationSent
from testamur.domain.events import DomainEvent
from tests.support.events import (
    NOON,
    a_failed_issue,
    a_failed_notification,
    a_run,
    an_asset,
    an_award,
    an_issue,
    by,
    id_of,
)


def recorded(
    stream_id: UUID, events: Sequence[DomainEvent], attributions: Sequence[Attribution]
) -> list[RecordedEvent]:
    return [
        RecordedEvent(stream_id, version, "any.1", event, attribution)
        for version, (event, attribution) in enumerate(
            zip(events, attributions, strict=True), start=1
        )
    ]


def test_streams_that_were_recorded_together_and_apart_lead_to_rows_of_their_own() -> None:
    one, other, third = by(), by("user:dean"), by()
    ann, bob, eve = an_award("ann"), an_award("bob"), an_award("eve")
    streams: dict[UUID, Sequence[RecordedEvent]] = {
        id_of(ann): recorded(id_of(ann), [ann, an_issue()], [one, other]),
        id_of(bob): recorded(
            id_of(bob),
            [bob, a_failed_issue("bob"), an_issue(), a_failed_notification("bob")],
            [one, other, third, third],
        ),
        id_of(eve): recorded(
            id_of(eve),
            [eve, an_issue(), NotificationSent(message_id="<1>"), CredentialRevoked(reason="no")],
            [other, other, one, third],
        ),
    }

    rows = rows_of(streams)

    first = rows[id_of(ann)]
    assert isinstance(first, CredentialRow)
    assert (first.run_id, first.status) == (one.correlation_id, CredentialStatus.ISSUED)
    of_bob = replace(
        first,
        credential_id=id_of(bob),
        learner_id=bob.learner_id,
        verification_id=bob.verification_id,
        issue_failures=1,
        notification_failures=1,
        notification_retry_at=NOON,
        notification_reason="refused",
    )
    assert rows[id_of(bob)] == of_bob
    of_eve = rows[id_of(eve)]
    assert isinstance(of_eve, CredentialRow)
    assert (of_eve.run_id, of_eve.status, of_eve.notification) == (
        other.correlation_id,
        CredentialStatus.REVOKED,
        "sent",
    )


def test_each_stream_alone_leads_to_the_same_row() -> None:
    run, asset = UUID(int=1), UUID(int=2)
    streams = {
        run: recorded(run, [a_run()], [by()]),
        asset: recorded(asset, [an_asset()], [by()]),
    }

    assert rows_of(streams) == {id_: row_of(stream) for id_, stream in streams.items()}


def test_what_does_not_begin_with_its_first_event_has_no_row() -> None:
    stream = recorded(UUID(int=3), [an_issue()], [by()])

    assert row_of(stream) is None
    assert row_of([]) is None
