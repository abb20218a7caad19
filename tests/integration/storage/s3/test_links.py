"""Links to files in a bucket, as a browser follows them."""

import time
from urllib.parse import parse_qs, urlsplit

import pytest
import urllib3

from testamur.application.ports.storage import LinkingStorage
from testamur.domain.errors import InvalidInput
from tests.support.buckets import file, storage_in
from tests.support.s3_server import S3Server

pytestmark = pytest.mark.integration


def test_the_bucket_is_private_and_a_link_opens_one_file(s3: S3Server) -> None:
    bucket = s3.shared_bucket()
    with storage_in(s3, bucket, prefix="links") as storage:
        assert isinstance(storage, LinkingStorage)
        storage.put([file("1a/1.pdf"), file("1a/2.pdf")])
        link = storage.link("1a/1.pdf", "Świadectwo Zażółć.pdf")

    assert urllib3.request("GET", link.partition("?")[0]).status == 403
    answer = urllib3.request("GET", link)
    assert (answer.status, answer.data) == (200, file("").content)
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"] == (
        'attachment; filename="Swiadectwo Zazoc.pdf"; '
        "filename*=UTF-8''%C5%9Awiadectwo%20Za%C5%BC%C3%B3%C5%82%C4%87.pdf"
    )
    assert urllib3.request("GET", link.replace("1.pdf", "2.pdf", 1)).status == 403


def test_each_link_is_fresh_and_holds_as_long_as_it_is_set(s3: S3Server) -> None:
    def seconds(link: str) -> str:
        return parse_qs(urlsplit(link).query)["X-Amz-Expires"][0]

    with storage_in(s3, s3.shared_bucket(), prefix="links", presigned_seconds=1) as storage:
        storage.put([file("a.pdf")])
        link = storage.link("a.pdf", "a.pdf")
        assert seconds(link) == "1"
        assert seconds(storage.link("a.pdf", "a.pdf", 604_800)) == "604800"
        assert urllib3.request("GET", link).status == 200
        time.sleep(2.1)  # the time of day in it has whole seconds
        assert urllib3.request("GET", link).status == 403
        assert urllib3.request("GET", storage.link("a.pdf", "a.pdf")).status == 200


@pytest.mark.parametrize("seconds", [0, -1, 604_801])
def test_a_link_for_no_time_or_too_long_is_refused(s3: S3Server, seconds: int) -> None:
    with (
        storage_in(s3, s3.shared_bucket()) as storage,
        pytest.raises(InvalidInput, match="1 to 604800"),
    ):
        storage.link("a.pdf", "a.pdf", seconds)


def test_public_files_have_lasting_links_without_a_signature(s3: S3Server) -> None:
    base = "https://files.example.org/certificates/"
    with storage_in(s3, s3.shared_bucket(), prefix="p", public_base_url=base) as storage:
        link = storage.link("credentials/1a/1.pdf", "a.pdf")

    assert link == "https://files.example.org/certificates/credentials/1a/1.pdf"
