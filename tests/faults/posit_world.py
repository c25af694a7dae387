"""A world with a local Workbench beside Saturn Cloud, on one clock, with alice's account linked there."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp.test_utils import TestServer

from playground import posit
from playground.faults import Fault
from playground.harness import Clock
from playground.posit.plans import PlannedError
from tests.rigs.scenario import World, world

TOKENS = {"alice": "a11ce-token-at-workbench", "bob": "b0b-token-at-workbench"}
SEED = {
    "users": [{"name": name, "token": token} for name, token in TOKENS.items()],
    "sessions": [
        {"owner": "alice", "name": "thesis", "state": "suspended"},
        {"owner": "alice", "name": "analysis"},
        {"owner": "alice", "name": "lab", "workbench": "JupyterLab"},
        {"owner": "bob", "name": "secret"},
    ],
    "settings": {"starting_seconds": 10.0},
}


class Workbench:
    """Hold the local server and the world round it."""

    def __init__(self, server: posit.PositServer, around: World) -> None:
        self.server = server
        self.world = around

    def learn(self) -> None:
        """Note whose each session is, so that the watch knows who may read its address."""
        self.world.watch.owners |= {one.hex: one.owner for one in self.server.state.sessions.values()}

    def session(self, name: str) -> Any:
        """Return alice's session of a name, None when it is gone."""
        self.server.state.settle()
        self.learn()
        found = self.server.state.sessions.values()
        return next((one for one in found if one.name == name and one.owner == "alice"), None)

    def calls(self, method: str) -> int:
        return sum(
            count
            for line, count in self.server.harness.requests.items()
            if re.search(rf"/api/{method}$", line)
        )

    def fails(self, method: str, times: int = 1, **fault: Any) -> None:
        self.server.harness.faults.append(Fault(re.compile(rf"/api/{method}$"), times=times, **fault))

    def answers(self, method: str, code: int, times: int = 1, *, after: bool = False) -> None:
        """Answer with an error of the API: HTTP 200 with a code."""
        planned = PlannedError(method, code, "as planned", times=times, after=after)
        self.server.state.plans.errors.append(planned)

    def heal(self) -> None:
        self.server.harness.faults.clear()
        self.server.state.plans.errors.clear()


@asynccontextmanager
async def workbench_world(folder: Path) -> AsyncIterator[Workbench]:
    """Run a world in which alice has linked her account at the Workbench."""
    clocks: list[Any] = []
    server = posit.build(Clock(lambda: clocks[0].now() if clocks else 0.0), SEED)
    async with TestServer(server.app, host="127.0.0.1") as listening:
        connection = {
            "name": "wb",
            "provider": "posit",
            "title": "Workbench",
            "linking": ["token"],
            "base_url": str(listening.make_url("")),
        }
        async with world(folder, connections={"wb": connection}, tokens={"wb": TOKENS}) as ready:
            clocks.append(ready.clock)
            for session in server.state.sessions.values():
                session.created = session.since = ready.clock.now()
            ready.watch.secrets |= set(TOKENS.values())
            await ready.alice.links("alice", "wb")
            workbench = Workbench(server, ready)
            workbench.learn()
            yield workbench
            workbench.learn()
            assert server.harness.violations == []
