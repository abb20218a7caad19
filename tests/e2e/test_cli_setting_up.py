"""From the command line: types, assets and configurations are set up, looked at and put away."""

import json
from pathlib import Path

import pytest

from tests.support.program import ACTOR, TYPE_FILE, Program
from tests.support.records import COURSE, OTHER_COURSE

pytestmark = pytest.mark.e2e


@pytest.fixture
def testamur(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Program:
    return Program(tmp_path, monkeypatch, capsys)


def test_an_installation_begins_empty_and_says_what_to_do_first(testamur: Program) -> None:
    for group, first in (("type", "define"), ("asset", "add"), ("configuration", "create")):
        assert f"testamur {group} {first}" in testamur.succeeds(group, "list").out
        assert testamur.json(group, "list") == []


# Types


def test_a_type_is_defined_shown_revised_and_retired(testamur: Program) -> None:
    testamur.define_type()
    shown = testamur.json("type", "show", "completion")
    assert (shown["name"], shown["revision"]) == ("Certificate of Completion", 1)
    assert (shown["renderer"], shown["retired"]) == ("pdf", False)

    testamur.write("type.toml", TYPE_FILE.replace("of Completion", "of Merit"))
    revised = testamur.succeeds("type", "revise", "completion", "--file", "type.toml")
    assert "revision 2" in revised.out
    again = testamur.succeeds("type", "revise", "completion", "--file", "type.toml")
    assert "stays at revision 2" in again.out

    testamur.succeeds("type", "retire", "completion", "--reason", "replaced by a badge")
    (listed,) = testamur.json("type", "list")
    assert (listed["slug"], listed["name"], listed["retired"]) == (
        "completion",
        "Certificate of Merit",
        True,
    )
    assert "retired" in testamur.succeeds("type", "list").out
    assert testamur("type", "retire", "completion", "--reason", "again").code == 1


def test_the_options_of_a_type_are_shown_one_by_one(testamur: Program) -> None:
    testamur.define_type()
    lines = testamur.succeeds("type", "show", "completion").out.splitlines()
    assert "criteria.required_completion  0.9" in lines
    assert 'rendering.fonts               ["noto-sans"]' in lines


def test_a_type_whose_file_is_wrong_is_refused_with_file_and_field(testamur: Program) -> None:
    testamur.define_type()
    text = TYPE_FILE.replace("0.9", "7").replace('template = "template"', 'colour = "red"')
    testamur.write("wrong.toml", text)
    refused = testamur("type", "define", "other", "--file", "wrong.toml")
    assert refused.code == 2
    assert not refused.out
    lines = refused.err.splitlines()
    assert all(line.startswith("error: wrong.toml: options.") for line in lines)
    assert {line.split(": ")[2] for line in lines} == {
        "options.criteria.required_completion",
        "options.rendering.template",
        "options.rendering.colour",
    }
    assert len(testamur.json("type", "list")) == 1


def test_a_type_that_needs_an_asset_that_is_not_there_is_refused(testamur: Program) -> None:
    testamur.write("type.toml", TYPE_FILE)
    refused = testamur("type", "define", "completion", "--file", "type.toml")
    assert refused.code == 2
    assert "asset" in refused.err
    assert testamur.json("type", "list") == []


def test_a_slug_that_is_taken_or_not_allowed_is_refused(testamur: Program) -> None:
    testamur.define_type()
    taken = testamur("type", "define", "completion", "--file", "type.toml")
    assert (taken.code, taken.err.count("\n")) == (1, 1)
    refused = testamur("type", "define", "Not Allowed", "--file", "type.toml")
    assert refused.code == 2
    assert refused.err.startswith("error: TYPE: 'Not Allowed'")


# Assets


def test_an_asset_is_added_replaced_and_removed(testamur: Program) -> None:
    testamur.define_type()
    shown = testamur.json("asset", "show", "template")
    assert (shown["filename"], shown["media_type"]) == ("template.pdf", "application/pdf")
    testamur.succeeds("asset", "replace", "template", "NotoSans.ttf")
    assert "font/ttf" in testamur.succeeds("asset", "show", "template").out
    testamur.succeeds("asset", "remove", "template", "--reason", "a mistake")
    states = {each["slug"]: each["removed"] for each in testamur.json("asset", "list")}
    assert states == {"noto-sans": False, "template": True}
    assert "removed" in testamur.succeeds("asset", "list").out


def test_a_file_that_is_no_asset_or_not_there_is_refused(testamur: Program) -> None:
    testamur.write("notes.txt", "notes")
    for file in ("notes.txt", "missing.pdf"):
        refused = testamur("asset", "add", "template", file)
        assert refused.code == 2
        assert file in refused.err


# Configurations


def test_a_configuration_goes_through_its_life(testamur: Program) -> None:
    testamur.configure("--every", "1d")
    assert testamur.json("configuration", "show", "completion", COURSE)["state"] == "disabled"
    assert testamur.json("configuration", "enable", "completion", COURSE)["state"] == "enabled"
    shown = testamur.json("configuration", "show", "completion", COURSE)
    assert shown["next_run"]["because"] == "the next tick starts it"
    testamur.succeeds("configuration", "disable", "completion", COURSE, "--reason", "holidays")
    shown = testamur.json("configuration", "show", "completion", COURSE)
    assert shown["next_run"] == {"at": None, "because": "it is disabled"}
    testamur.succeeds("configuration", "retire", "completion", COURSE, "--reason", "it is over")
    (listed,) = testamur.json("configuration", "list")
    assert listed["state"] == "retired"
    assert "retired" in testamur.succeeds("configuration", "list").out


def test_what_is_shown_of_a_configuration_is_what_is_in_force(testamur: Program) -> None:
    testamur.configure("--once", "2126-06-30T18:00+02:00", "--opens", "course-end")
    testamur.succeeds(
        "configuration", "options", "completion", COURSE, "--set", "notification.enabled=false"
    )
    testamur.succeeds("configuration", "enable", "completion", COURSE)
    testamur.write_course(eligible=["Ann Example"])
    lines = testamur.succeeds("configuration", "show", "completion", COURSE).out.splitlines()
    assert "runs         once, 2126-06-30 16:00 UTC" in lines
    assert "window       opens at the course's end, closes never" in lines
    assert "next run     none: it waits for the course's end, which is not known" in lines
    assert "criteria     completion 90 %" in lines
    assert "criteria.required_completion  0.9            type" in lines
    assert "notification.enabled          false          configuration" in lines


def test_a_source_that_cannot_be_asked_does_not_keep_a_configuration_from_view(
    testamur: Program,
) -> None:
    testamur.configure("--every", "1d", "--opens", "course-end")
    testamur.succeeds("configuration", "enable", "completion", COURSE)
    shown = testamur.json("configuration", "show", "completion", COURSE)
    assert shown["next_run"]["at"] is None
    assert shown["next_run"]["because"].startswith("not known: ")


def test_options_are_replaced_changed_and_taken_away(testamur: Program) -> None:
    testamur.configure()

    def own(*changes: str) -> object:
        return testamur.json("configuration", "options", "completion", COURSE, *changes)["options"]

    assert own("--set", "criteria.required_completion=0.5") == {
        "criteria": {"required_completion": 0.5}
    }
    assert own("--options", json.dumps({"notification": {"enabled": False}})) == {
        "notification": {"enabled": False}
    }
    file = testamur.write("options.toml", "[criteria]\nrequired_completion = 0.75\n")
    assert own("--options", str(file), "--set", "notification.enabled=true") == {
        "criteria": {"required_completion": 0.75},
        "notification": {"enabled": True},
    }
    assert own("--unset", "criteria.required_completion", "--unset", "notification") == {}


def test_a_problem_of_an_option_in_a_file_is_named_as_it_stands_there(testamur: Program) -> None:
    testamur.define_type()
    testamur.write("other.toml", f"{TYPE_FILE}\n[options.context]\ncertificate_name = ' '\n")
    refused = testamur("type", "define", "other", "--file", "other.toml")
    assert refused.code == 2
    assert refused.err.startswith("error: other.toml: options.context.certificate_name: ' ' is not")


def test_options_that_are_not_allowed_change_nothing(testamur: Program) -> None:
    testamur.configure()
    refused = testamur(
        *("configuration", "options", "completion", COURSE),
        *("--set", "criteria.required_completion=1.5", "--set", "criteria.speed=1"),
    )
    assert (refused.code, len(refused.err.splitlines())) == (2, 2)
    assert testamur("configuration", "options", "completion", COURSE).code == 2
    (listed,) = testamur.json("configuration", "list")
    assert listed["options"] == {}


def test_a_schedule_is_changed_as_a_whole(testamur: Program) -> None:
    testamur.configure("--every", "1d", "--end", "2126-12-31T00:00Z")

    def schedule(*options: str) -> dict[str, object]:
        changed = testamur.json("configuration", "schedule", "completion", COURSE, *options)
        return dict(changed["schedule"])

    assert schedule("--cron", "30 6 * * MON", "--time-zone", "Europe/Warsaw") == {
        "rule": {"kind": "cron", "expression": "30 6 * * MON", "time_zone": "Europe/Warsaw"},
        "start": None,
        "end": None,
        "window": None,
    }
    refused = testamur(
        "configuration", "schedule", "completion", COURSE, "--end", "2126-01-01T00:00Z"
    )
    assert refused.code == 2
    assert "--cron, --every or --once" in refused.err


def test_times_are_told_where_the_installation_is(testamur: Program) -> None:
    testamur.write("testamur.toml", 'time_zone = "Europe/Warsaw"\n')
    testamur.configure("--once", "2126-06-30T18:00")
    shown = testamur.json("configuration", "show", "completion", COURSE)
    assert shown["schedule"]["rule"] == {"kind": "once", "at": "2126-06-30T16:00:00Z"}
    listed = testamur.succeeds("configuration", "list").out
    assert "once, 2126-06-30 18:00+02:00" in listed


def test_a_configuration_that_is_not_there_is_told_with_those_that_are(testamur: Program) -> None:
    testamur.configure()
    refused = testamur("configuration", "show", "completion", OTHER_COURSE)
    assert refused.code == 2
    assert f"completion {COURSE}" in refused.err


def test_a_context_that_is_malformed_is_refused_with_the_forms_there_are(
    testamur: Program,
) -> None:
    testamur.define_type()
    refused = testamur("configuration", "create", "completion", "Uni/Maths/2026")
    assert refused.code == 2
    assert "course-v1:ORG+COURSE+RUN" in refused.err


# History


def test_who_did_what_and_why_is_kept(testamur: Program) -> None:
    testamur.configure()
    testamur.succeeds("configuration", "enable", "completion", COURSE)
    testamur.succeeds("configuration", "disable", "completion", COURSE, "--reason", "holidays")
    testamur.succeeds("asset", "remove", "template", "--reason", "a mistake")
    testamur.succeeds("type", "retire", "completion", "--reason", "replaced")

    recorded = testamur.json("history", "configuration", "completion", COURSE)
    assert [each["name"] for each in recorded] == [
        "configuration.created.1",
        "configuration.enabled.1",
        "configuration.disabled.1",
    ]
    assert recorded[-1]["event"] == {"reason": "holidays"}
    assert {each["attribution"]["actor"] for each in recorded} == {ACTOR}
    shown = testamur.succeeds("history", "configuration", "completion", COURSE).out.splitlines()
    assert shown[0].split() == ["time", "(UTC)", "actor", "event", "what"]
    assert shown[-1].split()[2:] == [ACTOR, "disabled", "holidays"]
    assert "a mistake" in testamur.succeeds("history", "asset", "template").out
    assert "replaced" in testamur.succeeds("history", "type", "completion").out


def test_a_reason_must_say_something(testamur: Program) -> None:
    testamur.configure()
    for reason in (["--reason", "  "], []):
        refused = testamur("configuration", "disable", "completion", COURSE, *reason)
        assert refused.code == 2
        assert "--reason" in refused.err
