"""Reports of mail servers are read for the Message-ID and the status, and nothing else."""

from email.message import EmailMessage

import pytest

from testamur.adapters.notification.bounces import read_bounce
from testamur.domain.errors import InvalidInput
from tests.support.bounces import MESSAGE_ID, report


@pytest.mark.parametrize("kind", ["message/rfc822", "text/rfc822-headers"])
def test_a_report_tells_which_message_came_back_and_why(kind: str) -> None:
    bounce = read_bounce(report(kind=kind))
    assert (bounce.message_id, bounce.status) == (MESSAGE_ID, "5.1.1")


def test_a_status_with_a_comment_is_cut_to_its_numbers() -> None:
    assert read_bounce(report(status="5.2.2 (mailbox of ada full)")).status == "5.2.2"


def test_a_report_without_a_status_that_can_be_read_is_a_failure_all_the_same() -> None:
    assert read_bounce(report(status="ada@learners.example")).status == "failed"


def test_a_long_message_id_may_stand_on_a_line_of_its_own() -> None:
    folded = report(original=f"Message-ID:\n {MESSAGE_ID}")
    assert read_bounce(folded).message_id == MESSAGE_ID


@pytest.mark.parametrize("action", ["delayed", "relayed", "delivered", "expanded"])
def test_what_is_no_failure_is_refused(action: str) -> None:
    with pytest.raises(InvalidInput, match="Action: failed"):
        read_bounce(report(action=action))


def test_a_report_without_the_original_is_refused() -> None:
    with pytest.raises(InvalidInput, match="Message-ID of the original"):
        read_bounce(report(original="X-Nothing: here"))


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"Subject: hello\r\n\r\nI am on holiday\r\n"]
)
def test_what_is_no_report_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidInput, match="delivery status notification"):
        read_bounce(content)


def test_an_answer_of_a_person_that_quotes_the_message_is_no_report() -> None:
    answer = EmailMessage()
    answer.set_content("Thank you!")
    quoted = EmailMessage()
    quoted["Message-ID"] = MESSAGE_ID
    answer.add_attachment(quoted)
    with pytest.raises(InvalidInput, match="delivery status notification"):
        read_bounce(answer.as_bytes())


def test_an_error_never_shows_an_address() -> None:
    for content in (report(action="delayed"), report(original="X: y"), report(action="")):
        with pytest.raises(InvalidInput) as refused:
            read_bounce(content)
        assert "ada@" not in str(refused.value)
