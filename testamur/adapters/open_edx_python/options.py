"""Options of the source inside the LMS process."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

LanguageSource = Literal["preference", "profile"]


class OpenEdxPythonOptions(BaseModel):
    """How much to ask the LMS for at once, and where it knows a learner's language from.

    Args:
        chunk_size: Learners asked about at once. Each chunk costs a constant number of queries of
            our own; memory grows with it, since the grades of a whole chunk are held.
        language: Where a learner's language is taken from. ``preference``: the language that they
            chose for the site; ``profile``: the one language that their profile names, none where
            it names several.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    chunk_size: Annotated[int, Field(ge=1, le=5_000)] = 500
    language: LanguageSource = "preference"
