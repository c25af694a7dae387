"""A world in which jobs run, and the actions of its people."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bot.domain.people import Principal
from bot.domain.runs import Run
from bot.store import accounts
from bot.store import runs as run_rows
from tests.reconciler.world import World, new_world
from tests.rigs.run_provider import JobProvider
from tests.rigs.store import ALICE, launched, want_stop


class RunWorld:
    """A world with its job provider, and shortcuts for what the tests check."""

    def __init__(self, world: World) -> None:
        self.world = world
        assert isinstance(world.provider, JobProvider)
        self.cloud = world.provider
        self.store, self.slack, self.clock = world.store, world.slack, world.clock

    async def runs(
        self, principal: Principal = ALICE, name: str = "train", *, is_watched: bool = True, **keys: Any
    ) -> str:
        """Launch a run for a person, who gets an account if they have none. Return the run's id."""
        if await self.store.read(accounts.find_account, principal, "cloud") is None:
            await self.world.link(principal)
            await self.world.know(principal)
        reference = self.world.ids.reference()
        keys |= {"reference": reference, "is_watched": is_watched}
        return (await launched(self.store, principal, "cloud", name, shows=True, **keys)).id

    async def begun(self, seconds: float = 5.0, **keys: Any) -> str:
        """Launch a run for ALICE, let this time pass, and return the run's id."""
        run_id = await self.runs(**keys)
        await self.world.pass_time(seconds)
        return run_id

    async def stop(self, run_id: str, *, force: bool = False) -> None:
        await want_stop(self.store, run_id, "force" if force else "stop")

    async def run(self, run_id: str) -> Run:
        run = await self.store.read(run_rows.find_run, run_id)
        assert run is not None
        return run

    async def until_over(self, run_id: str, most: float = 300.0) -> Run:
        """Let time pass until a run has ended, and a few seconds more."""
        for _ in range(round(most)):
            await self.world.work()
            run = await self.run(run_id)
            if not run.is_open:
                await self.world.pass_time(4)
                return await self.run(run_id)
            self.clock.advance(1.0)
        raise AssertionError(f"the run is still open: {await self.run(run_id)}")

    def in_thread(self, run_id: str) -> list[dict[str, Any]]:
        """Return the messages in the thread that a run's files belong to, oldest first."""
        parent = self.head(run_id)
        return [each for each in self.slack.messages if each.get("thread_ts") == parent["ts"]]

    def head(self, run_id: str) -> dict[str, Any]:
        """Return the message about a run: its card, or the message about its end if the card is gone."""
        (found,) = [*self.told(run_id, "job_card"), *self.told(run_id, "job_ended")]
        return found

    def told(self, run_id: str, kind: str) -> list[dict[str, Any]]:
        """Return a run's messages whose kind and occasion begin with ``kind``, oldest first."""
        begin = f"{run_id}/{kind}"
        keyed = [(each.get("metadata", {}).get("event_payload", {}), each) for each in self.slack.messages]
        return [each for payload, each in keyed if str(payload.get("key")).startswith(begin)]

    def message(self, key: str) -> dict[str, Any]:
        (found,) = [
            each
            for each in self.slack.messages
            if each.get("metadata", {}).get("event_payload", {}).get("key") == key
        ]
        return found


def said(message: dict[str, Any]) -> str:
    """Return all the text in a message."""
    return f"{message['text']}\n{message.get('blocks', '')}"


async def end(runs: RunWorld, run_id: str, *, seconds: float = 60.0) -> None:
    """End the run and its output, and let time pass until everything is shown."""
    if runs.cloud.runs["run1"].ends_at is None:
        runs.cloud.ends("run1")
    runs.cloud.closes("run1")
    await runs.world.pass_time(seconds)
    assert not (await runs.run(run_id)).is_watched


def output(runs: RunWorld, run_id: str) -> dict[str, Any]:
    """Return the card, which shows a run's output while it is running."""
    return runs.message(f"{run_id}/job_card/1")


#: A line too long for the message about the end, so that the output is also sent as a file.
LONG = "-" * 500 + "\n"


def content(message: dict[str, Any]) -> str:
    """Return the text of a message's only file, without the long line."""
    (file,) = message["files"]
    said: bytes = file["content"]
    return said.decode().replace(LONG, "")


@asynccontextmanager
async def new_run_world() -> AsyncIterator[RunWorld]:
    async with new_world(JobProvider) as world:
        yield RunWorld(world)
