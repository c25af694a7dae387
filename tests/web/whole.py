"""The whole bot in real time between a local Slack and a local Sphere Engine, for browsers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp.test_utils import TestServer

from playground import sphere
from playground.harness import Clock
from tests.rigs.scenario.people import Person
from tests.rigs.scenario.stage import World

ACCESS_TOKEN = "access-token-of-the-whole-account"
SEED: dict[str, Any] = {
    "access_token": ACCESS_TOKEN,
    "projects": [{"name": "Console Python", "id": "a" * 32, "start_seconds": 2, "stop_seconds": 1}],
    "workspaces": [],
}


class PageWorld(World):
    """Hold a local Sphere Engine beside the rest; the connection is called ``sphere``."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, {"live": True, "sign_in": True, "people_known": False})
        self.sphere = sphere.build(Clock(self.clock.now), SEED)
        self.sphere_url = ""

    def connections(self) -> dict[str, Any]:
        connection = {
            "name": "sphere",
            "provider": "sphere",
            "title": "Sphere Engine",
            "linking": ["none"],
            "base_url": self.sphere_url,
            "access_token": ACCESS_TOKEN,
        }
        self._options = {**self._options, "connections": {"sphere": connection}}
        return super().connections()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[PageWorld]:
        """Run everything for a block; at its end every rule was kept, and no token went astray."""
        async with TestServer(self.sphere.app, host="127.0.0.1") as listening:
            self.sphere_url = str(listening.make_url("")).rstrip("/")
            self.watch.secrets.add(ACCESS_TOKEN)
            async with super().running():
                yield self
                tokens = {one.token for one in self.sphere.state.workspaces.values()}
                self.watch.secrets |= {str(token) for token in tokens}
            assert self.sphere.harness.violations == []

    async def makes(self, person: Person) -> str:
        """Make a workspace by the form in Slack; return the address that its *Open* leads to."""
        assert (await self.slack.say(person.id, "C0GENERAL", "/workspace new sphere"))["ok"]

        def is_filled() -> bool:
            form = self.slack.form(person.id)
            return form is not None and any(one.action_id == "field:template" for one in form.fields)

        assert await self.slack.state.wait_for(is_filled, 20.0)
        answer = await self.slack.submit(person.id)
        assert answer["ok"], answer
        ready = await person.waits_for("ready")
        return ready.address("Open")


@asynccontextmanager
async def page_world(folder: Path) -> AsyncIterator[PageWorld]:
    """Make and run a world."""
    async with PageWorld(folder).running() as ready:
        yield ready
