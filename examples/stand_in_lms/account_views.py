"""Accounts and preferences: ``/api/user/v1/``."""

import json
import re
from hashlib import blake2b
from re import Match
from typing import Final

from examples.stand_in_lms.exchange import (
    Answer,
    Request,
    Route,
    empty_answer,
    json_answer,
    plain_error,
)
from examples.stand_in_lms.people import User
from examples.stand_in_lms.site import Site

_USERNAME: Final = r"[\w .@_+-]+"
_IMAGE: Final = "https://lms.example.org/static/images/profiles/default_50.png"


def accounts(site: Site, request: Request, _: Match[str]) -> Answer:
    """Answer several accounts as a bare list in no order; unknown ones are left out."""
    people = site.population.people
    staff = site.faults.is_staff
    if ids := request.one("lms_user_id"):
        if not staff:
            return empty_answer(403)
        if not ids.isdecimal():
            return empty_answer(400)
        found = [people.of_id(int(ids))]
    elif emails := request.names("email"):
        found = [people.with_email(email) for email in emails]
    else:
        found = [people.named(username) for username in dict.fromkeys(request.names("username"))]
    users = [user for user in found if user]
    if not users:
        return empty_answer(404)
    # The LMS promises no order. This one stays the same for a population.
    users.sort(key=lambda user: blake2b(user.username.encode(), digest_size=8).digest())
    shared = not staff or request.one("view") == "shared"
    return json_answer([_shared(user) if shared else _account(user) for user in users])


def account(site: Site, request: Request, match: Match[str]) -> Answer:
    """Answer one account."""
    user = site.population.people.named(match["username"])
    if user is None:
        return empty_answer(404)
    shared = not site.faults.is_staff or request.one("view") == "shared"
    return json_answer(_shared(user) if shared else _account(user))


def _shared(user: User) -> dict[str, object]:
    return {
        "username": user.username,
        "profile_image": {"has_image": False, "image_url_full": _IMAGE},
        "account_privacy": "all_users",
    }


def _account(user: User) -> dict[str, object]:
    profile = user.name is not None
    nothing = "" if profile else None
    return _shared(user) | {
        "id": user.user_id,
        "name": user.name,
        "email": user.email,
        "is_active": user.is_active,
        "date_joined": "2025-12-01T09:30:00Z",
        "last_login": None,
        "bio": None,
        "country": None,
        "course_certificates": None,
        "gender": None,
        "goals": nothing,
        "language_proficiencies": [{"code": code} for code in user.languages] if profile else None,
        "level_of_education": None,
        "mailing_address": nothing,
        "pending_name_change": None,
        "requires_parental_consent": False if profile else None,
        "secondary_email": None,
        "secondary_email_enabled": None,
        "social_links": [] if profile else None,
        "state": None,
        "verified_name": None,
        "year_of_birth": None,
    }


def preferences(site: Site, request: Request, match: Match[str]) -> Answer:
    """Answer what a user chose, the language of the site among it."""
    user = site.population.people.named(match["username"])
    if user is None or not site.faults.is_staff:
        return empty_answer(404)
    chosen = {"pref-lang": user.preferred_language} if user.preferred_language else {}
    return json_answer(chosen | {"account_privacy": "all_users"})


def search_emails(site: Site, request: Request, _: Match[str]) -> Answer:
    """Answer which accounts have one of several addresses."""
    if not site.faults.is_staff:
        return empty_answer(403)
    try:
        emails = json.loads(request.body)["emails"]
    except (ValueError, KeyError, TypeError):
        return plain_error(400, "emails field is required")
    found = [site.population.people.with_email(str(email)) for email in emails]
    return json_answer(
        [
            {"username": user.username, "email": user.email, "id": user.user_id}
            for user in found
            if user
        ]
    )


def me(site: Site, request: Request, _: Match[str]) -> Answer:
    """Answer for whom the client speaks."""
    return json_answer({"username": site.service_username})


ACCOUNT_ROUTES = (
    Route("accounts", re.compile(r"/api/user/v1/accounts"), accounts),
    Route(
        "search_emails",
        re.compile(r"/api/user/v1/accounts/search_emails"),
        search_emails,
        methods=("POST",),
    ),
    Route("account", re.compile(rf"/api/user/v1/accounts/(?P<username>{_USERNAME})"), account),
    Route(
        "preferences",
        re.compile(rf"/api/user/v1/preferences/(?P<username>{_USERNAME})"),
        preferences,
    ),
    Route("me", re.compile(r"/api/user/v1/me"), me),
)
