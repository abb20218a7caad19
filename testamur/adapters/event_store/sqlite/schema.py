"""The tables of the database file as the first release made them: log, register and keys."""

from typing import Final

from testamur.adapters.event_store.recording import ONE_LIVING_CREDENTIAL

#: "TSMR" in the file's header says whose file it is (https://sqlite.org/fileformat2.html, 1.3.15).
APPLICATION_ID: Final = 0x54534D52

TABLES: Final = (
    # The table of `eventsourcing`. The row id is named, so that VACUUM keeps it: it is the position
    # in the log.
    """
    CREATE TABLE stored_events (
        rowid INTEGER PRIMARY KEY,
        originator_id TEXT NOT NULL,
        originator_version INTEGER NOT NULL,
        topic TEXT NOT NULL,
        state BLOB NOT NULL,
        UNIQUE (originator_id, originator_version)
    )
    """,
    # The position is that of the award in the log, so that no second index by id is needed.
    """
    CREATE TABLE credentials (
        position INTEGER PRIMARY KEY,
        credential_id TEXT NOT NULL,
        configuration_id TEXT NOT NULL,
        learner_id TEXT NOT NULL,
        edition INTEGER NOT NULL,
        context_key TEXT NOT NULL,
        type_slug TEXT NOT NULL,
        verification_id TEXT NOT NULL UNIQUE,
        run_id TEXT NOT NULL,
        awarded_at TEXT NOT NULL,
        status TEXT NOT NULL,
        issue_failures INTEGER NOT NULL,
        issue_retry_at TEXT,
        notification TEXT NOT NULL,
        notification_failures INTEGER NOT NULL,
        notification_retry_at TEXT,
        notification_reason TEXT,
        issued_at TEXT,
        notified_at TEXT,
        withdrawal_pending INTEGER NOT NULL,
        serial TEXT,
        expires_at TEXT,
        remind_at TEXT
    )
    """,
    # Also finds a learner's credentials, whatever became of them.
    f"""
    CREATE UNIQUE INDEX {ONE_LIVING_CREDENTIAL} ON credentials (
        learner_id,
        configuration_id,
        CASE WHEN status IN ('awarded', 'issued') THEN 0 ELSE position END
    )
    """,
    "CREATE INDEX credentials_of_configuration ON credentials (configuration_id)",
    "CREATE INDEX credentials_of_context ON credentials (context_key)",
    "CREATE INDEX credentials_of_run ON credentials (run_id)",
    # What waits is found without going over what is done, however much that is.
    """
    CREATE INDEX awaiting_issue ON credentials (issue_retry_at)
    WHERE status = 'awarded'
    """,
    """
    CREATE INDEX awaiting_issue_of_run ON credentials (run_id, issue_retry_at)
    WHERE status = 'awarded'
    """,
    """
    CREATE INDEX awaiting_notification ON credentials (notification_retry_at)
    WHERE status = 'issued' AND notification = 'pending'
    """,
    """
    CREATE INDEX awaiting_notification_of_run ON credentials (run_id, notification_retry_at)
    WHERE status = 'issued' AND notification = 'pending'
    """,
    """
    CREATE INDEX awaiting_withdrawal ON credentials (withdrawal_pending)
    WHERE withdrawal_pending = 1
    """,
    "CREATE INDEX notified ON credentials (notified_at) WHERE notified_at IS NOT NULL",
    "CREATE INDEX credentials_by_serial ON credentials (serial) WHERE serial IS NOT NULL",
    "CREATE INDEX credentials_by_expiry ON credentials (expires_at) WHERE expires_at IS NOT NULL",
    """
    CREATE INDEX awaiting_reminder ON credentials (remind_at)
    WHERE status = 'issued' AND remind_at IS NOT NULL
    """,
    # Messages other than the one that tells of the issue. The position is the credential's.
    """
    CREATE TABLE messages (
        message_id TEXT NOT NULL PRIMARY KEY,
        position INTEGER NOT NULL,
        credential_id TEXT NOT NULL,
        notice TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        request INTEGER NOT NULL,
        requested_at TEXT NOT NULL,
        status TEXT NOT NULL,
        failures INTEGER NOT NULL,
        retry_at TEXT,
        reason TEXT,
        sent_at TEXT
    ) WITHOUT ROWID
    """,
    "CREATE INDEX messages_in_order ON messages (position, notice, sequence, request)",
    "CREATE INDEX awaiting_message ON messages (retry_at) WHERE status = 'pending'",
    "CREATE INDEX sent_messages ON messages (sent_at) WHERE sent_at IS NOT NULL",
    """
    CREATE TABLE runs (
        number INTEGER PRIMARY KEY,
        run_id TEXT NOT NULL UNIQUE,
        configuration_id TEXT NOT NULL,
        slot TEXT NOT NULL,
        scheduled_for TEXT,
        started_at TEXT NOT NULL,
        completed INTEGER NOT NULL,
        failures INTEGER NOT NULL,
        retry_at TEXT,
        approval TEXT NOT NULL,
        narrowed INTEGER NOT NULL,
        awarded INTEGER NOT NULL
    )
    """,
    "CREATE INDEX runs_of_configuration ON runs (configuration_id, started_at)",
    "CREATE INDEX slots_of_configuration ON runs (configuration_id, scheduled_for)",
    """
    CREATE INDEX open_runs ON runs (started_at) WHERE completed = 0 AND approval <> 'rejected'
    """,
    "CREATE INDEX runs_to_approve ON runs (started_at) WHERE approval = 'needed'",
    """
    CREATE INDEX awarding_runs ON runs (configuration_id, started_at)
    WHERE awarded > 0 AND narrowed = 0
    """,
    # Without those that were given up or rejected, which only become more.
    """
    CREATE INDEX runs_to_resume ON runs (retry_at)
    WHERE completed = 0
        AND approval IN ('not-needed', 'approved')
        AND (failures = 0 OR retry_at IS NOT NULL)
    """,
    # What is on a page stays until it is awarded, and the counts from then on.
    """
    CREATE TABLE run_pages (
        division TEXT NOT NULL,
        number INTEGER NOT NULL,
        run_id TEXT NOT NULL,
        share INTEGER NOT NULL,
        verdicts BLOB,
        counts TEXT,
        PRIMARY KEY (division, number)
    )
    """,
    "CREATE INDEX pages_of_run ON run_pages (run_id)",
    "CREATE INDEX pages_left ON run_pages (division) WHERE verdicts IS NOT NULL",
    """
    CREATE TABLE catalogue (
        stream_id TEXT NOT NULL PRIMARY KEY,
        kind TEXT NOT NULL,
        label TEXT NOT NULL,
        active INTEGER NOT NULL,
        look_version INTEGER NOT NULL DEFAULT 0,
        look_at TEXT,
        version INTEGER NOT NULL DEFAULT 0,
        last_number INTEGER NOT NULL DEFAULT 0,
        reconcile_at TEXT
    ) WITHOUT ROWID
    """,
    "CREATE INDEX catalogue_by_label ON catalogue (kind, label)",
    "CREATE INDEX active_by_label ON catalogue (kind, label) WHERE active",
    "CREATE INDEX to_reconcile ON catalogue (reconcile_at) WHERE reconcile_at IS NOT NULL",
    """
    CREATE INDEX next_looks ON catalogue (look_at)
    WHERE kind = 'configuration' AND active
    """,
    # Rows are only ever added at the end, and a key is destroyed by overwriting it where it is.
    # So SQLite never moves a key, and no copy of one is left behind in a page.
    """
    CREATE TABLE learner_keys (
        number INTEGER PRIMARY KEY,
        learner_id TEXT NOT NULL,
        secret BLOB NOT NULL,
        destroyed INTEGER NOT NULL
    )
    """,
    """
    CREATE UNIQUE INDEX one_key_for_each_learner ON learner_keys (
        learner_id, CASE WHEN destroyed THEN number ELSE 0 END
    )
    """,
)
