"""Options of types and configurations: merged, checked, and turned into what they mean."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Annotated, Final, Literal, TypeVar, get_args
from unicodedata import category

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    TypeAdapter,
    ValidationError,
)

from testamur.application.guarding import GuardOptions
from testamur.application.ports.rendering import Renderer
from testamur.application.reconcile_schedules import ReconcileOptions
from testamur.domain.contexts import OWN_KINDS_ONLY, ContextKinds, LearningContextKey
from testamur.domain.credential_types import TypeDefinition
from testamur.domain.credentials import Notice
from testamur.domain.criteria import (
    AnyCourseCriteria,
    CompletionAndGradeCriteria,
    CompletionCriteria,
    GradeCriteria,
    PathwayCriteria,
    merged_options,
)
from testamur.domain.eligibility import AnyCriteria
from testamur.domain.errors import InvalidInput, InvalidOptions
from testamur.domain.expiry import ExpiryRule
from testamur.domain.identifiers import parse_slug
from testamur.domain.serials import SerialRule

CRITERIA_KINDS: Final[Mapping[str, type[AnyCourseCriteria]]] = {
    "completion": CompletionCriteria,
    "grades": GradeCriteria,
    "completion-and-grades": CompletionAndGradeCriteria,
}

PARTS: Final = (
    "criteria",
    "rendering",
    "notification",
    "context",
    "guard",
    "serial",
    "expiry",
    "reconcile",
)

#: A name that fills a page is a mistake; real ones are far shorter.
LONGEST_CERTIFICATE_NAME: Final = 500

ALLOWED_CERTIFICATE_NAME: Final = (
    f"text of 1 to {LONGEST_CERTIFICATE_NAME} characters, none of them a control character "
    "other than line breaks"
)

#: More people than this read a mailing list rather than each their own copy.
MOST_STAFF: Final = 20

#: Of one line and without a name; whether it can be reached, only the mail server knows.
_ADDRESS: Final = re.compile(r"[^\s@<>,;:\"()\[\]\\]{1,64}@[^\s@<>,;:\"()\[\]\\]{1,255}")

Value = TypeVar("Value")


def _certificate_name(text: str) -> str:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    name = "\n".join(line.strip() for line in lines).strip()
    has_controls = any(category(each) == "Cc" for line in lines for each in line)
    if has_controls or not 0 < len(name) <= LONGEST_CERTIFICATE_NAME:
        raise ValueError(ALLOWED_CERTIFICATE_NAME)
    return name


def _slug(text: str) -> str:
    try:
        return parse_slug(text)
    except InvalidInput as error:
        raise ValueError(error.allowed) from None


def _address(text: str) -> str:
    if not _ADDRESS.fullmatch(text):
        raise ValueError("an e-mail address such as course-team@example.org")
    return text


_StaffAddress = Annotated[str, AfterValidator(_address)]


class NotificationOptions(BaseModel):
    """How learners are told.

    Args:
        enabled: Whether they are told at all.
        notices: What they are told of.
        templates: Asset with mail templates that go before the installation's.
        digest_to: Addresses of staff who get a message about each run that awarded somebody or
            could not award somebody.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = True
    notices: tuple[Notice, ...] = get_args(Notice)
    templates: Annotated[str, AfterValidator(_slug)] | None = None
    digest_to: Annotated[tuple[_StaffAddress, ...], Field(max_length=MOST_STAFF)] = ()

    def tells(self, notice: Notice) -> bool:
        """Whether learners are told of such things."""
        return self.enabled and notice in self.notices


class ContextOptions(BaseModel):
    """What the course, lesson or pathway is called.

    Args:
        certificate_name: Its name on documents and in messages, with line breaks where it is to
            have several lines; goes before the names that the data source has. None: one of these.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    certificate_name: Annotated[str, AfterValidator(_certificate_name)] | None = None


@dataclass(frozen=True, slots=True)
class Renderers:
    """The renderers that there are, by name."""

    by_name: Mapping[str, Renderer]

    def named(self, name: str) -> Renderer:
        """Return a renderer.

        Raises:
            InvalidInput: There is none of this name.
        """
        if name not in self.by_name:
            raise InvalidInput("renderer", name, ", ".join(sorted(self.by_name)))
        return self.by_name[name]


@dataclass(frozen=True, slots=True)
class EffectiveOptions:
    """What a type's options and a configuration's over them come to.

    Args:
        criteria: What learners must reach.
        rendering: An instance of the renderer's options model.
        notification: How learners are told.
        context: What the course, lesson or pathway is called.
        guard: How much a run may award before somebody has to approve it.
        serial: How credentials are numbered; None: not at all.
        expiry: How long credentials are valid; None: for ever.
        reconcile: When credentials are compared with today's verdicts by themselves; None: never.
    """

    criteria: AnyCriteria
    rendering: BaseModel
    notification: NotificationOptions
    context: ContextOptions
    guard: GuardOptions
    serial: SerialRule | None = None
    expiry: ExpiryRule | None = None
    reconcile: ReconcileOptions | None = None


def effective_options(
    definition: TypeDefinition,
    own: Mapping[str, JsonValue],
    context: LearningContextKey | None,
    renderers: Renderers,
    kinds: ContextKinds,
) -> EffectiveOptions:
    """Merge, check and return the options that apply.

    Args:
        definition: The type, with its options.
        own: The configuration's options; empty when a type is checked by itself.
        context: The configuration's context; None when a type is checked by itself.
        renderers: The renderers that there are.
        kinds: The kinds of contexts that plugins add.

    Raises:
        InvalidInput: The kind of criteria or the renderer is unknown.
        InvalidOptions: Some options are not allowed; every one of them is named.
    """
    if definition.criteria not in CRITERIA_KINDS:
        raise InvalidInput("criteria", definition.criteria, ", ".join(CRITERIA_KINDS))
    renderer = renderers.named(definition.renderer)
    merged = merged_options(definition.options, own)
    problems = [
        InvalidInput(f"options.{part}", value, " or ".join(PARTS))
        for part, value in merged.items()
        if part not in PARTS
    ]
    problems += _not_storable(merged, "options")

    def checked(name: str, check: Callable[[object], Value]) -> Value | None:
        try:
            return check(merged.get(name, {}))
        except InvalidOptions as error:
            problems.extend(error.problems)
            return None

    criteria = checked(
        "criteria", lambda options: parse_criteria(definition.criteria, options, context, kinds)
    )
    rendering = checked(
        "rendering", lambda options: validated(renderer.options_model, options, "rendering")
    )
    notification = checked(
        "notification", lambda options: validated(NotificationOptions, options, "notification")
    )
    named = checked("context", lambda options: validated(ContextOptions, options, "context"))
    guard = checked("guard", lambda options: validated(GuardOptions, options, "guard"))
    serial = checked(
        "serial",
        lambda options: validated(SerialRule, options, "serial") if options else None,
    )
    expiry = checked(
        "expiry",
        lambda options: validated(ExpiryRule, options, "expiry") if options else None,
    )
    reconcile = checked(
        "reconcile",
        lambda options: validated(ReconcileOptions, options, "reconcile") if options else None,
    )
    if definition.options.get("reconcile"):
        allowed = "it only in the options of a configuration, each of which has its own time"
        problems.append(InvalidInput("reconcile", definition.options["reconcile"], allowed))
    if problems or criteria is None or rendering is None or notification is None:
        raise InvalidOptions("options", problems)
    if named is None or guard is None:
        raise InvalidOptions("options", problems)
    return EffectiveOptions(
        criteria, rendering, notification, named, guard, serial, expiry, reconcile
    )


def parse_criteria(
    kind: str,
    options: object,
    context: LearningContextKey | None,
    kinds: ContextKinds = OWN_KINDS_ONLY,
) -> AnyCriteria:
    """Turn the options of criteria into criteria.

    For a pathway, the options are those of every step, and ``steps`` maps the key of a course to
    options that replace them for that course.

    Args:
        kind: One of :data:`CRITERIA_KINDS`.
        options: As the user wrote them.
        context: What the criteria are for; None to check a type's options by themselves.
        kinds: The kinds of contexts that plugins add: the courses of a pathway may be theirs.

    Raises:
        InvalidOptions: Some options are not allowed.
    """
    model = CRITERIA_KINDS[kind]
    if not isinstance(options, Mapping) or "steps" not in options:
        every_step = validated(model, options, "criteria")
        return PathwayCriteria(every_step=every_step) if _is_pathway(context) else every_step
    if context is not None and not _is_pathway(context):
        steps_problem = InvalidInput("criteria.steps", options["steps"], "steps only for a pathway")
        raise InvalidOptions("criteria", [steps_problem])
    every_step = validated(
        model, {key: value for key, value in options.items() if key != "steps"}, "criteria"
    )
    steps = validated(dict[str, model], options["steps"], "criteria.steps")  # type: ignore[valid-type]
    strangers = [
        InvalidInput("criteria.steps", key, _allowed_steps(kinds))
        for key in steps
        if not _is_course(key, kinds)
    ]
    if strangers:
        raise InvalidOptions("criteria", strangers)
    return PathwayCriteria(every_step=every_step, steps=steps)


def validated(model: type[Value], value: object, field: str) -> Value:
    """Validate a value from outside, with errors that name field, value and what is allowed.

    A model that does not say what becomes of unknown fields refuses them, those of a plugin too.

    Args:
        model: A pydantic model, or any type that pydantic knows.
        value: What came from outside.
        field: Dotted name that goes before the names of its fields.

    Raises:
        InvalidOptions: With one problem for each offending field.
    """
    config: Mapping[str, object] | None = getattr(model, "model_config", None)
    extra: Literal["forbid"] | None = None if config is None or "extra" in config else "forbid"
    try:
        return TypeAdapter(model).validate_python(value, extra=extra)
    except ValidationError as error:
        raise InvalidOptions(field, problems_of(error, field)) from None


def problems_of(error: ValidationError, field: str = "") -> list[InvalidInput]:
    """Return each problem that pydantic found as field, value, and what is allowed.

    Args:
        error: What pydantic raised.
        field: Dotted name that goes before the names of its fields.
    """
    return [
        InvalidInput(
            ".".join(filter(None, (field, *map(str, problem["loc"])))),
            problem["input"],
            _allowed(problem["type"], problem["msg"]),
        )
        for problem in error.errors(include_url=False)
    ]


def _allowed(kind: str, message: str) -> str:
    match kind:
        case "missing":
            return "a value: it is required"
        case "extra_forbidden":
            return "no such field"
        case _:
            return message.removeprefix("Value error, ").removeprefix("Input should be ")


def _not_storable(value: JsonValue, field: str) -> list[InvalidInput]:
    """Return what JSON text in UTF-8 cannot hold, and would lose without a word."""
    match value:
        case dict():
            keys = [text for key in value for text in _not_storable(key, f"{field}: a key")]
            inner = [(f"{field}.{key}", each) for key, each in value.items()]
            return keys + [found for name, each in inner for found in _not_storable(each, name)]
        case list():
            numbered = [(f"{field}.{number}", each) for number, each in enumerate(value)]
            return [found for name, each in numbered for found in _not_storable(each, name)]
        case float() if not isfinite(value):
            return [InvalidInput(field, value, "a finite number")]
        case str() if not value.isascii() and any("\ud800" <= each <= "\udfff" for each in value):
            return [InvalidInput(field, value, "text without lone surrogates")]
        case _:
            return []


def _is_pathway(context: LearningContextKey | None) -> bool:
    return context is not None and context.kind == "pathway"


def _is_course(key: str, kinds: ContextKinds) -> bool:
    try:
        return kinds.parse(key).kind == "course"
    except InvalidInput:
        return False


def _allowed_steps(kinds: ContextKinds) -> str:
    schemes = sorted(scheme for scheme, kind in kinds.by_scheme.items() if kind == "course")
    forms = ["course-v1:ORG+COURSE+RUN", *(f"{scheme}:…" for scheme in schemes)]
    return f"keys of courses, such as {' or '.join(forms)}"
