from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

import pytest
from pydantic import JsonValue

from testamur.application.configurations import Configurations
from testamur.application.installation import Installation
from testamur.application.options import Renderers
from testamur.application.previewing import Look, Preview, Previews
from testamur.application.sample_documents import SAMPLE_VERIFICATION_ID
from testamur.application.samples import SAMPLES
from testamur.domain.credential_types import Issuer, TypeDefinition
from testamur.domain.errors import InvalidInput, InvalidOptions, NotFound
from testamur.domain.identifiers import ConfigurationId
from tests.support.designs import DesignMarks, DesignRenderer
from tests.support.records import COURSE, PATHWAY, course
from tests.support.world import PlainRenderer, World

GRADES: dict[str, JsonValue] = {"required_grades": {"Exam": 0.5, "Total": 0.95}}


@dataclass
class Studio:
    """A world in which designs are previewed."""

    world: World
    renderer: DesignRenderer
    configurations: Configurations
    public_url: str | None = "https://credentials.example.org"
    language: str = "en"

    @property
    def previews(self) -> Previews:
        world = self.world
        installation = Installation(ZoneInfo("Asia/Tokyo"), self.language, self.public_url)
        return Previews(self.configurations, world.source, DesignMarks(), world.clock, installation)

    def define(
        self, *, kind: str = "completion", renderer: str = "design", **options: JsonValue
    ) -> None:
        definition = TypeDefinition(
            name="Diploma",
            issuer=Issuer(name="Example University"),
            criteria=kind,
            renderer=renderer,
            options=options,
        )
        self.configurations.types.define("diploma", definition, self.world.request())

    def configure(
        self,
        context_key: str = COURSE,
        *,
        kind: str = "completion",
        renderer: str = "design",
        **options: JsonValue,
    ) -> ConfigurationId:
        self.define(kind=kind, renderer=renderer, **options)
        return self.configurations.create("diploma", context_key, self.world.request())

    def look(self, id_: ConfigurationId, **asked: object) -> list[Preview]:
        return list(self.previews.of_configuration(id_, replace(Look(), **asked)))  # type: ignore[arg-type]

    def look_at_one(self, id_: ConfigurationId, name: str = "Ann", **asked: object) -> Preview:
        (preview,) = self.look(id_, name=name, **asked)
        return preview


@pytest.fixture
def studio() -> Studio:
    world = World()
    world.source.facts_by_key = {COURSE: course(name="Mathematics")}
    renderer = DesignRenderer()
    renderers = Renderers({"design": renderer, "plain": PlainRenderer()})
    types = replace(world.types, renderers=renderers)
    return Studio(world, renderer, replace(world.configurations, types=types, renderers=renderers))


def lines_of(preview: Preview) -> list[str]:
    assert preview.file is not None
    return preview.file.content.decode().splitlines()


def details_of(preview: Preview, reason: str) -> list[str]:
    return [each.detail for each in preview.warnings if each.reason == reason]


# Samples


def test_invented_learners_of_many_scripts_are_shown_and_nothing_is_written(studio: Studio) -> None:
    id_ = studio.configure()
    written = len(list(studio.world.events.log()))
    previews = studio.look(id_)
    assert [each.sample for each in previews] == list(SAMPLES)
    shown = {each.sample.slug: each for each in previews}
    assert lines_of(shown["el"]) == ["Αικατερίνη Νικολαΐδου", "Mathematics", "2026-06-01", "SAMPLE"]
    assert len(list(studio.world.events.log())) == written


def test_who_would_be_refused_is_told_why_and_the_others_are_shown(studio: Studio) -> None:
    previews = studio.look(studio.configure())
    (refused,) = [each for each in previews if each.refused is not None]
    assert refused.sample.slug == "th"
    assert refused.file is None
    assert refused.refused is not None
    assert refused.refused.reason == "missing-glyph"
    assert refused.refused.detail == "name: no font has U+0E19"


@pytest.mark.parametrize(
    ("asked", "slugs"),
    [
        ({"name": "Zoë Brandt"}, ["is"]),
        ({"name": "Zoë Brandt", "language": "de"}, ["de"]),
        ({"language": "PT"}, ["pt-BR-long"]),
        ({"language": "en"}, ["en", "en-short", "en-mixed"]),
        ({"language": "de-AT"}, ["de-AT"]),
    ],
)
def test_only_the_samples_that_are_asked_for_are_shown(
    studio: Studio, asked: dict[str, str], slugs: list[str]
) -> None:
    studio.language = "is"
    previews = studio.look(studio.configure(), **asked)
    assert [each.sample.slug for each in previews] == slugs
    assert {each.sample.name for each in previews} >= (
        {asked["name"]} if "name" in asked else set()
    )
    document = studio.renderer.prepared[-1].drawn[-1]
    assert document.locale == previews[-1].sample.language


def test_a_renderer_that_breaks_refuses_that_sample_only(studio: Studio) -> None:
    refused = studio.look_at_one(studio.configure(), "broken").refused
    assert refused is not None
    assert refused.reason == "renderer"
    assert "ZeroDivisionError" in refused.detail


# What documents show


def test_a_document_shows_what_a_real_one_would_and_ids_that_no_credential_has(
    studio: Studio,
) -> None:
    id_ = studio.configure(kind="completion-and-grades", criteria=GRADES)
    studio.look_at_one(id_, language="de")
    (document,) = studio.renderer.prepared[-1].drawn
    assert document.type_name == "Diploma"
    assert document.issuer_name == "Example University"
    assert document.award_date.isoformat() == "2026-06-01"
    assert dict(document.values) == {"completion": "92,5%", "grade": "95%"}
    assert document.verify_url == f"https://credentials.example.org/verify/{SAMPLE_VERIFICATION_ID}"
    assert document.credential_id.int == 0
    assert len(SAMPLE_VERIFICATION_ID) == 26
    assert not set("ilo").isdisjoint(SAMPLE_VERIFICATION_ID)


def test_a_sample_is_drawn_without_what_would_vouch_for_it(studio: Studio) -> None:
    studio.look(studio.configure())
    (prepared,) = {id(each): each for each in studio.renderer.prepared}.values()
    assert prepared.drawn
    assert prepared.vouched_for == []


def test_options_are_tried_without_being_saved(studio: Studio) -> None:
    id_ = studio.configure()
    preview = studio.look_at_one(id_, options={"rendering": {"shows": ["full_name"]}})
    assert lines_of(preview) == ["Ann", "2026-06-01", "SAMPLE"]
    assert studio.configurations.get(id_).options == {}
    with pytest.raises(InvalidOptions, match=r"rendering\.colour"):
        studio.look(id_, options={"rendering": {"colour": "red"}})


# The name of the context


def test_a_name_for_certificates_goes_before_the_source_which_is_not_asked(studio: Studio) -> None:
    id_ = studio.configure(context={"certificate_name": "Algebra"})
    studio.world.source.asked.clear()
    assert lines_of(studio.look_at_one(id_))[1] == "Algebra"
    assert lines_of(studio.look_at_one(id_, context_name="Geometry"))[1] == "Geometry"
    assert studio.world.source.asked == []


def test_a_source_that_cannot_be_asked_leaves_an_invented_name_and_a_warning(
    studio: Studio,
) -> None:
    id_ = studio.configure()
    studio.world.source.facts_by_key.clear()
    preview = studio.look_at_one(id_)
    assert lines_of(preview)[1] == "Introduction to Data Science"
    (detail,) = details_of(preview, "context-name")
    assert detail.startswith("an invented name stands for that of the course")
    assert f"no {COURSE}" in detail


def test_a_context_without_a_name_is_warned_of(studio: Studio) -> None:
    id_ = studio.configure()
    studio.world.source.facts_by_key[COURSE] = course()
    preview = studio.look_at_one(id_)
    assert lines_of(preview)[1] == COURSE
    (detail,) = details_of(preview, "context-name")
    assert "set context.certificate_name" in detail


def test_a_type_is_shown_by_itself_with_a_name_of_two_lines_among_others(studio: Studio) -> None:
    studio.define()
    previews = list(studio.previews.of_type("diploma", Look()))
    assert [each.sample.slug for each in previews[:-1]] == [each.slug for each in SAMPLES]
    assert lines_of(previews[-1])[1:3] == ["Introduction to", "Data Science"]
    assert studio.world.source.asked == []
    with pytest.raises(NotFound):
        studio.previews.of_type("degree", Look())


def test_a_pathway_is_shown_too(studio: Studio) -> None:
    studio.world.source.facts_by_key[PATHWAY] = course(PATHWAY, name="Science")
    preview = studio.look_at_one(studio.configure(PATHWAY))
    assert lines_of(preview)[1] == "Science"


# Links


def test_a_link_that_the_installation_lacks_is_stood_in_for_with_a_warning(studio: Studio) -> None:
    studio.public_url = None
    id_ = studio.configure(rendering={"shows": ["full_name", "verify_url"]})
    preview = studio.look_at_one(id_)
    assert lines_of(preview)[1].startswith("https://")
    (detail,) = details_of(preview, "no-link")
    assert "public_url" in detail
    assert "there is no value for {verify_url}" in detail


def test_a_design_without_a_link_needs_none(studio: Studio) -> None:
    studio.public_url = None
    preview = studio.look_at_one(studio.configure())
    assert preview.warnings == ()


def test_another_value_that_is_missing_is_no_matter_of_links(studio: Studio) -> None:
    studio.public_url = None
    id_ = studio.configure(rendering={"shows": ["full_name", "grade"]})
    preview = studio.look_at_one(id_)
    assert preview.refused is not None
    assert preview.refused.detail == "there is no value for {grade}"
    assert preview.warnings == ()


# What to look at


def test_text_that_shrinks_is_told_and_warned_of_where_it_gets_small(studio: Studio) -> None:
    id_ = studio.configure()
    assert studio.look_at_one(id_, "x" * 25).shrunk == ()
    a_little = studio.look_at_one(id_, "x" * 30)
    assert [(each.element, each.size) for each in a_little.shrunk] == [("full_name", 26.67)]
    assert a_little.warnings == ()
    much = studio.look_at_one(id_, "x" * 40)
    (detail,) = details_of(much, "shrunk")
    assert detail.startswith("full_name shrinks to 20 points, 62% of its size, to fit")


def test_texts_that_overlap_are_warned_of(studio: Studio) -> None:
    preview = studio.look_at_one(studio.configure(rendering={"spacing": 20}))
    assert details_of(preview, "overlap") == ["full_name and context_name overlap, 4.2 mm high"]
    id_ = studio.configurations.find("diploma", COURSE)
    assert studio.look_at_one(id_, options={"rendering": {"spacing": 40}}).warnings == ()


@pytest.mark.parametrize(
    ("beside", "warned"),
    [
        (-5, ["full_name and code overlap, 10.6 mm high"]),
        (5, ["full_name stands in the bright margin that scanners need around code"]),
        (11, []),
    ],
)
def test_the_margin_of_a_code_is_kept_free(
    studio: Studio, beside: float, warned: list[str]
) -> None:
    design: JsonValue = {"code_beside": beside, "shows": ["full_name"]}
    preview = studio.look_at_one(studio.configure(rendering=design))
    assert details_of(preview, "overlap") == warned


# Guides and pictures


def test_guides_and_pictures_are_made_where_they_are_asked_for(studio: Studio) -> None:
    id_ = studio.configure()
    plain = studio.look_at_one(id_)
    assert (lines_of(plain)[-1], plain.pictures) == ("SAMPLE", ())
    preview = studio.look_at_one(id_, guides=True, dpi=72)
    assert lines_of(preview)[-2:] == ["guide: full_name", "guide: context_name"]
    assert preview.file is not None
    assert preview.pictures == (b"72 dpi of " + preview.file.content,)


@pytest.mark.parametrize("dpi", [0, 35, 601])
def test_pictures_that_nobody_could_use_are_refused(studio: Studio, dpi: int) -> None:
    with pytest.raises(InvalidInput, match="36 to 600"):
        studio.look(studio.configure(), dpi=dpi)


def test_a_renderer_without_places_and_marks_is_shown_as_it_is_with_a_warning(
    studio: Studio,
) -> None:
    id_ = studio.configure(renderer="plain")
    preview = studio.look_at_one(id_)
    assert lines_of(preview) == ["Certificate", "Ann", "Mathematics", "2026-06-01"]
    (detail,) = details_of(preview, "not-marked")
    assert "'plain'" in detail
    with pytest.raises(InvalidInput, match=r"guides.*'plain', which does not tell"):
        studio.look(id_, guides=True)
    with pytest.raises(InvalidInput, match=r"pictures.*'plain', which makes text/plain"):
        studio.look(id_, dpi=72)
