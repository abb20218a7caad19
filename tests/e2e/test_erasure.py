"""A learner is erased from a whole installation, and is nowhere to be found afterwards."""

import logging
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from testamur import CredentialFilter, Settings, Testamur, back_up_database
from testamur.application.ports.secret_keys import SecretKeys
from testamur.domain.credentials import CredentialStatus
from testamur.domain.identifiers import ConfigurationId, LearnerId
from testamur.entrypoints.container import Wiring
from tests.support.installation import configure_completion, write_course
from tests.support.pdf import text_of
from tests.support.postgres_server import PostgresServer, program, started_postgres
from tests.support.records import COURSE
from tests.support.searching import files_below, found_in
from tests.support.smtp_server import HOST, Mailbox, smtp_server

pytestmark = pytest.mark.e2e

NAMES = ("Zuzanna Żółkiewska-Ångström", "Bartholomew Featherstone", "Иван Петров")
ZUZANNA, OTHERS = LearnerId("learner-0"), NAMES[1:]
PERSONAL = (NAMES[0], "Zuzanna", "Żółkiewska", "learner-0@example.org")
REASON = "asked for by letter, ticket 4711"


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[PostgresServer]:
    """A server whose files are looked through, so that nobody else writes there."""
    with started_postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Return settings of a fresh installation in which all three are eligible."""
    write_course(tmp_path / "source", eligible=NAMES)
    database: str | None = None
    if request.param == "postgres":
        server: PostgresServer = request.getfixturevalue("own_postgres")
        database = server.fresh_database()
    return Settings(
        data_folder=tmp_path / "data",
        source_folder=tmp_path / "source",
        database=database,  # type: ignore[arg-type]
    )


def issue_all(settings: Settings) -> ConfigurationId:
    with Testamur.open(settings) as testamur:
        configuration = configure_completion(testamur)
        outcome = testamur.run(configuration)
    assert outcome.credentials.by_status == {CredentialStatus.ISSUED: 3}
    return configuration


def documents_of(folder: Path) -> str:
    return "".join(text_of(path.read_bytes()) for path in folder.glob("credentials/*/*.pdf"))


def traces_below(folder: Path) -> dict[Path, list[str]]:
    found = {path: found_in(path.read_bytes(), PERSONAL) for path in files_below(folder)}
    return {path: texts for path, texts in found.items() if texts}


def key_of(settings: Settings) -> bytes:
    wiring = Wiring.of(settings)
    try:
        return wiring.resolve(SecretKeys).find([ZUZANNA])[ZUZANNA]
    finally:
        wiring.close()


def test_after_an_erasure_nothing_personal_is_anywhere(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    issue_all(settings)
    # What is looked for is found where it is, so that finding nothing later means something.
    assert NAMES[0] in documents_of(settings.files_folder)
    assert {path.suffix for path in traces_below(settings.data_folder)} == {".eml", ".pdf"}
    key = key_of(settings)

    with Testamur.open(settings, actor="user:registrar") as testamur:
        gone = testamur.erase_learner(ZUZANNA, REASON)
        assert (gone.credentials, gone.files, gone.messages) == (1, 1, 1)
        assert traces_below(settings.data_folder) == {}
        assert NAMES[0] not in documents_of(settings.files_folder)
        for path in files_below(settings.data_folder):
            assert key not in path.read_bytes(), path
        assert found_in(caplog.text.encode(), [*PERSONAL, *OTHERS]) == []

        # The others are still there, and the history is whole.
        for name in OTHERS:
            assert name in documents_of(settings.files_folder)
        rows = list(testamur.credentials(CredentialFilter()))
        states = {row.learner_id: testamur.credential(row.credential_id) for row in rows}
        persons = {id_: state.awarded.person for id_, state in states.items()}
        assert persons.pop(ZUZANNA) is None
        assert {person.full_name for person in persons.values() if person} == set(OTHERS)
        for row in rows:
            assert testamur.history(row.credential_id)[0].version == 1

        # The public is answered, and issuing goes on without awarding it anew.
        erased = next(row for row in rows if row.learner_id == ZUZANNA)
        answer = testamur.verify(erased.verification_id)
        assert (answer.status, answer.full_name) == ("erased", None)
        assert "erased at the learner's request" in answer.sentence
        valid = next(row for row in rows if row.learner_id != ZUZANNA)
        assert testamur.verify(valid.verification_id).full_name in OTHERS
        configuration = testamur.find_configuration("completion", COURSE)
        assert testamur.run(configuration).counts.awarded == 0
        assert traces_below(settings.data_folder) == {}


def test_a_backup_and_a_dump_that_are_made_afterwards_hold_nothing_personal(
    settings: Settings, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    issue_all(settings)
    key = key_of(settings)
    with Testamur.open(settings) as testamur:
        testamur.erase_learner(ZUZANNA, REASON)
    dump = tmp_path / "dump"
    if isinstance(settings.database_location, Path):
        back_up_database(settings, dump)
        content = dump.read_bytes()
    else:
        url = settings.database_location.reveal()
        done = subprocess.run([str(program("pg_dump")), url], capture_output=True, check=True)
        content = done.stdout
    assert b"learner-0" in content
    assert found_in(content, PERSONAL) == []
    assert key not in content
    assert key.hex().encode() not in content


def test_nothing_personal_is_in_the_data_folder_of_postgresql(
    own_postgres: PostgresServer, tmp_path: Path
) -> None:
    write_course(tmp_path / "source", eligible=NAMES)
    url = own_postgres.fresh_database()
    settings = Settings(
        data_folder=tmp_path / "data",
        source_folder=tmp_path / "source",
        database=url,  # type: ignore[arg-type]
    )
    issue_all(settings)
    key = key_of(settings)
    with Testamur.open(settings) as testamur:
        testamur.erase_learner(ZUZANNA, REASON)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
        # Names are in no file at any time, because they are encrypted before they get there.
        assert traces_below(own_postgres._folder) == {}
        # The key can be in the table's free space until it is written over.
        connection.execute("VACUUM (FULL) testamur.learner_keys")
        connection.execute("CHECKPOINT")
    kept = [path for path in files_below(own_postgres._folder / "data") if key in path.read_bytes()]
    # The write-ahead log keeps it until it is recycled; docs/how-to/erase-and-retain.md says so.
    assert {path.parent.name for path in kept} <= {"pg_wal"}


def test_no_log_holds_a_name_or_an_address_whatever_fails(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    write_course(tmp_path / "source", eligible=[*NAMES, "Nobody \N{EGYPTIAN HIEROGLYPH A001}"])
    addresses = [f"learner-{number}@example.org" for number in range(4)]
    mailbox = Mailbox(refusals={addresses[0]: f"550 5.1.1 no such user {addresses[0]}"})
    with smtp_server(tmp_path, mailbox, security="none") as server:
        settings = Settings(
            data_folder=tmp_path / "data",
            source_folder=tmp_path / "source",
            notifier="smtp",
            smtp_host=HOST,
            smtp_port=server.port,
            smtp_security="none",
        )
        with Testamur.open(settings) as testamur:
            configuration = configure_completion(testamur)
            stored = settings.files_folder / "credentials"
            stored.write_text("in the way of the folder")  # so that storage fails
            testamur.run(configuration)
            stored.unlink()
            failed = testamur.tally().failing
            assert failed == 3
            testamur.change_options(
                configuration, {"rendering": {"elements": {"name": {"font": "noto-sans"}}}}
            )
            outcome = testamur.run(configuration)
            assert outcome.counts.already_held == 3
    spoken = caplog.text.encode()
    assert found_in(spoken, [*NAMES, *addresses, "Nobody", "Zuzanna"]) == []
