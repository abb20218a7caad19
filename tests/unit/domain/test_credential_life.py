"""What stays true of a credential whatever is decided about it, in any order."""

from functools import reduce
from itertools import pairwise

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from testamur.domain.credentials import (
    MOST_NOTIFICATION_ATTEMPTS,
    Artifact,
    Credential,
    CredentialAwarded,
    CredentialEvent,
    CredentialIssued,
    CredentialRevoked,
    CredentialStatus,
    CredentialSuperseded,
    IssuanceFailed,
    NotificationFailed,
    NotificationSent,
    NotificationSkipped,
    PersonalDataErased,
    decide_award,
    decide_erase,
    decide_fail_issuance,
    decide_fail_notification,
    decide_issue,
    decide_notified,
    decide_revoke,
    decide_skip_notification,
    decide_supersede,
    evolve,
)
from testamur.domain.credentials.retries import LONGEST_RETRY_AFTER
from testamur.domain.identifiers import CredentialId
from tests.support.domain_strategies import artifacts, awards, credential_ids, tries
from tests.support.lives import Life

NOTIFYING = (NotificationSent, NotificationSkipped, NotificationFailed)
WHAT_MAY_FOLLOW_THE_END: dict[type[CredentialEvent], tuple[type[CredentialEvent], ...]] = {
    CredentialRevoked: (CredentialSuperseded, PersonalDataErased),
    CredentialSuperseded: (PersonalDataErased,),
    PersonalDataErased: (),
}

# A few examples to choose from are enough: what is in an award decides nothing here.
some_awards = st.shared(st.lists(awards, min_size=2, max_size=2), key="awards").flatmap(
    st.sampled_from
)


def deals_with_the_learner(event: CredentialEvent) -> bool:
    """Tell whether nobody tries to tell the learner after this event."""
    return isinstance(event, NotificationSent | NotificationSkipped) or (
        isinstance(event, NotificationFailed) and event.retry_at is None
    )


class CredentialLife(Life[Credential, CredentialEvent]):
    """Makes every decision at any time, and keeps what was decided."""

    def evolve(self, state: Credential | None, event: CredentialEvent) -> Credential:
        return evolve(state, event)

    # Decisions; most lives begin with an award, some with anything else

    @initialize(award=some_awards, first=st.sampled_from([True, True, True, False]))
    def begin(self, award: CredentialAwarded, first: bool) -> None:
        if first:
            self.award(award)

    @rule(award=some_awards)
    def award(self, award: CredentialAwarded) -> None:
        self.attempt(lambda state: decide_award(state, award))

    @rule(artifact=artifacts)
    def issue(self, artifact: Artifact) -> None:
        self.attempt(lambda state: decide_issue(state, (artifact,), artifact.sha256))

    @rule(times=st.integers(1, 12))
    def fail_to_issue(self, times: int) -> None:
        for _ in range(times):
            self.attempt(lambda state: decide_fail_issuance(state, "disk", "full", self.now))

    @rule()
    def tell(self) -> None:
        self.attempt(lambda state: decide_notified(state, "<1@uni.example>"))

    @rule()
    def do_not_tell(self) -> None:
        self.attempt(lambda state: decide_skip_notification(state, "no-address"))

    @rule(times=st.integers(1, 20), permanent=st.sampled_from([False, False, False, True]))
    def fail_to_tell(self, times: int, permanent: bool) -> None:
        for _ in range(times):
            self.attempt(
                lambda state: decide_fail_notification(
                    state, "refused", "451", self.now, permanent=permanent
                )
            )

    @rule()
    def revoke(self) -> None:
        self.attempt(lambda state: decide_revoke(state, "cheating"))

    @rule(by=credential_ids)
    def supersede(self, by: CredentialId) -> None:
        self.attempt(lambda state: decide_supersede(state, by))

    @rule()
    def erase(self) -> None:
        self.attempt(lambda state: decide_erase(state, "asked"))

    # What stays true

    @invariant()
    def it_is_awarded_first_and_only_once(self) -> None:
        awarded = [isinstance(event, CredentialAwarded) for event in self.events]
        assert awarded == [True] * bool(awarded) + [False] * (len(awarded) - 1)

    @invariant()
    def it_is_issued_once_at_most_and_fails_only_before(self) -> None:
        issued = [n for n, event in enumerate(self.events) if isinstance(event, CredentialIssued)]
        failed = [n for n, event in enumerate(self.events) if isinstance(event, IssuanceFailed)]
        assert len(issued) <= 1
        assert not issued or all(n < issued[0] for n in failed)

    @invariant()
    def nobody_is_told_before_it_is_issued(self) -> None:
        kinds = [type(event) for event in self.events]
        told = [n for n, event in enumerate(self.events) if isinstance(event, NOTIFYING)]
        assert not told or CredentialIssued in kinds[: told[0]]

    @invariant()
    def the_learner_is_dealt_with_once(self) -> None:
        telling = [event for event in self.events if isinstance(event, NOTIFYING)]
        assert not any(deals_with_the_learner(event) for event in telling[:-1])
        assert len(telling) <= MOST_NOTIFICATION_ATTEMPTS

    @invariant()
    def after_the_end_only_a_further_end_follows(self) -> None:
        ends = tuple(WHAT_MAY_FOLLOW_THE_END)
        for end, event in pairwise(self.events):
            if isinstance(end, ends):
                assert isinstance(event, WHAT_MAY_FOLLOW_THE_END[type(end)])

    @invariant()
    def attempts_count_up_by_one(self) -> None:
        for kind in (IssuanceFailed, NotificationFailed):
            attempts = [
                event.attempt
                for event in self.events
                if isinstance(event, IssuanceFailed | NotificationFailed)
                and isinstance(event, kind)
            ]
            assert attempts == list(range(1, len(attempts) + 1))

    @invariant()
    def the_next_attempt_is_later_and_within_twelve_hours(self) -> None:
        for now, event in self.history:
            if isinstance(event, IssuanceFailed | NotificationFailed) and event.retry_at:
                assert now < event.retry_at <= now + LONGEST_RETRY_AFTER

    @invariant()
    def the_person_is_gone_once_erased_and_only_then(self) -> None:
        if self.state is not None:
            erased = any(isinstance(event, PersonalDataErased) for event in self.events)
            assert (self.state.awarded.person is None) == erased
            assert not erased or self.state.awarded.document_link is None

    @invariant()
    def the_award_stays_what_it_was_but_for_what_is_personal(self) -> None:
        if self.state is not None:
            [first, *_] = self.events
            assert isinstance(first, CredentialAwarded)
            now = self.state.awarded
            personal = {"person": now.person, "document_link": now.document_link}
            assert now == first.model_copy(update=personal)

    @invariant()
    def the_status_is_that_of_the_last_event_that_set_one(self) -> None:
        sets = {
            CredentialAwarded: CredentialStatus.AWARDED,
            CredentialIssued: CredentialStatus.ISSUED,
            CredentialRevoked: CredentialStatus.REVOKED,
            CredentialSuperseded: CredentialStatus.SUPERSEDED,
            PersonalDataErased: CredentialStatus.ERASED,
        }
        statuses = [sets[type(event)] for event in self.events if type(event) in sets]
        assert (self.state.status if self.state else None) == (statuses[-1] if statuses else None)

    @invariant()
    def there_are_files_where_it_was_issued_and_not_erased(self) -> None:
        if self.state is not None:
            issued = any(isinstance(event, CredentialIssued) for event in self.events)
            erased = self.state.status is CredentialStatus.ERASED
            assert bool(self.state.artifacts) == (issued and not erased)

    @invariant()
    def the_state_is_what_the_events_say(self) -> None:
        replayed: Credential | None = None
        assert reduce(evolve, self.events, replayed) == self.state


CredentialLife.TestCase.settings = settings(tries(20), stateful_step_count=20)
TestCredentialLife = CredentialLife.TestCase
