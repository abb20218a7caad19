"""What a message says, in the learner's language, from templates."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Final
from uuid import UUID

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from jinja2 import (
    ChoiceLoader,
    FileSystemLoader,
    StrictUndefined,
    TemplateError,
    TemplateSyntaxError,
)
from jinja2.sandbox import SandboxedEnvironment

from testamur.application.errors import NotificationError
from testamur.application.ports.notification import Attachment, Notification
from testamur.domain.errors import InvalidInput
from testamur.domain.identifiers import CredentialId

SUBJECT: Final = "issued.subject.txt"
TEXT: Final = "issued.txt"
HTML: Final = "issued.html"
FILES: Final = (SUBJECT, TEXT, HTML)

#: Used where neither the learner's language nor the default one has templates.
LAST_RESORT: Final = "en"

#: BCP 47 recommends to allow for this many characters (RFC 5646, section 4.4.1).
LONGEST_TAG: Final = 35

_SHIPPED: Final = Path(__file__).parent / "templates"

#: Control characters and line ends would forge headers or lines, and bidirectional overrides would
#: make a text read as another one.
_INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")

#: What can go wrong in a template, apart from what Jinja itself finds wrong with it.
_FAULTS = (TemplateError, ArithmeticError, LookupError, RecursionError, TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class Wording:
    """What a message says.

    Args:
        language: Language tag of the templates that it was made from.
        subject: One line.
        text: Plain text.
        html: The same as HTML.
    """

    language: str
    subject: str
    text: str
    html: str


class BadTemplate(NotificationError):
    """A template of the user's cannot be rendered."""


class MailTemplates:
    """Puts notifications into words.

    The templates are read once. They are Jinja templates in a sandbox; everything that goes into
    an ``.html`` template is escaped, and a variable that does not exist is an error.

    Args:
        own: Folder with templates that go before the shipped ones, file by file.
        default_language: For learners whose language has no templates.

    Raises:
        InvalidInput: A template of one's own is missing or cannot be rendered.
    """

    def __init__(self, own: Path | None = None, default_language: str = LAST_RESORT) -> None:
        if own is not None and not own.is_dir():
            raise InvalidInput("templates", str(own), "a folder")
        folders = [_SHIPPED] if own is None else [own, _SHIPPED]
        self._default_language = default_language
        self._environment = SandboxedEnvironment(
            loader=ChoiceLoader([FileSystemLoader(folder) for folder in folders]),
            autoescape=lambda name: name is None or name.endswith(".html"),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            cache_size=-1,
        )
        self._locales = {
            path.name: _locale_of(path) for folder in folders for path in _languages_in(folder)
        }
        if own is not None:
            self._try_out(own)

    @property
    def languages(self) -> frozenset[str]:
        """Tags of the languages that there are templates for."""
        return frozenset(self._locales)

    def put_into_words(self, notification: Notification) -> Wording:
        """Return what a message says, in the best language that there is.

        Raises:
            BadTemplate: A template cannot be rendered with these values.
        """
        language, locale = self._choose(notification.locale)
        return self._render(notification, language, locale)

    def _choose(self, tag: str) -> tuple[str, Locale]:
        for wanted in (tag, self._default_language, LAST_RESORT):
            locale = parse_language(wanted)
            if locale is None:
                continue
            for language in _from_special_to_general(locale):
                if language in self._locales:
                    return language, locale
        raise AssertionError(f"the templates of {LAST_RESORT} are shipped")

    def _render(self, notification: Notification, language: str, locale: Locale) -> Wording:
        values = {
            "name": one_line(notification.full_name),
            "type_name": one_line(notification.type_name),
            "context_name": one_line(notification.context_name),
            "issuer_name": one_line(notification.issuer_name),
            "award_date": format_date(notification.award_date, "long", locale),
            "download_url": notification.download_url,
            "verify_url": notification.verify_url,
            "attached": bool(notification.attachments),
            "language": language,
            "direction": "rtl" if locale.character_order == "right-to-left" else "ltr",
        }
        rendered = {}
        for file in FILES:
            name = f"{language}/{file}"
            try:
                rendered[file] = self._environment.get_template(name).render(values)
            except TemplateSyntaxError as error:
                where = f"{error.name or name}, line {error.lineno}"
                raise BadTemplate(f"{where}: {error.message}") from error
            except _FAULTS as error:
                raise BadTemplate(f"{name}: {error}") from error
        return Wording(
            language, one_line(rendered[SUBJECT]), _tidy(rendered[TEXT]), _tidy(rendered[HTML])
        )

    def _try_out(self, own: Path) -> None:
        # All languages, not only those of one's own: they share the layout.
        for language, locale in sorted(self._locales.items()):
            for file in FILES:
                if not any((folder / language / file).is_file() for folder in (own, _SHIPPED)):
                    allowed = f"folders with {', '.join(FILES)}; {file} is missing"
                    raise InvalidInput("templates", str(own / language), allowed)
            for sample in _SAMPLES:
                try:
                    self._render(sample, language, locale)
                except BadTemplate as error:
                    allowed = f"templates that can be rendered ({error})"
                    raise InvalidInput("templates", str(own), allowed) from error


def one_line(text: str) -> str:
    """Return a text on one line, without control characters or bidirectional overrides."""
    writable = text.encode("utf-8", "replace").decode()
    return " ".join(_INVISIBLE.sub(" ", writable).split())


@lru_cache(maxsize=1024)
def parse_language(tag: str) -> Locale | None:
    """Return the locale of a language tag, as much of it as is known, or None.

    Args:
        tag: BCP 47, or with underscores, e.g. ``pt-BR``, ``zh_Hant_TW``.
    """
    parts = tag[:LONGEST_TAG].replace("_", "-").split("-")
    while parts:
        try:
            return Locale.parse("-".join(parts), sep="-")
        except (ValueError, UnknownLocaleError):
            parts.pop()
    return None


def _from_special_to_general(locale: Locale) -> list[str]:
    language, script, territory = (
        f"-{part}" if part else "" for part in (locale.language, locale.script, locale.territory)
    )
    tags = [language + script + territory, language + territory, language + script, language]
    return list(dict.fromkeys(tag.removeprefix("-") for tag in tags))


def _languages_in(folder: Path) -> set[Path]:
    return {path.parent for file in FILES for path in folder.glob(f"*/{file}")}


def _locale_of(folder: Path) -> Locale:
    locale = parse_language(folder.name)
    tags = _from_special_to_general(locale) if locale else []
    if locale is None or folder.name not in tags:
        hint = f"; here {tags[0]}" if tags else ""
        allowed = f"folders named by a language tag, such as pl or pt-BR{hint}"
        raise InvalidInput("templates", str(folder), allowed)
    return locale


def _tidy(text: str) -> str:
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    return re.sub("\n{3,}", "\n\n", lines).strip() + "\n"


#: What templates of one's own are tried with before anybody is told anything.
_SAMPLES: Final = tuple(
    Notification(
        credential_id=CredentialId(UUID(int=0)),
        message_id="<sample@testamur.invalid>",
        created_at=datetime(2026, 1, 31, 12, tzinfo=UTC),
        email="learner@testamur.invalid",
        full_name="Ada Lovelace",
        locale="en",
        type_name="Certificate",
        context_name="Analytical Engines",
        issuer_name="University",
        award_date=date(2026, 1, 31),
        download_url=link,
        verify_url=link,
        attachments=attachments,
    )
    for link, attachments in [
        ("https://testamur.invalid/", ()),
        (None, (Attachment("certificate.pdf", b"", "application/pdf"),)),
    ]
)
