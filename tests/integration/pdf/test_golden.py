"""Golden images: pages look as they did when somebody looked at them.

``python -m tests.support.golden NAME`` keeps a new look.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageFilter

from tests.support import golden
from tests.support.golden import FOLDER, NotAsKept, compare, differs
from tests.support.golden_pages import MARKS_LEFT_OUT, NAMES, PAGES, name_page

MOST_BYTES = 1_500_000


def kept(name: str) -> Image.Image:
    with Image.open(FOLDER / f"{name}.png") as image:
        return image.convert("L")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_looks_as_it_has_to(name: str) -> None:
    compare(name, PAGES[name]())


def test_every_image_belongs_to_a_page_and_all_stay_small() -> None:
    files = list(FOLDER.iterdir())

    assert sorted(file.name for file in files) == sorted(f"{name}.png" for name in PAGES)
    assert sum(file.stat().st_size for file in files) < MOST_BYTES


@pytest.mark.parametrize(("name", "without"), MARKS_LEFT_OUT.items(), ids=MARKS_LEFT_OUT)
def test_a_missing_mark_is_seen(name: str, without: str) -> None:
    language, _ = NAMES[name]

    assert differs(kept(name), name_page(without, language))


@pytest.mark.parametrize("name", ["align-center", "arabic", "weights", "colors", "code"])
def test_a_page_that_has_moved_by_a_point_is_seen(name: str) -> None:
    image = kept(name)

    assert differs(image, ImageChops.offset(image, 2, 0))
    assert differs(image, ImageChops.offset(image, 0, 2))


@pytest.mark.parametrize(
    "redraw",
    [
        lambda image: moved(image, 0.3, 0.2),
        lambda image: moved(image, -0.25, 0.25),
        lambda image: image.filter(ImageFilter.GaussianBlur(0.4)),
        lambda image: image.point(lambda value: round(255 * (value / 255) ** 1.4)),
        lambda image: image.point(lambda value: round(255 * (value / 255) ** 0.7)),
    ],
    ids=["moved", "moved back", "softer", "darker", "brighter"],
)
def test_other_antialiasing_is_no_difference(
    redraw: Callable[[Image.Image], Image.Image],
) -> None:
    assert [name for name in PAGES if differs(kept(name), redraw(kept(name)))] == []


def moved(image: Image.Image, right: float, down: float) -> Image.Image:
    """A picture moved by parts of a pixel, as if its edges were drawn with other antialiasing."""
    return image.transform(
        image.size,
        Image.Transform.AFFINE,
        (1, 0, -right, 0, 1, -down),
        Image.Resampling.BILINEAR,
        fillcolor=255,
    )


def test_a_page_that_looks_otherwise_is_written_beside_the_kept_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(golden, "ROOT", tmp_path)
    monkeypatch.setattr(golden, "FAILED", tmp_path / "build" / "golden")
    picture = kept("turkish")

    with pytest.raises(NotAsKept, match=r"python -m tests.support.golden polish"):
        compare("polish", picture)

    with Image.open(tmp_path / "build" / "golden" / "polish.actual.png") as written:
        assert written.tobytes() == picture.tobytes()
    with Image.open(tmp_path / "build" / "golden" / "polish.compared.png") as written:
        assert written.size == (picture.width, 3 * picture.height)


def test_a_page_without_a_kept_image_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(golden, "ROOT", tmp_path)
    monkeypatch.setattr(golden, "FAILED", tmp_path / "build" / "golden")

    with pytest.raises(NotAsKept, match="no image is kept"):
        compare("new", kept("polish"))
