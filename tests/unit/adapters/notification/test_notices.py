"""Every kind of message has words in every language, and a configuration may have its own."""

import io
import zipfile
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import get_args

import pytest

from testamur.adapters.notification.template_archives import MOST_BYTES, MOST_FILES
from testamur.adapters.notification.wording import BadTemplate, MailTemplates
from testamur.application.ports.notification import TemplateSet
from testamur.domain.credentials import Notice
from testamur.domain.errors import InvalidInput
from tests.support.notifications import notification

SHIPPED = MailTemplates()
LANGUAGES = sorted(SHIPPED.languages)
OTHERS: list[Notice] = [each for each in get_args(Notice) if each != "issued"]
EXPIRES = date(2031, 3, 17)


def archive(files: dict[str, str | bytes], name: str = "maths") -> TemplateSet:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as zipped:
        for path, content in files.items():
            zipped.writestr(path, content)
    content = written.getvalue()
    return TemplateSet(name, str(hash(content)), content)


@pytest.mark.parametrize("notice", OTHERS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_of_message_is_said_in_every_language(language: str, notice: Notice) -> None:
    told = notification(locale=language, notice=notice, expiry_date=EXPIRES)
    first = SHIPPED.put_into_words(notification(locale=language))

    wording = SHIPPED.put_into_words(told)

    assert wording.language == language
    for said in (wording.text, wording.html):
        for fact in (told.full_name, told.type_name, told.context_name, told.issuer_name):
            assert fact in said
        assert ("2031" in said) == (notice == "expiring")
    assert told.type_name in wording.subject
    assert told.context_name in wording.subject
    assert wording.subject != first.subject
    assert "None" not in wording.text
    assert wording.html.count("<bdi>") == first.html.count("<bdi>")


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_kinds_of_message_say_the_same(language: str) -> None:
    wordings = [
        SHIPPED.put_into_words(notification(locale=language, notice=each, expiry_date=EXPIRES))
        for each in get_args(Notice)
    ]
    assert len({each.subject for each in wordings}) == len(wordings)
    assert len({each.text for each in wordings}) == len(wordings)


@pytest.mark.parametrize("language", ["ar", "he"])
def test_from_right_to_left_names_stand_apart(language: str) -> None:
    told = notification(locale=language, notice="revoked")
    html = SHIPPED.put_into_words(told).html
    assert f'<html lang="{language}" dir="rtl">' in html
    assert f"<bdi>{told.issuer_name}</bdi>" in html


def test_a_language_of_ones_own_that_lacks_a_kind_of_message_falls_back(tmp_path: Path) -> None:
    swedish = tmp_path / "sv"
    swedish.mkdir()
    for name in ("issued.subject.txt", "issued.txt", "issued.html"):
        (swedish / name).write_text("Intyg {{ type_name }}")
    templates = MailTemplates(tmp_path)
    assert templates.put_into_words(notification(locale="sv")).language == "sv"
    revoked = templates.put_into_words(notification(locale="sv", notice="revoked"))
    assert revoked.language == "en"


def test_a_kind_of_message_of_ones_own_that_is_not_whole_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sv").mkdir()
    (tmp_path / "sv" / "revoked.txt").write_text("Återkallat")
    with pytest.raises(InvalidInput, match=r"revoked\.subject\.txt is missing"):
        MailTemplates(tmp_path)


def test_templates_of_a_configuration_go_before_all_others_file_by_file(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "issued.subject.txt").write_text("The installation's")
    (tmp_path / "en" / "revoked.subject.txt").write_text("The installation's too")
    templates = MailTemplates(tmp_path)
    own = archive({"en/issued.subject.txt": "Maths: {{ type_name }}"})
    templates.try_out(own)
    told = notification(templates=own)
    wording = templates.put_into_words(told)
    assert wording.subject == f"Maths: {told.type_name}"
    assert wording.text == templates.put_into_words(notification()).text
    assert templates.put_into_words(replace(told, notice="revoked")).subject.endswith("too")
    assert templates.put_into_words(notification()).subject == "The installation's"


def test_a_configuration_may_have_a_language_of_its_own() -> None:
    files: dict[str, str | bytes] = {
        f"sv/issued{ending}": "Intyg {{ name }}" for ending in (".subject.txt", ".txt", ".html")
    }
    wording = SHIPPED.put_into_words(notification(locale="sv-SE", templates=archive(files)))
    assert (wording.language, wording.subject) == ("sv", "Intyg Ada Lovelace")


def test_its_html_is_escaped_and_its_templates_run_in_a_sandbox() -> None:
    own = archive({"en/issued.html": "{{ name }}"})
    told = notification(templates=own, full_name="<b>Ada</b>")
    assert SHIPPED.put_into_words(told).html == "&lt;b&gt;Ada&lt;/b&gt;\n"
    evil = archive({"en/issued.txt": "{{ name.__class__.__mro__ }}"})
    with pytest.raises(InvalidInput, match="unsafe"):
        SHIPPED.try_out(evil)


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"en/issued.txt": "{{ nothing }}"}, "'nothing' is undefined"),
        ({"en/issued.txt": "{% if %}"}, "line 1"),
        ({"sv/issued.txt": "x"}, "is missing"),
        ({"english/issued.txt": "x"}, "language tag"),
        ({"en/issued.txt": b"\xff\xfe\x00"}, "UTF-8"),
        ({f"en/{number}.txt": "x" for number in range(MOST_FILES + 1)}, "at most"),
        ({"en/issued.txt": "x" * (MOST_BYTES + 1)}, "at most"),
        ({"en/expiring.txt": "{{ expiry_date.year }}"}, "expiring.txt"),
    ],
)
def test_templates_that_cannot_be_used_are_refused_when_they_are_set(
    files: dict[str, str | bytes], why: str
) -> None:
    with pytest.raises(InvalidInput, match=why):
        SHIPPED.try_out(archive(files))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"PK\x03\x04" + b"x" * 999])
def test_what_is_no_archive_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidInput, match="ZIP archive"):
        SHIPPED.try_out(TemplateSet("maths", content.hex(), content))


def test_templates_that_were_spoilt_later_are_a_bad_template() -> None:
    told = notification(templates=TemplateSet("maths", "0", b"no archive"))
    with pytest.raises(BadTemplate):
        SHIPPED.put_into_words(told)
