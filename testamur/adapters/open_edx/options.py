"""Options of the Open edX source."""

from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
)

from testamur.adapters.open_edx.addresses import checked_site_url

_NotEmpty = Annotated[str, StringConstraints(min_length=1)]


class OpenEdxOptions(BaseModel):
    """How to reach an Open edX LMS, and how hard to ask it.

    Args:
        url: Where the LMS is, such as ``https://learn.example.org``.
        client_id: Of an OAuth2 application with the grant type *client credentials*, whose user
            is global staff.
        client_secret: Of the same application.
        page_size: Learners asked for at once; the LMS may give fewer.
        concurrency: Requests under way at the same time.
        requests_per_minute: The most that are sent to this LMS in a minute, by this process or,
            with a queue, by all workers; those of about one second may go out at once.
        timeout_seconds: Time allowed for connecting, and for each wait for a part of an answer; a
            whole answer may take five times as long.
        attempts: How often a request is sent in all before it counts as failed. Being told to
            slow down (429) is no failure: that is waited for, up to five minutes in all.
        language: Where a learner's language is taken from. ``profile``: the one language that
            their profile names, none where it names several; ``preference``: the language that
            they chose for the site, which costs one request for each learner who is awarded.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Annotated[str, AfterValidator(checked_site_url)]
    client_id: _NotEmpty
    client_secret: Annotated[SecretStr, Field(min_length=1)]
    page_size: Annotated[int, Field(ge=10, le=10_000)] = 1_000
    concurrency: Annotated[int, Field(ge=1, le=16)] = 4
    requests_per_minute: Annotated[int, Field(ge=1)] = 3_000
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 60.0
    attempts: Annotated[int, Field(ge=1, le=20)] = 6
    language: Literal["profile", "preference"] = "profile"
