"""The learners' data keys on SQLite, in the same file as the log and never in the log itself."""

import json
import os
from collections.abc import Iterable
from typing import Any, Final

from eventsourcing.persistence import OperationalError

from testamur.adapters.event_store.failures import as_event_store_errors
from testamur.adapters.event_store.sqlite.connections import Datastore
from testamur.application.ports.secret_keys import KEY_BYTES
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
_DESTROY: Final = f"""
    UPDATE learner_keys
    SET secret = zeroblob({KEY_BYTES}), destroyed = 1
    WHERE learner_id = ? AND NOT destroyed
"""  # noqa: S608
_DESTROYED: Final = """
    SELECT learner_id
    FROM learner_keys
    WHERE destroyed AND learner_id IN (SELECT value FROM json_each(?))
"""


class SqliteKeys:
    """Fills the port `SecretKeys`.

    Args:
        datastore: The database, prepared.
        database: Its name for people.
    """

    def __init__(self, datastore: Datastore, database: str) -> None:
        self._datastore = datastore
        self._database = database

    def obtain(self, learner_ids: Iterable[LearnerId]) -> dict[LearnerId, bytes]:
        """Return the keys of these learners, making durable ones for those who have none yet."""
        wanted = set(learner_ids)
        keys = self.find(wanted)
        missing = wanted - keys.keys()
        if not missing:
            return keys
        fresh = [(learner_id, os.urandom(KEY_BYTES)) for learner_id in sorted(missing)]
        with (
            as_event_store_errors(self._database),
            self._datastore.transaction(commit=True) as c,
        ):
            c.sqlite_cursor.executemany(_STORE, fresh)
            stored = c.sqlite_cursor.execute(_FIND, (json.dumps(list(missing)),)).fetchall()
        return keys | {LearnerId(learner_id): secret for learner_id, secret in stored}

    def find(self, learner_ids: Iterable[LearnerId]) -> dict[LearnerId, bytes]:
        """Return the keys that there are; an erased one is left out."""
        return {
            LearnerId(learner_id): secret for learner_id, secret in self._ask(_FIND, learner_ids)
        }

    def destroy(self, learner_id: LearnerId) -> None:
        """Destroy a learner's key for good, in the file and in the write-ahead log beside it.

        Raises:
            EventStoreError: The key is destroyed, but the write-ahead log still holds it because
                others kept using the database; destroying it again finishes that.
        """
        with as_event_store_errors(self._database):
            with self._datastore.transaction(commit=True) as c:
                c.sqlite_cursor.execute(_DESTROY, (learner_id,))
            with self._datastore.get_connection(commit=True) as connection:
                cursor = connection.cursor()
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                busy, _, _ = cursor.fetchone()
            if busy:
                raise OperationalError(
                    "the key is destroyed, but a copy stays in the write-ahead log for now; "
                    "destroy it again"
                )

    def destroyed(self, learner_ids: Iterable[LearnerId]) -> set[LearnerId]:
        """Return whose key was ever destroyed, whether they have a new one or not."""
        return {LearnerId(learner_id) for (learner_id,) in self._ask(_DESTROYED, learner_ids)}

    def _ask(self, query: str, learner_ids: Iterable[LearnerId]) -> list[Any]:
        with (
            as_event_store_errors(self._database),
            self._datastore.transaction(commit=False) as c,
        ):
            return c.sqlite_cursor.execute(query, (json.dumps(list(learner_ids)),)).fetchall()
