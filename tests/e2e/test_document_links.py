"""The lasting address of a document, asked for over HTTP as a browser does."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.validate import validator

import pytest
import urllib3

from testamur import Awardee, CredentialRow, DocumentLinks, ImportEntry, Settings, Testamur
from testamur.application.errors import StorageError
from tests.support.installation import configure_completion, settings_in, write_course
from tests.support.s3_server import S3Server

pytestmark = pytest.mark.e2e

NAMES = ("Zuzanna Żółkiewska", "Иван Петров")


class Quiet(WSGIRequestHandler):
    """A handler that logs nothing."""

    def log_message(self, *_: Any) -> None:
        """Do nothing."""


@contextmanager
def served(testamur: Testamur) -> Iterator[str]:
    """Serve an installation's documents by a checked WSGI server, and give the address."""
    application = validator(DocumentLinks(testamur))
    with make_server("127.0.0.1", 0, application, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    write_course(tmp_path / "source", eligible=NAMES)
    return settings_in(tmp_path)


def issued(testamur: Testamur) -> list[CredentialRow]:
    """Issue to everybody, and return what was."""
    testamur.run(configure_completion(testamur))
    return list(testamur.credentials())


def asked(address: str, method: str = "GET") -> urllib3.BaseHTTPResponse:
    """Ask for an address, and follow to no other."""
    return urllib3.request(method, address, redirect=False, retries=False)


def test_the_address_gives_the_document_where_the_storage_gives_no_links(
    settings: Settings,
) -> None:
    with Testamur.open(settings) as testamur, served(testamur) as address:
        for row in issued(testamur):
            answer = asked(f"{address}/documents/{row.verification_id}")

            assert answer.status == 200
            assert answer.data == testamur.document(row.credential_id)
            assert answer.headers["Content-Type"] == "application/pdf"
            assert int(answer.headers["Content-Length"]) == len(answer.data)
            assert answer.headers["Cache-Control"] == "no-store"
            head = asked(f"{address}/documents/{row.verification_id}", "HEAD")
            assert (head.status, head.data) == (200, b"")
            assert head.headers["Content-Length"] == answer.headers["Content-Length"]


def test_the_address_leads_to_a_fresh_link_to_a_private_bucket(
    settings: Settings, s3: S3Server
) -> None:
    bucket = s3.fresh_bucket()
    stored = {"storage": "s3", "storage_options": s3.options(bucket)}
    with Testamur.open(settings.model_copy(update=stored)) as testamur, served(testamur) as address:
        row, *_ = issued(testamur)

        answer = asked(f"{address}/documents/{row.verification_id}")

        assert answer.status == 302
        link = answer.headers["Location"]
        assert "X-Amz-Signature=" in link
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert asked(link).data == testamur.document(row.credential_id)
        assert asked(link.partition("?")[0]).status == 403  # the bucket itself is private


def test_what_is_not_given_out_any_more_is_gone(settings: Settings) -> None:
    with Testamur.open(settings) as testamur, served(testamur) as address:
        revoked, erased = issued(testamur)
        testamur.revoke(revoked.credential_id, "a slip of the pen")
        testamur.erase_learner(erased.learner_id, "asked for")

        for row in (revoked, erased):
            answer = asked(f"{address}/documents/{row.verification_id}")
            assert (answer.status, answer.data) == (
                410, b"This document is not given out any more.\n",
            )  # fmt: skip


def test_nothing_is_found_that_the_public_cannot_know(settings: Settings) -> None:
    with Testamur.open(settings) as testamur, served(testamur) as address:
        row, *_ = issued(testamur)

        for path in (
            "/",
            "/documents/",
            "/documents/unknown",
            "/documents/a/b",
            "/documents/%00",
            f"/documents/{uuid4()}",
            # Ids of credentials can be worked out from those of learners.
            f"/documents/{row.credential_id}",
            f"/documents/{row.credential_id.hex}",
            f"/verify/{row.verification_id}",
        ):
            assert asked(address + path).status == 404, path


def test_nothing_can_be_sent_there(settings: Settings) -> None:
    with Testamur.open(settings) as testamur, served(testamur) as address:
        answer = asked(f"{address}/documents/unknown", "POST")
        assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_an_imported_credential_leads_to_where_its_document_lies(settings: Settings) -> None:
    link = "https://old.example.org/certificates/1.pdf"
    entry = ImportEntry.parse(
        Awardee.parse("guest-19", "Ada Example", award_date=date(2019, 6, 30)), link=link
    )
    with Testamur.open(settings) as testamur, served(testamur) as address:
        testamur.import_credentials(configure_completion(testamur), [entry], "Old Campus")
        (row,) = testamur.credentials()

        answer = asked(f"{address}/documents/{row.verification_id}")

        assert (answer.status, answer.headers["Location"]) == (302, link)


def test_a_storage_that_is_away_is_to_be_asked_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise StorageError("the disk is gone")

    with Testamur.open(settings) as testamur, served(testamur) as address:
        row, *_ = issued(testamur)
        monkeypatch.setattr(testamur, "open_document", fail)

        with caplog.at_level(logging.WARNING, "testamur.links"):
            answer = asked(f"{address}/documents/{row.verification_id}")

    assert (answer.status, answer.headers["Retry-After"]) == (503, "30")
    assert "the disk is gone" in caplog.text
    assert b"disk" not in answer.data
