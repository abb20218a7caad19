"""Storages in buckets of a test server, and files for them."""

import hashlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from testamur.adapters.storage.s3.options import S3Options
from testamur.adapters.storage.s3.storage import S3Storage
from testamur.application.ports.storage import StorableFile
from tests.support.faulty_proxy import Fault, FaultyProxy, faulty_proxy
from tests.support.s3_server import S3Server


def file(key: str, content: bytes = b"%PDF-1.7 of Ada") -> StorableFile:
    """Return a file to be stored."""
    return StorableFile(key, content, hashlib.sha256(content).hexdigest(), "application/pdf")


@contextmanager
def storage_in(server: S3Server, bucket: str, **more: Any) -> Iterator[S3Storage]:
    """Open a storage in a bucket, with more options or others than usual."""
    with closing(S3Storage(S3Options(**server.options(bucket, **more)))) as storage:
        yield storage


@contextmanager
def faulty_storage(
    server: S3Server, bucket: str, *faults: Fault, **more: Any
) -> Iterator[tuple[S3Storage, FaultyProxy]]:
    """Open a storage that talks to its server through a faulty proxy."""
    with (
        faulty_proxy(server.port, *faults) as proxy,
        storage_in(server, bucket, **{"endpoint": proxy.endpoint, **more}) as storage,
    ):
        yield storage, proxy
