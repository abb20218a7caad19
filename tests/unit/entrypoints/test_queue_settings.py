"""The setting `queue`: what it may be, and that its password is never shown."""

import pytest
from pydantic import ValidationError

from testamur.domain.errors import InvalidOptions
from testamur.entrypoints.setting_values import RedisUrl
from testamur.entrypoints.settings import Settings, load_settings

URL = "redis://worker:open-sesame@127.0.0.1:6379/3"


@pytest.mark.parametrize(
    "url", [URL, "rediss://queue.example.org/0", "unix:///run/valkey.sock?db=2"]
)
def test_an_address_is_taken_as_it_is(url: str) -> None:
    queue = Settings.model_validate({"queue": url}).queue
    assert isinstance(queue, RedisUrl)
    assert queue.reveal() == url


def test_work_is_done_inline_unless_said_otherwise() -> None:
    assert Settings().queue == "inline"


@pytest.mark.parametrize(
    "given", ["", "in-line", "amqp://localhost", "redis://localhost:port/0", 3]
)
def test_anything_else_is_refused(given: object) -> None:
    with pytest.raises(ValidationError, match="queue"):
        Settings.model_validate({"queue": given})


def test_a_password_is_hidden_wherever_settings_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TESTAMUR_QUEUE", URL)
    loaded = load_settings()

    (shown,) = [each for each in loaded.in_force() if each.name == "queue"]
    assert shown.value == "redis://worker:***@127.0.0.1:6379/3"
    assert "open-sesame" not in repr(loaded)


def test_a_password_is_hidden_in_what_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TESTAMUR_QUEUE", "redis://worker:open-sesame@127.0.0.1:port/3")
    with pytest.raises(InvalidOptions) as refused:
        load_settings()
    assert "open-sesame" not in str(refused.value)
    assert "TESTAMUR_QUEUE" in str(refused.value)
