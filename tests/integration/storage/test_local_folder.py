"""The local folder survives kills, full disks, links and other processes."""

import hashlib
import os
import resource
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from testamur.adapters.storage.local import LocalFolderStorage
from testamur.application.errors import StorageError
from testamur.application.ports.storage import StorableFile
from testamur.domain.errors import InvalidInput, NotFound
from tests.support.stored_files import streamed

WRITER = """
import hashlib, os, sys
from pathlib import Path
from testamur.adapters.storage.local import LocalFolderStorage
from testamur.application.ports.storage import StorableFile

storage = LocalFolderStorage(Path(sys.argv[1]))
round = 0
while True:
    batch = []
    for number in range(40):
        content = os.urandom(20_000)
        digest = hashlib.sha256(content).hexdigest()
        batch.append(StorableFile(f"{round % 3}/{digest}", content, digest, "text/plain"))
        # One that is written over again and again; its content tells its hash.
        body = b"%d" % round * 10_000
        content = hashlib.sha256(body).hexdigest().encode() + body
        digest = hashlib.sha256(content).hexdigest()
        batch.append(StorableFile(f"same/{number}", content, digest, "text/plain"))
    storage.put(batch)
    sys.stdout.write("".join(f"{file.key}\\n" for file in batch))
    sys.stdout.flush()
    round += 1
"""


def file(key: str, content: bytes = b"%PDF-1.7 of Ada") -> StorableFile:
    return StorableFile(key, content, hashlib.sha256(content).hexdigest(), "application/pdf")


def visible_files(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and ".incoming" not in path.parts
    }


def incoming(root: Path) -> list[str]:
    return sorted(path.name for path in (root / ".incoming").iterdir())


@pytest.mark.parametrize("seconds", [0.0, 0.03, 0.08, 0.15])
def test_after_a_kill_every_file_that_can_be_seen_is_whole(tmp_path: Path, seconds: float) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, tmp_path],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as writer:
        assert writer.stdout is not None
        stored = [writer.stdout.readline().strip() for _ in range(80)]
        time.sleep(seconds)
        writer.send_signal(signal.SIGKILL)
        stored += [line.strip() for line in writer.stdout if line.endswith("\n")]

    assert writer.returncode == -signal.SIGKILL
    visible = visible_files(tmp_path)
    assert set(stored) <= visible.keys()
    for key, content in visible.items():
        if key.startswith("same/"):
            assert hashlib.sha256(content[64:]).hexdigest() == content[:64].decode()
        else:
            assert hashlib.sha256(content).hexdigest() == key.split("/")[1]


class RecordedDisk:
    """Notes in which order things reach the disk, while they really do."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.steps: list[tuple[str, int]] = []
        fsync, rename, unlink = os.fsync, os.rename, os.unlink

        def noting_fsync(descriptor: int) -> None:
            fsync(descriptor)
            self.steps.append(("flushed", os.fstat(descriptor).st_ino))

        def noting_rename(source: str, target: str, *, src_dir_fd: int, dst_dir_fd: int) -> None:
            inode = os.stat(source, dir_fd=src_dir_fd).st_ino
            rename(source, target, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)
            self.steps.append(("named", inode))

        def noting_unlink(name: str, *, dir_fd: int) -> None:
            inode = os.stat(name, dir_fd=dir_fd, follow_symlinks=False).st_ino
            unlink(name, dir_fd=dir_fd)
            self.steps.append(("deleted", inode))

        monkeypatch.setattr(os, "fsync", noting_fsync)
        monkeypatch.setattr(os, "rename", noting_rename)
        monkeypatch.setattr(os, "unlink", noting_unlink)

    def place(self, step: str, path: Path) -> int:
        return self.steps.index((step, path.stat().st_ino))

    def last_place(self, step: str, path: Path) -> int:
        return len(self.steps) - 1 - self.steps[::-1].index((step, path.stat().st_ino))


def test_a_file_is_on_the_disk_before_it_gets_its_name_and_the_folders_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = LocalFolderStorage(tmp_path)
    disk = RecordedDisk(monkeypatch)
    keys = [f"credentials/{number % 3}/{number}.pdf" for number in range(9)]

    storage.put([file(key, key.encode()) for key in keys])

    for key in keys:
        assert disk.place("flushed", tmp_path / key) < disk.place("named", tmp_path / key)
        for folder in (tmp_path / key).parents[:3]:
            assert disk.place("named", tmp_path / key) < disk.last_place("flushed", folder)
    flushed_folders = [step for step in disk.steps if step[0] == "flushed"][len(keys) :]
    assert len(flushed_folders) == len(set(flushed_folders)) == 5, "each folder of a batch once"


def test_a_file_that_was_there_already_is_not_written_but_made_sure_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = LocalFolderStorage(tmp_path)
    storage.put([file("a/b")])
    before = (tmp_path / "a/b").stat()
    disk = RecordedDisk(monkeypatch)

    storage.put([file("a/b")])

    after = (tmp_path / "a/b").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert {step for step, _ in disk.steps} == {"flushed"}
    assert disk.place("flushed", tmp_path / "a") != disk.place("flushed", tmp_path)


def test_a_deletion_is_on_the_disk_when_delete_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = LocalFolderStorage(tmp_path)
    storage.put([file("a/b"), file("a/c")])
    disk = RecordedDisk(monkeypatch)

    storage.delete(["a/b", "a/c"])

    assert [step for step, _ in disk.steps] == ["deleted", "deleted", "flushed"]
    assert disk.place("flushed", tmp_path / "a") == 2


def test_a_new_folder_for_storage_is_itself_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = RecordedDisk(monkeypatch)

    LocalFolderStorage(tmp_path / "srv" / "testamur")

    assert disk.place("flushed", tmp_path) < disk.place("flushed", tmp_path / "srv")


def test_leftovers_are_removed_after_an_hour_and_not_before(tmp_path: Path) -> None:
    LocalFolderStorage(tmp_path)
    for name, age_seconds in [("old.part", 3660), ("young.part", 3500)]:
        (tmp_path / ".incoming" / name).write_bytes(b"half")
        os.utime(tmp_path / ".incoming" / name, (time.time() - age_seconds,) * 2)

    LocalFolderStorage(tmp_path)

    assert incoming(tmp_path) == ["young.part"]


def test_files_are_for_the_owner_and_the_group_only(tmp_path: Path) -> None:
    umask = os.umask(0o022)
    try:
        LocalFolderStorage(tmp_path / "root").put([file("a/b")])
        os.umask(0o077)
        LocalFolderStorage(tmp_path / "root").put([file("c/d")])
    finally:
        os.umask(umask)

    modes = {
        name: stat.S_IMODE((tmp_path / "root" / name).stat().st_mode)
        for name in [".", "a", "a/b", "c", "c/d"]
    }
    assert modes == {".": 0o750, "a": 0o750, "a/b": 0o640, "c": 0o700, "c/d": 0o600}


def test_the_location_is_the_absolute_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    storage = LocalFolderStorage(Path("kept/here"))
    storage.put([file("a/b.pdf")])
    monkeypatch.chdir("/")

    assert storage.location("a/b.pdf") == f"{tmp_path}/kept/here/a/b.pdf"
    assert Path(storage.location("a/b.pdf")).read_bytes() == storage.get("a/b.pdf")


def test_a_link_to_a_folder_outside_is_not_followed(tmp_path: Path) -> None:
    storage = LocalFolderStorage(tmp_path / "root")
    outside = tmp_path / "outside"
    (outside / "b").mkdir(parents=True)
    (outside / "secret").write_bytes(b"secret")
    (tmp_path / "root" / "a").symlink_to(outside)

    for key in ["a/c", "a/b/c"]:
        with pytest.raises(StorageError, match=f"root/{key} cannot be .*symbolic link"):
            storage.put([file(key)])
    with pytest.raises(StorageError, match="symbolic link"):
        storage.get("a/secret")
    with pytest.raises(StorageError, match="symbolic link"):
        storage.delete(["a/secret"])
    assert visible_files(outside) == {"secret": b"secret"}
    assert incoming(tmp_path / "root") == []


def test_a_link_in_the_place_of_a_file_is_replaced_and_its_target_kept(tmp_path: Path) -> None:
    storage = LocalFolderStorage(tmp_path / "root")
    (tmp_path / "target").write_bytes(b"%PDF-1.7 of Ada")
    (tmp_path / "root" / "a").symlink_to(tmp_path / "target")

    with pytest.raises(StorageError, match="root/a cannot be read: a symbolic link"):
        storage.get("a")
    storage.put([file("a")])
    storage.put([file("a", b"other")])

    assert storage.get("a") == b"other"
    assert (tmp_path / "target").read_bytes() == b"%PDF-1.7 of Ada"


def test_the_storage_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "root").symlink_to(tmp_path / "disk")

    LocalFolderStorage(tmp_path / "root").put([file("a")])

    assert (tmp_path / "disk" / "a").read_bytes() == file("a").content


def test_a_file_in_the_place_of_a_folder_is_an_error_that_names_the_key(tmp_path: Path) -> None:
    storage = LocalFolderStorage(tmp_path)
    storage.put([file("a"), file("b/c")])

    with pytest.raises(StorageError, match=f"{tmp_path}/a/b cannot be written: Not a directory"):
        storage.put([file("a/b")])
    with pytest.raises(StorageError, match=f"{tmp_path}/b cannot be written: .*directory"):
        storage.put([file("b")])
    assert incoming(tmp_path) == []


def test_a_folder_that_cannot_be_made_is_an_error_that_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StorageError, match=f"{tmp_path}/file/x cannot be opened: Not a directory"):
        LocalFolderStorage(tmp_path / "file" / "x")


def test_a_storage_that_is_gone_is_an_error_and_not_a_missing_file(tmp_path: Path) -> None:
    storage = LocalFolderStorage(tmp_path / "disk")
    (tmp_path / "disk").rename(tmp_path / "unmounted")

    with pytest.raises(StorageError, match="disk/a cannot be read: No such file or directory"):
        storage.get("a")
    with pytest.raises(StorageError, match=r"disk/\.incoming cannot be written: No such file"):
        storage.put([file("a")])
    assert not (tmp_path / "disk").exists()


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """Let the kernel refuse files larger than this, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_file_that_the_disk_does_not_take_leaves_the_old_one_and_nothing_half(
    tmp_path: Path,
) -> None:
    storage = LocalFolderStorage(tmp_path)
    storage.put([file("a/1", b"old")])

    with (
        file_size_limit(1000),
        pytest.raises(StorageError, match=f"{tmp_path}/a/1 cannot be written: File too large"),
    ):
        storage.put([file("a/2", b"small"), file("a/1", b"large" * 1000)])

    assert visible_files(tmp_path) == {"a/1": b"old"}
    assert incoming(tmp_path) == []


def test_readers_see_the_old_or_the_new_content_and_nothing_between(tmp_path: Path) -> None:
    storage = LocalFolderStorage(tmp_path)
    contents = [bytes([letter]) * 50_000 for letter in b"ab"]
    storage.put([file("a", contents[0])])
    seen: set[bytes] = set()
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            seen.add(storage.get("a"))

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(100):
        storage.put([file("a", contents[number % 2])])
    stop.set()
    reader.join(10)

    assert seen == set(contents)


def test_storages_that_put_the_same_files_at_once_do_not_disturb_each_other(
    tmp_path: Path,
) -> None:
    batch = [file(f"{number}/f", b"%d" % number) for number in range(50)]
    failures: list[BaseException] = []

    def put() -> None:
        try:
            for _ in range(5):
                LocalFolderStorage(tmp_path).put(batch)
                LocalFolderStorage(tmp_path).delete([each.key for each in batch[:10]])
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=put) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    LocalFolderStorage(tmp_path).put(batch)

    assert failures == []
    assert visible_files(tmp_path) == {each.key: each.content for each in batch}
    assert incoming(tmp_path) == []


def test_a_folder_is_never_mistaken_for_a_file(tmp_path: Path) -> None:
    storage = LocalFolderStorage(tmp_path)
    storage.put([file("a/b")])

    storage.delete(["a"])

    with pytest.raises(NotFound):
        storage.get("a")
    assert storage.get("a/b") == file("a/b").content


def test_sweeping_takes_what_a_killed_process_left_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = LocalFolderStorage(tmp_path)
    with monkeypatch.context() as killed:
        killed.setattr(os, "rename", lambda *_, **__: None)
        storage.put([file("credentials/1a/1ab.pdf"), file("credentials/1a/1cd.pdf")])
    assert [name[:8] for name in incoming(tmp_path)] == ["1ab.pdf.", "1cd.pdf."]

    assert storage.sweep("credentials/1a/1ab") == 0

    assert [name[:8] for name in incoming(tmp_path)] == ["1cd.pdf."]


def test_a_file_that_is_cut_off_while_it_is_read_is_no_short_file(tmp_path: Path) -> None:
    storage = LocalFolderStorage(tmp_path)
    storage.put([file("a/b", bytes(1_000_000))])

    with storage.stream("a/b") as stream:
        assert stream.read(10) == bytes(10)
        os.truncate(tmp_path / "a/b", 500_000)
        with pytest.raises(StorageError, match="b cannot be read: it ends after 500,000 bytes"):
            stream.read()


def test_a_link_is_not_followed_by_who_reads_piece_by_piece(tmp_path: Path) -> None:
    storage = LocalFolderStorage(tmp_path / "storage")
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "storage/a").symlink_to(tmp_path / "secret")

    with pytest.raises(StorageError, match="symbolic link"), storage.stream("a"):
        pass


def test_what_cannot_be_stored_of_a_stream_leaves_nothing_behind(tmp_path: Path) -> None:
    storage = LocalFolderStorage(tmp_path)
    with pytest.raises(InvalidInput, match="sha256 of a"):
        storage.put([file("b"), streamed("a", bytes(1_000_000), sha256=file("b").sha256)])

    assert visible_files(tmp_path) == {}
    assert incoming(tmp_path) == []
