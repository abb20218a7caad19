"""The address of a PostgreSQL database: read, completed, and shown without its password."""

from dataclasses import dataclass, field
from typing import Final

import psycopg
from psycopg.conninfo import conninfo_to_dict

from testamur.application.errors import EventStoreError

_FORM: Final = (
    "it has the form postgresql://USER:PASSWORD@HOST:PORT/DATABASE, where @, :, / and % in a "
    "password are written %40, %3A, %2F and %25"
)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a database is, and how to log in.

    Args:
        parameters: What libpq is told
            (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS).
    """

    parameters: dict[str, str] = field(repr=False)

    @property
    def shown(self) -> str:
        """The address for people: who, where and which, and nothing secret."""
        named = self.parameters
        user, host, port = named.get("user"), named.get("host", ""), named.get("port")
        return "".join((
            "postgresql://",
            f"{user}@" if user else "",
            host if "," in host or host.startswith("[") or ":" not in host else f"[{host}]",
            f":{port}" if port else "",
            f"/{named.get('dbname', '')}",
        ))  # fmt: skip

    def without_secrets(self, text: str) -> str:
        """Return a text with the password crossed out, should it be in there."""
        for secret in (self.parameters.get("password"), self.parameters.get("sslpassword")):
            if secret:
                text = text.replace(secret, "***")
        return text


def read_address(url: str) -> Address:
    """Read the address of a database.

    Args:
        url: A URL, or the parameters as ``host=… dbname=…``.

    Raises:
        EventStoreError: It cannot be read. The message shows nothing of it: where a password is not
            written as it should be, any part may be a part of it.
    """
    parameters = _parameters(url)
    ports = parameters.get("port", "").split(",")
    misplaced = any("@" in parameters.get(name, "") for name in ("host", "dbname"))
    if not parameters or misplaced or not all(port.isdecimal() or not port for port in ports):
        raise EventStoreError(f"the address of the PostgreSQL database is wrong: {_FORM}")
    return Address(parameters)


def _parameters(url: str) -> dict[str, str]:
    try:
        read = conninfo_to_dict(url)
    except psycopg.ProgrammingError:  # which quotes the address, and so is not handed on
        return {}
    return {name: str(value) for name, value in read.items() if value is not None}
