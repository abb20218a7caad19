"""Signing keys: those that no verifier would take are refused by the setting's name."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import ExtendedKeyUsageOID
from pydantic import ValidationError

from testamur.adapters.signing.files import SigningKeyFiles
from testamur.adapters.signing.keys import SigningKey, load_signing_key
from testamur.application.errors import RenderingError
from testamur.domain.errors import InvalidInput
from tests.support.signing import (
    DAY,
    PASSWORD,
    Certified,
    certified,
    ecdsa_key,
    intermediate,
    pem_files,
    pkcs12_file,
    registrar,
)

IN_TOKEN = {"pkcs11_module": "a.so", "token_label": "registry", "key_label": "registrar"}


def loaded(files: SigningKeyFiles) -> SigningKey:
    return load_signing_key("registrar", files)


def refused(files: SigningKeyFiles) -> InvalidInput:
    with pytest.raises(InvalidInput) as refused:
        loaded(files)
    assert PASSWORD not in str(refused.value)
    assert "sesame" not in repr(files)
    return refused.value


@pytest.mark.parametrize("write", [pem_files, pkcs12_file])
@pytest.mark.parametrize("password", [None, PASSWORD])
def test_a_key_is_read_with_its_certificate_and_chain(
    tmp_path: Path, write: Any, password: str | None
) -> None:
    signer = registrar()

    key = loaded(write(tmp_path, signer, password))

    assert isinstance(key.private_key, ec.EllipticCurvePrivateKey)
    assert key.private_key.private_numbers() == signer.private_key.private_numbers()
    assert key.certificate == signer.certificate
    assert key.chain == (intermediate().certificate,)


def test_a_chain_can_stand_in_the_certificates_file_or_beside_a_pkcs12_file(
    tmp_path: Path,
) -> None:
    signer = registrar()
    alone = Certified(signer.private_key, signer.certificate)
    chain = tmp_path / "chain.pem"
    chain.write_bytes(intermediate().pem)
    beside = loaded(pkcs12_file(tmp_path, alone, chain=str(chain)))
    files = pem_files(tmp_path, alone)
    assert files.certificate is not None
    files.certificate.write_bytes(signer.pem + intermediate().pem)

    assert beside.chain == loaded(files).chain == (intermediate().certificate,)


@pytest.mark.parametrize("part", ["private_key", "certificate", "chain"])
def test_a_file_that_is_not_there_is_named(tmp_path: Path, part: str) -> None:
    files = pem_files(tmp_path, registrar())
    missing = tmp_path / "missing.pem"

    problem = refused(files.model_copy(update={part: (missing,) if part == "chain" else missing}))

    assert problem.field == f"signing_keys.registrar.{part}"
    assert problem.value == str(missing)
    assert "No such file" in problem.allowed


@pytest.mark.parametrize("part", ["private_key", "certificate", "pkcs12"])
def test_a_file_of_something_else_is_refused(tmp_path: Path, part: str) -> None:
    write = pkcs12_file if part == "pkcs12" else pem_files
    files = write(tmp_path, registrar(), None)
    path = getattr(files, part)
    path.write_text("the minutes of a meeting")

    problem = refused(files)

    assert (problem.field, problem.value) == (f"signing_keys.registrar.{part}", str(path))


@pytest.mark.parametrize("write", [pem_files, pkcs12_file])
def test_a_wrong_password_is_refused_and_not_told(tmp_path: Path, write: Any) -> None:
    files = write(tmp_path, registrar(), "another password")
    wrong = SigningKeyFiles.model_validate({**files.model_dump(), "password": PASSWORD})

    assert "signing_keys.registrar.password opens" in refused(wrong).allowed


@pytest.mark.parametrize("write", [pem_files, pkcs12_file])
def test_a_password_that_is_left_out_is_asked_for(tmp_path: Path, write: Any) -> None:
    files = write(tmp_path, registrar(), PASSWORD)

    problem = refused(files.model_copy(update={"password": None}))

    assert "signing_keys.registrar.password" in str(problem)


def test_a_password_for_a_key_that_has_none_is_refused_and_not_told(tmp_path: Path) -> None:
    problem = refused(
        pem_files(tmp_path, registrar()).model_copy(
            update={
                "password": pem_files(tmp_path, registrar(), PASSWORD).password,
                "private_key": _unencrypted(tmp_path),
            }
        )
    )

    assert problem.field == "signing_keys.registrar.password"
    assert "not encrypted" in problem.allowed


def test_a_certificate_of_another_key_is_refused(tmp_path: Path) -> None:
    mixed = Certified(ecdsa_key(1), registrar(ecdsa_key(2)).certificate)

    problem = refused(pem_files(tmp_path, mixed))

    assert problem.field == "signing_keys.registrar.certificate"
    assert "the certificate of this private key" in problem.allowed


def test_a_pkcs12_file_without_a_private_key_is_refused(tmp_path: Path) -> None:
    files = pkcs12_file(tmp_path, registrar())
    assert files.pkcs12 is not None
    files.pkcs12.write_bytes(
        pkcs12.serialize_key_and_certificates(
            None, None, None, [registrar().certificate], NoEncryption()
        )
    )

    assert refused(files).field == "signing_keys.registrar.pkcs12"


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        (rsa.generate_private_key(65537, 1024), "RSA, 1024 bits"),
        (ec.generate_private_key(ec.SECP256K1()), "ECDSA, secp256k1"),
        (ed25519.Ed25519PrivateKey.generate(), "Ed25519"),
    ],
)
def test_a_key_that_verifiers_do_not_take_is_refused(tmp_path: Path, key: Any, shown: str) -> None:
    files = pem_files(tmp_path, registrar())
    assert files.private_key is not None
    files.private_key.write_bytes(_pem(key))

    problem = refused(files)

    assert problem.value == shown
    assert "P-256" in problem.allowed


def test_a_certificate_that_is_not_for_signing_is_refused(tmp_path: Path) -> None:
    only_encrypts = registrar(digital_signature=False, content_commitment=False)

    assert (
        "digitalSignature or nonRepudiation" in refused(pem_files(tmp_path, only_encrypts)).allowed
    )


def test_the_certificate_of_an_authority_is_refused(tmp_path: Path) -> None:
    authority = certified(
        "Example", ecdsa_key(), authority=True, digital_signature=False, content_commitment=False
    )

    assert "digitalSignature" in refused(pem_files(tmp_path, authority)).allowed


@pytest.mark.parametrize(
    ("purposes", "named"),
    [
        ([ExtendedKeyUsageOID.SERVER_AUTH], "TLS servers"),
        (
            [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH],
            "TLS servers and TLS clients",
        ),
        ([ExtendedKeyUsageOID.TIME_STAMPING], "time-stamps"),
    ],
)
def test_a_certificate_for_something_else_alone_is_refused(
    tmp_path: Path, purposes: Any, named: str
) -> None:
    problem = refused(pem_files(tmp_path, registrar(purposes=purposes)))

    assert problem.field == "signing_keys.registrar.certificate"
    assert f"for {named} alone" in problem.allowed


@pytest.mark.parametrize(
    "purpose", [ExtendedKeyUsageOID.EMAIL_PROTECTION, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE]
)
def test_a_certificate_for_several_purposes_signs_where_one_of_them_lets_it(
    tmp_path: Path, purpose: Any
) -> None:
    signer = registrar(purposes=[ExtendedKeyUsageOID.CLIENT_AUTH, purpose])

    assert loaded(pem_files(tmp_path, signer)).certificate == signer.certificate


def test_a_key_is_refused_before_and_after_its_certificate_is_valid(tmp_path: Path) -> None:
    key = loaded(pem_files(tmp_path, registrar()))
    now = datetime.now(UTC)

    key.refuse_outdated(now)
    for moment in (now - 2 * DAY, now + 31 * DAY):
        with pytest.raises(RenderingError, match=r"signing_keys.registrar: .* not now") as refused:
            key.refuse_outdated(moment)
        assert refused.value.reason == "signing-key"
    assert key.certificate.not_valid_after_utc - now > timedelta(days=29)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"private_key": "key.pem"},
        {"certificate": "cert.pem"},
        {"pkcs12": "a.p12", "private_key": "key.pem", "certificate": "cert.pem"},
        {"pkcs12": "a.p12", "certificate": "cert.pem"},
        {"pkcs12": "a.p12", "pkcs11_pin": "sesame"},
        {"pkcs11_module": "a.so", "token_label": "registry"},
        {"pkcs11_module": "a.so", "key_label": "registrar"},
        {"token_label": "registry", "key_label": "registrar"},
        {**IN_TOKEN, "private_key": "key.pem"},
        {**IN_TOKEN, "password": "sesame"},
    ],
)
def test_a_key_has_exactly_one_of_its_three_forms(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="pkcs12, or private_key together with certificate"):
        SigningKeyFiles.model_validate(given)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"certificate_label": "seal"},
        {"certificate": "cert.pem", "chain": "ca.pem"},
        {"pkcs11_pin": "sesame"},
        {"pkcs11_pin_file": "pin"},
    ],
)
def test_a_key_in_a_token_has_its_certificate_there_or_in_a_file(given: dict[str, str]) -> None:
    files = SigningKeyFiles.model_validate({**IN_TOKEN, **given})

    assert files.key_label == "registrar"
    assert "sesame" not in repr(files)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"timestamp_url": "tsa.example.org"}, "begins with https"),
        ({"timestamp_url": "ftp://tsa.example.org"}, "begins with https"),
        ({"timestamp_url": "http://[tsa"}, "begins with https"),
        ({"timestamp_url": "https://me:sesame@tsa.example.org"}, "timestamp_username"),
        ({"timestamp_username": "me"}, "both or neither"),
        ({"timestamp_username": "me", "timestamp_password": "sesame"}, "timestamp_url beside"),
        ({"pkcs12": ""}, "a path"),
        ({**IN_TOKEN, "pkcs11_module": ""}, "a path"),
        ({**IN_TOKEN, "token_label": ""}, "a name"),
        ({**IN_TOKEN, "key_label": "registrar\n"}, "a name"),
        ({**IN_TOKEN, "pkcs11_pin": "sesame", "pkcs11_pin_file": "pin"}, "not both"),
        ({**IN_TOKEN, "certificate": "cert.pem", "certificate_label": "seal"}, "not both"),
    ],
)
def test_what_cannot_be_meant_is_refused_without_a_password(
    given: dict[str, str], message: str
) -> None:
    form = {} if "pkcs11_module" in given else {"pkcs12": "a.p12"}

    with pytest.raises(ValidationError, match=message) as refused:
        SigningKeyFiles.model_validate({**form, **given})
    assert "sesame" not in str(refused.value)


def _unencrypted(folder: Path) -> Path:
    file = folder / "plain.pem"
    file.write_bytes(_pem(registrar().private_key))
    return file


def _pem(key: Any) -> bytes:
    content: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return content
