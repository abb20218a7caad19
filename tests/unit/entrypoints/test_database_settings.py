"""The settings of the database: a file or PostgreSQL, and the password is never shown."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from testamur.domain.errors import InvalidInput, InvalidOptions
from testamur.entrypoints.database_copies import location_of
from testamur.entrypoints.setting_values import PostgresUrl, without_password
from testamur.entrypoints.settings import Settings, load_settings

URL = "postgresql://clerk:open-sesame@db.example.org:5433/testamur?sslmode=require"


def test_a_path_is_a_file_and_an_address_is_postgresql(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TESTAMUR_DATABASE", "records/testamur.db")
    assert Settings().database_location == Path("records/testamur.db")
    for url in (URL, "postgres://localhost/testamur"):
        monkeypatch.setenv("TESTAMUR_DATABASE", url)
        location = Settings().database_location
        assert isinstance(location, PostgresUrl)
        assert location.reveal() == url


def test_without_a_database_it_is_a_file_in_the_data_folder() -> None:
    assert Settings(data_folder=Path("data")).database_location == Path("data/testamur.db")


@pytest.mark.parametrize("from_file", [True, False])
def test_the_password_of_the_database_is_not_shown(
    from_file: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "testamur.toml"
    file.write_text(f'database = "{URL}"\n' if from_file else "")
    if not from_file:
        monkeypatch.setenv("TESTAMUR_DATABASE", URL)
    loaded = load_settings(file)
    shown = {each.name: each.value for each in loaded.in_force()}
    assert shown["database"] == URL.replace("open-sesame", "***")
    assert "open-sesame" not in f"{loaded.settings!r} {loaded.settings} {loaded}"
    assert "open-sesame" not in loaded.settings.model_dump_json(include={"data_folder"})


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://clerk:open-sesame@host/db",
        "postgresql://:open-sesame@host/db",
        "postgresql://clerk:open-sesame@a,b:5433/db?target_session_attrs=read-write",
        "postgresql://clerk:p@ss/open-sesame@host/db",
        "postgresql://clerk:what?open-sesame@host/db",
        "postgresql://clerk:#open-sesame@host/db",
        "postgresql://clerk@host/db?password=open-sesame",
        "postgresql://clerk@host/db?sslmode=require&PassWord=open-sesame&user=clerk",
        "postgresql://clerk@host/db?%70assword=open-sesame",
        "postgresql://clerk@host/db?sslpassword=open-sesame",
        "postgresql:///db?password=open-sesame@here",
        "mysql://root:open-sesame@host/db",
    ],
)
def test_a_password_is_hidden_wherever_it_stands(address: str) -> None:
    shown = without_password(address)
    assert "open-sesame" not in shown
    assert "***" in shown
    assert shown.startswith(address.partition("://")[0])


@pytest.mark.parametrize("address", ["postgresql://clerk@host:5433/db", "a/b:c@d.db", "x://y"])
def test_what_has_no_password_is_shown_as_it_is(address: str) -> None:
    assert without_password(address) == address


@pytest.mark.parametrize(
    "address", ["mysql://root:open-sesame@host/db", "sqlite:///x.db", "postgres+psycopg://x/y"]
)
def test_another_kind_of_database_is_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TESTAMUR_DATABASE", address)
    with pytest.raises(InvalidOptions) as refused:
        load_settings()
    (problem,) = refused.value.problems
    assert problem.field == "TESTAMUR_DATABASE"
    assert problem.allowed == "the path of an SQLite file, or postgresql://USER@HOST/DATABASE"
    assert "open-sesame" not in str(refused.value)
    with pytest.raises(InvalidInput, match="--to"):
        location_of(address, "--to")


def test_where_a_file_is_needed_postgresql_is_refused_without_its_password() -> None:
    with pytest.raises(InvalidInput, match="an SQLite file here") as refused:
        _ = Settings(database=PostgresUrl(URL)).database_file
    assert "open-sesame" not in str(refused.value)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("database_schema", "Testamur"),
        ("database_schema", "pg_testamur"),
        ("database_schema", "information_schema"),
        ("database_schema", "1st"),
        ("database_schema", 'x"; DROP TABLE runs'),
        ("database_schema", "s" * 64),
        ("database_pool_size", 1),
        ("database_connect_timeout_seconds", 1),
        ("database_lock_timeout_seconds", 0),
        ("database_lock_timeout_seconds", "nan"),
        ("database_reconnect_seconds", -1),
    ],
)
def test_settings_of_the_database_have_limits(setting: str, value: object) -> None:
    with pytest.raises(ValidationError, match=setting):
        Settings.model_validate({setting: value})
