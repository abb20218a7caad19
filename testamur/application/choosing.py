"""Choosing: the credentials that somebody wants something done with, found page by page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from testamur.application.ports.register import CredentialFilter, CredentialRow, Register
from testamur.domain.errors import InvalidInput
from testamur.domain.identifiers import LearnerId

#: Credentials that are read, and dealt with, together.
PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class Choice:
    """Credentials that have something in common.

    Args:
        where: What they have in common.
        learner_ids: Only those of these learners; None: of all.
    """

    where: CredentialFilter
    learner_ids: tuple[LearnerId, ...] | None = None

    def require_condition(self) -> None:
        """See that somebody who chose has given a condition, and does not mean everything.

        Raises:
            InvalidInput: There is none.
        """
        if self.where == CredentialFilter() and self.learner_ids is None:
            raise InvalidInput(
                "where",
                "no condition at all",
                "a configuration, context, type, run, learner or list of learners: this is never "
                "done to everything",
            )


def chosen(register: Register, choice: Choice) -> Iterator[Sequence[CredentialRow]]:
    """Yield the credentials in a fixed order, in pages; one that comes later is the last.

    Of learners that were listed, each one's credentials follow on those of the one before.
    """
    if choice.learner_ids is None:
        yield from _pages(register, choice.where)
        return
    page: list[CredentialRow] = []
    for learner_id in dict.fromkeys(choice.learner_ids):
        if choice.where.learner_id not in (None, learner_id):
            continue
        for rows in _pages(register, replace(choice.where, learner_id=learner_id)):
            page += rows
        if len(page) >= PAGE:
            yield page
            page = []
    if page:
        yield page


def _pages(register: Register, where: CredentialFilter) -> Iterator[Sequence[CredentialRow]]:
    after = None
    while page := register.credentials(where, PAGE, after):
        yield page
        after = page[-1].credential_id
