"""Batches of entries on their way into the tables: by columns, with neighbours taken together."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from testamur.adapters.event_store.audit.access import microseconds
from testamur.application.ports.audit import AuditEntry
from testamur.domain.identifiers import Actor, ConfigurationId, LearnerId

FacetKey = tuple[str, Actor, ConfigurationId | None, str | None]
"""What makes a facet: event, actor, configuration, context."""

_RUN = "run."


class Batch:
    """What is written of entries; they themselves are not kept.

    Neighbours mostly have the same facet and correlation: both are told once for all of them.

    Args:
        entries: In order, at least one.
    """

    def __init__(self, entries: Iterable[AuditEntry]) -> None:
        self.positions: list[int] = []
        #: In microseconds since 1970.
        self.moments: list[int] = []
        self.facets: list[FacetKey] = []
        #: Of each entry, which one of them it has.
        self.facet_of: list[int] = []
        self.correlations: list[UUID] = []
        #: Of each entry, which one of them it has.
        self.correlation_of: list[int] = []
        self.learners: list[tuple[LearnerId, ...]] = []
        #: Runs that there are events of, and whether the first is among them.
        self.runs: dict[UUID, bool] = {}
        self._add(entries)

    def _add(self, entries: Iterable[AuditEntry]) -> None:
        # All at once: what is done here is done for every event.
        before: datetime | None = None
        moment = 0
        facet: FacetKey | None = None
        correlation: UUID | None = None
        which_facet = which_correlation = -1
        for (
            position, at, actor, name, stream_id, version, correlation_id, configuration_id,
            context_key, learner_ids,
        ) in entries:  # fmt: skip
            self.positions.append(position)
            # Events of one batch have the same moment, and it is the same object.
            if at is not before:
                before, moment = at, microseconds(at)
            self.moments.append(moment)
            key = (name, actor, configuration_id, context_key)
            if key != facet:
                facet = key
                self.facets.append(key)
                which_facet += 1
            self.facet_of.append(which_facet)
            if correlation_id is not correlation:
                correlation = correlation_id
                self.correlations.append(correlation_id)
                which_correlation += 1
            self.correlation_of.append(which_correlation)
            self.learners.append(learner_ids)
            if name.startswith(_RUN):
                self.runs[stream_id] = version == 1 or self.runs.get(stream_id, False)
