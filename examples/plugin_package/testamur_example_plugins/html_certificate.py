"""A renderer of certificates as HTML pages that stand on their own: no script, nothing loaded."""

import hashlib
import unicodedata
from html import escape
from string import Template
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from testamur.application.errors import RenderingError
from testamur.application.ports.rendering import AssetLibrary, Document, RenderedFile

#: Changes whenever the same options and document give another page.
VERSION: Final = "html-certificate/1"

_PAGE: Final = Template("""\
<!DOCTYPE html>
<html lang="$locale">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>$type_name: $full_name</title>
<style>
  main { border: 0.5rem double $colour; margin: 2rem auto; max-width: 40rem; padding: 3rem;
         text-align: center; font-family: Georgia, serif; }
  h1, strong { color: $colour; }
  strong { font-size: 2rem; display: block; margin: 2rem; }
</style>
<main>
  <h1>$type_name</h1>
  <p>$issuer_name
  <strong dir="auto">$full_name</strong>
  <p dir="auto">$context_name
  <p><time>$award_date</time>
  $verification
</main>
</html>
""")


class HtmlOptions(BaseModel):
    """What the page looks like.

    Args:
        colour: Of border, heading and name, as ``#rrggbb``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    colour: Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")] = "#1f3a5f"


class HtmlRenderer:
    """Makes certificates in HTML."""

    options_model = HtmlOptions

    def prepare(self, options: Any, assets: AssetLibrary) -> "PreparedHtml":
        """Return a renderer for these options; they name no asset."""
        return PreparedHtml(options)


class PreparedHtml:
    """A page ready to be filled in.

    Args:
        options: What it looks like.
    """

    def __init__(self, options: HtmlOptions) -> None:
        self._options = options

    @property
    def digest(self) -> str:
        """SHA-256 over everything but the document."""
        text = f"{VERSION}\n{_PAGE.template}\n{self._options.model_dump_json()}"
        return hashlib.sha256(text.encode()).hexdigest()

    def check(self, document: Document) -> None:
        """Refuse a name that a page cannot hold.

        Raises:
            RenderingError: It has a control character.
        """
        if any(unicodedata.category(each) == "Cc" for each in document.full_name):
            raise RenderingError("forbidden-character", "the name has a control character")

    def render(self, document: Document) -> RenderedFile:
        """Fill in the page; the same document gives the same bytes.

        Raises:
            RenderingError: As :meth:`check`.
        """
        self.check(document)
        page = _PAGE.substitute(
            colour=self._options.colour,
            verification=_verification(document.verify_url),
            award_date=document.award_date.isoformat(),
            context_name="<br>".join(map(escape, document.context_name.splitlines())),
            **{
                name: escape(getattr(document, name))
                for name in ("full_name", "issuer_name", "locale", "type_name")
            },
        )
        content = page.encode()
        return RenderedFile(content, hashlib.sha256(content).hexdigest(), "text/html", ".html")


def _verification(url: str | None) -> str:
    return "" if url is None else f'<p><a href="{escape(url)}">{escape(url)}</a>'
