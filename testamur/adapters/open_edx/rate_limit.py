"""The pace at which one LMS is asked, shared by all of the process that ask it."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

#: Requests of so many seconds may go out at once after a time of silence.
BURST_SECONDS: Final = 1.0

#: Who finds nothing left of a limit that is shared asks again after so many seconds at least.
ASK_AGAIN_SECONDS: Final = 0.05


class SharedLimit(Protocol):
    """Counts the requests of all processes that ask the same LMS, and lets all of them pause."""

    def take(self, origin: str, per_minute: int) -> float:
        """Take one of the requests that may be sent now, if there is one left.

        Returns:
            0.0 where it was taken; else seconds after which it is worth asking again.
        """
        ...

    def pause(self, origin: str, seconds: float) -> None:
        """Let nobody take a request for so many seconds from now.

        A longer pause that holds already stays. Where the others cannot be told, that is logged.
        """
        ...


@dataclass(frozen=True, slots=True)
class Turn:
    """When a request may be sent.

    Args:
        at: The moment, on the clock that was given.
        pauses: How many pauses there had been when it was given out.
    """

    at: float
    pauses: int


class Pace:
    """Spaces requests out evenly, lets a few go at once, and can be paused.

    Works like a meter that each request fills by its own interval and that time empties (the
    generic cell rate algorithm, ITU-T I.371); it is full at :data:`BURST_SECONDS`. Moments are
    seconds on a clock of the caller's that never goes back. Several threads may use it at once.

    Args:
        origin: Of the LMS, where a limit that all processes share counts its requests too.
    """

    def __init__(self, origin: str = "") -> None:
        self._origin = origin
        self._lock = threading.Lock()
        self._empty_at = float("-inf")
        self._paused_until = float("-inf")
        self._pauses = 0

    def next_turn(self, now: float, per_minute: int) -> Turn:
        """Give out the next turn.

        Args:
            now: The present moment.
            per_minute: The most requests of the caller in a minute; callers may differ.
        """
        interval = 60 / per_minute
        slack = max(BURST_SECONDS - interval, 0)
        with self._lock:
            at = max(now, self._paused_until, self._empty_at - slack)
            self._empty_at = max(self._empty_at, at) + interval
            return Turn(at, self._pauses)

    def still_holds(self, turn: Turn) -> bool:
        """Say whether there was no pause since the turn was given out."""
        with self._lock:
            return turn.pauses == self._pauses

    def pause(self, until: float) -> None:
        """Let nobody have a turn before a moment; those that were given out hold no longer."""
        with self._lock:
            self._pauses += 1
            self._paused_until = max(self._paused_until, until)
            # No burst afterwards, and no gaps for the turns that are given out again.
            self._empty_at = self._paused_until + BURST_SECONDS

    def pause_all(self, seconds: float, clock: Callable[[], float]) -> None:
        """Let nobody have a turn for so many seconds, in whichever process that shares the limit.

        This process pauses in any case, and first: telling the others may take time, or fail.
        """
        self.pause(clock() + seconds)
        if (limit := _shared.limit) is not None:
            limit.pause(self._origin, seconds)

    def wait_for_turn(
        self, per_minute: int, clock: Callable[[], float], wait: Callable[[float], None]
    ) -> None:
        """Wait until it is the caller's turn, however often all are paused meanwhile."""
        turn = self.next_turn(clock(), per_minute)
        while True:
            seconds = turn.at - clock()
            if seconds > 0:
                wait(seconds)
            if not self.still_holds(turn):
                turn = self.next_turn(clock(), per_minute)
                continue
            limit = _shared.limit
            seconds = limit.take(self._origin, per_minute) if limit is not None else 0.0
            if not seconds:
                return
            # Longer than a moment, where another process was told to pause.
            wait(max(seconds, ASK_AGAIN_SECONDS))


class _Shared:
    """What this process shares with others."""

    limit: SharedLimit | None = None


_shared: Final = _Shared()
_paces: Final[dict[str, Pace]] = {}
_paces_lock: Final = threading.Lock()


def pace_of(origin: str) -> Pace:
    """Return the one pace of this process for an LMS.

    Args:
        origin: Scheme, host and port, such as ``https://learn.example.org``.
    """
    with _paces_lock:
        return _paces.setdefault(origin, Pace(origin))


def share_limit(limit: SharedLimit | None) -> None:
    """Let a limit that all processes share hold for this one too; None: only its own."""
    _shared.limit = limit
