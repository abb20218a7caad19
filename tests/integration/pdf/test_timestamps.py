"""Time-stamps come from an authority over HTTP; a document that lacks one is issued later."""

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from asn1crypto import core, tsp
from pydantic import JsonValue

from testamur import ConfigurationId, CredentialStatus, Settings, Testamur
from testamur.adapters.pdf import PdfRenderer, PreparedPdf
from testamur.adapters.pdf.finishing_options import SignatureOptions
from testamur.adapters.pdf.signing import Signature
from testamur.adapters.signing.files import SigningKeyFiles
from testamur.adapters.signing.keys import load_signing_key
from testamur.adapters.signing.timestamps import TimestampAuthority
from testamur.adapters.system import SystemClock
from testamur.application.errors import RenderingError
from testamur.domain.credentials import IssuanceFailed
from tests.support.installation import completion_type, settings_in, write_course
from tests.support.pdf import a_document, font_file, prepared, template
from tests.support.records import COURSE
from tests.support.scripted_server import Asked, Script, Told, html, in_turn, scripted_server
from tests.support.signing import pem_files, registrar, stamps, time_stamping, verified

ANSWER = "application/timestamp-reply"


def stamping(files: SigningKeyFiles) -> PreparedPdf:
    """Return a prepared renderer that signs, with time-stamps."""
    renderer = PdfRenderer(signing_keys={"registrar": files})
    return prepared(renderer=renderer, signature={"key": "registrar", "timestamp": True})


class WithoutTimeStamp(core.Sequence):  # type: ignore[misc] # asn1crypto has no types
    """An answer as authorities give it that refuse."""

    _fields: ClassVar[list[Any]] = [("status", tsp.PKIStatusInfo)]


def answered(response: core.Sequence) -> Told:
    return Told(response.dump(), content_type=ANSWER)


def test_a_time_stamp_confirms_when_a_document_was_signed(tmp_path: Path) -> None:
    with scripted_server(stamps) as server:
        ready = stamping(pem_files(tmp_path, registrar(), timestamp_url=server.url))
        assert server.asked == []
        files = [ready.render(a_document()).content for _ in range(2)]

    for file in files:
        verdict = verified(file)
        assert verdict.bottom_line
        assert verdict.timestamp_validity is not None
        assert verdict.timestamp_validity.trusted
        stamped = verdict.timestamp_validity.timestamp
        assert abs(stamped - datetime.now(UTC)) < timedelta(minutes=1)
    assert [asked.method for asked in server.asked] == ["POST", "POST"]


def test_room_is_made_for_a_time_stamp_of_any_size(tmp_path: Path) -> None:
    def with_a_long_chain(asked: Asked) -> Told:
        authority = time_stamping()
        authority.certs_to_embed += [registrar().asn1 for _ in range(20)]
        return answered(authority.request_tsa_response(tsp.TimeStampReq.load(asked.body)))

    with scripted_server(with_a_long_chain) as server:
        ready = stamping(pem_files(tmp_path, registrar(), timestamp_url=server.url))
        files = [ready.render(a_document()).content for _ in range(3)]

    assert all(verified(file).bottom_line for file in files)
    assert len(server.asked) == 4, "the first one is asked for again, since it was too big"


def test_an_authority_is_told_the_login_that_it_asks_for(tmp_path: Path) -> None:
    with scripted_server(stamps) as server:
        login = {"timestamp_username": "registrar", "timestamp_password": "open sesame"}
        files = pem_files(tmp_path, registrar(), timestamp_url=server.url, **login)
        stamping(files).render(a_document())
        stamping(pem_files(tmp_path, registrar(), timestamp_url=server.url)).render(a_document())

    with_login, without = [asked.headers.get("authorization") for asked in server.asked]
    assert with_login == f"Basic {base64.b64encode(b'registrar:open sesame').decode()}"
    assert without is None


def of_another_request(asked: Asked) -> Told:
    other = tsp.TimeStampReq.load(asked.body)
    imprint = {**other["message_imprint"].native, "hashed_message": bytes(32)}
    return answered(time_stamping().request_tsa_response(_changed(other, message_imprint=imprint)))


def of_an_earlier_time(asked: Asked) -> Told:
    request = tsp.TimeStampReq.load(asked.body)
    return answered(time_stamping().request_tsa_response(_changed(request, nonce=1)))


def refusing(_: Asked) -> Told:
    status = {"status": "rejection", "status_string": ["too many"], "fail_info": {"bad_request"}}
    return answered(WithoutTimeStamp({"status": status}))


def _changed(request: tsp.TimeStampReq, **values: object) -> tsp.TimeStampReq:
    return tsp.TimeStampReq({**request.native, **values})


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (lambda _: html(503), "it answered 503 Service Unavailable"),
        (lambda _: html(), "its answer is no time-stamp"),
        (lambda _: Told(b"", content_type=ANSWER), "its answer is no time-stamp"),
        (lambda _: answered(WithoutTimeStamp({"status": {"status": "granted"}})), "no time-stamp"),
        (lambda _: Told(hang_up=True), "it cannot be reached"),
        (refusing, "it refused: too many; bad_request"),
        (of_another_request, "its time-stamp is for something else"),
        (of_an_earlier_time, "its time-stamp answers another request"),
    ],
)
def test_an_answer_that_is_no_time_stamp_for_this_is_refused(
    tmp_path: Path, script: Script, message: str
) -> None:
    with scripted_server(script) as server:
        ready = stamping(pem_files(tmp_path, registrar(), timestamp_url=server.url))
        with pytest.raises(RenderingError) as refused:
            ready.render(a_document())

    assert refused.value.reason == "time-stamp"
    assert str(refused.value).startswith(f"no time-stamp from {server.url}: ")
    assert message in str(refused.value)


def test_an_authority_that_is_silent_holds_up_one_document_and_not_those_after_it(
    tmp_path: Path,
) -> None:
    key = load_signing_key("registrar", pem_files(tmp_path, registrar()))
    plain = prepared().render(a_document()).content
    with scripted_server(lambda _: Told(delay=1.0)) as server:
        authority = TimestampAuthority(server.url, timeout_seconds=0.2)
        signature = Signature(SignatureOptions(key="registrar"), key, authority)
        with pytest.raises(RenderingError, match=r"no answer within 0\.2 seconds"):
            signature.finish(plain)
        with pytest.raises(RenderingError, match="did not answer in time a moment ago"):
            signature.finish(plain)

        assert len(server.asked) == 1


def test_a_document_that_lacks_a_time_stamp_is_issued_once_the_authority_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_course(tmp_path / "source", eligible=["Ada Lovelace"])
    with scripted_server(in_turn(html(503))) as server:
        files = pem_files(tmp_path, registrar(), timestamp_url=server.url)
        with Testamur.open(settings_with(tmp_path, files)) as testamur:
            testamur.run(configured(testamur))
            (row,) = testamur.credentials()
            failure = testamur.history(row.credential_id)[-1].event
    assert row.status is CredentialStatus.AWARDED
    assert isinstance(failure, IssuanceFailed)
    assert failure.reason == "time-stamp"

    later = datetime.now(UTC) + timedelta(minutes=2)
    monkeypatch.setattr(SystemClock, "now", lambda _: later)
    with scripted_server(stamps) as server:
        files = pem_files(tmp_path, registrar(), timestamp_url=server.url)
        with Testamur.open(settings_with(tmp_path, files)) as testamur:
            testamur.tick()
            (row,) = testamur.credentials()
            document = testamur.document(row.credential_id)
    assert row.status is CredentialStatus.ISSUED
    verdict = verified(document)
    assert verdict.bottom_line
    assert verdict.timestamp_validity is not None


def settings_with(folder: Path, files: SigningKeyFiles) -> Settings:
    """Return settings of an installation that has the key."""
    return settings_in(folder).model_copy(update={"signing_keys": {"registrar": files}})


def configured(testamur: Testamur) -> ConfigurationId:
    """Put a type to use whose certificates are signed, with time-stamps."""
    rendering: dict[str, JsonValue] = {
        "template": "blank",
        "fonts": ["noto-sans"],
        "signature": {"key": "registrar", "timestamp": True},
    }
    testamur.add_asset("blank", template())
    testamur.add_asset("noto-sans", font_file("noto-sans"))
    testamur.define_type(
        "completion",
        completion_type().model_copy(update={"options": {"rendering": rendering}}),
    )
    return testamur.create_configuration("completion", COURSE)
