"""Tokens (PKCS #11): hardware that holds keys, logged in to once for the whole process.

A vendor's library knows one login for all threads of a process, and is started for one thread at a
time. So each token has one session, and one lock stands before them all. Needs the extra
``pkcs11``.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import pkcs11
from pkcs11 import PKCS11Error, TokenFlag

from testamur.domain.errors import InvalidInput

if TYPE_CHECKING:
    from pkcs11._pkcs11 import lib

#: A PIN that a token answers so is wrong. Each such answer may be one of the last before it locks.
WRONG_PIN: Final = (pkcs11.PinIncorrect, pkcs11.PinInvalid, pkcs11.PinLenRange)

_HIDDEN: Final = "(hidden)"

_UNLOCK: Final = "the vendor's program shows its state and unlocks it"


@dataclass(frozen=True, slots=True)
class Token:
    """A token as settings name it.

    Args:
        setting: Name of the setting with the key, for messages, e.g. ``signing_keys.registry``.
        module: Path of the vendor's library, absolute.
        label: The token's own name.
        pin: For the login; None where the token asks for none.
        pin_setting: Name of the part of the setting that the PIN comes from, for messages.
    """

    setting: str = field(compare=False)
    module: str
    label: str
    pin: str | None = field(repr=False)
    pin_setting: str = field(default="pkcs11_pin", compare=False)

    @property
    def place(self) -> tuple[str, str]:
        """What a process can be logged in to once."""
        return self.module, self.label

    def refusal(self, setting: str, value: object, allowed: str) -> InvalidInput:
        """Return the error about one of its settings.

        Args:
            setting: The part's name, e.g. ``token_label``.
            value: The offending value.
            allowed: What is allowed.
        """
        return InvalidInput(f"{self.setting}.{setting}", value, allowed)

    def pin_refusal(self, allowed: str) -> InvalidInput:
        """Return the error about its PIN, which is not told."""
        return self.refusal(self.pin_setting, _HIDDEN if self.pin else None, allowed)


class Sessions:
    """The sessions of this process, one for each token. They stay open until it ends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[tuple[str, str], tuple[Token, pkcs11.Session]] = {}
        self._libraries: dict[str, lib] = {}
        self._inherited: set[str] = set()
        self._refused: set[Token] = set()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold back all other threads, as long as a token is asked for something."""
        with self._lock:
            yield

    def session(self, token: Token) -> pkcs11.Session:
        """Return the session with a token, opened if there is none. Only within :meth:`alone`.

        A PIN that the token has refused is not tried again in this process: tokens count, and lock
        themselves after a few.

        Raises:
            InvalidInput: The library, the token or the PIN is not right; the setting is named.
            PKCS11Error: The token does not answer as it should.
        """
        if token in self._refused:
            raise self._wrong_pin(token)
        if token.place in self._open:
            logged_in, session = self._open[token.place]
            if token.pin is not None and token.pin != logged_in.pin:
                raise token.pin_refusal(
                    f"the PIN of this token that {logged_in.setting} has been opened with"
                )
            return session
        session = self._logged_in(token, _found(token, self._library(token)))
        self._open[token.place] = token, session
        return session

    def give_up(self, token: Token) -> None:
        """Close a session that may be lost; the next one asked for is a new one."""
        _, session = self._open.pop(token.place, (None, None))
        if session is not None:
            with suppress(PKCS11Error):  # it was lost, as supposed
                session.close()

    def refuse(self, token: Token) -> InvalidInput:
        """Remember that a token refused the PIN, and return the error that says so."""
        self._refused.add(token)
        return self._wrong_pin(token)

    def forget_what_is_the_parents(self) -> None:
        """Begin anew after a fork: a session is its parent's, and another thread may hold the lock.

        Nothing is closed, since that would close it for the parent too.
        """
        self._lock = threading.Lock()
        self._open = {}
        self._inherited = set(self._libraries)

    def _library(self, token: Token) -> "lib":
        try:
            library = pkcs11.lib(token.module)
        except PKCS11Error as error:
            raise token.refusal(
                "pkcs11_module",
                token.module,
                f"the token vendor's PKCS #11 library ({told(error)})",
            ) from None
        if token.module in self._inherited:
            # PKCS #11 2.20, 6.6.1: a child starts the library for itself.
            with suppress(PKCS11Error):  # some notice the fork themselves, and are not started
                library.finalize()
            library.initialize()
            self._inherited.remove(token.module)
        self._libraries[token.module] = library
        return library

    def _logged_in(self, token: Token, found: pkcs11.Token) -> pkcs11.Session:
        if token.pin is None:
            if found.flags & TokenFlag.LOGIN_REQUIRED:
                raise token.pin_refusal(f"the PIN of the token {token.label!r}, which asks for one")
            return found.open()
        refuse_risk(token, found.flags)
        try:
            return found.open(user_pin=token.pin)
        except pkcs11.UserAlreadyLoggedIn:
            # The host has, through the same library.
            return found.open()
        except pkcs11.PinLocked:
            raise token.pin_refusal(f"none now: the token has locked it; {_UNLOCK}") from None
        except WRONG_PIN:
            raise self.refuse(token) from None

    def _wrong_pin(self, token: Token) -> InvalidInput:
        return token.pin_refusal(
            f"the PIN of the token {token.label!r}; it was tried once and is not tried again "
            "before a restart, since tokens lock"
        )


def told(error: PKCS11Error) -> str:
    """Return what an error of the library says; many are no more than their name."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _found(token: Token, library: "lib") -> pkcs11.Token:
    there = [each for each in library.get_tokens() if each.flags & TokenFlag.TOKEN_INITIALIZED]
    matching = [each for each in there if each.label == token.label]
    if len(matching) == 1:
        return matching[0]
    labels = ", ".join(sorted(each.label for each in there)) or "none: the library shows no token"
    if matching:
        labels = f"a label that one token alone has; there are: {labels}"
    raise token.refusal("token_label", token.label, labels)


def refuse_risk(token: Token, flags: TokenFlag) -> None:
    """Refuse a login that could lock the token for all who use it.

    Args:
        token: The token.
        flags: What it says about itself.

    Raises:
        InvalidInput: Its PIN is locked, or would be after one more wrong one.
    """
    if flags & TokenFlag.USER_PIN_LOCKED:
        raise token.pin_refusal(f"none now: the token has locked it; {_UNLOCK}")
    if flags & TokenFlag.USER_PIN_FINAL_TRY:
        raise token.pin_refusal(
            "none now: the token would lock itself at the next wrong one; log in with the vendor's "
            "program once, which resets that"
        )


SESSIONS: Final = Sessions()
"""Those of this process."""

os.register_at_fork(after_in_child=SESSIONS.forget_what_is_the_parents)
