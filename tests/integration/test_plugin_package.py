"""The example package of plugins: what its source reads, and that it works once it is installed."""

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pytest
from pydantic import SecretStr

from examples.plugin_package.testamur_example_plugins.html_certificate import (
    HtmlOptions,
    HtmlRenderer,
)
from examples.plugin_package.testamur_example_plugins.moodle import (
    MoodleError,
    MoodleOptions,
    MoodleSource,
)
from testamur.application.errors import RenderingError, RetrievalError
from testamur.application.ports.plugins import RendererPlugin, SourcePlugin
from testamur.application.ports.rendering import Document
from testamur.application.ports.retrieval import EVERYTHING
from testamur.domain.contexts import parse_context_key
from testamur.domain.identifiers import CredentialId, LearnerId, VerificationId
from testamur.domain.learning import LearnerRecord
from tests.support.moodle_server import TOKEN, MoodleServer, Participant, running_moodle
from tests.support.world import World

pytestmark = pytest.mark.integration

PROJECT: Final = Path(__file__).parents[2]
PACKAGE: Final = PROJECT / "examples" / "plugin_package"

COURSE: Final = "moodle-course:42"
CONTEXT: Final = parse_context_key(COURSE, MoodleSource.context_kinds)

PARTICIPANTS: Final = {
    3: Participant("Ann Example"),
    5: Participant("Ben Example", states=(1, 3), quiz=None, total=40),
    7: Participant("Tess Teacher", role="editingteacher"),
    8: Participant('<b>"Łucja" & Co</b>', states=(2, 1), suspended=True),
    9: Participant("Uma Unconfirmed", error="usernotconfirmed"),
}

TYPE: Final = """
name = "Certificate of Completion"
criteria = "completion-and-grades"
renderer = "html-certificate"

[issuer]
name = "Example University"

[options.criteria]
required_completion = 1.0
required_grades = { quiz = 0.5, Total = 0.6 }

[options.rendering]
colour = "#003366"
"""


# The source


@pytest.fixture
def moodle() -> Iterator[MoodleServer]:
    with running_moodle(PARTICIPANTS) as running:
        yield running


@pytest.fixture
def source(moodle: MoodleServer) -> Iterator[MoodleSource]:
    made = MoodleSource(MoodleOptions(url=moodle.url, token=SecretStr(TOKEN), page_size=2))
    yield made
    made.close()


def read(source: MoodleSource, learner_id: str | None = None) -> dict[str, LearnerRecord]:
    wanted = LearnerId(learner_id) if learner_id else None
    pages = source.records(CONTEXT, EVERYTHING, wanted)
    records = [record for page in pages for record in page]
    found = {str(record.learner_id): record for record in records}
    assert len(found) == len(records)
    return found


def test_the_examples_are_what_the_groups_ask_for() -> None:
    source: SourcePlugin = MoodleSource
    renderer: RendererPlugin = HtmlRenderer
    assert {source.options_model, renderer.options_model} == {MoodleOptions, HtmlOptions}


def test_every_learner_is_read_once_and_no_teacher(source: MoodleSource) -> None:
    assert list(read(source)) == ["3", "5", "8", "9"]


def test_completion_is_the_share_of_tracked_activities_that_are_complete(
    source: MoodleSource,
) -> None:
    records = read(source)
    assert records["3"].achievement.completion == 1
    assert records["5"].achievement.completion == Decimal("0.5")


def test_grades_are_points_by_kind_of_activity_and_the_total(source: MoodleSource) -> None:
    points = {
        each.category: (each.earned, each.possible)
        for each in read(source)["5"].achievement.subsections
    }
    assert points == {
        "quiz": (Decimal(0), Decimal(10)),
        "Course total": (Decimal(40), Decimal(100)),
    }
    weights = source.facts(CONTEXT).weights
    assert weights["quiz"] == 0
    assert weights["Course total"] == 1


def test_a_learner_about_whom_moodle_does_not_answer_is_left_out_and_said_so(
    source: MoodleSource,
) -> None:
    assert "usernotconfirmed" in (read(source)["9"].left_out or "")


def test_one_learner_is_read_alone(source: MoodleSource, moodle: MoodleServer) -> None:
    assert list(read(source, "5")) == ["5"]
    assert moodle.calls.count("gradereport_user_get_grade_items") == 1
    assert not read(source, "7")


def test_the_course_is_told_with_its_dates(source: MoodleSource) -> None:
    facts = source.facts(CONTEXT)
    assert facts.shown_name == "Statistics & Data"
    assert (facts.start, facts.end) == (datetime(2026, 1, 1, tzinfo=UTC), None)


def test_people_are_told_and_who_is_suspended_is_not_mailed(source: MoodleSource) -> None:
    people = source.people([LearnerId("3"), LearnerId("8"), LearnerId("99")])
    assert set(people) == {"3", "8"}
    assert people[LearnerId("3")].full_name == "Ann Example"
    assert people[LearnerId("3")].locale == "pt-BR"
    assert not people[LearnerId("8")].mailable


def test_what_moodle_refuses_is_told_and_the_token_is_not(moodle: MoodleServer) -> None:
    source = MoodleSource(MoodleOptions(url=moodle.url, token=SecretStr("open sesame")))
    with pytest.raises(MoodleError, match="invalidtoken: Invalid token") as refused:
        source.facts(CONTEXT)
    assert "sesame" not in str(refused.value)
    source.close()


@pytest.mark.parametrize("said", [b"<html>", b"[]", b'{"other": 1}'])
def test_what_is_no_answer_of_moodle_is_refused(
    source: MoodleSource, moodle: MoodleServer, said: bytes
) -> None:
    moodle.says = said
    with pytest.raises(RetrievalError, match="is this Moodle"):
        source.facts(CONTEXT)


def test_a_course_that_is_not_there_is_refused(source: MoodleSource) -> None:
    with pytest.raises(RetrievalError, match="no course moodle-course:7"):
        source.facts(parse_context_key("moodle-course:7", MoodleSource.context_kinds))
    with pytest.raises(RetrievalError, match="no key of a Moodle course"):
        source.facts(parse_context_key("moodle-course:x", MoodleSource.context_kinds))


# The renderer


def document(**changes: Any) -> Document:
    given = {
        "credential_id": CredentialId(UUID(int=1)),
        "verification_id": VerificationId("v1"),
        "full_name": "Ann Example",
        "context_name": "Statistics\n& Data",
        "type_name": "Certificate",
        "issuer_name": "Example University",
        "award_date": date(2026, 6, 1),
        "locale": "en",
    }
    return Document(**{**given, **changes})


def test_a_page_shows_names_as_they_are_and_is_the_same_again() -> None:
    renderer = HtmlRenderer().prepare(HtmlOptions(), World().assets)
    drawn = renderer.render(document(full_name="<script>O'Neill</script>"))
    assert b"<script>" not in drawn.content
    assert b"&lt;script&gt;O&#x27;Neill&lt;/script&gt;" in drawn.content
    assert b"Statistics<br>&amp; Data" in drawn.content
    assert renderer.render(document(full_name="<script>O'Neill</script>")) == drawn
    assert HtmlRenderer().prepare(HtmlOptions(), World().assets).digest == renderer.digest


def test_a_name_with_a_control_character_is_refused() -> None:
    with pytest.raises(RenderingError, match="control character"):
        HtmlRenderer().prepare(HtmlOptions(), World().assets).check(document(full_name="Ann\x07"))


# Installed


@dataclass(frozen=True)
class Elsewhere:
    """Another developer's environment: Testamur and the package installed from their wheels.

    Args:
        python: Its interpreter.
        packages: Where packages are.
        folder: The working directory.
    """

    python: Path
    packages: Path
    folder: Path

    def __call__(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `testamur` there."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("TESTAMUR_", "PYTHON", "COV"))
        }
        return subprocess.run(
            [self.python, "-m", "testamur.entrypoints.cli", *arguments],
            cwd=self.folder,
            env={**kept, **environment},
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            timeout=60,
        )

    def succeeds(self, *arguments: str, **environment: str) -> str:
        """Run a command that must succeed, and return what it says."""
        done = self(*arguments, **environment)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Elsewhere:
    """Build both wheels, and install them where nothing else of this checkout is.

    What Testamur depends on is seen through a ``.pth`` file. Python reads no ``.pth`` files of the
    folder that one names, so that the editable installation of this checkout stays out of sight.
    """
    folder = tmp_path_factory.mktemp("elsewhere")
    for project in (PROJECT, PACKAGE):
        subprocess.run(
            [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder / "wheels"],
            cwd=project,
            capture_output=True,
            check=True,
            timeout=60,
        )
    environment = folder / "environment"
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", environment], check=True, timeout=60
    )
    paths = sysconfig.get_paths("venv", vars={"base": str(environment)})
    packages = Path(paths["purelib"])
    for wheel in (folder / "wheels").glob("*.whl"):
        with zipfile.ZipFile(wheel) as files:
            files.extractall(packages)
    (packages / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    work = folder / "work"
    work.mkdir()
    return Elsewhere(Path(paths["scripts"]) / "python", packages, work)


@pytest.fixture
def broken_package(elsewhere: Elsewhere) -> Iterator[None]:
    """Install a package whose source cannot be imported."""
    metadata = elsewhere.packages / "unlucky_plugins-0.3.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: unlucky-plugins\nVersion: 0.3")
    entry_point = "[testamur.retrieval]\nunlucky = unlucky_plugins:Source\n"
    (metadata / "entry_points.txt").write_text(entry_point)
    (elsewhere.packages / "unlucky_plugins.py").write_text("import no_such_lms\n")
    yield
    (elsewhere.packages / "unlucky_plugins.py").unlink()
    for file in metadata.iterdir():
        file.unlink()
    metadata.rmdir()


def test_an_installed_package_is_found_chosen_and_issues(
    elsewhere: Elsewhere, moodle: MoodleServer, broken_package: None
) -> None:
    testamur, folder = elsewhere, elsewhere.folder
    listed = json.loads(testamur.succeeds("plugins", "--json"))
    works = {each["name"]: each["works"] for each in listed}
    assert (works["moodle"], works["html-certificate"], works["unlucky"]) == (True, True, False)
    (shown,) = (each for each in listed if each["name"] == "moodle")
    assert (shown["distribution"], shown["version"]) == ("testamur-example-plugins", "0.1.0")
    assert [each["name"] for each in shown["options"] if each["secret"]] == ["token"]
    (unlucky,) = (each for each in listed if each["name"] == "unlucky")
    assert unlucky["distribution"] == "unlucky-plugins"
    assert "no_such_lms" in unlucky["problem"]

    (folder / "testamur.toml").write_text('source = "moodle"\n[source_options]\npage_size = 2\n')
    (folder / "type.toml").write_text(TYPE)
    token = {"TESTAMUR_SOURCE_OPTIONS__TOKEN": TOKEN}
    refused = testamur("type", "list", **token)
    assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 1)
    assert "source_options.url" in refused.stderr
    assert TOKEN not in refused.stderr
    assert not (folder / "testamur-data").exists()

    site = {**token, "TESTAMUR_SOURCE_OPTIONS__URL": moodle.url}
    assert TOKEN not in testamur.succeeds("settings", **site)
    testamur.succeeds("type", "define", "completion", "--file", "type.toml", **site)
    testamur.succeeds("configuration", "create", "completion", COURSE, **site)
    run = json.loads(testamur.succeeds("run", "completion", COURSE, "--json", **site))
    assert run["awarded"] == 2

    pages = sorted((folder / "testamur-data" / "files").rglob("*.html"))
    texts = [page.read_text(encoding="utf-8") for page in pages]
    assert len(texts) == 2
    assert any("Ann Example" in text for text in texts)
    assert any("&lt;b&gt;&quot;Łucja&quot; &amp; Co&lt;/b&gt;" in text for text in texts)
    assert all("Statistics &amp; Data" in text and "#003366" in text for text in texts)

    doctor = testamur("doctor", "--json", **site)
    failed = [each for each in json.loads(doctor.stdout) if not each["ok"]]
    assert [(each["subject"], "unlucky-plugins" in each["found"]) for each in failed] == [
        ("plugin", True)
    ]
    chosen = testamur("type", "list", **site, TESTAMUR_SOURCE="unlucky")
    assert chosen.returncode == 1
    assert "unlucky" in chosen.stderr
    assert "no_such_lms" in chosen.stderr


def test_what_is_installed_elsewhere_is_not_this_checkout(elsewhere: Elsewhere) -> None:
    found = subprocess.run(
        [elsewhere.python, "-c", "import testamur; print(testamur.__file__)"],
        cwd=elsewhere.folder,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    assert found.startswith(str(elsewhere.packages))
