"""A revocation killed anywhere on its way, or made while the same credentials are issued."""

import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from testamur import CredentialFilter, CredentialStatus, DecisionRefused, Settings, Testamur
from testamur.domain.credentials import CredentialIssued, CredentialRevoked, DocumentsWithdrawn
from testamur.entrypoints.setting_values import PostgresUrl
from tests.support.crashing import revoke, work_in_a_process
from tests.support.installation import configure_completion, settings_in, write_course
from tests.support.postgres_server import PostgresServer

pytestmark = pytest.mark.e2e


def _installation(folder: Path, learners: int) -> Settings:
    """Return an installation in which a run has issued so many credentials."""
    write_course(folder / "source", eligible=[f"Ann Example {each}" for each in range(learners)])
    settings = settings_in(folder)
    with Testamur.open(settings) as testamur:
        testamur.run(configure_completion(testamur))
    return settings


def _public(settings: Settings) -> set[str]:
    return {path.stem for path in settings.files_folder.glob("credentials/*/*.pdf")}


def _archived(settings: Settings) -> set[str]:
    return {path.stem for path in settings.files_folder.glob(".archive/credentials/*/*.pdf")}


def _assert_all_is_done(settings: Settings, learners: int) -> None:
    assert _public(settings) == set()
    with Testamur.open(settings) as testamur:
        rows = list(testamur.credentials())
        assert Counter(row.status for row in rows) == {CredentialStatus.REVOKED: learners}
        assert testamur.withdrawals_pending() == 0
        assert _archived(settings) == {str(row.credential_id) for row in rows}
        for row in rows:
            happened = Counter(type(each.event) for each in testamur.history(row.credential_id))
            assert (happened[CredentialRevoked], happened[DocumentsWithdrawn]) == (1, 1)
            assert testamur.document(row.credential_id, archived=True).startswith(b"%PDF")


def test_killed_at_any_point_a_revocation_is_finished(tmp_path: Path) -> None:
    whole = work_in_a_process(_installation(tmp_path / "whole", learners=3), do=revoke)
    assert whole is not None
    revoked = whole.index(("append", "CredentialRevoked"))
    withdrawn = whole.index(("append", "DocumentsWithdrawn"))
    moved = [at for at, (action, _) in enumerate(whole) if action == "rename"]
    assert len(moved) == 3
    # Recorded first, then the files, then that it is done.
    assert revoked < min(moved) <= max(moved) < withdrawn

    def killed_and_resumed(kill_at: int) -> None:
        settings = _installation(tmp_path / str(kill_at), learners=3)
        assert work_in_a_process(settings, kill_at=kill_at, do=revoke) is None, whole[kill_at - 1]
        assert work_in_a_process(settings, do=revoke) is not None
        _assert_all_is_done(settings, learners=3)

    with ThreadPoolExecutor(2) as pool:
        points = range(revoked + 1, withdrawn + 2)
        for done in [pool.submit(killed_and_resumed, at) for at in points]:
            done.result()


def test_killed_between_record_and_archive_the_tick_alone_finishes_it(tmp_path: Path) -> None:
    settings = _installation(tmp_path, learners=3)
    whole = work_in_a_process(_installation(tmp_path / "whole", learners=3), do=revoke)
    assert whole is not None
    killed = whole.index(("append", "CredentialRevoked")) + 1
    assert work_in_a_process(settings, kill_at=killed, do=revoke) is None
    assert len(_public(settings)) == 3
    with Testamur.open(settings) as testamur:
        assert testamur.withdrawals_pending() == 3
        assert testamur.tick().withdrawn.withdrawn == 3
    _assert_all_is_done(settings, learners=3)


@pytest.mark.parametrize(
    "kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.integration)]
)
def test_what_is_revoked_while_it_is_issued_has_no_public_document(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    learners = 120
    write_course(tmp_path / "source", eligible=[f"Ann Example {each}" for each in range(learners)])
    settings = settings_in(tmp_path)
    if kind == "postgres":
        server: PostgresServer = request.getfixturevalue("postgres")
        settings = settings.model_copy(update={"database": PostgresUrl(server.fresh_database())})
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")  # noqa: T201 - pytest shows it when the test fails
    chance = random.Random(seed)
    with Testamur.open(settings) as testamur:
        configuration = configure_completion(testamur)
        issued = threading.Event()

        def revoke_some() -> None:
            while not issued.is_set():
                for row in testamur.credentials():
                    is_living = row.status in (CredentialStatus.AWARDED, CredentialStatus.ISSUED)
                    if is_living and chance.random() < 0.05:
                        with suppress(DecisionRefused):
                            testamur.revoke(row.credential_id, "a slip")

        with ThreadPoolExecutor(1) as pool:
            revoking = pool.submit(revoke_some)
            try:
                testamur.run(configuration)
            finally:
                issued.set()
            revoking.result()
        testamur.tick()
        rows = {str(row.credential_id): row for row in testamur.credentials()}
        revoked = {id_ for id_, row in rows.items() if row.status is CredentialStatus.REVOKED}
        assert 0 < len(revoked) < learners
        assert testamur.tally(CredentialFilter()).by_status.keys() <= {
            CredentialStatus.REVOKED,
            CredentialStatus.ISSUED,
        }
        assert testamur.withdrawals_pending() == 0
        assert _public(settings) == rows.keys() - revoked
        was_issued = {
            id_
            for id_ in revoked
            if any(
                isinstance(each.event, CredentialIssued)
                for each in testamur.history(rows[id_].credential_id)
            )
        }
        assert _archived(settings) == was_issued
