"""The tables of the log, the register and the learners' keys in PostgreSQL: schema version 1."""

from typing import Final

from testamur.adapters.event_store.recording import ONE_LIVING_CREDENTIAL

# Text is compared byte by byte (COLLATE "C"), so that the order is the same on every server, and
# an upgrade of its operating system spoils no index.
TABLES: Final[tuple[str, ...]] = (
    # Positions are counted by who writes, and only one writes at a time: there are no gaps.
    """
    CREATE TABLE stored_events (
        position bigint PRIMARY KEY,
        originator_id uuid NOT NULL,
        originator_version integer NOT NULL,
        topic text COLLATE "C" NOT NULL,
        state bytea NOT NULL,
        UNIQUE (originator_id, originator_version)
    )
    """,
    # The position is that of the award in the log, so that no second index by id is needed.
    """
    CREATE TABLE credentials (
        position bigint PRIMARY KEY,
        credential_id uuid NOT NULL,
        configuration_id uuid NOT NULL,
        learner_id text COLLATE "C" NOT NULL,
        edition integer NOT NULL,
        context_key text COLLATE "C" NOT NULL,
        type_slug text COLLATE "C" NOT NULL,
        verification_id text COLLATE "C" NOT NULL UNIQUE,
        run_id uuid NOT NULL,
        awarded_at timestamptz NOT NULL,
        status text COLLATE "C" NOT NULL,
        issue_failures integer NOT NULL,
        issue_retry_at timestamptz,
        notification text COLLATE "C" NOT NULL,
        notification_failures integer NOT NULL,
        notification_retry_at timestamptz,
        notification_reason text COLLATE "C",
        issued_at timestamptz,
        notified_at timestamptz,
        withdrawal_pending boolean NOT NULL,
        serial text COLLATE "C",
        expires_at timestamptz,
        remind_at timestamptz
    )
    """,
    # Also finds a learner's credentials, whatever became of them.
    f"""
    CREATE UNIQUE INDEX {ONE_LIVING_CREDENTIAL} ON credentials (
        learner_id,
        configuration_id,
        (CASE WHEN status IN ('awarded', 'issued') THEN 0 ELSE position END)
    )
    """,
    # With the position, so that pages are read in order from where the last one ended.
    # And with the learner, so that a million holders are read from the index alone.
    """
    CREATE INDEX credentials_of_configuration ON credentials (configuration_id, position)
    INCLUDE (learner_id)
    """,
    "CREATE INDEX credentials_of_context ON credentials (context_key, position)",
    "CREATE INDEX credentials_of_run ON credentials (run_id, position)",
    # What waits is found without going over what is done, however much that is. What was never
    # tried stands first, in the order of the log: PostgreSQL does not take "is null" for one value
    # that others can be sorted under.
    """
    CREATE INDEX awaiting_issue ON credentials (
        (coalesce(issue_retry_at, '-infinity')), position
    )
    WHERE status = 'awarded'
    """,
    """
    CREATE INDEX awaiting_issue_of_run ON credentials (
        run_id, (coalesce(issue_retry_at, '-infinity')), position
    )
    WHERE status = 'awarded'
    """,
    """
    CREATE INDEX awaiting_notification ON credentials (
        (coalesce(notification_retry_at, '-infinity')), position
    )
    WHERE status = 'issued' AND notification = 'pending'
    """,
    """
    CREATE INDEX awaiting_notification_of_run ON credentials (
        run_id, (coalesce(notification_retry_at, '-infinity')), position
    )
    WHERE status = 'issued' AND notification = 'pending'
    """,
    "CREATE INDEX awaiting_withdrawal ON credentials (position) WHERE withdrawal_pending",
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
        message_id uuid PRIMARY KEY,
        position bigint NOT NULL,
        credential_id uuid NOT NULL,
        notice text COLLATE "C" NOT NULL,
        sequence integer NOT NULL,
        request integer NOT NULL,
        requested_at timestamptz NOT NULL,
        status text COLLATE "C" NOT NULL,
        failures integer NOT NULL,
        retry_at timestamptz,
        reason text COLLATE "C",
        sent_at timestamptz
    )
    """,
    "CREATE INDEX messages_in_order ON messages (position, notice, sequence, request)",
    """
    CREATE INDEX awaiting_message ON messages ((coalesce(retry_at, '-infinity')), position)
    WHERE status = 'pending'
    """,
    "CREATE INDEX sent_messages ON messages (sent_at) WHERE sent_at IS NOT NULL",
    """
    CREATE TABLE runs (
        number bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
        run_id uuid NOT NULL UNIQUE,
        configuration_id uuid NOT NULL,
        slot text COLLATE "C" NOT NULL,
        scheduled_for timestamptz,
        started_at timestamptz NOT NULL,
        completed boolean NOT NULL,
        failures integer NOT NULL,
        retry_at timestamptz,
        approval text COLLATE "C" NOT NULL,
        narrowed boolean NOT NULL,
        awarded integer NOT NULL
    )
    """,
    "CREATE INDEX runs_of_configuration ON runs (configuration_id, started_at)",
    "CREATE INDEX slots_of_configuration ON runs (configuration_id, scheduled_for)",
    """
    CREATE INDEX open_runs ON runs (started_at) WHERE NOT completed AND approval <> 'rejected'
    """,
    "CREATE INDEX runs_to_approve ON runs (started_at) WHERE approval = 'needed'",
    """
    CREATE INDEX awarding_runs ON runs (configuration_id, started_at)
    WHERE awarded > 0 AND NOT narrowed
    """,
    # Without those that were given up or rejected, which only become more.
    """
    CREATE INDEX runs_to_resume ON runs (retry_at)
    WHERE NOT completed
        AND approval IN ('not-needed', 'approved')
        AND (failures = 0 OR retry_at IS NOT NULL)
    """,
    # What is on a page stays until it is awarded, and the counts from then on.
    """
    CREATE TABLE run_pages (
        division uuid NOT NULL,
        number integer NOT NULL,
        run_id uuid NOT NULL,
        share integer NOT NULL,
        verdicts bytea,
        counts text COLLATE "C",
        PRIMARY KEY (division, number)
    )
    """,
    "CREATE INDEX pages_of_run ON run_pages (run_id)",
    "CREATE INDEX pages_left ON run_pages (division) WHERE verdicts IS NOT NULL",
    """
    CREATE TABLE catalogue (
        stream_id uuid PRIMARY KEY,
        kind text COLLATE "C" NOT NULL,
        label text COLLATE "C" NOT NULL,
        active boolean NOT NULL,
        look_version integer NOT NULL DEFAULT 0,
        look_at timestamptz,
        version integer NOT NULL DEFAULT 0,
        last_number bigint NOT NULL DEFAULT 0,
        reconcile_at timestamptz
    )
    """,
    "CREATE INDEX catalogue_by_label ON catalogue (kind, label)",
    "CREATE INDEX active_by_label ON catalogue (kind, label) WHERE active",
    "CREATE INDEX to_reconcile ON catalogue (reconcile_at) WHERE reconcile_at IS NOT NULL",
    """
    CREATE INDEX next_looks ON catalogue (look_at)
    WHERE kind = 'configuration' AND active
    """,
    """
    CREATE TABLE learner_keys (
        number bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
        learner_id text COLLATE "C" NOT NULL,
        secret bytea NOT NULL,
        destroyed boolean NOT NULL
    )
    """,
    """
    CREATE UNIQUE INDEX one_key_for_each_learner ON learner_keys (
        learner_id, (CASE WHEN destroyed THEN number ELSE 0 END)
    )
    """,
)
