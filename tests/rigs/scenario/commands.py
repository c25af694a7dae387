"""A world that runs in real time, with the bot as a separate process."""

import asyncio
import json
import signal
import time

import aiohttp

from tests.rigs import forked
from tests.rigs.scenario.stage import World


class ProcessWorld(World):
    """A world that starts the bot from its command line."""

    child: forked.Process | None = None

    def write_connections(self) -> None:
        connections = self.folder / "connections.toml"
        table = {"provider": "saturn", "title": "Saturn Cloud", "linking": ["token"]}
        table |= {"base_url": self.saturn_url, **self._options.get("saturn_connection", {})}
        lines = [f"{name} = {json.dumps(value)}\n" for name, value in table.items()]
        connections.write_text("[connections.saturn]\n" + "".join(lines))
        connections.chmod(0o600)

    def variables(self) -> dict[str, str]:
        empty = {"SLACK_APP_TOKEN": "", "SLACK_CLIENT_ID": "", "SLACK_CLIENT_SECRET": ""}
        return empty | self.environment()

    async def start_bot(self) -> None:
        self.write_connections()
        self.child = await forked.start(["serve"], self.variables(), self.folder)
        async with asyncio.timeout(60), aiohttp.ClientSession() as session:
            while not await self._is_ready(session, self.port):  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.05)
        self._install(f"http://127.0.0.1:{self.port}")

    async def _is_ready(self, session: aiohttp.ClientSession, port: int) -> bool:
        try:
            async with session.get(f"http://127.0.0.1:{port}/readyz") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    async def stop_bot(self) -> None:
        if self.child is not None:
            await self.end()

    async def end(self) -> tuple[int, float]:
        """Ask the process to stop. Return its exit status, and how long it took in seconds."""
        child, self.child = self.child, None
        assert child is not None
        began = time.monotonic()
        child.send_signal(signal.SIGTERM)
        _, log = await asyncio.wait_for(child.communicate(), 15)
        took = time.monotonic() - began
        await child.end()
        self.watch.log.write(log.decode())
        return child.returncode or 0, took

    async def kill(self) -> None:
        """Kill the process with SIGKILL."""
        child, self.child = self.child, None
        assert child is not None
        child.send_signal(signal.SIGKILL)
        await child.wait()
        await child.end()
