"""Which fonts an element is drawn with, in the order in which they are tried."""

from collections.abc import Sequence
from typing import overload

from testamur.adapters.pdf.default_fonts import default_weight, for_language
from testamur.adapters.pdf.font_objects import refuse_unusable
from testamur.adapters.pdf.fonts import Font, FontShelf
from testamur.adapters.pdf.languages import looked_up
from testamur.adapters.pdf.options import PdfOptions, TextElement


class FontChains:
    """Gives each element its fonts.

    First comes the element's own font, then the one that the options name for the document's
    language, then the options' other fonts. Those that come with Testamur follow, likewise with the
    one for the language first, where the options ask for them or name no fonts.

    Args:
        options: The options, whose weights are checked.
        shelf: Where fonts come from; all that the options name are read now, the others when a
            text needs them.
    """

    def __init__(self, options: PdfOptions, shelf: FontShelf) -> None:
        self._options = options
        self._shelf = shelf
        self._bundled = options.bundled_fonts
        self._first = (*options.fonts, *self._bundled)[0]
        self._chains: dict[tuple[str, int | None, str], Sequence[Font]] = {}
        for reference in (*options.fonts, *options.font_for_language.values()):
            refuse_unusable(shelf.font(reference))
        for name, element in options.drawn.items():
            if isinstance(element, TextElement):
                own = element.font or self._first
                if element.font is not None:
                    refuse_unusable(shelf.font(own))
                if element.weight is not None:
                    shelf.refuse_weight(own, element.weight, f"elements.{name}.weight")

    def __call__(self, element: TextElement, language: str) -> Sequence[Font]:
        """Return the fonts of an element in a language."""
        own = element.font or self._first
        key = (own, element.weight, language)
        if key not in self._chains:
            of_options = looked_up(language, self._options.font_for_language)
            of_bundled = for_language(language) if self._bundled else None
            tried = (own, of_options, *self._options.fonts, of_bundled, *self._bundled)
            references = [each for each in dict.fromkeys(tried) if each is not None]
            self._chains[key] = _Chain(references, element.weight, self._shelf)
        return self._chains[key]


class _Chain(Sequence[Font]):
    """Fonts, each read when it is first tried."""

    def __init__(self, references: Sequence[str], weight: int | None, shelf: FontShelf) -> None:
        self._references = references
        self._weight = weight
        self._shelf = shelf

    def __len__(self) -> int:
        return len(self._references)

    @overload
    def __getitem__(self, index: int) -> Font: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Font]: ...

    def __getitem__(self, index: int | slice) -> Font | Sequence[Font]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        reference = self._references[index]
        return self._shelf.font(reference, self._weight or default_weight(reference))
