"""Who the learners are: accounts computed from a seed and a user id, and accounts told by hand."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from random import Random

from examples.demo_sources.names import LANGUAGES, full_name

#: User id of the first generated learner.
FIRST_USER_ID = 1001

#: How many different names are drawn; learners of a larger population share them, as people do.
DIFFERENT_NAMES = 4096

_LAST_NUMBER = re.compile(r"[0-9]+(?=[^0-9]*$)")

#: Forms of a generated username. Each holds the user id as its last number, so that no table is
#: needed to find whose it is.
_USERNAMES = (
    "learner_{id}",
    "reads.a.lot.{id}",
    "kate+{id}",
    "pupil {id}@school.example.org",
    "Łucja {id}",
    "王小明{id}",
    "-_{id}_-",
    "أمل.{id}",
    "100@{id}",
    "Ελένη_{id}",
)


@dataclass(frozen=True, slots=True)
class User:
    """An account of the LMS.

    Args:
        user_id: Database id.
        username: Letters of any script, digits, spaces and ``_ . @ + -``.
        name: Full name of the profile as stored; may be empty. None: there is no profile.
        email: Address of the account.
        is_active: Whether the address was confirmed and the account not disabled.
        languages: Codes of the languages that the profile says are spoken.
        preferred_language: The language chosen for the site, if any.
    """

    user_id: int
    username: str
    name: str | None
    email: str
    is_active: bool = True
    languages: tuple[str, ...] = ()
    preferred_language: str | None = None


@dataclass
class People:
    """All accounts: generated ones, and those told by hand, which go before.

    Args:
        seed: The same seed gives the same people.
        generated: How many accounts are computed, with the ids from `FIRST_USER_ID` on.
    """

    seed: int
    generated: int = 0
    _told: dict[int, User] = field(default_factory=dict)
    _told_names: dict[str, int] = field(default_factory=dict)
    _names: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        dice = Random(self.seed)
        shares = [language.share for language in LANGUAGES]
        for place in range(min(self.generated, DIFFERENT_NAMES)):
            # One in each language first, so that a small population is written in every script.
            drawn = dice.choices(LANGUAGES, shares)[0]
            language = LANGUAGES[place] if place < len(LANGUAGES) else drawn
            self._names.append((full_name(language, dice.random), language.tag))

    def __iter__(self) -> Iterator[User]:
        """Iterate over all accounts, by user id."""
        generated = range(FIRST_USER_ID, FIRST_USER_ID + self.generated)
        for user_id in sorted({*generated, *self._told}) if self._told else generated:
            if user := self.of_id(user_id):
                yield user

    def tell(self, user: User) -> None:
        """Add an account, or change the one with this id."""
        if before := self._told.get(user.user_id):
            del self._told_names[before.username]
        self._told[user.user_id] = user
        self._told_names[user.username] = user.user_id

    def of_id(self, user_id: int) -> User | None:
        """Return the account with a user id."""
        if told := self._told.get(user_id):
            return told
        index = user_id - FIRST_USER_ID
        return self._generated(index) if 0 <= index < self.generated else None

    def named(self, username: str) -> User | None:
        """Return the account with a username."""
        if username in self._told_names:
            return self._told[self._told_names[username]]
        user = self._with_last_number_of(username)
        return user if user and user.username == username else None

    def with_email(self, email: str) -> User | None:
        """Return the account with an address."""
        for told in self._told.values():
            if told.email == email:
                return told
        user = self._with_last_number_of(email)
        return user if user and user.email == email else None

    def username(self, user_id: int) -> str:
        """Return the username of a generated account, or of one told by hand, quickly."""
        if told := self._told.get(user_id):
            return told.username
        return self._username(user_id - FIRST_USER_ID)

    def name(self, user_id: int) -> str | None:
        """Return the name of a generated account, or of one told by hand, quickly."""
        if told := self._told.get(user_id):
            return told.name
        return self._name(user_id - FIRST_USER_ID)[0]

    def _with_last_number_of(self, text: str) -> User | None:
        found = _LAST_NUMBER.search(text)
        return self.of_id(int(found.group())) if found and len(found.group()) < 16 else None

    def _generated(self, index: int) -> User:
        chance = blake2b(b"%d" % index, digest_size=4, key=b"%d" % self.seed).digest()
        name, tag = self._name(index)
        username = self._username(index)
        retired = username.startswith("retired__user_")
        user_id = FIRST_USER_ID + index
        return User(
            user_id=user_id,
            username=username,
            name=name,
            email=f"{username if retired else f'learner{user_id}'}@example.org",
            is_active=not retired and index % 17 != 4,
            languages=_spoken(tag, chance[0]),
            preferred_language=tag.lower() if chance[1] < 160 else None,
        )

    def _username(self, index: int) -> str:
        # Rare ones come early too: the eighth learner is a retired one.
        if index % 101 == 7:
            return f"retired__user_{index * 2654435761 % 2**32:08x}_{FIRST_USER_ID + index}"
        form = index // 3 % len(_USERNAMES) if index % 3 == 0 else 0
        return _USERNAMES[form].format(id=FIRST_USER_ID + index)

    def _name(self, index: int) -> tuple[str | None, str]:
        name, tag = self._names[index % DIFFERENT_NAMES]
        if index % 53 == 12:
            return "", tag
        if index % 211 == 14:
            return None, tag
        return name, tag


def _spoken(tag: str, chance: int) -> tuple[str, ...]:
    code = tag.partition("-")[0]
    if chance < 40:
        return ()
    return tuple(sorted({"en", code})) if chance < 60 else (code,)
