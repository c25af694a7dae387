"""A world with a fuse and a Workbench: the making of a session meets trouble at each call."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from aiohttp.test_utils import TestServer

from playground.slack.errors import SlackError
from tests.faults.world import BreakingWorld
from tests.rigs.scenario.workbench import SUPER_ADMIN_TOKEN, TOKENS, WorkbenchWorld


class SessionsWorld(BreakingWorld, WorkbenchWorld):
    """Make sessions by the form; alice has her account at the Workbench linked."""

    async def makes(self, name: str) -> None:
        """Make a session as a person does, who looks whether it is made before filling the form in again."""

        async def act() -> bool:
            if not self.operations_for(name):
                await self._fills(name)
                await self.work()
            return bool(self.operations_for(name))

        await self.persists(act)

    async def _fills(self, name: str) -> None:
        if not (await self.slack.say(self.alice.id, "C0GENERAL", "/workspace new wb"))["ok"]:
            return
        await self.work()
        # What asks for the offers may be leased by a process that was killed: the form comes when that ends.
        for _ in range(12):
            form = self.slack.form(self.alice.id)
            if form is None or form.fields:
                break
            await self.time(5)
        with suppress(SlackError):
            await self.slack.fill(self.alice.id, {"field:name": name})
            await self.slack.submit(self.alice.id)

    def operations_for(self, name: str) -> list[Any]:
        """Return what was asked for about the workspaces of a name, the oldest first."""
        return self.rows(
            "SELECT operations.* FROM operations JOIN workspaces ON workspaces.id = operations.workspace_id"
            f" WHERE json_extract(workspaces.spec, '$.name') = '{name}' ORDER BY operations.created_at"
        )

    async def is_whole(self, name: str) -> None:
        """Look whether one session came of each making, whether it runs, and was told of once."""
        self.posit.state.settle()
        self.learn()
        operations = self.operations_for(name)
        assert operations
        assert {(operation["verb"], operation["outcome"]) for operation in operations} == {
            ("create", "fulfilled")
        }
        made = [one for one in self.posit.state.sessions.values() if one.name == name]
        assert [one.state for one in made] == ["running"] * len(operations)
        told = [shown.key for shown in self.alice.told("ready") if shown.key]
        for operation in operations:
            assert len([key for key in told if key.startswith(f"{operation['id']}/")]) == 1, told

    def clears_up(self, name: str) -> None:
        """End the sessions at the Workbench: what was made must not pile up."""
        sessions = self.posit.state.sessions
        for key in [key for key, one in sessions.items() if one.name == name]:
            del sessions[key]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[SessionsWorld]:
        async with TestServer(self.posit.app, host="127.0.0.1") as listening:
            self.posit_url = str(listening.make_url("")).rstrip("/")
            self.watch.secrets |= {*TOKENS.values(), SUPER_ADMIN_TOKEN}
            async with super().running():
                await self.alice.links("alice", "wb")
                yield self


@asynccontextmanager
async def sessions_world(folder: Path, **options: Any) -> AsyncIterator[SessionsWorld]:
    """Make and run a world whose fuse is whole."""
    async with SessionsWorld(folder, options).running() as world:
        yield world
