"""Storing documents in a bucket: how near a batch comes to the SDK's own uploads."""

import hashlib
import io
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Final

from minio import Minio
from urllib3 import PoolManager

from testamur.adapters.storage.s3.options import S3Options
from testamur.adapters.storage.s3.storage import S3Storage
from testamur.application.ports.storage import StorableFile
from tests.benchmarks.measuring import report, stopwatch
from tests.support.s3_server import ACCESS_KEY, SECRET_KEY, S3Server, started_s3

#: A certificate over a template with a picture is about as large.
FILE_SIZE: Final = 300_000
BATCH: Final = 100
PARALLEL: Final = 8
ROUNDS: Final = 3


def main() -> None:
    with started_s3() as server:
        bucket = server.fresh_bucket()
        client = _client(server)
        storage = S3Storage(S3Options(**server.options(bucket, parallel_uploads=PARALLEL)))
        numbers = count()

        def batch() -> list[StorableFile]:
            return [_file(next(numbers)) for _ in range(BATCH)]

        def put_plainly(file: StorableFile) -> None:
            client.put_object(bucket, file.key, io.BytesIO(file.content), len(file.content))

        def in_a_loop(files: list[StorableFile]) -> None:
            for file in files:
                put_plainly(file)

        def in_threads(files: list[StorableFile]) -> None:
            with ThreadPoolExecutor(PARALLEL) as threads:
                list(threads.map(put_plainly, files))

        in_threads(batch())  # the server makes room for the first files
        storage.put(batch())
        loop = _fastest(in_a_loop, batch)
        floor = _fastest(in_threads, batch)
        ours = _fastest(storage.put, batch)
        same = batch()
        storage.put(same)
        again = _fastest(storage.put, lambda: same)
        storage.close()
    _report("put_object of the SDK, one after the other", loop, floor)
    _report(f"put_object of the SDK, {PARALLEL} threads (the floor)", floor, floor)
    _report(f"storage s3, a batch of {BATCH}, {PARALLEL} at once", ours, floor)
    _report("storage s3, the same batch again", again, floor)


def _client(server: S3Server) -> Minio:
    return Minio(
        server.endpoint,
        ACCESS_KEY,
        SECRET_KEY,
        secure=False,
        region="us-east-1",
        http_client=PoolManager(maxsize=PARALLEL),
    )


def _file(number: int) -> StorableFile:
    content = os.urandom(FILE_SIZE)
    key = f"credentials/{number % 256:02x}/{number}.pdf"
    return StorableFile(key, content, hashlib.sha256(content).hexdigest(), "application/pdf")


def _fastest(
    put: Callable[[list[StorableFile]], None], batch: Callable[[], list[StorableFile]]
) -> float:
    """Return the files per second of the fastest of some rounds."""
    seconds = []
    for _ in range(ROUNDS):
        files = batch()
        with stopwatch() as watch:
            put(files)
        seconds.append(watch.seconds)
    return BATCH / min(seconds)


def _report(what: str, per_second: float, floor: float) -> None:
    report(what, f"{per_second:,.0f} files/s", ratio=f"{per_second / floor:.2f} of the floor")
