"""A reissue killed anywhere on its way: nobody is without a credential, and nobody has two."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest

from testamur import CredentialStatus, Settings, Testamur
from tests.support.crashing import reissue, work_in_a_process
from tests.support.installation import (
    completion_type,
    configure_completion,
    settings_in,
    write_course,
)

pytestmark = pytest.mark.e2e

LEARNERS = 3


def _installation(folder: Path) -> Settings:
    """Return an installation that has issued credentials, and whose type was corrected since."""
    write_course(folder / "source", eligible=[f"Ann Example {each}" for each in range(LEARNERS)])
    settings = settings_in(folder)
    with Testamur.open(settings) as testamur:
        testamur.run(configure_completion(testamur))
        testamur.revise_type("completion", completion_type().model_copy(update={"name": "Diploma"}))
    return settings


def _assert_each_has_one_that_holds(settings: Settings) -> None:
    with Testamur.open(settings) as testamur:
        living = [row for row in testamur.credentials() if row.status is CredentialStatus.ISSUED]
        assert sorted(row.learner_id for row in living) == [f"learner-{n}" for n in range(LEARNERS)]
        for row in living:
            (artifact,) = testamur.credential(row.credential_id).artifacts
            content = testamur.document(row.credential_id)
            assert sha256(content).hexdigest() == artifact.sha256
            assert testamur.verify(row.verification_id).holds


def _assert_all_is_done(settings: Settings) -> None:
    _assert_each_has_one_that_holds(settings)
    with Testamur.open(settings) as testamur:
        rows = list(testamur.credentials())
        assert Counter((row.edition, str(row.status)) for row in rows) == {
            (1, "superseded"): LEARNERS,
            (2, "issued"): LEARNERS,
        }
        assert testamur.withdrawals_pending() == 0
        old = {str(row.credential_id) for row in rows if row.edition == 1}
        for row in rows:
            if row.edition == 2:
                assert testamur.credential(row.credential_id).notification == "skipped"
    public = {path.name for path in settings.files_folder.glob("credentials/*/*.pdf")}
    assert not any(name.startswith(tuple(old)) for name in public)
    messages = [path.read_text() for path in settings.messages_folder.glob("*.eml")]
    assert sum("<reissued." in each for each in messages) == LEARNERS


def test_killed_at_any_point_a_reissue_can_be_asked_for_again(tmp_path: Path) -> None:
    whole = work_in_a_process(_installation(tmp_path / "whole"), do=reissue)
    assert whole is not None
    recorded = next(at for at, (action, what) in enumerate(whole) if "Superseded" in what)
    stored = [at for at, (action, _) in enumerate(whole[:recorded]) if action == "rename"]
    # A document was durable before anything of it was recorded.
    assert stored

    def killed_and_resumed(kill_at: int) -> None:
        settings = _installation(tmp_path / str(kill_at))
        assert work_in_a_process(settings, kill_at=kill_at, do=reissue) is None, whole[kill_at - 1]
        _assert_each_has_one_that_holds(settings)
        assert work_in_a_process(settings, do=reissue) is not None
        _assert_all_is_done(settings)

    with ThreadPoolExecutor(2) as pool:
        points = range(stored[0] + 1, len(whole) + 1)
        for done in [pool.submit(killed_and_resumed, at) for at in points]:
            done.result()
