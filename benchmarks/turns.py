"""Short rounds in which the variants alternate: the bot, another revision of it, and the baselines.

A machine's speed varies during a run, and other work on it only adds time. So all variants run at the same
time, and the lowest figure of each counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import Final

from benchmarks.sizes import Sizes
from benchmarks.stage import Bot, Stage, note
from playground.processes import HOME

#: The variants: the bot in this revision, the bot in the revision that it is compared with, and the
#: baselines.
USHER: Final = "Usher"
BEFORE: Final = "before"
MINIMUM: Final = "minimum"
BARE: Final = "bare_bolt"


def home(sizes: Sizes, name: str) -> Path:
    """Return the folder with the code of a variant."""
    return sizes.against if name == BEFORE and sizes.against is not None else HOME


def variants(sizes: Sizes, *baselines: str) -> list[str]:
    """Return the names of all variants to be measured."""
    return [USHER, *([] if sizes.against is None else [BEFORE]), *baselines]


async def servers(stack: AsyncExitStack, scene: Stage, sizes: Sizes, *names: str) -> dict[str, Bot]:
    """Start all variants, each on its own database."""
    places = [(name, await scene.beside(name, home(sizes, name))) for name in names]
    return {name: await stack.enter_async_context(server(place, sizes, name)) for name, place in places}


def server(place: Stage, sizes: Sizes, name: str) -> AbstractAsyncContextManager[Bot]:
    """Run one variant for a block."""
    match name:
        case "minimum":
            return place.minimum()
        case "bare_bolt":
            return place.bare_bolt()
        case _:
            return place.bot(home=home(sizes, name))


def in_turn(names: Sequence[str], number: int) -> Iterator[str]:
    """Return the variants in the order for a round; each round begins with a different one."""
    return (names[(number + at) % len(names)] for at in range(len(names)))


def least(what: str, costs: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Return the lowest cost of each variant, and print all of them."""
    for name, found in costs.items():
        note(f"{what}, {name}: {[round(cost) for cost in found]} µs")
    return {name: min(found) for name, found in costs.items()}
