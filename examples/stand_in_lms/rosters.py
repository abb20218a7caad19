"""Who is enrolled: enrolments in the order in which they were made, in a few bytes each."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Literal

Enrolment = Literal["active", "inactive"]

_NONE, _ACTIVE, _INACTIVE = range(3)
_FIRST_CREATED = datetime(2026, 1, 1, tzinfo=UTC)

#: As many enrolments as this were made at the same moment, as an import makes them.
_AT_ONCE = 3


class Roster:
    """The enrolments of one course or pathway.

    An enrolment's id is its place among all, starting with 1; it is kept when the enrolment ends.
    """

    def __init__(self) -> None:
        self._user_ids = array("I")
        self._states = bytearray()
        self._places = array("I")
        self._by_user: array[int] | None = None
        self._active = 0
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._user_ids)

    @property
    def active(self) -> int:
        """How many are active."""
        return self._active

    def fill(self, rows: Iterable[tuple[int, bool]]) -> None:
        """Add many enrolments: user id, and whether it is active."""
        for user_id, active in rows:
            self._set(user_id, active)

    def enrol(self, user_id: int, *, active: bool = True) -> None:
        """Begin an enrolment, or end it."""
        with self._lock:
            self._set(user_id, active)
            self._by_user = None

    def state(self, user_id: int) -> Enrolment | None:
        """Return whether a user's enrolment is active; None: there never was one."""
        state = self._states[user_id] if 0 <= user_id < len(self._states) else _NONE
        return None if state == _NONE else "active" if state == _ACTIVE else "inactive"

    def created(self, user_id: int) -> datetime:
        """Return when a user's enrolment was made."""
        return _created(self._places[user_id])

    def newest_first(self, skip: int, limit: int) -> Sequence[int]:
        """Return user ids of enrolments, active or not, the latest first."""
        end = max(0, len(self) - skip)
        return self._user_ids[max(0, end - limit) : end][::-1]

    def active_after(self, enrolment_id: int, limit: int) -> list[tuple[int, int]]:
        """Return id and user id of active enrolments with a greater id, in order."""
        found = []
        states, user_ids = self._states, self._user_ids
        for place in range(enrolment_id, len(user_ids)):
            user_id = user_ids[place]
            if states[user_id] == _ACTIVE:
                found.append((place + 1, user_id))
                if len(found) == limit:
                    break
        return found

    def start_of_page_before(self, enrolment_id: int, limit: int) -> int:
        """Return the enrolment id after which the page begins that ends with the given id."""
        for place in range(enrolment_id - 1, -1, -1):
            limit -= self._states[self._user_ids[place]] == _ACTIVE
            if limit == 0:
                return place
        return 0

    def active_by_user(self, skip: int = 0, limit: int | None = None) -> Sequence[int]:
        """Return user ids of active enrolments, by user id."""
        with self._lock:
            if self._by_user is None:
                places = enumerate(self._states)
                self._by_user = array("I", (user for user, state in places if state == _ACTIVE))
            return self._by_user[skip : None if limit is None else skip + limit]

    def everyone(self) -> Iterator[tuple[int, bool]]:
        """Iterate over user ids, by user id, and whether the enrolment is active."""
        for user_id, state in enumerate(self._states):
            if state != _NONE:
                yield user_id, state == _ACTIVE

    def _set(self, user_id: int, active: bool) -> None:
        if user_id >= len(self._states):
            more = user_id + 1 - len(self._states)
            self._states.extend(bytes(more))
            self._places.frombytes(bytes(more * self._places.itemsize))
        before = self._states[user_id]
        if before == _NONE:
            self._places[user_id] = len(self._user_ids)
            self._user_ids.append(user_id)
        self._states[user_id] = _ACTIVE if active else _INACTIVE
        self._active += active - (before == _ACTIVE)


def _created(place: int) -> datetime:
    return _FIRST_CREATED + timedelta(seconds=place // _AT_ONCE)
