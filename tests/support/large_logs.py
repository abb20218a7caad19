"""Logs of any length, as rows: what years of runs, issues, messages and corrections leave behind.

The rows are put straight into the log's table, because making millions of events one by one would
take longer than all that is measured with them.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from testamur.domain.identifiers import ConfigurationId, LearnerId

_START: Final = datetime(2023, 9, 1, 6, tzinfo=UTC)
_YEARS: Final = timedelta(days=3 * 365)
_PAGE: Final = 500

_EVIDENCE: Final = (
    b'{"criteria":{"kind":"completion","required_completion":"0.9"},"results":[{"criterion":'
    b'"completion","required":"0.90","achieved":"0.9333333333","met":true}],"source":"open-edx",'
    b'"retrieved_at":"2026-06-01T12:00:00Z","note":null}'
)
_SEALED: Final = b'"personal":{"person":"%b"},"key":"f929140f49f2"' % (b"RM9gfHlSLUC1mnk5" * 10)


class LogRow(NamedTuple):
    """One event as the log's table holds it, with its stream's id as bytes."""

    stream: UUID
    version: int
    name: str
    state: bytes


@dataclass(frozen=True, slots=True)
class LogPlan:
    """What is in a log; the same numbers give the same rows.

    Args:
        events: How many.
        configurations: How many configurations there are.
        staff: How many people have done something by hand.
    """

    events: int
    configurations: int = 400
    staff: int = 60

    def rows(self) -> Iterator[LogRow]:
        """Yield the rows in the order of the log."""
        making = _Making(self)
        for number, row in enumerate(making.rows(), start=1):
            yield row
            if number == self.events:
                return

    @staticmethod
    def configuration(number: int) -> ConfigurationId:
        """Return the id of a configuration, numbered from 0."""
        return ConfigurationId(UUID(int=(0xC0 << 120) + number))

    @staticmethod
    def context(number: int) -> str:
        """Return the context of a configuration."""
        return f"course-v1:Uni+C{number // 2:04}+2026"

    @staticmethod
    def learner(number: int) -> LearnerId:
        """Return the id of a learner."""
        return LearnerId(f"u{number * 7919 % 100_000_007:08}")


class _Making:
    def __init__(self, plan: LogPlan) -> None:
        self._plan = plan
        self._random = random.Random(plan.events)
        self._learners = max(1000, plan.events // 8)
        self._made = 0
        self._runs = 0
        # Awarded lately: stream, version and learner of what staff may correct.
        self._lately: list[tuple[UUID, int, bytes]] = []

    def rows(self) -> Iterator[LogRow]:
        for number in range(self._plan.configurations):
            yield from self._setting_up(number)
        while True:
            draw = self._random.random()
            if draw < 0.7:
                yield from self._run(self._size())
            else:
                yield from self._by_hand()

    def _size(self) -> int:
        # Most runs find few new learners, and some a whole course full.
        return min(int(self._random.paretovariate(0.7)) - 1, 5_000)

    def _setting_up(self, number: int) -> Iterator[LogRow]:
        stream, request = self._plan.configuration(number), self._id()
        actor = self._member()
        yield self._row(
            stream, 1, "configuration.created.1", actor, request,
            b'{"type_slug":"completion","context_key":"%b","options":{},"schedule":{}}'
            % self._plan.context(number).encode(),
        )  # fmt: skip
        yield self._row(
            stream, 2, "configuration.enabled.1", actor, self._id(),
            b'{"enabled_at":"2023-09-01T06:00:00Z"}',
        )  # fmt: skip

    def _run(self, size: int) -> Iterator[LogRow]:
        self._runs += 1
        run = UUID(int=(0xA0 << 120) + self._runs)
        number = int(self._plan.configurations * self._random.random() ** 2)
        configuration = str(self._plan.configuration(number)).encode()
        context = self._plan.context(number).encode()
        yield self._row(
            run, 1, "run.started.1", b"system:scheduler", self._id(),
            b'{"configuration_id":"%b","slot":"schedule:%d","trigger":"schedule",'
            b'"scheduled_for":"2026-06-01T12:00:00Z","learner_id":null,"limit":null}'
            % (configuration, self._runs),
        )  # fmt: skip
        version = 1
        for begin in range(0, size, _PAGE):
            page = range(begin, min(begin + _PAGE, size))
            chosen = [
                (self._id(), self._plan.learner(self._random.randrange(self._learners)).encode())
                for _ in page
            ]
            if self._random.random() < 0.3:
                version += 1
                yield self._refusal(run, version, chosen[:5])
            now = self._now()
            for stream, learner in chosen:
                yield self._row(
                    stream, 1, "credential.awarded.1", b"system:scheduler", run,
                    b'{"configuration_id":"%b","learner_id":"%b","type_slug":"completion",'
                    b'"type_revision":1,"type_name":"Certificate of Completion","issuer_name":'
                    b'"Example University","context_key":"%b","context_name":"Mathematics",'
                    b'"award_date":"2026-06-01","evidence":%b,"edition":1,"replaces":null,'
                    b'"expires_at":null,"verification_id":"%b"}'
                    % (configuration, learner, context, _EVIDENCE, stream.hex.encode()[:22]),
                    now, sealed=True,
                )  # fmt: skip
            yield from self._issue(run, chosen)
        yield self._row(
            run, version + 1, "run.completed.1", b"system:scheduler", run,
            b'{"counts":{"evaluated":%d,"already_held":0,"not_eligible":0,"eligible":%d,'
            b'"left_out":0,"awarded":%d,"refused":0,"over_limit":0}}' % (size, size, size),
        )  # fmt: skip

    def _issue(self, run: UUID, chosen: list[tuple[UUID, bytes]]) -> Iterator[LogRow]:
        now = self._now()
        versions = {}
        for stream, learner in chosen:
            failed = self._random.random() < 0.002
            versions[stream] = 2
            if failed:
                yield self._row(
                    stream, 2, "credential.issuance-failed.1", b"system:issuer", run,
                    b'{"learner_id":"%b","attempt":1,"reason":"missing-glyph",'
                    b'"retry_at":"2026-06-01T12:00:00Z"}' % learner, now,
                )  # fmt: skip
                versions[stream] = 3
            yield self._row(
                stream, versions[stream], "credential.issued.1", b"system:issuer", run,
                b'{"artifacts":[{"format":"pdf","storage_key":"credentials/%b.pdf","media_type":'
                b'"application/pdf","size":24567,"sha256":"%b"}],"rendering":"%b"}'
                % (stream.hex.encode(), b"0123456789abcdef" * 4, b"f" * 64), now,
            )  # fmt: skip
        now = self._now()
        for stream, learner in chosen:
            version = versions[stream] + 1
            yield self._row(
                stream, version, "credential.notification-sent.1", b"system:notifier", run,
                b'{"message_id":"<%b.1@example.org>"}' % stream.hex.encode(), now,
            )  # fmt: skip
            if self._random.random() < 0.01:
                self._lately.append((stream, version, learner))
        del self._lately[:-2000]

    def _refusal(self, run: UUID, version: int, chosen: list[tuple[UUID, bytes]]) -> LogRow:
        refusals = b",".join(
            b'{"learner_id":"%b","reason":"no-name","detail":"no full name"}' % learner
            for _, learner in chosen
        )
        return self._row(
            run, version, "run.learners-refused.1", b"system:scheduler", run,
            b'{"refusals":[%b]}' % refusals,
        )  # fmt: skip

    def _by_hand(self) -> Iterator[LogRow]:
        actor, request = self._member(), self._id()
        if self._lately and self._random.random() < 0.6:
            stream, version, _ = self._lately.pop(self._random.randrange(len(self._lately)))
            yield self._row(
                stream, version + 1, "credential.revoked.1", actor, request,
                b'{"reason":"awarded by mistake"}',
            )  # fmt: skip

    def _row(
        self, stream: UUID, version: int, name: str, actor: bytes, correlation: UUID,
        payload: bytes, now: bytes | None = None, *, sealed: bool = False,
    ) -> LogRow:  # fmt: skip
        self._made += 1
        state = b'{"time":"%b","actor":"%b","correlation_id":"%b","payload":%b%b}' % (
            now or self._now(),
            actor,
            str(correlation).encode(),
            payload,
            b"," + _SEALED if sealed else b"",
        )
        return LogRow(stream, version, name, state)

    def _now(self) -> bytes:
        moment = _START + _YEARS * (self._made / self._plan.events)
        return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ").encode()

    def _id(self) -> UUID:
        return UUID(int=self._random.getrandbits(128), version=4)

    def _member(self) -> bytes:
        # A few do most of it.
        return b"user:staff-%03d" % int(self._plan.staff * self._random.random() ** 3)
