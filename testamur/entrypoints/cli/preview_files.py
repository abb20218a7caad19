"""The folder that previews are written to: theirs are replaced, anybody else's are left alone."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from testamur.domain.errors import InvalidInput

#: Names the files that previews wrote into a folder, one on each line.
LIST: Final = ".testamur-preview"


class PreviewFolder:
    """A folder for previews.

    Args:
        folder: Where it is; made when there is something to write.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._own: set[str] | None = None

    def put(self, stem: str, contents: Mapping[str, bytes]) -> list[Path]:
        """Write the files of one sample in place of its earlier ones, and return where they are.

        Args:
            stem: What their names begin with; it has no dot.
            contents: By the rest of the name, which begins with a dot; none: only remove.

        Raises:
            InvalidInput: A file of somebody else is in the way, or the folder cannot be written
                to; then nothing was.
        """
        own = self._known()
        paths = {self._folder / f"{stem}{rest}": content for rest, content in contents.items()}
        for path in paths:
            if path.name not in own and (path.exists() or path.is_symlink()):
                raise InvalidInput(
                    "--output",
                    str(path),
                    "a folder that has no file of this name, other than previews; move it away, "
                    "or choose another folder",
                )
        outdated = {name for name in own if name.partition(".")[0] == stem}
        try:
            for name in outdated:
                (self._folder / name).unlink(missing_ok=True)
            if outdated or paths:
                self._folder.mkdir(parents=True, exist_ok=True)
                self._remember((own - outdated) | {path.name for path in paths})
            for path, content in paths.items():
                path.write_bytes(content)
        except OSError as error:
            raise self._unwritable(error.strerror) from None
        return list(paths)

    def _known(self) -> set[str]:
        if self._own is None:
            try:
                text = (self._folder / LIST).read_text(encoding="utf-8")
            except FileNotFoundError:
                text = ""
            except OSError as error:
                raise self._unwritable(error.strerror) from None
            except UnicodeDecodeError:
                raise self._unwritable(f"its file {LIST} is damaged") from None
            # A name never leads out of the folder, whoever wrote the list.
            self._own = {name for name in text.splitlines() if name == Path(name).name}
        return self._own

    def _remember(self, names: set[str]) -> None:
        self._own = set(names)
        text = "".join(f"{name}\n" for name in sorted(names))
        (self._folder / LIST).write_text(text, encoding="utf-8")

    def _unwritable(self, why: str | None) -> InvalidInput:
        return InvalidInput("--output", str(self._folder), f"a folder to write to ({why})")
