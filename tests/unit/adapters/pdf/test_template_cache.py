"""The template cache: what is kept, what of it is used again, and how much it may take."""

import os
import re
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from io import BytesIO
from pathlib import Path
from threading import Barrier
from typing import Any, Final

import pikepdf
import pytest
from fpdf import FPDF
from pikepdf import Array, Pdf
from PIL import Image

from testamur.adapters.pdf import backgrounds, template_cache
from testamur.adapters.pdf.backgrounds import Background, BackgroundParts, ImagePart
from testamur.adapters.pdf.options import ImageElement
from testamur.adapters.pdf.template_cache import SUFFIX, TemplateCache, TemplateFolder
from testamur.adapters.pdf.template_entries import BrokenEntry, read, written
from testamur.adapters.pdf.versions import template_versions
from testamur.application.errors import RenderingError
from testamur.domain.errors import InvalidInput
from testamur.domain.identifiers import Slug
from tests.support.pdf import changed, template

KEY: Final = "0" * 64
OTHER_KEY: Final = "1" * 64
THREADS: Final = 4


def seal(color: str = "navy") -> bytes:
    file = BytesIO()
    Image.new("RGB", (20, 10), color).save(file, "PNG")
    return file.getvalue()


def placed(x: float = 10, content: bytes | None = None) -> ImagePart:
    element = ImageElement.model_validate({"image": "seal", "x": x, "y": 10, "width": 40})
    return ImagePart(element, content or seal())


def parts(**chosen: Any) -> BackgroundParts:
    defaults: dict[str, Any] = {
        "slug": Slug("made"),
        "template": template(pages=2),
        "page": 1,
        "images": {"seal": placed()},
        "conformance": "pdf/a",
    }
    return BackgroundParts(**{**defaults, **chosen})


@cache
def a_background() -> Background:
    return parts().made()


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def linked(pdf: FPDF) -> None:
    pdf.link(10, 10, 50, 20, "https://example.org/größe?a=(1)")


def turned(pdf: Pdf) -> None:
    pdf.pages[0].obj.Rotate = 90
    pdf.pages[0].obj.MediaBox = Array([10, 20, 600, 800])
    pdf.pages[0].obj.UserUnit = 3


TEMPLATES: Final[Mapping[str, Callable[[], bytes]]] = {
    "blank": template,
    "of many pages": lambda: template(pages=3),
    "turned, moved and scaled": lambda: changed(template(), turned),
    "with web links": lambda: template(draw=linked),
    "of odd size": lambda: template((400 / 3, 1000 / 7)),
}


@pytest.mark.parametrize("name", TEMPLATES)
@pytest.mark.parametrize("conformance", ["pdf/a", "none"])
def test_what_is_read_is_what_was_written(name: str, conformance: str) -> None:
    background = parts(template=TEMPLATES[name](), images={}, conformance=conformance).made()

    assert read(KEY, written(KEY, background)) == background


def test_a_file_cut_off_anywhere_is_broken() -> None:
    file = written(KEY, a_background())

    for length in range(len(file)):
        with pytest.raises(BrokenEntry, match="not whole"):
            read(KEY, file[:length])


def test_a_file_with_any_byte_altered_is_broken() -> None:
    file = written(KEY, a_background())

    for place in range(len(file)):
        altered = bytearray(file)
        altered[place] ^= 1
        with pytest.raises(BrokenEntry, match="altered"):
            read(KEY, bytes(altered))


def test_the_file_of_another_key_is_broken() -> None:
    with pytest.raises(BrokenEntry, match=OTHER_KEY):
        read(KEY, written(OTHER_KEY, a_background()))


def test_a_background_is_made_once_for_all_caches_of_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = TemplateCache(tmp_path).background(parts())
    monkeypatch.setattr(BackgroundParts, "made", _must_not_be_called)

    assert TemplateCache(tmp_path).background(parts()) == made


def test_names_of_assets_and_elements_decide_nothing() -> None:
    assert parts(slug=Slug("other"), images={"other": placed()}).key() == parts().key()


@pytest.mark.parametrize(
    "other",
    [
        {"template": template(pages=3)},
        {"page": 2},
        {"images": {}},
        {"images": {"seal": placed(x=11)}},
        {"images": {"seal": placed(content=seal("maroon"))}},
        {"images": {"seal": placed(), "second": placed(x=11)}},
        {"conformance": "none"},
    ],
    ids=["template", "page", "no image", "place", "image", "images", "conformance"],
)
def test_another_background_has_another_key(other: Mapping[str, Any]) -> None:
    assert parts(**other).key() != parts().key()


def test_images_in_another_order_make_another_background() -> None:
    one, other = placed(), placed(x=30, content=seal("maroon"))
    key = parts(images={"a": one, "b": other}).key()

    assert parts(images={"a": other, "b": one}).key() != key


@pytest.mark.parametrize("program", sorted(template_versions()))
def test_what_another_version_made_is_not_used(
    program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = parts().key()
    versions = {**template_versions(), program: "another"}
    monkeypatch.setattr(backgrounds, "template_versions", lambda: versions)

    assert parts().key() != key


def test_versions_of_all_that_makes_backgrounds_are_known() -> None:
    versions = template_versions()

    assert versions["pikepdf"] == pikepdf.__version__
    assert versions["qpdf"] == pikepdf.__libqpdf_version__
    assert all(versions.values())


def test_damage_is_reported_and_mended(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made = TemplateCache(tmp_path).background(parts())
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])

    assert TemplateCache(tmp_path).background(parts()) == made
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert str(file) in caplog.text
    assert file.read_bytes() == whole


def test_a_template_that_is_refused_is_refused_each_time_by_its_name(tmp_path: Path) -> None:
    templates = TemplateCache(tmp_path)

    for slug in (Slug("one"), Slug("two")):
        with pytest.raises(RenderingError, match=f"'{slug}' cannot be used"):
            templates.background(parts(slug=slug, template=b"no template"))
    with pytest.raises(InvalidInput, match="no more pages"):
        templates.background(parts(page=3))
    with pytest.raises(InvalidInput, match="room"):
        templates.background(parts(images={"seal": placed(x=830)}))
    assert files_in(tmp_path) == []


def test_a_folder_that_cannot_be_used_costs_only_time(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "cache").write_text("a file in its place")
    templates = TemplateCache(tmp_path / "cache" / "templates")

    assert templates.background(parts()) == a_background()
    assert templates.background(parts(page=2)) == parts(page=2).made()
    (warning,) = [record.getMessage() for record in caplog.records]
    assert "cannot be read" in warning
    assert "Not a directory" in warning


def test_a_disk_that_cannot_be_written_costs_only_time(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # A folder in the file's place: no file can take its name, whoever the user is.
    in_its_place = tmp_path / f"{KEY}{SUFFIX}"
    in_its_place.mkdir()
    folder = TemplateFolder(tmp_path)

    folder.put(KEY, a_background())
    folder.put(KEY, a_background())

    (warning,) = [record.getMessage() for record in caplog.records]
    assert "cannot be written" in warning
    assert files_in(tmp_path) == [in_its_place.name]
    assert folder.get(KEY) is None


def test_files_are_readable_by_the_owner_and_the_group(tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "templates"
    TemplateFolder(folder).put(KEY, a_background())

    assert (folder / f"{KEY}{SUFFIX}").stat().st_mode & 0o137 == 0


def test_what_was_not_used_for_the_longest_time_is_removed_first(tmp_path: Path) -> None:
    background = a_background()
    size = len(written(KEY, background))
    folder = TemplateFolder(tmp_path, most_bytes=3 * size)
    keys = [number * 64 for number in "1234"]
    for age, key in enumerate(keys[:3]):
        folder.put(key, background)
        os.utime(tmp_path / f"{key}{SUFFIX}", times=(1000 + age, 1000 + age))
    (tmp_path / "of somebody else").write_bytes(bytes(4 * size))

    assert folder.get(keys[0]) == background
    folder.put(keys[3], background)

    assert folder.get(keys[1]) is None
    assert [folder.get(key) for key in (keys[0], keys[2], keys[3])] == [background] * 3
    assert (tmp_path / "of somebody else").exists()


def test_a_background_larger_than_the_limit_is_not_kept(tmp_path: Path) -> None:
    background = a_background()
    size = len(written(KEY, background))
    folder = TemplateFolder(tmp_path, most_bytes=size)
    folder.put(KEY, background)
    artwork = replace(background.artwork, body=background.artwork.body + b"\n")

    folder.put(OTHER_KEY, replace(background, artwork=artwork))

    assert files_in(tmp_path) == [f"{KEY}{SUFFIX}"]


def test_what_killed_processes_left_is_removed_after_an_hour(tmp_path: Path) -> None:
    left, being_written = tmp_path / "a.part", tmp_path / "b.part"
    for path in (left, being_written):
        path.write_bytes(b"half")
    an_hour_ago = time.time() - 3601
    os.utime(left, times=(an_hour_ago, an_hour_ago))

    TemplateFolder(tmp_path).put(KEY, a_background())

    assert files_in(tmp_path) == sorted([f"{KEY}{SUFFIX}", being_written.name])


def test_threads_that_ask_at_once_share_one(monkeypatch: pytest.MonkeyPatch) -> None:
    templates, start = TemplateCache(), Barrier(THREADS)
    made: list[Background] = []
    make = BackgroundParts.made

    def slowly(wanted: BackgroundParts) -> Background:
        made.append(make(wanted))
        time.sleep(0.05)
        return made[-1]

    def ask(number: int) -> Background:
        wanted = parts(slug=Slug(f"template-{number}"))
        start.wait(timeout=10)
        return templates.background(wanted)

    monkeypatch.setattr(BackgroundParts, "made", slowly)
    with ThreadPoolExecutor(THREADS) as threads:
        given = list(threads.map(ask, range(THREADS)))

    assert len(made) == 1
    assert all(each is made[0] for each in given)


def test_a_thread_that_waited_for_one_that_was_refused_is_refused_too() -> None:
    templates, start = TemplateCache(), Barrier(THREADS)

    def ask(_: int) -> str:
        start.wait(timeout=10)
        with pytest.raises(RenderingError) as refused:
            templates.background(parts(template=b"no template"))
        return refused.value.reason

    with ThreadPoolExecutor(THREADS) as threads:
        assert set(threads.map(ask, range(THREADS))) == {"bad-template"}


def test_memory_holds_those_that_were_used_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template_cache, "MOST_IN_MEMORY", 2)
    templates = TemplateCache()
    first = templates.background(parts())
    second = templates.background(parts(page=2))

    assert templates.background(parts()) is first
    templates.background(parts(conformance="none"))

    assert templates.background(parts()) is first
    assert templates.background(parts(page=2)) is not second


def test_files_can_be_read_without_python_objects(tmp_path: Path) -> None:
    background = TemplateCache(tmp_path).background(parts())
    (file,) = tmp_path.iterdir()
    first, head, body = file.read_bytes().split(b"\n", 2)

    assert re.fullmatch(rb"testamur-template/1 [0-9a-f]{64}", first)
    assert head.startswith(b'{"key":"%b"' % file.stem.encode())
    assert body == background.artwork.body


def _must_not_be_called(_: BackgroundParts) -> Background:
    raise AssertionError("it was made again")
