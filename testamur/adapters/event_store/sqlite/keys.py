"""The learners' data keys on SQLite, in the same file as the log and never in the log itself."""

import json
import os
from collections.abc import Iterable
from typing import Any, Final

from eventsourcing.persistence import OperationalError

from testamur.adapters.event_store.failures import as_event_store_errors
from testamur.adapters.event_store.key_wrapping import HEAD_BYTES, KeyWrapping
from testamur.adapters.event_store.sqlite.connections import Datastore
from testamur.application.ports.secret_keys import KEY_BYTES, KeyCounts
from testamur.domain.identifiers import LearnerId

_FIND: Final = """
    SELECT learner_id, secret
    FROM learner_keys
    WHERE NOT destroyed AND learner_id IN (SELECT value FROM json_each(?))
"""
#: A key of the same learner that another process stored first stays.
_STORE: Final = (
    "INSERT OR IGNORE INTO learner_keys (learner_id, secret, destroyed) VALUES (?, ?, 0)"
)
#: As long as before, so that it is overwritten where it is.
_DESTROY: Final = """
    UPDATE learner_keys
    SET secret = zeroblob(length(secret)), destroyed = 1
    WHERE learner_id = ? AND NOT destroyed
"""
_DESTROYED: Final = """
    SELECT learner_id
    FROM learner_keys
    WHERE destroyed AND learner_id IN (SELECT value FROM json_each(?))
"""
#: The first and the last key tell which master key the file was written with.
_OUTERMOST: Final = """
    SELECT secret FROM (
        SELECT secret FROM learner_keys WHERE NOT destroyed ORDER BY number LIMIT 1
    )
    UNION ALL
    SELECT secret FROM (
        SELECT secret FROM learner_keys WHERE NOT destroyed ORDER BY number DESC LIMIT 1
    )
"""
_COUNT: Final = f"""
    SELECT CASE WHEN length(secret) = {KEY_BYTES} THEN x'' ELSE substr(secret, 1, {HEAD_BYTES}) END,
        destroyed,
        count(*)
    FROM learner_keys
    GROUP BY 1, 2
"""  # noqa: S608
_OTHERS: Final = f"""
    SELECT number, learner_id, secret
    FROM learner_keys
    WHERE number > ? AND NOT destroyed AND substr(secret, 1, {HEAD_BYTES}) <> ?
    ORDER BY number
    LIMIT ?
"""  # noqa: S608
_REPLACE: Final = "UPDATE learner_keys SET secret = ? WHERE number = ?"


class SqliteKeys:
    """Fills the ports `SecretKeys` and `WrappedKeys`.

    Args:
        datastore: The database, prepared.
        database: Its name for people.
        wrapping: Wraps the keys, if they are to be wrapped.
    """

    def __init__(
        self, datastore: Datastore, database: str, wrapping: KeyWrapping | None = None
    ) -> None:
        self._datastore = datastore
        self._database = database
        self._wrapping = wrapping or KeyWrapping()

    def check_master_key(self) -> None:
        """Make sure, as far as two keys can tell, that the master key is the right one.

        Raises:
            EventStoreError: It is missing or another one, or the database cannot be read.
        """
        with as_event_store_errors(self._database):
            stored = self._datastore.select(_OUTERMOST)
        self._wrapping.check(secret for (secret,) in stored)

    def obtain(self, learner_ids: Iterable[LearnerId]) -> dict[LearnerId, bytes]:
        """Return the keys of these learners, making durable ones for those who have none yet."""
        wanted = set(learner_ids)
        keys = self.find(wanted)
        missing = wanted - keys.keys()
        if not missing:
            return keys
        fresh = [
            (learner_id, self._wrapping.wrap(learner_id, os.urandom(KEY_BYTES)))
            for learner_id in sorted(missing)
        ]
        with (
            as_event_store_errors(self._database),
            self._datastore.transaction(commit=True) as c,
        ):
            c.sqlite_cursor.executemany(_STORE, fresh)
            stored = c.sqlite_cursor.execute(_FIND, (json.dumps(list(missing)),)).fetchall()
        return keys | self._wrapping.unwrap_all(stored)

    def find(self, learner_ids: Iterable[LearnerId]) -> dict[LearnerId, bytes]:
        """Return the keys that there are; an erased one is left out."""
        return self._wrapping.unwrap_all(self._ask(_FIND, learner_ids))

    def destroy(self, learner_id: LearnerId) -> None:
        """Destroy a learner's key for good, in the file and in the write-ahead log beside it.

        Raises:
            EventStoreError: The key is destroyed, but the write-ahead log still holds it because
                others kept using the database; destroying it again finishes that.
        """
        with as_event_store_errors(self._database):
            with self._datastore.transaction(commit=True) as c:
                c.sqlite_cursor.execute(_DESTROY, (learner_id,))
            self._empty_log(
                "the key is destroyed, but a copy stays in the write-ahead log for now; "
                "destroy it again"
            )

    def destroyed(self, learner_ids: Iterable[LearnerId]) -> set[LearnerId]:
        """Return whose key was ever destroyed, whether they have a new one or not."""
        return {LearnerId(learner_id) for (learner_id,) in self._ask(_DESTROYED, learner_ids)}

    def counts(self) -> KeyCounts:
        """Count the keys by how they are stored."""
        with as_event_store_errors(self._database):
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
            as_event_store_errors(self._database),
            self._datastore.transaction(commit=True) as c,
        ):
            rows = c.sqlite_cursor.execute(_OTHERS, (after, head, limit)).fetchall()
            wrapped = [
                (self._rewrapped(LearnerId(learner_id), stored), number)
                for number, learner_id, stored in rows
            ]
            c.sqlite_cursor.executemany(_REPLACE, wrapped)
        return len(wrapped), wrapped[-1][1] if wrapped else after

    def settle(self) -> None:
        """Write the file anew and empty the write-ahead log: a longer key is moved when wrapped.

        Raises:
            EventStoreError: Others keep using the database, so that copies stay for now.
        """
        with as_event_store_errors(self._database):
            with self._datastore.get_connection(commit=True) as connection:
                connection.cursor().execute("VACUUM")
            self._empty_log(
                "the keys are wrapped, but copies of them as they were stay in the write-ahead log "
                "for now; run it again"
            )

    def _rewrapped(self, learner_id: LearnerId, stored: bytes) -> bytes:
        return self._wrapping.wrap(learner_id, self._wrapping.unwrap(learner_id, stored))

    def _empty_log(self, otherwise: str) -> None:
        with self._datastore.get_connection(commit=True) as connection:
            cursor = connection.cursor()
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            busy, _, _ = cursor.fetchone()
        if busy:
            raise OperationalError(otherwise)

    def _ask(self, query: str, learner_ids: Iterable[LearnerId]) -> list[Any]:
        with as_event_store_errors(self._database):
            return self._datastore.select(query, (json.dumps(list(learner_ids)),))
