"""Floors of the whole stack: each part of its work done alone, by nothing but what it takes."""

import io
import smtplib
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
from minio import Minio
from urllib3 import PoolManager

from testamur import ConfigurationId, CredentialId, Settings
from testamur.adapters.event_store.postgres import PostgresDatabase
from testamur.application.configurations import Configurations
from testamur.application.documents import document_of
from testamur.application.installation import Installation
from testamur.application.ports.event_store import EventStore
from testamur.application.ports.rendering import RenderedFile
from testamur.application.ports.storage import StorableFile
from testamur.domain.credentials import CredentialAwarded
from testamur.entrypoints.container import Wiring
from testamur.entrypoints.setting_values import PostgresUrl
from tests.benchmarks.measuring import stopwatch
from tests.support.s3_server import ACCESS_KEY, SECRET_KEY, S3Server
from tests.support.smtp_server import HOST, Received, smtp_server

#: The tables that a run writes to.
TABLES: Final = ("learner_keys", "stored_events", "credentials")

#: Documents held at a time.
_TOGETHER: Final = 200
_UPLOADS_AT_ONCE: Final = 8


@dataclass(frozen=True)
class Floors:
    """Seconds that each part takes alone, for all certificates of the run together.

    Args:
        render: Drawing the same documents, one process.
        put: The SDK's own uploads of the same bytes, eight at once.
        copy: A binary COPY of the same rows.
        mail: The same messages over one connection.
        document_bytes: Of an average document.
    """

    render: float
    put: float
    copy: float
    mail: float
    document_bytes: float

    @property
    def total(self) -> float:
        """Seconds that all of them take one after the other."""
        return self.render + self.put + self.copy + self.mail


def measured_floors(
    settings: Settings,
    configuration: ConfigurationId,
    s3: S3Server,
    fresh_database: str,
    mails: list[Received],
) -> Floors:
    """Do again, part by part, what a run of workers did.

    Args:
        settings: Of the installation that they worked for.
        configuration: What they issued.
        s3: The server that they stored to.
        fresh_database: Address of an empty one, on the server that they wrote to.
        mails: What they sent.
    """
    render, put, sizes = _drawn_and_stored(settings, configuration, s3)
    return Floors(
        render=render,
        put=put,
        copy=_copied(settings, fresh_database),
        mail=_sent(mails),
        document_bytes=sizes / len(mails),
    )


def _drawn_and_stored(
    settings: Settings, configuration: ConfigurationId, s3: S3Server
) -> tuple[float, float, int]:
    bucket = s3.fresh_bucket()
    pool = PoolManager(maxsize=_UPLOADS_AT_ONCE)
    client = Minio(s3.endpoint, ACCESS_KEY, SECRET_KEY, secure=False, region="us-east-1",
                   http_client=pool)  # fmt: skip
    render = put = 0.0
    size = 0
    with (
        closing(Wiring.of(settings)) as wiring,
        ThreadPoolExecutor(_UPLOADS_AT_ONCE) as threads,
    ):
        installation = wiring.resolve(Installation)
        renderer = wiring.resolve(Configurations).prepare(configuration).renderer
        documents = [
            document_of(CredentialId(recorded.stream_id), event, event.person, installation)
            for recorded in (each.recorded for each in wiring.resolve(EventStore).log())
            if isinstance(event := recorded.event, CredentialAwarded)
            and event.configuration_id == configuration
            and event.person is not None
        ]
        renderer.render(documents[0])  # the first one reads the fonts

        def put_plainly(given: tuple[CredentialId, RenderedFile]) -> None:
            id_, file = given
            stored = StorableFile(f"credentials/{id_}.pdf", file.content, file.sha256,
                                  file.media_type)  # fmt: skip
            client.put_object(bucket, stored.key, io.BytesIO(stored.content), len(stored.content))

        for start in range(0, len(documents), _TOGETHER):
            part = documents[start : start + _TOGETHER]
            with stopwatch() as drawing:
                files = [renderer.render(document) for document in part]
            with stopwatch() as storing:
                list(threads.map(put_plainly, zip([d.credential_id for d in part], files,
                                                  strict=True)))  # fmt: skip
            render += drawing.seconds
            put += storing.seconds
            size += sum(len(file.content) for file in files)
    pool.clear()
    return render, put, size


def _copied(settings: Settings, fresh: str) -> float:
    with PostgresDatabase.open(fresh):
        pass  # its tables, empty
    filled = settings.database_location
    assert isinstance(filled, PostgresUrl)
    with psycopg.connect(filled.reveal()) as source, psycopg.connect(fresh) as target:
        blocks = {}
        for table in TABLES:
            statement = f"COPY testamur.{table} TO STDOUT (FORMAT BINARY)"
            with source.cursor().copy(statement) as out:
                blocks[table] = list(out)
        with stopwatch() as watch:
            for table, content in blocks.items():
                statement = f"COPY testamur.{table} FROM STDIN (FORMAT BINARY)"
                with target.cursor().copy(statement) as into:
                    for block in content:
                        into.write(block)
            target.commit()
    return watch.seconds


def _sent(mails: list[Received]) -> float:
    with (
        tempfile.TemporaryDirectory(prefix="testamur-bench-") as folder,
        smtp_server(Path(folder), security="none") as server,
    ):
        with stopwatch() as watch, smtplib.SMTP(HOST, server.port) as connection:
            for mail in mails:
                connection.sendmail(mail.sender, mail.recipients, mail.content)
        if len(server.mailbox.received) != len(mails):
            raise AssertionError("the floor's messages did not arrive")
    return watch.seconds
