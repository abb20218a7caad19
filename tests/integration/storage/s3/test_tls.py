"""The way to a server through TLS."""

import ssl
from pathlib import Path

import pytest
import trustme

from testamur.application.errors import StorageError
from testamur.application.ports.storage import AnyFile
from testamur.domain.errors import InvalidInput, NotFound
from tests.support.buckets import file, storage_in
from tests.support.faulty_proxy import HOST, Fault, faulty_proxy
from tests.support.s3_server import S3Server
from tests.support.stored_files import streamed

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(context)
    return context


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


def test_a_server_whose_authority_is_trusted_is_used(
    s3: S3Server, tls: ssl.SSLContext, ca_file: Path
) -> None:
    with (
        faulty_proxy(s3.port, tls=tls) as proxy,
        storage_in(
            s3, s3.shared_bucket(), prefix="tls", endpoint=proxy.endpoint, secure=True,
            ca_file=ca_file,
        ) as storage,
    ):  # fmt: skip
        storage.put([file("a.pdf"), file("b.pdf", b"")])
        storage.put([streamed("c.pdf"), streamed("d.pdf", b"")])

        for name, content in {"a": file("").content, "b": b"", "c": file("").content}.items():
            assert storage.get(f"{name}.pdf") == content
        assert storage.get("d.pdf") == b""
        assert proxy.connections <= 2


def test_a_body_that_the_signature_does_not_cover_is_checked_all_the_same(
    s3: S3Server, tls: ssl.SSLContext, ca_file: Path
) -> None:
    damaged = Fault("damaged request", "PUT", times=100)
    with (
        faulty_proxy(s3.port, damaged, tls=tls) as proxy,
        storage_in(
            s3, s3.shared_bucket(), prefix="tls", endpoint=proxy.endpoint, secure=True,
            ca_file=ca_file,
        ) as storage,
    ):  # fmt: skip
        files: list[AnyFile] = [file("damaged.pdf"), streamed("damaged.pdf")]
        for damaged_file in files:
            with pytest.raises(StorageError, match="BadDigest"):
                storage.put([damaged_file])
        with pytest.raises(NotFound):
            storage.get("damaged.pdf")


def test_a_server_whose_authority_is_not_trusted_is_refused(
    s3: S3Server, tls: ssl.SSLContext
) -> None:
    with (
        faulty_proxy(s3.port, tls=tls) as proxy,
        storage_in(s3, s3.shared_bucket(), endpoint=proxy.endpoint, secure=True) as storage,
    ):
        with pytest.raises(StorageError, match=r"certificate of .* is not trusted .*see ca_file"):
            storage.get("a.pdf")
        assert proxy.connections == 1  # it was not tried again
        assert proxy.seen == []


def test_a_file_without_certificates_is_refused(s3: S3Server, tmp_path: Path) -> None:
    (tmp_path / "empty.pem").touch()
    for name in ("empty.pem", "missing.pem"):
        with (
            pytest.raises(InvalidInput, match="a readable file with certificates in PEM"),
            storage_in(s3, "bucket", secure=True, ca_file=tmp_path / name),
        ):
            pass
