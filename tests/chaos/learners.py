"""Who takes the course, drawn from a seed, and who of them is to get what. Knows only the LMS."""

from dataclasses import dataclass
from random import Random
from typing import Final

from tests.support.open_edx import Population, a_course, a_learner, a_population, enrol

LEARNERS: Final = 2_000
UNITS: Final = (10, 10, 10)

_NAMES: Final = ("Ann", "Łucja", "Åsa", "Ελένη", "Анна", "Zoë", "José", "Đorđe")


@dataclass(frozen=True, slots=True)
class Expected:
    """What is to become of the learners, by learner id.

    Args:
        eligible: Who is to hold a credential: each with the address that they are told at, or
            None where they are not to be told.
        nameless: Who has completed the course and has no name to put on a document.
        others: Who is to get nothing.
    """

    eligible: dict[str, str | None]
    nameless: frozenset[str]
    others: frozenset[str]

    @property
    def mailable(self) -> dict[str, str]:
        """Who is to be told, and at which address."""
        return {id_: email for id_, email in self.eligible.items() if email is not None}


def enrolled(seed: int) -> tuple[Population, Expected]:
    """Return an LMS with a course, and what is to become of its learners."""
    dice = Random(seed)
    population = a_population([a_course(units=UNITS)], seed=seed)
    eligible: dict[str, str | None] = {}
    nameless: set[str] = set()
    others: set[str] = set()
    for user_id in range(1, LEARNERS + 1):
        id_ = str(user_id)
        name = f"{dice.choice(_NAMES)} Example {user_id}"
        has_completed = dice.random() < 0.85
        is_enrolled = dice.random() < 0.97
        has_name = dice.random() < 0.99
        has_address = dice.random() < 0.95
        can_log_in = dice.random() < 0.95
        learner = a_learner(
            user_id,
            name if has_name else "",
            email=f"learner{user_id}@example.org" if has_address else "",
            is_active=can_log_in,
        )
        # 90 % is asked for; who has just that passes.
        completed = dice.choice([UNITS, (9, 9, 9)]) if has_completed else (8, 9, 9)
        enrol(population, learner, completed=completed, active=is_enrolled)
        if not (has_completed and is_enrolled):
            others.add(id_)
        elif not has_name:
            nameless.add(id_)
        else:
            eligible[id_] = learner.email if has_address and can_log_in else None
    return population, Expected(eligible, frozenset(nameless), frozenset(others))
