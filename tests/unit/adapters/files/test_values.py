"""What each kind of value may be, read one by one and many at once."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testamur.adapters.files.columns import ColumnReader, Fault, Lexicon
from testamur.adapters.files.tables import TABLES, Column
from testamur.adapters.files.values import (
    Amount,
    Category,
    ContextKey,
    Email,
    Kind,
    Language,
    LearnerIdentity,
    Moment,
    NotAllowed,
    Position,
    Stored,
    Text,
    Truth,
)

FRACTION = Amount(1, "0.85")
POINTS = Amount(None, "7.5")


@pytest.mark.parametrize(
    ("kind", "text", "stored"),
    [
        (FRACTION, "0", "0"),
        (FRACTION, "1", "1"),
        (FRACTION, "1.000", "1.000"),
        (FRACTION, "0.55", "0.55"),
        (FRACTION, ".55", ".55"),
        (FRACTION, "1.", "1."),
        (FRACTION, "5.5e-1", "5.5e-1"),
        (FRACTION, "0.0003333333333333333", "0.0003333333333333333"),
        (POINTS, "12", "12"),
        (POINTS, "007.50", "007.50"),
        (POINTS, "1e3", "1e3"),
        (POINTS, "999999999.999999999999999999999999", "999999999.999999999999999999999999"),
        (Position(), "0", 0),
        (Position(), "12", 12),
        (Truth(), "TRUE", 1),
        (Truth(), "True", 1),
        (Truth(), "1", 1),
        (Truth(), "false", 0),
        (Truth(), "0", 0),
        (Moment(), "2026-06-30", "2026-06-30T00:00:00+00:00"),
        (Moment(), "2026-06-30T18:00:00Z", "2026-06-30T18:00:00+00:00"),
        (Moment(), "2026-06-30 18:00+02:00", "2026-06-30T16:00:00+00:00"),
        (Moment(), "2026-06-30T18:00:00.25-05:30", "2026-06-30T23:30:00.250000+00:00"),
        (Language(), "pl", "pl"),
        (Language(), "pt_BR", "pt-BR"),
        (Language(), "zh-Hant-TW", "zh-Hant-TW"),
        (Language(), "sl-rozaj-biske-1994", "sl-rozaj-biske-1994"),
        (Language(), "de-DE-u-co-phonebk-x-private", "de-DE-u-co-phonebk-x-private"),
        (Language(), "es-419", "es-419"),
        (Category(), "Final Exam", "Final Exam"),
        (Category(), "Totals", "Totals"),
        (Email(), "ada@example.org", "ada@example.org"),
        (Text(personal=True), "नमस्ते \u200d \u202e", "नमस्ते \u200d \u202e"),
        (Text(personal=True), "A\u030angstro\u0308m", "A\u030angstro\u0308m"),
        (Text(lines=True), "one\r\ntwo\nthree\rfour", "one\ntwo\nthree\nfour"),
        (ContextKey(("course",)), "ccx-v1:O+C+R+ccx@1", "ccx-v1:O+C+R+ccx@1"),
    ],
)
def test_what_is_allowed_is_stored_exactly(kind: Kind, text: str, stored: Stored) -> None:
    assert kind.read(text) == stored


@pytest.mark.parametrize(
    ("kind", "text", "allowed"),
    [
        (FRACTION, "1.01", "a fraction from 0 to 1 such as 0.85"),
        (FRACTION, "-0.5", "a fraction from 0 to 1"),
        (FRACTION, "0,5", "with a decimal point, not a comma"),
        (FRACTION, "85%", "not a percentage"),
        (FRACTION, "1.00000000000000000000000001", "24 digits after"),
        (FRACTION, "nan", "a fraction from 0 to 1"),
        (FRACTION, "٠.٥", "a fraction from 0 to 1"),
        (FRACTION, ".", "a fraction from 0 to 1"),
        (POINTS, "-1", "a number from 0"),
        (POINTS, "Infinity", "a number from 0"),
        (POINTS, "1_000", "a number from 0"),
        (POINTS, "1000000000", "at most 9 digits before the point"),
        (POINTS, "1e9", "at most 9 digits before the point"),
        (POINTS, "1e-25", "24 after it"),
        (POINTS, "1.0000000000000000000000001", "24 after it"),
        (Position(), "1.0", "a whole number from 0"),
        (Position(), "-1", "a whole number from 0"),
        (Truth(), "yes", "true or false"),
        (Moment(), "2026-06-30T18:00:00", "2026-06-30T18:00:00Z"),
        (Moment(), "30.06.2026", "an ISO 8601 date"),
        (Moment(), "2026-02-30", "an ISO 8601 date"),
        (Moment(), "2026-06-30T25:00Z", "an ISO 8601 date"),
        (Moment(), "0001-01-01T00:00+14:00", "an ISO 8601 date"),
        (Moment(), "20260630", "an ISO 8601 date"),
        (Language(), "Polish language", "a language tag of BCP 47"),
        (Language(), "en_US.UTF-8", "a language tag of BCP 47"),
        (Language(), "e", "a language tag of BCP 47"),
        (Category(), "TOTAL", "not Total"),
        (Category(), "Home\twork", "the name of an assignment category"),
        (Email(), "ada.example.org", "an e-mail address"),
        (Email(), "ada@example@org", "an e-mail address"),
        (Email(), "ada @example.org", "an e-mail address"),
        (LearnerIdentity(), "ada@example.org", "never an e-mail address"),
        (LearnerIdentity(), "l" * 256, "1 to 255 characters"),
        (LearnerIdentity(), "a\tb", "1 to 255 characters"),
        (Text(), "a\nb", "text without control characters"),
        (Text(lines=True), "a\u2028b", "text without control characters other than line breaks"),
        (ContextKey(("course", "pathway")), "course-v1:Uni+Maths", "the key of a pathway, path-v1"),
        (ContextKey(("course",)), "path-v1:Uni+Science+2026+A", "the key of a course, course-v1"),
    ],
)
def test_what_is_not_allowed_is_refused_with_what_is(kind: Kind, text: str, allowed: str) -> None:
    with pytest.raises(NotAllowed) as refused:
        kind.read(text)

    assert allowed in refused.value.allowed


def test_a_time_without_offset_is_named() -> None:
    with pytest.raises(NotAllowed, match="'2026-06-30T18:00' has no offset from UTC"):
        Moment().read("2026-06-30T18:00")


def test_a_control_character_is_named() -> None:
    with pytest.raises(NotAllowed, match=r"control character U\+0007 at character 3"):
        Text(personal=True).read("Ad\x07a")


TEXTS = st.one_of(
    st.sampled_from(
        [
            *("", " ", " a ", "a b", "a\x00", "a\u2028b", "\ud800", "\udcff", "a\xa0", "\x1f"),
            *("a@b", "a@b.c", "l" * 255, "l" * 256, "\x01work", "0.5", "1,5", "true", "pl"),
            *("2026-06-30", "course-v1:a+b+c", "path-v1:a+b+c+d"),
            "block-v1:a+b+c+type@sequential+block@d",
        ]
    ),
    st.text(max_size=5),
)
COLUMNS = [column for table in TABLES.values() for column in table.columns]


@given(st.sampled_from(COLUMNS), st.lists(TEXTS, min_size=1, max_size=6))
def test_many_values_at_once_read_as_each_by_itself(column: Column, texts: list[str]) -> None:
    faults: list[Fault] = []
    together = [stored or None for stored in ColumnReader(column).read(texts, faults)]
    alone: list[Stored] = []
    refused: list[int] = []
    for index, text in enumerate(texts):
        found: list[Fault] = []
        alone.append(*(stored or None for stored in ColumnReader(column).read([text], found)))
        refused += [index] * len(found)

    assert together == alone
    assert [fault.index for fault in faults] == refused


@given(st.lists(st.text("abc", min_size=1, max_size=2)), st.integers(0, 5))
def test_a_full_lexicon_gives_each_word_always_the_same_code(
    words: list[str], most_words: int
) -> None:
    lexicon = Lexicon(most_words)
    codes = [lexicon.code(word) for word in words]

    assert dict(zip(words, codes, strict=True)) == {word: lexicon.code(word) for word in words}
    assert len(set(codes)) == len(set(words))
    assert len(lexicon.codes) == min(most_words, len(set(words)))


@given(st.decimals(0, 1, allow_nan=False, allow_infinity=False, places=10))
def test_a_fraction_is_stored_without_loss(fraction: Decimal) -> None:
    assert Decimal(str(FRACTION.read(str(fraction)))) == fraction
