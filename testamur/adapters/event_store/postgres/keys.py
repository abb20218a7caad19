"""The learners' data keys on PostgreSQL, beside the log and never in the log itself."""

import os
from collections.abc import Iterable
from typing import Any, Final

from eventsourcing.persistence import OperationalError, PersistenceError

from testamur.adapters.event_store.failures import as_event_store_errors
from testamur.adapters.event_store.key_wrapping import HEAD_BYTES, KeyWrapping
from testamur.adapters.event_store.postgres.connections import Datastore
from testamur.application.ports.secret_keys import KEY_BYTES, KeyCounts
from testamur.domain.identifiers import LearnerId

_FIND: Final = """
    SELECT learner_id, secret
    FROM learner_keys
    WHERE NOT destroyed AND {whose}
"""
#: A key of the same learner that another connection stored first stays.
_STORE: Final = """
    INSERT INTO learner_keys (learner_id, secret, destroyed)
    SELECT learner_id, secret, false
    FROM unnest(%b::text[], %b::bytea[]) AS fresh (learner_id, secret)
    ON CONFLICT DO NOTHING
    RETURNING learner_id, secret
"""
_DESTROY: Final = """
    UPDATE learner_keys
    SET secret = decode(repeat('00', length(secret)), 'hex'), destroyed = true
    WHERE learner_id = %s AND NOT destroyed
"""
_DESTROYED: Final = """
    SELECT learner_id
    FROM learner_keys
    WHERE destroyed AND {whose}
"""


#: The first and the last key tell which master key the database was written with.
_OUTERMOST: Final = """
    (SELECT secret FROM learner_keys WHERE NOT destroyed ORDER BY number LIMIT 1)
    UNION ALL
    (SELECT secret FROM learner_keys WHERE NOT destroyed ORDER BY number DESC LIMIT 1)
"""
_COUNT: Final = f"""
    SELECT
        CASE WHEN length(secret) = {KEY_BYTES} THEN '' ELSE substr(secret, 1, {HEAD_BYTES}) END,
        destroyed,
        count(*)
    FROM learner_keys
    GROUP BY 1, 2
"""  # noqa: S608
_OTHERS: Final = f"""
    SELECT number, learner_id, secret
    FROM learner_keys
    WHERE number > %s AND NOT destroyed AND substr(secret, 1, {HEAD_BYTES}) <> %s
    ORDER BY number
    LIMIT %s
    FOR UPDATE
"""  # noqa: S608
_REPLACE: Final = """
    UPDATE learner_keys
    SET secret = new.secret
    FROM unnest(%b::int8[], %b::bytea[]) AS new (changed, secret)
    WHERE number = changed
"""


class PostgresKeys:
    """Fills the ports `SecretKeys` and `WrappedKeys`.

    PostgreSQL writes a changed row anew and leaves the old one where it was. VACUUM gives its place
    free, to be written over by what comes later; writing the whole table anew (`settle`) leaves
    nothing in its file. What is in the write-ahead log and in backups stays for as long as those
    are kept (decision 40).

    Args:
        datastore: The database, prepared.
        wrapping: Wraps the keys, if they are to be wrapped.
    """

    def __init__(self, datastore: Datastore, wrapping: KeyWrapping | None = None) -> None:
        self._datastore = datastore
        self._wrapping = wrapping or KeyWrapping()

    def check_master_key(self) -> None:
        """Make sure, as far as two keys can tell, that the master key is the right one.

        Raises:
            EventStoreError: It is missing or another one, or the database cannot be read.
        """
        with as_event_store_errors(self._datastore.shown_url):
            stored = self._datastore.select(_OUTERMOST)
        self._wrapping.check(secret for (secret,) in stored)

    def obtain(self, learner_ids: Iterable[LearnerId]) -> dict[LearnerId, bytes]:
        """Return the keys of these learners, making durable ones for those who have none yet."""
        wanted = set(learner_ids)
        keys = self.find(wanted)
        # In order: two who store keys of the same learners never wait for one another.
        missing = sorted(wanted - keys.keys())
        if missing:
            fresh = [self._wrapping.wrap(each, os.urandom(KEY_BYTES)) for each in missing]
            with as_event_store_errors(self._datastore.shown_url):
                # If the connection is lost, the keys may be there already; then they stay.
                stored = self._datastore.select(_STORE, (missing, fresh))
            keys |= self._wrapping.unwrap_all(stored)
            keys |= self.find(wanted - keys.keys())
        return keys

    def find(self, learner_ids: Iterable[LearnerId]) -> dict[LearnerId, bytes]:
        """Return the keys that there are; an erased one is left out."""
        return self._wrapping.unwrap_all(self._ask(_FIND, learner_ids))

    def destroy(self, learner_id: LearnerId) -> None:
        """Destroy a learner's key for good, as far as the class says.

        Raises:
            EventStoreError: The key is destroyed, but the place of the old row could not be given
                free; destroying it again finishes that.
        """
        with as_event_store_errors(self._datastore.shown_url):
            self._datastore.persist(lambda: self._datastore.run(_DESTROY, (learner_id,)))
            self._vacuum(
                "VACUUM learner_keys", "the key is destroyed, but a copy stays; destroy it again"
            )

    def destroyed(self, learner_ids: Iterable[LearnerId]) -> set[LearnerId]:
        """Return whose key was ever destroyed, whether they have a new one or not."""
        return {LearnerId(learner_id) for (learner_id,) in self._ask(_DESTROYED, learner_ids)}

    def counts(self) -> KeyCounts:
        """Count the keys by how they are stored."""
        with as_event_store_errors(self._datastore.shown_url):
            rows = self._datastore.select(_COUNT)
        return self._wrapping.counts(
            [(head, count) for head, destroyed, count in rows if not destroyed],
            sum(count for _, destroyed, count in rows if destroyed),
        )

    def rewrap(self, after: int, limit: int) -> tuple[int, int]:
        """Wrap keys under the master key that they are to be under, in one transaction.

        Raises:
            EventStoreError: There is no master key, or not that of a stored key; nothing was
                wrapped.
        """
        head = self._wrapping.head
        with (
            as_event_store_errors(self._datastore.shown_url),
            self._datastore.transaction(commit=True) as cursor,
        ):
            rows = cursor.execute(_OTHERS, (after, head, limit)).fetchall()
            if not rows:
                return 0, after
            numbers = [number for number, _, _ in rows]
            wrapped = [
                self._wrapping.wrap(learner_id, self._wrapping.unwrap(learner_id, stored))
                for _, learner_id, stored in rows
            ]
            cursor.execute(_REPLACE, (numbers, wrapped))
            return len(rows), numbers[-1]

    def settle(self) -> None:
        """Write the table anew, so that its file holds the keys as they are now and nothing else.

        Raises:
            EventStoreError: Others keep using the keys, so that copies stay for now.
        """
        with as_event_store_errors(self._datastore.shown_url):
            self._vacuum(
                "VACUUM (FULL) learner_keys",
                "the keys are wrapped, but copies of them as they were stay; run it again",
            )

    def _vacuum(self, statement: str, otherwise: str) -> None:
        try:
            self._datastore.persist(lambda: self._datastore.run(statement))
        except PersistenceError as error:
            raise OperationalError(f"{otherwise} ({error})") from error

    def _ask(self, query: str, learner_ids: Iterable[LearnerId]) -> list[tuple[Any, ...]]:
        wanted = list(learner_ids)
        if not wanted:
            return []
        with as_event_store_errors(self._datastore.shown_url):
            if len(wanted) == 1:  # which is quicker, and asked with every stream that is read
                return self._datastore.select(query.format(whose="learner_id = %s"), wanted)
            return self._datastore.select(query.format(whose="learner_id = ANY (%b)"), (wanted,))
