"""A world with a local Sphere Engine. It has one account, whose workspaces open in a page of Usher's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Self

from aiohttp.test_utils import TestServer

from playground import sphere
from playground.harness import Clock
from tests.rigs.scenario.people import Person
from tests.rigs.scenario.stage import World

ACCESS_TOKEN = "access-token-of-the-whole-account"
WEBHOOK_SECRET = "secret-of-the-webhook"
PROJECTS = {"Python": "a" * 32, "Shaky": "b" * 32}
SEED: dict[str, Any] = {
    "access_token": ACCESS_TOKEN,
    "webhook_secret": WEBHOOK_SECRET,
    "projects": [
        {"name": "Python", "id": PROJECTS["Python"], "start_seconds": 12, "stop_seconds": 2},
        {"name": "Shaky", "id": PROJECTS["Shaky"], "init_failed": True, "init_error": "no such package"},
    ],
    "workspaces": [],
}


class SphereWorld(World):
    """A world that also has a local Sphere Engine. The connection is called ``courses``."""

    def __init__(self, folder: Path, options: Mapping[str, Any]) -> None:
        super().__init__(folder, {"sign_in": True, **options})
        self.sphere = sphere.build(Clock(self.clock.now), {**SEED, **options.get("account", {})})
        self.sphere_url = ""

    def connections(self) -> dict[str, Any]:
        """Add a connection to the account."""
        courses = {
            "name": "courses",
            "provider": "sphere",
            "title": "Courses",
            "linking": ["none"],
            "base_url": self.sphere_url,
            "access_token": ACCESS_TOKEN,
            "webhook_secret": WEBHOOK_SECRET,
            **self._options.get("courses", {}),
        }
        self._options = {**self._options, "connections": {"courses": courses}}
        told = super().connections()
        if self._options.get("alone"):
            del told["saturn"]
        return told

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        """Run everything for a block.

        At its end, check that the server's rules were kept and no secret was leaked.
        """
        async with TestServer(self.sphere.app, host="127.0.0.1") as listening:
            self.sphere_url = str(listening.make_url("")).rstrip("/")
            self.watch.secrets |= {ACCESS_TOKEN, WEBHOOK_SECRET}
            async with super().running():
                yield self
                self.watch.secrets |= {one.token for one in self.sphere.state.workspaces.values()}
            assert self.sphere.harness.violations == [], self.sphere.harness.violations

    def machines(self) -> list[Any]:
        """Return the server's workspaces, oldest first."""
        return list(self.sphere.state.workspaces.values())

    async def opens_form(self, person: Person) -> Any:
        """Type *new*, and return the form with its fields filled in."""
        assert (await self.slack.say(person.id, "C0GENERAL", "/workspace new courses"))["ok"]
        await self.settle()
        form = self.slack.form(person.id)
        assert form is not None, [shown.text for shown in person.sees("C0GENERAL")]
        return form

    async def makes(self, person: Person, project: str = "Python", name: str = "") -> None:
        """Create a workspace with the form, and wait until it is running."""
        await self.opens_form(person)
        await self.slack.fill(person.id, {"field:template": PROJECTS[project], "field:name": name})
        assert (await self.slack.submit(person.id))["response_action"] == "clear"
        await self.settle()
        await self.pass_time(30)


def sphere_world(folder: Path, **options: Any) -> AbstractAsyncContextManager[SphereWorld]:
    """Create and run a world.

    ``courses`` adds settings to the connection, and ``account`` adds contents to the account. With ``alone``,
    there is no other connection.
    """
    return SphereWorld(folder, options).running()
