"""The locks that processes share: kept out while another holds, free once it has ended."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from testamur.adapters.system import FileLocks
from testamur.application.errors import AlreadyRunning

HOLDER = """
import sys, time
from pathlib import Path
from testamur.adapters.system import FileLocks

with FileLocks(Path(sys.argv[1])).hold(sys.argv[2]):
    sys.stdout.write("held\\n")
    sys.stdout.flush()
    sys.stdin.readline()
"""

FORKING_HOLDER = """
import os, sys
from pathlib import Path
from testamur.adapters.system import FileLocks

with FileLocks(Path(sys.argv[1])).hold(sys.argv[2]):
    if os.fork() == 0:
        sys.stdout.write("held\\n")
        sys.stdout.flush()
    sys.stdin.readline()
"""

CONTENDER = """
import sys
from pathlib import Path
from testamur.adapters.system import FileLocks
from testamur.application.errors import AlreadyRunning

folder = Path(sys.argv[1])
locks = FileLocks(folder / "locks")
refused = 0
for number in range(int(sys.argv[2])):
    while True:
        try:
            with locks.hold("count"):
                seen = int((folder / "count").read_text())
                (folder / "count").write_text(str(seen + 1))
            break
        except AlreadyRunning:
            refused += 1
sys.stdout.write(str(refused))
"""


def start_python(code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def start_holder(folder: Path, work: str, code: str = HOLDER) -> subprocess.Popen[str]:
    """Start a process that holds a lock until it is sent a line."""
    process = start_python(code, folder, work)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_another_process_is_kept_out_until_the_holder_ends(tmp_path: Path) -> None:
    locks = FileLocks(tmp_path)
    with start_holder(tmp_path, "issue") as holder:
        with pytest.raises(AlreadyRunning), locks.hold("issue"):
            pass
        with locks.hold("other"):
            pass

        holder.communicate("end\n", timeout=10)

        with locks.hold("issue"):
            pass


def test_the_lock_of_a_process_that_is_killed_is_free(tmp_path: Path) -> None:
    locks = FileLocks(tmp_path)
    with start_holder(tmp_path, "issue") as holder:
        with pytest.raises(AlreadyRunning), locks.hold("issue"):
            pass

        holder.send_signal(signal.SIGKILL)
        assert holder.wait(10) == -signal.SIGKILL

        with locks.hold("issue"):
            pass


def test_a_forked_child_does_not_keep_the_lock_of_its_killed_parent(tmp_path: Path) -> None:
    locks = FileLocks(tmp_path)
    with start_holder(tmp_path, "issue", FORKING_HOLDER) as holder:
        with pytest.raises(AlreadyRunning), locks.hold("issue"):
            pass

        holder.send_signal(signal.SIGKILL)
        assert holder.wait(10) == -signal.SIGKILL

        with locks.hold("issue"):  # the child still waits for its line
            pass


def test_processes_that_contend_never_work_at_the_same_time(tmp_path: Path) -> None:
    (tmp_path / "count").write_text("0")

    processes = [start_python(CONTENDER, tmp_path, 150) for _ in range(3)]
    refusals = [int(process.communicate(timeout=60)[0]) for process in processes]

    assert [process.returncode for process in processes] == [0, 0, 0]
    assert int((tmp_path / "count").read_text()) == 450
    assert sum(refusals) > 0, "they never met, so nothing was tested"
    assert list((tmp_path / "locks").iterdir()) == []
