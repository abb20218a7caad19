"""A log of everything that happens, at random: the same for every database that it is put into."""

import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Final
from uuid import UUID

from testamur.application.ports.event_store import Attribution, EventStore, NewEvents
from testamur.domain.configurations import ConfigurationDisabled, ConfigurationEnabled
from testamur.domain.credentials import CredentialRevoked, NotificationSent
from testamur.domain.events import DomainEvent
from testamur.domain.identifiers import (
    Actor,
    ConfigurationId,
    LearnerId,
    configuration_id,
    credential_type_id,
)
from testamur.domain.run_results import Refusal, RunCounts
from testamur.domain.runs import LearnersRefused, RunCompleted
from tests.support.events import (
    NOON,
    TYPE,
    a_configuration,
    a_run,
    a_type,
    an_asset,
    an_award,
    an_issue,
    id_of,
)

CONTEXTS: Final = tuple(f"course-v1:Uni+C{number}+2026" for number in range(4))
ACTORS: Final = tuple(map(Actor, ("user:a", "user:ab", "system:scheduler", "cli:ä")))
LEARNERS: Final = tuple(LearnerId(f"l{number}") for number in range(6))
DAYS: Final = 4

Batch = tuple[NewEvents, Attribution]


def configuration_of(context: str) -> ConfigurationId:
    """Return the id of the configuration for a context."""
    return configuration_id(credential_type_id(TYPE), context)


def put_into(events: EventStore, batches: list[Batch]) -> None:
    """Append all of it."""
    for new, attribution in batches:
        events.append([new], attribution)


def a_log(seed: int, length: int) -> list[Batch]:
    """Return batches of one event each; their times go back and forth, as clocks do."""
    drawn = random.Random(seed)
    versions: dict[UUID, int] = {}
    batches: list[Batch] = []
    for stream_id, event, correlation_id in _happenings(drawn, length):
        at = NOON + timedelta(
            days=min(DAYS - 1, DAYS * len(batches) // length), minutes=drawn.randrange(-500, 500)
        )
        attribution = Attribution(drawn.choice(ACTORS), at, correlation_id)
        version = versions.get(stream_id, 0)
        versions[stream_id] = version + 1
        batches.append((NewEvents(stream_id, version, [event]), attribution))
    return batches


def _happenings(drawn: random.Random, length: int) -> Iterator[tuple[UUID, DomainEvent, UUID]]:
    requests = [UUID(int=number) for number in range(1, 6)]
    runs: list[UUID] = []
    open_runs: list[UUID] = []
    held: list[tuple[UUID, str]] = []
    for context in CONTEXTS:
        yield configuration_of(context), a_configuration(context), drawn.choice(requests)
    yield UUID(int=1000), a_type(), requests[0]
    yield UUID(int=1001), an_asset(), requests[0]
    awarded: set[tuple[LearnerId, str]] = set()
    for number in range(length - len(CONTEXTS) - 2):
        together = drawn.choice(runs) if runs and drawn.random() < 0.8 else drawn.choice(requests)
        context = drawn.choice(CONTEXTS)
        match drawn.randrange(8):
            case 0:
                run = UUID(int=2000 + number)
                runs.append(run)
                open_runs.append(run)
                started = a_run(f"manual:{number}", configuration_of(context))
                limited_to = drawn.choice((*LEARNERS, None, None))
                yield run, started.model_copy(update={"learner_id": limited_to}), together
            case 1 if open_runs:
                refused = drawn.sample(LEARNERS, drawn.randrange(1, 4))
                refusals = tuple(
                    Refusal(learner_id=each, reason="no-name", detail="none") for each in refused
                )
                yield drawn.choice(open_runs), LearnersRefused(refusals=refusals), together
            case 2 if open_runs:
                yield open_runs.pop(0), RunCompleted(counts=RunCounts()), together
            case 3 if held:
                stream_id, status = held.pop(drawn.randrange(len(held)))
                if status == "awarded":
                    held.append((stream_id, "issued"))
                    yield stream_id, an_issue(), together
                elif status == "issued":
                    held.append((stream_id, "sent"))
                    yield stream_id, NotificationSent(message_id="<1@example.org>"), together
                else:
                    yield stream_id, CredentialRevoked(reason="by mistake"), together
            case 4:
                yield (
                    configuration_of(context),
                    drawn.choice(
                        (
                            ConfigurationEnabled(enabled_at=NOON),
                            ConfigurationDisabled(reason="for now"),
                        )
                    ),
                    together,
                )
            case _:
                learner = drawn.choice(LEARNERS)
                if (learner, context) in awarded:  # nobody holds two at a time
                    learner = LearnerId(f"m{number}")
                awarded.add((learner, context))
                award = an_award(
                    learner, configuration_id=configuration_of(context), context_key=context
                )
                held.append((id_of(award), "awarded"))
                yield id_of(award), award, together
