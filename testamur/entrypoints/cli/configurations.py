"""Commands of configurations: `testamur configuration …`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from testamur.domain.errors import TestamurError
from testamur.entrypoints.cli.criteria_text import describe_criteria
from testamur.entrypoints.cli.definitions import changed_options, read_options
from testamur.entrypoints.cli.errors import WrongUsage
from testamur.entrypoints.cli.invocation import opened, show_help_unless_asked, time_zone_of
from testamur.entrypoints.cli.option_table import OPTION_COLUMNS, option_rows
from testamur.entrypoints.cli.output import Column, screen, write_json
from testamur.entrypoints.cli.parameters import (
    AsJson,
    Closes,
    ContextKey,
    Cron,
    End,
    Every,
    Once,
    Opens,
    OptionsText,
    Reason,
    Start,
    TimeZone,
    TypeSlug,
)
from testamur.entrypoints.cli.schedule_text import (
    ScheduleText,
    describe_moment,
    describe_schedule,
    parse_schedule,
)

if TYPE_CHECKING:
    from testamur.application.outlook import NextRun
    from testamur.application.ports.register import CredentialTally
    from testamur.domain.configurations import CredentialConfiguration
    from testamur.domain.credential_types import CredentialType
    from testamur.domain.identifiers import ConfigurationId
    from testamur.entrypoints.library import Testamur

app = typer.Typer(
    help="Configurations: a type put to use in a course or pathway.",
    invoke_without_command=True,
    callback=show_help_unless_asked,
)


@app.command()
def create(  # noqa: PLR0913, PLR0917 - options of a command are its parameters
    called: typer.Context,
    type_slug: TypeSlug,
    context_key: ContextKey,
    options: OptionsText = None,
    cron: Cron = None,
    time_zone: TimeZone = None,
    every: Every = None,
    once: Once = None,
    start: Start = None,
    end: End = None,
    opens: Opens = None,
    closes: Closes = None,
    as_json: AsJson = False,
) -> None:
    """Put a type to use in a learning context.

    It is disabled until you enable it, and then runs every 10 days unless a schedule is given.
    """
    own = read_options(options) if options is not None else None
    text = ScheduleText(cron, time_zone, every, once, start, end, opens, closes)
    schedule = parse_schedule(text, time_zone_of(called)) if text.given else None
    with opened(called) as testamur:
        id_ = testamur.create_configuration(type_slug, context_key, options=own, schedule=schedule)
        _tell(testamur, id_, as_json, f"Created {type_slug} for {context_key}; it is disabled.")


@app.command()
def options(
    called: typer.Context,
    type_slug: TypeSlug,
    context_key: ContextKey,
    options: OptionsText = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="PATH=VALUE",
            help="Set one option, such as criteria.required_completion=0.8. The value is JSON, or "
            "text where it is no JSON. May be given several times.",
            show_default=False,
        ),
    ] = None,
    unset: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATH",
            help="Take one option away, so that the type's holds again. May be given several "
            "times.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Change the options of a configuration.

    They are merged over the type's. --options replaces all of them; then --unset and --set
    change single ones.
    """
    if options is None and not set_ and not unset:
        raise WrongUsage("nothing to change: give --options, --set or --unset", called)
    given = read_options(options) if options is not None else None
    sets, unsets = set_ or (), unset or ()
    with opened(called) as testamur:
        id_ = testamur.find_configuration(type_slug, context_key)
        before = testamur.configuration(id_).options
        changed = changed_options(before if given is None else given, sets, unsets)
        testamur.change_options(id_, changed)
        done = "Nothing to change in" if changed == before else "Changed"
        _tell(testamur, id_, as_json, f"{done} the options of {type_slug} for {context_key}.")


@app.command()
def schedule(  # noqa: PLR0913, PLR0917 - options of a command are its parameters
    called: typer.Context,
    type_slug: TypeSlug,
    context_key: ContextKey,
    cron: Cron = None,
    time_zone: TimeZone = None,
    every: Every = None,
    once: Once = None,
    start: Start = None,
    end: End = None,
    opens: Opens = None,
    closes: Closes = None,
    as_json: AsJson = False,
) -> None:
    """Change when a configuration runs.

    What is not given is not part of the schedule. Give one of --cron, --every and --once. The
    window of --opens and --closes follows the course's own dates. Once the schedule or window is
    over, the configuration disables itself.
    """
    text = ScheduleText(cron, time_zone, every, once, start, end, opens, closes)
    if cron is None and every is None and once is None:
        raise WrongUsage("no rule: give --cron, --every or --once", called)
    parsed = parse_schedule(text, time_zone_of(called))
    with opened(called) as testamur:
        id_ = testamur.find_configuration(type_slug, context_key)
        testamur.change_schedule(id_, parsed)
        _tell(testamur, id_, as_json, f"Changed the schedule of {type_slug} for {context_key}.")


@app.command()
def enable(
    called: typer.Context, type_slug: TypeSlug, context_key: ContextKey, as_json: AsJson = False
) -> None:
    """Let the schedule start runs."""
    with opened(called) as testamur:
        id_ = testamur.find_configuration(type_slug, context_key)
        testamur.enable(id_)
        _tell(testamur, id_, as_json, f"Enabled {type_slug} for {context_key}.")


@app.command()
def disable(
    called: typer.Context,
    type_slug: TypeSlug,
    context_key: ContextKey,
    reason: Reason,
    as_json: AsJson = False,
) -> None:
    """Stop the schedule from starting runs.

    Runs by hand stay possible.
    """
    with opened(called) as testamur:
        id_ = testamur.find_configuration(type_slug, context_key)
        testamur.disable(id_, reason)
        _tell(testamur, id_, as_json, f"Disabled {type_slug} for {context_key}.")


@app.command()
def retire(
    called: typer.Context,
    type_slug: TypeSlug,
    context_key: ContextKey,
    reason: Reason,
    as_json: AsJson = False,
) -> None:
    """End a configuration for good.

    What was issued stays.
    """
    with opened(called) as testamur:
        id_ = testamur.find_configuration(type_slug, context_key)
        testamur.retire_configuration(id_, reason)
        _tell(testamur, id_, as_json, f"Retired {type_slug} for {context_key}.")


@app.command()
def show(
    called: typer.Context, type_slug: TypeSlug, context_key: ContextKey, as_json: AsJson = False
) -> None:
    """Show a configuration.

    Its schedule and next run, its options, and where its credentials stand.
    """
    from testamur.application.ports.register import CredentialFilter
    from testamur.domain.criteria import merged_options

    zone = time_zone_of(called)
    with opened(called) as testamur:
        id_ = testamur.find_configuration(type_slug, context_key)
        configuration = testamur.configuration(id_)
        type_ = testamur.type(type_slug)
        criteria = describe_criteria(type_, configuration, testamur.context_kinds())
        next_run = _next_run(testamur, id_)
        tally = testamur.tally(CredentialFilter(configuration_id=id_))
    effective = merged_options(type_.definition.options, configuration.options)
    if as_json:
        write_json(
            {
                **_document(id_, configuration),
                "next_run": {"at": next_run.at, "because": next_run.because or None},
                "effective_options": effective,
                "credentials": tally,
            }
        )
        return
    to_show = screen()
    to_show.fields(_fields(configuration, type_, criteria, zone, next_run, tally))
    own = set(option_rows(configuration.options))
    rows = [
        (path, value, "configuration" if (path, value) in own else "type")
        for path, value in option_rows(effective)
    ]
    if rows:
        to_show.say("")
        to_show.table([*OPTION_COLUMNS, Column("set by", rigid=True)], rows)


@app.command("list")
def list_(called: typer.Context, as_json: AsJson = False) -> None:
    """List all configurations."""
    zone = time_zone_of(called)
    with opened(called) as testamur:
        if as_json:
            write_json([_document(*each) for each in testamur.configurations()])
            return
        to_show = screen()
        found = to_show.table(
            [Column("type"), Column("context"), Column("state", rigid=True), Column("runs")],
            (
                (
                    each.type_slug,
                    each.context_key,
                    _state(each),
                    dict(describe_schedule(each.schedule, zone))["runs"],
                )
                for _, each in testamur.configurations()
            ),
        )
        if not found:
            to_show.say(
                "There are no configurations. Create one with `testamur configuration create`."
            )


def describe_tally(tally: "CredentialTally") -> tuple[str, str]:
    """Return what a tally says of credentials, and of telling their learners."""
    by_status = [f"{count:,} {status}" for status, count in tally.by_status.items() if count]
    failing = f" ({tally.failing:,} failing)" if tally.failing else ""
    failing += f" ({tally.expired:,} expired)" if tally.expired else ""
    told = [f"{count:,} {status}" for status, count in tally.notifications.items() if count]
    return ", ".join(by_status) + failing or "none", ", ".join(told) or "none"


def _fields(
    configuration: "CredentialConfiguration",
    type_: "CredentialType",
    criteria: str,
    zone: ZoneInfo,
    next_run: "NextRun",
    tally: "CredentialTally",
) -> Iterator[tuple[str, str]]:
    yield "type", f"{type_.definition.name} ({type_.slug})"
    yield "context", configuration.context_key
    since = configuration.enabled_at
    yield (
        "state",
        _state(configuration) + (f" since {describe_moment(since, zone)}" if since else ""),
    )
    yield from describe_schedule(configuration.schedule, zone)
    moment = describe_moment(next_run.at, zone) if next_run.at else ""
    yield "next run", ": ".join(filter(None, (moment or "none", next_run.because)))
    yield "criteria", criteria
    credentials, notifications = describe_tally(tally)
    yield "credentials", credentials
    yield "messages", notifications


def _next_run(testamur: "Testamur", id_: "ConfigurationId") -> "NextRun":
    from testamur.application.outlook import NextRun

    try:
        return testamur.next_run(id_)
    except TestamurError as error:
        # What is known of the configuration is shown all the same.
        return NextRun(None, f"not known: {error}")


def _tell(testamur: "Testamur", id_: "ConfigurationId", as_json: bool, sentence: str) -> None:
    if as_json:
        write_json(_document(id_, testamur.configuration(id_)))
    else:
        screen().say(sentence)


def _state(configuration: "CredentialConfiguration") -> str:
    if configuration.retired:
        return "retired"
    return "enabled" if configuration.enabled else "disabled"


def _document(id_: "ConfigurationId", configuration: "CredentialConfiguration") -> dict[str, Any]:
    return {
        "id": id_,
        "type": configuration.type_slug,
        "context": configuration.context_key,
        "state": _state(configuration),
        "enabled_at": configuration.enabled_at,
        "schedule": configuration.schedule,
        "options": configuration.options,
    }
