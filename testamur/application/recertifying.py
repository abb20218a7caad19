"""Recertifying: who of those who hold a credential may earn its next edition, and by what.

Met again means by what was achieved after the award before. What the source reports of earlier is
left out of account, so that an old achievement never renews a credential, however often a run sees
it.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from testamur.application.aggregates import Loaded, fold
from testamur.application.configurations import PreparedConfiguration
from testamur.application.installation import Installation
from testamur.application.ports.event_store import EventStore
from testamur.application.ports.register import Register
from testamur.application.ports.retrieval import DatingSource, RetrievalSource
from testamur.domain.credentials import (
    Credential,
    CredentialAwarded,
    CredentialStatus,
    evolve,
    next_edition_id,
)
from testamur.domain.errors import InvalidInput
from testamur.domain.expiry import expires_at_of, renewable_until
from testamur.domain.identifiers import CredentialId, LearnerId
from testamur.domain.learning import LearnerRecord, since


def require_dates(prepared: PreparedConfiguration, source: RetrievalSource) -> None:
    """Make sure that recertification is possible where it is wanted.

    Raises:
        InvalidInput: The data source does not tell when learners achieved something.
    """
    rule = prepared.options.expiry
    if rule is None or rule.recertify is None:
        return
    if not (isinstance(source, DatingSource) and source.dates_achievements):
        raise InvalidInput(
            "options.expiry.recertify",
            "true",
            f"false, as the data source {source.name} does not tell when something was achieved, "
            "so nobody could tell a new achievement from the one of the last award; let a new run "
            "of the course have a configuration of its own",
        )


@dataclass(frozen=True, slots=True)
class Renewal:
    """A credential that may be followed by a new edition.

    Args:
        credential_id: The credential.
        awarded: What it says.
        since: Only what was achieved after that counts for the new edition.
    """

    credential_id: CredentialId
    awarded: CredentialAwarded
    since: datetime

    @property
    def next_id(self) -> CredentialId:
        """The id of the edition that would follow."""
        return next_edition_id(self.awarded)

    def counted(self, record: LearnerRecord) -> LearnerRecord:
        """Return what counts of a learner's record."""
        return since(record, self.since)

    def following(self, award: CredentialAwarded) -> CredentialAwarded:
        """Return an award as that of the next edition."""
        return award.model_copy(
            update={"edition": self.awarded.edition + 1, "replaces": self.credential_id}
        )


@dataclass(frozen=True, slots=True)
class Recertifying:
    """Finds who may be certified once more."""

    events: EventStore
    register: Register
    installation: Installation

    def renewals(
        self, prepared: PreparedConfiguration, held: Collection[LearnerId], now: datetime
    ) -> Mapping[LearnerId, Renewal]:
        """Return what holders may renew now; nothing where the configuration does not want it.

        Args:
            prepared: The configuration.
            held: Learners who hold its credential.
            now: When they would be awarded the next edition (aware).
        """
        rule, zone = prepared.options.expiry, self.installation.time_zone
        until = None if rule is None else renewable_until(rule, now, zone)
        if rule is None or until is None or not held:
            return {}
        found = self.register.renewable(prepared.id, sorted(held), until)
        next_expiry = expires_at_of(rule, self.installation.date_of(now), zone)
        renewals = {}
        for credential in self.issued(found.values()).values():
            awarded = credential.awarded
            # With a fixed day that was not put off, the next edition would expire no later.
            if awarded.expires_at and next_expiry and next_expiry > awarded.expires_at:
                id_ = found[awarded.learner_id]
                renewals[awarded.learner_id] = Renewal(id_, awarded, self._earned_by(awarded))
        return renewals

    def loaded(self, ids: Iterable[CredentialId]) -> dict[UUID, Loaded[Credential]]:
        """Return those of some credentials that are issued, and have not ended."""
        streams = self.events.load_many(list(ids))
        loaded = (fold(id_, recorded, evolve) for id_, recorded in streams.items())
        return {
            each.stream_id: each
            for each in loaded
            if each.state is not None and each.state.status is CredentialStatus.ISSUED
        }

    def issued(self, ids: Iterable[CredentialId]) -> dict[UUID, Credential]:
        """Return the states of those of some credentials that are issued, and have not ended."""
        return {id_: each.state for id_, each in self.loaded(ids).items() if each.state is not None}

    def _earned_by(self, awarded: CredentialAwarded) -> datetime:
        """Return by when what the last award rests on was achieved.

        A reissue keeps both the date and the evidence. What was awarded by hand for a day that had
        passed rests on that day.
        """
        next_day = awarded.award_date + timedelta(days=1)
        begins = datetime.combine(next_day, time.min, self.installation.time_zone)
        return min(awarded.evidence.retrieved_at, begins.astimezone(UTC))
