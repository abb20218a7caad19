"""Importing: credentials that another system issued before are taken over, with their documents.

They are issued at once, and their learners are not told: the other system told them. From then on
they are like all others: verified, revoked and reissued, and no run awards their holders a second.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from testamur.application.aggregates import load
from testamur.application.awardees import (
    AwardReport,
    Prospective,
    Tally,
    batches,
    latest_of,
    of_holder,
)
from testamur.application.configurations import Configurations
from testamur.application.errors import ConcurrencyConflict
from testamur.application.import_entries import ImportEntry, checked_pdf, parse_system
from testamur.application.installation import Installation
from testamur.application.issuing import storage_stem
from testamur.application.occasions import Basis, Occasion, occasion_of
from testamur.application.ports.event_store import EventStore, NewEvents
from testamur.application.ports.register import Register
from testamur.application.ports.retrieval import RetrievalSource
from testamur.application.ports.storage import ArtifactStorage, StorableFile
from testamur.application.ports.system import Clock, IdSource
from testamur.application.progress import Progress, Step, Unwatched
from testamur.application.reissuing import being_erased
from testamur.application.requests import Request
from testamur.domain.credentials import (
    IMPORTED,
    Artifact,
    CredentialAwarded,
    decide_import,
    evolve,
)
from testamur.domain.expiry import end_of
from testamur.domain.identifiers import (
    ConfigurationId,
    CredentialId,
    VerificationId,
    credential_id,
)

SOURCE: Final = "import"
"""What the evidence says of what another system issued."""

#: A batch that loses against another writer this often in a row means that something is wrong.
MOST_CONFLICTS: Final = 20

#: So many documents are in memory together.
FILES_AT_ONCE: Final = 10


@dataclass(frozen=True, slots=True)
class Importing:
    """Takes over credentials of another system."""

    events: EventStore
    register: Register
    configurations: Configurations
    source: RetrievalSource
    storage: ArtifactStorage
    ids: IdSource
    clock: Clock
    installation: Installation

    def look(
        self, configuration: ConfigurationId, entries: Iterable[ImportEntry], system: str
    ) -> AwardReport:
        """Tell what :meth:`import_all` would do, writing nothing.

        Raises:
            TestamurError: As :meth:`import_all`.
        """
        occasion = self._occasion(configuration, system)
        tally = Tally()
        for batch in batches(entries):
            tally.add(self._judge(batch, occasion)[0])
        return tally.report()

    def import_all(
        self,
        configuration: ConfigurationId,
        entries: Iterable[ImportEntry],
        system: str,
        request: Request,
        *,
        progress: Progress | None = None,
    ) -> AwardReport:
        """Take over credentials, batch by batch, each in one transaction.

        Documents are stored before that. Where it is interrupted, calling it again takes over the
        others: whoever holds a credential of the configuration gets no second one.

        Args:
            configuration: Whose credentials they are to be; it need not be enabled.
            entries: The credentials, in flat memory; each learner once.
            system: The name of the system that issued them.
            request: Who asks.
            progress: Is told how far it is.

        Raises:
            NotFound: There is no such configuration.
            InvalidInput: The system's name is not allowed, or a document is no PDF; nothing of the
                batch was recorded.
            DecisionRefused: The configuration is retired, or its type is.
            StorageError: A document cannot be stored; nothing of the batch was recorded.
            TestamurError: The configuration cannot be used, or the data source not say what the
                context is called.
        """
        occasion = self._occasion(configuration, system)
        watching = progress or Unwatched()
        tally = Tally()
        for batch in batches(entries):
            found = self._import(batch, occasion, request)
            tally.add(found)
            watching.advance(Step.AWARD, sum(each.outcome == "award" for each in found))
        return tally.report()

    def _occasion(self, configuration: ConfigurationId, system: str) -> Occasion:
        name = parse_system(system)
        basis = Basis(SOURCE, f"issued before by {name}", imported_from=name)
        return occasion_of(configuration, basis, self.configurations, self.source)

    def _import(
        self, batch: Sequence[ImportEntry], occasion: Occasion, request: Request
    ) -> list[Prospective]:
        kept: dict[CredentialId, Artifact] = {}
        for _ in range(MOST_CONFLICTS):
            found, awards = self._judge(batch, occasion)
            wanted = {
                id_: entry.document
                for id_, (entry, _) in awards.items()
                if entry.document is not None and id_ not in kept
            }
            kept |= self._store(wanted)
            new = [
                NewEvents(id_, 0, decide_import(award, (kept[id_],) if id_ in kept else ()))
                for id_, (_, award) in sorted(awards.items())
            ]
            try:
                if new:
                    self.events.append(new, request.attribution(self.clock))
            except ConcurrencyConflict:
                continue  # a run awarded one of them in this moment
            self._take_back({id_: each for id_, each in kept.items() if id_ not in awards})
            return found
        self._take_back(kept)
        raise ConcurrencyConflict(list(kept))

    def _judge(
        self, batch: Sequence[ImportEntry], occasion: Occasion
    ) -> tuple[list[Prospective], dict[CredentialId, tuple[ImportEntry, CredentialAwarded]]]:
        """Sort out some entries without writing anything."""
        configuration = occasion.prepared.id
        ids = [each.awardee.learner_id for each in batch]
        lacking = self.register.not_holding(configuration, ids)
        erased = being_erased(self.events, sorted(lacking))
        today = self.installation.date_of(self.clock.now())
        used: set[VerificationId] = set()
        found: list[Prospective] = []
        awards: dict[CredentialId, tuple[ImportEntry, CredentialAwarded]] = {}
        for entry in batch:
            learner_id = entry.awardee.learner_id
            id_ = credential_id(configuration, learner_id)
            row = None
            if learner_id not in lacking:
                row = latest_of(self.register, configuration, learner_id)
            if row is not None:
                found.append(of_holder(entry.awardee, row))
                continue
            problem = self._problem(entry, today, used)
            if learner_id in erased:
                problem = "the learner is being erased"
            if learner_id not in lacking:
                problem = "the learner is named twice"
            if problem is not None:
                found.append(Prospective(entry.awardee, "refused", problem))
                continue
            lacking.discard(learner_id)
            if entry.verification_id is not None:
                used.add(entry.verification_id)
            awards[id_] = (entry, self._award_of(entry, occasion))
            found.append(Prospective(entry.awardee, "award", credential_id=id_))
        return found, awards

    def _problem(self, entry: ImportEntry, today: date, used: set[VerificationId]) -> str | None:
        day, wanted = entry.awardee.award_date, entry.verification_id
        if day is None or day > today:
            return f"the award date {day} is to come; allowed: a day until {today}"
        if wanted is None:
            return None
        if wanted in used or self.register.credential_by_verification_id(wanted) is not None:
            return f"another credential has the verification id {wanted!r} already"
        return None

    def _award_of(self, entry: ImportEntry, occasion: Occasion) -> CredentialAwarded:
        verification_id = entry.verification_id or self.ids.verification_id()
        award = occasion.award_to(
            entry.awardee, verification_id, self.installation, self.clock.now()
        )
        return award.model_copy(
            update={
                "expires_at": self._end_of(entry.expires),
                "serial": entry.number,
                "imported_id": entry.number,
                "document_link": entry.link,
            }
        )

    def _end_of(self, day: date | None) -> datetime | None:
        return None if day is None else end_of(day, self.installation.time_zone)

    def _store(
        self, documents: Mapping[CredentialId, Callable[[], bytes]]
    ) -> dict[CredentialId, Artifact]:
        """Store documents durably, a few at a time.

        Under keys of their own, so that a document that a run makes in this moment stays as it is.
        """
        kept: dict[CredentialId, Artifact] = {}
        waiting = list(documents.items())
        for start in range(0, len(waiting), FILES_AT_ONCE):
            files = []
            for id_, read in waiting[start : start + FILES_AT_ONCE]:
                content = checked_pdf(read())
                sha256 = hashlib.sha256(content).hexdigest()
                key = f"{storage_stem(id_)}.{sha256[:32]}.pdf"
                files.append(StorableFile(key, content, sha256, "application/pdf"))
                kept[id_] = Artifact(
                    format=IMPORTED,
                    storage_key=key,
                    media_type="application/pdf",
                    size=len(content),
                    sha256=sha256,
                )
            self.storage.put(files)
        return kept

    def _take_back(self, kept: Mapping[CredentialId, Artifact]) -> None:
        """Delete documents of credentials that another was first with, unless it is the same."""
        to_delete = []
        for id_, artifact in kept.items():
            state = load(self.events, id_, evolve).state
            if state is None or artifact not in state.artifacts:
                to_delete.append(artifact.storage_key)
        if to_delete:
            self.storage.delete(to_delete)
