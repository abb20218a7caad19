"""Accounts: usernames packed into queries, learner ids, and languages."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testamur.adapters.open_edx.people import LONGEST_QUERY, language_tag, packed, user_id
from testamur.domain.identifiers import LearnerId


def test_usernames_are_packed_up_to_the_longest_query() -> None:
    batches = list(packed([f"learner_{number:04}" for number in range(1000)]))
    assert sum(map(len, batches)) == 1000
    assert [len(batch) for batch in batches[:2]] == [132, 132]


def test_a_username_that_is_too_long_goes_alone() -> None:
    assert list(packed(["a", "b" * 50, "c"], longest=30)) == [["a"], ["b" * 50], ["c"]]


def test_nobody_needs_no_query() -> None:
    assert list(packed([])) == []


@given(st.lists(st.text("aé王 @.+", min_size=1, max_size=30), max_size=300))
def test_a_query_is_never_too_long_and_nobody_is_lost(usernames: list[str]) -> None:
    batches = list(packed(usernames))
    assert [name for batch in batches for name in batch] == usernames
    for batch in batches:
        assert len(f"username={quote(','.join(batch), safe='')}") <= LONGEST_QUERY


@pytest.mark.parametrize(
    ("code", "tag"),
    [
        ("pl", "pl"),
        ("zh-cn", "zh-CN"),
        ("zh_HANS", "zh-Hans"),
        ("zh-hant-tw", "zh-Hant-TW"),
        ("es-419", "es-419"),
        ("pt_BR", "pt-BR"),
        ("EN", "en"),
        ("", None),
        ("english", None),
        ("en@pirate", None),
    ],
)
def test_a_language_code_becomes_a_tag(code: str, tag: str | None) -> None:
    assert language_tag(code) == tag


@pytest.mark.parametrize(
    ("learner_id", "expected"),
    [("1007", 1007), ("007", None), ("kate", None), ("-1", None), ("١", None), ("9" * 30, None)],
)
def test_a_learner_id_is_a_user_id_or_none_of_this_lms(
    learner_id: str, expected: int | None
) -> None:
    assert user_id(LearnerId(learner_id)) == expected
