"""A world whose bot has two processes in the role ``web``, which Slack calls, and a worker."""

from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

from bot.app import Outlets, Process, Role
from bot.support.settings import Settings
from playground.processes import reserved_port
from tests.rigs import postgres
from tests.rigs.scenario import World
from tests.rigs.scenario.people import GENERAL


class Webs(World):
    """Runs the bot's ``Process`` objects in the tests' own process, and steps their loops."""

    webs: list[Process]

    async def start_bot(self) -> None:
        self.bot = await self._started(Role.WORKER, {})
        # The address in links to pages leads to the first web.
        self.webs = [
            await self._started(Role.WEB, {"PORT": str(port)}) for port in (self.port, reserved_port())
        ]
        self.goes_to(0)

    async def _started(self, role: Role, changes: dict[str, str]) -> Process:
        process = self.made(role, changes, self._bot_stack)
        await process.start(loops=False)
        return process

    def made(self, role: Role, changes: dict[str, str], stack: AsyncExitStack) -> Process:
        """Create a process, which is closed along with ``stack``."""
        environment = {name: value for name, value in self.environment().items() if name != "PORT"}
        return Process(
            Settings(**{**environment, **changes}),
            self.connections(),
            stack,
            role=role,
            clock=self.clock,
            outlets=Outlets(store=postgres.open_store),
        )

    def goes_to(self, web: int) -> None:
        """Make Slack send everything to one of the web processes from now on."""
        self._install(f"http://127.0.0.1:{self.webs[web].port}")

    async def status(self, name: str) -> dict[str, Any]:
        """Have Slack send a command to one of the web processes, and return the answer."""
        return await self.slack.say(self.alice.id, GENERAL, f"/workspace status {name}")

    async def replayed_at(self, web: int, index: int = -1) -> int:
        """Send the bytes of a request, usually the last one, again to a web process. Return the status."""
        dispatcher = self.slack.dispatcher
        sent = dispatcher.sent[index]
        url = sent.url.replace(f":{self.webs[0].port}/", f":{self.webs[web].port}/")
        dispatcher.sent[index] = replace(sent, url=url)
        return (await dispatcher.replay(index)).status
