"""A world with Sphere Engine as its provider: the real client and the local server, on one clock."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from aiohttp.test_utils import TestServer

from bot.domain.forms import Spec
from bot.domain.people import Principal
from bot.domain.workspaces import Workspace
from bot.providers import build
from bot.providers.sphere import SphereSettings
from bot.services.caller import Caller
from bot.services.operation_requests import create_workspace
from bot.store import workspaces
from bot.support.http import Http
from playground import sphere
from playground.harness import Clock
from playground.sphere.workspaces import Workspace as Machine
from tests.reconciler.world import World, new_world
from tests.rigs.linking import Linking
from tests.rigs.store import ALICE

TOKEN = "acc3ss-token-of-the-account"
PUBLIC_URL = "https://usher.example.test"
PROJECT, SHAKY = "a" * 32, "c" * 32
SPEC = Spec("lab", {"project": PROJECT, "project_name": "Python"})
SEED = {
    "access_token": TOKEN,
    "projects": [
        {"name": "Python", "id": PROJECT, "start_seconds": 12, "stop_seconds": 3},
        {"name": "Shaky", "id": SHAKY, "init_failed": True, "init_error": "no such package"},
    ],
    "workspaces": [],
}


class SphereWorld:
    """People's workspaces on that server. ``world`` is the world of the engine's tests."""

    def __init__(self, world: World, server: sphere.SphereServer, accounts: Linking) -> None:
        self.world, self.server, self.accounts = world, server, accounts
        self.store, self.clock, self.slack = world.store, world.clock, world.slack

    async def create(self, principal: Principal = ALICE, spec: Spec = SPEC) -> str:
        """Request a new workspace, and return the operation's id."""
        await self.world.know(principal)
        reference = self.world.ids.reference()
        caller = Caller(self.world.asking, principal, reference, reference)
        accepted = await caller.run(create_workspace, "cloud", spec)
        return accepted.operation.id

    async def made(self, principal: Principal = ALICE, spec: Spec = SPEC) -> Workspace:
        """Create a workspace, wait until it runs, and return its row."""
        operation_id = await self.create(principal, spec)
        await self.world.until_ended(operation_id)
        return await self.world.workspace_of(operation_id)

    def machine(self, row: Workspace) -> Machine:
        return self.server.state.workspaces[row.remote_id]

    async def row(self, row: Workspace) -> Workspace:
        fresh = await self.store.read(workspaces.find_workspace, row.id)
        assert fresh is not None
        return fresh

    async def pass_time(self, seconds: float, step: float = 5.0) -> None:
        """Let time pass."""
        for _ in range(round(seconds / step)):
            self.clock.advance(step)
            await self.world.work()

    def told(self, kind: str) -> list[dict[str, Any]]:
        """Return the messages of a kind."""
        return self.slack.told(kind)


@asynccontextmanager
async def sphere_world(
    administrators: Sequence[str] = (), client: type[Http] = Http, **settings: Any
) -> AsyncIterator[SphereWorld]:
    async with new_world() as world:
        server = sphere.build(clock=Clock(world.clock.now), seed=SEED)
        async with TestServer(server.app, host="127.0.0.1") as listening, Http.new_session() as session:
            own = SphereSettings(
                name="cloud",
                provider="sphere",
                title="Courses",
                base_url=str(listening.make_url("")),
                **{"access_token": TOKEN, "webhook_secret": "shh", **settings},
            )
            world.provider = build(own, client(session, world.clock.monotonic))
            world.public_url = PUBLIC_URL
            world.administered_by(*administrators)
            asking = replace(world.asking, public_url=PUBLIC_URL, sign_in=True)
            yield SphereWorld(world, server, Linking(asking))
