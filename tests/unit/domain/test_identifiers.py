"""Ids of aggregates, learner ids, slugs, actors."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testamur.domain.errors import InvalidInput
from testamur.domain.identifiers import (
    LONGEST_LEARNER_ID,
    ConfigurationId,
    LearnerId,
    Slug,
    asset_id,
    configuration_id,
    credential_id,
    credential_type_id,
    parse_actor,
    parse_learner_id,
    parse_slug,
    run_id,
)
from testamur.domain.runs import manual_slot, scheduled_slot
from tests.support.domain_strategies import (
    actors,
    configuration_ids,
    context_keys,
    learner_ids,
    moments,
    slugs,
    tries,
    uuids,
)

CONFIGURATION = ConfigurationId(UUID("c46b5a4c-8d27-5b43-9b68-6e2f1b7ad0ab"))

# Every way to an id, with its arguments as text.
ways_to_an_id: st.SearchStrategy[tuple[Callable[..., UUID], tuple[Any, ...]]] = st.one_of(
    st.tuples(st.just(credential_type_id), st.tuples(slugs)),
    st.tuples(st.just(asset_id), st.tuples(slugs)),
    st.tuples(st.just(configuration_id), st.tuples(uuids, context_keys.map(str))),
    st.tuples(st.just(run_id), st.tuples(uuids, moments.map(scheduled_slot))),
    st.tuples(st.just(run_id), st.tuples(uuids, uuids.map(str).map(manual_slot))),
    st.tuples(st.just(credential_id), st.tuples(uuids, learner_ids, st.integers(1, 20))),
)


@tries(40)
@given(one=ways_to_an_id, other=ways_to_an_id)
def test_two_ids_are_equal_only_where_all_that_went_into_them_is(
    one: tuple[Callable[..., UUID], tuple[Any, ...]],
    other: tuple[Callable[..., UUID], tuple[Any, ...]],
) -> None:
    assert (one[0](*one[1]) == other[0](*other[1])) == (one == other)


@tries(40)
@given(
    configuration=configuration_ids,
    learner=st.text("1x-:+ ", min_size=1, max_size=3).map(LearnerId),
    other=st.text("1x-:+ ", min_size=1, max_size=3).map(LearnerId),
    edition=st.integers(1, 12),
    other_edition=st.integers(1, 12),
)
def test_parts_that_read_alike_when_joined_do_not_collide(
    configuration: ConfigurationId,
    learner: LearnerId,
    other: LearnerId,
    edition: int,
    other_edition: int,
) -> None:
    one = credential_id(configuration, learner, edition)
    two = credential_id(configuration, other, other_edition)

    assert (one == two) == ((learner, edition) == (other, other_edition))


def test_ids_stay_what_they_were_in_every_release() -> None:
    type_id = credential_type_id(Slug("completion"))
    configuration = configuration_id(type_id, "course-v1:Uni+Maths+2026")

    assert str(type_id) == "2f98666f-5cb7-5c23-9246-586c1fea1f45"
    assert str(asset_id(Slug("completion"))) == "4c7e17c8-60b4-5e46-8b8a-11de2e2fd2fa"
    assert str(configuration) == "491165d7-a512-5906-b750-269204beaea4"
    assert (
        str(run_id(configuration, "schedule:2026-06-01T00:00:00+00:00"))
        == "dda99987-fc49-5dce-a4b5-cb7e56ee933f"
    )
    assert (
        str(credential_id(configuration, LearnerId("1007")))
        == "74731546-d123-5723-8d74-d8784051100a"
    )
    assert (
        str(credential_id(configuration, LearnerId("1007"), edition=2))
        == "2c658835-be01-5247-afb8-668c366af7be"
    )


def test_the_first_edition_is_meant_where_none_is_named() -> None:
    learner = LearnerId("1007")

    assert credential_id(CONFIGURATION, learner) == credential_id(CONFIGURATION, learner, 1)


@pytest.mark.parametrize(
    "text",
    ["1", "1007", "jdoe", "j.doe+test", "j@doe", "Łukasz Żak", "田中", "a" * LONGEST_LEARNER_ID],
)
def test_an_opaque_id_of_the_data_source_is_a_learner_id(text: str) -> None:
    assert parse_learner_id(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        " 1007",
        "1007 ",
        "1007\n",
        "10\n07",
        "10\x0007",
        "10\x1f07",
        "10\x8507",
        "10\u202807",
        "10\ud80007",
        "a" * (LONGEST_LEARNER_ID + 1),
    ],
)
def test_a_learner_id_is_clean_text_of_255_characters_at_most(text: str) -> None:
    with pytest.raises(InvalidInput, match="1 to 255 characters, no control characters") as refused:
        parse_learner_id(text, field="records[0].id")

    assert refused.value.field == "records[0].id"
    assert refused.value.value == text


@pytest.mark.parametrize("text", ["kate@uni.example", "kate+x@mail.uni.example", "ü@ü.example"])
def test_an_email_address_is_no_learner_id(text: str) -> None:
    with pytest.raises(InvalidInput, match="never an e-mail address"):
        parse_learner_id(text)


def test_an_email_address_does_not_get_into_logs_by_its_refusal() -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_learner_id("kate.novak@uni.example")

    assert "novak" not in str(refused.value)
    assert "uni.example" not in str(refused.value)
    assert refused.value.value == "k…@…"


@tries(40)
@given(learner=learner_ids, other=learner_ids)
def test_every_learner_id_can_be_made_into_a_credential_id(
    learner: LearnerId, other: LearnerId
) -> None:
    one = credential_id(CONFIGURATION, parse_learner_id(learner))

    assert (one == credential_id(CONFIGURATION, parse_learner_id(other))) == (learner == other)


@tries(20)
@given(slug=slugs)
def test_lower_case_letters_digits_and_single_hyphens_make_a_slug(slug: Slug) -> None:
    assert parse_slug(slug) == slug


@pytest.mark.parametrize(
    "text",
    ["", "-", "a-", "-a", "a--b", "A", "a b", "a_b", "a.b", "łódź", "a\n", "١", "a" * 65],
)
def test_other_text_makes_no_slug(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_slug(text, field="asset")

    assert str(refused.value).startswith(f"asset: {text!r} is not allowed; allowed: 1 to 64")


def test_a_slug_has_64_characters_at_most() -> None:
    assert parse_slug("a" * 64) == "a" * 64


@pytest.mark.parametrize(
    "text", ["user:jdoe", "user:Jan Kowalski", "system:scheduler", "api-key:a:b", "lms2:łukasz"]
)
def test_an_actor_is_a_kind_and_a_name(text: str) -> None:
    assert parse_actor(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "jdoe",
        ":jdoe",
        "user:",
        "user: jdoe",
        "user:jdoe ",
        "user::jdoe",
        "User:jdoe",
        "2fa:jdoe",
        "user:jdoe\n",
        "user:j\x00doe",
        "user:j\x1fdoe",
        "user:j\ud800",
        "user:" + "x" * 251,
    ],
)
def test_other_text_is_no_actor(text: str) -> None:
    with pytest.raises(InvalidInput, match="kind:name, such as user:jdoe") as refused:
        parse_actor(text, field="on_behalf_of")

    assert refused.value.field == "on_behalf_of"


@tries(20)
@given(actor=actors)
def test_every_actor_reads_back(actor: str) -> None:
    assert parse_actor(actor) == actor
