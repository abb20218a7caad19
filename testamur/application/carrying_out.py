"""Carrying out a correction that was accepted: revoke, reissue, or award."""

from dataclasses import dataclass
from uuid import UUID

from testamur.application.aggregates import fold, load
from testamur.application.awarding import Awarding
from testamur.application.configurations import Configurations
from testamur.application.needs import needs_of
from testamur.application.ports.event_store import EventStore
from testamur.application.ports.retrieval import RetrievalSource
from testamur.application.ports.system import Clock
from testamur.application.reissuing import Reissuing, parse_full_name
from testamur.application.requests import Request
from testamur.application.revoking import Revoking
from testamur.domain.corrections import CorrectionAccepted, CorrectionProposed
from testamur.domain.credentials import (
    CredentialAwarded,
    CredentialRevoked,
    CredentialStatus,
    evolve,
)
from testamur.domain.eligibility import Inquiry
from testamur.domain.errors import DecisionRefused
from testamur.domain.identifiers import CredentialId, credential_id


@dataclass(frozen=True, slots=True)
class CarryingOut:
    """Does what a correction says, once; done again, it finds that it is done."""

    events: EventStore
    configurations: Configurations
    source: RetrievalSource
    awarding: Awarding
    revoking: Revoking
    reissuing: Reissuing
    clock: Clock

    def do(
        self, proposed: CorrectionProposed, accepted: CorrectionAccepted, by: Request
    ) -> CredentialId:
        """Carry out a correction, and return the credential that was changed or made.

        Args:
            proposed: What was proposed.
            accepted: That it was accepted, and why.
            by: Who accepted it, and with which request; that is how it is known again.

        Raises:
            DecisionRefused, NotFound, InvalidInput: Something has changed since, and it cannot be
                done any more.
            TestamurError: It cannot be done yet.
        """
        if (before := self._done_before(proposed, by.correlation_id)) is not None:
            return before
        try:
            match proposed.kind:
                case "no-longer-eligible":
                    return self._revoke(proposed, accepted, by)
                case "data-changed":
                    return self._renew(proposed, accepted, by)
                case "now-eligible" if proposed.credential_id is not None:
                    return self._reinstate(proposed, accepted, by)
                case "now-eligible":
                    return self._award(proposed, by)
        except DecisionRefused:
            # Another process carried it out in this moment.
            if (meanwhile := self._done_before(proposed, by.correlation_id)) is not None:
                return meanwhile
            raise

    def _revoke(
        self, proposed: CorrectionProposed, accepted: CorrectionAccepted, by: Request
    ) -> CredentialId:
        id_ = _credential_of(proposed)
        self.revoking.revoke(id_, accepted.reason, by, tell=accepted.tell)
        return id_

    def _renew(
        self, proposed: CorrectionProposed, accepted: CorrectionAccepted, by: Request
    ) -> CredentialId:
        has_new_name = "full_name" in proposed.differs
        if has_new_name:
            # What was agreed to is that name, and not whichever it is by now.
            known = self.source.people([proposed.learner_id]).get(proposed.learner_id)
            if known is None or parse_full_name(known.full_name) != proposed.full_name:
                raise DecisionRefused(
                    _subject(proposed), "the data source has another name by now, or none"
                )
        done = self.reissuing.reissue(
            _credential_of(proposed),
            accepted.reason,
            by,
            name_from_lms=has_new_name,
            tell=accepted.tell,
            only_living=True,
        )
        return done.credential_id

    def _reinstate(
        self, proposed: CorrectionProposed, accepted: CorrectionAccepted, by: Request
    ) -> CredentialId:
        id_ = _credential_of(proposed)
        state = load(self.events, id_, evolve).state
        if state is None or state.status is not CredentialStatus.REVOKED:
            raise DecisionRefused(_subject(proposed), "it is not revoked any more")
        return self.reissuing.reissue(id_, accepted.reason, by, tell=accepted.tell).credential_id

    def _award(self, proposed: CorrectionProposed, by: Request) -> CredentialId:
        """Award somebody who never had one, on what the data source says of them now."""
        prepared = self.configurations.prepare(proposed.configuration_id)
        prepared.type.require_in_use()
        prepared.configuration.require_in_use()
        needs = needs_of(prepared.options.criteria)
        inquiry = Inquiry(
            criteria=prepared.options.criteria,
            facts=self.source.facts(prepared.context, needs),
            source=self.source.name,
            retrieved_at=self.clock.now(),
        )
        pages = self.source.records(prepared.context, needs, proposed.learner_id)
        page = self.awarding.judge_page(
            [record for each in pages for record in each], prepared, inquiry
        )
        for refusal in page.refused:
            raise DecisionRefused(_subject(proposed), refusal.detail)
        awarded = self.awarding.award(
            page.awards, by.attribution(self.clock), prepared.options.serial
        )
        if not awarded:
            raise DecisionRefused(
                _subject(proposed), "the learner does not meet the criteria now, or has one already"
            )
        return credential_id(proposed.configuration_id, proposed.learner_id)

    def _done_before(self, proposed: CorrectionProposed, request: UUID) -> CredentialId | None:
        """Return the credential that this very request has changed or made, if it has."""
        id_ = proposed.credential_id or credential_id(
            proposed.configuration_id, proposed.learner_id
        )
        recorded = self.events.load(id_)
        wanted = CredentialAwarded if proposed.credential_id is None else CredentialRevoked
        if proposed.kind == "no-longer-eligible" or proposed.credential_id is None:
            is_done = any(
                isinstance(each.event, wanted) and each.attribution.correlation_id == request
                for each in recorded
            )
            return id_ if is_done else None
        state = fold(id_, recorded, evolve).state
        if state is None or state.superseded_by is None:
            return None
        following = self.events.load(state.superseded_by)
        is_done = bool(following) and following[0].attribution.correlation_id == request
        return state.superseded_by if is_done else None


def _credential_of(proposed: CorrectionProposed) -> CredentialId:
    if proposed.credential_id is None:
        raise DecisionRefused(_subject(proposed), "it is about no credential")
    return proposed.credential_id


def _subject(proposed: CorrectionProposed) -> str:
    return f"correction for learner {proposed.learner_id!r}"
