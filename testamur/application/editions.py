"""Editions: what the next edition of a credential says, whether it differs, and its document."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from testamur.application.configurations import Configurations, PreparedConfiguration
from testamur.application.documents import document_of
from testamur.application.errors import RenderingError
from testamur.application.installation import Installation
from testamur.application.issuing import storage_stem
from testamur.application.ports.rendering import Document
from testamur.application.ports.storage import StorableFile
from testamur.application.ports.system import IdSource
from testamur.domain.credentials import (
    IMPORTED,
    Artifact,
    Credential,
    CredentialAwarded,
    CredentialStatus,
    next_edition,
    next_edition_id,
    require_reissuable,
)
from testamur.domain.errors import TestamurError
from testamur.domain.identifiers import ConfigurationId, CredentialId
from testamur.domain.personal_data import Person

Naming = Callable[[Person], Person]
"""Given whose credential it is, returns whose the new edition is to be."""

_Made = TypeVar("_Made")

#: Digits by which the key of a file differs from that of another attempt; nobody guesses them.
_DIGITS_OF_HASH: Final = 32


def with_the_same_name(person: Person) -> Person:
    """Return the person whom the edition before names."""
    return person


@dataclass(frozen=True, slots=True)
class NextEdition:
    """The edition that is to take a credential's place, ready to be drawn.

    Args:
        id: Its id.
        award: What it says.
        ready: What it is drawn with.
    """

    id: CredentialId
    award: CredentialAwarded
    ready: PreparedConfiguration


@dataclass(frozen=True, slots=True)
class DrawnEdition:
    """An edition whose document was made.

    Args:
        id: Its id.
        award: What it says.
        file: The document.
        artifact: The same, as it is recorded.
        rendering: SHA-256 over the options and assets that it was made with.
    """

    id: CredentialId
    award: CredentialAwarded
    file: StorableFile
    artifact: Artifact
    rendering: str


@dataclass(frozen=True, slots=True)
class Editions:
    """Makes next editions, by the configurations and types as they are now."""

    configurations: Configurations
    ids: IdSource
    installation: Installation

    def ready(self, id_: ConfigurationId) -> PreparedConfiguration:
        """Make a configuration ready, retired or not: what it issued may need a new edition.

        Raises:
            TestamurError: As `Configurations.prepare`.
        """
        return self.configurations.prepare(id_)

    def next_of(
        self, state: Credential, ready: PreparedConfiguration, naming: Naming
    ) -> NextEdition:
        """Return the edition that follows on a credential.

        What the type and the issuer are called is taken from the type; the name of the context
        from the configuration if it gives one, and else from the edition before: the context may
        be gone from the data source.

        Raises:
            DecisionRefused: No edition can follow on it.
        """
        person = require_reissuable(state).awarded.person
        if person is None:
            raise AssertionError("require_reissuable let pass a credential of nobody")
        definition = ready.type.definition
        named_by_configuration = ready.options.context.certificate_name
        award = next_edition(
            state,
            person=naming(person),
            type_revision=ready.type.revision,
            type_name=definition.name,
            issuer_name=definition.issuer.name,
            context_name=named_by_configuration or state.awarded.context_name,
            verification_id=self.ids.verification_id(),
        )
        return NextEdition(next_edition_id(state.awarded), award, ready)

    def changes(self, state: Credential, edition: NextEdition) -> bool:
        """Tell whether a document of the next edition would be another than the present one.

        The document of a credential that is not issued yet is made as things are then, so only
        what is frozen in the award counts. A document that another system made always looks
        otherwise, so only another name counts.
        """
        if state.rendering == IMPORTED:
            return _name(state.awarded) != _name(edition.award)
        is_issued = state.status is CredentialStatus.ISSUED
        if is_issued and state.rendering != edition.ready.renderer.digest:
            return True
        return _said(state.awarded) != _said(edition.award)

    def check(self, edition: NextEdition) -> None:
        """Refuse an edition whose document cannot be drawn right.

        Raises:
            RenderingError: A character that no font has, text that does not fit, a missing value;
                or the renderer broke.
        """
        document = self._document(edition)
        _guarded(lambda: edition.ready.renderer.check(document))

    def draw(self, edition: NextEdition) -> DrawnEdition:
        """Draw an edition's document.

        It is to be stored under a key of this one attempt: what an attempt that loses against
        another has stored can then be deleted without harm to the other's.

        Raises:
            RenderingError: As :meth:`check`.
        """
        document = self._document(edition)
        rendered = _guarded(lambda: edition.ready.renderer.render(document))
        of_attempt = f"{edition.award.verification_id} {rendered.sha256}"
        token = hashlib.sha256(of_attempt.encode()).hexdigest()[:_DIGITS_OF_HASH]
        key = f"{storage_stem(edition.id)}.{token}{rendered.suffix}"
        return DrawnEdition(
            edition.id,
            edition.award,
            StorableFile(key, rendered.content, rendered.sha256, rendered.media_type),
            Artifact(
                format=edition.ready.type.definition.renderer,
                storage_key=key,
                media_type=rendered.media_type,
                size=len(rendered.content),
                sha256=rendered.sha256,
            ),
            edition.ready.renderer.digest,
        )

    def _document(self, edition: NextEdition) -> Document:
        person = edition.award.person
        if person is None:
            raise AssertionError("a next edition is always somebody's")
        return document_of(edition.id, edition.award, person, self.installation)


def _said(awarded: CredentialAwarded) -> tuple[str | None, ...]:
    """Return what a document says that may be another in a new edition."""
    return _name(awarded), awarded.type_name, awarded.issuer_name, awarded.context_name


def _name(awarded: CredentialAwarded) -> str | None:
    return awarded.person.full_name if awarded.person else None


def _guarded(make: Callable[[], _Made]) -> _Made:
    """Let a renderer do its work, whatever it raises: it may be a plugin's.

    Raises:
        RenderingError: It cannot, or broke.
    """
    try:
        return make()
    except TestamurError:
        raise
    except Exception as error:
        # Its message is left out: it may quote the name.
        detail = f"the renderer broke with {type(error).__name__}"
        raise RenderingError("renderer", detail) from error
