"""A real S3 server (SeaweedFS) on this machine, from a wheel."""

import json
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any, Final, Self
from urllib.error import URLError
from urllib.request import urlopen

from minio import Minio
from minio.commonconfig import ENABLED
from minio.versioningconfig import VersioningConfig

HOST: Final = "127.0.0.1"
ACCESS_KEY: Final = "testamur-tests"
SECRET_KEY: Final = "kept-out-of-nothing"

#: Of one that may read and list, and nothing else.
READER_ACCESS_KEY: Final = "testamur-reader"

_START_SECONDS: Final = 30
_PARTS: Final = ("master", "volume", "filer", "s3", "admin")


class S3Server:
    """A server on loopback; see :func:`started_s3`.

    Args:
        folder: Where its data lie.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ports = _free_ports(2 * len(_PARTS))
        self._numbers = count(1)
        self._shared: dict[bool, str] = {}
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "s3.json").write_text(json.dumps(_identities()))

    @property
    def endpoint(self) -> str:
        """Host and port."""
        return f"{HOST}:{self.port}"

    @property
    def port(self) -> int:
        """Where S3 is spoken."""
        return self._ports[2 * _PARTS.index("s3")]

    @property
    def client(self) -> Minio:
        """A client of the SDK that may do everything."""
        return Minio(self.endpoint, ACCESS_KEY, SECRET_KEY, secure=False, region="us-east-1")

    def tend(self) -> bool:
        """Start it again if it has ended by itself; tell whether it had, and say what it said."""
        if self._process is None or self._process.poll() is None:
            return False
        code = self._process.returncode
        sys.stderr.write(f"the S3 server ended by itself, exit code {code}:\n{self._told()}\n")
        self.start()
        return True

    def fresh_bucket(self, *, versions: bool = False, object_lock: bool = False) -> str:
        """Make an empty bucket, and return its name."""
        self.tend()
        name = f"bucket-{next(self._numbers)}"
        self.client.make_bucket(name, object_lock=object_lock)
        if versions:
            self.client.set_bucket_versioning(name, VersioningConfig(ENABLED))
        return name

    def shared_bucket(self, *, versions: bool = False) -> str:
        """Return the name of a bucket for all; each test has a prefix of its own in it."""
        self.tend()
        if versions not in self._shared:
            self._shared[versions] = self.fresh_bucket(versions=versions)
        return self._shared[versions]

    def options(self, bucket: str, **more: Any) -> dict[str, Any]:
        """Return options of the storage ``s3`` for a bucket."""
        return {
            "endpoint": self.endpoint,
            "secure": False,
            "region": "us-east-1",
            "bucket": bucket,
            "access_key": ACCESS_KEY,
            "secret_key": SECRET_KEY,
            **more,
        }

    def start(self) -> Self:
        """Start it, or start it again with the data that it had."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [_program(), "mini", *self._arguments()],
                stdout=log, stderr=subprocess.STDOUT, cwd=self._folder,
                env={"HOME": str(self._folder), "PATH": os.defpath},
            )  # fmt: skip
        until = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                self.kill()
                raise RuntimeError(self._told())
            time.sleep(0.05)
        return self

    def kill(self) -> None:
        """Let it die at once; it loses nothing that it has answered for."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def remove_sockets(self) -> None:
        """Remove what it leaves in the folder for temporary files."""
        for socket_file in Path(tempfile.gettempdir()).glob("seaweedfs-*"):
            if socket_file.stem.rpartition("-")[2] in map(str, self._ports):
                socket_file.unlink(missing_ok=True)

    def _told(self) -> str:
        return (self._folder / "log").read_text(errors="replace")[-2000:]

    def _answers(self) -> bool:
        with suppress(URLError, OSError), urlopen(f"http://{self.endpoint}/healthz", timeout=1):
            return True
        return False

    def _arguments(self) -> Iterator[str]:
        # By default it listens everywhere, and reports to its makers.
        yield from ("-dir=.", f"-ip={HOST}", f"-ip.bind={HOST}", "-master.telemetry=false")
        yield from ("-master.volumeSizeLimitMB=64", "-admin.ui=false", "-webdav=false")
        yield from ("-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.config=s3.json")
        yield from ("-s3.autoCreateBucket=false", "-s3.allowDeleteBucketNotEmpty=false")
        for number, part in enumerate(_PARTS):
            yield f"-{part}.port={self._ports[2 * number]}"
            yield f"-{part}.port.grpc={self._ports[2 * number + 1]}"


@contextmanager
def started_s3() -> Iterator[S3Server]:
    """Run a server while the context lasts."""
    folder = Path(tempfile.mkdtemp(prefix="testamur-s3-"))
    try:
        server = S3Server(folder)
        try:
            yield server.start()
        finally:
            server.kill()
            server.remove_sockets()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _program() -> str:
    return str(Path(sysconfig.get_path("scripts")) / "weed")


def _identities() -> dict[str, Any]:
    def identity(access_key: str, *actions: str) -> dict[str, Any]:
        credentials = [{"accessKey": access_key, "secretKey": SECRET_KEY}]
        return {"name": access_key, "credentials": credentials, "actions": actions}

    return {
        "identities": [
            identity(ACCESS_KEY, "Admin"),
            identity(READER_ACCESS_KEY, "Read", "List"),
        ]
    }


def _free_ports(how_many: int) -> list[int]:
    listening = [socket.create_server((HOST, 0)) for _ in range(how_many)]
    ports: list[int] = [each.getsockname()[1] for each in listening]
    for each in listening:
        each.close()
    return ports
