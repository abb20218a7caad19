"""Learners are told in their language, and templates of one's own go first."""

import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest

from testamur.adapters.notification.wording import MailTemplates, Wording, one_line
from testamur.application.ports.notification import Attachment
from testamur.domain.errors import InvalidInput
from tests.support.notifications import notification

SHIPPED = MailTemplates()
AUSTRIAN = MailTemplates(default_language="de-AT")
LANGUAGES = sorted(SHIPPED.languages)
PDF = Attachment("certificate.pdf", b"%PDF", "application/pdf")

HOSTILE = (
    "<script>alert(1)</script> \"x\" 'y' & {{ 7 * 7 }} {% endblock %}\r\nBcc: eve@evil.example"
)
HOSTILE_LINE = HOSTILE.replace("\r\n", " ")


class Reader(HTMLParser):
    """Reads HTML: its tags with their attributes, its text, and whether it is balanced."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_languages_that_are_shipped() -> None:
    assert " ".join(LANGUAGES) == "ar de el en es fr he hi ja ko pl pt th uk vi zh zh-Hant"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_all_that_is_to_be_said(language: str) -> None:
    told = notification(locale=language, attachments=(PDF,))

    wording = SHIPPED.put_into_words(told)

    html = Reader(wording.html)
    assert html.open == []
    assert wording.language == language
    for said in (wording.text, html.text):
        for fact in [told.full_name, told.type_name, told.context_name, told.issuer_name, "2026"]:
            assert fact in said
    assert told.type_name in wording.subject
    assert told.context_name in wording.subject
    assert "\n" not in wording.subject
    links = [attributes["href"] for tag, attributes in html.tags if tag == "a"]
    assert links == [told.download_url, told.verify_url]
    assert all(f"\n{link}\n" in wording.text for link in links)
    assert not re.search(r"\{\{|\{%|\n\n\n", wording.text + wording.html)
    direction = "rtl" if language in {"ar", "he"} else "ltr"
    for tag in ("html", "div"):
        assert (tag, language, direction) in [
            (found, attributes.get("lang"), attributes.get("dir"))
            for found, attributes in html.tags
        ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_there_is_not_is_not_mentioned(language: str) -> None:
    everything = notification(locale=language, attachments=(PDF,))
    nothing = replace(everything, download_url=None, verify_url=None, attachments=())

    wording = SHIPPED.put_into_words(nothing)

    html = Reader(wording.html)
    assert html.open == []
    assert "a" not in {tag for tag, _ in html.tags}
    assert "http" not in wording.text
    full = SHIPPED.put_into_words(everything).text.splitlines()
    left_out = [line for line in full if line and line not in wording.text.splitlines()]
    assert len(left_out) == 5  # two links with a line for each, and the attachment


def test_no_two_languages_say_the_same() -> None:
    told = notification(attachments=(PDF,))
    said = [
        SHIPPED.put_into_words(replace(told, locale=language)).text.splitlines()
        for language in LANGUAGES
    ]

    for lines in zip(*said, strict=True):
        own_words = [line for line in lines if line and "Lovelace" not in line]
        facts = {told.type_name, told.context_name, told.issuer_name}
        if own_words and not facts & set(own_words) and "http" not in own_words[0]:
            assert len(set(own_words)) == len(own_words)


@pytest.mark.parametrize("language", LANGUAGES)
def test_hostile_names_stay_text(language: str) -> None:
    hostile = notification(
        locale=language,
        full_name=HOSTILE,
        type_name=HOSTILE,
        context_name=HOSTILE,
        issuer_name=HOSTILE,
        verify_url='https://uni.example/"><script>',
        download_url="https://uni.example/'onclick=x",
    )

    wording = SHIPPED.put_into_words(hostile)

    html = Reader(wording.html)
    harmless = Reader(SHIPPED.put_into_words(notification(locale=language)).html)
    # Title, name, type, context, and the issuer twice; the plain text has no title.
    assert html.text.count(HOSTILE_LINE) == 6
    assert [tag for tag, _ in html.tags] == [tag for tag, _ in harmless.tags]
    assert [sorted(found) for _, found in html.tags] == [
        sorted(found) for _, found in harmless.tags
    ]
    assert wording.text.count(HOSTILE_LINE) == 5
    assert "\nBcc" not in wording.subject + wording.text
    assert wording.subject.count(HOSTILE_LINE) == 2


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("  Ada \t Lovelace\n", "Ada Lovelace"),
        ("Ada\r\nBcc: x", "Ada Bcc: x"),
        ("a\u2028b\u2029c\x85d\0e", "a b c d e"),
        ("Ada \u202ecnirP", "Ada cnirP"),
        ("\u2066x\u2069", "x"),
        ("\ud800Ada", "?Ada"),
        ("نیم\u200cفاصله क्\u200dष", "نیم\u200cفاصله क्\u200dष"),
        ("", ""),
    ],
)
def test_a_text_on_one_line_keeps_what_its_script_needs(text: str, line: str) -> None:
    assert one_line(text) == line


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        *(("pl", "pl"), ("pl-PL", "pl"), ("PL_pl", "pl"), ("pt-BR", "pt"), ("es-419", "es")),
        *(("zh-TW", "zh-Hant"), ("zh_HK", "zh-Hant"), ("zh-Hant-TW", "zh-Hant")),
        *(("zh-CN", "zh"), ("zh-hans-sg", "zh"), ("zh", "zh"), ("iw", "he"), ("de-CH-1996", "de")),
        *(("en-XX", "en"), ("pl-nonsense-more", "pl"), ("uk" + "-x" * 500, "uk")),
        *(("sv", "de"), ("", "de"), ("..", "de"), ("../../etc", "de"), ("x" * 5000, "de")),
    ],
)
def test_the_nearest_language_is_chosen_or_else_the_default(locale: str, language: str) -> None:
    assert AUSTRIAN.put_into_words(notification(locale=locale)).language == language


def test_english_is_there_where_even_the_default_language_is_not() -> None:
    templates = MailTemplates(default_language="sv")

    assert templates.put_into_words(notification(locale="fi")).language == "en"


@pytest.mark.parametrize(
    ("locale", "shown"),
    [
        ("en-US", "June 1, 2026"),
        ("en-GB", "1 June 2026"),
        ("pl", "1 czerwca 2026"),
        ("de-AT", "1. Juni 2026"),
        ("pt-BR", "1 de junho de 2026"),
        ("ja", "2026年6月1日"),
        ("sv", "June 1, 2026"),
    ],
)
def test_dates_are_written_as_in_the_language_of_the_message(locale: str, shown: str) -> None:
    wording = SHIPPED.put_into_words(notification(locale=locale, award_date=date(2026, 6, 1)))

    assert shown in wording.text
    assert shown in Reader(wording.html).text


def own(folder: Path, **templates: str) -> Path:
    """Write templates of one's own: ``pl__issued_txt="…"`` for ``pl/issued.txt``."""
    for name, template in templates.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(template, encoding="utf-8")
    return folder


def words(folder: Path, *locales: str) -> list[Wording]:
    """What is said with templates of one's own, in each of some languages."""
    templates = MailTemplates(folder)
    return [templates.put_into_words(notification(locale=locale)) for locale in locales]


def test_a_file_of_ones_own_goes_before_the_shipped_one_and_the_others_stay(
    tmp_path: Path,
) -> None:
    folder = own(tmp_path, pl__issued_subject_txt="Brawo, {{ name }}!")

    polish, english = words(folder, "pl", "en")

    shipped = SHIPPED.put_into_words(notification(locale="pl"))
    assert polish == replace(shipped, subject="Brawo, Ada Lovelace!")
    assert english == SHIPPED.put_into_words(notification(locale="en"))


def test_a_file_that_was_rewritten_says_what_it_says_now(tmp_path: Path) -> None:
    for greeting in ("Brawo", "Super"):
        folder = own(tmp_path, pl__issued_subject_txt=f"{greeting}, {{{{ name }}}}!")

        (polish,) = words(folder, "pl")

        assert polish.subject == f"{greeting}, Ada Lovelace!"


def test_a_language_can_be_added(tmp_path: Path) -> None:
    folder = own(
        tmp_path,
        sv__issued_subject_txt="Ditt intyg: {{ type_name }}",
        sv__issued_txt="Hej {{ name }}!\nUtfärdat {{ award_date }}",
        sv__issued_html='{% extends "en/issued.html" %}{% block greeting %}Hej!{% endblock %}',
    )

    (wording,) = words(folder, "sv-FI")

    assert wording.language == "sv"
    assert wording.subject == "Ditt intyg: Certificate of completion"
    assert wording.text == "Hej Ada Lovelace!\nUtfärdat 1 juni 2026\n"
    assert "<p>Hej!</p>" in wording.html
    assert 'lang="sv"' in wording.html


def test_a_variant_of_a_language_can_be_added(tmp_path: Path) -> None:
    folder = own(
        tmp_path,
        **{
            "pt-BR__issued_subject_txt": "Parabéns",
            "pt-BR__issued_txt": '{% include "pt/issued.txt" %}',
            "pt-BR__issued_html": '{% include "pt/issued.html" %}',
        },
    )

    brazilian, portuguese = words(folder, "pt-br", "pt-PT")

    assert brazilian.subject == "Parabéns"
    assert portuguese.subject.startswith("A sua credencial")


def test_a_layout_of_ones_own_is_used_by_all_languages(tmp_path: Path) -> None:
    folder = own(tmp_path, layout_html="<h1>{% block greeting %}{% endblock %}</h1>")

    english, german = words(folder, "en", "de")

    assert english.html == "<h1>Dear <bdi>Ada Lovelace</bdi>,</h1>\n"
    assert german.html == "<h1>Guten Tag <bdi>Ada Lovelace</bdi>,</h1>\n"


def test_names_are_escaped_in_html_of_ones_own_and_not_in_text(tmp_path: Path) -> None:
    folder = own(tmp_path, en__issued_html="<b>{{ name }}</b>", en__issued_txt="{{ name }}")
    told = notification(full_name="<i>{{ type_name }}</i>")

    wording = MailTemplates(folder).put_into_words(told)

    assert wording.html == "<b>&lt;i&gt;{{ type_name }}&lt;/i&gt;</b>\n"
    assert wording.text == "<i>{{ type_name }}</i>\n"


@pytest.mark.parametrize(
    ("template", "fault"),
    [
        ("{{ nmae }}", "'nmae' is undefined"),
        ("{% if verify_url %}x{% else %}{{ typo }}{% endif %}", "'typo' is undefined"),
        ("{% if name %}", "line 1: Unexpected end of template"),
        ("{{ name | shout }}", "No filter named 'shout'"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ name + 1 }}", "can only concatenate str"),
        ("{% include 'missing.html' %}", "missing.html"),
        ("{% include '../../../etc/passwd' %}", "etc/passwd"),
        ("{{ name.__class__.__mro__ }}", "__class__"),
        ("{{ self._TemplateReference__context.environment }}", "is unsafe"),
        ("{% include 'en/issued.html' %}", "recursion"),
    ],
)
def test_a_template_that_cannot_be_rendered_is_refused_before_anybody_is_told(
    tmp_path: Path, template: str, fault: str
) -> None:
    folder = own(tmp_path, en__issued_html=template)

    with pytest.raises(InvalidInput, match=r"en/issued\.html") as refused:
        MailTemplates(folder)

    assert refused.value.field == "templates"
    assert fault in str(refused.value)


def test_a_language_with_a_file_missing_is_refused(tmp_path: Path) -> None:
    folder = own(tmp_path, sv__issued_txt="Hej", sv__issued_html="Hej")

    with pytest.raises(InvalidInput, match=r"issued\.subject\.txt is missing"):
        MailTemplates(folder)


@pytest.mark.parametrize(
    ("name", "hint"),
    [("PL", "here pl"), ("pt_BR", "here pt-BR"), ("polish", "such as pl or pt-BR")],
)
def test_a_folder_that_is_not_named_by_its_language_is_refused(
    tmp_path: Path, name: str, hint: str
) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "issued.txt").write_text("x")

    with pytest.raises(InvalidInput, match=hint):
        MailTemplates(tmp_path)


def test_other_folders_beside_the_languages_are_left_alone(tmp_path: Path) -> None:
    folder = own(tmp_path, partials__logo_html="<b>Uni</b>", README_md="How to")
    own(folder, en__issued_html='{% include "partials/logo.html" %}')

    (wording,) = words(folder, "en")

    assert wording.html == "<b>Uni</b>\n"


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        InvalidInput, match=r"templates: .*missing' is not allowed; allowed: a folder"
    ):
        MailTemplates(tmp_path / "missing")
