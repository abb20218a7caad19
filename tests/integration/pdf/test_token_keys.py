"""Keys in tokens (PKCS #11) sign as keys in files do, and what is wrong with them is told once."""

import multiprocessing
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from pkcs11 import TokenFlag

from testamur.adapters.pdf import PdfRenderer, PreparedPdf
from testamur.adapters.signing.files import SigningKeyFiles
from testamur.adapters.signing.keys import load_signing_key
from testamur.adapters.signing.tokens import Token, refuse_risk
from testamur.application.errors import RenderingError
from testamur.domain.errors import InvalidInput
from tests.support.pdf import a_document, prepared
from tests.support.poppler import poppler
from tests.support.signing import (
    DAY,
    certificates_in,
    ecdsa_key,
    intermediate,
    pem_files,
    registrar,
    rsa_key,
    verified,
)
from tests.support.softhsm import PIN, SoftHsm, TokenInHand
from tests.support.vera import Vera

WRONG_PIN = "271828"


def signing(files: SigningKeyFiles) -> PreparedPdf:
    """Return a prepared renderer that signs."""
    renderer = PdfRenderer(signing_keys={"registrar": files})
    return prepared(renderer=renderer, signature={"key": "registrar"})


def refused(files: SigningKeyFiles) -> InvalidInput:
    with pytest.raises(InvalidInput) as refused:
        load_signing_key("registrar", files)
    assert PIN not in str(refused.value)
    assert WRONG_PIN not in str(refused.value)
    return refused.value


@pytest.fixture
def token(hsm: SoftHsm) -> TokenInHand:
    """A token with a key and its certificate."""
    token = hsm.token()
    token.put(registrar())
    return token


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (ecdsa_key, "sha256"),
        (lambda: ec.generate_private_key(ec.SECP384R1()), "sha384"),
        (lambda: ec.generate_private_key(ec.SECP521R1()), "sha512"),
        (rsa_key, "sha256"),
    ],
    ids=["P-256", "P-384", "P-521", "RSA"],
)
def test_a_signature_by_a_token_holds(
    hsm: SoftHsm, key: Callable[[], Any], algorithm: str, tmp_path: Path
) -> None:
    token = hsm.token()
    token.put(registrar(key()))

    signed = signing(token.files()).render(a_document()).content

    verdict = verified(signed)
    assert verdict.intact
    assert verdict.valid
    assert verdict.md_algorithm == algorithm
    assert verdict.signing_cert.subject.native["common_name"] == "Example Registrar"
    file = tmp_path / "certificate.pdf"
    file.write_bytes(signed)
    said = poppler("pdfsig", "-nocert", file)
    assert "Signature Validation: Signature is Valid." in said
    assert "Total document signed" in said


def test_a_document_signed_by_a_token_keeps_to_pdf_a_and_pdf_ua(
    vera: Vera, token: TokenInHand
) -> None:
    signed = signing(token.files()).render(a_document()).content

    assert vera.broken_rules(signed, "2b") == []
    assert vera.broken_rules(signed, "ua1") == []


@pytest.mark.parametrize("beside", ["certificate", "chain"])
def test_the_chain_comes_from_files(token: TokenInHand, tmp_path: Path, beside: str) -> None:
    chain = tmp_path / "chain.pem"
    chain.write_bytes(intermediate().pem)
    certificate = tmp_path / "certificate.pem"
    certificate.write_bytes(registrar().pem + intermediate().pem)
    given = {"chain": chain} if beside == "chain" else {"certificate": certificate}

    signed = signing(token.files(**given)).render(a_document()).content

    assert verified(signed).bottom_line
    assert intermediate().asn1.dump() in certificates_in(signed)


def test_a_certificate_has_a_label_of_its_own(hsm: SoftHsm) -> None:
    token = hsm.token()
    token.put(registrar(), certificate=False)
    token.put(registrar(ecdsa_key(9)), label="other")
    token.put(registrar(), label="seal", key=False)

    key = load_signing_key("registrar", token.files(certificate_label="seal"))

    assert key.certificate.public_key() == registrar().certificate.public_key()


def test_a_pin_may_stand_in_a_file(token: TokenInHand, tmp_path: Path) -> None:
    file = tmp_path / "pin"
    file.write_text(f"{PIN}\n")

    files = token.files(pkcs11_pin=None, pkcs11_pin_file=file)

    assert verified(signing(files).render(a_document()).content).valid


@pytest.mark.parametrize("content", [None, "", "\n", "1\n2\n"])
def test_a_file_without_a_pin_is_refused_by_its_name(
    token: TokenInHand, tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "pin"
    if content is not None:
        file.write_text(content)

    problem = refused(token.files(pkcs11_pin=None, pkcs11_pin_file=file))

    assert (problem.field, problem.value) == ("signing_keys.registrar.pkcs11_pin_file", str(file))


def test_a_key_that_wants_the_pin_each_time_gets_it(hsm: SoftHsm) -> None:
    token = hsm.token()
    token.put(registrar(), always_authenticate=True)
    ready = signing(token.files())

    for _ in range(2):
        assert verified(ready.render(a_document()).content).valid


@pytest.mark.parametrize(
    ("part", "value", "allowed"),
    [
        ("pkcs11_module", "/nowhere/vendor.so", "cannot open shared object file"),
        ("token_label", "attic", "token-"),
        ("key_label", "rector", "there are: registrar"),
        ("certificate_label", "rector", "there are: registrar"),
        ("pkcs11_pin", None, "which asks for one"),
    ],
)
def test_what_is_wrong_is_told_by_its_setting(
    token: TokenInHand, part: str, value: str | None, allowed: str
) -> None:
    problem = refused(token.files(**{part: value}))

    assert (problem.field, problem.value) == (f"signing_keys.registrar.{part}", value)
    assert allowed in problem.allowed


def test_a_library_of_something_else_is_refused(token: TokenInHand, tmp_path: Path) -> None:
    file = tmp_path / "vendor.so"
    file.write_text("the minutes of a meeting")

    assert refused(token.files(pkcs11_module=file)).field.endswith("pkcs11_module")


def test_labels_that_several_have_are_refused(hsm: SoftHsm, token: TokenInHand) -> None:
    twins = [hsm.token("twin") for _ in range(2)]
    token.put(registrar(ecdsa_key(3)))

    assert "one token alone has" in refused(twins[0].files()).allowed
    assert refused(token.files()).field == "signing_keys.registrar.key_label"


def test_a_wrong_pin_is_tried_once(token: TokenInHand) -> None:
    files = token.files(pkcs11_pin=WRONG_PIN)

    problem = refused(files)
    assert problem.field == "signing_keys.registrar.pkcs11_pin"
    assert "tried once" in problem.allowed
    assert token.has_seen_a_wrong_pin()

    token.log_in_and_out()
    assert "tried once" in refused(files).allowed
    assert not token.has_seen_a_wrong_pin()


def test_another_pin_than_that_of_the_open_session_is_refused_untried(token: TokenInHand) -> None:
    load_signing_key("registrar", token.files())

    assert "signing_keys.registrar" in refused(token.files(pkcs11_pin=WRONG_PIN)).allowed
    assert not token.has_seen_a_wrong_pin()


@pytest.mark.parametrize("flag", [TokenFlag.USER_PIN_FINAL_TRY, TokenFlag.USER_PIN_LOCKED])
def test_no_login_is_tried_that_could_lock_a_token(flag: TokenFlag) -> None:
    token = Token("signing_keys.registrar", "/vendor.so", "registry", PIN)

    refuse_risk(token, TokenFlag.TOKEN_INITIALIZED | TokenFlag.USER_PIN_COUNT_LOW)
    with pytest.raises(InvalidInput, match=r"signing_keys\.registrar\.pkcs11_pin: ") as refused:
        refuse_risk(token, TokenFlag.TOKEN_INITIALIZED | flag)
    assert PIN not in str(refused.value)


def test_a_lost_session_is_opened_anew(token: TokenInHand) -> None:
    ready = signing(token.files())
    ready.render(a_document())

    token.lose_sessions()

    assert verified(ready.render(a_document()).content).valid


def test_a_key_that_is_gone_signs_no_more_and_is_told(token: TokenInHand) -> None:
    ready = signing(token.files())

    token.lose_sessions()
    token.empty()

    with pytest.raises(RenderingError, match=r"signing_keys\.registrar\.key_label") as refused:
        ready.render(a_document())
    assert refused.value.reason == "signing-key"


def test_threads_share_a_token(token: TokenInHand) -> None:
    def signed(_: int) -> bytes:
        ready = signing(token.files())
        return [ready.render(a_document()).content for _ in range(5)][-1]

    with ThreadPoolExecutor(4) as threads:
        files = list(threads.map(signed, range(4)))

    assert all(verified(file).valid for file in files)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_child_of_the_process_opens_a_session_of_its_own(token: TokenInHand) -> None:
    ready = signing(token.files())
    forking = multiprocessing.get_context("fork")
    here, there = forking.Pipe()
    child = forking.Process(target=_signs, args=(ready, there))

    child.start()
    assert here.poll(30)
    signed = here.recv()
    child.join(30)

    assert child.exitcode == 0
    assert verified(signed).valid
    assert verified(ready.render(a_document()).content).valid


def _signs(ready: PreparedPdf, answer: Connection) -> None:
    answer.send(ready.render(a_document()).content)


def test_a_certificate_of_another_key_is_refused(token: TokenInHand, tmp_path: Path) -> None:
    for signer in (ecdsa_key(4), rsa_key()):
        other = pem_files(tmp_path, registrar(signer))

        problem = refused(token.files(certificate=other.certificate))

        assert problem.field == "signing_keys.registrar.certificate"
        assert "the certificate of the private key 'registrar'" in problem.allowed


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        (lambda: rsa_key(1024), "RSA, 1024 bits"),
        (lambda: ec.generate_private_key(ec.SECP256K1()), "ECDSA, secp256k1"),
    ],
)
def test_a_key_that_verifiers_do_not_take_is_refused(
    hsm: SoftHsm, key: Callable[[], Any], shown: str
) -> None:
    token = hsm.token()
    token.put(registrar(key()))

    problem = refused(token.files())

    assert (problem.field, problem.value) == ("signing_keys.registrar.key_label", shown)


def test_a_certificate_for_something_else_alone_is_refused(hsm: SoftHsm) -> None:
    token = hsm.token()
    token.put(registrar(purposes=[ExtendedKeyUsageOID.SERVER_AUTH]))

    assert "for TLS servers alone" in refused(token.files()).allowed


def test_a_key_whose_certificate_has_expired_signs_nothing(hsm: SoftHsm) -> None:
    token = hsm.token()
    token.put(registrar(begins=-9 * DAY, ends=-DAY))

    with pytest.raises(RenderingError, match=r"signing_keys\.registrar: .* not now"):
        signing(token.files())


def test_without_the_extra_it_is_told_what_to_install(
    token: TokenInHand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "testamur.adapters.signing.token_keys")
    monkeypatch.setitem(sys.modules, "pkcs11", None)

    with pytest.raises(RenderingError, match=r"testamur\[pkcs11\]") as refused:
        signing(token.files())
    assert refused.value.reason == "missing-extra"
