"""The bot as a process of its own, in real time: killed, restarted, asked to stop."""

import asyncio
import json
import time

import aiohttp
import pytest
import pytest_asyncio

from playground.processes import Child, start_child
from tests.rigs.scenario import ID, SEED, World
from tests.rigs.scenario.stage import spoil

pytestmark = pytest.mark.slow

QUICK = {
    **SEED,
    "workspaces": [
        {"owner": "alice", "name": "training", "id": ID["training"], "start_seconds": 5},
        {"owner": "alice", "name": "report", "id": ID["report"], "status": "running"},
    ],
}


class ProcessWorld(World):
    """Run the bot by its command line."""

    child: Child | None = None

    def write_connections(self) -> None:
        connections = self.folder / "connections.toml"
        connections.write_text(
            '[connections.saturn]\nprovider = "saturn"\ntitle = "Saturn Cloud"\nlinking = ["token"]\n'
            f"base_url = {json.dumps(self.saturn_url)}\n"
        )
        connections.chmod(0o600)

    def variables(self, **more: object) -> dict[str, str]:
        empty = {"SLACK_APP_TOKEN": "", "SLACK_CLIENT_ID": "", "SLACK_CLIENT_SECRET": ""}
        return empty | self.environment() | {name: str(value) for name, value in more.items()}

    async def start_bot(self) -> None:
        self.write_connections()
        self.child = await start_child("usher", ["bot", "serve"], self.folder, self.variables())
        async with asyncio.timeout(30), aiohttp.ClientSession() as session:
            while not await self._is_ready(session, self.port):
                assert self.child.process.returncode is None, self.child.last_words()
                await asyncio.sleep(0.05)
        self._install(f"http://127.0.0.1:{self.port}")

    async def _is_ready(self, session: aiohttp.ClientSession, port: int) -> bool:
        try:
            async with session.get(f"http://127.0.0.1:{port}/readyz") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    async def end(self, *, kill: bool) -> tuple[int, float]:
        """End the process; return its status and how long that took, in seconds."""
        assert self.child is not None
        began = time.monotonic()
        if kill:
            self.child.process.kill()
        else:
            self.child.process.terminate()
        status = await asyncio.wait_for(self.child.process.wait(), 15)
        self.watch.log.write(self.child.log.read_text())
        self.child = None
        return status, time.monotonic() - began

    async def stop_bot(self) -> None:
        if self.child is not None:
            await self.end(kill=False)


@pytest_asyncio.fixture
async def outside(tmp_path):
    options = {"live": True, "saturn_seed": QUICK}
    async with ProcessWorld(tmp_path, options).running() as ready:
        await ready.alice.links("alice")
        yield ready


async def test_asked_to_stop_it_ends_what_it_is_at_within_ten_seconds_and_loses_nothing(outside):
    alice = outside.alice
    spoil(outside.saturn.harness, rf"/api/workspaces/{ID['report']}$", delay_s=1.5)
    await alice.types("start report")
    await outside.slack.state.wait_for(lambda: False, 0.5)
    status, seconds = await outside.end(kill=False)
    assert status == 0
    assert seconds < 10.0
    await outside.start_bot()
    await alice.waits_for("ready")
    assert len(alice.told("ready")) == 1
    assert len(alice.told("card")) <= 1
    events = [line["event"] for line in outside.watch.lines()]
    assert "draining" in events
    assert "drained" in events
