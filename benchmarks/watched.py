"""Whether a read costs more where more is watched: one database that grows, the store alone."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import ExitStack
from pathlib import Path

from cryptography.fernet import Fernet

from benchmarks.claimers import Claimed, run_claimers
from benchmarks.crowd import Crowd, Deployment, grow, settle
from benchmarks.figures import Figure, quantile
from benchmarks.machine import TICK
from benchmarks.postgres import database
from benchmarks.sizes import Sizes
from benchmarks.stage import note
from bot.domain.workspaces import State


async def measure_watched(sizes: Sizes) -> list[Figure]:
    """Measure claims, and the CPU of a read, here and in the database, with few to very many workspaces.

    The baseline is the cost with the fewest, the value the highest of the others. There are as many processes
    as find about a hundred rows with a claim, so that sizes differ in what the database holds.
    """
    few, pending, all_of_them = (count // sizes.people for count in sizes.watched)
    people = sizes.people
    crowds = [Crowd(people, few), Crowd(people, pending), Crowd(people, all_of_them, pending)]
    seen: list[Claimed] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="usher-benchmark-")))
        server = await asyncio.to_thread(stack.enter_context, database(folder))
        place = Deployment(server.url, Fernet.generate_key().decode(), "https://saturn.example.org")
        for number, crowd in enumerate(crowds):
            if number == 0:
                await settle(crowd, place, State.STARTING, pending=True)
            else:
                await grow(crowd, place, crowds[number - 1])
            claimers = sizes.claimers if number else 1
            seen.append(
                await run_claimers(
                    server, sizes, claimers, sizes.watched_seconds, sizes.watched[min(number, 1)]
                )
            )
            note(f"{crowd.people * crowd.each} watched: {seen[-1].line()}")
    # Never nothing: CPU is counted in ticks.
    by_database = [max(one.database_cpu, TICK) / one.reads * 1e6 for one in seen]
    by_process = [max(one.process_cpu, TICK) / one.reads * 1e6 for one in seen]
    claim, select = (1000 * quantile(some, 0.5) for some in (seen[-1].took, seen[-1].selects))
    return [
        *(
            Figure(name, max(costs[1:]), costs[0], note=_each(crowds, costs))
            for name, costs in (("watched_database_cpu", by_database), ("watched_process_cpu", by_process))
        ),
        Figure("claim_median", claim, select, note="the baseline is SELECT 1 on the same connection"),
    ]


def _each(crowds: list[Crowd], costs: list[float]) -> str:
    pairs = zip(crowds, costs, strict=True)
    return ", ".join(f"{crowd.people * crowd.each} watched: {cost:.0f} µs" for crowd, cost in pairs)
