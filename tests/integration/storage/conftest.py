"""Every storage that there is, each empty."""

from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from testamur.adapters.storage.local import LocalFolderStorage
from testamur.adapters.storage.memory import MemoryStorage
from testamur.adapters.storage.s3.options import S3Options
from testamur.adapters.storage.s3.storage import S3Storage
from tests.support.s3_server import S3Server
from tests.support.stored_files import AnyStorage

NUMBERS = count(1)


@pytest.fixture(
    params=[
        "local folder",
        "memory",
        pytest.param("s3", marks=pytest.mark.integration),
        pytest.param("s3 with versions", marks=pytest.mark.integration),
    ]
)
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AnyStorage]:
    if request.param == "local folder":
        yield LocalFolderStorage(tmp_path / "storage")
    elif request.param == "memory":
        yield MemoryStorage()
    else:
        server: S3Server = request.getfixturevalue("s3")
        bucket = server.shared_bucket(versions="versions" in request.param)
        # A bucket of its own for each test would take the server a second.
        prefix = f"test-{next(NUMBERS)}"
        options = server.options(bucket, prefix=prefix, archive_prefix=f"{prefix}/.archive")
        with closing(S3Storage(S3Options(**options))) as storage:
            yield storage
