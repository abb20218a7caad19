"""The event store on PostgreSQL: one schema with the log, the register and the learners' keys."""

try:
    import psycopg as _psycopg  # noqa: F401
except ImportError as error:
    raise ImportError(
        f'PostgreSQL needs packages that are not installed ({error}): pip install "testamur'
        '[postgres]"',
        name=error.name,
    ) from error

from testamur.adapters.event_store.postgres.database import PostgresDatabase

__all__ = ["PostgresDatabase"]
