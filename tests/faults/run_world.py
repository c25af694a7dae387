"""A world with a fuse and a Workbench: runs of jobs meet trouble at each call of the whole process."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp.test_utils import TestServer

from tests.faults.world import BreakingWorld
from tests.rigs.scenario.workbench import SUPER_ADMIN_TOKEN, TOKENS, WorkbenchWorld

LINES = 12
#: Streams come through sockets: the loop goes round so often before time goes on.
ROUNDS = 40


class JobsWorld(BreakingWorld, WorkbenchWorld):
    """Run jobs; alice has her account at the Workbench linked."""

    name = ""

    async def reborn(self) -> None:
        await self._streams.drain(0.0)
        await super().reborn()

    async def work(self) -> None:
        await super().work()
        self.posit.state.wake()
        for _ in range(ROUNDS):
            await asyncio.sleep(0)
        await super().work()

    async def runs(self, number: int) -> None:
        """Run a job as a person does, who looks whether it runs before trying again."""
        self.name = f"loud-{number}"
        words = f"run wb --name {self.name} -- print-lines lines={LINES} rate=4 stderr_every=4"

        async def act() -> bool:
            if not self.found():
                await self.alice.types(words, command="/job", then_settle=False)
                await self.time(2, step=1)
            return bool(self.found())

        await self.persists(act)

    def found(self) -> list[Any]:
        """Return the rows of this story's run: only one, unless somebody was impatient."""
        return self.rows(f"SELECT * FROM runs WHERE name = '{self.name}' AND reference != ''")

    async def is_whole(self) -> None:
        """Look whether each run of this story was run, told of and shown, all once."""
        rows = self.found()
        assert rows
        for row in rows:
            assert (row["outcome"], row["state"], row["is_watched"]) == ("ended", "succeeded", 0), dict(row)
        launched = [job for job in self.jobs() if job.values["name"] == self.name]
        assert len(launched) == len(rows)
        told = Counter(shown.key for shown in self.alice.sees() if shown.key)
        for row in rows:
            kinds = {key.split("/")[1]: count for key, count in told.items() if key.startswith(row["id"])}
            assert kinds == {"job_card": 1, "job_output": 1, "job_ended": 1}, kinds
            thread = self.thread_of(row["id"])
            assert [one["text"][:9] for one in thread] == ["Output of", "The full "], thread
            (file,) = thread[1]["files"]
            text = self.slack.file_bytes(self.alice.id, file["id"]).decode()
            assert [line.removeprefix("! ") for line in text.splitlines()] == [
                f"line {number}" for number in range(1, LINES + 1)
            ]

    def thread_of(self, job_id: str) -> list[dict[str, Any]]:
        """Return what stands below a run's card."""
        (card,) = self.rows(f"SELECT * FROM cards WHERE subject = '{job_id}' AND is_notice = 0")
        return self.slack.thread(self.alice.id, card["channel_id"], card["message_ts"])[1:]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[JobsWorld]:
        async with TestServer(self.posit.app, host="127.0.0.1") as listening:
            self.posit_url = str(listening.make_url("")).rstrip("/")
            self.watch.secrets |= {*TOKENS.values(), SUPER_ADMIN_TOKEN}
            async with super().running():
                await self.alice.links("alice", "wb")
                yield self
                await self._streams.drain(0.0)


@asynccontextmanager
async def jobs_world(folder: Path, **options: Any) -> AsyncIterator[JobsWorld]:
    """Make and run a world whose fuse is whole."""
    async with JobsWorld(folder, options).running() as world:
        yield world
