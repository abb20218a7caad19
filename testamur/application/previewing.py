"""Previewing: what certificates will look like, seen before anything is issued.

Samples are drawn by the same code and options as credentials are, and marked as samples. Nothing is
written: no event, and no file in the storage.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from pydantic import JsonValue

from testamur.application.configurations import Configurations
from testamur.application.errors import RenderingError, RetrievalError
from testamur.application.inspecting import (
    PreviewWarning,
    Shrunk,
    overlaps,
    shrunk_texts,
    too_small,
)
from testamur.application.installation import Installation
from testamur.application.options import EffectiveOptions, effective_options
from testamur.application.ports.rendering import Document, PreparedRenderer, RenderedFile
from testamur.application.ports.retrieval import ONLY_DATES, RetrievalSource
from testamur.application.ports.samples import (
    Arrangement,
    ArrangingRenderer,
    SampleMarks,
)
from testamur.application.ports.system import Clock
from testamur.application.sample_documents import SAMPLE_VERIFY_URL, sample_document
from testamur.application.samples import LEAST_DPI, MOST_DPI, TWO_LINES, Sample, samples_for
from testamur.domain.contexts import LearningContextKey
from testamur.domain.credential_types import CredentialType
from testamur.domain.errors import InvalidInput
from testamur.domain.identifiers import ConfigurationId


@dataclass(frozen=True, slots=True)
class Preview:
    """How the certificate of one sample learner looks.

    Args:
        sample: The learner.
        file: The document, marked as a sample; None where it would be refused.
        pictures: Its pages as PNG files, where they were asked for.
        refused: Why it would be refused, if it would.
        shrunk: What is drawn smaller than its size.
        warnings: What there is to look at, apart from the refusal.
    """

    sample: Sample
    file: RenderedFile | None = None
    pictures: tuple[bytes, ...] = ()
    refused: PreviewWarning | None = None
    shrunk: tuple[Shrunk, ...] = ()
    warnings: tuple[PreviewWarning, ...] = ()


@dataclass(frozen=True, slots=True)
class Look:
    """What previews are to show.

    Args:
        name: Only a learner of this name; None: invented ones, in many scripts.
        language: Language tag (BCP 47) of the learner; without a name, only samples in it.
        context_name: The name of the course, lesson or pathway; None: the one that it has.
        options: Tried in place of the configuration's own, which stay as they are; None: its own.
        guides: Whether the place of each element is drawn over the page.
        dpi: Makes pictures of the pages too, with so many pixels to the inch.
    """

    name: str | None = None
    language: str | None = None
    context_name: str | None = None
    options: Mapping[str, JsonValue] | None = None
    guides: bool = False
    dpi: int | None = None


@dataclass(frozen=True, slots=True)
class Previews:
    """Shows what certificates will look like."""

    configurations: Configurations
    source: RetrievalSource
    marks: SampleMarks
    clock: Clock
    installation: Installation

    def of_configuration(self, id_: ConfigurationId, look: Look) -> Iterator[Preview]:
        """Yield previews of a configuration, enabled or not.

        The data source is asked for the name of the context, unless one is given.

        Raises:
            NotFound: There is no such configuration, or an asset that it needs is gone.
            InvalidInput: The pixels to the inch are out of bounds, or guides or pictures are asked
                for where the renderer has none.
            InvalidOptions: Some options are not allowed.
            RenderingError: A template, font or image cannot be used, or pictures cannot be made.
        """
        configuration = self.configurations.get(id_)
        context = self.configurations.context_kinds.parse(configuration.context_key)
        own = configuration.options if look.options is None else look.options
        design = self._design(configuration.type_slug, own, context)
        return self._previews(self._named(design, context, look), look)

    def of_type(self, slug: str, look: Look) -> Iterator[Preview]:
        """Yield previews of a credential type by itself, for no course in particular.

        Raises:
            NotFound: There is no such type, or an asset that it needs is gone.
            InvalidInput, InvalidOptions, RenderingError: As :meth:`of_configuration`.
        """
        design = self._design(slug, look.options or {}, None)
        name = look.context_name or design.options.context.certificate_name
        return self._previews(replace(design, context_name=name), look)

    def _design(
        self, slug: str, own: Mapping[str, JsonValue], context: LearningContextKey | None
    ) -> "_Design":
        known = self.configurations
        type_ = known.types.get(slug)
        definition = type_.definition
        options = effective_options(definition, own, context, known.renderers, known.context_kinds)
        renderer = known.renderers.named(definition.renderer)
        return _Design(type_, options, known.prepared.prepare(renderer, options.rendering))

    def _named(self, design: "_Design", context: LearningContextKey, look: Look) -> "_Design":
        """Return a design with the context's name, as a run would find it."""
        if name := look.context_name or design.options.context.certificate_name:
            return replace(design, context_name=name)
        try:
            facts = self.source.facts(context, ONLY_DATES)
        except RetrievalError as error:
            detail = (
                f"an invented name stands for that of the {context.kind}, since the data source "
                f"cannot tell it: {error}"
            )
            return replace(design, warnings=(PreviewWarning("context-name", detail),))
        name = facts.shown_name
        if facts.certificate_name or facts.name:
            return replace(design, context_name=name)
        detail = (
            f"the data source has no name for the {context.kind}, so its key is drawn; give it one "
            "there, or set context.certificate_name"
        )
        warning = PreviewWarning("context-name", detail)
        return replace(design, context_name=name, warnings=(warning,))

    def _previews(self, design: "_Design", look: Look) -> Iterator[Preview]:
        """Check what is asked for now, and return the previews, each made as it is needed."""
        if look.dpi is not None and not LEAST_DPI <= look.dpi <= MOST_DPI:
            raise InvalidInput("dpi", look.dpi, f"{LEAST_DPI} to {MOST_DPI}")
        if look.guides and not isinstance(design.renderer, ArrangingRenderer):
            raise InvalidInput("guides", True, design.unable("does not tell where elements stand"))
        samples = samples_for(look.name, look.language, self.installation.default_language)
        if design.context_name is None and look.name is None and look.language is None:
            samples = (*samples, TWO_LINES)
        return (self._preview(design, each, look) for each in samples)

    def _preview(self, design: "_Design", sample: Sample, look: Look) -> Preview:
        document, warnings = self._document(design, sample)
        refused = _problem(design.renderer, document)
        if refused is not None:
            return Preview(sample, refused=refused, warnings=warnings)
        try:
            if isinstance(design.renderer, ArrangingRenderer):
                file = design.renderer.draft(document)
                arrangement = design.renderer.arrangement(document)
            else:
                file, arrangement = design.renderer.render(document), None
        except RenderingError as error:
            refused = PreviewWarning(error.reason, error.detail)
            return Preview(sample, refused=refused, warnings=warnings)
        marked, pictures, unmarked = self._finished(design, file, arrangement, look)
        elements = arrangement.elements if arrangement else ()
        shrunk = tuple(shrunk_texts(elements))
        return Preview(
            sample,
            marked,
            pictures,
            shrunk=shrunk,
            warnings=(*warnings, *unmarked, *too_small(shrunk), *overlaps(elements)),
        )

    def _document(
        self, design: "_Design", sample: Sample
    ) -> tuple[Document, tuple[PreviewWarning, ...]]:
        """Return a sample's document; where it cannot do without a link, with one made up."""
        document = sample_document(
            sample,
            design.type,
            design.options.criteria,
            design.context_name,
            self.installation,
            self.clock.now(),
            design.options.serial,
            design.options.expiry,
        )
        problem = _problem(design.renderer, document)
        if document.verify_url is not None or problem is None:
            return document, design.warnings
        with_link = replace(document, verify_url=SAMPLE_VERIFY_URL)
        if _problem(design.renderer, with_link) == problem:
            return document, design.warnings
        detail = (
            "an invented link stands on the certificate: without the setting public_url it would "
            f"be refused: {problem.detail}"
        )
        return with_link, (*design.warnings, PreviewWarning("no-link", detail))

    def _finished(
        self,
        design: "_Design",
        file: RenderedFile,
        arrangement: Arrangement | None,
        look: Look,
    ) -> tuple[RenderedFile, tuple[bytes, ...], tuple[PreviewWarning, ...]]:
        """Return the marked file, its pictures, and what there is to say if it is not marked."""
        if self.marks.can_mark(file.media_type):
            marked = self.marks.marked(file, arrangement if look.guides else None)
            return marked, self.marks.pictures(marked, look.dpi) if look.dpi else (), ()
        for asked, what in ((look.guides, "guides"), (look.dpi, "pictures")):
            if asked:
                raise InvalidInput(what, asked, design.unable(f"makes {file.media_type}"))
        detail = (
            f"samples of the renderer {design.type.definition.renderer!r} are not marked as such: "
            f"nothing can be drawn over {file.media_type}; keep them to yourself"
        )
        return file, (), (PreviewWarning("not-marked", detail),)


@dataclass(frozen=True, slots=True)
class _Design:
    """What is looked at.

    Args:
        type: The credential type.
        options: What is in force.
        renderer: Ready to draw.
        context_name: What the course, lesson or pathway is called; None where it is not known.
        warnings: Hold for every sample.
    """

    type: CredentialType
    options: EffectiveOptions
    renderer: PreparedRenderer
    context_name: str | None = None
    warnings: tuple[PreviewWarning, ...] = ()

    def unable(self, why: str) -> str:
        """Return what is allowed in place of what the renderer is not able to do."""
        return f"none for the renderer {self.type.definition.renderer!r}, which {why}"


def _problem(renderer: PreparedRenderer, document: Document) -> PreviewWarning | None:
    """Return why a document would be refused, if it would."""
    try:
        renderer.check(document)
    except RenderingError as error:
        return PreviewWarning(error.reason, error.detail)
    except Exception as error:  # noqa: BLE001 - it would be a refusal of this learner only
        return PreviewWarning("renderer", f"the renderer broke: {type(error).__name__}: {error}")
    return None
