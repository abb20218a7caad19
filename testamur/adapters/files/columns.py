"""Checking whole columns of a batch at once, and keeping what repeats as a number."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from testamur.adapters.files.tables import Column
from testamur.adapters.files.values import NotAllowed, Stored, refuse_broken_text

#: Values of a column that are remembered as read; their memory must not grow with the file.
MOST_REMEMBERED: Final = 50_000

#: Words of a coded column that get a number; those after them are stored as they are.
MOST_WORDS: Final = 200_000


@dataclass(frozen=True, slots=True)
class Fault:
    """A value that is not allowed.

    Args:
        index: Place of its row in the batch.
        column: Its column.
        value: The value; None where it is personal.
        reason: Why.
    """

    index: int
    column: str
    value: str | None
    reason: NotAllowed


class Lexicon:
    """Numbers the words of a coded column as they come."""

    def __init__(self, most_words: int = MOST_WORDS) -> None:
        self._most_words = most_words
        self._codes: dict[str, int] = {}

    @property
    def codes(self) -> Mapping[str, int]:
        """The number of each word."""
        return self._codes

    def code(self, word: str) -> int | str:
        """Return the word's number, or the word itself once there are enough numbers."""
        code = self._codes.get(word)
        if code is None:
            if len(self._codes) >= self._most_words:
                return word
            code = self._codes[word] = len(self._codes)
        return code


class ColumnReader:
    """Checks the values of one column, batch by batch.

    Args:
        column: The column.
        lexicon: Numbers its words, if the column is coded.
    """

    def __init__(self, column: Column, lexicon: Lexicon | None = None) -> None:
        self._column = column
        self._lexicon = lexicon
        self._remembered: dict[str, Stored] = {}

    def read(self, texts: Sequence[str], faults: list[Fault]) -> Sequence[Stored]:
        """Return what is stored for the values of a batch; None for those not allowed.

        Args:
            texts: The values, as the file has them.
            faults: Gets those that are not allowed.
        """
        if self._lexicon is None:
            many = self._column.kind.read_many(texts)
            if many is not None:
                return many
        remembered = self._remembered
        if len(remembered) > MOST_REMEMBERED:
            remembered.clear()
        try:
            return [*map(remembered.__getitem__, texts)]
        except KeyError:
            # In the order of the file, so that codes do not differ from one run to the next.
            refused = self._remember(dict.fromkeys(texts))
        for index, text in enumerate(texts) if refused else ():
            if reason := refused.get(text):
                value = text.strip() if self._column.kind.may_show(text) else None
                faults.append(Fault(index, self._column.name, value, reason))
        return [*map(remembered.get, texts)]

    def _remember(self, texts: Iterable[str]) -> dict[str, NotAllowed]:
        refused = {}
        for text in texts:
            if text in self._remembered:
                continue
            try:
                self._remembered[text] = self._stored(text.strip())
            except NotAllowed as reason:
                refused[text] = reason
        return refused

    def _stored(self, text: str) -> Stored:
        kind = self._column.kind
        if not text:
            if self._column.optional:
                return self._column.default
            raise NotAllowed(kind.allowed)
        refuse_broken_text(text, kind.allowed)
        stored = kind.read(text)
        return self._lexicon.code(str(stored)) if self._lexicon is not None else stored
