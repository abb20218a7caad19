"""The facade: everything that Testamur does, opened and closed."""

from types import TracebackType
from typing import Self

from testamur.application.ports.retrieval import RetrievalSource
from testamur.domain.identifiers import parse_actor
from testamur.entrypoints.container import Wiring
from testamur.entrypoints.library.approving import ApprovingRuns
from testamur.entrypoints.library.deliveries import DeliveringMessages
from testamur.entrypoints.library.downloads import Downloads
from testamur.entrypoints.library.ending import EndingCredentials
from testamur.entrypoints.library.intake import IntakeOfCredentials
from testamur.entrypoints.library.looking_up import LookingUp
from testamur.entrypoints.library.personal_data import PersonalData
from testamur.entrypoints.library.reconciling import ReconcilingCredentials
from testamur.entrypoints.library.reissuing import ReissuingCredentials
from testamur.entrypoints.library.setting_up import SettingUp
from testamur.entrypoints.settings import Settings, settings_of_environment


class Testamur(
    SettingUp,
    ApprovingRuns,
    PersonalData,
    Downloads,
    EndingCredentials,
    ReissuingCredentials,
    ReconcilingCredentials,
    IntakeOfCredentials,
    DeliveringMessages,
    LookingUp,
):
    """Everything that Testamur does, in the name of one actor.

    Open it with :meth:`open`, and close it (or use it as a context manager). It may be used by
    several threads.
    """

    @classmethod
    def open(
        cls,
        settings: Settings | None = None,
        *,
        actor: str = "library:embedded",
        source: RetrievalSource | None = None,
    ) -> Self:
        """Open the installation that the settings describe; it is made where there is none.

        Args:
            settings: By default those of the environment (``TESTAMUR_*``).
            actor: In whose name things are done, as ``kind:name``.
            source: Says who has earned what, instead of the source that the settings choose. It
                may have ``context_kinds``, as a plugin may. Whoever made it closes it.

        Raises:
            InvalidInput: The actor is malformed.
            InvalidOptions: A setting, or an option of a plugin, is not allowed.
            BrokenPlugin: A plugin that the settings choose cannot be used.
            EventStoreError: The database cannot be used.
            StorageError: The storage cannot be used.
        """
        checked = parse_actor(actor)
        return cls(Wiring.of(settings or settings_of_environment(), source), checked)

    def acting_as(self, actor: str) -> "Testamur":
        """Return the same installation in another actor's name; closing either closes both."""
        return Testamur(self._wiring, parse_actor(actor))

    def close(self) -> None:
        """Let go of the database and whatever else is open. Closing again is harmless."""
        self._wiring.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
