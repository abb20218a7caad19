"""The tables of the audit trail in PostgreSQL: two sets of them, and which one is read.

They are those of SQLite (`testamur.adapters.event_store.sqlite.audit_tables` explains them).
Numbers stand where other tables have moments and ids, so that a row is small.
"""

from typing import Final

_OF_ONE_SET: Final = (
    """
    CREATE TABLE audit_rows_{number} (
        position bigint PRIMARY KEY,
        at bigint NOT NULL,
        facet integer NOT NULL,
        deed integer NOT NULL,
        correlation integer NOT NULL,
        learner integer
    )
    """,
    "CREATE INDEX audit_by_facet_{number} ON audit_rows_{number} (facet, position)",
    "CREATE INDEX audit_by_deed_{number} ON audit_rows_{number} (deed, position)",
    """
    CREATE INDEX audit_by_correlation_{number}
    ON audit_rows_{number} (correlation, deed, position)
    """,
    """
    CREATE INDEX audit_by_learner_{number} ON audit_rows_{number} (learner, position)
    WHERE learner IS NOT NULL
    """,
    """
    CREATE TABLE audit_mentions_{number} (
        position bigint NOT NULL,
        place integer NOT NULL,
        learner integer NOT NULL,
        PRIMARY KEY (position, place)
    )
    """,
    """
    CREATE INDEX audit_mentions_of_learner_{number}
    ON audit_mentions_{number} (learner, position)
    """,
    """
    CREATE TABLE audit_learners_{number} (
        number integer PRIMARY KEY,
        learner_id text COLLATE "C" NOT NULL UNIQUE
    )
    """,
    """
    CREATE TABLE audit_deeds_{number} (
        number integer PRIMARY KEY,
        event text COLLATE "C" NOT NULL,
        actor text COLLATE "C" NOT NULL,
        count bigint NOT NULL,
        first bigint NOT NULL,
        last bigint NOT NULL,
        UNIQUE (event, actor)
    )
    """,
    "CREATE INDEX audit_deeds_of_actor_{number} ON audit_deeds_{number} (actor)",
    """
    CREATE TABLE audit_facets_{number} (
        number integer PRIMARY KEY,
        deed integer NOT NULL,
        configuration text COLLATE "C" NOT NULL,
        context text COLLATE "C" NOT NULL,
        count bigint NOT NULL,
        first bigint NOT NULL,
        last bigint NOT NULL,
        UNIQUE (configuration, context, deed)
    )
    """,
    "CREATE INDEX audit_facets_of_context_{number} ON audit_facets_{number} (context)",
    """
    CREATE TABLE audit_correlations_{number} (
        number integer PRIMARY KEY,
        correlation_id uuid NOT NULL UNIQUE,
        is_run integer NOT NULL,
        count bigint NOT NULL,
        first bigint NOT NULL,
        last bigint NOT NULL
    )
    """,
    """
    CREATE TABLE audit_blocks_{number} (
        block bigint PRIMARY KEY,
        earliest bigint NOT NULL,
        latest bigint NOT NULL
    )
    """,
    """
    CREATE TABLE audit_days_{number} (
        day integer NOT NULL,
        deed integer NOT NULL,
        count bigint NOT NULL,
        PRIMARY KEY (day, deed)
    )
    """,
)

AUDIT_TABLES: Final[tuple[str, ...]] = (
    """
    CREATE TABLE audit_state (
        number integer PRIMARY KEY CHECK (number = 1),
        live_set integer NOT NULL,
        live_generation bigint NOT NULL,
        position bigint NOT NULL,
        next_generation bigint NOT NULL,
        rebuilt_to bigint
    )
    """,
    *(statement.format(number=number) for number in (0, 1) for statement in _OF_ONE_SET),
)
