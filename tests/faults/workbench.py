"""Worlds with a fuse and a Workbench: running jobs and creating sessions meet a fault at each call."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count
from typing import Any, Self

from aiohttp.test_utils import TestServer

from playground.slack.errors import SlackError
from tests.faults.world import BreakingWorld
from tests.rigs.scenario.workbench import SUPER_ADMIN_TOKEN, TOKENS, WorkbenchWorld

LINES = 12
#: Rounds of the event loop before time moves on, because streams arrive through sockets.
ROUNDS = 40


class BreakingWorkbench(BreakingWorld, WorkbenchWorld):
    """A Workbench on which Alice has linked her account. Each story has its own name."""

    name = ""

    def __init__(self, folder: Any, options: Any) -> None:
        super().__init__(folder, options)
        self._numbers = count(1)

    async def reborn(self) -> None:
        await self._streams.drain(0.0)
        await super().reborn()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        async with TestServer(self.posit.app, host="127.0.0.1") as listening:
            self.posit_url = str(listening.make_url("")).rstrip("/")
            self.watch.secrets |= {*TOKENS.values(), SUPER_ADMIN_TOKEN}
            async with super().running():
                await self.alice.has_linked("alice", "wb")
                yield self
                await self._streams.drain(0.0)


class JobsWorld(BreakingWorkbench):
    """Run jobs."""

    async def work(self) -> None:
        await super().work()
        self.posit.state.wake()
        for _ in range(ROUNDS):
            await asyncio.sleep(0)
        await super().work()

    async def runs(self) -> None:
        """Run a job like a person who checks whether it is running before trying again."""
        self.name = f"loud-{next(self._numbers)}"
        words = f"run wb --name {self.name} -- print-lines lines={LINES} rate=4 stderr_every=4"

        async def act() -> bool:
            if not self.found():
                await self.alice.types(words, command="/job", then_settle=False)
                await self.time(2, step=1)
            return bool(self.found())

        await self.persists(act)

    def found(self) -> list[Any]:
        """Return the rows of this story's run. There is only one, unless the person was impatient."""
        return self.rows(f"SELECT * FROM runs WHERE name = '{self.name}' AND reference != ''")

    async def is_whole(self) -> None:
        """Check that each run of this story was executed, reported and shown exactly once."""
        rows = self.found()
        assert rows
        for row in rows:
            assert (row["outcome"], row["state"], row["is_watched"]) == ("ended", "succeeded", 0), dict(row)
        launched = [job for job in self.jobs() if job.values["name"] == self.name]
        assert len(launched) == len(rows)
        told = Counter(shown.key for shown in self.alice.sees() if shown.key)
        for row in rows:
            kinds = {key.split("/")[1]: count for key, count in told.items() if key.startswith(row["id"])}
            # A run may have no card if it ends within a minute of the answer.
            assert kinds.pop("job_card", 1) == 1
            assert kinds == {"job_ended": 1}, kinds
            thread = self.thread_of(row["id"])
            # The output is short enough to be part of the final message. There is a file if Usher doesn't
            # know whether that message was posted.
            ends = [one for one in self.alice.sees() if (one.key or "").startswith(f"{row['id']}/job_ended")]
            files = [file for one in thread for file in one["files"]]
            texts = [self.slack.file_bytes(self.alice.id, file["id"]).decode() for file in files]
            shown = re.findall(r"line \d+", "".join(texts or [one.text for one in ends]))
            assert (len(files) <= 1, shown) == (True, [f"line {number}" for number in range(1, LINES + 1)])

    def thread_of(self, job_id: str) -> list[dict[str, Any]]:
        """Return the replies below a run's card, or below its final message if there is no card."""
        (card, *_) = self.rows(
            f"SELECT * FROM cards WHERE subject = '{job_id}' AND message_ts > '' ORDER BY is_notice"
        )
        return self.slack.thread(self.alice.id, card["channel_id"], card["message_ts"])[1:]


class SessionsWorld(BreakingWorkbench):
    """Make sessions by the form."""

    async def makes(self) -> None:
        """Create a session like a person who checks whether it exists before submitting the form again."""
        self.name = f"paper-{next(self._numbers)}"

        async def act() -> bool:
            if not self.asked_for():
                await self._fills()
                await self.work()
            return bool(self.asked_for())

        await self.persists(act)

    async def _fills(self) -> None:
        if not (await self.slack.say(self.alice.id, "C0GENERAL", "/workspace new wb"))["ok"]:
            return
        await self.work()
        # A killed process may still hold the lease for reading the offers. The form comes once the lease
        # expires.
        for _ in range(12):
            form = self.slack.form(self.alice.id)
            if form is None or form.fields:
                break
            await self.time(5)
        with suppress(SlackError):
            await self.slack.fill(self.alice.id, {"field:name": self.name})
            await self.slack.submit(self.alice.id)

    def asked_for(self) -> list[Any]:
        """Return the operations on this story's workspaces, oldest first."""
        return self.rows(
            "SELECT operations.* FROM operations JOIN workspaces ON workspaces.id = operations.workspace_id"
            f" WHERE json_extract(workspaces.spec, '$.name') = '{self.name}' ORDER BY operations.created_at"
        )

    async def is_whole(self) -> None:
        """Check that each creation has led to one session, whose state was reported once."""
        self.posit.state.settle()
        self.learn()
        operations = self.asked_for()
        assert operations
        assert {(operation["verb"], operation["outcome"]) for operation in operations} == {
            ("create", "fulfilled")
        }
        made = [one for one in self.posit.state.sessions.values() if one.name == self.name]
        assert [one.state for one in made] == ["running"] * len(operations)
        told = [shown.key for shown in self.alice.told("ready") if shown.key]
        for operation in operations:
            assert len([key for key in told if key.startswith(f"{operation['id']}/")]) == 1, told

    async def clears_up(self) -> None:
        """Remove the story's sessions from Workbench, so that they don't pile up."""
        sessions = self.posit.state.sessions
        for key in [key for key, one in sessions.items() if one.name == self.name]:
            del sessions[key]
