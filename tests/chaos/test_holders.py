"""Who held which lock, as it is read from what workers noted."""

import json
from pathlib import Path

from tests.chaos.holders import Held, begun_works, held_locks, overlapping


def noted(folder: Path, process: str, *lines: tuple[int, str, float]) -> None:
    (folder / process).write_text("".join(f"{json.dumps(line)}\n" for line in lines))


def test_two_who_held_one_lock_at_once_are_found(tmp_path: Path) -> None:
    noted(tmp_path, "a", (1, "tick", 1.0), (1, "tick", 4.0))
    noted(tmp_path, "b", (1, "tick", 3.5), (2, "run", 3.6), (2, "run", 3.7), (1, "tick", 3.9))

    locks = held_locks(tmp_path, lost=[])

    assert overlapping(locks["tick"]) == [(Held(1.0, 4.0, "a"), Held(3.5, 3.9, "b"))]
    assert overlapping(locks["run"]) == []


def test_one_after_another_is_right(tmp_path: Path) -> None:
    noted(tmp_path, "a", (1, "tick", 1.0), (1, "tick", 2.0), (2, "tick", 5.0), (2, "tick", 6.0))
    noted(tmp_path, "b", (1, "tick", 2.0), (1, "tick", 5.0))
    assert overlapping(held_locks(tmp_path, lost=[])["tick"]) == []


def test_a_lock_ends_when_the_server_goes_away(tmp_path: Path) -> None:
    noted(tmp_path, "a", (1, "tick", 1.0), (1, "tick", 9.0))
    noted(tmp_path, "b", (1, "tick", 5.0), (1, "tick", 6.0))

    assert overlapping(held_locks(tmp_path, lost=[0.5, 4.0])["tick"]) == []
    assert overlapping(held_locks(tmp_path, lost=[0.5, 5.5])["tick"]) != []


def test_whoever_was_killed_meanwhile_does_not_count(tmp_path: Path) -> None:
    noted(tmp_path, "a", (1, "tick", 1.0))
    noted(tmp_path, "b", (1, "tick", 2.0), (1, "tick", 3.0))
    assert overlapping(held_locks(tmp_path, lost=[])["tick"]) == []


def test_whoever_was_killed_has_held_it_all_the_same(tmp_path: Path) -> None:
    noted(tmp_path, "a", (1, "tick", 1.0), (1, "tick", 2.0), (2, "issue share 8", 3.0))
    noted(tmp_path, "b", (1, "run", 2.0))
    assert begun_works(tmp_path) == {"tick", "issue share 8", "run"}
