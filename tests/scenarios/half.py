"""Processes that each do a part of Usher's work: a web, which talks to Slack, and workers."""

import asyncio
import os
import signal
from urllib.parse import urlsplit

import aiohttp

from playground.processes import reserved_port
from tests.contract.store.postgres_faults import cut
from tests.rigs import postgres, processes
from tests.rigs.scenario import SEED
from tests.rigs.scenario.commands import ProcessWorld

PASSWORD = "canary-1"


#: There are several people, because Slack accepts only one message per second for each.
PEOPLE = ("alice", "bob", "carol")


ASKED = [(owner, f"{owner}-{number}") for number in range(10) for owner in PEOPLE]


SEEDED = {
    **SEED,
    "workspaces": [{"owner": owner, "name": name, "start_seconds": 0.1} for owner, name in ASKED],
    "jobs": [{"owner": "alice", "name": "nightly", "run_seconds": 20}],
}


#: A worker's first connection is the one on which it writes.
WRITES = "SELECT pid FROM pg_stat_activity WHERE usename = %s ORDER BY backend_start LIMIT 1"


class Half(ProcessWorld):
    """Runs a web process, and a worker with its own database role. Tests may start more workers."""

    def __init__(self, folder, options):
        super().__init__(folder, options)
        self.url = postgres.new_database("usher_half")
        self.role = f"usher_half_{os.getpid()}"
        self.processes = []

    def environment(self):
        return super().environment() | {"USHER_DATABASE_URL": self.url}

    async def start_bot(self):
        self.write_connections()
        place = urlsplit(self.url)
        theirs = place._replace(netloc=f"{self.role}:{PASSWORD}@").geturl()
        await self.start("worker", USHER_DATABASE_URL=theirs)
        await self.start("web")
        self._install(f"http://127.0.0.1:{self.port}")

    async def start(self, role, **changes):
        port = self.port if role == "web" else reserved_port()
        env = self.variables() | {"PORT": str(port)} | changes
        log = self.folder / f"{len(self.processes)}-{role}.log"
        self.processes.append(await processes.start(role, env, log))
        async with asyncio.timeout(60), aiohttp.ClientSession() as session:
            while not await self._is_ready(session, port):
                assert self.processes[-1].returncode is None, log.read_text()
                await asyncio.sleep(0.05)

    def rows(self, query, *given):
        with postgres.connected(self.url) as connection:
            return [row[0] for row in connection.execute(query, given or None)]

    async def until(self, query, *given):
        async with asyncio.timeout(60):
            while not self.rows(query, *given):  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.1)

    def shut_out(self):
        """Close the connection on which the first worker writes, and prevent it from getting another."""
        (pid,) = self.rows(WRITES, self.role)
        (there,) = self.rows("SELECT count(*) FROM pg_stat_activity WHERE usename = %s", self.role)
        with postgres.connected(self.url) as connection:
            connection.execute(f"ALTER ROLE {self.role} CONNECTION LIMIT {there - 1}".encode())
        cut(self.url, pid)

    async def stop_bot(self):
        for process in self.processes:
            if process.returncode is None:
                process.send_signal(signal.SIGKILL)
            await process.wait()
        for log in sorted(self.folder.glob("*.log")):
            if log != self.folder / "usher.log":
                self.watch.log.write(log.read_text())

    def stored(self):
        return b""
