"""The tables of the audit trail in the database file: two sets of them, and which one is read.

What tells entries apart is interned, so that a row is six small numbers: a *deed* is an event by an
actor, a *facet* a deed in a configuration and a context. There are few of either, and each has its
count, and its first and last position. Stream and version of an entry are those of the log.
"""

from typing import Final

_OF_ONE_SET: Final = (
    # Moments are counted in microseconds since 1970 (UTC).
    """
    CREATE TABLE audit_rows_{number} (
        position INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        facet INTEGER NOT NULL,
        deed INTEGER NOT NULL,
        correlation INTEGER NOT NULL,
        learner INTEGER
    )
    """,
    # Every index of SQLite ends with the row id, which is the position.
    "CREATE INDEX audit_by_facet_{number} ON audit_rows_{number} (facet)",
    "CREATE INDEX audit_by_deed_{number} ON audit_rows_{number} (deed)",
    "CREATE INDEX audit_by_correlation_{number} ON audit_rows_{number} (correlation, deed)",
    """
    CREATE INDEX audit_by_learner_{number} ON audit_rows_{number} (learner)
    WHERE learner IS NOT NULL
    """,
    # Learners of the few events that name several; the learner of their rows is 0.
    """
    CREATE TABLE audit_mentions_{number} (
        position INTEGER NOT NULL,
        place INTEGER NOT NULL,
        learner INTEGER NOT NULL,
        PRIMARY KEY (position, place)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX audit_mentions_of_learner_{number} ON audit_mentions_{number} (learner)",
    """
    CREATE TABLE audit_learners_{number} (
        number INTEGER PRIMARY KEY,
        learner_id TEXT NOT NULL UNIQUE
    )
    """,
    """
    CREATE TABLE audit_deeds_{number} (
        number INTEGER PRIMARY KEY,
        event TEXT NOT NULL,
        actor TEXT NOT NULL,
        count INTEGER NOT NULL,
        first INTEGER NOT NULL,
        last INTEGER NOT NULL,
        UNIQUE (event, actor)
    )
    """,
    "CREATE INDEX audit_deeds_of_actor_{number} ON audit_deeds_{number} (actor)",
    # Where there is no configuration or context, the text is empty.
    """
    CREATE TABLE audit_facets_{number} (
        number INTEGER PRIMARY KEY,
        deed INTEGER NOT NULL,
        configuration TEXT NOT NULL,
        context TEXT NOT NULL,
        count INTEGER NOT NULL,
        first INTEGER NOT NULL,
        last INTEGER NOT NULL,
        UNIQUE (configuration, context, deed)
    )
    """,
    "CREATE INDEX audit_facets_of_context_{number} ON audit_facets_{number} (context)",
    """
    CREATE TABLE audit_correlations_{number} (
        number INTEGER PRIMARY KEY,
        correlation_id TEXT NOT NULL UNIQUE,
        is_run INTEGER NOT NULL,
        count INTEGER NOT NULL,
        first INTEGER NOT NULL,
        last INTEGER NOT NULL
    )
    """,
    # When the events of so many positions were recorded; thus a time is found without an index.
    """
    CREATE TABLE audit_blocks_{number} (
        block INTEGER PRIMARY KEY,
        earliest INTEGER NOT NULL,
        latest INTEGER NOT NULL
    )
    """,
    """
    CREATE TABLE audit_days_{number} (
        day INTEGER NOT NULL,
        deed INTEGER NOT NULL,
        count INTEGER NOT NULL,
        PRIMARY KEY (day, deed)
    ) WITHOUT ROWID
    """,
)

AUDIT_TABLES: Final[tuple[str, ...]] = (
    # One row at most, and none before anything is written. A generation is one filling of a set,
    # and has a number that no other has; the next one is being made while rebuilt_to is not null.
    """
    CREATE TABLE audit_state (
        number INTEGER PRIMARY KEY CHECK (number = 1),
        live_set INTEGER NOT NULL,
        live_generation INTEGER NOT NULL,
        position INTEGER NOT NULL,
        next_generation INTEGER NOT NULL,
        rebuilt_to INTEGER
    )
    """,
    *(statement.format(number=number) for number in (0, 1) for statement in _OF_ONE_SET),
)
