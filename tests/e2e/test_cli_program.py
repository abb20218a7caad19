"""The program as a process: exit codes, errors, interruption, terminals and pipes."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

import testamur as package
from testamur.adapters.system import FileLocks
from testamur.entrypoints.library import Testamur
from tests.support.program import Program, command, in_a_process
from tests.support.records import COURSE

pytestmark = pytest.mark.e2e

RUN = ("run", "completion", COURSE)

#: Longest time that a process may take to get where the test wants it.
PATIENCE_SECONDS = 60


@pytest.fixture
def testamur(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Program:
    return Program(tmp_path, monkeypatch, capsys)


# Errors


def test_help_is_shown_where_nothing_is_asked_for(testamur: Program) -> None:
    for arguments in ([], ["type"], ["configuration"]):
        shown = testamur(*arguments)
        assert (shown.code, shown.out) == (2, "")
        assert shown.err.startswith(f"Usage: {' '.join(['testamur', *arguments])} [OPTIONS]")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--colour"], "no such option: --colour"),
        (["typ"], "no such command 'typ'"),
        (["type", "show"], "missing argument 'TYPE'; see `testamur type show --help`"),
        (["type", "define", "degree"], "missing option '--file'"),
        (["run", "completion", COURSE, "--limit", "many"], "'--limit'"),
        (["history", "run", "seven"], "'ID'"),
    ],
)
def test_a_mistyped_command_is_told_in_one_line(
    testamur: Program, arguments: list[str], said: str
) -> None:
    refused = testamur(*arguments)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith("error: ")
    assert said in refused.err
    assert len(refused.err.splitlines()) == 1


def test_an_actor_that_is_malformed_is_refused_before_anything_is_made(testamur: Program) -> None:
    refused = testamur("--actor", "somebody", "type", "list")
    assert refused.code == 2
    assert refused.err.startswith("error: actor: 'somebody'")
    assert not (testamur.folder / "testamur-data").exists()


def test_settings_that_are_wrong_are_refused_one_line_each(testamur: Program) -> None:
    testamur.write("testamur.toml", 'queue = "carrier pigeon"\ncolour = "red"\n')
    testamur.write("other.toml", 'queue = "carrier pigeon"\nsmtp_port = 0\n')
    assert testamur("type", "list").err.count("\n") == 1
    refused = testamur("--settings", "other.toml", "type", "list")
    assert (refused.code, refused.err.count("\n")) == (2, 2)
    assert "queue in other.toml" in refused.err
    assert testamur("--settings", "missing.toml", "settings").code == 2


def test_a_mistake_of_the_program_is_owned_up_to(
    testamur: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(Testamur, "open", fail)
    failed = testamur("type", "list")
    assert failed.code == 1
    assert failed.err.splitlines() == [
        "error: this is a bug in Testamur: ZeroDivisionError: division by zero; --debug shows where"
    ]
    assert "Traceback" in testamur("--debug", "type", "list").err


def test_a_traceback_is_shown_only_where_it_is_asked_for(testamur: Program) -> None:
    assert "Traceback" not in testamur("type", "show", "degree").err
    shown = testamur("--debug", "type", "show", "degree")
    assert shown.code == 2
    assert "Traceback" in shown.err
    assert shown.err.splitlines()[-1] == "error: no credential type 'degree'"


def test_the_version_is_told(testamur: Program) -> None:
    assert testamur.succeeds("--version").out == f"testamur {package.__version__}\n"


def test_settings_are_shown_with_their_origin_and_without_secrets(
    testamur: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TESTAMUR_SMTP_USERNAME", "mailer")
    monkeypatch.setenv("TESTAMUR_SMTP_PASSWORD", "hunter2")
    shown = testamur.succeeds("settings").out
    assert "hunter2" not in shown
    in_force = {each["name"]: (each["value"], each["origin"]) for each in testamur.json("settings")}
    assert in_force["smtp_password"] == ("(hidden)", "environment")
    assert in_force["source_folder"] == ("source", "testamur.toml")
    assert in_force["queue"] == ("inline", "default")


def test_a_misspelt_secret_is_not_shown(testamur: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TESTAMUR_SMTP_PASWORD", "hunter2")
    refused = testamur("settings")
    assert (refused.code, refused.out) == (2, "")
    assert "did you mean smtp_password?" in refused.err
    assert "hunter2" not in refused.err


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATA_FOLDER", ""),
        ("SOURCE_FOLDER", ""),
        ("PUBLIC_URL", "https://"),
        ("PUBLIC_URL", "https://["),
        ("MAIL_SENDER", "łucja@example.org"),
        ("MAIL_SENDER", "Lucy <lucy@example.org>"),
    ],
)
def test_a_setting_that_cannot_work_is_refused_by_name(
    testamur: Program, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"TESTAMUR_{name}", value)
    refused = testamur("type", "list")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith(f"error: settings: TESTAMUR_{name}: {value!r} is not allowed")
    assert len(refused.err.splitlines()) == 1


def test_mail_may_come_from_a_domain_of_any_script(
    testamur: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TESTAMUR_MAIL_SENDER", "certificates@łódź.example")
    assert testamur.json("type", "list") == []
    in_force = {each["name"]: each["value"] for each in testamur.json("settings")}
    assert in_force["mail_sender"] == "certificates@xn--d-uga0v4h.example"


# The data source


def test_data_files_are_checked_all_at_once(testamur: Program) -> None:
    testamur.write_course(eligible=["Ann Example"])
    assert testamur.json("source", "check") == {
        "counts": {"courses": 1, "learners": 1, "enrolments": 1, "completions": 1},
        "problems": [],
        "complete": True,
    }
    assert "0 problems." in testamur.succeeds("source", "check").out

    for table in ("enrolments", "completions"):
        file = testamur.folder / "source" / f"{table}.csv"
        file.write_text(file.read_text().replace("learner-0", "nobody"))
    found = testamur("source", "check")
    assert found.code == 1
    assert len(found.err.splitlines()) == 2
    assert "2 problems." in found.out
    document = testamur("source", "check", "--limit", "1", "--json").document
    assert document["complete"] is False
    assert document["problems"][0]["line"] == 2


def test_a_source_that_is_not_set_cannot_be_checked(testamur: Program) -> None:
    testamur.write("testamur.toml", "")
    refused = testamur("source", "check")
    assert refused.code == 2
    assert "source_folder" in refused.err


def test_the_doctor_fails_where_a_check_does(testamur: Program) -> None:
    testamur.write_course(eligible=["Ann Example"])
    assert testamur.succeeds("doctor").out.splitlines()[-1] == "Everything is well."
    assert all(finding["ok"] for finding in testamur.json("doctor"))
    testamur.write("testamur.toml", 'source_folder = "nowhere"\nqueue = "pigeon"\n')
    failed = testamur("doctor")
    assert failed.code == 1
    assert failed.out.splitlines()[0].startswith("FAILED  settings")
    testamur.write("testamur.toml", 'source_folder = "nowhere"\n')
    failed = testamur("doctor")
    assert failed.code == 1
    assert "→ see all with `testamur source check`" in failed.out
    assert failed.out.splitlines()[-1] == "1 check failed."


# Processes


def test_a_process_ends_with_the_exit_code_and_without_a_traceback(testamur: Program) -> None:
    testamur.configure()
    done = in_a_process(testamur.folder, "asset", "list", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(json.loads(done.stdout)) == 2
    refused = in_a_process(testamur.folder, "type", "show", "degree")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.splitlines() == [
        "error: no credential type 'degree'; there are: completion"
    ]
    failed = in_a_process(testamur.folder, *RUN)
    assert (failed.returncode, failed.stdout) == (1, "")
    assert len(failed.stderr.splitlines()) == 1


def test_a_run_says_nothing_on_stderr_where_it_is_no_terminal(testamur: Program) -> None:
    testamur.write_course(eligible=["Ann Example"])
    testamur.configure()
    done = in_a_process(testamur.folder, *RUN)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout


def test_a_run_shows_bars_on_a_terminal_and_leaves_stdout_to_the_result(
    testamur: Program,
) -> None:
    testamur.write_course(eligible=["Ann Example"])
    testamur.configure()
    controller, terminal = pty.openpty()
    with subprocess.Popen(
        command(*RUN, "--json"),
        cwd=testamur.folder,
        stdout=subprocess.PIPE,
        stderr=terminal,
        text=True,
    ) as process:
        os.close(terminal)
        shown = b""
        # A terminal whose other side is closed is read as an error (EIO).
        with suppress(OSError):
            while part := os.read(controller, 4096):
                shown += part
        assert process.stdout is not None
        assert json.loads(process.stdout.read())["issued"] == 1
    os.close(controller)
    for label in ("Evaluating learners", "Awarding", "Issuing documents", "Telling learners"):
        assert label in shown.decode()


def test_ctrl_c_ends_a_run_and_the_next_tick_finishes_it(testamur: Program) -> None:
    testamur.write_course(eligible=["Ann Example", "Zoë Müller"])
    testamur.configure()
    locks = FileLocks(testamur.folder / "testamur-data" / "locks")
    # While another process issues, a run waits for its turn after it has awarded.
    with (
        locks.hold("issue"),
        subprocess.Popen(
            command(*RUN),
            cwd=testamur.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # Where the tests run in the background, a shell may have let them ignore it.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
        ) as process,
    ):
        until = time.monotonic() + PATIENCE_SECONDS
        while len(testamur.succeeds("credential", "list", "--json").documents) < 2:
            assert time.monotonic() < until
            assert process.poll() is None
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 130
    assert out == ""
    assert err == "interrupted; work that was begun is picked up by the next `testamur tick`\n"
    testamur.succeeds("tick")
    statuses = [
        each["status"] for each in testamur.succeeds("credential", "list", "--json").documents
    ]
    assert statuses == ["issued", "issued"]


def test_a_reader_that_goes_away_ends_the_program_quietly(testamur: Program) -> None:
    testamur.write_course(eligible=[f"Learner {number}" for number in range(3000)])
    testamur.configure()
    with subprocess.Popen(
        command(*RUN, "--dry-run"),
        cwd=testamur.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith("learner")
        process.stdout.close()
        assert process.stderr.read() == ""


def test_names_are_written_even_where_the_terminal_knows_only_ascii(testamur: Program) -> None:
    testamur.write_course(eligible=["Zoë Müller"])
    testamur.configure()
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = in_a_process(testamur.folder, *RUN, "--dry-run", environment=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Zo\\xeb M\\xfcller" in done.stdout


def test_asking_for_help_loads_no_more_than_it_needs() -> None:
    code = (
        "import sys\n"
        "from testamur.entrypoints.cli import main\n"
        "main(['configuration', 'schedule', '--help'])\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stderr.split()
    assert not {"rich", "eventsourcing", "fpdf", "httpx", "punq"} & set(loaded)
