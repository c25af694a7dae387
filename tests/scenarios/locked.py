"""A database with a table that somebody else has locked."""

from tests.rigs.scenario.commands import ProcessWorld
from tests.scenarios.half import Half


class Locked(Half):
    """Runs a web process and a worker, both with the same database role."""

    async def start_bot(self):
        self.write_connections()
        await self.start("worker")
        await self.start("web")
        self._install(f"http://127.0.0.1:{self.port}")

    def stored(self):
        return ProcessWorld.stored(self)
