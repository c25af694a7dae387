"""A provider with capacity for two machines."""

from __future__ import annotations

from bot.domain.workspaces import State
from bot.support.errors import NoCapacity
from tests.rigs.providers import FakeProvider

FULL = NoCapacity("0/2 nodes are available: 2 Insufficient nvidia.com/gpu.", status=409)


class TwoMachines(FakeProvider):
    """A provider with ``machines_there`` machines, each for one workspace; further starts are refused."""

    machines_there = 2

    full = FULL

    def has_room(self, workspace):
        others = [one for key, one in self.machines.items() if key != workspace.remote_id]
        return len([one for one in others if one.state in _TAKEN]) < self.machines_there

    async def start(self, access, workspace):
        if not self.has_room(workspace):
            self.fail("start", self.full)
        await super().start(access, workspace)


_TAKEN = {State.STARTING, State.RUNNING, State.STOPPING}
