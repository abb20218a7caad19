from collections import Counter
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testamur.application.ports.event_store import Attribution, RecordedEvent
from testamur.domain.credentials import IssuanceFailed, NotificationFailed
from testamur.domain.events import DomainEvent
from testamur.domain.identifiers import Actor, LearnerId
from testamur.domain.run_results import LeftOut, Refusal, RunCounts
from testamur.domain.runs import LearnersLeftOut, LearnersRefused, RunCompleted, RunStarted
from testamur.entrypoints.cli.event_text import (
    describe_event,
    describe_left_out,
    event_rows,
    learners_left_out,
    refused_learners,
)
from tests.support.domain_strategies import EVENTS

UTC_ZONE = ZoneInfo("UTC")
CONFIGURATION: Any = UUID(int=1)


def recorded(event: DomainEvent, name: str = "run.learners-refused.1") -> RecordedEvent:
    at = datetime(2026, 6, 1, 22, 30, tzinfo=UTC)
    return RecordedEvent(
        UUID(int=2), 1, name, event, Attribution(Actor("user:ann"), at, UUID(int=3))
    )


@given(st.one_of(*EVENTS.values()))
def test_every_event_is_told_in_words(event: DomainEvent) -> None:
    assert describe_event(event, UTC_ZONE) != event.model_dump_json()


def test_an_event_is_told_with_time_actor_and_name() -> None:
    refused = LearnersRefused(refusals=())
    (row,) = event_rows([recorded(refused)], ZoneInfo("Europe/Warsaw"))
    assert row[:3] == ("2026-06-02 00:30:00", "user:ann", "learners refused")


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (
            RunStarted(
                configuration_id=CONFIGURATION,
                slot="manual:1",
                trigger="manual",
                learner_id=LearnerId("learner-1"),
                limit=1000,
            ),
            "by hand, only learner learner-1, at most 1,000",
        ),
        (
            RunStarted(
                configuration_id=CONFIGURATION,
                slot="schedule:1",
                trigger="schedule",
                scheduled_for=datetime(2026, 6, 1, tzinfo=UTC),
            ),
            "scheduled for 2026-06-01 00:00 UTC",
        ),
        (
            RunCompleted(counts=RunCounts(evaluated=1200, not_eligible=1200)),
            "1,200 evaluated, 1,200 not eligible",
        ),
        (
            RunCompleted(counts=RunCounts(evaluated=3, eligible=1, awarded=1, left_out=2)),
            "3 evaluated, 1 eligible, 2 left out, 1 awarded",
        ),
        (
            IssuanceFailed(
                learner_id=LearnerId("learner-1"),
                attempt=2,
                reason="storage",
                detail="the disk is full",
                retry_at=datetime(2026, 6, 1, tzinfo=UTC),
            ),
            "attempt 2: storage: the disk is full; again at 2026-06-01 00:00 UTC",
        ),
        (
            NotificationFailed(
                learner_id=LearnerId("learner-1"),
                attempt=18,
                reason="refused",
                detail=None,
                retry_at=None,
            ),
            "attempt 18: refused: (erased); given up",
        ),
    ],
)
def test_an_event_says_what_matters(event: DomainEvent, words: str) -> None:
    assert describe_event(event, UTC_ZONE) == words


def test_refused_learners_are_counted_by_reason_and_found_one_by_one() -> None:
    refusals = tuple(
        Refusal(learner_id=LearnerId(f"learner-{number}"), reason=reason, detail="…")
        for number, reason in enumerate(["missing-glyph", "no-name", "missing-glyph"])
    )
    event = LearnersRefused(refusals=refusals)
    assert describe_event(event, UTC_ZONE) == "3 learners: 2 missing-glyph, 1 no-name"
    assert list(refused_learners([recorded(event), recorded(event)])) == [*refusals, *refusals]


def test_learners_left_out_are_counted_by_reason_and_found_one_by_one() -> None:
    learners = tuple(
        LeftOut(learner_id=LearnerId(f"learner-{number}"), reason=reason)
        for number, reason in enumerate(["no grade", "no answer", "no answer"])
    )
    event = LearnersLeftOut(learners=learners)
    assert describe_event(event, UTC_ZONE) == "3 learners: no answer (2); no grade (1)"
    assert list(learners_left_out([recorded(event), recorded(event)])) == [*learners, *learners]


def test_only_the_most_frequent_reasons_are_told_one_by_one() -> None:
    reasons = Counter({f"reason {number}": 10 - number for number in range(8)})
    assert list(describe_left_out(reasons)) == [
        "Left out: 52 learners. The data source cannot tell what they have achieved:",
        "  reason 0 (10)",
        "  reason 1 (9)",
        "  reason 2 (8)",
        "  reason 3 (7)",
        "  reason 4 (6)",
        "  3 other reasons (12)",
        "The next run tries them again.",
    ]
