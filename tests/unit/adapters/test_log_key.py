"""The log's private key: made once, read by whoever comes after, replaced as a whole."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed448
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from testamur.adapters.log_key import GivenLogKey, LogKeyFile, log_key_of
from testamur.domain.errors import DecisionRefused, InvalidInput


def a_pem() -> str:
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def test_a_key_is_made_when_it_is_first_needed_and_only_its_owner_can_read_it(
    tmp_path: Path,
) -> None:
    file = tmp_path / "new" / "log-key.pem"
    signer = LogKeyFile(file)
    assert signer.public_key() is None
    assert not file.exists()

    made = signer.key()

    assert file.stat().st_mode & 0o777 == 0o600
    assert LogKeyFile(file).key().public_key == made.public_key == signer.public_key()
    assert [each.name for each in file.parent.iterdir()] == ["log-key.pem"]


def test_many_who_need_it_at_once_get_the_same(tmp_path: Path) -> None:
    file = tmp_path / "log-key.pem"

    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: LogKeyFile(file).key().public_key, range(16)))

    assert len(set(keys)) == 1


def test_what_it_signed_is_its_own_and_nobody_elses(tmp_path: Path) -> None:
    signer, other = LogKeyFile(tmp_path / "a.pem"), LogKeyFile(tmp_path / "b.pem")
    key = signer.key()
    signature = key.sign(b"message")

    assert other.is_signed(b"message", signature, key.public_key)
    assert not other.is_signed(b"another", signature, key.public_key)
    assert not other.is_signed(b"message", signature, other.key().public_key)
    assert not other.is_signed(b"message", signature[:-1], key.public_key)
    assert not other.is_signed(b"message", signature, b"too short")


def test_the_next_key_waits_until_it_is_used(tmp_path: Path) -> None:
    signer = LogKeyFile(tmp_path / "log-key.pem")
    first = signer.key().public_key

    following = signer.prepare_next().public_key

    assert signer.prepare_next().public_key == following != first
    assert signer.key().public_key == first
    signer.use_next()
    assert signer.key().public_key == following
    assert [each.name for each in tmp_path.iterdir()] == ["log-key.pem"]


def test_the_setting_is_a_key_or_the_path_of_one(tmp_path: Path) -> None:
    pem = a_pem()
    file = tmp_path / "elsewhere.pem"
    file.write_text(pem)

    given = log_key_of("\n" + pem, tmp_path / "default.pem")
    in_file = log_key_of(str(file), tmp_path / "default.pem")

    assert given.public_key() == in_file.public_key()
    assert log_key_of(None, file).public_key() == given.public_key()


def test_a_key_in_the_settings_cannot_be_replaced_there() -> None:
    with pytest.raises(DecisionRefused, match="--next FILE"):
        GivenLogKey(a_pem()).prepare_next()


@pytest.mark.parametrize("kind", ["text", "another kind", "encrypted"])
def test_what_is_no_such_key_is_refused_and_not_shown(tmp_path: Path, kind: str) -> None:
    pem = {
        "text": b"-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n",
        "another kind": ed448.Ed448PrivateKey.generate().private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        ),
        "encrypted": Ed25519PrivateKey.generate().private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"password")
        ),
    }[kind]
    file = tmp_path / "log-key.pem"
    file.write_bytes(pem)

    with pytest.raises(InvalidInput, match="openssl genpkey -algorithm ed25519") as refusal:
        LogKeyFile(file).key()
    with pytest.raises(InvalidInput) as other:
        log_key_of(pem.decode(), file)

    body = pem.decode().splitlines()[1]
    assert body not in str(refusal.value)
    assert body not in str(other.value)
