"""A world with a local Workbench: sessions, runs of jobs, forms, and output that is followed live."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Self

from aiohttp.test_utils import TestServer

from playground import posit
from playground.harness import Clock
from playground.posit.plans import PlannedError, StreamFault
from playground.slack.forms import Form
from tests.rigs.scenario.people import BOT, Person
from tests.rigs.scenario.shown import Shown
from tests.rigs.scenario.stage import World, inject_fault

TOKENS = {"alice": "a11ce-token-at-workbench", "bob": "b0b-token-at-workbench"}
SUPER_ADMIN_TOKEN = "the-super-admin-token-of-workbench"
SEED: dict[str, Any] = {
    "users": [
        {"name": "alice", "token": TOKENS["alice"], "password": "pw-alice"},
        {"name": "bob", "token": TOKENS["bob"], "password": "pw-bob"},
        {"name": "dora", "active": False},
        {"name": "erik", "admin": True},
        {"name": "admin", "super_admin": True},
    ],
    "tokens": [{"name": "super", "kind": "super-admin", "user": "admin", "token": SUPER_ADMIN_TOKEN}],
    "sessions": [
        {"owner": "alice", "name": "analysis"},
        {"owner": "alice", "name": "thesis", "state": "suspended"},
        {"owner": "alice", "name": "lab", "workbench": "JupyterLab"},
        {"owner": "bob", "name": "secret"},
    ],
}
#: Time to wait for an output before the test fails, in real seconds.
_PATIENCE = 30.0


class WorkbenchWorld(World):
    """A world that also has a local Workbench. The connection is called ``wb``."""

    def __init__(self, folder: Path, options: Mapping[str, Any]) -> None:
        super().__init__(folder, {"tokens": {"wb": TOKENS}, **options})
        self.posit = posit.build(Clock(self.clock.now), options.get("posit_seed") or SEED)
        self.posit_url = ""

    def connections(self) -> dict[str, Any]:
        """Add the Workbench, with both link methods unless the options say otherwise."""
        workbench = {
            "name": "wb",
            "provider": "posit",
            "title": "Workbench",
            "linking": ["token", "admin"],
            "super_admin_token": SUPER_ADMIN_TOKEN,
            "base_url": self.posit_url,
            **self._options.get("workbench", {}),
        }
        self._options = {**self._options, "connections": {"wb": workbench}}
        return super().connections()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        """Run everything for a block. At its end, check that the Workbench's rules were kept, too."""
        async with TestServer(self.posit.app, host="127.0.0.1") as listening:
            self.posit_url = str(listening.make_url("")).rstrip("/")
            self.watch.secrets |= {*TOKENS.values(), SUPER_ADMIN_TOKEN}
            async with super().running():
                self.learn()
                yield self
                self.learn()
            assert self.posit.harness.violations == [], self.posit.harness.violations

    # -- the server ------------------------------------------------------------------------------------------

    def learn(self) -> None:
        """Tell ``self.watch`` who owns each session, so that it knows who may read the session's address."""
        self.watch.owners |= {one.hex: one.owner for one in self.posit.state.sessions.values()}

    def switch(self, **switches: Any) -> None:
        """Set switches of the server."""
        self.posit.state.settings.change(switches)

    def answers(self, method: str, code: int, message: str = "as planned", **plan: Any) -> None:
        """Make a call fail with an error of Workbench's API: HTTP 200 with an error code."""
        self.posit.state.plans.errors.append(PlannedError(method, code, message, **plan))

    def heal(self) -> None:
        super().heal()
        self.posit.harness.faults.clear()
        self.posit.state.plans.errors.clear()

    def stream_meets(self, kind: str, **fault: Any) -> None:
        self.posit.state.plans.streams.append(StreamFault(kind, **fault))

    def session(self, name: str, owner: str = "alice") -> Any:
        """Return the newest session of that name, or None if it is gone."""
        self.posit.state.settle()
        self.learn()
        found = [s for s in self.posit.state.sessions.values() if (s.name, s.owner) == (name, owner)]
        return found[-1] if found else None

    def jobs(self) -> list[Any]:
        """Return the server's jobs, oldest first."""
        return list(self.posit.state.jobs.values())

    def asked(self, method: str) -> int:
        """Return the number of calls of a method."""
        return self.calls(rf"/api/{method}$", self.posit)

    # -- what comes in its own time --------------------------------------------------------------------------

    async def until(self, holds: Callable[[], Any], step: float = 0.0) -> Any:
        """Wait until ``holds`` returns something true, and return that.

        With ``step``, advance the clock between attempts. Output streams use real sockets, so their data
        arrives independently of the fake clock.
        """
        end = asyncio.get_running_loop().time() + _PATIENCE
        while not (found := holds()):
            assert asyncio.get_running_loop().time() < end, f"it never came: {self.told_all()}"
            if step:
                self.clock.advance(step)
                self.posit.state.wake()
            await asyncio.sleep(0.01)
            await self.settle()
        return found

    def told_all(self) -> list[str]:
        return [shown.text for person in (self.alice, self.bob) for shown in person.sees()]

    # -- people ----------------------------------------------------------------------------------------------

    def thread(self, person: Person, name: str) -> list[Shown]:
        """Return the messages in the thread of a run's card or of the message about its end."""
        about = [one for one in person.sees() if f"*{name}*" in one.text]
        card = next(one for one in about if one.kind in ("job_card", "job_ended"))
        channel = self.slack.state.place(person.id, BOT).id
        return [Shown(BOT, one) for one in self.slack.thread(person.id, channel, card.ts)[1:]]

    def file_of(self, person: Person) -> str:
        """Return the contents of the only file that a person can see."""
        (file,) = self.slack.files(person.id)
        return self.slack.file_bytes(person.id, file["id"]).decode()

    async def opens_form(self, person: Person, text: str, command: str = "/workspace") -> Form:
        """Type a command that opens a form. Return the form with its fields filled in."""
        assert (await self.slack.say(person.id, "C0GENERAL", f"{command} {text}"))["ok"]
        await self.settle()
        return self.form(person)

    def form(self, person: Person) -> Form:
        form = self.slack.form(person.id)
        assert form is not None, [shown.text for shown in person.sees("C0GENERAL")]
        return form

    async def fills(self, person: Person, **values: Any) -> Form:
        """Fill in fields by name. Slack informs the bot about those that other fields depend on."""
        for name, value in values.items():
            told = self.form(person).field(f"field:{name}").type
            if told.endswith("external_select"):
                for one in value if isinstance(value, tuple) else (value,):
                    await self.slack.choose(person.id, f"field:{name}", one, one)
            else:
                await self.slack.fill(person.id, {f"field:{name}": value})
            await self.settle()
        return self.form(person)

    async def sends(self, person: Person) -> dict[str, Any]:
        """Send the form, and return Slack's response."""
        answer: dict[str, Any] = await self.slack.submit(person.id)
        await self.settle()
        return answer


def workbench_world(folder: Path, **options: Any) -> AbstractAsyncContextManager[WorkbenchWorld]:
    """Create and run a world with a Workbench.

    In addition to the options of ``world``: ``posit_seed``, and ``workbench`` with more settings of the
    connection.
    """
    return WorkbenchWorld(folder, options).running()


__all__ = ["SEED", "SUPER_ADMIN_TOKEN", "TOKENS", "WorkbenchWorld", "inject_fault", "workbench_world"]
