"""The clock, the ids, and the locks that threads share."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from testamur.adapters.system import FileLocks, MemoryLocks, RandomIds, SystemClock
from testamur.application.errors import AlreadyRunning, StorageError
from testamur.application.ports.system import Clock, IdSource, WorkLocks


@pytest.fixture(params=["files", "memory"])
def locks(request: pytest.FixtureRequest, tmp_path: Path) -> WorkLocks:
    return FileLocks(tmp_path / "locks") if request.param == "files" else MemoryLocks()


def test_the_clock_tells_the_time_in_utc() -> None:
    clock: Clock = SystemClock()

    now = clock.now()

    assert now.tzinfo is UTC
    assert abs(now - datetime.now(UTC)) < timedelta(seconds=5)


def test_request_ids_are_random_and_differ() -> None:
    ids: IdSource = RandomIds()

    drawn = {ids.request_id() for _ in range(1000)}

    assert len(drawn) == 1000
    assert {one.version for one in drawn} == {4}


def test_verification_ids_have_at_least_128_bits_and_no_letters_that_look_alike() -> None:
    ids: IdSource = RandomIds()

    drawn = {ids.verification_id() for _ in range(2000)}

    assert len(drawn) == 2000
    assert {len(one) for one in drawn} == {26}
    for position in range(26):  # every place takes each of 32 characters: 26 x 5 bits
        assert {one[position] for one in drawn} == set("0123456789abcdefghjkmnpqrstvwxyz")


def test_work_that_is_held_cannot_be_held_again(locks: WorkLocks) -> None:
    with (
        locks.hold("issue"),
        pytest.raises(AlreadyRunning, match="issue is being done") as refused,
        locks.hold("issue"),
    ):
        pass

    assert refused.value.work == "issue"


def test_other_work_can_be_held_meanwhile(locks: WorkLocks) -> None:
    with locks.hold("issue"), locks.hold("Issue"), locks.hold("issue/"), locks.hold("is sue"):
        pass


def test_work_can_be_held_again_after_its_end(locks: WorkLocks) -> None:
    with locks.hold("issue"):
        pass
    with locks.hold("issue"):
        pass


def test_one_can_wait_for_work_to_end(locks: WorkLocks) -> None:
    held, order = threading.Event(), []

    def first() -> None:
        with locks.hold("issue"):
            held.set()
            time.sleep(0.1)
            order.append("first ended")

    thread = threading.Thread(target=first)
    thread.start()
    assert held.wait(10)

    with locks.hold("issue", wait_seconds=10):
        order.append("second began")

    thread.join(10)
    assert order == ["first ended", "second began"]


def test_one_that_waited_in_vain_is_kept_out(locks: WorkLocks) -> None:
    started = time.monotonic()

    with locks.hold("issue"), pytest.raises(AlreadyRunning), locks.hold("issue", wait_seconds=0.12):
        pass

    assert 0.12 <= time.monotonic() - started < 5


def test_a_failure_inside_lets_go_and_comes_through(locks: WorkLocks) -> None:
    with pytest.raises(LookupError, match="lost"), locks.hold("issue"):
        raise LookupError("lost")

    with locks.hold("issue"):
        pass


def test_a_thread_is_kept_out_while_another_holds(locks: WorkLocks) -> None:
    outcome: list[str] = []

    def contend() -> None:
        try:
            with locks.hold("issue"):
                outcome.append("held")
        except AlreadyRunning:
            outcome.append("kept out")

    def run(target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target)
        thread.start()
        thread.join(10)

    with locks.hold("issue"):
        run(contend)
    run(contend)

    assert outcome == ["kept out", "held"]


def test_of_many_threads_only_one_holds_at_a_time(locks: WorkLocks) -> None:
    holders, most, done = 0, 0, 0
    counting = threading.Lock()

    def work() -> None:
        nonlocal holders, most, done
        while True:
            try:
                with locks.hold("count"):
                    with counting:
                        holders += 1
                        most = max(most, holders)
                    with counting:
                        holders -= 1
                        done += 1
                return
            except AlreadyRunning:
                continue

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert (most, done) == (1, 20)


@pytest.mark.parametrize("work", ["../../etc/passwd", "a/b", "", ".", "zażółć", "x" * 5000, "\0"])
def test_any_name_of_work_stays_inside_the_folder(tmp_path: Path, work: str) -> None:
    locks = FileLocks(tmp_path / "locks")

    with locks.hold(work):
        (lock_file,) = (tmp_path / "locks").iterdir()

        assert lock_file.name.endswith(".lock")
        assert not lock_file.name.startswith((".", "-"))
        assert list(tmp_path.iterdir()) == [tmp_path / "locks"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(
        StorageError, match=f"{tmp_path}/file/locks cannot be made: Not a directory"
    ):
        FileLocks(tmp_path / "file" / "locks")


def test_a_lock_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    locks = FileLocks(tmp_path / "locks")
    (tmp_path / "locks").rmdir()

    with pytest.raises(StorageError, match=r"locks/issue-\w+\.lock cannot be opened: No such file"):
        locks.hold("issue").__enter__()
