"""The stage: an installation at work, and what is done to all that it needs, as planned."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Final, Generic, TypeVar, get_args

import redis
from dramatiq import Message

from testamur import Settings
from testamur.adapters.dramatiq_queue import redis_broker, redis_client
from testamur.adapters.dramatiq_queue.messages import FOLLOW_QUEUE, SCHEDULE_QUEUE
from testamur.entrypoints.setting_values import RedisUrl
from tests.chaos.erasures import Erasures
from tests.chaos.learners import Expected
from tests.chaos.plan import Kind as PlannedKind
from tests.chaos.plan import PlannedFault
from tests.chaos.services import Service
from tests.support.faulty_proxy import Fault, FaultyProxy, Kind
from tests.support.open_edx import Faults, Outage, StandInLms
from tests.support.postgres_server import PostgresServer
from tests.support.s3_server import S3Server
from tests.support.smtp_server import Mailbox, Place, Trouble
from tests.support.valkey_server import ValkeyServer
from tests.support.workers import Installation

#: Production has a tick a minute, of the schedulers; so that what is to be tried again need not
#: wait for so long, there is another one each so many seconds.
_TICK_SECONDS: Final = 3.0

#: Where nothing goes on for so long, the next fault comes all the same.
_MOST_WAITED_FOR_PROGRESS: Final = 20.0

#: How long it may take until the first run is on its way.
_START_SECONDS: Final = 60.0

#: A fault of a server lasts until so many requests or messages have met it at least.
_LEAST_MET: Final = 10

_STALL_SECONDS: Final = 2.5


Drawn = TypeVar("Drawn")


@dataclass
class Illness(Generic[Drawn]):
    """How a server misbehaves, until its time is over and some have met it.

    Args:
        fault: Of the plan.
        symptoms: What may happen to those who ask.
        chance: How many of them it happens to, from 0 to 1.
        met: How many it has happened to.
    """

    fault: PlannedFault
    symptoms: Sequence[Drawn]
    chance: float
    met: int = 0
    began: float = field(default_factory=time.monotonic)

    def is_over(self) -> bool:
        """Tell whether the server is well again."""
        lasted = time.monotonic() - self.began
        return lasted > self.fault.seconds and self.met >= _LEAST_MET


@dataclass
class Stage:
    """An installation at work, its surroundings, and what is to come of it.

    Args:
        folder: Where data and logs lie.
        settings: Of the installation.
        expected: What is to become of the learners.
        lms: The LMS.
        mailbox: What learners are told.
        proxy: Before the S3 server.
        s3: That server.
        bucket: The bucket on it.
        valkey: The queue's server.
        postgres: The database's server.
        installation: Its programs.
        workers: Workers, started again whenever they end.
        schedulers: The same of schedulers.
        dice: For what is drawn while it goes on.
        erasures: Of learners, while it goes on.
        met: How often which fault happened, and how many requests and messages met it.
        stopped: Schedulers that were stopped in the end.
        locks_lost: When the database's server went away, on the monotonic clock.
    """

    folder: Path
    settings: Settings
    expected: Expected
    lms: StandInLms
    mailbox: Mailbox
    proxy: FaultyProxy
    s3: S3Server
    bucket: str
    valkey: ValkeyServer
    postgres: PostgresServer
    installation: Installation
    workers: list[Service]
    schedulers: list[Service]
    dice: Random
    erasures: Erasures
    met: Counter[str] = field(default_factory=Counter)
    stopped: list[Service] = field(default_factory=list)
    locks_lost: list[float] = field(default_factory=list)
    _ticks: bool = True
    _ticked_at: float = 0.0
    _ill_s3: "Illness[Fault] | None" = None
    _ill_smtp: "Illness[Trouble] | None" = None
    _lms_seconds: float | None = None
    _lms_heals_at: float | None = None
    _seen: int = 0
    _stored: set[str] = field(default_factory=set)
    _heard: int = 0
    _told: set[str] = field(default_factory=set)

    def carry_out(self, faults: list[PlannedFault]) -> None:
        """Let all faults happen, each at its part of the work; afterwards all servers are well."""
        began = time.monotonic()
        for fault in faults:
            if fault.pause and not self.tend_until(self._is_begun, _START_SECONDS):
                raise TimeoutError("no worker has asked the LMS for anything")
            self.tend_until(partial(self._is_at, fault.at), _MOST_WAITED_FOR_PROGRESS)
            self.tend_for(fault.pause)
            seconds = time.monotonic() - began
            print(f"after {seconds:4.1f} s, {self.progress():4.0%} done: {fault.kind}")
            self._let_happen(fault)
        self.tend_until(self._are_well, _MOST_WAITED_FOR_PROGRESS)
        self._ill_s3 = self._ill_smtp = None

    def _are_well(self) -> bool:
        ill = [each for each in (self._ill_s3, self._ill_smtp) if each and not each.is_over()]
        return not ill and self._lms_seconds is None

    def _is_begun(self) -> bool:
        return bool(self.lms.requests.counts)

    def _is_awarding(self) -> bool:
        return "task=award_page outcome=done" in self.installation.told()

    def _is_at(self, part: float) -> bool:
        return self.progress() >= part

    def progress(self) -> float:
        """Return how much of the work is done, from 0 to 1, as it is seen from outside."""
        for method, path in self.proxy.seen[self._seen :]:
            self._seen += 1
            if method == "PUT" and "/credentials/" in path:
                self._stored.add(path)
        for message in self.mailbox.received[self._heard :]:
            self._heard += 1
            self._told.update(message.recipients)
        whole = len(self.expected.eligible) + len(self.expected.mailable)
        return (len(self._stored) + len(self._told)) / whole

    def tend_for(self, seconds: float) -> None:
        """Let time pass, in which programs that ended are started again, and ticks are sent."""
        self.tend_until(lambda: False, seconds)

    def tend_until(self, comes_true: Callable[[], bool], seconds: float) -> bool:
        """Wait until something comes true, and tell whether it has in time."""
        until = time.monotonic() + seconds
        while not comes_true():
            if time.monotonic() > until:
                return False
            for each in (*self.workers, *self.schedulers):
                each.tend()
            if self.s3.tend():
                self.met["ends of the S3 server by itself"] += 1
            self._heal_lms()
            if self._ticks and time.monotonic() > self._ticked_at + _TICK_SECONDS:
                self._tick()
            time.sleep(0.03)
        return True

    def stop_ticks(self) -> None:
        """Send no more ticks, and stop the schedulers."""
        self._ticks = False
        for each in self.schedulers:
            each.stop()
        self.stopped, self.schedulers = self.schedulers, []

    def _tick(self) -> None:
        self._ticked_at = time.monotonic()
        with suppress(redis.RedisError):  # the server is away; there will be another tick
            self._send_periodic()

    def _let_happen(self, fault: PlannedFault) -> None:
        self.met[fault.kind] += 1
        if fault.kind.startswith("kill a "):
            self._kill(fault)
        elif fault.kind.startswith("SMTP"):
            self._smtp(fault)
        elif fault.kind.startswith("S3"):
            self._s3(fault)
        elif fault.kind.startswith("the LMS"):
            self._lms(fault)
        elif fault.kind == "a learner is erased":
            self.erasures.begin()
        elif fault.kind == "Valkey hangs":
            self._hang(fault)
        else:
            self._restart(fault)

    def _kill(self, fault: PlannedFault) -> None:
        if fault.kind == "kill a worker while pages are awarded":
            self.tend_until(self._is_awarding, _START_SECONDS)
        of = self.schedulers if fault.kind == "kill a scheduler" else self.workers
        of[fault.number].kill(
            dice=self.dice if fault.kind == "kill a process of a worker" else None
        )

    def _hang(self, fault: PlannedFault) -> None:
        self.valkey.freeze()
        try:
            self._ticks = False  # whoever sends one waits for the server's answer
            self.tend_for(fault.seconds)
        finally:
            self._ticks = True
            self.valkey.thaw()

    def _restart(self, fault: PlannedFault) -> None:
        server = self.valkey if fault.kind == "kill Valkey" else self.postgres
        if server is self.postgres:
            self.locks_lost.append(time.monotonic())
        if fault.kind == "stop PostgreSQL":
            server.stop()
        else:
            server.kill()
        self.tend_for(fault.seconds)
        server.start()

    def _s3(self, fault: PlannedFault) -> None:
        faults: Sequence[Fault] = {
            "S3 answers 500": [Fault("status", status=500)],
            "S3 stalls": [Fault("stalled", seconds=_STALL_SECONDS)],
        }.get(
            fault.kind,
            [Fault(kind) for kind in get_args(Kind) if kind.startswith("cut")],
        )
        self._ill_s3 = Illness(fault, faults, fault.chance)
        self.proxy.drawn = self._drawn_for_s3

    def _drawn_for_s3(self, _method: str, _path: str) -> Fault | None:
        return self._drawn(self._ill_s3)

    def _smtp(self, fault: PlannedFault) -> None:
        troubles: Mapping[PlannedKind, Trouble] = {
            "SMTP answers 451": "deferred",
            "SMTP drops connections": "dropped",
            "SMTP is slow": "slow",
        }
        # Each message is asked about twice.
        self._ill_smtp = Illness(fault, [troubles[fault.kind]], fault.chance / 2)
        self.mailbox.drawn = self._drawn_for_smtp

    def _drawn_for_smtp(self, _place: Place) -> Trouble | None:
        return self._drawn(self._ill_smtp)

    def _drawn(self, illness: "Illness[Drawn] | None") -> "Drawn | None":
        if illness is None or illness.is_over() or self.dice.random() > illness.chance:
            return None
        illness.met += 1
        self.met[f"met: {illness.fault.kind}"] += 1
        return self.dice.choice(illness.symptoms)

    def _lms(self, fault: PlannedFault) -> None:
        throttling = Faults(
            rate_429=0.4 * fault.chance,
            rate_503=0.1,
            rate_cut=0.05,
            rate_dropped_connection=0.05,
            throttle=20,
            throttle_seconds=1,
        )
        is_down = fault.kind == "the LMS is down"
        self.lms.faults = Faults(outages=(Outage("/"),)) if is_down else throttling
        self._lms_seconds, self._lms_heals_at = fault.seconds, None

    def _heal_lms(self) -> None:
        """Let the LMS be well again, so long after the first request that it was asked."""
        if self._lms_seconds is None or not self._is_begun():
            return
        if self._lms_heals_at is None:
            self._lms_heals_at = time.monotonic() + self._lms_seconds
        elif time.monotonic() > self._lms_heals_at:
            self.lms.faults, self._lms_seconds = Faults(), None

    def _send_periodic(self) -> None:
        """Send what schedulers send each minute."""
        queue = self.settings.queue
        assert isinstance(queue, RedisUrl)
        with closing(redis_client(queue.reveal())) as client:
            broker = redis_broker(client, self.settings.queue_namespace)
            for name, actor in ((SCHEDULE_QUEUE, "tick"), (FOLLOW_QUEUE, "follow_log")):
                broker.enqueue(Message(name, actor, (), {}, {}))
