"""The indexes: made when needed, made again after a change, small in memory, gone in the end."""

import gc
import os
import subprocess
import sys
import tempfile
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest

from testamur.adapters.files import (
    DataFileError,
    FileRetrievalSource,
    columns,
    rules,
    table_index,
)
from testamur.adapters.files.columns import Lexicon
from testamur.adapters.files.errors import Problems
from testamur.adapters.files.folder import data_file
from testamur.adapters.files.table_index import build
from testamur.adapters.files.tables import LEARNERS
from testamur.adapters.temporary import PREFIX
from testamur.application.errors import RetrievalError
from testamur.application.ports.retrieval import Needs
from testamur.domain.contexts import CourseKey, LessonKey
from testamur.domain.identifiers import LearnerId
from tests.support.data_files import DataFolder
from tests.support.records import COURSE

MATHS = CourseKey("Uni", "Maths", "2026")


HOLDER = """
import sys
from pathlib import Path

from testamur.adapters.files import FileRetrievalSource

source = FileRetrievalSource(Path(sys.argv[1]))
source.people(["l1"])
sys.stdout.write("indexed\\n")
sys.stdout.flush()
sys.stdin.readline()
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files of this test go."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A course with two learners."""
    return (
        DataFolder(tmp_path / "exports")
        .course(COURSE)
        .learner("l1", full_name="Ada")
        .learner("l2", full_name="Grace")
        .enrolment("l1", COURSE)
        .enrolment("l2", COURSE)
        .completion("l1", COURSE, "0.25")
        .write()
    )


@pytest.fixture
def source(folder: Path) -> Iterator[FileRetrievalSource]:
    with FileRetrievalSource(folder, page_size=1) as opened:
        yield opened


def completions(source: FileRetrievalSource) -> dict[str, Decimal | None]:
    return {
        record.learner_id: record.achievement.completion
        for page in source.records(MATHS, Needs())
        for record in page
    }


def replace_text(file: Path, old: str, new: str) -> None:
    file.write_text(file.read_text().replace(old, new))


def test_a_changed_file_is_read_again(source: FileRetrievalSource, folder: Path) -> None:
    assert completions(source) == {"l1": Decimal("0.25"), "l2": None}

    replace_text(folder / "completions.csv", "0.25", "0.5")

    assert completions(source) == {"l1": Decimal("0.5"), "l2": None}


def test_a_file_moved_into_anothers_place_is_read_even_if_it_looks_the_same(
    source: FileRetrievalSource, folder: Path
) -> None:
    assert completions(source)["l1"] == Decimal("0.25")
    old = folder / "completions.csv"
    new = folder / "new"
    new.write_text(old.read_text().replace("0.25", "0.75"))
    modified = old.stat().st_mtime_ns
    os.utime(new, ns=(modified, modified))
    new.replace(old)

    assert completions(source)["l1"] == Decimal("0.75")


def test_a_table_may_come_and_go(source: FileRetrievalSource, folder: Path) -> None:
    assert source.facts(MATHS).weights == {}

    policy = folder / "grading_policy.csv"
    policy.write_text(f"course_key,category,weight\n{COURSE},Exam,1\n")
    assert source.facts(MATHS).weights == {"Exam": Decimal(1)}

    policy.unlink()
    assert source.facts(MATHS).weights == {}


def test_a_table_may_change_its_format(source: FileRetrievalSource, folder: Path) -> None:
    assert completions(source)["l1"] == Decimal("0.25")
    (folder / "completions.csv").unlink()
    (folder / "completions.jsonl").write_text(
        f'{{"learner_id": "l1", "context_key": "{COURSE}", "completion": 0.125}}'
    )

    assert completions(source)["l1"] == Decimal("0.125")


def test_tables_must_agree_again_after_one_has_changed(
    source: FileRetrievalSource, folder: Path
) -> None:
    assert len(completions(source)) == 2

    replace_text(folder / "learners.csv", "l2", "l3")

    with pytest.raises(DataFileError, match=r"enrolments\.csv, line 3, learner_id: 'l2' is unkn"):
        completions(source)


def test_a_mended_file_is_read_again(source: FileRetrievalSource, folder: Path) -> None:
    replace_text(folder / "completions.csv", "0.25", "2.5")
    with pytest.raises(DataFileError, match=r"completions\.csv, line 2, completion: '2\.5'"):
        completions(source)

    replace_text(folder / "completions.csv", "2.5", "0.5")

    assert completions(source)["l1"] == Decimal("0.5")


def test_what_has_not_changed_is_not_read_again(
    source: FileRetrievalSource, folder: Path, temporary: Path
) -> None:
    completions(source)
    before = indexes(temporary)
    replace_text(folder / "completions.csv", "0.25", "0.5")
    completions(source)
    source.people([LearnerId("l1")])
    source.facts(MATHS)

    after = indexes(temporary)
    unchanged = {name for name in before if not name.startswith("completions")}
    assert unchanged == before & after
    assert len([name for name in after if name.startswith("completions")]) == 1


def indexes(temporary: Path) -> set[str]:
    return {path.name for path in temporary.rglob("*.sqlite")}


def test_pages_go_on_as_they_began_when_a_file_changes(
    source: FileRetrievalSource, folder: Path
) -> None:
    pages = source.records(MATHS, Needs())
    first = next(pages)
    replace_text(folder / "enrolments.csv", "l2", "l1\nl2")
    replace_text(folder / "learners.csv", "l2,Grace", "l3,Lise")
    assert source.people([LearnerId("l3")])["l3"].full_name == "Lise"  # type: ignore[index]

    assert [record.learner_id for page in (first, *pages) for record in page] == ["l1", "l2"]


def test_temporary_files_are_of_this_user_alone_and_gone_on_close(
    folder: Path, temporary: Path
) -> None:
    with FileRetrievalSource(folder) as source:
        completions(source)
        (made,) = temporary.iterdir()
        assert made.stat().st_mode & 0o077 == 0
        assert list(made.iterdir())
        source.check()
        assert list(temporary.iterdir()) == [made]

    assert list(temporary.iterdir()) == []


def test_temporary_files_are_gone_with_a_source_that_was_never_closed(
    folder: Path, temporary: Path
) -> None:
    source = FileRetrievalSource(folder)
    completions(source)
    assert list(temporary.iterdir())

    del source
    gc.collect()

    assert list(temporary.iterdir()) == []


def test_what_a_killed_process_has_left_is_removed_by_the_next(
    folder: Path, temporary: Path
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, folder],
        env=os.environ | {"TMPDIR": str(temporary)},
        cwd=Path(__file__).parents[3],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "indexed\n"
        (left,) = temporary.iterdir()

        with FileRetrievalSource(folder) as source:
            completions(source)
            assert left.exists()

        holder.kill()
        holder.wait()
    assert [path.name for path in left.iterdir()] == ["learners-1.sqlite"]
    with FileRetrievalSource(folder) as source:
        completions(source)
        assert not left.exists()


def test_another_thing_of_the_same_name_is_left_alone(folder: Path, temporary: Path) -> None:
    (temporary / f"{PREFIX}file").touch()
    (temporary / f"{PREFIX}link").symlink_to(folder)

    with FileRetrievalSource(folder) as source:
        completions(source)

    assert len(list(temporary.iterdir())) == 2
    assert list(folder.iterdir())


def test_a_file_that_is_refused_leaves_nothing_behind(folder: Path, temporary: Path) -> None:
    replace_text(folder / "learners.csv", "Ada", "A\x07da")

    with FileRetrievalSource(folder) as source:
        for _ in range(3):
            with pytest.raises(DataFileError):
                source.people([LearnerId("l1")])
        assert indexes(temporary) == set()


def test_a_closed_source_answers_no_more(folder: Path) -> None:
    source = FileRetrievalSource(folder, page_size=1)
    pages = source.records(MATHS, Needs())
    first = next(pages)
    source.close()
    source.close()

    assert [len(first), *map(len, pages)] == [1, 1]
    with pytest.raises(RetrievalError, match="the data source is closed"):
        source.facts(MATHS)


def test_a_source_that_nobody_asks_leaves_no_trace(tmp_path: Path, temporary: Path) -> None:
    with FileRetrievalSource(tmp_path / "nowhere"):
        pass

    assert list(temporary.iterdir()) == []


def test_a_temporary_folder_that_cannot_be_made_is_said(folder: Path, temporary: Path) -> None:
    temporary.rmdir()

    with FileRetrievalSource(folder) as source:
        for ask in (lambda: completions(source), source.check):
            with pytest.raises(
                RetrievalError, match=r"temporary index in .* cannot be used: .*No s"
            ):
                ask()


def test_an_index_that_was_tampered_with_is_said(folder: Path, temporary: Path) -> None:
    with FileRetrievalSource(folder) as source:
        completions(source)
        (made,) = temporary.iterdir()
        for index in made.iterdir():
            index.write_bytes(b"no database")

        with pytest.raises(RetrievalError, match=r"temporary index in .* cannot be used: file"):
            completions(source)


def test_a_forked_process_does_not_delete_what_its_parent_uses(
    source: FileRetrievalSource, folder: Path, temporary: Path
) -> None:
    before = completions(source)
    child = os.fork()
    if child == 0:  # pragma: no cover - is not measured
        same = completions(source) == before
        source.close()
        os._exit(0 if same else 1)
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    assert completions(source) == before
    assert len(list(temporary.iterdir())) == 1


def test_a_file_that_changes_while_it_is_read_is_refused(folder: Path, tmp_path: Path) -> None:
    learners = folder / "learners.csv"
    replace_text(learners, "Ada", "A\x07da")

    class Meddling(Problems):
        def add(self, problem: DataFileError) -> None:
            super().add(problem)
            learners.write_text(learners.read_text() + "l3,Lise\n")

    problems = Meddling(50)
    with pytest.raises(DataFileError, match="it was changed while it was read") as refused:
        build(LEARNERS, data_file(learners), tmp_path / "index", problems)

    assert refused.value.path == learners
    assert [problem.line for problem in problems.found] == [2]


def test_words_beyond_those_that_are_remembered_or_get_a_number_read_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lesson = LessonKey(MATHS, "one")
    with (folder / "completions.csv").open("a") as file:
        file.write(f"l2,{lesson},0.5\n")
    (folder / "grades.csv").write_text(
        "learner_id,course_key,category,subsection_id,earned,possible\n"
        f"l1,{COURSE},Exam,two,1,2\nl1,{COURSE},Homework,three,3,4\nl2,{COURSE},Exam,{lesson},5,6\n"
    )

    def answers() -> list[object]:
        with FileRetrievalSource(folder, block_bytes=30) as source:
            return [
                {record for page in source.records(context, Needs()) for record in map(str, page)}
                | set(source.facts(context).weights)
                for context in (MATHS, lesson)
            ]

    expected = answers()
    monkeypatch.setattr(table_index, "Lexicon", partial(Lexicon, 1))
    assert answers() == expected

    for module in (columns, rules, table_index):
        monkeypatch.setattr(module, "MOST_REMEMBERED", 0)
    assert answers() == expected


def test_an_unknown_word_beyond_those_that_get_a_number_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_index, "Lexicon", partial(Lexicon, 1))
    with (folder / "completions.csv").open("a") as file:
        file.write("l2,course-v1:a+b+c,0.5\n")

    with (
        FileRetrievalSource(folder) as source,
        pytest.raises(DataFileError, match=r"line 3, context_key: 'course-v1:a\+b\+c' is unkn"),
    ):
        completions(source)


def many(folder: Path, learners: int) -> Path:
    """Write a course with many learners, their completions, and two grades each."""
    ids = [f"learner-{number * 7919 % learners:06d}" for number in range(learners)]
    folder.mkdir()
    (folder / "courses.csv").write_text(f"course_key\n{COURSE}\n")
    tables = {
        "learners": ("learner_id,full_name", lambda id_: f"{id_},Name of {id_}\n"),
        "enrolments": ("learner_id,context_key", lambda id_: f"{id_},{COURSE}\n"),
        "completions": (
            "learner_id,context_key,completion",
            lambda id_: f"{id_},{COURSE},0.{id_[-2:]}\n",
        ),
        "grades": (
            "learner_id,course_key,category,subsection_id,earned,possible",
            lambda id_: f"{id_},{COURSE},Exam,one,1,2\n{id_},{COURSE},Exam,two,0,2\n",
        ),
    }
    for table, (header, row) in tables.items():
        (folder / f"{table}.csv").write_text(header + "\n" + "".join(map(row, ids)))
    return folder


def test_memory_does_not_grow_with_the_learners(tmp_path: Path) -> None:
    def peak(learners: int) -> int:
        folder = many(tmp_path / str(learners), learners)
        source = FileRetrievalSource(folder, page_size=100, block_bytes=4096)
        tracemalloc.start()
        with source:
            assert sum(len(page) for page in source.records(MATHS, Needs())) == learners
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    few, eight_times_as_many = peak(500), peak(4_000)

    assert eight_times_as_many < few * 2


def test_threads_iterate_on_their_own(tmp_path: Path) -> None:
    with FileRetrievalSource(many(tmp_path / "many", 500), page_size=7) as source:

        def learners(_: int) -> list[str]:
            return [
                record.learner_id
                for page in source.records(MATHS, Needs())
                for record in page
                if len(record.achievement.subsections) == 2
            ]

        with ThreadPoolExecutor(4) as threads:
            found = list(threads.map(learners, range(8)))

    assert found == [[f"learner-{number:06d}" for number in range(500)]] * 8
