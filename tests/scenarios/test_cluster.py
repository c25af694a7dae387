"""A web and two workers on one PostgreSQL, as processes of their own, in real time."""

import asyncio
import signal
import time

import aiohttp
import pytest
import pytest_asyncio

from playground.processes import Child, start_child
from tests.rigs import postgres
from tests.rigs.ports import quiet_port
from tests.rigs.scenario import ID, SEED
from tests.scenarios.test_process import ProcessWorld

pytestmark = pytest.mark.slow

QUICK = {
    **SEED,
    "workspaces": [
        {"owner": "alice", "name": "training", "id": ID["training"], "start_seconds": 2},
        {"owner": "alice", "name": "report", "id": ID["report"], "start_seconds": 2},
        {"owner": "alice", "name": "analysis", "start_seconds": 2},
    ],
}


def pid_of(owner: str) -> int:
    return int(owner.rpartition("/")[2].partition("_")[0])


class Cluster(ProcessWorld):
    """Run the roles by their commands."""

    async def start_bot(self) -> None:
        self.write_connections()
        self.workers = [await self.start_role("worker", quiet_port()) for _ in range(2)]
        self.web = await self.start_role("web", self.port)
        self._install(f"http://127.0.0.1:{self.port}")

    async def start_role(self, role: str, port: int) -> Child:
        child = await start_child(f"{role}-{port}", ["bot", role], self.folder, self.variables(PORT=port))
        async with asyncio.timeout(30), aiohttp.ClientSession() as session:
            while not await self._is_ready(session, port):
                child.must_live()
                await asyncio.sleep(0.05)
        return child

    def owner(self, thing: str) -> Child:
        """Return the worker that owns something."""
        pid = pid_of(dict(self.owned())[thing])
        return next(worker for worker in self.workers if worker.pid == pid)

    def owned(self) -> list[tuple[str, str]]:
        """Return what is owned, with the owner's name."""
        with postgres.connected(self.settings().database_url) as connection:
            return connection.execute("SELECT name, owner FROM owners").fetchall()

    async def stop_bot(self) -> None:
        for child in (self.web, *self.workers):
            await child.stop()
            self.watch.log.write(child.log.read_text())


@pytest_asyncio.fixture
async def cluster(tmp_path):
    settings = {"USHER_DATABASE_URL": postgres.new_database("usher_cluster")}
    async with Cluster(
        tmp_path, {"live": True, "saturn_seed": QUICK, "settings": settings}
    ).running() as ready:
        await ready.alice.links("alice")
        yield ready


async def test_whoever_owns_is_replaced_when_killed_or_stopped_and_everything_happens_once(cluster):
    alice, starts, told = cluster.alice, "POST .*/start", cluster.slack.state.wait_for
    await alice.types("start training")
    assert await told(lambda: cluster.calls(starts) == 1, 60.0)
    killed = cluster.owner("starts:saturn")
    killed.process.send_signal(signal.SIGKILL)
    await killed.process.wait()
    # The next start waits until nobody else can be granting one; how long that is, is the store's contract.
    await alice.types("start report")
    assert await told(lambda: cluster.calls(starts) == 2, 60.0)
    stopped = cluster.owner("starts:saturn")
    assert stopped is not killed
    cluster.workers.append(await cluster.start_role("worker", quiet_port()))
    stopped_at = time.monotonic()
    stopped.process.terminate()
    assert await asyncio.wait_for(stopped.process.wait(), 12) == 0
    assert time.monotonic() - stopped_at < 10.0
    # What it owned is free before its leases would have ended.
    assert not [name for name, owner in cluster.owned() if pid_of(owner) == stopped.pid]
    await alice.types("start analysis")
    assert await told(lambda: cluster.calls(starts) == 3, 60.0)
    assert await told(lambda: len(alice.told("ready")) == 3, 60.0)
    assert len(alice.told("card")) == 3
    assert cluster.calls(starts) == 3
    assert cluster.saturn.harness.smallest_gap >= 10.0
