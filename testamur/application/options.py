"""Options of types and configurations: merged, checked, and turned into what they mean."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Final, TypeVar

from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter, ValidationError

from testamur.application.ports.rendering import Renderer
from testamur.domain.contexts import CourseKey, LearningContextKey, PathwayKey, parse_context_key
from testamur.domain.credential_types import TypeDefinition
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

CRITERIA_KINDS: Final[Mapping[str, type[AnyCourseCriteria]]] = {
    "completion": CompletionCriteria,
    "grades": GradeCriteria,
    "completion-and-grades": CompletionAndGradeCriteria,
}

PARTS: Final = ("criteria", "rendering", "notification")

Value = TypeVar("Value")


class NotificationOptions(BaseModel):
    """How learners are told.

    Args:
        enabled: Whether they are told at all.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = True


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
    """

    criteria: AnyCriteria
    rendering: BaseModel
    notification: NotificationOptions


def effective_options(
    definition: TypeDefinition,
    own: Mapping[str, JsonValue],
    context: LearningContextKey | None,
    renderers: Renderers,
) -> EffectiveOptions:
    """Merge, check and return the options that apply.

    Args:
        definition: The type, with its options.
        own: The configuration's options; empty when a type is checked by itself.
        context: The configuration's context; None when a type is checked by itself.
        renderers: The renderers that there are.

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
        "criteria", lambda options: parse_criteria(definition.criteria, options, context)
    )
    rendering = checked(
        "rendering", lambda options: validated(renderer.options_model, options, "rendering")
    )
    notification = checked(
        "notification", lambda options: validated(NotificationOptions, options, "notification")
    )
    if problems or criteria is None or rendering is None or notification is None:
        raise InvalidOptions("options", problems)
    return EffectiveOptions(criteria, rendering, notification)


def parse_criteria(kind: str, options: object, context: LearningContextKey | None) -> AnyCriteria:
    """Turn the options of criteria into criteria.

    For a pathway, the options are those of every step, and ``steps`` maps the key of a course to
    options that replace them for that course.

    Args:
        kind: One of :data:`CRITERIA_KINDS`.
        options: As the user wrote them.
        context: What the criteria are for; None to check a type's options by themselves.

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
        InvalidInput("criteria.steps", key, "keys of courses, such as course-v1:ORG+COURSE+RUN")
        for key in steps
        if not _is_course(key)
    ]
    if strangers:
        raise InvalidOptions("criteria", strangers)
    return PathwayCriteria(every_step=every_step, steps=steps)


def validated(model: type[Value], value: object, field: str) -> Value:
    """Validate a value from outside, with errors that name field, value and what is allowed.

    Args:
        model: A pydantic model, or any type that pydantic knows.
        value: What came from outside.
        field: Dotted name that goes before the names of its fields.

    Raises:
        InvalidOptions: With one problem for each offending field.
    """
    try:
        return TypeAdapter(model).validate_python(value)
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
    return isinstance(context, PathwayKey)


def _is_course(key: str) -> bool:
    try:
        return isinstance(parse_context_key(key), CourseKey)
    except InvalidInput:
        return False
