"""What is personal in an event, and who a learner is.

A field marked with :data:`Personal` is encrypted under the learner's own key before it is stored,
and reads as ``None`` once that key is erased. An event with such a field carries ``learner_id``.
"""

from typing import Annotated, Final, TypeVar

from pydantic import BaseModel, ConfigDict


class PersonalMarker:
    """Marks a field as personal; there is one instance, :data:`PERSONAL`."""

    def __repr__(self) -> str:
        return "PERSONAL"


PERSONAL: Final = PersonalMarker()

_Value = TypeVar("_Value")

Personal = Annotated[_Value | None, PERSONAL]
"""``Personal[Person]``: a person, or ``None`` once the learner's data key is erased."""


class Person(BaseModel):
    """A learner as the data source knows them when the credential is awarded.

    Args:
        full_name: The name as the document shows it; never empty on an awarded credential.
        email: Where the learner is told, or None if there is no address.
        locale: Language tag of BCP 47 (``pl``, ``pt-BR``), or None where it is not known.
        mailable: Whether the account is active and can log in; others are never mailed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    full_name: str
    email: str | None = None
    locale: str | None = None
    mailable: bool = True
