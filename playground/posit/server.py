"""The local Posit Workbench as one application."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from playground.harness import Clock
from playground.posit import api, control, control_things, pages
from playground.posit.calls import HARNESS, STATE, PositHarness
from playground.posit.seed import Seed, load, parse
from playground.posit.state import State


class PositServer:
    """The application, harness and state of one local Posit Workbench."""

    def __init__(self, clock: Clock | None = None, seed: Seed | None = None) -> None:
        self.state = State(clock or Clock(), seed or load())
        self.harness = PositHarness(self.state)
        self.app = web.Application()
        self.app[STATE] = self.state
        self.app[HARNESS] = self.harness
        for module in (api, pages, control, control_things):
            self.app.add_routes(module.routes())
        self.harness.install(self.app)
        self.app.on_shutdown.append(self._close_streams)

    @property
    def credentials(self) -> dict[str, Any]:
        """Return the initial tokens, passwords and ids, for the ready line."""
        shown = self.state.accounts.credentials()
        self.state.settle()
        for name, user in shown["users"].items():
            sessions = [one for one in self.state.sessions.values() if one.owner == name]
            jobs = [one for one in self.state.jobs.values() if one.owner == name]
            user["sessions"] = {session.name: session.id for session in sessions}
            user["jobs"] = {str(job.values["name"]): job.id for job in jobs}
        return shown

    async def _close_streams(self, _app: web.Application) -> None:
        self.state.closing = True
        self.state.wake()


def build(clock: Clock | None = None, seed: Seed | Mapping[str, Any] | None = None) -> PositServer:
    """Build a server from JSON values as in a seed file or, without any, from the default seed."""
    ready = seed if seed is None or isinstance(seed, Seed) else parse(dict(seed))
    return PositServer(clock, ready)
