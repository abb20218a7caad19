"""What a single value may be: a class for each kind, which turns text into what is stored."""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import ClassVar, Final

from testamur.domain.contexts import parse_context_key
from testamur.domain.criteria import TOTAL, category_key
from testamur.domain.errors import InvalidInput
from testamur.domain.identifiers import LONGEST_LEARNER_ID, parse_learner_id

Stored = str | int | None
"""What the index keeps of a value."""

MOST_WHOLE_DIGITS: Final = 9
#: More than it takes to write a binary float from 0.0001 upwards in full.
MOST_DECIMALS: Final = 24

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_NUMBER = re.compile(r"(?=\.?[0-9])([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{1,3}))?")
_PLAIN_FRACTION = re.compile(rf"0?\.[0-9]{{1,{MOST_DECIMALS}}}|0|1(?:\.0{{1,{MOST_DECIMALS}}})?")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?P<time>[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?"
    r"(?P<offset>Z|[+-][0-9]{2}:[0-9]{2})?)?"
)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_EMAILS = re.compile(r"(?:(?:[^@\s]+@[^@\s]+)?\n)*")
# The `langtag` of RFC 5646, section 2.1, without its irregular and grandfathered tags.
_LANGUAGE = re.compile(
    r"(?:[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4,8})"
    r"(?:-[a-z]{4})?(?:-(?:[a-z]{2}|[0-9]{3}))?"
    r"(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*"
    r"(?:-[0-9a-wy-z](?:-[a-z0-9]{2,8})+)*(?:-x(?:-[a-z0-9]{1,8})+)?",
    re.IGNORECASE,
)
_BOOLEANS = {"true": 1, "1": 1, "false": 0, "0": 0}


class Number(str):
    """A number of a JSON file with a point or an exponent, as it stands there; never a float."""

    __slots__ = ()


class WholeNumber(str):
    """A number of a JSON file without either."""

    __slots__ = ()


class NotAllowed(Exception):
    """A value is not allowed.

    Args:
        allowed: What is, as a phrase.
        problem: What is wrong; None: the value.
    """

    def __init__(self, allowed: str, problem: str | None = None) -> None:
        self.allowed = allowed
        self.problem = problem
        super().__init__(problem or allowed)


class Kind(ABC):
    """A kind of value."""

    #: What JSON may give besides text.
    json_types: ClassVar[frozenset[type]] = frozenset()

    @property
    @abstractmethod
    def allowed(self) -> str:
        """What is allowed, as a phrase."""

    @abstractmethod
    def read(self, text: str) -> Stored:
        """Return what is stored for a value that is not empty and has no space at its ends.

        Raises:
            NotAllowed: The value is not allowed.
        """

    def may_show(self, text: str) -> bool:
        """Return whether a message may hold the value: not if it is personal."""
        return True

    def read_many(self, texts: Sequence[str]) -> Sequence[Stored] | None:
        """Return what is stored for many values that hardly repeat, or None.

        None means that they have to be read one by one: one of them may not be allowed, or the
        kind has no quicker way.
        """
        return None


@dataclass(frozen=True)
class ContextKey(Kind):
    """The key of a course, lesson or pathway.

    Args:
        kinds: Which of the three.
    """

    kinds: tuple[str, ...]

    @property
    def allowed(self) -> str:
        """What is allowed."""
        forms = {
            "course": "course-v1:ORG+COURSE+RUN or ccx-v1:ORG+COURSE+RUN+ccx@N",
            "lesson": "block-v1:ORG+COURSE+RUN+type@sequential+block@ID (ccx-block-v1:… of a ccx)",
            "pathway": "path-v1:ORG+NUMBER+RUN+GROUP",
        }
        return "; ".join(f"the key of a {kind}, {forms[kind]}" for kind in self.kinds)

    def read(self, text: str) -> Stored:
        """Return the key as it is."""
        try:
            key = parse_context_key(text)
        except InvalidInput:
            raise NotAllowed(self.allowed) from None
        if key.kind not in self.kinds:
            raise NotAllowed(self.allowed)
        return text


class LearnerIdentity(Kind):
    """The opaque id of a learner."""

    allowed = (
        f"the opaque id of a learner, 1 to {LONGEST_LEARNER_ID} characters, never an e-mail address"
    )
    json_types = frozenset({WholeNumber})

    def read(self, text: str) -> Stored:
        """Return the id as it is."""
        try:
            return parse_learner_id(text)
        except InvalidInput:
            raise NotAllowed(self.allowed) from None

    def may_show(self, text: str) -> bool:
        """Return False for what may be an e-mail address."""
        return "@" not in text

    def read_many(self, texts: Sequence[str]) -> Sequence[Stored] | None:
        """Pass ids of printable characters without space; whatever is odd is read one by one."""
        joined = " ".join(texts)
        plain = (
            joined.isprintable()
            and "@" not in joined
            and joined.count(" ") == len(texts) - 1
            and all(texts)
            and max(map(len, texts)) <= LONGEST_LEARNER_ID
        )
        return texts if plain else None


@dataclass(frozen=True)
class Text(Kind):
    """Text as it is given.

    Args:
        personal: It is never part of a message.
        lines: Line breaks are kept, each as a line feed.
    """

    personal: bool = False
    lines: bool = False

    @property
    def allowed(self) -> str:
        """What is allowed."""
        besides = " other than line breaks" if self.lines else ""
        return f"text without control characters{besides}"

    def read(self, text: str) -> Stored:
        """Return the text, its characters as they are."""
        if self.lines:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        if found := _CONTROL.search(text.replace("\n", " ") if self.lines else text):
            raise NotAllowed(self.allowed, _character("control character", found))
        return text

    def may_show(self, text: str) -> bool:
        """Return False for personal text."""
        return not self.personal

    def read_many(self, texts: Sequence[str]) -> Sequence[Stored] | None:
        """Pass printable text; an empty one stays an empty one."""
        stripped = [text.strip() for text in texts]
        return stripped if "".join(stripped).isprintable() else None


class Email(Kind):
    """An e-mail address; personal."""

    allowed = "an e-mail address such as name@example.org"

    def read(self, text: str) -> Stored:
        """Return the address as it is."""
        if not _EMAIL.fullmatch(text) or _CONTROL.search(text):
            raise NotAllowed(self.allowed)
        return text

    def may_show(self, text: str) -> bool:
        """Return False: an address is personal."""
        return False

    def read_many(self, texts: Sequence[str]) -> Sequence[Stored] | None:
        """Pass printable addresses; an empty one stays an empty one."""
        printable = "".join(texts).isprintable()
        return texts if printable and _EMAILS.fullmatch("\n".join(texts) + "\n") else None


class Language(Kind):
    """A language tag."""

    allowed = "a language tag of BCP 47 such as pl or pt-BR (pt_BR is read as pt-BR)"

    def read(self, text: str) -> Stored:
        """Return the tag with hyphens."""
        tag = text.replace("_", "-")
        if not _LANGUAGE.fullmatch(tag):
            raise NotAllowed(self.allowed)
        return tag


class Truth(Kind):
    """Yes or no."""

    allowed = "true or false (in any case), 1 or 0"
    json_types = frozenset({bool, WholeNumber})

    def read(self, text: str) -> Stored:
        """Return 1 or 0."""
        truth = _BOOLEANS.get(text.lower())
        if truth is None:
            raise NotAllowed(self.allowed)
        return truth


class Moment(Kind):
    """A date or a time."""

    allowed = (
        "an ISO 8601 date such as 2026-06-30 (midnight UTC as the day begins), or a time with its "
        "offset such as 2026-06-30T18:00:00Z or 2026-06-30T18:00+02:00"
    )

    def read(self, text: str) -> Stored:
        """Return the moment in UTC, as ISO 8601."""
        found = _MOMENT.fullmatch(text)
        if not found:
            raise NotAllowed(self.allowed)
        if found["time"] and not found["offset"]:
            raise NotAllowed(self.allowed, f"{text!r} has no offset from UTC")
        try:
            moment = datetime.fromisoformat(text)
            aware = moment.astimezone(UTC) if found["time"] else moment.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            raise NotAllowed(self.allowed) from None
        return aware.isoformat()


@dataclass(frozen=True)
class Amount(Kind):
    """An exact number that is not negative.

    Args:
        most: The greatest allowed; None: as many digits as are allowed.
        example: One that is allowed.
        hint: More about it, as the end of a phrase.
    """

    most: int | None
    example: str
    hint: str = ""

    json_types = frozenset({Number, WholeNumber})

    @property
    def allowed(self) -> str:
        """What is allowed."""
        if self.most is not None:
            what = f"a fraction from 0 to {self.most} such as {self.example}"
            return f"{what}, at most {MOST_DECIMALS} digits after the point{self.hint}"
        return (
            f"a number from 0 such as {self.example}, at most {MOST_WHOLE_DIGITS} digits before "
            f"the point and {MOST_DECIMALS} after it{self.hint}"
        )

    def read(self, text: str) -> Stored:
        """Return the number as it is written."""
        if self.most == 1 and _PLAIN_FRACTION.fullmatch(text):
            return str(text)
        found = _NUMBER.fullmatch(text)
        if not found:
            raise NotAllowed(self._allowed_instead_of(text))
        whole, decimals, exponent = found[1], found[2] or "", int(found[3] or 0)
        if (
            len(whole.lstrip("0")) + exponent > MOST_WHOLE_DIGITS
            or len(decimals) - exponent > MOST_DECIMALS
            or (self.most is not None and Decimal(text) > self.most)
        ):
            raise NotAllowed(self.allowed)
        return str(text)

    def _allowed_instead_of(self, text: str) -> str:
        if "," in text:
            return f"{self.allowed}; with a decimal point, not a comma"
        if text.endswith("%"):
            return f"{self.allowed}; not a percentage"
        return self.allowed


class Position(Kind):
    """A place in an order."""

    allowed = f"a whole number from 0, at most {MOST_WHOLE_DIGITS} digits"
    json_types = frozenset({WholeNumber})

    def read(self, text: str) -> Stored:
        """Return the number."""
        if not re.fullmatch(rf"[0-9]{{1,{MOST_WHOLE_DIGITS}}}", text):
            raise NotAllowed(self.allowed)
        return int(text)


class Category(Kind):
    """The name of an assignment category."""

    allowed = "the name of an assignment category; not Total, which stands for all of them"

    def read(self, text: str) -> Stored:
        """Return the name as it is."""
        if _CONTROL.search(text) or category_key(text) == TOTAL:
            raise NotAllowed(self.allowed)
        return text


class CategoryKey(Kind):
    """The form in which names of categories are compared; worked out, never in a file."""

    allowed = Category.allowed

    def read(self, text: str) -> Stored:
        """Return the form in which the name is compared."""
        return category_key(text)


class Work(Kind):
    """What a row of grades is about: a subsection, or all of a category; worked out.

    A subsection's id is stored as it is, a category after `CATEGORY_MARK`.
    """

    #: A control character, which cannot stand in an id.
    CATEGORY_MARK: ClassVar[str] = "\x01"

    allowed = "the id of a graded subsection, or nothing for the category as a whole"

    def read(self, text: str) -> Stored:
        """Return the id as it is, or the category in the form in which it is compared."""
        if text.startswith(self.CATEGORY_MARK):
            return self.CATEGORY_MARK + category_key(text.removeprefix(self.CATEGORY_MARK))
        return text

    @classmethod
    def of(cls, subsection_ids: Iterable[str], categories: Iterable[str]) -> list[str]:
        """Return what the rows with these values are about."""
        mark = cls.CATEGORY_MARK
        return [
            subsection_id.strip() or mark + category
            for subsection_id, category in zip(subsection_ids, categories, strict=True)
        ]


def refuse_broken_text(text: str, allowed: str) -> None:
    """Refuse what is not text at all: bytes that are not UTF-8, half of a surrogate pair.

    Readers decode with ``surrogateescape`` (PEP 383), so that such a byte is found in its column.

    Raises:
        NotAllowed: There is such a byte or half.
    """
    found = _SURROGATE.search(text)
    if found and "\udc80" <= found[0] <= "\udcff":
        byte = f"byte 0x{ord(found[0]) - 0xDC00:02X}"
        raise NotAllowed(
            f"text in UTF-8: {allowed}", f"{byte} at character {found.start() + 1} is not UTF-8"
        )
    if found:
        raise NotAllowed(f"text in UTF-8: {allowed}", _character("half a surrogate pair", found))


def _character(what: str, found: re.Match[str]) -> str:
    return f"{what} U+{ord(found[0]):04X} at character {found.start() + 1} is not allowed"
