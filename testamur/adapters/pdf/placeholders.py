"""Placeholders: what stands in braces in a text, and what a document puts there."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from testamur.adapters.pdf.dates import date_in_words
from testamur.application.errors import RenderingError
from testamur.application.ports.rendering import Document

_VALUES: Final[Mapping[str, Callable[[Document, str, str], str | None]]] = {
    "name": lambda document, *_: document.full_name,
    "context_name": lambda document, *_: document.context_name,
    "type_name": lambda document, *_: document.type_name,
    "issuer_name": lambda document, *_: document.issuer_name,
    "issue_date": lambda document, *style: date_in_words(document.award_date, *style),
    "award_date": lambda document, *style: date_in_words(document.award_date, *style),
    "verify_url": lambda document, *_: document.verify_url,
    "verify_id": lambda document, *_: document.verification_id,
    "credential_id": lambda document, *_: str(document.credential_id),
    "grade": lambda document, *_: document.values.get("grade"),
    "completion": lambda document, *_: document.values.get("completion"),
    "serial": lambda document, *_: document.serial,
    "expiry_date": lambda document, *style: (
        None if document.expiry_date is None else date_in_words(document.expiry_date, *style)
    ),
}

#: What to do where a document has no value for a placeholder.
_REMEDIES: Final = {
    "verify_url": "set the installation's verification address, or leave the element out",
    "grade": "use criteria that look at grades, or leave the element out",
    "completion": "use criteria that look at completion, or leave the element out",
    "serial": "set the option serial.format, or leave the element out",
    "expiry_date": "set the option expiry.after or expiry.on, or leave the element out",
}

STANDARD_PLACEHOLDERS: Final = tuple(_VALUES)

SHARED_PLACEHOLDERS: Final = frozenset(
    {"context_name", "type_name", "issuer_name", "issue_date", "award_date"}
)
"""Those that say the same for all who are awarded a credential for a context on one day."""

_BRACES: Final = re.compile(r"\{\{|\}\}|\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of filled text.

    Args:
        text: What it says.
        placeholder: What it was put in for; empty where the template itself says it.
    """

    text: str
    placeholder: str = ""


class TextPattern:
    """Text with placeholders, read once and filled for many documents.

    ``{{`` and ``}}`` stand for braces. They are read before anything is put in, so that braces in
    a learner's name stay as they are. A word in braces that no document knows stays too.
    """

    def __init__(self, text: str) -> None:
        self._parts: list[tuple[str, str]] = []
        end = 0
        for found in _BRACES.finditer(text):
            self._add_literal(text[end : found.start()])
            if found[1] is None:
                self._add_literal(found[0][0])
            else:
                self._parts.append((found[0], found[1]))
            end = found.end()
        self._add_literal(text[end:])

    @property
    def words(self) -> frozenset[str]:
        """The placeholders' words."""
        return frozenset(word for _, word in self._parts if word)

    @property
    def own_text(self) -> str:
        """What it says beside the placeholders."""
        return "".join(text for text, word in self._parts if not word)

    def fill(
        self, document: Document, date_format: str = "long", language: str | None = None
    ) -> tuple[Piece, ...]:
        """Return the text with the document's values put in.

        Args:
            document: Whose values.
            date_format: How dates are written: a style or a pattern.
            language: In which language; None is the document's.

        Raises:
            RenderingError: The document has no value for one of `STANDARD_PLACEHOLDERS`.
        """
        return tuple(
            Piece(text)
            if not word
            else _filled(text, word, document, date_format, language or document.locale)
            for text, word in self._parts
        )

    def _add_literal(self, text: str) -> None:
        if not text:
            return
        if self._parts and not self._parts[-1][1]:
            text = self._parts.pop()[0] + text
        self._parts.append((text, ""))


def _filled(text: str, word: str, document: Document, date_format: str, language: str) -> Piece:
    value_of = _VALUES.get(word)
    if value_of is None:
        return Piece(document.values[word], word) if word in document.values else Piece(text)
    value = value_of(document, date_format, language)
    if value is None:
        raise RenderingError(
            "missing-value", f"there is no value for {{{word}}}: {_REMEDIES[word]}"
        )
    return Piece(value, word)
