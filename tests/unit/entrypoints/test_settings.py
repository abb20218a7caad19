"""Settings: what is wrong with them is said by name, and a secret is never shown."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from testamur.domain.errors import InvalidOptions
from testamur.entrypoints.library import Testamur
from testamur.entrypoints.settings import Settings, load_settings


def test_a_password_without_a_username_is_refused_and_not_shown() -> None:
    with pytest.raises(ValidationError, match="both or neither") as refused:
        Settings.model_validate({"smtp_password": "open sesame"})
    assert "open sesame" not in str(refused.value)


def test_a_misspelt_password_is_refused_and_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "testamur.toml"
    file.write_text('smtp_pasword = "open sesame"\n')
    monkeypatch.setenv("TESTAMUR_MAIL_SECRET", "swordfish")
    with pytest.raises(InvalidOptions) as refused:
        load_settings(file)
    assert [(each.field, each.value) for each in refused.value.problems] == [
        ("TESTAMUR_MAIL_SECRET", "(hidden)"),
        (f"smtp_pasword in {file}", "(hidden)"),
    ]
    assert "did you mean smtp_password?" in str(refused.value)


def test_opening_with_a_bad_environment_names_the_setting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TESTAMUR_SMTP_PORT", "99999")
    with pytest.raises(InvalidOptions) as refused:
        Testamur.open()
    assert [(each.field, each.value) for each in refused.value.problems] == [
        ("TESTAMUR_SMTP_PORT", "99999")
    ]


def test_a_username_without_a_password_is_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "testamur.toml"
    file.write_text('smtp_username = "certificates"\n')
    with pytest.raises(
        InvalidOptions, match=r"smtp_username and smtp_password: .* both or neither"
    ):
        load_settings(file)
