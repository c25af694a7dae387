"""Calls that a provider received for an operation, and the pauses between them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from bot.domain.operations import OperationVerb
from bot.domain.workspaces import State
from tests.reconciler.world import World


async def begun(world: World, verb: OperationVerb, state: State | None = None) -> str:
    """Begin an operation on a workspace in ``state``, by default the opposite one, and return its id."""
    before = state or (State.STOPPED if verb is OperationVerb.START else State.RUNNING)
    return await world.begin(await world.own(state=before), verb)


def sent(world: World, method: str) -> list[float]:
    return [call.at for call in world.provider.calls if call.method == method]


def gaps(times: Sequence[float]) -> list[float]:
    return [later - earlier for earlier, later in pairwise(times)]
