"""Who the learners are: accounts of the LMS, asked for by username or by user id."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NoReturn
from urllib.parse import quote

from testamur.adapters.open_edx.addresses import segment
from testamur.adapters.open_edx.concurrency import each
from testamur.adapters.open_edx.connection import Connection
from testamur.adapters.open_edx.errors import LmsRefused, NotPermitted
from testamur.adapters.open_edx.refusals import GLOBAL_STAFF
from testamur.adapters.open_edx.shapes import (
    Row,
    mapping,
    nested_rows,
    rows,
    text,
    text_or_none,
    truth,
    whole_number,
)
from testamur.adapters.open_edx.snapshot import Learner
from testamur.domain.identifiers import LearnerId
from testamur.domain.personal_data import Person

#: Bytes of a query that small proxies let through beside the token.
LONGEST_QUERY: Final = 2_000

#: Digits of the greatest user id that a database knows (64 bit).
_MOST_DIGITS: Final = 18

_ACCOUNTS: Final = "/api/user/v1/accounts"
_WHAT: Final = "accounts of learners"

_TAG: Final = re.compile(
    r"(?P<language>[a-z]{2,3})(?:-(?P<script>[a-z]{4}))?(?:-(?P<region>[a-z]{2}|[0-9]{3}))?",
    re.IGNORECASE,
)


def user_id(learner_id: LearnerId) -> int | None:
    """Return the user id that a learner id stands for; None: it is none of this LMS."""
    if learner_id.isascii() and learner_id.isdigit() and len(learner_id) <= _MOST_DIGITS:
        return int(learner_id) if str(int(learner_id)) == learner_id else None
    return None


def ids_of(connection: Connection, usernames: Iterable[str]) -> Iterator[Sequence[Learner]]:
    """Yield user ids of learners, batch by batch; those without an account are left out."""
    batches = packed(usernames)
    for _, accounts in each(
        connection, lambda batch: _named(connection, batch), batches, connection.concurrency
    ):
        yield [(whole_number(row, "id", _WHAT), text(row, "username", _WHAT)) for row in accounts]


def username_of(connection: Connection, id_: int) -> str | None:
    """Return the username of a learner; None: there is no such account."""
    account = _of_id(connection, id_)
    return None if account is None else text(account, "username", _WHAT)


def is_global_staff(connection: Connection) -> bool:
    """Return whether the user of the OAuth2 application may read any account, by trying."""
    try:
        _of_id(connection, 1)
    except NotPermitted:
        return False
    return True


def people_of(
    connection: Connection,
    user_ids: Sequence[int],
    usernames: Mapping[int, str],
    *,
    by_preference: bool = False,
) -> Mapping[LearnerId, Person]:
    """Return who learners are; those without an account are left out.

    Args:
        connection: The LMS.
        user_ids: Whom to ask for.
        usernames: Their usernames, as far as they are known, which saves requests. A user's name
            can have changed since: an account counts only if it is the one with the id.
        by_preference: Whether to ask each learner's preference for their language.
    """
    at_once = connection.concurrency
    accounts: dict[int, Row] = {}
    wanted = set(user_ids)
    known = packed(usernames[id_] for id_ in user_ids if id_ in usernames)
    for _, rows_found in each(connection, lambda batch: _named(connection, batch), known, at_once):
        for row in rows_found:
            if (id_ := whole_number(row, "id", _WHAT)) in wanted:
                accounts[id_] = row
    missing = [id_ for id_ in user_ids if id_ not in accounts]
    asked_by_id = each(connection, lambda id_: _of_id(connection, id_), missing, at_once)
    accounts.update((id_, account) for id_, account in asked_by_id if account is not None)
    preferred: dict[int, str | None] = {}
    if by_preference:
        asked = each(
            connection,
            lambda found: _preferred_language(connection, *found),
            accounts.items(),
            at_once,
        )
        preferred.update((id_, language) for (id_, _), language in asked)
    return {
        LearnerId(str(id_)): _person(account, preferred.get(id_))
        for id_, account in accounts.items()
    }


def packed(usernames: Iterable[str], longest: int = LONGEST_QUERY) -> Iterator[list[str]]:
    """Yield usernames in batches whose query is not longer than allowed.

    Args:
        usernames: The usernames; one that is too long by itself makes a batch of its own.
        longest: The most bytes of the query as it is sent.
    """
    batch: list[str] = []
    beginning = len("username=")
    length = beginning
    for username in usernames:
        more = len(quote(username, safe="")) + len("%2C")
        if batch and length + more > longest:
            yield batch
            batch, length = [], beginning
        batch.append(username)
        length += more
    if batch:
        yield batch


def language_tag(code: str) -> str | None:
    """Return a language code of the LMS as a tag of BCP 47; None: it is none.

    ``zh-cn`` gives ``zh-CN``, ``zh_HANS`` gives ``zh-Hans``, ``es-419`` stays.
    """
    found = _TAG.fullmatch(code.strip().replace("_", "-"))
    if found is None:
        return None
    language, script, region = found.group("language", "script", "region")
    parts = (language.lower(), script and script.title(), region and region.upper())
    return "-".join(filter(None, parts))


def _named(connection: Connection, usernames: Sequence[str]) -> Sequence[Row]:
    """Ask for accounts by username; smaller batches are asked for where a proxy wants them."""
    try:
        answer = connection.get(_ACCOUNTS, {"username": ",".join(usernames)}, what=_WHAT)
    except LmsRefused as refused:
        if refused.status == 404:
            return ()
        if refused.status == 414 and len(usernames) > 1:
            half = len(usernames) // 2
            return [
                *_named(connection, usernames[:half]),
                *_named(connection, usernames[half:]),
            ]
        _explain(refused)
    return [_checked(row) for row in rows(answer, _WHAT)]


def _of_id(connection: Connection, id_: int) -> Row | None:
    try:
        answer = connection.get(_ACCOUNTS, {"lms_user_id": str(id_)}, what=f"account {id_}")
    except LmsRefused as refused:
        if refused.status in {400, 404}:
            return None
        _explain(refused)
    for row in rows(answer, _WHAT):
        if whole_number(_checked(row), "id", _WHAT) == id_:
            return row
    return None


def _checked(row: Row) -> Row:
    """Return an account, if all of it is served: only to staff it is."""
    if "name" not in row or "id" not in row:
        raise NotPermitted("names of learners", GLOBAL_STAFF)
    return row


def _explain(refused: LmsRefused) -> NoReturn:
    if refused.status == 403:
        raise NotPermitted(_WHAT, GLOBAL_STAFF) from refused
    raise refused


def _preferred_language(connection: Connection, id_: int, account: Row) -> str | None:
    what = f"preferences of learner {id_}"
    path = f"/api/user/v1/preferences/{segment(text(account, 'username', _WHAT))}"
    try:
        preferences = mapping(connection.get(path, what=what), what)
    except LmsRefused as refused:
        if refused.status == 404:
            return None
        raise
    code = text_or_none(preferences, "pref-lang", what)
    return language_tag(code) if code else None


def _person(account: Row, preferred: str | None) -> Person:
    return Person(
        full_name=text_or_none(account, "name", _WHAT) or "",
        email=text_or_none(account, "email", _WHAT) or None,
        locale=preferred or _spoken(account),
        mailable=truth(account, "is_active", _WHAT),
    )


def _spoken(account: Row) -> str | None:
    """Return the one language that a profile names; of several none is known to be preferred."""
    if account.get("language_proficiencies") is None:
        return None
    spoken = nested_rows(account, "language_proficiencies", _WHAT)
    return language_tag(text(spoken[0], "code", _WHAT)) if len(spoken) == 1 else None
