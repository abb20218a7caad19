"""Names of files in a download: from a pattern to paths that every file system takes."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Final, NamedTuple

from testamur.domain.errors import InvalidInput

#: What a pattern may ask for -> what it stands for.
NAME_FIELDS: Final[Mapping[str, str]] = {
    "name": "the learner's name on the document",
    "learner_id": "the data source's id of the learner",
    "type": "what the credential is called",
    "type_slug": "slug of the credential type",
    "context": "name of the course, lesson or pathway",
    "context_key": "its key",
    "date": "the award date, as 2026-06-30",
    "edition": "1 for the first",
    "verification_id": "the public id",
    "serial": "the serial number; nothing where there is none",
}

#: Most file systems take no longer name of a file or folder.
LONGEST_PART_BYTES: Final = 255
#: In UTF-16, as Windows counts: it takes 260 for a whole path, which often is two folders and a
#: name.
LONGEST_PART_UNITS: Final = 120
MOST_PARTS: Final = 8
LONGEST_PATTERN: Final = 500

#: What Windows refuses; the slash is what all others do.
_FORBIDDEN: Final = re.compile(r'[<>:"/\\|?*\ud800-\udfff\ufffe\uffff]')
#: Steers how text runs, or shows as nothing; what scripts need (U+200C and U+200D) is left.
_UNSEEN: Final = re.compile(
    r"[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)
_COLON_OF_A_TITLE: Final = re.compile(r":(?=\s)")
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
#: Windows takes these for devices, whatever the ending ("Naming Files, Paths, and Namespaces").
_DEVICE: Final = re.compile(
    r"(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(COM|LPT)[0-9¹²³])\s*(\.|$)", re.IGNORECASE
)
_USUAL_ENDING: Final = ".pdf"
_VIRAMA_CLASS: Final = 9
_ZERO_WIDTH_JOINER: Final = "\u200d"
_JOINS_BEFORE: Final = re.compile("[\u200c\u200d\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]")


class Piece(NamedTuple):
    """A piece of a pattern.

    Args:
        text: What it says, or the name of a field.
        is_field: Whether it is a field.
    """

    text: str
    is_field: bool


@dataclass(frozen=True, slots=True)
class NamePattern:
    """How files are named: text, fields in braces, and ``/`` between folders.

    Args:
        text: As it was given.
        parts: Folders and, last, the file without its ending.
    """

    text: str
    parts: tuple[tuple[Piece, ...], ...]

    @classmethod
    def parse(cls, text: str, field: str = "names") -> "NamePattern":
        """Read a pattern such as ``{context}/{name} - {type}.pdf``.

        A ``.pdf`` at the end is left off: each document has its own ending. ``{{`` and ``}}``
        stand for braces.

        Args:
            text: The pattern.
            field: Name of the field in the error.

        Raises:
            InvalidInput: It has an unknown field, or cannot be a path inside a folder.
        """
        without_ending = text.removesuffix(_USUAL_ENDING)
        if not without_ending.strip() or len(text) > LONGEST_PATTERN:
            raise InvalidInput(field, text, f"1 to {LONGEST_PATTERN} characters")
        parts: list[list[Piece]] = [[]]
        for piece in _pieces(without_ending, field):
            if piece.is_field:
                parts[-1].append(piece)
                continue
            first, *others = piece.text.split("/")
            parts[-1].append(Piece(first, is_field=False))
            parts.extend([Piece(other, is_field=False)] for other in others)
        if len(parts) > MOST_PARTS:
            raise InvalidInput(field, text, f"at most {MOST_PARTS - 1} folders in each other")
        for part in parts:
            _check_part(part, text, field)
        return cls(text, tuple(map(tuple, parts)))

    def path(self, values: Mapping[str, str]) -> tuple[str, ...]:
        """Return folders and, last, the name of a file without its ending.

        Args:
            values: One for each of `NAME_FIELDS`; whatever is in them, the path stays below where
                the archive is unpacked.
        """
        return tuple(
            safe_part("".join(values[text] if is_field else text for text, is_field in part))
            for part in self.parts
        )


def safe_part(text: str) -> str:
    """Return a text as the name of a file or folder that Linux, macOS and Windows all take.

    It is never empty, hidden, a device, or a way out of the folder. Doing it again changes nothing.
    """
    normal = unicodedata.normalize("NFC", _UNSEEN.sub("", text))
    # "Archiving: a Beginning" reads better with a dash.
    seen = _CONTROLS.sub(" ", _FORBIDDEN.sub("_", _COLON_OF_A_TITLE.sub(" -", normal)))
    part = " ".join(seen.split()).rstrip(". ")
    if part.startswith("."):
        part = f"_{part[1:]}"
    if _DEVICE.match(part):
        part = f"_{part}"
    return shortened(part) or "_"


def shortened(
    part: str, longest_bytes: int = LONGEST_PART_BYTES, longest_units: int = LONGEST_PART_UNITS
) -> str:
    """Return the beginning of a name that is short enough, cut between two letters.

    Marks, joined letters and emoji stay whole (grapheme clusters, Unicode Standard Annex 29, as far
    as names need them).

    Args:
        part: The name.
        longest_bytes: In UTF-8.
        longest_units: In UTF-16.
    """
    if _fits(part, longest_bytes, longest_units):
        return part
    beginning = part[: longest_units + 1]
    # Where a letter with its marks is too long by itself, it is cut all the same.
    for cuts in (_cuts(beginning), range(1, len(beginning))):
        end = 0
        for possible in cuts:
            if not _fits(beginning[:possible], longest_bytes, longest_units):
                break
            end = possible
        if end:
            return beginning[:end].rstrip(". ")
    return ""


class UniqueNames:
    """Makes each path another: the second one of a name gets `` (2)``, and so on.

    Upper and lower case, and the ways to write an accent, count as the same, as on Windows and
    macOS. It keeps 64 bits of each path; two paths that agree in those by chance cost a needless
    number, and nothing else.

    Args:
        taken: Paths that are given away already.
    """

    def __init__(self, *taken: str) -> None:
        self._taken = {_fingerprint(path) for path in taken}
        self._folders_taken = {path.casefold() for path in taken}
        # Only of what was wanted twice: else a thousand namesakes were a million questions.
        self._last: dict[int, int] = {}

    def of(self, path: tuple[str, ...], ending: str) -> str:
        """Return a path that was not given before.

        Args:
            path: Folders and, last, the name without its ending.
            ending: Such as ``.pdf``.
        """
        *folders, stem = path
        if folders and folders[0].casefold() in self._folders_taken:
            folders[0] = f"_{folders[0]}"
        wanted = _joined(folders, stem, ending)
        mark = _fingerprint(wanted)
        if mark not in self._taken:
            self._taken.add(mark)
            return wanted
        number = self._last.get(mark, 1)
        while True:
            number += 1
            another = _joined(folders, stem, f" ({number}){ending}")
            if _fingerprint(another) not in self._taken:
                break
        self._last[mark] = number
        self._taken.add(_fingerprint(another))
        return another


def _pieces(text: str, field: str) -> Iterator[Piece]:
    try:
        for literal, name, how, conversion in Formatter().parse(text):
            if literal:
                yield Piece(literal, is_field=False)
            if name is None:
                continue
            if name not in NAME_FIELDS or how or conversion:
                asked = name + (f"!{conversion}" if conversion else "") + (f":{how}" if how else "")
                allowed = ", ".join(f"{{{each}}}" for each in NAME_FIELDS)
                raise InvalidInput(
                    field, f"{{{asked}}}", f"{allowed}; {{{{ and }}}} stand for braces"
                )
            yield Piece(name, is_field=True)
    except ValueError as error:
        allowed = f"fields such as {{name}}; {{{{ and }}}} stand for braces ({error})"
        raise InvalidInput(field, text, allowed) from None


def _check_part(part: list[Piece], pattern: str, field: str) -> None:
    literal = "".join(piece.text for piece in part if not piece.is_field)
    has_field = any(piece.is_field for piece in part)
    if not has_field and not literal.strip(". "):
        raise InvalidInput(
            field,
            pattern,
            "a path below the folder: no / at its ends, and no empty folder, . or ..",
        )
    if found := _FORBIDDEN.search(literal) or _CONTROLS.search(literal):
        raise InvalidInput(field, pattern, f"names without {found[0]!r}, with / between folders")


def _fits(text: str, longest_bytes: int, longest_units: int) -> bool:
    return len(text.encode()) <= longest_bytes and (
        len(text.encode("utf-16-le")) // 2 <= longest_units
    )


def _cuts(text: str) -> Iterator[int]:
    """Yield the ends of a text's clusters, the first one first."""
    flags = 0
    for position in range(1, len(text)):
        before, after = text[position - 1], text[position]
        flags = flags + 1 if _is_flag_letter(before) else 0
        if flags % 2 and _is_flag_letter(after):
            continue  # two of them make one flag
        if not _continues(before, after):
            yield position
    yield len(text)


def _continues(before: str, after: str) -> bool:
    if unicodedata.category(after)[0] == "M" or _JOINS_BEFORE.match(after):
        return True
    if "\u1160" <= after <= "\u11ff":  # a vowel or final consonant of Hangul that has no syllable
        return True
    conjunct = unicodedata.combining(before) == _VIRAMA_CLASS
    return before == _ZERO_WIDTH_JOINER or (conjunct and unicodedata.category(after)[0] == "L")


def _is_flag_letter(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _joined(folders: list[str], stem: str, ending: str) -> str:
    longest_bytes = LONGEST_PART_BYTES - len(ending.encode())
    short = shortened(stem, longest_bytes, LONGEST_PART_UNITS - len(ending)) or "_"
    return "/".join((*folders, f"{short}{ending}"))


def _fingerprint(path: str) -> int:
    return hash(unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold()))
