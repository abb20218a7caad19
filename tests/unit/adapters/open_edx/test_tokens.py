"""What is read from a token, and when it is renewed."""

from decimal import Decimal

import pytest

from testamur.adapters.open_edx.errors import LmsError
from testamur.adapters.open_edx.tokens import Token, Tokens, token_in


def answer(expires_in: object = 3600, token_type: object = "JWT") -> dict[str, object]:
    return {"access_token": "eyJ.a.b", "token_type": token_type, "expires_in": expires_in}


@pytest.mark.parametrize(
    ("life", "renewed_after"),
    [(3600, 3540), (240, 180), (100, 75), (2, 1.5), (1, 0.75), (Decimal("0.4"), 0.3), ("60", 45)],
)
def test_a_token_is_renewed_ahead_of_time(life: object, renewed_after: float) -> None:
    token = token_in(answer(life), asked_at=1_000.0, what="a token")
    assert token.renew_at == pytest.approx(1_000 + renewed_after)


def test_a_token_of_unknown_life_is_used_until_it_is_refused() -> None:
    fetched = iter([Token("one", None), Token("two", None)])
    tokens = Tokens(lambda: next(fetched), lambda: 1e9)
    first = tokens.current()
    assert tokens.current() is first
    tokens.refused(first)
    assert tokens.current().text == "two"
    tokens.refused(first)
    assert tokens.current().text == "two"


@pytest.mark.parametrize("kind", ["JWT", "jwt", "Jwt"])
def test_the_type_of_a_token_is_compared_without_case(kind: str) -> None:
    assert token_in(answer(token_type=kind), 0.0, "a token").header == "JWT eyJ.a.b"


@pytest.mark.parametrize("kind", ["Bearer", "bearer", "", None, 7])
def test_a_token_that_is_no_jwt_is_refused(kind: object) -> None:
    with pytest.raises(LmsError, match="though a JWT was asked for") as refused:
        token_in(answer(token_type=kind), 0.0, "a token")
    assert "eyJ" not in str(refused.value)


@pytest.mark.parametrize("life", [0, -1, "soon", [], float("nan")])
def test_a_token_that_does_not_live_is_refused(life: object) -> None:
    with pytest.raises(LmsError, match="expired already"):
        token_in(answer(life), 0.0, "a token")


def test_a_token_is_not_shown() -> None:
    assert "eyJ" not in repr(token_in(answer(), 0.0, "a token"))


def test_a_failure_to_fetch_is_not_kept() -> None:
    outcomes: list[LmsError | Token] = [LmsError("not now"), Token("one", None)]

    def fetch() -> Token:
        outcome = outcomes.pop(0)
        if isinstance(outcome, LmsError):
            raise outcome
        return outcome

    tokens = Tokens(fetch, lambda: 0.0)
    with pytest.raises(LmsError, match="not now"):
        tokens.current()
    assert tokens.current().text == "one"
