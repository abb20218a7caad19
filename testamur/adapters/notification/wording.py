"""What a message says, in the learner's language, from templates."""

import re
import threading
from collections import OrderedDict
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from types import CodeType
from typing import Final, get_args
from uuid import UUID

from babel import Locale
from babel.dates import format_date
from jinja2 import (
    BaseLoader,
    BytecodeCache,
    ChoiceLoader,
    DictLoader,
    FileSystemLoader,
    StrictUndefined,
    TemplateError,
    TemplateSyntaxError,
)
from jinja2.bccache import Bucket
from jinja2.sandbox import SandboxedEnvironment

from testamur.adapters.notification.languages import (
    from_special_to_general,
    locale_of,
    parse_language,
)
from testamur.adapters.notification.template_archives import templates_in
from testamur.application.errors import NotificationError
from testamur.application.ports.notification import Attachment, Notification, TemplateSet
from testamur.domain.credentials import Notice
from testamur.domain.errors import InvalidInput
from testamur.domain.identifiers import CredentialId

#: Sets of templates of configurations that are kept ready.
MOST_KEPT: Final = 32

#: Templates that are kept compiled: the shipped ones several times over. Each takes some kilobytes.
_MOST_COMPILED: Final = 2_000

#: Used where neither the learner's language nor the default one has templates.
LAST_RESORT: Final = "en"

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
        self._below = [FileSystemLoader(folder) for folder in folders]
        self._files = {
            f"{path.parent.name}/{path.name}"
            for folder in folders
            for path in folder.glob("*/*")
            if path.is_file()
        }
        self._usual = _Templates(self._below, self._files, default_language, str(own))
        self._of_configurations: OrderedDict[str, _Templates] = OrderedDict()
        self._lock = threading.Lock()
        if own is not None:
            self._usual.try_out()

    @property
    def languages(self) -> frozenset[str]:
        """Tags of the languages that there are templates for."""
        return self._usual.languages("issued")

    def put_into_words(self, notification: Notification) -> Wording:
        """Return what a message says, in the best language that there is.

        Raises:
            BadTemplate: A template cannot be rendered with these values.
        """
        if notification.templates is None:
            return self._usual.put_into_words(notification)
        try:
            templates = self._of(notification.templates)
        except InvalidInput as error:
            raise BadTemplate(str(error)) from error
        return templates.put_into_words(notification)

    def try_out(self, archive: TemplateSet) -> None:
        """Make sure that templates of a configuration can be used.

        Raises:
            InvalidInput: One of them is missing or cannot be rendered.
        """
        self._of(archive).try_out()

    def _of(self, archive: TemplateSet) -> "_Templates":
        with self._lock:
            known = self._of_configurations.get(archive.sha256)
            if known is None:
                over = templates_in(archive)
                files = self._files | set(over)
                loaders = [DictLoader(over), *self._below]
                known = _Templates(loaders, files, self._default_language, archive.name)
                self._of_configurations[archive.sha256] = known
                if len(self._of_configurations) > MOST_KEPT:
                    self._of_configurations.popitem(last=False)
            self._of_configurations.move_to_end(archive.sha256)
            return known


class _Compiled(BytecodeCache):
    """Keeps what templates are compiled to, by their name and content, for the whole process.

    Every set of templates has all the shipped ones below it, and to compile these takes long.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fill in what was kept of a template, if anything was."""
        bucket.code = self._kept.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what a template was compiled to."""
        if len(self._kept) >= _MOST_COMPILED:
            self._kept.clear()
        if bucket.code is not None:
            self._kept[bucket.key, bucket.checksum] = bucket.code


_COMPILED: Final = _Compiled()


class _Templates:
    """Templates from several places, one before the other.

    Args:
        loaders: The places.
        files: Paths of all templates of languages, such as ``pl/issued.txt``.
        default_language: For learners whose language has no templates.
        place: Where one's own are, for people.

    Raises:
        InvalidInput: A folder is not named by a language tag, or a file of a language is missing.
    """

    def __init__(
        self, loaders: Sequence[BaseLoader], files: Set[str], default_language: str, place: str
    ) -> None:
        self._default_language = default_language
        self._place = place
        self._environment = SandboxedEnvironment(
            loader=ChoiceLoader(loaders),
            autoescape=lambda name: name is None or name.endswith(".html"),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            cache_size=-1,
            bytecode_cache=_COMPILED,
        )
        self._locales: dict[Notice, dict[str, Locale]] = {}
        for notice in get_args(Notice):
            names = files_of(notice)
            folders = {
                folder
                for folder, _, name in (file.rpartition("/") for file in files)
                if name in names and folder and "/" not in folder
            }
            self._locales[notice] = {folder: locale_of(folder, place) for folder in sorted(folders)}
            for folder in sorted(folders):
                self._require_all(folder, names, files)

    def languages(self, notice: Notice) -> frozenset[str]:
        """Tags of the languages that there are templates of a kind of message for."""
        return frozenset(self._locales[notice])

    def put_into_words(self, notification: Notification) -> Wording:
        """Return what a message says, in the best language that there is.

        Raises:
            BadTemplate: A template cannot be rendered with these values.
        """
        language, locale = self._choose(notification.locale, notification.notice)
        return self._render(notification, language, locale)

    def try_out(self) -> None:
        """Render everything once; all languages, not only those of one's own: they share a layout.

        Raises:
            InvalidInput: A template cannot be rendered.
        """
        for notice, locales in self._locales.items():
            for language, locale in locales.items():
                for sample in _SAMPLES:
                    try:
                        self._render(replace(sample, notice=notice), language, locale)
                    except BadTemplate as error:
                        allowed = f"templates that can be rendered ({error})"
                        raise InvalidInput("templates", self._place, allowed) from error

    def _require_all(self, folder: str, names: tuple[str, ...], files: Set[str]) -> None:
        for name in names:
            if f"{folder}/{name}" not in files:
                allowed = f"folders with {', '.join(names)}; {name} is missing"
                raise InvalidInput("templates", f"{self._place}/{folder}", allowed)

    def _choose(self, tag: str, notice: Notice) -> tuple[str, Locale]:
        for wanted in (tag, self._default_language, LAST_RESORT):
            locale = parse_language(wanted)
            if locale is None:
                continue
            for language in from_special_to_general(locale):
                if language in self._locales[notice]:
                    return language, locale
        raise AssertionError(f"the templates of {LAST_RESORT} are shipped")

    def _render(self, notification: Notification, language: str, locale: Locale) -> Wording:
        expires = notification.expiry_date
        values = {
            "name": one_line(notification.full_name),
            "type_name": one_line(notification.type_name),
            "context_name": one_line(notification.context_name),
            "issuer_name": one_line(notification.issuer_name),
            "award_date": format_date(notification.award_date, "long", locale),
            "expiry_date": None if expires is None else format_date(expires, "long", locale),
            "download_url": notification.download_url,
            "verify_url": notification.verify_url,
            "attached": bool(notification.attachments),
            "language": language,
            "direction": "rtl" if locale.character_order == "right-to-left" else "ltr",
        }
        rendered = []
        for file in files_of(notification.notice):
            name = f"{language}/{file}"
            try:
                rendered.append(self._environment.get_template(name).render(values))
            except TemplateSyntaxError as error:
                where = f"{error.name or name}, line {error.lineno}"
                raise BadTemplate(f"{where}: {error.message}") from error
            except _FAULTS as error:
                raise BadTemplate(f"{name}: {error}") from error
        subject, text, html = rendered
        return Wording(language, one_line(subject), _tidy(text), _tidy(html))


def files_of(notice: Notice) -> tuple[str, str, str]:
    """Return the names of the templates of a kind of message: subject, plain text, HTML."""
    return f"{notice}.subject.txt", f"{notice}.txt", f"{notice}.html"


def one_line(text: str) -> str:
    """Return a text on one line, without control characters or bidirectional overrides."""
    writable = text.encode("utf-8", "replace").decode()
    return " ".join(_INVISIBLE.sub(" ", writable).split())


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
        expiry_date=date(2027, 1, 31),
        download_url=link,
        verify_url=link,
        attachments=attachments,
    )
    for link, attachments in [
        ("https://testamur.invalid/", ()),
        (None, (Attachment("certificate.pdf", b"", "application/pdf"),)),
    ]
)
