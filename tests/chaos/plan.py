"""The plan of a round: which faults there are, when, and for how long, drawn from a seed."""

from dataclasses import dataclass
from random import Random
from typing import Final, Literal

Kind = Literal[
    "kill a worker while pages are awarded",
    "kill a worker",
    "kill a process of a worker",
    "kill a scheduler",
    "kill Valkey",
    "Valkey hangs",
    "stop PostgreSQL",
    "kill PostgreSQL",
    "S3 answers 500",
    "S3 stalls",
    "S3 cuts connections",
    "SMTP answers 451",
    "SMTP drops connections",
    "SMTP is slow",
    "the LMS throttles",
    "the LMS is down",
    "a learner is erased",
]

_FROM_THE_START: Final = (0.0, 0.0)

#: How often a kind happens at least and at most in a round; at which parts of the work (0: nobody
#: has a document, 1: everybody has one and was told); and how many seconds it lasts.
_DICE: Final[dict[Kind, tuple[tuple[int, int], tuple[float, float], tuple[float, float]]]] = {
    "the LMS throttles": ((1, 1), _FROM_THE_START, (2.0, 5.0)),
    "the LMS is down": ((0, 1), (0.0, 0.6), (0.5, 2.0)),
    # All pages are awarded in a second or two, once the LMS has been asked for everybody.
    "kill a worker while pages are awarded": ((1, 1), (0.0, 0.001), (0.0, 0.0)),
    "kill a worker": ((1, 2), (0.0, 0.5), (0.0, 0.0)),
    "kill a process of a worker": ((1, 1), (0.0, 0.9), (0.0, 0.0)),
    "kill a scheduler": ((1, 1), (0.0, 0.9), (0.0, 0.0)),
    "kill Valkey": ((2, 2), (0.0, 0.95), (0.1, 2.0)),
    # About as long as a worker may be silent here: others may get messages that it still has.
    "Valkey hangs": ((1, 1), (0.0, 0.95), (3.0, 5.0)),
    "stop PostgreSQL": ((1, 1), (0.0, 0.95), (0.0, 2.0)),
    "kill PostgreSQL": ((1, 1), (0.0, 0.95), (0.0, 2.0)),
    "S3 answers 500": ((1, 2), (0.02, 0.5), (4.0, 6.0)),
    "S3 stalls": ((1, 1), (0.02, 0.5), (0.5, 2.5)),
    "S3 cuts connections": ((1, 1), (0.02, 0.5), (0.5, 3.0)),
    "SMTP answers 451": ((1, 2), (0.05, 0.8), (0.5, 3.0)),
    "SMTP drops connections": ((1, 2), (0.05, 0.8), (0.5, 3.0)),
    "SMTP is slow": ((0, 1), (0.05, 0.8), (0.5, 2.0)),
    "a learner is erased": ((4, 6), (0.02, 0.9), (0.0, 0.0)),
}


@dataclass(frozen=True, slots=True, order=True)
class PlannedFault:
    """One fault.

    Args:
        at: Which part of the work is done when it happens, from 0 to 1.
        pause: Seconds between that moment, or the fault before, and this one; 0: it is there from
            the start.
        kind: What happens.
        seconds: How long it lasts.
        chance: How many of the requests meet it meanwhile, from 0 to 1.
        number: Which worker or scheduler is killed.
    """

    at: float
    pause: float
    kind: Kind
    seconds: float
    chance: float
    number: int

    def __str__(self) -> str:
        lasting = f" for {self.seconds:.1f} s" if self.seconds else ""
        return f"at {self.at:4.0%}, after {self.pause:.1f} s: {self.kind}{lasting}"


def planned(seed: int) -> list[PlannedFault]:
    """Return the faults of a round in order; the same seed gives the same."""
    dice = Random(seed)
    faults = [
        PlannedFault(
            at=round(dice.uniform(*parts), 2),
            pause=round(dice.uniform(0.1, 0.8), 1) if parts != _FROM_THE_START else 0.0,
            kind=kind,
            seconds=round(dice.uniform(*lasting), 1),
            # An upload is tried ten times before it counts as failed.
            chance=round(dice.uniform(0.3, 1.0), 1) if kind != "S3 answers 500" else 1.0,
            number=dice.randrange(2),
        )
        for kind, (times, parts, lasting) in _DICE.items()
        for _ in range(dice.randint(*times))
    ]
    return sorted(faults)
