"""Options for what is done to a document after it was drawn: a signature, and protection."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WrapValidator

_Words = Annotated[str, Field(min_length=1, max_length=200)]


class SignatureOptions(BaseModel):
    """How a document is signed: PAdES, with a key of the installation.

    Args:
        key: Name of the key in the setting ``signing_keys``; keys themselves are never options.
        reason: Why it is signed, as viewers show it.
        location: Where.
        contact: How to reach who signed.
        timestamp: Whether the key's time-stamping authority confirms when (PAdES B-T).
        certify: Whether every later change is forbidden, notes and further signatures too.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str = Field(min_length=1, max_length=64)
    reason: _Words | None = None
    location: _Words | None = None
    contact: _Words | None = None
    timestamp: bool = False
    certify: bool = False


class ProtectionOptions(BaseModel):
    """What a protected document lets its readers do. None of them can be kept from reading it.

    Args:
        printing: Whether it may be printed.
        copying: Whether its text may be copied; programs that read aloud always may.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    printing: bool = True
    copying: bool = True


def _read_protection(value: Any, _: Callable[[Any], Any]) -> ProtectionOptions | Literal[False]:
    # A union's own errors name each kind that it tried.
    match value:
        case False | ProtectionOptions():
            return value
        case True:
            return ProtectionOptions()
        case dict():
            return ProtectionOptions.model_validate(value)
        case _:
            raise ValueError("allowed: true, false, or what readers may do")


Protection = Annotated[ProtectionOptions | bool, WrapValidator(_read_protection)]
"""``True`` stands for the options' defaults."""
