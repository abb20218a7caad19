"""Personal data: erasing, exporting, retention, and the learners' keys."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from testamur.application.erasing import Erasable, Erasing
from testamur.application.exporting import Exporting, LearnerExport
from testamur.application.key_rotation import KeyRotation
from testamur.application.ports.secret_keys import KeyCounts
from testamur.application.retention import InactiveLearner, Retention
from testamur.domain.erasures import ErasureCompleted
from testamur.domain.identifiers import parse_learner_id
from testamur.entrypoints.learner_archive import write_archive
from testamur.entrypoints.library.acting import Acting


class PersonalData(Acting):
    """Looks after what is held about learners."""

    def erasable(self, learner_id: str) -> Erasable:
        """Tell what an erasure of a learner would take away. See `Erasing.erasable`."""
        return self._wiring.resolve(Erasing).erasable(parse_learner_id(learner_id))

    def erase_learner(self, learner_id: str, reason: str) -> ErasureCompleted:
        """Erase everything personal about a learner; what was issued stays on record.

        Erase them in the data source first: else the next run may award them something anew.

        Args:
            learner_id: The data source's id of them.
            reason: Why; it stays in the history, so it must not name anybody.

        Raises:
            TestamurError: As `Erasing.erase`.
        """
        learner = parse_learner_id(learner_id)
        return self._wiring.resolve(Erasing).erase(learner, reason, self._request())

    def inactive_learners(self, since: datetime) -> Iterator[InactiveLearner]:
        """Yield learners whom nothing has happened to since a moment. See `Retention.inactive`."""
        return self._wiring.resolve(Retention).inactive(since)

    def export_learner(self, learner_id: str, to: Path | None = None) -> LearnerExport:
        """Return everything that is held about a learner, decrypted. See `Exporting.of`.

        Args:
            learner_id: The data source's id of them.
            to: Is written: a ZIP archive with ``learner.json`` and the documents, which only its
                owner can read.

        Raises:
            NotFound: Nothing is known of the learner, or a document is not in storage.
            InvalidInput: The file is there already, or cannot be written.
            StorageError: A document cannot be read.
        """
        exporting = self._wiring.resolve(Exporting)
        export = exporting.of(parse_learner_id(learner_id))
        if to is not None:
            write_archive(to, export, exporting.documents(export))
        return export

    def key_status(self) -> KeyCounts:
        """Tell how many learners' keys are under which master key. See `KeyRotation.status`."""
        return self._wiring.resolve(KeyRotation).status()

    def rotate_keys(self) -> int:
        """Bring all learners' keys under the newest master key. See `KeyRotation.rotate`."""
        return self._wiring.resolve(KeyRotation).rotate()
