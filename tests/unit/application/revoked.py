"""Installations in which credentials were issued, and what is asked of those that are revoked."""

from uuid import UUID

from testamur.application.issuing import storage_key
from testamur.application.ports.register import CredentialFilter, CredentialRow
from testamur.application.progress import Unwatched
from testamur.domain.credentials import (
    Credential,
)
from testamur.domain.errors import NotFound
from testamur.domain.identifiers import ConfigurationId, CredentialId, RunId
from tests.support.world import World

EVERYBODY = CredentialFilter()
UNKNOWN = CredentialId(UUID(int=7))


def world_with(*learners: str) -> tuple[World, ConfigurationId, RunId]:
    """Return an installation in which these learners were issued the credential by one run."""
    world = World()
    for learner in learners:
        world.enrol(learner)
    configuration = world.configure()
    return world, configuration, world.run(configuration)


def rows(world: World) -> dict[str, CredentialRow]:
    return {row.learner_id: row for row in world.credentials.all(EVERYBODY)}


def id_of(world: World, learner: str) -> CredentialId:
    return rows(world)[learner].credential_id


def key_of(id_: CredentialId) -> str:
    return storage_key(id_, ".txt")


def is_public(world: World, id_: CredentialId) -> bool:
    try:
        return bool(world.storage.get(key_of(id_)))
    except NotFound:
        return False


def state(world: World, id_: CredentialId) -> Credential:
    return world.credentials.get(id_)


def events_of(world: World, id_: CredentialId) -> list[str]:
    return [type(each.event).__name__ for each in world.events.load(id_)]


def awarded_only(world: World, configuration: ConfigurationId) -> RunId:
    """Carry out a run as far as the awards."""
    run_id = world.runs.start(configuration, world.request())
    world.runs.carry_out(run_id, Unwatched())
    return run_id
