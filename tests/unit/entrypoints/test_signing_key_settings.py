"""Signing keys in settings: merged from file and environment, and their passwords never shown."""

from pathlib import Path

import pytest

from testamur.domain.errors import InvalidOptions
from testamur.entrypoints.library import Testamur
from testamur.entrypoints.settings import LoadedSettings, Settings, load_settings

KEY = '[signing_keys.registrar]\npkcs12 = "registrar.p12"\n'


def loaded_from(tmp_path: Path, text: str) -> LoadedSettings:
    file = tmp_path / "testamur.toml"
    file.write_text(text)
    return load_settings(file)


def refused(tmp_path: Path, text: str) -> dict[str, str]:
    """Return what is allowed, by the names of the settings that are refused."""
    with pytest.raises(InvalidOptions) as refused:
        loaded_from(tmp_path, text)
    assert "sesame" not in str(refused.value)
    return {
        each.field.removesuffix(f" in {tmp_path / 'testamur.toml'}"): each.allowed
        for each in refused.value.problems
    }


def test_a_key_is_put_together_from_file_and_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TESTAMUR_SIGNING_KEYS__REGISTRAR__PASSWORD", "sesame")
    monkeypatch.setenv("TESTAMUR_SIGNING_KEYS__DEAN__PRIVATE_KEY", "dean.pem")
    monkeypatch.setenv("TESTAMUR_SIGNING_KEYS__DEAN__CERTIFICATE", "dean-certificate.pem")
    monkeypatch.setenv("TESTAMUR_SIGNING_KEYS__DEAN__CHAIN", "chain.pem")

    keys = loaded_from(tmp_path, KEY).settings.signing_keys

    assert set(keys) == {"registrar", "dean"}
    assert keys["registrar"].pkcs12 == Path("registrar.p12")
    assert keys["registrar"].password is not None
    assert keys["registrar"].password.get_secret_value() == "sesame"
    assert keys["dean"].chain == (Path("chain.pem"),)


def test_a_whole_table_can_stand_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TESTAMUR_SIGNING_KEYS", '{"registrar": {"pkcs12": "registrar.p12"}}')

    assert Settings().signing_keys["registrar"].pkcs12 == Path("registrar.p12")


def test_keys_are_shown_part_by_part_with_their_origin_and_passwords_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TESTAMUR_SIGNING_KEYS__REGISTRAR__PASSWORD", "sesame")
    text = (
        f'{KEY}chain = ["one.pem", "two.pem"]\ntimestamp_url = "https://tsa.example.org"\n'
        'timestamp_username = "me"\ntimestamp_password = "open sesame"\n'
    )

    loaded = loaded_from(tmp_path, text)

    file = str(tmp_path / "testamur.toml")
    shown = {each.name: (each.value, each.origin) for each in loaded.in_force()}
    assert {name: told for name, told in shown.items() if name.startswith("signing_keys")} == {
        "signing_keys.registrar.pkcs12": ("registrar.p12", file),
        "signing_keys.registrar.chain": ("one.pem, two.pem", file),
        "signing_keys.registrar.password": ("(hidden)", "environment"),
        "signing_keys.registrar.timestamp_url": ("https://tsa.example.org", file),
        "signing_keys.registrar.timestamp_username": ("me", file),
        "signing_keys.registrar.timestamp_password": ("(hidden)", file),
    }
    assert "sesame" not in repr(loaded.settings)


def test_the_pin_of_a_token_is_never_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TESTAMUR_SIGNING_KEYS__REGISTRAR__PKCS11_PIN", "sesame")
    text = (
        '[signing_keys.registrar]\npkcs11_module = "/usr/lib/vendor.so"\n'
        'token_label = "registry"\nkey_label = "seal 2026"\n'
    )

    loaded = loaded_from(tmp_path, text)

    shown = {each.name: each.value for each in loaded.in_force()}
    assert {name: told for name, told in shown.items() if name.startswith("signing_keys")} == {
        "signing_keys.registrar.pkcs11_module": "/usr/lib/vendor.so",
        "signing_keys.registrar.token_label": "registry",
        "signing_keys.registrar.key_label": "seal 2026",
        "signing_keys.registrar.pkcs11_pin": "(hidden)",
    }
    assert "sesame" not in repr(loaded.settings)


def test_where_there_are_no_keys_that_is_shown(tmp_path: Path) -> None:
    shown = {each.name: each for each in loaded_from(tmp_path, "").in_force()}

    assert (shown["signing_keys"].value, shown["signing_keys"].origin) == ("-", "default")


@pytest.mark.parametrize(
    ("text", "field", "allowed"),
    [
        (f'{KEY}pasword = "sesame"', "signing_keys.registrar.pasword", "no such field"),
        (f'{KEY}certificate = "c.pem"', "signing_keys.registrar", "pkcs12, or private_key"),
        (f'{KEY}timestamp_url = "tsa"', "signing_keys.registrar.timestamp_url", "begins with"),
        (f'{KEY}pkcs11_pin = "sesame"', "signing_keys.registrar", "or pkcs11_module"),
        ('[signing_keys.Registrar]\npkcs12 = "a"', "signing_keys.Registrar.[key]", "small letters"),
        ('signing_keys = "sesame"', "signing_keys", "dictionary"),
        ('signing_keys.registrar = "sesame"', "signing_keys.registrar", "dictionary"),
    ],
)
def test_what_is_wrong_with_a_key_is_said_by_its_name(
    tmp_path: Path, text: str, field: str, allowed: str
) -> None:
    problems = refused(tmp_path, text)

    assert list(problems) == [field]
    assert allowed in problems[field]


def test_what_is_wrong_in_the_environment_is_said_by_its_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TESTAMUR_SIGNING_KEYS__REGISTRAR__PASWORD", "sesame")

    with pytest.raises(InvalidOptions, match=r"signing_keys\.registrar\.pasword: ") as refused:
        Testamur.open()
    assert "sesame" not in str(refused.value)
    assert "None" not in str(refused.value)
