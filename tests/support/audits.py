"""The audit of an installation in memory."""

from testamur.adapters.event_store.names import EVENTS, UPCASTS
from testamur.application.audit_questions import AuditQuestions, KnownEvents
from testamur.application.auditing import Audit
from testamur.application.following import Following
from testamur.application.moments import Moments
from testamur.application.reasons import Reasoning
from tests.support.world import World

KNOWN_EVENTS = KnownEvents((*EVENTS, *UPCASTS))


def audit_of(world: World) -> Audit:
    """Return the use case that answers auditors."""
    database = world.database
    return Audit(
        database.trail,
        Following(database.log, database.audit_rows),
        database.events,
        AuditQuestions(KNOWN_EVENTS, world.credentials, world.configurations, world.installation),
        Moments(database.events, world.clock),
        Reasoning(database.events, database.log),
    )
