"""Identities: deterministic ids of aggregates, learner ids, slugs, actors.

Ids of aggregates are name-based UUIDs (RFC 9562, version 5) of what makes the thing unique. Two
processes that award the same learner therefore write to the same stream, and the event store's own
unique constraint lets only one of them through.
"""

import re
from typing import Final, NewType
from uuid import UUID, uuid5

from testamur.domain.errors import InvalidInput

CredentialTypeId = NewType("CredentialTypeId", UUID)
AssetId = NewType("AssetId", UUID)
ConfigurationId = NewType("ConfigurationId", UUID)
RunId = NewType("RunId", UUID)
CredentialId = NewType("CredentialId", UUID)
ErasureId = NewType("ErasureId", UUID)
SilenceId = NewType("SilenceId", UUID)
DigestId = NewType("DigestId", UUID)
ProposalPageId = NewType("ProposalPageId", UUID)
SerialSequenceId = NewType("SerialSequenceId", UUID)
ReconciliationId = NewType("ReconciliationId", UUID)
CorrectionId = NewType("CorrectionId", UUID)

LearnerId = NewType("LearnerId", str)
"""The data source's own opaque id of a learner: never a name or an e-mail address."""

Slug = NewType("Slug", str)
"""Short name of a credential type or an asset: lower-case letters, digits and hyphens."""

Actor = NewType("Actor", str)
"""Who did it, as ``kind:name``: ``user:jdoe``, ``cli:operator``, ``system:scheduler``."""

VerificationId = NewType("VerificationId", str)
"""Random public id of a credential, for links and QR codes."""

NAMESPACE: Final = UUID("5d1f6f86-7d0b-5c5e-9d3b-2f6f0a3f5c11")
"""Namespace of all ids below. Changing it would make every learner look new: never change it."""

LONGEST_LEARNER_ID: Final = 255
LONGEST_ACTOR: Final = 255
LONGEST_SLUG: Final = 64

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_ACTOR = re.compile(r"[a-z][a-z0-9-]*:[^\s:].*")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
# Surrogates stand alone in a broken JSON string; they have no form in UTF-8.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def credential_type_id(slug: Slug) -> CredentialTypeId:
    """Return the id of the credential type with this slug."""
    return CredentialTypeId(_id("credential-type", slug))


def asset_id(slug: Slug) -> AssetId:
    """Return the id of the asset with this slug."""
    return AssetId(_id("asset", slug))


def configuration_id(type_id: CredentialTypeId, context_key: str) -> ConfigurationId:
    """Return the id of the configuration of a credential type for a learning context."""
    return ConfigurationId(_id("configuration", type_id, context_key))


def run_id(configuration: ConfigurationId, slot: str) -> RunId:
    """Return the id of the run of a configuration for a slot (see `testamur.domain.runs`)."""
    return RunId(_id("run", configuration, slot))


def credential_id(
    configuration: ConfigurationId, learner: LearnerId, edition: int = 1
) -> CredentialId:
    """Return the id of a learner's credential in its ``edition`` (1 is the first)."""
    return CredentialId(_id("credential", configuration, learner, edition))


def erasure_id(learner: LearnerId) -> ErasureId:
    """Return the id of the erasure of a learner; all times that they are erased are in it."""
    return ErasureId(_id("erasure", learner))


def silence_id(learner: LearnerId) -> SilenceId:
    """Return the id of what says whether a learner gets messages at all."""
    return SilenceId(_id("silence", learner))


def digest_id(run: RunId) -> DigestId:
    """Return the id of the message to the staff about a run."""
    return DigestId(_id("digest", run))


def proposal_page_id(run: RunId, page: int) -> ProposalPageId:
    """Return the id of a page of the learners whom a run would award (1 is the first)."""
    return ProposalPageId(_id("proposal", run, page))


def serial_sequence_id(per: str, of: str, year: int | None) -> SerialSequenceId:
    """Return the id of a sequence of serial numbers (see `testamur.domain.serials`)."""
    return SerialSequenceId(_id("serials", per, of, year or ""))


def reconciliation_id(configuration: ConfigurationId, slot: str) -> ReconciliationId:
    """Return the id of a configuration's reconciliation for a slot."""
    return ReconciliationId(_id("reconciliation", configuration, slot))


def correction_id(configuration: ConfigurationId, learner: LearnerId, kind: str) -> CorrectionId:
    """Return the id of what is proposed of a kind about a learner's credential."""
    return CorrectionId(_id("correction", configuration, learner, kind))


def parse_learner_id(text: str, field: str = "learner_id") -> LearnerId:
    """Check and return a learner id.

    Args:
        text: 1 to 255 characters without control characters or space at either end.
        field: Name of the field in the error.

    Raises:
        InvalidInput: It is empty, too long, has control characters, or looks like an e-mail
            address (which would put personal data where it can never be erased).
    """
    if not text or not _is_clean(text, LONGEST_LEARNER_ID):
        raise InvalidInput(
            field,
            text,
            f"1 to {LONGEST_LEARNER_ID} characters, no control characters, no space at the ends",
        )
    if _EMAIL.fullmatch(text):
        # Only its first letter is shown: errors get into logs, and the address is personal.
        shown = f"{text[0]}…@…"
        raise InvalidInput(field, shown, "the data source's opaque id, never an e-mail address")
    return LearnerId(text)


def parse_slug(text: str, field: str = "slug") -> Slug:
    """Check and return a slug.

    Raises:
        InvalidInput: It is not 1 to 64 lower-case letters, digits and single inner hyphens.
    """
    if len(text) > LONGEST_SLUG or not _SLUG.fullmatch(text):
        raise InvalidInput(
            field,
            text,
            f"1 to {LONGEST_SLUG} lower-case letters a-z, digits, and single hyphens between them",
        )
    return Slug(text)


def parse_actor(text: str, field: str = "actor") -> Actor:
    """Check and return an actor.

    Raises:
        InvalidInput: It is not of the form ``kind:name``, is longer than 255 characters, or has
            control characters.
    """
    if not _ACTOR.fullmatch(text) or not _is_clean(text, LONGEST_ACTOR):
        raise InvalidInput(
            field,
            text,
            f"kind:name, such as user:jdoe or system:scheduler (at most {LONGEST_ACTOR} "
            "characters, no control characters, no space at the ends)",
        )
    return Actor(text)


def _is_clean(text: str, longest: int) -> bool:
    return len(text) <= longest and text == text.strip() and not _CONTROL.search(text)


def _id(kind: str, *parts: object) -> UUID:
    # U+001F cannot occur in a part, so two different lists of parts never join to the same name.
    return uuid5(NAMESPACE, "\x1f".join((kind, *map(str, parts))))
