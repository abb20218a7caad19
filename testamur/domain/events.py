"""What all events have in common. Each aggregate's events stand in its own module."""

from pydantic import BaseModel, ConfigDict


class DomainEvent(BaseModel):
    """A fact that has happened. Who, when and why-together are in the envelope around it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
