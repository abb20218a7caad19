"""A whole installation whose documents and assets are in a bucket."""

from pathlib import Path

import pytest
import urllib3

from testamur import CredentialFilter, Settings, Testamur
from testamur.application.errors import DocumentWithdrawn, StorageError
from testamur.domain.credentials import CredentialStatus, IssuanceFailed
from testamur.domain.errors import InvalidInput, NotFound
from testamur.domain.identifiers import LearnerId
from testamur.entrypoints.doctor import Finding, examine
from testamur.entrypoints.settings import LoadedSettings
from tests.support.faulty_proxy import Fault, faulty_proxy
from tests.support.installation import configure_completion, settings_in, write_course
from tests.support.pdf import text_of
from tests.support.program import Program
from tests.support.records import COURSE
from tests.support.s3_server import SECRET_KEY, S3Server

pytestmark = [pytest.mark.e2e, pytest.mark.integration]

NAMES = ("Zuzanna Żółkiewska", "Bartholomew Featherstone", "Иван Петров")


@pytest.fixture
def bucket(s3: S3Server) -> str:
    return s3.fresh_bucket()


@pytest.fixture
def settings(s3: S3Server, bucket: str, tmp_path: Path) -> Settings:
    return Settings(
        data_folder=tmp_path / "data",
        source_folder=write_course(tmp_path / "source", eligible=NAMES),
        storage="s3",
        storage_options=s3.options(bucket),
    )


def objects(server: S3Server, bucket: str, prefix: str = "") -> set[str]:
    return {
        each.object_name or ""
        for each in server.client.list_objects(bucket, prefix, recursive=True)
    }


def issue_all(testamur: Testamur) -> None:
    outcome = testamur.run(configure_completion(testamur))
    assert outcome.credentials.by_status == {CredentialStatus.ISSUED: len(NAMES)}


def test_a_run_issues_into_the_bucket_and_everybody_is_told(
    settings: Settings, s3: S3Server, bucket: str
) -> None:
    with Testamur.open(settings) as testamur:
        issue_all(testamur)
        rows = list(testamur.credentials())

        for row in rows:
            person = testamur.credential(row.credential_id).awarded.person
            assert person is not None
            assert person.full_name in text_of(testamur.document(row.credential_id))
        locations = {testamur.document_location(row.credential_id) for row in rows}

    names = objects(s3, bucket, "credentials/")
    assert locations == {f"s3://{bucket}/{name}" for name in names}
    assert len(objects(s3, bucket, "assets/")) == 2
    assert not settings.files_folder.exists()


def test_a_download_link_is_given_for_either_id(settings: Settings) -> None:
    with Testamur.open(settings) as testamur:
        issue_all(testamur)
        row = next(testamur.credentials())
        document = testamur.document(row.credential_id)
        for reference in (str(row.credential_id), row.verification_id):
            answer = urllib3.request("GET", testamur.download_url(reference))
            assert (answer.status, answer.data) == (200, document)
            assert answer.headers["Content-Disposition"] == (
                'attachment; filename="certificate.pdf"'
            )
        named = testamur.download_url(row.verification_id, filename="Diplom über alles.pdf")
        header = urllib3.request("GET", named).headers["Content-Disposition"]
        assert "filename*=UTF-8''Diplom%20%C3%BCber%20alles.pdf" in header
        with pytest.raises(InvalidInput, match="seven days"):
            testamur.download_url(row.verification_id, seconds=10**6)
        with pytest.raises(NotFound):
            testamur.download_url("nothing")


def test_a_storage_without_links_says_so(tmp_path: Path) -> None:
    write_course(tmp_path / "source", eligible=NAMES)
    with Testamur.open(settings_in(tmp_path)) as testamur:
        issue_all(testamur)
        row = next(testamur.credentials())
        with pytest.raises(StorageError, match=r"gives no links, as s3 does; read .*\.pdf"):
            testamur.download_url(row.verification_id)


def test_an_erasure_takes_the_document_out_of_the_bucket(
    settings: Settings, s3: S3Server, bucket: str
) -> None:
    with Testamur.open(settings) as testamur:
        issue_all(testamur)
        learner = LearnerId("learner-0")
        (row,) = testamur.credentials(CredentialFilter(learner_id=learner))
        before = objects(s3, bucket)

        gone = testamur.erase_learner(learner, "asked for by letter")

        assert gone.files == 1
        assert before - objects(s3, bucket) == {
            f"credentials/{row.credential_id.hex[:2]}/{row.credential_id}.pdf"
        }
        with pytest.raises(NotFound):
            testamur.document(row.credential_id)


def test_what_the_bucket_refuses_is_recorded_on_the_credential(
    settings: Settings, s3: S3Server
) -> None:
    refused = b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>"
    fault = Fault("status", "PUT", "/credentials/", times=1000, status=403, body=refused)
    with faulty_proxy(s3.port, fault) as proxy:
        options = {**settings.storage_options, "endpoint": proxy.endpoint}
        through_proxy = settings.model_copy(update={"storage_options": options})
        with Testamur.open(through_proxy) as testamur:
            outcome = testamur.run(configure_completion(testamur))
            assert outcome.credentials.by_status == {CredentialStatus.AWARDED: len(NAMES)}
            for row in testamur.credentials():
                failed = testamur.history(row.credential_id)[-1].event
                assert isinstance(failed, IssuanceFailed)
                assert failed.reason == "storage"
                assert "the access key may not do this" in str(failed.detail)


def storage_finding(settings: Settings) -> Finding:
    findings = examine(lambda: LoadedSettings(settings, {}))
    return next(finding for finding in findings if finding.subject == "storage")


def test_the_doctor_tries_the_bucket(settings: Settings, bucket: str) -> None:
    found = storage_finding(settings)
    assert found.ok
    assert found.found.startswith(f"s3: bucket {bucket} at 127.0.0.1:")

    wrong = {**settings.storage_options, "secret_key": "wrong"}
    found = storage_finding(settings.model_copy(update={"storage_options": wrong}))
    assert not found.ok
    assert "the secret key is not that of the access key" in found.found


def test_the_command_line_gives_a_link_and_shows_no_secret(
    s3: S3Server,
    bucket: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    testamur = Program(tmp_path, monkeypatch, capsys)
    testamur.write_course(eligible=NAMES[:1])
    options = s3.options(bucket)
    monkeypatch.setenv("TESTAMUR_STORAGE", "s3")
    for name, value in options.items():
        monkeypatch.setenv(f"TESTAMUR_STORAGE_OPTIONS__{name.upper()}", str(value))
    testamur.configure()
    testamur.succeeds("run", "completion", COURSE)
    (row,) = testamur.succeeds("credential", "list", "--json").documents

    address = testamur.succeeds("credential", "url", row["verification_id"]).out.strip()
    assert urllib3.request("GET", address).data.startswith(b"%PDF")
    told = testamur.json("credential", "url", row["credential_id"], "--seconds", "60")
    assert "X-Amz-Expires=60&" in told["url"]
    refused = testamur("credential", "url", row["credential_id"], "--seconds", "9999999")
    assert (refused.code, "seven days" in refused.err) == (2, True)

    shown = testamur.succeeds("settings").out
    assert bucket in shown
    assert SECRET_KEY not in shown
    assert "presigned_seconds" in testamur.succeeds("plugins", "s3").out


def test_a_revoked_document_leaves_its_address_and_is_kept_in_the_archive(
    settings: Settings, s3: S3Server, bucket: str
) -> None:
    with Testamur.open(settings) as testamur:
        issue_all(testamur)
        first, *others = list(testamur.credentials())
        content = testamur.document(first.credential_id)
        shared_before = testamur.download_url(str(first.credential_id))

        done = testamur.revoke(first.credential_id, "a slip of the pen")

        assert (done.revoked, done.withdrawal.withdrawn) == (1, 1)
        assert urllib3.request("GET", shared_before).status == 404
        public = {name for name in objects(s3, bucket) if name.startswith("credentials/")}
        assert len(public) == len(others)
        assert not any(str(first.credential_id) in name for name in public)
        with pytest.raises(DocumentWithdrawn, match=r"s3://.*\.archive/credentials"):
            testamur.download_url(str(first.credential_id))
        assert testamur.document(first.credential_id, archived=True) == content


def test_what_the_server_refused_to_move_is_put_away_by_the_next_tick(
    settings: Settings, s3: S3Server, bucket: str
) -> None:
    refused = b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>"
    # Once with the batch, and once alone.
    fault = Fault("status", "PUT", "/.archive/", times=2, status=403, body=refused)
    with faulty_proxy(s3.port, fault) as proxy:
        options = {**settings.storage_options, "endpoint": proxy.endpoint}
        with Testamur.open(settings.model_copy(update={"storage_options": options})) as testamur:
            issue_all(testamur)
            first, *_ = list(testamur.credentials())

            done = testamur.revoke(first.credential_id, "a slip of the pen")

            assert (done.revoked, done.withdrawal.waiting) == (1, 1)
            assert "the access key may not do this" in done.withdrawal.failures[0]
            assert testamur.verify(first.credential_id).status == "revoked"
            assert testamur.tick().withdrawn.withdrawn == 1
            assert testamur.withdrawals_pending() == 0
    public = objects(s3, bucket, "credentials/")
    assert not any(str(first.credential_id) in name for name in public)
