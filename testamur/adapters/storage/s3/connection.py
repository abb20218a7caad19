"""The connection to a server: one client and one pool of connections for each process."""

import os
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from minio.credentials.credentials import Credentials
from minio.credentials.providers import (
    AWSConfigProvider,
    ChainedProvider,
    EnvAWSProvider,
    EnvMinioProvider,
    IamAwsProvider,
    MinioClientConfigProvider,
    Provider,
    StaticProvider,
)
from urllib3 import PoolManager
from urllib3.exceptions import HTTPError
from urllib3.util import Timeout

from testamur.adapters.storage.s3.client import StreamingClient
from testamur.adapters.storage.s3.options import S3Options
from testamur.domain.errors import InvalidInput

AWS_ENDPOINT: Final = "s3.amazonaws.com"

#: The service that knows the role of a machine is on the machine itself, or is not there.
_ROLE_TIMEOUT_SECONDS: Final = 2.0


class Connection:
    """Gives each process a client of its own, so that a fork shares no connection.

    A client may be used by several threads. It repeats nothing by itself.

    Args:
        options: Where and as whom.

    Raises:
        InvalidInput: The file with certificates cannot be read.
    """

    def __init__(self, options: S3Options) -> None:
        self._options = options
        self._trust = _trust(options.ca_file) if options.secure else None
        self._of_processes: dict[int, _Clients] = {}

    @property
    def client(self) -> StreamingClient:
        """The client of this process."""
        return self._clients.usual

    @property
    def unbounded_client(self) -> StreamingClient:
        """Another, with as many connections as are in use at the same time.

        For what is held open: who reads a file piece by piece may ask for more meanwhile, and would
        wait for itself if that had to wait for a connection.
        """
        return self._clients.unbounded

    def close(self) -> None:
        """Close the connections of this process."""
        made = self._of_processes.pop(os.getpid(), None)
        if made is not None:
            for pool in made.pools:
                pool.clear()

    @property
    def _clients(self) -> "_Clients":
        process = os.getpid()
        if process not in self._of_processes:
            # Of two threads that come first at once, one's clients are taken and one's dropped.
            self._of_processes.setdefault(process, self._made())
        return self._of_processes[process]

    def _made(self) -> "_Clients":
        credentials = _credentials(self._options)
        # The bound holds however many threads there are.
        pools = (self._pool(block=True), self._pool(block=False))
        usual, unbounded = (self._client(pool, credentials) for pool in pools)
        return _Clients(usual, unbounded, pools)

    def _pool(self, *, block: bool) -> PoolManager:
        options = self._options
        return PoolManager(
            maxsize=options.parallel_uploads,
            block=block,
            timeout=Timeout(connect=options.timeout_seconds, read=options.timeout_seconds),
            retries=False,
            ssl_context=self._trust,
        )

    def _client(self, pool: PoolManager, credentials: Provider) -> StreamingClient:
        options = self._options
        return StreamingClient(
            options.endpoint or AWS_ENDPOINT,
            secure=options.secure,
            region=options.region,
            http_client=pool,
            credentials=credentials,
        )


@dataclass(frozen=True, slots=True)
class _Clients:
    usual: StreamingClient
    unbounded: StreamingClient
    pools: tuple[PoolManager, PoolManager]


class NoCredentials(Exception):
    """Nowhere are there any credentials."""


class _FoundCredentials(Provider):
    """Credentials from the first place that has any, as those who use S3 are used to."""

    def __init__(self) -> None:
        self._chain = ChainedProvider(
            [
                EnvAWSProvider(),
                EnvMinioProvider(),
                AWSConfigProvider(),
                MinioClientConfigProvider(),
                IamAwsProvider(
                    http_client=PoolManager(timeout=_ROLE_TIMEOUT_SECONDS, retries=False)
                ),
            ]
        )

    def retrieve(self) -> Credentials:
        """Return credentials that have not expired.

        Raises:
            NoCredentials: There are none.
        """
        try:
            return self._chain.retrieve()
        except (ValueError, KeyError, OSError, HTTPError) as error:
            raise NoCredentials(str(error)) from error


def _credentials(options: S3Options) -> Provider:
    if options.access_key is None or options.secret_key is None:
        return _FoundCredentials()
    return StaticProvider(
        options.access_key.get_secret_value(), options.secret_key.get_secret_value()
    )


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # an SSLError too: the file holds no certificate
        reason = error.strerror or error
        raise InvalidInput(
            "ca_file", str(ca_file), f"a readable file with certificates in PEM ({reason})"
        ) from error
