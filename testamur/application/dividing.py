"""Dividing: the work on many credentials, cut into batches that several workers do at once.

Learners are dealt out to shares, and a batch holds credentials of one share only. Whoever does a
batch holds the lock of its share, so that no two workers make the documents of one learner, or
write to one learner, at the same time; and an erasure waits for one share only.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from testamur.application.ports.register import CredentialRow
from testamur.domain.identifiers import CredentialId, LearnerId

#: So many workers can issue at the same time, and as many notify. More would leave small batches.
#: A batch says which share it is of, so changing this needs no empty queue, but processes with
#: different numbers must not work at the same time.
SHARES: Final = 16

#: Credentials in one batch, see `testamur.application.issuing`.
BATCH_SIZE: Final = 100

#: How long a batch waits for another one of its share.
PATIENCE_OF_A_BATCH_SECONDS: Final = 20.0


def share_of(learner_id: LearnerId) -> int:
    """Return the share that a learner is in, from 0; the same in every process."""
    return hashlib.sha256(learner_id.encode()).digest()[0] % SHARES


def work_on_share(work: str, share: int) -> str:
    """Return the name of the lock of a kind of work on one share."""
    return f"{work} share {share}"


def divided(rows: Iterable[CredentialRow]) -> Iterator[tuple[int, tuple[CredentialId, ...]]]:
    """Yield credentials in batches: a share, and up to :data:`BATCH_SIZE` ids of it.

    Few are held at a time, however many there are.
    """
    begun: dict[int, list[CredentialId]] = {}
    for row in rows:
        share = share_of(row.learner_id)
        batch = begun.setdefault(share, [])
        batch.append(row.credential_id)
        if len(batch) == BATCH_SIZE:
            yield share, tuple(begun.pop(share))
    for share, batch in begun.items():
        yield share, tuple(batch)


def batches_of(ids: Sequence[CredentialId]) -> Iterator[tuple[CredentialId, ...]]:
    """Yield credentials of one share in batches of up to :data:`BATCH_SIZE`."""
    for first in range(0, len(ids), BATCH_SIZE):
        yield tuple(ids[first : first + BATCH_SIZE])
