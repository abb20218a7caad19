"""From the command line: certificates expire, learners are reminded, and certified again."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from testamur.adapters.system import SystemClock
from tests.support.program import TYPE_FILE, Program
from tests.support.records import COURSE

pytestmark = pytest.mark.e2e

EXPIRING = """
[options.expiry]
after = "P90D"
reminders = ["P30D", "P7D"]
recertify = true

[options.rendering.elements.expiry]
text = "until {expiry_date}"
x = "20mm"
y = "20mm"
"""

SetDay = Callable[[int, int], None]


@pytest.fixture
def on_day(monkeypatch: pytest.MonkeyPatch) -> SetDay:
    """Set the clock to noon (UTC) of a day in 2026."""

    def set_day(month: int, day: int) -> None:
        moment = datetime(2026, month, day, 12, tzinfo=UTC)
        monkeypatch.setattr(SystemClock, "now", lambda _: moment)

    return set_day


@pytest.fixture
def testamur(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    on_day: SetDay,
) -> Program:
    """An installation in which two learners were certified on 1 June for ninety days."""
    on_day(6, 1)
    program = Program(tmp_path, monkeypatch, capsys)
    program.write_course(eligible=("Ann Example", "Zoë Müller"))
    program.define_type()
    program.write("type.toml", TYPE_FILE + EXPIRING)
    program.succeeds("type", "revise", "completion", "--file", "type.toml")
    program.succeeds("configuration", "create", "completion", COURSE)
    achieved(program, {"learner-0": "2026-05-01", "learner-1": "2026-05-01"})
    program.succeeds("run", "completion", COURSE)
    return program


def achieved(testamur: Program, days: dict[str, str]) -> None:
    """Let the data source say when learners completed the course."""
    rows = [f"{learner},{COURSE},1,{day}" for learner, day in days.items()]
    lines = ["learner_id,context_key,completion,achieved_at", *rows]
    testamur.write("source/completions.csv", "\n".join(lines) + "\n")


def listed(testamur: Program, *filters: str) -> list[str]:
    found = testamur.succeeds("credential", "list", *filters, "--json").documents
    return sorted(row["learner_id"] for row in found)


def one(testamur: Program) -> dict[str, str]:
    """Return the first edition of one of the learners."""
    found = testamur.succeeds("credential", "list", "--learner", "learner-0", "--json").documents
    first: dict[str, str] = found[0]
    return first


def test_a_credential_holds_until_its_last_day_is_over(testamur: Program, on_day: SetDay) -> None:
    id_ = one(testamur)["credential_id"]

    on_day(8, 30)
    assert testamur("credential", "verify", id_).code == 0
    on_day(8, 31)
    answer = testamur("credential", "verify", id_)
    assert answer.code == 1
    assert "it expired on 2026-08-30 23:59" in answer.out
    before = testamur("credential", "verify", id_, "--at", "2026-08-29", "--json")
    assert (before.code, before.document["status"]) == (0, "valid")


def test_what_has_expired_and_what_will_can_be_listed(testamur: Program, on_day: SetDay) -> None:
    both = ["learner-0", "learner-1"]
    assert listed(testamur, "--expired") == []
    assert listed(testamur, "--expiring-before", "2026-08-30") == []
    assert listed(testamur, "--expiring-before", "2026-08-31") == both
    on_day(8, 31)
    assert listed(testamur, "--expired") == both
    assert "expired" in testamur.succeeds("credential", "list").out
    assert listed(testamur, "--expiring-before", "2027-01-01") == []
    assert "2 expired" in testamur.succeeds("configuration", "show", "completion", COURSE).out
    shown = testamur.succeeds("credential", "show", one(testamur)["credential_id"])
    assert "expired" in shown.out


@pytest.mark.parametrize(
    "filters",
    [
        ("--expired", "--expiring-before", "2027-01-01"),
        ("--expired", "--status", "revoked"),
        ("--expiring-before", "2026-06-01"),
        ("--expiring-before", "soon"),
    ],
)
def test_filters_that_make_no_sense_are_refused(
    testamur: Program, filters: tuple[str, ...]
) -> None:
    assert testamur("credential", "list", *filters).code == 2


def test_learners_are_reminded_by_the_tick(testamur: Program, on_day: SetDay) -> None:
    on_day(7, 30)
    assert testamur.json("tick")["reminders"] == 0
    on_day(7, 31)
    due = testamur.json("tick")
    assert (due["reminders"], due["told"]) == (2, 2)
    assert testamur.json("tick")["reminders"] == 0
    outbox = testamur.folder / "testamur-data" / "outbox"
    mails = [path.read_text(encoding="utf-8") for path in outbox.rglob("*.eml")]
    reminders = [mail for mail in mails if "<expiring." in mail]
    assert len(reminders) == 2


def test_one_who_achieves_it_again_is_certified_again(testamur: Program, on_day: SetDay) -> None:
    old = one(testamur)
    on_day(9, 1)
    achieved(testamur, {"learner-0": "2026-08-15", "learner-1": "2026-05-01"})

    testamur.succeeds("run", "completion", COURSE)

    answer = testamur("credential", "verify", old["verification_id"], "--json")
    assert (answer.code, answer.document["status"]) == (1, "superseded")
    newer = answer.document["superseded_by"]
    found = testamur.json("credential", "verify", newer)
    assert (found["status"], found["award_date"]) == ("valid", "2026-09-01")
    assert listed(testamur, "--expired") == ["learner-1"]
    testamur.succeeds("run", "completion", COURSE)
    assert len(testamur.succeeds("credential", "list", "--json").documents) == 3


def test_a_run_after_a_fixed_day_fails_and_says_why(testamur: Program, on_day: SetDay) -> None:
    testamur.succeeds(
        "configuration",
        "options",
        "completion",
        COURSE,
        "--set",
        "expiry.after=null",
        "--set",
        'expiry.on="2026-06-30"',
    )
    on_day(7, 1)

    answer = testamur("run", "completion", COURSE)

    assert answer.code == 2
    assert "2026-06-30" in answer.err
    assert "a day from 2026-07-01 on" in answer.err
